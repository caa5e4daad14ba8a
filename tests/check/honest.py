# ruff: noqa: E501
"""Kernels as an honest author would write them: what every check must let pass."""

from __future__ import annotations

VECTOR_ADD_CUDA = """\
#include <spak/cuda/all.h>

// Grid-stride: any n, whatever the grid.
extern "C" __global__ void __launch_bounds__(256) vector_add(const float* __restrict__ a, const float* __restrict__ b,
                                                             float* __restrict__ c, long long n) {
  const long long stride = (long long)gridDim.x * blockDim.x;
  for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride) c[i] = a[i] + b[i];
}
"""
VECTOR_ADD_CUDA_PLAN = """\
[[launch]]
kernel = "vector_add"
grid = ["min(cdiv(n, 256), 8 * SM_COUNT)"]
block = [256]
args = ["a", "b", "c", "n"]
"""

VECTOR_ADD_CPP = """\
#include <immintrin.h>
#include <cstdint>

extern "C" void vector_add(const float* __restrict a, const float* __restrict b, float* __restrict c, std::int64_t n) {
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m256 sum = _mm256_add_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i));
    _mm256_storeu_ps(c + i, sum);
  }
  for (; i < n; ++i) c[i] = a[i] + b[i];
}
"""
VECTOR_ADD_CPP_PLAN = '[[launch]]\nkernel = "vector_add"\nargs = ["a", "b", "c", "n"]\n'

MATMUL_CUDA = """\
#include <spak/cuda/all.h>

namespace {

constexpr int THREADS = (BM / TM) * (BN / TN);
#define CEIL_DIV(a, b) (((a) + (b) - 1) / (b))

struct Fragment {
  float v[TM][TN];
  __device__ void clear() {
#pragma unroll
    for (int i = 0; i < TM; ++i)
#pragma unroll
      for (int j = 0; j < TN; ++j) v[i][j] = 0.0f;
  }
};

// Rows of a tile beyond the matrix read as zero.
__device__ __forceinline__ float at(const float* __restrict__ p, long long row, long long col, long long rows, long long cols) {
  return row < rows && col < cols ? p[row * cols + col] : 0.0f;
}

template <int ROWS, int COLS>
__device__ void load(float (&tile)[ROWS][COLS + 4], const float* __restrict__ p, long long row0, long long col0, long long rows,
                     long long cols) {
  for (int e = threadIdx.x; e < ROWS * COLS; e += THREADS) tile[e / COLS][e % COLS] = at(p, row0 + e / COLS, col0 + e % COLS, rows, cols);
}

}  // namespace

extern "C" __global__ void __launch_bounds__(THREADS) matmul(const float* __restrict__ a, const float* __restrict__ b, float* c,
                                                             long long M, long long N, long long K) {
  __shared__ alignas(16) float as[BM][BK + 4];
  __shared__ __align__(16) float bs[BK][BN + 4];
  const long long tiles_n = CEIL_DIV(N, BN);
  const long long row0 = (long long)(blockIdx.x / tiles_n) * BM, col0 = (blockIdx.x % tiles_n) * BN;
  const int ty = threadIdx.x / (BN / TN), tx = threadIdx.x % (BN / TN);
  Fragment acc;
  acc.clear();
  for (long long k0 = 0; k0 < K; k0 += BK) {
    load<BM, BK>(as, a, row0, k0, M, K);
    load<BK, BN>(bs, b, k0, col0, K, N);
    __syncthreads();
    for (int k = 0; k < BK; ++k)
      for (int i = 0; i < TM; ++i)
        for (int j = 0; j < TN; ++j) acc.v[i][j] = fmaf(as[ty * TM + i][k], bs[k][tx * TN + j], acc.v[i][j]);
    __syncthreads();
  }
  for (int i = 0; i < TM; ++i)
    for (int j = 0; j < TN; ++j) {
      const long long row = row0 + ty * TM + i, col = col0 + tx * TN + j;
      if (row < M && col < N) c[row * N + col] = acc.v[i][j];
    }
}
"""
MATMUL_CUDA_PLAN = """\
[params]
BM = 64
BN = 64
BK = 16
TM = 4
TN = 4

[[launch]]
kernel = "matmul"
# One dimension: a long M would not fit grid.y.
grid = ["min(cdiv(M, BM) * cdiv(N, BN), 2147483647)"]
block = ["(BM // TM) * (BN // TN)", 1, 1]
args = ["a", "b", "c", "M", "N", "K"]
"""

SOFTMAX_CUDA = """\
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
    float top = __int_as_float(0xff800000);  // minus infinity
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
"""
SOFTMAX_CUDA_PLAN = """\
[params]
THREADS = 256

[[launch]]
kernel = "softmax"
when = "N <= 32 * THREADS"
grid = ["min(M, 65536)"]
block = ["THREADS"]
smem = "max(THREADS // 32 * 4, 16)"
args = ["x", "y", "M", "N"]

[[launch]]
kernel = "softmax"
when = "N > 32 * THREADS"
grid = ["min(M, 4 * SM_COUNT)"]
block = [1024]
smem = 128
args = ["x", "y", "M", "N"]
"""

SOFTMAX_CPP = """\
#include <algorithm>
#include <cmath>
#include <limits>

namespace {

constexpr float kLowest = std::numeric_limits<float>::lowest();

float row_max(const float* x, long long n) {
  float top = kLowest;
  for (long long j = 0; j < n; ++j) top = std::max(top, x[j]);
  return top;
}

}  // namespace

extern "C" void softmax(const float* x, float* y, long long M, long long N) {
#pragma omp parallel for schedule(static)
  for (long long i = 0; i < M; ++i) {
    const float top = row_max(x + i * N, N);
    double sum = 0.0;
    for (long long j = 0; j < N; ++j) sum += std::exp(x[i * N + j] - top);
    for (long long j = 0; j < N; ++j) y[i * N + j] = static_cast<float>(std::exp(x[i * N + j] - top) / sum);
  }
}
"""
SOFTMAX_CPP_PLAN = '[[launch]]\nkernel = "softmax"\nargs = ["x", "y", "M", "N"]\n'

# Two steps through a workspace, in a fixed order: deterministic for any n.
REDUCE_CUDA = """\
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
"""
REDUCE_CUDA_PLAN = """\
[params]
BLOCKS = 512

[[workspace]]
name = "partial"
dtype = "f32"
shape = ["BLOCKS"]

[[launch]]
step = "1"
kernel = "partial_sums"
grid = ["BLOCKS"]
block = [256]
args = ["x", "partial", "n"]

[[launch]]
step = "2"
kernel = "finish"
block = [256]
args = ["partial", "y"]
"""
