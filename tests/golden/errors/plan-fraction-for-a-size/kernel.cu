#include <spak/cuda/all.h>

// Grid-stride: any n, whatever the grid.
extern "C" __global__ void __launch_bounds__(256) vector_add(const float* __restrict__ a, const float* __restrict__ b,
                                                             float* __restrict__ c, long long n) {
  const long long stride = (long long)gridDim.x * blockDim.x;
  for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride) c[i] = a[i] + b[i];
}
