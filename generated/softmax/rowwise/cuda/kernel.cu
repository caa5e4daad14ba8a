#include <spak/cuda/block.h>

namespace {

constexpr int WARPS = THREADS / 32;
constexpr float LOWEST = -3.402823466e+38f;

}  // namespace

extern "C" __global__ void __launch_bounds__(THREADS)
softmax_warp(const float* __restrict__ x, float* __restrict__ y, long long M, long long N) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  const int length = static_cast<int>(N);  // at most 1024: the plan's `when`
  long long i = static_cast<long long>(blockIdx.x) * WARPS + static_cast<long long>(threadIdx.x / 32);
  for (; i < M; i += static_cast<long long>(gridDim.x) * WARPS) {
    const float* row = x + i * N;
    float* out = y + i * N;
    float v[32];
    float best = LOWEST;
#pragma unroll
    for (int k = 0; k < 32; ++k) {
      const int j = k * 32 + lane;
      v[k] = j < length ? row[j] : LOWEST;
      best = fmaxf(best, v[k]);
    }
    best = spak::warp_max(best);
    float sum = 0.0f;
#pragma unroll
    for (int k = 0; k < 32; ++k) {
      if (k * 32 + lane < length) {
        v[k] = expf(v[k] - best);
        sum += v[k];
      }
    }
    sum = spak::warp_sum(sum);
#pragma unroll
    for (int k = 0; k < 32; ++k) {
      const int j = k * 32 + lane;
      if (j < length) {
        out[j] = v[k] / sum;
      }
    }
  }
}

extern "C" __global__ void __launch_bounds__(THREADS)
softmax_block(const float* __restrict__ x, float* __restrict__ y, long long M, long long N) {
  extern __shared__ float cache[];
  for (long long i = blockIdx.x; i < M; i += gridDim.x) {
    const float* row = x + i * N;
    float* out = y + i * N;
    // A thread reads back only what it wrote itself: the cache needs no barrier.
    float best = LOWEST;
    for (long long j = threadIdx.x; j < N; j += THREADS) {
      const float value = row[j];
      cache[j] = value;
      best = fmaxf(best, value);
    }
    best = spak::block_max(best, LOWEST);
    float sum = 0.0f;
    for (long long j = threadIdx.x; j < N; j += THREADS) {
      const float value = expf(cache[j] - best);
      cache[j] = value;
      sum += value;
    }
    sum = spak::block_sum(sum);
    for (long long j = threadIdx.x; j < N; j += THREADS) {
      out[j] = cache[j] / sum;
    }
  }
}

extern "C" __global__ void __launch_bounds__(THREADS)
softmax_sweep(const float* __restrict__ x, float* __restrict__ y, long long M, long long N) {
  for (long long i = blockIdx.x; i < M; i += gridDim.x) {
    const float* row = x + i * N;
    float* out = y + i * N;
    float best = LOWEST;
    for (long long j = threadIdx.x; j < N; j += THREADS) {
      best = fmaxf(best, row[j]);
    }
    best = spak::block_max(best, LOWEST);
    float sum = 0.0f;
    for (long long j = threadIdx.x; j < N; j += THREADS) {
      sum += expf(row[j] - best);
    }
    sum = spak::block_sum(sum);
    for (long long j = threadIdx.x; j < N; j += THREADS) {
      out[j] = expf(row[j] - best) / sum;
    }
  }
}
