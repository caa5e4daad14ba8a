// <cuda_runtime.h> for programs that run on the simulator: the language, the runtime API, and its templates over kernels
// and symbols. Knows nothing of how any of it is done: that is csrc/sim/host.
#pragma once
// clang-format off: the order matters
#include <spak/sim/builtins.h>
#include <cuda_runtime_api.h>
#include <vector_functions.h>
#include "toolkit_begin.h"
#include <channel_descriptor.h>
#include <driver_functions.h>
#include <library_types.h>
#include "toolkit_end.h"
#include <spak/sim/host/launch.h>
#include <spak/sim/model/dependent.h>
// clang-format on

// The toolkit's compiler includes these before any file, and programs rely on it.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <utility>

// --- memory ------------------------------------------------------------------------------------------------------------
// `void**` goes to the functions themselves.
template <typename T>
  requires(!std::is_void_v<T>)
inline cudaError_t cudaMalloc(T** pointer, size_t size, spak::sim::Site at = spak::sim::here()) {
  return cudaMalloc(reinterpret_cast<void**>(pointer), size, at);
}
template <typename T>
  requires(!std::is_void_v<T>)
inline cudaError_t cudaMallocManaged(T** pointer, size_t size, unsigned flags = cudaMemAttachGlobal,
                                     spak::sim::Site at = spak::sim::here()) {
  return cudaMallocManaged(reinterpret_cast<void**>(pointer), size, flags, at);
}
template <typename T>
  requires(!std::is_void_v<T>)
inline cudaError_t cudaMallocHost(T** pointer, size_t size, unsigned flags = 0,
                                  spak::sim::Site at = spak::sim::here()) {
  return cudaMallocHost(reinterpret_cast<void**>(pointer), size, flags, at);
}
template <typename T>
  requires(!std::is_void_v<T>)
inline cudaError_t cudaHostAlloc(T** pointer, size_t size, unsigned flags, spak::sim::Site at = spak::sim::here()) {
  return cudaHostAlloc(reinterpret_cast<void**>(pointer), size, flags, at);
}
template <typename T>
  requires(!std::is_void_v<T>)
inline cudaError_t cudaMallocPitch(T** pointer, size_t* pitch, size_t width, size_t height,
                                   spak::sim::Site at = spak::sim::here()) {
  return cudaMallocPitch(reinterpret_cast<void**>(pointer), pitch, width, height, at);
}
template <typename T>
  requires(!std::is_void_v<T>)
inline cudaError_t cudaMallocAsync(T** pointer, size_t size, cudaStream_t stream,
                                   spak::sim::Site at = spak::sim::here()) {
  return cudaMallocAsync(reinterpret_cast<void**>(pointer), size, stream, at);
}
template <typename T>
  requires(!std::is_void_v<T>)
inline cudaError_t cudaMallocFromPoolAsync(T** pointer, size_t size, cudaMemPool_t pool, cudaStream_t stream) {
  return cudaMallocFromPoolAsync(reinterpret_cast<void**>(pointer), size, pool, stream);
}
template <typename T>
  requires(!std::is_void_v<T>)
inline cudaError_t cudaHostGetDevicePointer(T** device, void* host, unsigned flags) {
  return cudaHostGetDevicePointer(reinterpret_cast<void**>(device), host, flags);
}

// --- symbols: a variable's address is what identifies it ----------------------------------------------------------------
namespace spak::sim::host {
template <typename T>
inline const void* symbol_of(const T& symbol) {
  return std::addressof(reinterpret_cast<const char&>(const_cast<const std::remove_volatile_t<T>&>(symbol)));
}
}  // namespace spak::sim::host

template <typename T>
inline cudaError_t cudaMemcpyToSymbol(const T& symbol, const void* from, size_t count, size_t offset = 0,
                                      cudaMemcpyKind kind = cudaMemcpyHostToDevice) {
  return ::cudaMemcpyToSymbol(spak::sim::host::symbol_of(symbol), from, count, offset, kind);
}
template <typename T>
inline cudaError_t cudaMemcpyToSymbolAsync(const T& symbol, const void* from, size_t count, size_t offset = 0,
                                           cudaMemcpyKind kind = cudaMemcpyHostToDevice,
                                           cudaStream_t stream = nullptr) {
  return ::cudaMemcpyToSymbolAsync(spak::sim::host::symbol_of(symbol), from, count, offset, kind, stream);
}
template <typename T>
inline cudaError_t cudaMemcpyFromSymbol(void* to, const T& symbol, size_t count, size_t offset = 0,
                                        cudaMemcpyKind kind = cudaMemcpyDeviceToHost) {
  return ::cudaMemcpyFromSymbol(to, spak::sim::host::symbol_of(symbol), count, offset, kind);
}
template <typename T>
inline cudaError_t cudaMemcpyFromSymbolAsync(void* to, const T& symbol, size_t count, size_t offset = 0,
                                             cudaMemcpyKind kind = cudaMemcpyDeviceToHost,
                                             cudaStream_t stream = nullptr) {
  return ::cudaMemcpyFromSymbolAsync(to, spak::sim::host::symbol_of(symbol), count, offset, kind, stream);
}
template <typename T>
inline cudaError_t cudaGetSymbolAddress(void** pointer, const T& symbol) {
  return ::cudaGetSymbolAddress(pointer, spak::sim::host::symbol_of(symbol));
}
template <typename T, typename U>
  requires(!std::is_void_v<U>)
inline cudaError_t cudaGetSymbolAddress(U** pointer, const T& symbol) {
  return ::cudaGetSymbolAddress(reinterpret_cast<void**>(pointer), spak::sim::host::symbol_of(symbol));
}
template <typename T>
inline cudaError_t cudaGetSymbolSize(size_t* size, const T& symbol) {
  return ::cudaGetSymbolSize(size, spak::sim::host::symbol_of(symbol));
}

// --- kernels -----------------------------------------------------------------------------------------------------------
template <typename... P>
inline cudaError_t cudaLaunchKernel(void (*function)(P...), dim3 grid, dim3 block, void** arguments, size_t smem = 0,
                                    cudaStream_t stream = nullptr) {
  return ::cudaLaunchKernel(static_cast<const void*>(spak::sim::host::address_of(function)), grid, block, arguments,
                            smem, stream);
}
template <typename... P>
inline cudaError_t cudaLaunchCooperativeKernel(void (*function)(P...), dim3 grid, dim3 block, void** arguments,
                                               size_t smem = 0, cudaStream_t stream = nullptr) {
  return ::cudaLaunchCooperativeKernel(static_cast<const void*>(spak::sim::host::address_of(function)), grid, block,
                                       arguments, smem, stream);
}
// Types are written out: arguments are converted to the kernel's parameters.
template <typename... P, typename... A>
inline cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*function)(P...), A&&... arguments) {
  return [&](P... values) {
    void* pointers[sizeof...(P) + 1] = {const_cast<void*>(static_cast<const void*>(std::addressof(values)))...,
                                        nullptr};
    return ::cudaLaunchKernelExC(config, spak::sim::host::address_of(function), pointers);
  }(std::forward<A>(arguments)...);
}
template <typename... P>
inline cudaError_t cudaFuncSetAttribute(void (*function)(P...), cudaFuncAttribute attribute, int value) {
  return ::cudaFuncSetAttribute(static_cast<const void*>(spak::sim::host::address_of(function)), attribute, value);
}
template <typename... P>
inline cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, void (*function)(P...)) {
  return ::cudaFuncGetAttributes(attributes, static_cast<const void*>(spak::sim::host::address_of(function)));
}
template <typename... P>
inline cudaError_t cudaFuncSetCacheConfig(void (*function)(P...), cudaFuncCache cache) {
  return ::cudaFuncSetCacheConfig(static_cast<const void*>(spak::sim::host::address_of(function)), cache);
}
template <typename... P>
inline cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, void (*function)(P...), int block_size,
                                                                 size_t smem) {
  return ::cudaOccupancyMaxActiveBlocksPerMultiprocessor(
      blocks, static_cast<const void*>(spak::sim::host::address_of(function)), block_size, smem);
}
template <typename... P>
inline cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, void (*function)(P...),
                                                                          int block_size, size_t smem, unsigned flags) {
  return ::cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
      blocks, static_cast<const void*>(spak::sim::host::address_of(function)), block_size, smem, flags);
}
template <typename... P>
inline cudaError_t cudaOccupancyMaxActiveClusters(int* clusters, void (*function)(P...),
                                                  const cudaLaunchConfig_t* config) {
  return ::cudaOccupancyMaxActiveClusters(clusters, static_cast<const void*>(spak::sim::host::address_of(function)),
                                          config);
}
template <typename... P>
inline cudaError_t cudaOccupancyMaxPotentialClusterSize(int* size, void (*function)(P...),
                                                        const cudaLaunchConfig_t* config) {
  return ::cudaOccupancyMaxPotentialClusterSize(size, static_cast<const void*>(spak::sim::host::address_of(function)),
                                                config);
}

namespace spak::sim::host {
cudaError_t best_block_size(int* grid, int* block, const void* function, const std::function<size_t(int)>& smem,
                            int limit);
}
template <typename F, typename... P>
inline cudaError_t cudaOccupancyMaxPotentialBlockSizeVariableSMem(int* grid, int* block, void (*function)(P...),
                                                                  F smem_of_block, int limit = 0) {
  return spak::sim::host::best_block_size(
      grid, block, spak::sim::host::address_of(function),
      [&](int size) { return static_cast<size_t>(smem_of_block(size)); }, limit);
}
template <typename... P>
inline cudaError_t cudaOccupancyMaxPotentialBlockSize(int* grid, int* block, void (*function)(P...), size_t smem = 0,
                                                      int limit = 0) {
  return spak::sim::host::best_block_size(
      grid, block, spak::sim::host::address_of(function), [smem](int) { return smem; }, limit);
}
inline cudaError_t cudaOccupancyMaxPotentialBlockSize(int* grid, int* block, const void* function, size_t smem = 0,
                                                      int limit = 0) {
  return spak::sim::host::best_block_size(grid, block, function, [smem](int) { return smem; }, limit);
}

// --- by device code ----------------------------------------------------------------------------------------------------
inline void cudaGridDependencySynchronize(spak::sim::Site at = spak::sim::here()) { spak::sim::dependent_wait(at); }
inline void cudaTriggerProgrammaticLaunchCompletion(spak::sim::Site at = spak::sim::here()) {
  spak::sim::dependent_launch(at);
}

// --- the rest ----------------------------------------------------------------------------------------------------------
inline cudaError_t cudaEventCreate(cudaEvent_t* event, unsigned flags) {
  return ::cudaEventCreateWithFlags(event, flags);
}
inline cudaError_t cudaGraphExecUpdate(cudaGraphExec_t exec, cudaGraph_t graph, cudaGraphNode_t* node,
                                       cudaGraphExecUpdateResult* result) {
  cudaGraphExecUpdateResultInfo info{};
  const cudaError_t status = cudaGraphExecUpdate(exec, graph, &info);
  if (node) *node = info.errorNode;
  if (result) *result = info.result;
  return status;
}
