// Bitonic sort of many short arrays in shared memory, and of one long array in global memory.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>
#include <cuda_runtime.h>

using uint = unsigned int;

__device__ inline void comparator(uint &keyA, uint &valA, uint &keyB, uint &valB, uint dir) {
  if ((keyA > keyB) == dir) {
    uint t = keyA; keyA = keyB; keyB = t;
    t = valA; valA = valB; valB = t;
  }
}

#define SHARED_SIZE_LIMIT 256U

__global__ void bitonicSortShared(uint *d_Key, uint *d_Val, uint arrayLength, uint dir) {
  __shared__ uint s_key[SHARED_SIZE_LIMIT];
  __shared__ uint s_val[SHARED_SIZE_LIMIT];
  d_Key += blockIdx.x * SHARED_SIZE_LIMIT + threadIdx.x;
  d_Val += blockIdx.x * SHARED_SIZE_LIMIT + threadIdx.x;
  s_key[threadIdx.x + 0] = d_Key[0];
  s_val[threadIdx.x + 0] = d_Val[0];
  s_key[threadIdx.x + (SHARED_SIZE_LIMIT / 2)] = d_Key[(SHARED_SIZE_LIMIT / 2)];
  s_val[threadIdx.x + (SHARED_SIZE_LIMIT / 2)] = d_Val[(SHARED_SIZE_LIMIT / 2)];
  for (uint size = 2; size < arrayLength; size <<= 1) {
    uint ddd = dir ^ ((threadIdx.x & (size / 2)) != 0);
    for (uint stride = size / 2; stride > 0; stride >>= 1) {
      __syncthreads();
      uint pos = 2 * threadIdx.x - (threadIdx.x & (stride - 1));
      comparator(s_key[pos + 0], s_val[pos + 0], s_key[pos + stride], s_val[pos + stride], ddd);
    }
  }
  for (uint stride = arrayLength / 2; stride > 0; stride >>= 1) {
    __syncthreads();
    uint pos = 2 * threadIdx.x - (threadIdx.x & (stride - 1));
    comparator(s_key[pos + 0], s_val[pos + 0], s_key[pos + stride], s_val[pos + stride], dir);
  }
  __syncthreads();
  d_Key[0] = s_key[threadIdx.x + 0];
  d_Val[0] = s_val[threadIdx.x + 0];
  d_Key[(SHARED_SIZE_LIMIT / 2)] = s_key[threadIdx.x + (SHARED_SIZE_LIMIT / 2)];
  d_Val[(SHARED_SIZE_LIMIT / 2)] = s_val[threadIdx.x + (SHARED_SIZE_LIMIT / 2)];
}

__global__ void bitonic_sort_step(float *dev_values, int j, int k) {
  unsigned int i = threadIdx.x + blockDim.x * blockIdx.x;
  unsigned int ixj = i ^ j;
  if (ixj > i) {
    if ((i & k) == 0 ? dev_values[i] > dev_values[ixj] : dev_values[i] < dev_values[ixj]) {
      float temp = dev_values[i];
      dev_values[i] = dev_values[ixj];
      dev_values[ixj] = temp;
    }
  }
}

int main() {
  const uint n = 2 * SHARED_SIZE_LIMIT;
  std::vector<uint> keys(n), values(n), k2(n), v2(n);
  for (uint i = 0; i < n; i++) keys[i] = (i * 2654435761u) >> 8, values[i] = i;
  uint *dk, *dv;
  cudaMalloc((void **)&dk, n * sizeof(uint));
  cudaMalloc((void **)&dv, n * sizeof(uint));
  cudaMemcpy(dk, keys.data(), n * sizeof(uint), cudaMemcpyHostToDevice);
  cudaMemcpy(dv, values.data(), n * sizeof(uint), cudaMemcpyHostToDevice);
  bitonicSortShared<<<n / SHARED_SIZE_LIMIT, SHARED_SIZE_LIMIT / 2>>>(dk, dv, SHARED_SIZE_LIMIT, 1);
  cudaMemcpy(k2.data(), dk, n * sizeof(uint), cudaMemcpyDeviceToHost);
  cudaMemcpy(v2.data(), dv, n * sizeof(uint), cudaMemcpyDeviceToHost);
  for (uint i = 0; i < n; i++) {
    if (i % SHARED_SIZE_LIMIT && k2[i - 1] > k2[i]) return 1;
    if (keys[v2[i]] != k2[i]) return 2;
  }
  const int m = 256;
  std::vector<float> f(m);
  for (int i = 0; i < m; i++) f[i] = (float)((i * 7919) % 1009);
  std::vector<float> expected = f;
  std::sort(expected.begin(), expected.end());
  float *df;
  cudaMalloc(&df, m * sizeof(float));
  cudaMemcpy(df, f.data(), m * sizeof(float), cudaMemcpyHostToDevice);
  for (int k = 2; k <= m; k <<= 1)
    for (int j = k >> 1; j > 0; j = j >> 1) bitonic_sort_step<<<m / 64, 64>>>(df, j, k);
  cudaMemcpy(f.data(), df, m * sizeof(float), cudaMemcpyDeviceToHost);
  cudaFree(dk); cudaFree(dv); cudaFree(df);
  return f == expected ? 0 : 3;
}
