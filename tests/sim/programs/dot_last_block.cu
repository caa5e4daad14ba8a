// Dot product in one launch: the last block to finish adds up what the others left (fence and counter).
#include <cstdio>
#include <vector>
#include <cuda_runtime.h>

__device__ unsigned int retirementCount = 0;

template <unsigned int blockSize>
__global__ void dot_single_pass(const float *a, const float *b, volatile float *partial, float *result, int n) {
  __shared__ float cache[blockSize];
  __shared__ bool amLast;
  float temp = 0;
  for (int tid = threadIdx.x + blockIdx.x * blockDim.x; tid < n; tid += blockDim.x * gridDim.x) temp += a[tid] * b[tid];
  cache[threadIdx.x] = temp;
  __syncthreads();
  for (unsigned int i = blockDim.x / 2; i != 0; i /= 2) {
    if (threadIdx.x < i) cache[threadIdx.x] += cache[threadIdx.x + i];
    __syncthreads();
  }
  if (threadIdx.x == 0) {
    partial[blockIdx.x] = cache[0];
    // wait until the write is visible before the ticket is taken
    __threadfence();
    unsigned int ticket = atomicInc(&retirementCount, gridDim.x);
    amLast = (ticket == gridDim.x - 1);
  }
  __syncthreads();
  if (amLast) {
    __threadfence();
    float sum = 0;
    for (unsigned int i = threadIdx.x; i < gridDim.x; i += blockSize) sum += partial[i];
    cache[threadIdx.x] = sum;
    __syncthreads();
    for (unsigned int i = blockSize / 2; i != 0; i /= 2) {
      if (threadIdx.x < i) cache[threadIdx.x] += cache[threadIdx.x + i];
      __syncthreads();
    }
    if (threadIdx.x == 0) {
      *result = cache[0];
      retirementCount = 0;
    }
  }
}

int main() {
  const int n = 3000, blocks = 7;
  std::vector<float> a(n), b(n);
  double expected = 0;
  for (int i = 0; i < n; i++) a[i] = float(i % 7), b[i] = float(i % 5 - 2), expected += a[i] * b[i];
  float *da, *db, *partial, *result, c;
  cudaMalloc(&da, n * sizeof(float));
  cudaMalloc(&db, n * sizeof(float));
  cudaMalloc(&partial, blocks * sizeof(float));
  cudaMalloc(&result, sizeof(float));
  cudaMemcpy(da, a.data(), n * sizeof(float), cudaMemcpyHostToDevice);
  cudaMemcpy(db, b.data(), n * sizeof(float), cudaMemcpyHostToDevice);
  for (int round = 0; round < 2; round++) {
    cudaMemset(result, 0, sizeof(float));
    dot_single_pass<64><<<blocks, 64>>>(da, db, partial, result, n);
    if (cudaMemcpy(&c, result, sizeof(float), cudaMemcpyDeviceToHost) != cudaSuccess || c != (float)expected) {
      printf("round %d: %f, expected %f\n", round, c, expected);
      return 1;
    }
  }
  cudaFree(da), cudaFree(db), cudaFree(partial), cudaFree(result);
  return 0;
}
