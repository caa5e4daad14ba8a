// The devices that a program can be told it runs on, and everything that it can ask about them. Knows nothing of kernels.
#include "host/device.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "host/call.h"
#include "host/memory.h"
#include "host/stream.h"

namespace spak::sim::host {

namespace {

constexpr std::size_t GiB = std::size_t{1} << 30;

// CUDA C++ Programming Guide, "Technical Specifications per Compute Capability"; the vendors' data sheets for the rest.
constexpr Device devices[] = {
    {"h200", "NVIDIA H200", 9, 0, 132, 141 * GiB - GiB / 2, 228, 227, 2048, 32, 51200, 1980000, 3201000, 6144},
    {"h100", "NVIDIA H100 80GB HBM3", 9, 0, 132, 79 * GiB + GiB / 5, 228, 227, 2048, 32, 51200, 1980000, 2619000, 5120},
    {"h100-pcie", "NVIDIA H100 PCIe", 9, 0, 114, 79 * GiB, 228, 227, 2048, 32, 51200, 1755000, 1593000, 5120},
    {"a100", "NVIDIA A100-SXM4-80GB", 8, 0, 108, 79 * GiB + GiB / 5, 164, 163, 2048, 32, 40960, 1410000, 1593000, 5120},
    {"a100-40gb", "NVIDIA A100-SXM4-40GB", 8, 0, 108, 39 * GiB + GiB / 2, 164, 163, 2048, 32, 40960, 1410000, 1215000,
     5120},
    {"a10", "NVIDIA A10", 8, 6, 72, 22 * GiB, 100, 99, 1536, 16, 6144, 1695000, 6251000, 384},
    {"rtx3090", "NVIDIA GeForce RTX 3090", 8, 6, 82, 23 * GiB + GiB / 2, 100, 99, 1536, 16, 6144, 1695000, 9751000,
     384},
    {"l4", "NVIDIA L4", 8, 9, 58, 22 * GiB, 100, 99, 1536, 24, 49152, 2040000, 6251000, 192},
    {"l40s", "NVIDIA L40S", 8, 9, 142, 44 * GiB + GiB / 2, 100, 99, 1536, 24, 98304, 2520000, 9001000, 384},
    {"rtx4090", "NVIDIA GeForce RTX 4090", 8, 9, 128, 23 * GiB + GiB / 2, 100, 99, 1536, 24, 73728, 2520000, 10501000,
     384},
    {"t4", "Tesla T4", 7, 5, 40, 14 * GiB + 3 * GiB / 4, 64, 64, 1024, 16, 4096, 1590000, 5001000, 256},
    {"v100", "Tesla V100-SXM2-32GB", 7, 0, 80, 31 * GiB + 3 * GiB / 4, 96, 96, 2048, 32, 6144, 1530000, 877000, 4096},
};

}  // namespace

const Device& device() {
  static const Device& chosen = []() -> const Device& {
    const char* wanted = std::getenv("SPAK_SIM_DEVICE");
    if (!wanted || !*wanted) return devices[0];
    std::string known;
    for (const Device& each : devices) {
      if (std::strcmp(each.key, wanted) == 0) return each;
      known += std::string(known.empty() ? "" : ", ") + each.key;
    }
    std::fprintf(stderr, "spak sim: SPAK_SIM_DEVICE=%s is not a device that the simulator knows: %s\n", wanted,
                 known.c_str());
    std::exit(2);
  }();
  return chosen;
}

}  // namespace spak::sim::host

using namespace spak::sim::host;

extern "C" cudaError_t cudaGetDeviceCount(int* count) {
  SPAK_API;
  if (!count) return call(cudaErrorInvalidValue);
  *count = 1;
  return cudaSuccess;
}

extern "C" cudaError_t cudaSetDevice(int index) {
  SPAK_API;
  return call(index == 0 ? cudaSuccess : cudaErrorInvalidDevice);
}

extern "C" cudaError_t cudaGetDevice(int* index) {
  SPAK_API;
  if (!index) return call(cudaErrorInvalidValue);
  *index = 0;
  return cudaSuccess;
}

extern "C" cudaError_t cudaChooseDevice(int* index, const cudaDeviceProp*) { return cudaGetDevice(index); }
extern "C" cudaError_t cudaSetDeviceFlags(unsigned) { return cudaSuccess; }
extern "C" cudaError_t cudaGetDeviceFlags(unsigned* flags) {
  if (flags) *flags = cudaDeviceScheduleAuto;
  return cudaSuccess;
}
extern "C" cudaError_t cudaInitDevice(int index, unsigned, unsigned) { return cudaSetDevice(index); }

extern "C" cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int index) {
  SPAK_API;
  if (!p) return call(cudaErrorInvalidValue);
  if (index != 0) return call(cudaErrorInvalidDevice);
  const Device& d = device();
  std::memset(static_cast<void*>(p), 0, sizeof *p);
  std::snprintf(p->name, sizeof p->name, "%s", d.name);
  p->totalGlobalMem = d.total_memory;
  p->sharedMemPerBlock = 48 << 10;
  p->sharedMemPerBlockOptin = static_cast<std::size_t>(d.shared_block_kb) << 10;
  p->sharedMemPerMultiprocessor = static_cast<std::size_t>(d.shared_kb) << 10;
  p->reservedSharedMemPerBlock = d.major >= 8 ? 1024 : 0;
  p->regsPerBlock = p->regsPerMultiprocessor = kRegisters;
  p->warpSize = 32;
  p->memPitch = 2147483647;
  p->maxThreadsPerBlock = kMaxBlockThreads;
  p->maxThreadsDim[0] = p->maxThreadsDim[1] = 1024, p->maxThreadsDim[2] = 64;
  p->maxGridSize[0] = 2147483647, p->maxGridSize[1] = p->maxGridSize[2] = 65535;
  p->totalConstMem = 65536;
  p->major = d.major, p->minor = d.minor;
  p->textureAlignment = 512, p->texturePitchAlignment = 32, p->surfaceAlignment = 512;
  p->multiProcessorCount = d.multiprocessors;
  p->canMapHostMemory = p->concurrentKernels = p->unifiedAddressing = p->streamPrioritiesSupported = 1;
  p->globalL1CacheSupported = p->localL1CacheSupported = p->managedMemory = p->concurrentManagedAccess = 1;
  p->computePreemptionSupported = p->canUseHostPointerForRegisteredMem = p->hostRegisterSupported = 1;
  p->cooperativeLaunch = p->memoryPoolsSupported = 1;
  p->clusterLaunch = d.major >= 9;
  p->asyncEngineCount = 3;
  p->memoryBusWidth = d.bus_bits;
  p->l2CacheSize = d.l2_kb << 10;
  p->persistingL2CacheMaxSize = d.major >= 8 ? p->l2CacheSize / 8 * 5 : 0;
  p->accessPolicyMaxWindowSize = d.major >= 8 ? 128 << 20 : 0;
  p->maxThreadsPerMultiProcessor = d.threads;
  p->maxBlocksPerMultiProcessor = d.blocks;
  p->clockRate = d.clock_khz, p->memoryClockRate = d.memory_khz, p->deviceOverlap = 1;
  p->singleToDoublePrecisionPerfRatio = d.major >= 8 && d.minor == 0 ? 2 : d.minor == 0 ? 2 : 64;
  return cudaSuccess;
}

extern "C" cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int index) {
  SPAK_API;
  if (!value) return call(cudaErrorInvalidValue);
  if (index != 0) return call(cudaErrorInvalidDevice);
  cudaDeviceProp p;
  cudaGetDeviceProperties(&p, 0);
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock:
      *value = p.maxThreadsPerBlock;
      break;
    case cudaDevAttrMaxBlockDimX:
      *value = p.maxThreadsDim[0];
      break;
    case cudaDevAttrMaxBlockDimY:
      *value = p.maxThreadsDim[1];
      break;
    case cudaDevAttrMaxBlockDimZ:
      *value = p.maxThreadsDim[2];
      break;
    case cudaDevAttrMaxGridDimX:
      *value = p.maxGridSize[0];
      break;
    case cudaDevAttrMaxGridDimY:
      *value = p.maxGridSize[1];
      break;
    case cudaDevAttrMaxGridDimZ:
      *value = p.maxGridSize[2];
      break;
    case cudaDevAttrMaxSharedMemoryPerBlock:
      *value = static_cast<int>(p.sharedMemPerBlock);
      break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = static_cast<int>(p.sharedMemPerBlockOptin);
      break;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      *value = static_cast<int>(p.sharedMemPerMultiprocessor);
      break;
    case cudaDevAttrReservedSharedMemoryPerBlock:
      *value = static_cast<int>(p.reservedSharedMemPerBlock);
      break;
    case cudaDevAttrTotalConstantMemory:
      *value = 65536;
      break;
    case cudaDevAttrWarpSize:
      *value = 32;
      break;
    case cudaDevAttrMaxPitch:
      *value = 2147483647;
      break;
    case cudaDevAttrMaxRegistersPerBlock:
    case cudaDevAttrMaxRegistersPerMultiprocessor:
      *value = kRegisters;
      break;
    case cudaDevAttrClockRate:
      *value = p.clockRate;
      break;
    case cudaDevAttrMemoryClockRate:
      *value = p.memoryClockRate;
      break;
    case cudaDevAttrGlobalMemoryBusWidth:
      *value = p.memoryBusWidth;
      break;
    case cudaDevAttrL2CacheSize:
      *value = p.l2CacheSize;
      break;
    case cudaDevAttrMaxPersistingL2CacheSize:
      *value = p.persistingL2CacheMaxSize;
      break;
    case cudaDevAttrMaxAccessPolicyWindowSize:
      *value = p.accessPolicyMaxWindowSize;
      break;
    case cudaDevAttrMultiProcessorCount:
      *value = p.multiProcessorCount;
      break;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
      *value = p.maxThreadsPerMultiProcessor;
      break;
    case cudaDevAttrMaxBlocksPerMultiprocessor:
      *value = p.maxBlocksPerMultiProcessor;
      break;
    case cudaDevAttrComputeCapabilityMajor:
      *value = p.major;
      break;
    case cudaDevAttrComputeCapabilityMinor:
      *value = p.minor;
      break;
    case cudaDevAttrAsyncEngineCount:
      *value = p.asyncEngineCount;
      break;
    case cudaDevAttrTextureAlignment:
      *value = 512;
      break;
    case cudaDevAttrClusterLaunch:
      *value = p.clusterLaunch;
      break;
    case cudaDevAttrCanMapHostMemory:
    case cudaDevAttrConcurrentKernels:
    case cudaDevAttrUnifiedAddressing:
    case cudaDevAttrStreamPrioritiesSupported:
    case cudaDevAttrGlobalL1CacheSupported:
    case cudaDevAttrLocalL1CacheSupported:
    case cudaDevAttrManagedMemory:
    case cudaDevAttrConcurrentManagedAccess:
    case cudaDevAttrComputePreemptionSupported:
    case cudaDevAttrCanUseHostPointerForRegisteredMem:
    case cudaDevAttrHostRegisterSupported:
    case cudaDevAttrCooperativeLaunch:
    case cudaDevAttrMemoryPoolsSupported:
    case cudaDevAttrGpuOverlap:
      *value = 1;
      break;
    case cudaDevAttrIntegrated:
    case cudaDevAttrKernelExecTimeout:
    case cudaDevAttrComputeMode:
    case cudaDevAttrEccEnabled:
    case cudaDevAttrTccDriver:
    case cudaDevAttrIsMultiGpuBoard:
    case cudaDevAttrHostNativeAtomicSupported:
    case cudaDevAttrPageableMemoryAccess:
    case cudaDevAttrPciBusId:
    case cudaDevAttrPciDeviceId:
    case cudaDevAttrPciDomainId:
      *value = 0;
      break;
    default:
      return call.unsupported("attribute " + std::to_string(static_cast<int>(attribute)) +
                              " is not known to the simulator");
  }
  return cudaSuccess;
}

extern "C" cudaError_t cudaDriverGetVersion(int* version) {
  if (version) *version = CUDART_VERSION / 10 * 10;
  return version ? cudaSuccess : cudaErrorInvalidValue;
}
extern "C" cudaError_t cudaRuntimeGetVersion(int* version) { return cudaDriverGetVersion(version); }

extern "C" cudaError_t cudaMemGetInfo(size_t* available, size_t* total) {
  SPAK_API;
  if (available) *available = device().total_memory - bytes_in_use();
  if (total) *total = device().total_memory;
  return cudaSuccess;
}

// --- one device: peers, limits and cache settings change nothing ---------------------------------------------------------
extern "C" cudaError_t cudaDeviceCanAccessPeer(int* can, int, int) {
  SPAK_API;
  if (can) *can = 0;
  return cudaSuccess;
}
extern "C" cudaError_t cudaDeviceEnablePeerAccess(int, unsigned) {
  SPAK_API;
  return call(cudaErrorInvalidDevice);
}
extern "C" cudaError_t cudaDeviceDisablePeerAccess(int) {
  SPAK_API;
  return call(cudaErrorPeerAccessNotEnabled);
}
extern "C" cudaError_t cudaDeviceSetCacheConfig(cudaFuncCache) { return cudaSuccess; }
extern "C" cudaError_t cudaDeviceGetCacheConfig(cudaFuncCache* cache) {
  if (cache) *cache = cudaFuncCachePreferNone;
  return cudaSuccess;
}
extern "C" cudaError_t cudaDeviceSetLimit(cudaLimit, size_t) { return cudaSuccess; }
extern "C" cudaError_t cudaDeviceGetLimit(size_t* value, cudaLimit limit) {
  SPAK_API;
  if (!value) return call(cudaErrorInvalidValue);
  switch (limit) {
    case cudaLimitStackSize:
      *value = 1024;
      break;
    case cudaLimitPrintfFifoSize:
      *value = 1 << 20;
      break;
    case cudaLimitMallocHeapSize:
      *value = 8 << 20;
      break;
    default:
      *value = 0;
  }
  return cudaSuccess;
}
extern "C" cudaChannelFormatDesc cudaCreateChannelDesc(int x, int y, int z, int w, cudaChannelFormatKind kind) {
  return {x, y, z, w, kind};
}
extern "C" cudaError_t cudaDeviceGetSharedMemConfig(cudaSharedMemConfig* config) {
  if (config) *config = cudaSharedMemBankSizeFourByte;
  return cudaSuccess;
}
extern "C" cudaError_t cudaDeviceGetPCIBusId(char* id, int size, int index) {
  SPAK_API;
  if (!id || size < 1) return call(cudaErrorInvalidValue);
  if (index != 0) return call(cudaErrorInvalidDevice);
  std::snprintf(id, static_cast<std::size_t>(size), "0000:00:00.0");
  return cudaSuccess;
}
extern "C" cudaError_t cudaDeviceGetByPCIBusId(int* index, const char*) { return cudaGetDevice(index); }
extern "C" cudaError_t cudaCtxResetPersistingL2Cache() { return cudaSuccess; }
extern "C" cudaError_t cudaStreamSetAttribute(cudaStream_t, cudaLaunchAttributeID, const cudaLaunchAttributeValue*) {
  return cudaSuccess;
}
extern "C" cudaError_t cudaStreamCopyAttributes(cudaStream_t, cudaStream_t) { return cudaSuccess; }
