#include <spak/cpu/types.h>

extern "C" void matmul_bf16_naive(const spak::bf16* __restrict__ a, const spak::bf16* __restrict__ b, spak::bf16* __restrict__ c,
                                  long long M, long long N, long long K) {
  constexpr long long STRIP = 64;
  float sum[STRIP];
  for (long long i = 0; i < M; ++i) {
    for (long long j = 0; j < N; j += STRIP) {
      const long long width = N - j < STRIP ? N - j : STRIP;
      for (long long s = 0; s < width; ++s) {
        sum[s] = 0.0f;
      }
      for (long long k = 0; k < K; ++k) {
        const float scale = static_cast<float>(a[i * K + k]);
        const spak::bf16* row = b + k * N + j;
        for (long long s = 0; s < width; ++s) {
          sum[s] += scale * static_cast<float>(row[s]);
        }
      }
      for (long long s = 0; s < width; ++s) {
        c[i * N + j + s] = static_cast<spak::bf16>(sum[s]);
      }
    }
  }
}
