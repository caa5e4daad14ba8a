#include <spak/cuda/device.h>

extern "C" __global__ void __launch_bounds__(TILE * ROWS)
transpose_tiled(const float* __restrict__ a, float* __restrict__ b, long long M, long long N) {
  __shared__ float tile[TILE][TILE + 1];
  const int tx = static_cast<int>(threadIdx.x);
  const int ty = static_cast<int>(threadIdx.y);
  for (long long i0 = static_cast<long long>(blockIdx.y) * TILE; i0 < M; i0 += static_cast<long long>(gridDim.y) * TILE) {
    for (long long j0 = static_cast<long long>(blockIdx.x) * TILE; j0 < N; j0 += static_cast<long long>(gridDim.x) * TILE) {
      const long long j = j0 + tx;
      for (int r = ty; r < TILE; r += ROWS) {
        if (i0 + r < M && j < N) {
          tile[r][tx] = a[(i0 + r) * N + j];
        }
      }
      __syncthreads();
      const long long i = i0 + tx;
      for (int r = ty; r < TILE; r += ROWS) {
        if (j0 + r < N && i < M) {
          b[(j0 + r) * M + i] = tile[tx][r];
        }
      }
      __syncthreads();
    }
  }
}
