// <spak/cuda/fence.h>: fences between ordinary accesses and those of asynchronous units, and between the blocks of a
// cluster. Knows nothing of barriers: a fence orders what the calling thread knows of, it waits for nobody.
#pragma once
#include <spak/cuda/arch/needs.h>

#if !defined(__CUDACC__)
#include <spak/sim/model/fence.h>
#endif

namespace spak {

/// Makes ordinary accesses that come before it visible to the async proxy: bulk copies, TMA and wgmma. Call it after
/// writing shared or global memory that one of them will read or overwrite: each writing thread fences, then a barrier,
/// then one thread issues. Global and shared memory, the peers' included.
SPAK_DEVICE_SM90 void fence_proxy_async(SPAK_AT_HERE_ONLY) {
  SPAK_NEEDS_SM90("fence_proxy_async", Arch);
#if defined(__CUDACC__)
  asm volatile("fence.proxy.async;" ::: "memory");
#else
  ::spak::sim::fence_proxy_async(::spak::sim::ProxySpace::all, spak_at);
#endif
}

/// fence_proxy_async for shared memory of the own block alone.
SPAK_DEVICE_SM90 void fence_proxy_async_shared(SPAK_AT_HERE_ONLY) {
  SPAK_NEEDS_SM90("fence_proxy_async_shared", Arch);
#if defined(__CUDACC__)
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#else
  ::spak::sim::fence_proxy_async(::spak::sim::ProxySpace::shared, spak_at);
#endif
}

/// fence_proxy_async for global memory alone.
SPAK_DEVICE_SM90 void fence_proxy_async_global(SPAK_AT_HERE_ONLY) {
  SPAK_NEEDS_SM90("fence_proxy_async_global", Arch);
#if defined(__CUDACC__)
  asm volatile("fence.proxy.async.global;" ::: "memory");
#else
  ::spak::sim::fence_proxy_async(::spak::sim::ProxySpace::global, spak_at);
#endif
}

/// Makes mbarrier_init of the calling thread visible to the cluster and to the async proxy. The thread that initialises
/// calls it once after the last mbarrier_init; then the block (__syncthreads) or the cluster (cluster_sync) meets.
SPAK_DEVICE_SM90 void fence_mbarrier_init(SPAK_AT_HERE_ONLY) {
  SPAK_NEEDS_SM90("fence_mbarrier_init", Arch);
#if defined(__CUDACC__)
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
#else
  ::spak::sim::fence_mbarrier_init(spak_at);
#endif
}

/// Acquire and release fence for the threads of the cluster: what __threadfence() is for the device.
SPAK_DEVICE_SM90 void fence_cluster(SPAK_AT_HERE_ONLY) {
  SPAK_NEEDS_SM90("fence_cluster", Arch);
#if defined(__CUDACC__)
  asm volatile("fence.acq_rel.cluster;" ::: "memory");
#else
  ::spak::sim::fence_cluster(spak_at);
#endif
}

}  // namespace spak
