// <spak/cuda/cluster.h>: the blocks of a cluster: ranks, their barrier, and each other's shared memory. Knows nothing of
// mbarriers.
//
// No block may exit while another may still touch its shared memory: end with cluster_sync().
#pragma once
#include <spak/cuda/arch/needs.h>

#if !defined(__CUDACC__)
#include <spak/sim/model/cluster.h>
#endif

namespace spak {

/// Rank of this block in its cluster: 0 to cluster_size() - 1. 0 in a launch without clusters.
SPAK_DEVICE_SM90 unsigned cluster_rank(SPAK_AT_HERE_ONLY) {
  SPAK_NEEDS_SM90("cluster_rank", Arch);
#if defined(__CUDACC__)
  unsigned rank;
  asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  return rank;
#else
  return ::spak::sim::cluster_rank(spak_at);
#endif
}

/// Number of blocks in the cluster.
SPAK_DEVICE_SM90 unsigned cluster_size(SPAK_AT_HERE_ONLY) {
  SPAK_NEEDS_SM90("cluster_size", Arch);
#if defined(__CUDACC__)
  unsigned size;
  asm volatile("mov.u32 %0, %%cluster_nctarank;" : "=r"(size));
  return size;
#else
  return ::spak::sim::cluster_size(spak_at);
#endif
}

/// Comes to the cluster's barrier without waiting. What the calling thread did before, in shared memory of any block or in
/// global memory, is visible to every thread of the cluster after its cluster_wait(), which each thread must call next.
SPAK_DEVICE_SM90 void cluster_arrive(SPAK_AT_HERE_ONLY) {
  SPAK_NEEDS_SM90("cluster_arrive", Arch);
#if defined(__CUDACC__)
  asm volatile("barrier.cluster.arrive.release;" ::: "memory");
#else
  ::spak::sim::cluster_arrive(false, spak_at);
#endif
}

/// As cluster_arrive, but makes nothing visible beyond what an earlier fence (fence_cluster(), fence_mbarrier_init()) has: for
/// execution order alone.
SPAK_DEVICE_SM90 void cluster_arrive_relaxed(SPAK_AT_HERE_ONLY) {
  SPAK_NEEDS_SM90("cluster_arrive_relaxed", Arch);
#if defined(__CUDACC__)
  asm volatile("barrier.cluster.arrive.relaxed;" ::: "memory");
#else
  ::spak::sim::cluster_arrive(true, spak_at);
#endif
}

/// Waits until all threads of the cluster that have not exited have come to its barrier.
SPAK_DEVICE_SM90 void cluster_wait(SPAK_AT_HERE_ONLY) {
  SPAK_NEEDS_SM90("cluster_wait", Arch);
#if defined(__CUDACC__)
  asm volatile("barrier.cluster.wait.acquire;" ::: "memory");
#else
  ::spak::sim::cluster_wait(spak_at);
#endif
}

/// cluster_arrive and cluster_wait: __syncthreads() of the whole cluster. Every thread calls it.
SPAK_DEVICE_SM90 void cluster_sync(SPAK_AT_HERE_ONLY) {
  SPAK_NEEDS_SM90("cluster_sync", Arch);
#if defined(__CUDACC__)
  asm volatile("barrier.cluster.arrive.release;\nbarrier.cluster.wait.acquire;" ::: "memory");
#else
  ::spak::sim::cluster_arrive(false, spak_at);
  ::spak::sim::cluster_wait(spak_at);
#endif
}

/// The same variable in the block with that rank: `shared` points to the own block's. Loads, stores and atomics through the
/// result reach that block's shared memory.
template <typename T>
SPAK_DEVICE T* cluster_map(T* shared, unsigned rank SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("cluster_map", sizeof(T*));
#if defined(__CUDACC__)
  unsigned long long peer;
  asm volatile("mapa.u64 %0, %1, %2;" : "=l"(peer) : "l"(reinterpret_cast<unsigned long long>(shared)), "r"(rank));
  return reinterpret_cast<T*>(peer);
#else
  return static_cast<T*>(::spak::sim::cluster_map(shared, rank, spak_at));
#endif
}

}  // namespace spak
