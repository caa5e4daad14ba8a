// Occupancy by the documented formula: warps, blocks, registers and shared memory of a multiprocessor, each rounded to its
// unit of allocation (CUDA C++ Best Practices Guide, "Occupancy"). Knows nothing of static shared memory, which only a run
// shows, and counts it as none.
#include "host/occupancy.h"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <functional>

#include "host/call.h"
#include "host/device.h"
#include "host/launch.h"

namespace spak::sim::host {

namespace {
int round_up(int n, int to) { return (n + to - 1) / to * to; }
}  // namespace

int registers_of(const Kernel& kernel) {
  const int fit = kernel.max_threads ? kRegisters / static_cast<int>(kernel.max_threads) / 8 * 8 : 255;
  return std::min({32, fit, 255});
}

int blocks_per_multiprocessor(const Kernel& kernel, int threads, std::size_t dynamic_bytes) {
  const Device& d = device();
  if (threads < 1 || threads > kMaxBlockThreads ||
      (kernel.max_threads && threads > static_cast<int>(kernel.max_threads)))
    return 0;
  const int warps = (threads + 31) / 32;
  const int by_warps = d.threads / 32 / warps;
  const int by_registers = kRegisters / (round_up(registers_of(kernel) * 32, 256) * warps);
  const int reserved = d.major >= 8 ? 1024 : 0, unit = d.major >= 8 ? 128 : 256;
  if (dynamic_bytes > static_cast<std::size_t>(d.shared_block_kb) << 10) return 0;
  const int shared = round_up(static_cast<int>(dynamic_bytes) + reserved, unit);
  const int by_shared = shared ? (d.shared_kb << 10) / shared : d.blocks;
  return std::min({by_warps, by_registers, by_shared, d.blocks});
}

cudaError_t best_block_size(int* grid, int* block, const void* function, const std::function<size_t(int)>& smem,
                            int limit) {
  const Call call("cudaOccupancyMaxPotentialBlockSize", __builtin_return_address(0));
  const Kernel* const kernel = kernel_at(function);
  if (!grid || !block) return call(cudaErrorInvalidValue);
  if (!kernel) return call(cudaErrorInvalidDeviceFunction);
  int largest = kernel->max_threads ? static_cast<int>(kernel->max_threads) : kMaxBlockThreads;
  if (limit > 0) largest = std::min(largest, limit);
  int best = 0;
  // From the largest block down, as the toolkit's own search goes; the first of the best is kept.
  for (int size = round_up(largest, 32); size > 0; size -= 32) {
    const int threads = std::min(size, largest), blocks = blocks_per_multiprocessor(*kernel, threads, smem(threads));
    if (blocks * threads <= best) continue;
    best = blocks * threads, *block = threads, *grid = blocks * device().multiprocessors;
    if (best >= device().threads) break;
  }
  return best ? cudaSuccess : call(cudaErrorInvalidConfiguration);
}

}  // namespace spak::sim::host

using namespace spak::sim::host;

extern "C" cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void* function, int threads,
                                                                     size_t smem) {
  SPAK_API;
  const Kernel* const kernel = kernel_at(function);
  if (!blocks) return call(cudaErrorInvalidValue);
  if (!kernel) return call.wrong(cudaErrorInvalidDeviceFunction, "the address is not that of a kernel");
  *blocks = blocks_per_multiprocessor(*kernel, threads, smem);
  return cudaSuccess;
}

extern "C" cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, const void* function,
                                                                              int threads, size_t smem, unsigned) {
  return cudaOccupancyMaxActiveBlocksPerMultiprocessor(blocks, function, threads, smem);
}

extern "C" cudaError_t cudaOccupancyAvailableDynamicSMemPerBlock(size_t* bytes, const void* function, int blocks, int) {
  SPAK_API;
  if (!bytes || blocks < 1) return call(cudaErrorInvalidValue);
  if (!kernel_at(function)) return call(cudaErrorInvalidDeviceFunction);
  const std::size_t share = (static_cast<std::size_t>(device().shared_kb) << 10) / static_cast<std::size_t>(blocks) /
                            128 * 128,
                    reserved = device().major >= 8 ? 1024 : 0;
  *bytes = std::min(share > reserved ? share - reserved : 0, static_cast<std::size_t>(device().shared_block_kb) << 10);
  return cudaSuccess;
}

extern "C" cudaError_t cudaOccupancyMaxPotentialClusterSize(int* size, const void* function,
                                                            const cudaLaunchConfig_t*) {
  SPAK_API;
  const Kernel* const kernel = kernel_at(function);
  if (!size) return call(cudaErrorInvalidValue);
  if (!kernel) return call(cudaErrorInvalidDeviceFunction);
  *size = device().major < 9 ? 1 : kernel->any_cluster_size ? 16 : 8;
  return cudaSuccess;
}

extern "C" cudaError_t cudaOccupancyMaxActiveClusters(int* clusters, const void* function,
                                                      const cudaLaunchConfig_t* config) {
  SPAK_API;
  const Kernel* const kernel = kernel_at(function);
  if (!clusters || !config) return call(cudaErrorInvalidValue);
  if (!kernel) return call(cudaErrorInvalidDeviceFunction);
  int size = 1;
  for (unsigned i = 0; i < config->numAttrs; ++i)
    if (config->attrs[i].id == cudaLaunchAttributeClusterDimension)
      size = static_cast<int>(config->attrs[i].val.clusterDim.x * config->attrs[i].val.clusterDim.y *
                              config->attrs[i].val.clusterDim.z);
  const int threads = static_cast<int>(config->blockDim.x * config->blockDim.y * config->blockDim.z);
  *clusters = blocks_per_multiprocessor(*kernel, threads, config->dynamicSmemBytes) * device().multiprocessors /
              std::max(size, 1);
  return cudaSuccess;
}
