// A histogram spread over the shared memory of a cluster's blocks, launched with a cluster attribute.
#include <cooperative_groups.h>
#include <cuda_runtime.h>
#include <cstdio>
#include <vector>

namespace cg = cooperative_groups;

__global__ void clusterHist(int* bins, int nbins, int bins_per_block, const int* __restrict__ input, size_t array_size) {
  extern __shared__ int smem[];
  cg::cluster_group cluster = cg::this_cluster();
  unsigned int clusterBlockRank = cluster.block_rank();
  int cluster_size = cluster.num_blocks();
  for (int i = threadIdx.x; i < bins_per_block; i += blockDim.x) smem[i] = 0;
  // Every block's bins are cleared before anybody adds to them.
  cluster.sync();
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < array_size; i += blockDim.x * gridDim.x) {
    int binid = input[i] < 0 ? 0 : input[i] >= nbins ? nbins - 1 : input[i];
    int dst_block_rank = (int)(binid / bins_per_block), dst_offset = binid % bins_per_block;
    int* dst_smem = cluster.map_shared_rank(smem, dst_block_rank);
    atomicAdd(dst_smem + dst_offset, 1);
  }
  // All additions are done, and no block leaves while others still reach into it.
  cluster.sync();
  int* lbins = bins + (clusterBlockRank % cluster_size) * bins_per_block;
  for (int i = threadIdx.x; i < bins_per_block; i += blockDim.x) atomicAdd(&lbins[i], smem[i]);
}

int main() {
  const int nbins = 32, cluster_size = 2, threads = 64, nbins_per_block = nbins / cluster_size;
  const size_t n = 1000;
  std::vector<int> h(n), expected(nbins), got(nbins);
  for (size_t i = 0; i < n; ++i) h[i] = int(i * i % 37) - 2, ++expected[h[i] < 0 ? 0 : h[i] >= nbins ? nbins - 1 : h[i]];
  int *in, *bins;
  cudaMalloc(&in, n * sizeof(int)), cudaMalloc(&bins, nbins * sizeof(int));
  cudaMemcpy(in, h.data(), n * sizeof(int), cudaMemcpyHostToDevice);
  cudaMemset(bins, 0, nbins * sizeof(int));
  cudaLaunchConfig_t config = {0};
  config.gridDim = 4;
  config.blockDim = threads;
  config.dynamicSmemBytes = nbins_per_block * sizeof(int);
  cudaFuncSetAttribute((void*)clusterHist, cudaFuncAttributeMaxDynamicSharedMemorySize, config.dynamicSmemBytes);
  cudaLaunchAttribute attribute[1];
  attribute[0].id = cudaLaunchAttributeClusterDimension;
  attribute[0].val.clusterDim.x = cluster_size;
  attribute[0].val.clusterDim.y = 1;
  attribute[0].val.clusterDim.z = 1;
  config.numAttrs = 1;
  config.attrs = attribute;
  cudaError_t status = cudaLaunchKernelEx(&config, clusterHist, bins, nbins, nbins_per_block, (const int*)in, n);
  if (status == cudaSuccess) status = cudaMemcpy(got.data(), bins, nbins * sizeof(int), cudaMemcpyDeviceToHost);
  cudaFree(in), cudaFree(bins);
  if (status != cudaSuccess) return std::printf("%s\n", cudaGetErrorString(status)), 2;
  return got == expected ? 0 : 1;
}
