#include <spak/cuda/all.h>

__device__ float block_sum(float v) {
  __shared__ float warps[32];
  for (int d = 16; d > 0; d >>= 1) v += __shfl_down_sync(0xffffffffu, v, d);
  if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = v;
  __syncthreads();
  float total = 0.0f;
  for (unsigned w = 0; w < blockDim.x / 32; ++w) total += warps[w];
  return total;
}

extern "C" __global__ void partial_sums(const float* x, float* partial, long long n) {
  float sum = 0.0f;
  const long long per_block = (n + BLOCKS - 1) / BLOCKS;
  const long long begin = blockIdx.x * per_block;
  const long long end = begin + per_block < n ? begin + per_block : n;
  for (long long i = begin + threadIdx.x; i < end; i += blockDim.x) sum += x[i];
  sum = block_sum(sum);
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

extern "C" __global__ void finish(const float* partial, float* y) {
  float sum = 0.0f;
  for (int i = threadIdx.x; i < BLOCKS; i += blockDim.x) sum += partial[i];
  sum = block_sum(sum);
  if (threadIdx.x == 0) y[0] = sum;
}
