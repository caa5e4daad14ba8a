// Filters an array with warp-aggregated atomics on coalesced groups; partitions by label.
#include <cooperative_groups.h>
#include <cuda_runtime.h>
#include <algorithm>
#include <cstdio>
#include <vector>

namespace cg = cooperative_groups;

__device__ int atomicAggInc(int* counter) {
  cg::coalesced_group active = cg::coalesced_threads();
  int previous = 0;
  if (active.thread_rank() == 0) previous = atomicAdd(counter, active.size());
  return active.shfl(previous, 0) + active.thread_rank();
}

__global__ void filter(const int* in, int n, int* out, int* count) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n && in[i] % 3 == 0) out[atomicAggInc(count)] = in[i];
}

__global__ void count_labels(const int* in, int n, int* counts, int labels) {
  const cg::thread_block block = cg::this_thread_block();
  const auto warp = cg::tiled_partition<32>(block);
  for (int i = block.thread_rank(); i < (n + 31) / 32 * 32; i += block.size()) {
    const int label = i < n ? in[i] % labels : labels;
    const auto same = cg::labeled_partition(warp, label);
    if (label < labels && same.thread_rank() == 0) atomicAdd(&counts[label], (int)same.size());
    const auto half = cg::binary_partition(warp, label % 2);
    if (half.size() > 32) counts[0] = -1;
  }
}

int main() {
  const int n = 500, labels = 5;
  std::vector<int> h(n);
  for (int i = 0; i < n; ++i) h[i] = (i * 29) % 211;
  int *in, *out, *counts;
  cudaMalloc(&in, n * sizeof(int)), cudaMalloc(&out, n * sizeof(int)), cudaMalloc(&counts, (labels + 1) * sizeof(int));
  cudaMemcpy(in, h.data(), n * sizeof(int), cudaMemcpyHostToDevice);
  cudaMemset(counts, 0, (labels + 1) * sizeof(int));
  filter<<<4, 128>>>(in, n, out, counts + labels);
  count_labels<<<1, 64>>>(in, n, counts, labels);
  int c[labels + 1];
  if (cudaMemcpy(c, counts, sizeof c, cudaMemcpyDeviceToHost) != cudaSuccess) return 2;
  std::vector<int> got(c[labels]), expected;
  cudaMemcpy(got.data(), out, got.size() * sizeof(int), cudaMemcpyDeviceToHost);
  for (int x : h)
    if (x % 3 == 0) expected.push_back(x);
  std::sort(got.begin(), got.end()), std::sort(expected.begin(), expected.end());
  bool ok = got == expected;
  for (int l = 0; l < labels; ++l) ok = ok && c[l] == std::count_if(h.begin(), h.end(), [l](int x) { return x % 5 == l; });
  cudaFree(in), cudaFree(out), cudaFree(counts);
  return ok ? 0 : 1;
}
