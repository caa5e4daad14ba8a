// Single-pass prefix sum with decoupled look-back: blocks wait for each other through flags in global memory.
#include <cuda_runtime.h>
#include <cstdint>
#include <cstdio>
#include <vector>

enum : unsigned { kInvalid = 0, kAggregate = 1, kPrefix = 2 };

constexpr int kThreads = 64, kItems = 4, kTile = kThreads * kItems;

__device__ unsigned int ticket;

// Flag and value in one 64-bit word, so that both become visible together.
__device__ unsigned long long pack(unsigned flag, int value) { return (static_cast<unsigned long long>(flag) << 32) | static_cast<unsigned>(value); }

__global__ void scan(const int* in, int* out, unsigned long long* status, int n) {
  __shared__ unsigned tile_shared;
  __shared__ int sums[kThreads];
  __shared__ int prefix_shared;
  if (threadIdx.x == 0) tile_shared = atomicAdd(&ticket, 1u);
  __syncthreads();
  const unsigned tile = tile_shared;
  const int base = tile * kTile + threadIdx.x * kItems;
  int items[kItems], total = 0;
  for (int k = 0; k < kItems; ++k) {
    items[k] = base + k < n ? in[base + k] : 0;
    total += items[k];
  }
  sums[threadIdx.x] = total;
  __syncthreads();
  for (int d = 1; d < kThreads; d *= 2) {
    int before = threadIdx.x >= d ? sums[threadIdx.x - d] : 0;
    __syncthreads();
    sums[threadIdx.x] += before;
    __syncthreads();
  }
  if (threadIdx.x == 0) {
    const int aggregate = sums[kThreads - 1];
    int prefix = 0;
    if (tile == 0) {
      atomicExch(&status[0], pack(kPrefix, aggregate));
    } else {
      atomicExch(&status[tile], pack(kAggregate, aggregate));
      for (int look = tile - 1; look >= 0;) {
        const unsigned long long word = atomicAdd(&status[look], 0ull);
        const unsigned flag = word >> 32;
        if (flag == kInvalid) continue;
        prefix += static_cast<int>(word);
        if (flag == kPrefix) break;
        --look;
      }
      atomicExch(&status[tile], pack(kPrefix, prefix + aggregate));
    }
    prefix_shared = prefix;
  }
  __syncthreads();
  int running = prefix_shared + (threadIdx.x ? sums[threadIdx.x - 1] : 0);
  for (int k = 0; k < kItems; ++k) {
    running += items[k];
    if (base + k < n) out[base + k] = running;
  }
}

int main() {
  const int n = 2000, tiles = (n + kTile - 1) / kTile;
  std::vector<int> h(n), r(n);
  for (int i = 0; i < n; ++i) h[i] = i % 13 - 5;
  int *in, *out;
  unsigned long long* status;
  cudaMalloc(&in, n * sizeof(int));
  cudaMalloc(&out, n * sizeof(int));
  cudaMalloc(&status, tiles * sizeof(unsigned long long));
  cudaMemcpy(in, h.data(), n * sizeof(int), cudaMemcpyHostToDevice);
  for (int round = 0; round < 2; ++round) {
    const unsigned zero = 0;
    cudaMemcpyToSymbol(ticket, &zero, sizeof zero);
    cudaMemset(status, 0, tiles * sizeof(unsigned long long));
    scan<<<tiles, kThreads>>>(in, out, status, n);
    if (cudaMemcpy(r.data(), out, n * sizeof(int), cudaMemcpyDeviceToHost) != cudaSuccess) return 2;
    for (int i = 0, sum = 0; i < n; ++i) {
      sum += h[i];
      if (r[i] != sum) return std::printf("out[%d] = %d, expected %d\n", i, r[i], sum), 1;
    }
  }
  cudaFree(in), cudaFree(out), cudaFree(status);
  return 0;
}
