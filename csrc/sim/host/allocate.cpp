// The functions of the runtime API that give memory and take it back. Knows nothing of how it is found.
#include <cuda_runtime_api.h>

#include <cstdlib>
#include <string>

#include "host/call.h"
#include "host/device.h"
#include "host/graph.h"
#include "host/memory.h"
#include "host/stream.h"
#include "spak/sim/regions.h"

using namespace spak::sim::host;
using spak::sim::Site;

namespace {

cudaError_t give(const Call& call, Kind kind, void** pointer, std::size_t size, Site at) {
  if (!pointer) return call.wrong(cudaErrorInvalidValue, "the place for the pointer is null");
  *pointer = nullptr;
  if (size == 0) return cudaSuccess;
  const Allocation* const a = allocate(kind, size, call.function(), at);
  if (!a) return call(cudaErrorMemoryAllocation);
  *pointer = a->begin;
  return cudaSuccess;
}

std::string described(const void* pointer) {
  const Allocation* const a = find(pointer);
  const Allocation* const gone = a ? nullptr : find_freed(pointer);
  if (a)
    return "the pointer is " + std::to_string(static_cast<const char*>(pointer) - a->begin) + " bytes into " + a->name;
  if (gone) return "the pointer was freed already: " + gone->name;
  return reserved(pointer) ? "the pointer was never given out" : "the pointer is one of host memory";
}

// What may be freed by which function; null, with the error in `status`.
Allocation* to_free(const Call& call, void* pointer, bool host, cudaError_t& status) {
  Allocation* const a = find(pointer);
  if (a && a->begin == pointer && a->pages && (host ? a->kind == Kind::pinned : a->kind != Kind::pinned)) return a;
  const char* const hint = a && a->begin == pointer && a->pages
                               ? (host ? "free it with cudaFree" : "free it with cudaFreeHost")
                               : "free once what an allocation returned, unchanged";
  status = call.wrong(cudaErrorInvalidValue, described(pointer), hint);
  return nullptr;
}

}  // namespace

cudaError_t cudaMalloc(void** pointer, size_t size, Site at) {
  SPAK_API_AT;
  return give(call, Kind::device, pointer, size, at);
}
cudaError_t cudaMallocManaged(void** pointer, size_t size, unsigned flags, Site at) {
  SPAK_API_AT;
  if (size == 0 || (flags != cudaMemAttachGlobal && flags != cudaMemAttachHost)) return call(cudaErrorInvalidValue);
  return give(call, Kind::managed, pointer, size, at);
}
cudaError_t cudaMallocHost(void** pointer, size_t size, unsigned, Site at) {
  SPAK_API_AT;
  return give(call, Kind::pinned, pointer, size, at);
}
cudaError_t cudaHostAlloc(void** pointer, size_t size, unsigned, Site at) {
  SPAK_API_AT;
  return give(call, Kind::pinned, pointer, size, at);
}
cudaError_t cudaMallocPitch(void** pointer, size_t* pitch, size_t width, size_t height, Site at) {
  SPAK_API_AT;
  if (!pitch) return call(cudaErrorInvalidValue);
  *pitch = (width + 511) / 512 * 512;
  return give(call, Kind::device, pointer, *pitch * height, at);
}
// In the order of the stream in CUDA; here at once, which no program that keeps to that order can tell.
cudaError_t cudaMallocAsync(void** pointer, size_t size, cudaStream_t stream, Site at) {
  SPAK_API_AT;
  if (!stream_of(stream))
    return call.wrong(cudaErrorInvalidResourceHandle, "the stream does not exist, or was destroyed");
  return give(call, Kind::device, pointer, size, at);
}
cudaError_t cudaFree(void* pointer, Site at) {
  SPAK_API_AT;
  if (!pointer) return cudaSuccess;
  synchronise_all();
  cudaError_t status = cudaSuccess;
  if (Allocation* const a = to_free(call, pointer, false, status)) release(a, at);
  deliver();
  return status != cudaSuccess ? status : call(context_error());
}
cudaError_t cudaFreeHost(void* pointer, Site at) {
  SPAK_API_AT;
  if (!pointer) return cudaSuccess;
  synchronise_all();
  cudaError_t status = cudaSuccess;
  if (Allocation* const a = to_free(call, pointer, true, status)) release(a, at);
  deliver();
  return status != cudaSuccess ? status : call(context_error());
}
cudaError_t cudaFreeAsync(void* pointer, cudaStream_t stream, Site at) {
  SPAK_API_AT;
  if (!pointer) return cudaSuccess;
  cudaError_t status = cudaSuccess;
  if (!to_free(call, pointer, false, status)) return status;
  const cudaStream_t in = stream_of(stream);
  if (in && in->capture) {  // what a graph allocates is there at each of its launches
    capture_node(*in, {}, cudaGraphNodeTypeMemFree);
    return cudaSuccess;
  }
  return enqueue(call, stream, [pointer, at] {
    if (Allocation* const a = find(pointer)) release(a, at);
  });
}
extern "C" cudaError_t cudaMalloc3D(cudaPitchedPtr* out, cudaExtent extent) {
  SPAK_API;
  if (!out) return call(cudaErrorInvalidValue);
  const std::size_t pitch = (extent.width + 511) / 512 * 512;
  void* pointer = nullptr;
  const cudaError_t status = give(call, Kind::device, &pointer, pitch * extent.height * extent.depth, {nullptr, 0});
  *out = {pointer, pitch, extent.width, extent.height};
  return status;
}

extern "C" cudaError_t cudaHostRegister(void* pointer, size_t size, unsigned) {
  SPAK_API;
  if (!pointer || !size) return call(cudaErrorInvalidValue);
  if (find(pointer)) return call.wrong(cudaErrorHostMemoryAlreadyRegistered, described(pointer));
  adopt(Kind::registered, pointer, size, "the " + std::to_string(size) + " bytes given to cudaHostRegister",
        {nullptr, 0});
  return cudaSuccess;
}
extern "C" cudaError_t cudaHostUnregister(void* pointer) {
  SPAK_API;
  Allocation* const a = find(pointer);
  if (!a || a->kind != Kind::registered || a->begin != pointer)
    return call.wrong(cudaErrorHostMemoryNotRegistered, "the memory is not registered");
  synchronise_all();
  release(a, {nullptr, 0});
  return cudaSuccess;
}
extern "C" cudaError_t cudaHostGetDevicePointer(void** device_pointer, void* host, unsigned) {
  SPAK_API;
  const Allocation* const a = find(host);
  if (!device_pointer || !a || !host_may_touch(a->kind))
    return call.wrong(cudaErrorInvalidValue, "the memory is neither pinned nor registered");
  *device_pointer = host;
  return cudaSuccess;
}
extern "C" cudaError_t cudaHostGetFlags(unsigned* flags, void* host) {
  SPAK_API;
  if (!flags || !find(host)) return call(cudaErrorInvalidValue);
  *flags = cudaHostAllocMapped;
  return cudaSuccess;
}

extern "C" cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* out, const void* pointer) {
  SPAK_API;
  if (!out) return call(cudaErrorInvalidValue);
  *out = {};
  const Allocation* const a = find(pointer);
  if (!a) {
    out->type = cudaMemoryTypeUnregistered, out->device = -2, out->hostPointer = const_cast<void*>(pointer);
    return cudaSuccess;
  }
  void* const same = const_cast<void*>(pointer);
  out->type = a->kind == Kind::managed  ? cudaMemoryTypeManaged
              : host_may_touch(a->kind) ? cudaMemoryTypeHost
                                        : cudaMemoryTypeDevice;
  out->device = 0, out->devicePointer = same, out->hostPointer = host_may_touch(a->kind) ? same : nullptr;
  return cudaSuccess;
}

// Managed memory is where both find it: advice has nothing to change.
extern "C" cudaError_t cudaMemPrefetchAsync(const void* pointer, size_t, cudaMemLocation, unsigned, cudaStream_t) {
  SPAK_API;
  const Allocation* const a = find(pointer);
  if (!a || a->kind != Kind::managed) return call.wrong(cudaErrorInvalidValue, "the memory is not managed");
  return cudaSuccess;
}
extern "C" cudaError_t cudaMemAdvise(const void* pointer, size_t, cudaMemoryAdvise, cudaMemLocation) {
  SPAK_API;
  const Allocation* const a = find(pointer);
  if (!a || a->kind != Kind::managed) return call.wrong(cudaErrorInvalidValue, "the memory is not managed");
  return cudaSuccess;
}
extern "C" cudaError_t cudaDeviceReset() {
  const Call call(__func__, __builtin_return_address(0));
  if (context_error() == cudaSuccess) synchronise_all();
  inspect();
  deliver();
  release_all();
  break_context(cudaSuccess);
  cudaGetLastError();
  return cudaSuccess;
}
