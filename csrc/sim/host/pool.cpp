// Memory pools: what they are asked to keep is remembered, and changes nothing, as all pools give out the device's one
// memory. Knows nothing of how memory is given.
#include <cuda_runtime_api.h>

#include <cstdint>
#include <map>
#include <set>

#include "host/call.h"
#include "host/memory.h"

struct CUmemPoolHandle_st {
  std::map<cudaMemPoolAttr, std::uint64_t> said;
};

namespace {

using namespace spak::sim::host;

std::set<cudaMemPool_t>& pools() {
  static auto* const all = new std::set<cudaMemPool_t>{new CUmemPoolHandle_st};
  return *all;
}
cudaMemPool_t standard() {
  static const cudaMemPool_t first = *pools().begin();
  return first;
}
cudaMemPool_t chosen = nullptr;  // by cudaDeviceSetMemPool

bool is_flag(cudaMemPoolAttr attribute) {
  return attribute == cudaMemPoolReuseFollowEventDependencies || attribute == cudaMemPoolReuseAllowOpportunistic ||
         attribute == cudaMemPoolReuseAllowInternalDependencies;
}

}  // namespace

extern "C" cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int device) {
  SPAK_API;
  if (!pool) return call(cudaErrorInvalidValue);
  if (device != 0) return call(cudaErrorInvalidDevice);
  *pool = standard();
  return cudaSuccess;
}
extern "C" cudaError_t cudaDeviceGetMemPool(cudaMemPool_t* pool, int device) {
  SPAK_API;
  if (!pool) return call(cudaErrorInvalidValue);
  if (device != 0) return call(cudaErrorInvalidDevice);
  *pool = chosen ? chosen : standard();
  return cudaSuccess;
}
extern "C" cudaError_t cudaDeviceSetMemPool(int device, cudaMemPool_t pool) {
  SPAK_API;
  if (device != 0) return call(cudaErrorInvalidDevice);
  if (!pools().count(pool)) return call.wrong(cudaErrorInvalidValue, "the pool does not exist, or was destroyed");
  chosen = pool;
  return cudaSuccess;
}
extern "C" cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps* properties) {
  SPAK_API;
  if (!pool || !properties) return call(cudaErrorInvalidValue);
  (void)standard();  // the first of all
  *pool = *pools().insert(new CUmemPoolHandle_st).first;
  return cudaSuccess;
}
extern "C" cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool) {
  SPAK_API;
  if (pool == standard()) return call.wrong(cudaErrorInvalidValue, "the device's own pool cannot be destroyed");
  if (!pools().erase(pool)) return call.wrong(cudaErrorInvalidValue, "the pool does not exist, or was destroyed");
  if (chosen == pool) chosen = nullptr;
  delete pool;
  return cudaSuccess;
}
extern "C" cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value) {
  SPAK_API;
  if (!pools().count(pool) || !value) return call(cudaErrorInvalidValue);
  pool->said[attribute] = is_flag(attribute) ? static_cast<std::uint64_t>(*static_cast<const int*>(value))
                                             : *static_cast<const std::uint64_t*>(value);
  return cudaSuccess;
}
// What is in use is that of the device as a whole: nothing is kept back.
extern "C" cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value) {
  SPAK_API;
  if (!pools().count(pool) || !value) return call(cudaErrorInvalidValue);
  if (is_flag(attribute)) {
    const auto said = pool->said.find(attribute);
    *static_cast<int*>(value) = said == pool->said.end() ? 1 : static_cast<int>(said->second);
  } else if (attribute == cudaMemPoolAttrReleaseThreshold) {
    *static_cast<std::uint64_t*>(value) = pool->said[attribute];
  } else {
    *static_cast<std::uint64_t*>(value) = bytes_in_use();
  }
  return cudaSuccess;
}
extern "C" cudaError_t cudaMemPoolTrimTo(cudaMemPool_t pool, size_t) {
  SPAK_API;
  return call(pools().count(pool) ? cudaSuccess : cudaErrorInvalidValue);
}
extern "C" cudaError_t cudaMemPoolSetAccess(cudaMemPool_t pool, const cudaMemAccessDesc* wanted, size_t count) {
  SPAK_API;
  if (!pools().count(pool) || (count && !wanted)) return call(cudaErrorInvalidValue);
  for (size_t i = 0; i < count; ++i)
    if (wanted[i].location.type == cudaMemLocationTypeDevice && wanted[i].location.id != 0)
      return call(cudaErrorInvalidDevice);
  return cudaSuccess;
}
extern "C" cudaError_t cudaMemPoolGetAccess(cudaMemAccessFlags* flags, cudaMemPool_t pool, cudaMemLocation* location) {
  SPAK_API;
  if (!flags || !location || !pools().count(pool)) return call(cudaErrorInvalidValue);
  *flags = location->type == cudaMemLocationTypeDevice && location->id == 0 ? cudaMemAccessFlagsProtReadWrite
                                                                            : cudaMemAccessFlagsProtNone;
  return cudaSuccess;
}
extern "C" cudaError_t cudaMallocFromPoolAsync(void** pointer, size_t size, cudaMemPool_t pool, cudaStream_t stream) {
  SPAK_API;
  if (!pools().count(pool)) return call.wrong(cudaErrorInvalidValue, "the pool does not exist, or was destroyed");
  return cudaMallocAsync(pointer, size, stream, {nullptr, 0});
}
