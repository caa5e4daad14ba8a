// <spak/cuda/cp_async.h>: copies from global to shared memory that each thread issues and waits for. Knows nothing of bulk
// copies and TMA, which one thread issues for a block.
//
// A thread's copies since its last cp_async_commit() are one group; groups complete in order. A wait makes the calling
// thread's own copies visible to itself: a barrier must follow before other threads read them.
#pragma once
#include <spak/cuda/shared.h>

#if !defined(__CUDACC__)
#include <spak/sim/model/cp_async.h>
#endif

namespace spak {

/// Copies `Bytes` (4, 8 or 16) from global to shared memory, both addresses multiples of `Bytes`. 16 bypass L1.
template <int Bytes>
SPAK_DEVICE void cp_async(void* shared, const void* global SPAK_AT_HERE) {
  static_assert(Bytes == 4 || Bytes == 8 || Bytes == 16, "cp_async: Bytes must be 4, 8 or 16");
#if defined(__CUDACC__)
  if constexpr (Bytes == 16)
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(shared_address(shared)),
                 "l"(__cvta_generic_to_global(global))
                 : "memory");
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2;" ::"r"(shared_address(shared)),
                 "l"(__cvta_generic_to_global(global)), "n"(Bytes)
                 : "memory");
#else
  ::spak::sim::cp_async(shared, global, Bytes, Bytes, spak_at);
#endif
}

/// As cp_async, but only the first `source_bytes` (0 to `Bytes`) are read; the rest of the `Bytes` becomes zero. `global` must
/// be aligned even when nothing is read.
template <int Bytes>
SPAK_DEVICE void cp_async_zfill(void* shared, const void* global, int source_bytes SPAK_AT_HERE) {
  static_assert(Bytes == 4 || Bytes == 8 || Bytes == 16, "cp_async_zfill: Bytes must be 4, 8 or 16");
#if defined(__CUDACC__)
  if constexpr (Bytes == 16)
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(shared)),
                 "l"(__cvta_generic_to_global(global)), "r"(source_bytes)
                 : "memory");
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(shared_address(shared)),
                 "l"(__cvta_generic_to_global(global)), "n"(Bytes), "r"(source_bytes)
                 : "memory");
#else
  ::spak::sim::cp_async(shared, global, Bytes, source_bytes, spak_at);
#endif
}

/// Closes the group of the calling thread's copies since the last one; it may be empty.
SPAK_DEVICE void cp_async_commit(SPAK_AT_HERE_ONLY) {
#if defined(__CUDACC__)
  asm volatile("cp.async.commit_group;" ::: "memory");
#else
  ::spak::sim::cp_async_commit(spak_at);
#endif
}

/// Waits until at most `N` of the calling thread's newest groups are incomplete.
template <int N>
SPAK_DEVICE void cp_async_wait(SPAK_AT_HERE_ONLY) {
  static_assert(N >= 0, "cp_async_wait: N is the number of groups that may stay incomplete, 0 or more");
#if defined(__CUDACC__)
  asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
#else
  ::spak::sim::cp_async_wait(N, spak_at);
#endif
}

/// Waits for all of the calling thread's copies, committed or not.
SPAK_DEVICE void cp_async_wait_all(SPAK_AT_HERE_ONLY) {
#if defined(__CUDACC__)
  asm volatile("cp.async.wait_all;" ::: "memory");
#else
  ::spak::sim::cp_async_wait_all(spak_at);
#endif
}

/// One arrival at `bar` when all copies that the calling thread has issued so far are complete. Adds one to the pending count
/// of the current phase first, so that it does not count among the arrivals of mbarrier_init.
SPAK_DEVICE void cp_async_mbarrier_arrive(uint64_t* bar SPAK_AT_HERE) {
#if defined(__CUDACC__)
  asm volatile("cp.async.mbarrier.arrive.shared.b64 [%0];" ::"r"(shared_address(bar)) : "memory");
#else
  ::spak::sim::cp_async_mbarrier_arrive(bar, spak_at);
#endif
}

/// As cp_async_mbarrier_arrive, but the arrival is one of those that mbarrier_init counted.
SPAK_DEVICE void cp_async_mbarrier_arrive_noinc(uint64_t* bar SPAK_AT_HERE) {
#if defined(__CUDACC__)
  asm volatile("cp.async.mbarrier.arrive.noinc.shared.b64 [%0];" ::"r"(shared_address(bar)) : "memory");
#else
  ::spak::sim::cp_async_mbarrier_arrive_noinc(bar, spak_at);
#endif
}

}  // namespace spak
