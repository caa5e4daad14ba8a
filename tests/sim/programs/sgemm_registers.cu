// SGEMM with float4 loads, an 8x4 register tile a thread and two buffers of shared memory.
#include <cuda_runtime.h>
#include <stdio.h>
#include <stdlib.h>
#include <math.h>

#define OFFSET(row, col, ld) ((row) * (ld) + (col))
#define FETCH_FLOAT4(pointer) (reinterpret_cast<float4 *>(&(pointer))[0])

template <const int BM, const int BN, const int BK, const int TM, const int TN>
__global__ void __launch_bounds__((BM / TM) * (BN / TN))
    sgemm(int M, int N, int K, float alpha, float *A, float *B, float beta, float *C) {
  const int bx = blockIdx.x, by = blockIdx.y;
  const int thread_num = (BM / TM) * (BN / TN);
  const int tx = (threadIdx.x % (BN / TN)) * TN;
  const int ty = (threadIdx.x / (BN / TN)) * TM;

  __shared__ float As[2][BK * BM];
  __shared__ float Bs[2][BK * BN];

  const int a_row = threadIdx.x / (BK / 4), a_col = threadIdx.x % (BK / 4) * 4, a_stride = thread_num / (BK / 4);
  const int b_row = threadIdx.x / (BN / 4), b_col = threadIdx.x % (BN / 4) * 4, b_stride = thread_num / (BN / 4);
  float accum[TM][TN] = {0.};
  float a_frag[TM], b_frag[TN];
  A = &A[by * BM * K];
  B = &B[bx * BN];
  C = &C[by * BM * N + bx * BN];

  auto load = [&](int buffer, int k) {
#pragma unroll
    for (int i = 0; i < BM; i += a_stride) {
      float4 t = FETCH_FLOAT4(A[OFFSET(a_row + i, a_col + k, K)]);
      As[buffer][OFFSET(a_col, i + a_row, BM)] = t.x;
      As[buffer][OFFSET(a_col + 1, i + a_row, BM)] = t.y;
      As[buffer][OFFSET(a_col + 2, i + a_row, BM)] = t.z;
      As[buffer][OFFSET(a_col + 3, i + a_row, BM)] = t.w;
    }
#pragma unroll
    for (int i = 0; i < BK; i += b_stride) FETCH_FLOAT4(Bs[buffer][OFFSET(b_row + i, b_col, BN)]) = FETCH_FLOAT4(B[OFFSET(k + b_row + i, b_col, N)]);
  };

  load(0, 0);
  __syncthreads();
  int buffer = 0;
  for (int k = 0; k < K; k += BK) {
    if (k + BK < K) load(buffer ^ 1, k + BK);
#pragma unroll
    for (int i = 0; i < BK; i++) {
#pragma unroll
      for (int j = 0; j < TM; j += 4) FETCH_FLOAT4(a_frag[j]) = FETCH_FLOAT4(As[buffer][OFFSET(i, ty + j, BM)]);
#pragma unroll
      for (int j = 0; j < TN; j += 4) FETCH_FLOAT4(b_frag[j]) = FETCH_FLOAT4(Bs[buffer][OFFSET(i, tx + j, BN)]);
#pragma unroll
      for (int m = 0; m < TM; m++)
#pragma unroll
        for (int n = 0; n < TN; n++) accum[m][n] += a_frag[m] * b_frag[n];
    }
    __syncthreads();
    buffer ^= 1;
  }
#pragma unroll
  for (int m = 0; m < TM; m++) {
    float4 ctmp = FETCH_FLOAT4(C[OFFSET(ty + m, tx, N)]);
    ctmp.x = alpha * accum[m][0] + beta * ctmp.x;
    ctmp.y = alpha * accum[m][1] + beta * ctmp.y;
    ctmp.z = alpha * accum[m][2] + beta * ctmp.z;
    ctmp.w = alpha * accum[m][3] + beta * ctmp.w;
    FETCH_FLOAT4(C[OFFSET(ty + m, tx, N)]) = ctmp;
  }
}

int main() {
  const int M = 64, N = 32, K = 32;
  const float alpha = 0.5f, beta = 2.0f;
  float *A = (float *)malloc(M * K * 4), *B = (float *)malloc(K * N * 4), *C = (float *)malloc(M * N * 4), *R = (float *)malloc(M * N * 4);
  for (int i = 0; i < M * K; i++) A[i] = (i % 19) * 0.25f - 2;
  for (int i = 0; i < K * N; i++) B[i] = (i % 23) * 0.125f - 1;
  for (int i = 0; i < M * N; i++) C[i] = i % 5;
  float *dA, *dB, *dC;
  alignas(16) static char dummy;
  (void)dummy;
  cudaMalloc(&dA, M * K * 4); cudaMalloc(&dB, K * N * 4); cudaMalloc(&dC, M * N * 4);
  cudaMemcpy(dA, A, M * K * 4, cudaMemcpyHostToDevice);
  cudaMemcpy(dB, B, K * N * 4, cudaMemcpyHostToDevice);
  cudaMemcpy(dC, C, M * N * 4, cudaMemcpyHostToDevice);
  dim3 grid(N / 32, M / 32);
  sgemm<32, 32, 8, 8, 4><<<grid, 32>>>(M, N, K, alpha, dA, dB, beta, dC);
  cudaMemcpy(R, dC, M * N * 4, cudaMemcpyDeviceToHost);
  int bad = 0;
  for (int i = 0; i < M; i++)
    for (int j = 0; j < N; j++) {
      float s = 0;
      for (int k = 0; k < K; k++) s += A[i * K + k] * B[k * N + j];
      if (fabsf(R[i * N + j] - (alpha * s + beta * C[i * N + j])) > 1e-3f) bad++;
    }
  cudaFree(dA); cudaFree(dB); cudaFree(dC);
  free(A); free(B); free(C); free(R);
  if (bad) printf("%d elements differ\n", bad);
  return bad ? 1 : 0;
}
