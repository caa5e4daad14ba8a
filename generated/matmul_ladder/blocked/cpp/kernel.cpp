namespace {

inline long long smaller(long long a, long long b) { return a < b ? a : b; }

}  // namespace

extern "C" void ladder_blocked(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c,
                               long long M, long long N, long long K) {
  for (long long j0 = 0; j0 < N; j0 += BJ) {
    const long long width = smaller(BJ, N - j0);
    for (long long k0 = 0; k0 < K; k0 += BK) {
      const long long depth = smaller(BK, K - k0);
      for (long long i = 0; i < M; ++i) {
        float* out = c + i * N + j0;
        if (k0 == 0) {
          for (long long j = 0; j < width; ++j) {
            out[j] = 0.0f;
          }
        }
        for (long long k = 0; k < depth; ++k) {
          const float scale = a[i * K + k0 + k];
          const float* row = b + (k0 + k) * N + j0;
          for (long long j = 0; j < width; ++j) {
            out[j] += scale * row[j];
          }
        }
      }
    }
  }
}
