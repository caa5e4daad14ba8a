#include <spak/cuda/block.h>
#include <spak/cuda/math.h>

namespace {

constexpr int DEPTH = 128;  // the largest D that the spec admits

static_assert(THREADS >= DEPTH, "a thread has at most one element of the result");

__device__ __forceinline__ int at_most(int limit, long long left) { return left < limit ? static_cast<int>(left) : limit; }

__device__ __forceinline__ float score_of(const float* query, const float* __restrict__ key, int depth, float root) {
  float sum = 0.0f;
  for (int d = 0; d < depth; ++d) {
    sum = fmaf(query[d], key[d], sum);
  }
  return sum / root;
}

}  // namespace

extern "C" __global__ void __launch_bounds__(THREADS)
fmha_naive(const float* __restrict__ q, const float* __restrict__ k, const float* __restrict__ v, float* __restrict__ o,
           long long H, long long N, int D) {
  __shared__ float query[DEPTH];
  __shared__ float weight[THREADS];

  const int t = static_cast<int>(threadIdx.x);
  const float root = sqrtf(static_cast<float>(D));
  for (long long i = blockIdx.x; i < H * N; i += gridDim.x) {
    const long long head = i / N * N * D;
    if (t < D) {
      query[t] = q[i * D + t];
    }
    __syncthreads();

    float best = spak::lowest<float>();
    for (long long j = t; j < N; j += THREADS) {
      best = fmaxf(best, score_of(query, k + head + j * D, D, root));
    }
    best = spak::block_max(best, spak::lowest<float>());

    float sum = 0.0f;
    float total = 0.0f;
    for (long long j0 = 0; j0 < N; j0 += THREADS) {
      const long long j = j0 + t;
      if (j < N) {
        weight[t] = expf(score_of(query, k + head + j * D, D, root) - best);
        sum += weight[t];
      }
      __syncthreads();
      if (t < D) {
        const int count = at_most(THREADS, N - j0);
        for (int s = 0; s < count; ++s) {
          total = fmaf(weight[s], v[head + (j0 + s) * D + t], total);
        }
      }
      __syncthreads();
    }
    sum = spak::block_sum(sum);
    if (t < D) {
      o[i * D + t] = total / sum;
    }
    // The next query overwrites what slower threads may still be reading: block_sum's barriers have let all of them pass.
  }
}
