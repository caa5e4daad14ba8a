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
