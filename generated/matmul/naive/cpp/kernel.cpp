#include <spak/cpu/types.h>

extern "C" void matmul_naive(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c,
                             long long M, long long N, long long K) {
  for (long long i = 0; i < M; ++i) {
    float* row = c + i * N;
    for (long long j = 0; j < N; ++j) {
      row[j] = a[i * K] * b[j];
    }
    for (long long k = 1; k < K; ++k) {
      const float scale = a[i * K + k];
      const float* other = b + k * N;
      for (long long j = 0; j < N; ++j) {
        row[j] += scale * other[j];
      }
    }
  }
}
