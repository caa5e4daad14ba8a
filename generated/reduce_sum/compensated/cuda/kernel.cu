#include <spak/cuda/vec.h>

namespace {

// s + e is the sum: s rounded, e what rounding lost.
struct Pair {
  float s;
  float e;
};

__device__ __forceinline__ Pair add(Pair p, float value, float lost) {
  const float s = p.s + value;
  const float b = s - p.s;
  const float e = (p.s - (s - b)) + (value - b);
  Pair result;
  result.s = s;
  result.e = p.e + (e + lost);
  return result;
}

// The block's pairs merged in a tree; the result is valid in thread 0. `sums` and `losses` hold THREADS numbers each.
__device__ __forceinline__ Pair merge_block(Pair p, float* sums, float* losses) {
  const int t = static_cast<int>(threadIdx.x);
  sums[t] = p.s;
  losses[t] = p.e;
  for (int half = THREADS / 2; half > 0; half /= 2) {
    __syncthreads();
    if (t < half) {
      p = add(p, sums[t + half], losses[t + half]);
      sums[t] = p.s;
      losses[t] = p.e;
    }
  }
  return p;
}

__device__ __forceinline__ long long parts_of(long long N) {
  const long long parts = (N + CHUNK - 1) / CHUNK;
  return parts < PARTS ? parts : PARTS;
}

}  // namespace

extern "C" __global__ void __launch_bounds__(THREADS)
reduce_partial(const float* __restrict__ x, float* __restrict__ partial, long long N) {
  __shared__ float sums[THREADS];
  __shared__ float losses[THREADS];
  const bool wide = spak::is_aligned<4>(x);
  const long long parts = gridDim.x;
  Pair p0 = {0.0f, 0.0f};
  Pair p1 = p0;
  Pair p2 = p0;
  Pair p3 = p0;
  long long i = (static_cast<long long>(blockIdx.x) * THREADS + static_cast<long long>(threadIdx.x)) * 4;
  for (; i + 4 <= N; i += parts * THREADS * 4) {
    spak::Vec<float, 4> v;
    if (wide) {
      v = spak::load<4>(x + i);
    } else {
      for (int s = 0; s < 4; ++s) {
        v[s] = x[i + s];
      }
    }
    p0 = add(p0, v[0], 0.0f);
    p1 = add(p1, v[1], 0.0f);
    p2 = add(p2, v[2], 0.0f);
    p3 = add(p3, v[3], 0.0f);
  }
  // At most one thread of the grid finds itself at the end with fewer than four elements left.
  for (; i < N; ++i) {
    p0 = add(p0, x[i], 0.0f);
  }
  p0 = add(p0, p1.s, p1.e);
  p2 = add(p2, p3.s, p3.e);
  p0 = merge_block(add(p0, p2.s, p2.e), sums, losses);
  if (threadIdx.x == 0) {
    partial[blockIdx.x] = p0.s;
    partial[parts + blockIdx.x] = p0.e;
  }
}

extern "C" __global__ void __launch_bounds__(THREADS)
reduce_final(const float* __restrict__ partial, float* __restrict__ total, long long N) {
  __shared__ float sums[THREADS];
  __shared__ float losses[THREADS];
  const long long parts = parts_of(N);
  Pair p = {0.0f, 0.0f};
  for (long long i = threadIdx.x; i < parts; i += THREADS) {
    p = add(p, partial[i], partial[parts + i]);
  }
  p = merge_block(p, sums, losses);
  if (threadIdx.x == 0) {
    const bool finite = p.s - p.s == 0.0f;
    total[0] = finite ? p.s + p.e : p.s;
  }
}
