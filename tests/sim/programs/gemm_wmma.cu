// Matrix products with warp matrix fragments: f16 with f32 sums through shared memory, 8-bit integers, tf32.
#include <cuda_fp16.h>
#include <cuda_runtime.h>
#include <mma.h>
#include <cmath>
#include <cstdio>
#include <vector>

using namespace nvcuda;

const int WMMA_M = 16;
const int WMMA_N = 16;
const int WMMA_K = 16;

__global__ void wmma_example(half *a, half *b, float *c, int M, int N, int K, float alpha, float beta) {
  int warpM = (blockIdx.x * blockDim.x + threadIdx.x) / warpSize;
  int warpN = (blockIdx.y * blockDim.y + threadIdx.y);
  wmma::fragment<wmma::matrix_a, WMMA_M, WMMA_N, WMMA_K, half, wmma::col_major> a_frag;
  wmma::fragment<wmma::matrix_b, WMMA_M, WMMA_N, WMMA_K, half, wmma::row_major> b_frag;
  wmma::fragment<wmma::accumulator, WMMA_M, WMMA_N, WMMA_K, float> acc_frag;
  wmma::fragment<wmma::accumulator, WMMA_M, WMMA_N, WMMA_K, float> c_frag;
  wmma::fill_fragment(acc_frag, 0.0f);
  for (int i = 0; i < K; i += WMMA_K) {
    int aRow = warpM * WMMA_M, bCol = warpN * WMMA_N;
    if (aRow < M && bCol < N) {
      wmma::load_matrix_sync(a_frag, a + aRow + i * M, M);
      wmma::load_matrix_sync(b_frag, b + bCol + i * N, N);
      wmma::mma_sync(acc_frag, a_frag, b_frag, acc_frag);
    }
  }
  int cRow = warpM * WMMA_M, cCol = warpN * WMMA_N;
  if (cRow < M && cCol < N) {
    wmma::load_matrix_sync(c_frag, c + cRow + cCol * M, M, wmma::mem_col_major);
    for (int i = 0; i < c_frag.num_elements; i++) c_frag.x[i] = alpha * acc_frag.x[i] + beta * c_frag.x[i];
    wmma::store_matrix_sync(c + cRow + cCol * M, c_frag, M, wmma::mem_col_major);
  }
}

__global__ void small(const signed char *a8, const signed char *b8, int *c8, const float *a, const float *b, float *c) {
  wmma::fragment<wmma::matrix_a, 32, 8, 16, signed char, wmma::row_major> fa;
  wmma::fragment<wmma::matrix_b, 32, 8, 16, signed char, wmma::col_major> fb;
  wmma::fragment<wmma::accumulator, 32, 8, 16, int> fc;
  wmma::fill_fragment(fc, 1);
  wmma::load_matrix_sync(fa, a8, 16);
  wmma::load_matrix_sync(fb, b8, 16);
  wmma::mma_sync(fc, fa, fb, fc);
  wmma::store_matrix_sync(c8, fc, 8, wmma::mem_row_major);
  wmma::fragment<wmma::matrix_a, 16, 16, 8, wmma::precision::tf32, wmma::row_major> ta;
  wmma::fragment<wmma::matrix_b, 16, 16, 8, wmma::precision::tf32, wmma::row_major> tb;
  wmma::fragment<wmma::accumulator, 16, 16, 8, float> tc;
  wmma::fill_fragment(tc, 0.0f);
  wmma::load_matrix_sync(ta, a, 8);
  wmma::load_matrix_sync(tb, b, 16);
  for (int i = 0; i < ta.num_elements; i++) ta.x[i] = wmma::__float_to_tf32(ta.x[i]);
  for (int i = 0; i < tb.num_elements; i++) tb.x[i] = wmma::__float_to_tf32(tb.x[i]);
  wmma::mma_sync(tc, ta, tb, tc);
  wmma::store_matrix_sync(c, tc, 16, wmma::mem_row_major);
}

int main() {
  const int M = 32, N = 32, K = 48;
  const float alpha = 2.0f, beta = 0.5f;
  std::vector<half> a(M * K), b(K * N);
  std::vector<float> c(M * N), r(M * N);
  for (int i = 0; i < M * K; i++) a[i] = __float2half(i % 5 - 2.0f);
  for (int i = 0; i < K * N; i++) b[i] = __float2half(i % 7 * 0.25f);
  for (int i = 0; i < M * N; i++) c[i] = i % 3;
  half *da, *db;
  float *dc;
  cudaMalloc(&da, a.size() * sizeof(half)), cudaMalloc(&db, b.size() * sizeof(half)), cudaMalloc(&dc, c.size() * sizeof(float));
  cudaMemcpy(da, a.data(), a.size() * sizeof(half), cudaMemcpyHostToDevice);
  cudaMemcpy(db, b.data(), b.size() * sizeof(half), cudaMemcpyHostToDevice);
  cudaMemcpy(dc, c.data(), c.size() * sizeof(float), cudaMemcpyHostToDevice);
  wmma_example<<<dim3(1, 2), dim3(64, 1)>>>(da, db, dc, M, N, K, alpha, beta);
  if (cudaMemcpy(r.data(), dc, r.size() * sizeof(float), cudaMemcpyDeviceToHost) != cudaSuccess) return 2;
  for (int i = 0; i < M; i++)
    for (int j = 0; j < N; j++) {
      float sum = 0;
      for (int k = 0; k < K; k++) sum += __half2float(a[i + k * M]) * __half2float(b[j + k * N]);
      if (r[i + j * M] != alpha * sum + beta * c[i + j * M]) return printf("(%d,%d): %f, expected %f\n", i, j, r[i + j * M], alpha * sum + beta * c[i + j * M]), 1;
    }
  std::vector<signed char> a8(32 * 16), b8(16 * 8);
  std::vector<float> af(16 * 8), bf(8 * 16), cf(16 * 16);
  std::vector<int> c8(32 * 8);
  for (size_t i = 0; i < a8.size(); i++) a8[i] = (signed char)(i * 37 % 255 - 127);
  for (size_t i = 0; i < b8.size(); i++) b8[i] = (signed char)(i * 11 % 255 - 127);
  for (int i = 0; i < 128; i++) af[i] = std::sin(i), bf[i] = std::cos(i);
  signed char *da8, *db8;
  int *dc8;
  float *daf, *dbf, *dcf;
  cudaMalloc(&da8, a8.size()), cudaMalloc(&db8, b8.size()), cudaMalloc(&dc8, c8.size() * 4), cudaMalloc(&daf, 512), cudaMalloc(&dbf, 512), cudaMalloc(&dcf, 1024);
  cudaMemcpy(da8, a8.data(), a8.size(), cudaMemcpyHostToDevice), cudaMemcpy(db8, b8.data(), b8.size(), cudaMemcpyHostToDevice);
  cudaMemcpy(daf, af.data(), 512, cudaMemcpyHostToDevice), cudaMemcpy(dbf, bf.data(), 512, cudaMemcpyHostToDevice);
  small<<<1, 32>>>(da8, db8, dc8, daf, dbf, dcf);
  cudaMemcpy(c8.data(), dc8, c8.size() * 4, cudaMemcpyDeviceToHost);
  if (cudaMemcpy(cf.data(), dcf, 1024, cudaMemcpyDeviceToHost) != cudaSuccess) return 3;
  for (int i = 0; i < 32; i++)
    for (int j = 0; j < 8; j++) {
      int sum = 1;
      for (int k = 0; k < 16; k++) sum += a8[i * 16 + k] * b8[j * 16 + k];
      if (c8[i * 8 + j] != sum) return printf("int8 (%d,%d): %d, expected %d\n", i, j, c8[i * 8 + j], sum), 1;
    }
  for (int i = 0; i < 16; i++)
    for (int j = 0; j < 16; j++) {
      double sum = 0;
      for (int k = 0; k < 8; k++) sum += (double)af[i * 8 + k] * bf[k * 16 + j];
      if (std::fabs(cf[i * 16 + j] - sum) > 5e-3) return printf("tf32 (%d,%d): %f, expected %f\n", i, j, cf[i * 16 + j], sum), 1;
    }
  for (void *p : {(void *)da, (void *)db, (void *)dc, (void *)da8, (void *)db8, (void *)dc8, (void *)daf, (void *)dbf, (void *)dcf}) cudaFree(p);
  return 0;
}
