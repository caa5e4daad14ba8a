// <spak/cuda/barrier.h>: the 16 named barriers of a block. Knows nothing of mbarriers and clusters.
//
// Warps take part as a whole: all lanes of a warp that has not exited call it together, and a warp counts 32 threads. Every
// warp that takes part in one use of a barrier names the same number of threads. Barrier 0 is the one of __syncthreads().
#pragma once
#include <spak/cuda/arch/needs.h>

#if !defined(__CUDACC__)
#include <spak/sim/model/barrier.h>
#endif

namespace spak {

/// Waits until `threads` threads, those that only arrive included, have come to barrier `id` (0 to 15). `threads` is a
/// multiple of 32 and the same for all. What they did in shared and global memory before is visible after it.
SPAK_DEVICE void named_sync(int id, int threads SPAK_AT_HERE) {
#if defined(__CUDACC__)
  asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
#else
  ::spak::sim::named_sync(id, threads, spak_at);
#endif
}

/// Comes to barrier `id` without waiting: what the calling threads did before is visible to those that named_sync on it.
/// `threads` counts both, as in named_sync.
SPAK_DEVICE void named_arrive(int id, int threads SPAK_AT_HERE) {
#if defined(__CUDACC__)
  asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(threads) : "memory");
#else
  ::spak::sim::named_arrive(id, threads, spak_at);
#endif
}

}  // namespace spak
