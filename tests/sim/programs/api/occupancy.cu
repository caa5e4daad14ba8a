// Occupancy, attributes and properties of the device that the environment names.
#include <cuda_runtime.h>
#include <cstdio>

__global__ void plain(float* p) { p[threadIdx.x] = 0; }
template <int N>
__global__ void __launch_bounds__(N) bounded(float* p) { p[threadIdx.x] = N; }

int main() {
  int blocks = 0, grid = 0, size = 0, sms = 0;
  cudaDeviceProp p;
  cudaGetDeviceProperties(&p, 0);
  cudaDeviceGetAttribute(&sms, cudaDevAttrMultiProcessorCount, 0);
  std::printf("%s: %d.%d, %d, %zu, %zu\n", p.name, p.major, p.minor, sms, p.sharedMemPerMultiprocessor, p.sharedMemPerBlockOptin);
  cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, plain, 256, 0);
  std::printf("%d ", blocks);
  cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, plain, 1024, 0);
  std::printf("%d ", blocks);
  cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, plain, 32, 0);
  std::printf("%d ", blocks);
  cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, plain, 128, 40000);
  std::printf("%d\n", blocks);
  cudaOccupancyMaxPotentialBlockSize(&grid, &size, plain, 0, 0);
  std::printf("%d %d\n", grid, size);
  cudaOccupancyMaxPotentialBlockSize(&grid, &size, bounded<192>);
  std::printf("%d %d\n", grid, size);
  cudaFuncAttributes attributes;
  cudaFuncGetAttributes(&attributes, (const void*)bounded<192>);
  std::printf("%d %d\n", attributes.maxThreadsPerBlock, attributes.maxDynamicSharedSizeBytes);
}
