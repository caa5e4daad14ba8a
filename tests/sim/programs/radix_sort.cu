// LSD radix sort, four bits a pass: block histograms, a scan of the counts, a stable scatter with ballots.
#include <cuda_runtime.h>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <random>
#include <vector>

namespace {

constexpr int kBits = 4, kRadix = 1 << kBits, kThreads = 128, kWarps = kThreads / 32;

inline void ok(cudaError_t e, const char* what) {
  if (e != cudaSuccess) { std::fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(e)); std::exit(2); }
}

__global__ void count(const uint32_t* keys, int n, int shift, int* counts) {
  __shared__ int bins[kRadix];
  if (threadIdx.x < kRadix) bins[threadIdx.x] = 0;
  __syncthreads();
  const int i = blockIdx.x * kThreads + threadIdx.x;
  if (i < n) atomicAdd(&bins[keys[i] >> shift & (kRadix - 1)], 1);
  __syncthreads();
  if (threadIdx.x < kRadix) counts[threadIdx.x * gridDim.x + blockIdx.x] = bins[threadIdx.x];
}

__global__ void scan_counts(int* counts, int n) {
  int sum = 0;
  for (int i = 0; i < n; ++i) {
    const int c = counts[i];
    counts[i] = sum;
    sum += c;
  }
}

__global__ void scatter(const uint32_t* keys, uint32_t* out, int n, int shift, const int* offsets) {
  __shared__ int before[kRadix][kWarps];
  const int i = blockIdx.x * kThreads + threadIdx.x, lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const uint32_t key = i < n ? keys[i] : 0;
  const int digit = key >> shift & (kRadix - 1);
  unsigned same = __ballot_sync(~0u, i < n);
  for (int b = 0; b < kBits; ++b) {
    const unsigned votes = __ballot_sync(~0u, digit >> b & 1);
    same &= (digit >> b & 1) ? votes : ~votes;
  }
  for (int d = lane; d < kRadix; d += 32) before[d][warp] = 0;
  __syncwarp();
  const int rank = __popc(same & ((1u << lane) - 1));
  if (i < n && rank == 0) before[digit][warp] = __popc(same);
  __syncthreads();
  if (i >= n) return;
  int position = offsets[digit * gridDim.x + blockIdx.x] + rank;
  for (int w = 0; w < warp; ++w) position += before[digit][w];
  out[position] = key;
}

}  // namespace

int main() {
  const int n = 1000, blocks = (n + kThreads - 1) / kThreads;
  std::mt19937 random(3);
  std::vector<uint32_t> keys(n);
  for (auto& k : keys) k = random() & 0xFFFF;
  uint32_t *a, *b;
  int* counts;
  ok(cudaMalloc(&a, n * sizeof *a), "malloc");
  ok(cudaMalloc(&b, n * sizeof *b), "malloc");
  ok(cudaMalloc(&counts, kRadix * blocks * sizeof *counts), "malloc");
  ok(cudaMemcpy(a, keys.data(), n * sizeof *a, cudaMemcpyHostToDevice), "upload");
  for (int shift = 0; shift < 16; shift += kBits) {
    count<<<blocks, kThreads>>>(a, n, shift, counts);
    scan_counts<<<1, 1>>>(counts, kRadix * blocks);
    scatter<<<blocks, kThreads>>>(a, b, n, shift, counts);
    std::swap(a, b);
  }
  std::vector<uint32_t> sorted(n);
  ok(cudaMemcpy(sorted.data(), a, n * sizeof *a, cudaMemcpyDeviceToHost), "download");
  std::sort(keys.begin(), keys.end());
  ok(cudaFree(a), "free"), ok(cudaFree(b), "free"), ok(cudaFree(counts), "free");
  return sorted == keys ? 0 : 1;
}
