#include <spak/cuda/math.h>
#include <spak/cuda/warp.h>

namespace {

constexpr int QUERIES = 32;
constexpr int KEYS = 32;
constexpr int SHARE = 4;               // lanes that share a query
constexpr int THREADS = QUERIES * SHARE;
constexpr int MINE = 128 / SHARE;      // elements of the result a lane holds, at the largest D that the spec admits
constexpr float LOWEST = -3.402823466e+38f;

__device__ __forceinline__ int at_most(int limit, long long left) { return left < limit ? static_cast<int>(left) : limit; }

// Copies `rows` rows of `depth` elements into shared memory, with zeros below them: all threads of the block take part.
__device__ __forceinline__ void fetch(float* tile, const float* __restrict__ source, int rows, int depth) {
  for (int e = static_cast<int>(threadIdx.x); e < KEYS * depth; e += THREADS) {
    const int row = e / depth;
    tile[row * (depth + 1) + e % depth] = row < rows ? source[e] : 0.0f;
  }
}

}  // namespace

extern "C" __global__ void __launch_bounds__(THREADS)
fmha_online(const float* __restrict__ q, const float* __restrict__ k, const float* __restrict__ v, float* __restrict__ o,
            long long H, long long N, int D) {
  extern __shared__ float shared[];
  const int stride = D + 1;
  float* query = shared;
  float* tile = query + QUERIES * stride;
  float* weight = tile + KEYS * stride;  // [QUERIES][KEYS + 1]

  const int t = static_cast<int>(threadIdx.x);
  const int row = t / SHARE;
  const int part = t % SHARE;
  const float root = sqrtf(static_cast<float>(D));
  const long long tiles = (N + QUERIES - 1) / QUERIES;

  for (long long block = blockIdx.x; block < H * tiles; block += gridDim.x) {
    const long long head = block / tiles * N * D;
    const long long i0 = block % tiles * QUERIES;
    const int queries = at_most(QUERIES, N - i0);
    fetch(query, q + head + i0 * D, queries, D);

    float best = LOWEST;
    float sum = 0.0f;
    float total[MINE];
#pragma unroll
    for (int e = 0; e < MINE; ++e) {
      total[e] = 0.0f;
    }

    for (long long j0 = 0; j0 < N; j0 += KEYS) {
      const int keys = at_most(KEYS, N - j0);
      // Before this barrier: the queries are there. In later rounds: nobody reads the last values any more.
      __syncthreads();
      fetch(tile, k + head + j0 * D, keys, D);
      __syncthreads();

      float score[KEYS / SHARE];
      float top = best;
#pragma unroll
      for (int e = 0; e < KEYS / SHARE; ++e) {
        const int j = part + e * SHARE;
        float s = 0.0f;
        for (int d = 0; d < D; ++d) {
          s = fmaf(query[row * stride + d], tile[j * stride + d], s);
        }
        score[e] = s / root;
        top = j < keys ? fmaxf(top, score[e]) : top;
      }
      top = spak::warp_max<SHARE>(top);
      const float shrink = expf(best - top);
      best = top;
      float part_sum = 0.0f;
#pragma unroll
      for (int e = 0; e < KEYS / SHARE; ++e) {
        const int j = part + e * SHARE;
        const float w = j < keys ? expf(score[e] - best) : 0.0f;
        weight[row * (KEYS + 1) + j] = w;
        part_sum += w;
      }
      sum = fmaf(sum, shrink, spak::warp_sum<SHARE>(part_sum));

      __syncthreads();
      fetch(tile, v + head + j0 * D, keys, D);
      __syncthreads();
#pragma unroll
      for (int e = 0; e < MINE; ++e) {
        const int d = part + e * SHARE;
        if (d < D) {
          float sum_d = total[e] * shrink;
          for (int j = 0; j < keys; ++j) {
            sum_d = fmaf(weight[row * (KEYS + 1) + j], tile[j * stride + d], sum_d);
          }
          total[e] = sum_d;
        }
      }
    }

    if (row < queries) {
#pragma unroll
      for (int e = 0; e < MINE; ++e) {
        const int d = part + e * SHARE;
        if (d < D) {
          o[head + (i0 + row) * D + d] = total[e] / sum;
        }
      }
    }
    // The next tile of queries overwrites what slower threads may still be reading.
    __syncthreads();
  }
}
