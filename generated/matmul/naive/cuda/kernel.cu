#include <spak/cuda/device.h>

extern "C" __global__ void __launch_bounds__(256)
matmul_naive(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c, long long M, long long N, long long K) {
  const long long step_i = static_cast<long long>(gridDim.y) * 8;
  const long long step_j = static_cast<long long>(gridDim.x) * 32;
  for (long long i = static_cast<long long>(blockIdx.y) * 8 + threadIdx.y; i < M; i += step_i) {
    for (long long j = static_cast<long long>(blockIdx.x) * 32 + threadIdx.x; j < N; j += step_j) {
      float sum = 0.0f;
      for (long long k = 0; k < K; ++k) {
        sum = fmaf(a[i * K + k], b[k * N + j], sum);
      }
      c[i * N + j] = sum;
    }
  }
}
