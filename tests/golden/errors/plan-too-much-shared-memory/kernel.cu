#include <spak/cuda/all.h>

template <class F>
__device__ float warp_reduce(float v, F op) {
#pragma unroll
  for (int d = 16; d > 0; d >>= 1) v = op(v, __shfl_xor_sync(0xffffffffu, v, d));
  return v;
}

// One row a block: the row's maximum, then its sum, then the quotients.
extern "C" __global__ void softmax(const float* __restrict__ x, float* __restrict__ y, long long M, long long N) {
  extern __shared__ float partial[];
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
  for (long long row = blockIdx.x; row < M; row += gridDim.x) {
    const float* in = x + row * N;
    float top = -INFINITY;
    for (long long j = threadIdx.x; j < N; j += blockDim.x) top = fmaxf(top, in[j]);
    top = warp_reduce(top, [](float p, float q) { return fmaxf(p, q); });
    if (lane == 0) partial[warp] = top;
    __syncthreads();
    for (int w = 0; w < warps; ++w) top = fmaxf(top, partial[w]);
    __syncthreads();
    float sum = 0.0f;
    for (long long j = threadIdx.x; j < N; j += blockDim.x) sum += expf(in[j] - top);
    sum = warp_reduce(sum, [](float p, float q) { return p + q; });
    if (lane == 0) partial[warp] = sum;
    __syncthreads();
    sum = 0.0f;
    for (int w = 0; w < warps; ++w) sum += partial[w];
    for (long long j = threadIdx.x; j < N; j += blockDim.x) y[row * N + j] = expf(in[j] - top) / sum;
    __syncthreads();
  }
}
