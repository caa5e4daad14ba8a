extern "C" void ladder_naive(const float* a, const float* b, float* c, long long M, long long N, long long K) {
  for (long long i = 0; i < M; ++i) {
    for (long long j = 0; j < N; ++j) {
      float sum = 0.0f;
      for (long long k = 0; k < K; ++k) {
        sum += a[i * K + k] * b[k * N + j];
      }
      c[i * N + j] = sum;
    }
  }
}
