// <cuda_runtime_api.h>: the toolkit's declarations, which csrc/sim/host defines, and the forms that older toolkits had.
// Knows nothing of templates over kernels and symbols; see cuda_runtime.h.
#pragma once
#include <driver_types.h>
#include <spak/sim/engine.h>

#include "toolkit_begin.h"
// What allocates and frees is declared below: a finding about a buffer names the line that allocated it.
#define cudaMalloc spak_cuda_malloc
#define cudaMallocManaged spak_cuda_malloc_managed
#define cudaMallocHost spak_cuda_malloc_host
#define cudaHostAlloc spak_cuda_host_alloc
#define cudaMallocPitch spak_cuda_malloc_pitch
#define cudaMallocAsync spak_cuda_malloc_async
#define cudaFree spak_cuda_free
#define cudaFreeHost spak_cuda_free_host
#define cudaFreeAsync spak_cuda_free_async
#include_next <cuda_runtime_api.h>
#undef cudaMalloc
#undef cudaMallocManaged
#undef cudaMallocHost
#undef cudaHostAlloc
#undef cudaMallocPitch
#undef cudaMallocAsync
#undef cudaFree
#undef cudaFreeHost
#undef cudaFreeAsync
#include "toolkit_end.h"

#pragma GCC visibility push(hidden)
cudaError_t cudaMalloc(void** pointer, size_t size, spak::sim::Site at = spak::sim::here());
cudaError_t cudaMallocManaged(void** pointer, size_t size, unsigned flags = cudaMemAttachGlobal,
                              spak::sim::Site at = spak::sim::here());
cudaError_t cudaMallocHost(void** pointer, size_t size, unsigned flags = 0, spak::sim::Site at = spak::sim::here());
cudaError_t cudaHostAlloc(void** pointer, size_t size, unsigned flags, spak::sim::Site at = spak::sim::here());
cudaError_t cudaMallocPitch(void** pointer, size_t* pitch, size_t width, size_t height,
                            spak::sim::Site at = spak::sim::here());
cudaError_t cudaMallocAsync(void** pointer, size_t size, cudaStream_t stream, spak::sim::Site at = spak::sim::here());
cudaError_t cudaFree(void* pointer, spak::sim::Site at = spak::sim::here());
cudaError_t cudaFreeHost(void* pointer, spak::sim::Site at = spak::sim::here());
cudaError_t cudaFreeAsync(void* pointer, cudaStream_t stream, spak::sim::Site at = spak::sim::here());
#pragma GCC visibility pop

// Forms of toolkits 11 and 12.
inline cudaError_t cudaMemPrefetchAsync(const void* pointer, size_t count, int device, cudaStream_t stream = nullptr) {
  return cudaMemPrefetchAsync(
      pointer, count,
      cudaMemLocation{device < 0 ? cudaMemLocationTypeHost : cudaMemLocationTypeDevice, {device < 0 ? 0 : device}}, 0u,
      stream);
}
inline cudaError_t cudaMemAdvise(const void* pointer, size_t count, cudaMemoryAdvise advice, int device) {
  return cudaMemAdvise(
      pointer, count, advice,
      cudaMemLocation{device < 0 ? cudaMemLocationTypeHost : cudaMemLocationTypeDevice, {device < 0 ? 0 : device}});
}
inline cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, cudaGraphNode_t*, char*, size_t) {
  return cudaGraphInstantiate(exec, graph, 0ull);
}
inline cudaError_t cudaGraphAddDependencies(cudaGraph_t graph, const cudaGraphNode_t* from, const cudaGraphNode_t* to,
                                            size_t count) {
  return cudaGraphAddDependencies(graph, from, to, nullptr, count);
}
inline cudaError_t cudaThreadSynchronize() { return cudaDeviceSynchronize(); }
inline cudaError_t cudaThreadExit() { return cudaDeviceReset(); }
