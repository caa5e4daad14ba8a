// Sum of an array, the way the classic tutorials improve it step by step.
#include <cuda_runtime.h>
#include <stdio.h>
#include <stdlib.h>

#define CUDA_CHECK(call)                                                                        \
  do {                                                                                          \
    cudaError_t err = (call);                                                                   \
    if (err != cudaSuccess) {                                                                   \
      fprintf(stderr, "CUDA error in %s:%d: %s\n", __FILE__, __LINE__, cudaGetErrorString(err)); \
      exit(EXIT_FAILURE);                                                                       \
    }                                                                                           \
  } while (0)

__global__ void reduce0(int *g_idata, int *g_odata, unsigned int n) {
  extern __shared__ int sdata[];
  unsigned int tid = threadIdx.x;
  unsigned int i = blockIdx.x * blockDim.x + threadIdx.x;
  sdata[tid] = (i < n) ? g_idata[i] : 0;
  __syncthreads();
  for (unsigned int s = 1; s < blockDim.x; s *= 2) {
    if (tid % (2 * s) == 0) sdata[tid] += sdata[tid + s];
    __syncthreads();
  }
  if (tid == 0) g_odata[blockIdx.x] = sdata[0];
}

__global__ void reduce1(int *g_idata, int *g_odata, unsigned int n) {
  extern __shared__ int sdata[];
  unsigned int tid = threadIdx.x;
  unsigned int i = blockIdx.x * blockDim.x + threadIdx.x;
  sdata[tid] = (i < n) ? g_idata[i] : 0;
  __syncthreads();
  for (unsigned int s = 1; s < blockDim.x; s *= 2) {
    int index = 2 * s * tid;
    if (index < blockDim.x) sdata[index] += sdata[index + s];
    __syncthreads();
  }
  if (tid == 0) g_odata[blockIdx.x] = sdata[0];
}

__global__ void reduce2(int *g_idata, int *g_odata, unsigned int n) {
  extern __shared__ int sdata[];
  unsigned int tid = threadIdx.x;
  unsigned int i = blockIdx.x * (blockDim.x * 2) + threadIdx.x;
  int mySum = (i < n) ? g_idata[i] : 0;
  if (i + blockDim.x < n) mySum += g_idata[i + blockDim.x];
  sdata[tid] = mySum;
  __syncthreads();
  for (unsigned int s = blockDim.x / 2; s > 32; s >>= 1) {
    if (tid < s) sdata[tid] = mySum = mySum + sdata[tid + s];
    __syncthreads();
  }
  if (tid < 32) {
    if (blockDim.x >= 64) mySum += sdata[tid + 32];
    for (int offset = warpSize / 2; offset > 0; offset /= 2) mySum += __shfl_down_sync(0xffffffff, mySum, offset);
  }
  if (tid == 0) g_odata[blockIdx.x] = mySum;
}

template <unsigned int blockSize>
__global__ void reduce3(const int *__restrict__ g_idata, int *g_odata, unsigned int n) {
  extern __shared__ int sdata[];
  unsigned int tid = threadIdx.x;
  unsigned int i = blockIdx.x * (blockSize * 2) + tid;
  unsigned int gridSize = blockSize * 2 * gridDim.x;
  int sum = 0;
  while (i < n) {
    sum += g_idata[i];
    if (i + blockSize < n) sum += g_idata[i + blockSize];
    i += gridSize;
  }
  sdata[tid] = sum;
  __syncthreads();
  if (blockSize >= 256) { if (tid < 128) sdata[tid] = sum = sum + sdata[tid + 128]; __syncthreads(); }
  if (blockSize >= 128) { if (tid < 64) sdata[tid] = sum = sum + sdata[tid + 64]; __syncthreads(); }
  if (tid < 32) {
    sum += sdata[tid + 32];
#pragma unroll
    for (int offset = 16; offset > 0; offset >>= 1) sum += __shfl_xor_sync(0xffffffff, sum, offset);
  }
  if (tid == 0) g_odata[blockIdx.x] = sum;
}

static int run(int which, int *d_in, int *d_out, int n, int threads) {
  int blocks = (which >= 2) ? (n + threads * 2 - 1) / (threads * 2) : (n + threads - 1) / threads;
  size_t smem = threads * sizeof(int);
  switch (which) {
    case 0: reduce0<<<blocks, threads, smem>>>(d_in, d_out, n); break;
    case 1: reduce1<<<blocks, threads, smem>>>(d_in, d_out, n); break;
    case 2: reduce2<<<blocks, threads, smem>>>(d_in, d_out, n); break;
    default: blocks = 3; reduce3<128><<<blocks, 128, smem>>>(d_in, d_out, n);
  }
  CUDA_CHECK(cudaGetLastError());
  CUDA_CHECK(cudaDeviceSynchronize());
  int *h_out = (int *)malloc(blocks * sizeof(int)), total = 0;
  CUDA_CHECK(cudaMemcpy(h_out, d_out, blocks * sizeof(int), cudaMemcpyDeviceToHost));
  for (int b = 0; b < blocks; b++) total += h_out[b];
  free(h_out);
  return total;
}

int main(int argc, char **argv) {
  const int n = argc > 1 ? atoi(argv[1]) : 3001;
  int *h_in = (int *)malloc(n * sizeof(int)), expected = 0;
  for (int i = 0; i < n; i++) expected += h_in[i] = (i * 37) % 101 - 50;
  int *d_in, *d_out;
  CUDA_CHECK(cudaMalloc((void **)&d_in, n * sizeof(int)));
  CUDA_CHECK(cudaMalloc((void **)&d_out, 64 * sizeof(int)));
  CUDA_CHECK(cudaMemcpy(d_in, h_in, n * sizeof(int), cudaMemcpyHostToDevice));
  int failures = 0;
  for (int which = 0; which < 4; which++) {
    int sum = run(which, d_in, d_out, n, 128);
    if (sum != expected) { printf("reduce%d: %d, expected %d\n", which, sum, expected); failures++; }
  }
  CUDA_CHECK(cudaFree(d_in));
  CUDA_CHECK(cudaFree(d_out));
  free(h_in);
  printf(failures ? "FAILED\n" : "PASSED\n");
  return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
