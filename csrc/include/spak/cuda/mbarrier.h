// <spak/cuda/mbarrier.h>: barriers in shared memory that count arrivals of threads and bytes of asynchronous copies.
// Knows nothing of the copies.
//
// A barrier is a `uint64_t` in shared memory. It is always in one phase, the first of which has parity 0. A phase completes
// when as many arrivals as mbarrier_init said have come and no expected byte is outstanding; the next one begins at once. A
// wait names the parity of the phase it waits for: 0, 1, 0, ... A producer that waits for a slot which starts
// out free waits for parity 1 first: that is the phase before the first, and complete. Nobody may fall two phases behind.
//
// One thread initialises, then calls fence_mbarrier_init() and the block (or cluster) meets. Arrivals release and waits
// acquire: what was done before an arrival is visible after a wait for its phase.
#pragma once
#include <spak/cuda/shared.h>

#if !defined(__CUDACC__)
#include <spak/sim/model/mbarrier.h>
#endif

namespace spak {

/// Makes `bar` a barrier whose phases take `count` arrivals (1 to 2^20 - 1). One thread; nobody may be using it.
SPAK_DEVICE void mbarrier_init(uint64_t* bar, uint32_t count SPAK_AT_HERE) {
#if defined(__CUDACC__)
  asm volatile("mbarrier.init.shared.b64 [%0], %1;" ::"r"(shared_address(bar)), "r"(count) : "memory");
#else
  ::spak::sim::mbarrier_init(bar, count, spak_at);
#endif
}

/// Ends the use of `bar` as a barrier, so that its memory may serve for something else. One thread; nobody may be using it.
SPAK_DEVICE void mbarrier_invalidate(uint64_t* bar SPAK_AT_HERE) {
#if defined(__CUDACC__)
  asm volatile("mbarrier.inval.shared.b64 [%0];" ::"r"(shared_address(bar)) : "memory");
#else
  ::spak::sim::mbarrier_invalidate(bar, spak_at);
#endif
}

/// `count` arrivals at the current phase of the own block's `bar`.
SPAK_DEVICE void mbarrier_arrive(uint64_t* bar, uint32_t count = 1 SPAK_AT_HERE) {
#if defined(__CUDACC__) && defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
  for (; count > 0; --count)
    asm volatile("{ .reg .b64 state; mbarrier.arrive.shared.b64 state, [%0]; }" ::"r"(shared_address(bar)) : "memory");
#elif defined(__CUDACC__)
  asm volatile(
      "{ .reg .b64 state; mbarrier.arrive.release.cta.shared::cta.b64 state, [%0], %1; }" ::"r"(shared_address(bar)),
      "r"(count)
      : "memory");
#else
  ::spak::sim::mbarrier_arrive(bar, count, spak_at);
#endif
}

/// The current phase of `bar` is complete only after `bytes` more bytes of asynchronous copies have arrived (at most
/// 2^20 - 1 outstanding).
SPAK_DEVICE_SM90 void mbarrier_expect_tx(uint64_t* bar, uint32_t bytes SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("mbarrier_expect_tx", Arch);
#if defined(__CUDACC__)
  asm volatile("mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [%0], %1;" ::"r"(shared_address(bar)), "r"(bytes)
               : "memory");
#else
  ::spak::sim::mbarrier_expect_tx(bar, bytes, spak_at);
#endif
}

/// mbarrier_expect_tx and one arrival: what the thread that issues the copies of a stage calls, before it issues them.
SPAK_DEVICE_SM90 void mbarrier_arrive_expect_tx(uint64_t* bar, uint32_t bytes SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("mbarrier_arrive_expect_tx", Arch);
#if defined(__CUDACC__)
  asm volatile("{ .reg .b64 state; mbarrier.arrive.expect_tx.release.cta.shared::cta.b64 state, [%0], %1; }" ::"r"(
                   shared_address(bar)),
               "r"(bytes)
               : "memory");
#else
  ::spak::sim::mbarrier_arrive_expect_tx(bar, bytes, spak_at);
#endif
}

/// `count` arrivals at `bar` of the block with that rank of the cluster; `bar` is the own block's pointer to the variable.
/// That block must not have exited.
SPAK_DEVICE_SM90 void mbarrier_arrive_remote(uint64_t* bar, unsigned rank, uint32_t count = 1 SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("mbarrier_arrive_remote", Arch);
#if defined(__CUDACC__)
  asm volatile(
      "{ .reg .b32 remote; mapa.shared::cluster.u32 remote, %0, %1;\n"
      "mbarrier.arrive.release.cluster.shared::cluster.b64 _, [remote], %2; }" ::"r"(shared_address(bar)),
      "r"(rank), "r"(count)
      : "memory");
#else
  ::spak::sim::mbarrier_arrive_remote(bar, rank, count, spak_at);
#endif
}

/// mbarrier_expect_tx on `bar` of the block with that rank of the cluster.
SPAK_DEVICE_SM90 void mbarrier_expect_tx_remote(uint64_t* bar, unsigned rank, uint32_t bytes SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("mbarrier_expect_tx_remote", Arch);
#if defined(__CUDACC__)
  asm volatile(
      "{ .reg .b32 remote; mapa.shared::cluster.u32 remote, %0, %1;\n"
      "mbarrier.expect_tx.relaxed.cluster.shared::cluster.b64 [remote], %2; }" ::"r"(shared_address(bar)),
      "r"(rank), "r"(bytes)
      : "memory");
#else
  ::spak::sim::mbarrier_expect_tx_remote(bar, rank, bytes, spak_at);
#endif
}

/// mbarrier_arrive_expect_tx on `bar` of the block with that rank of the cluster.
SPAK_DEVICE_SM90 void mbarrier_arrive_expect_tx_remote(uint64_t* bar, unsigned rank, uint32_t bytes SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("mbarrier_arrive_expect_tx_remote", Arch);
#if defined(__CUDACC__)
  asm volatile(
      "{ .reg .b32 remote; mapa.shared::cluster.u32 remote, %0, %1;\n"
      "mbarrier.arrive.expect_tx.release.cluster.shared::cluster.b64 _, [remote], %2; }" ::"r"(shared_address(bar)),
      "r"(rank), "r"(bytes)
      : "memory");
#else
  ::spak::sim::mbarrier_arrive_expect_tx_remote(bar, rank, bytes, spak_at);
#endif
}

/// Whether the phase of that parity (0 or 1) is complete: false while it is the current one. Does not wait.
SPAK_DEVICE bool mbarrier_test_wait(uint64_t* bar, uint32_t parity SPAK_AT_HERE) {
#if defined(__CUDACC__)
  uint32_t complete;
  asm volatile("{ .reg .pred p; mbarrier.test_wait.parity.shared.b64 p, [%1], %2; selp.b32 %0, 1, 0, p; }"
               : "=r"(complete)
               : "r"(shared_address(bar)), "r"(parity)
               : "memory");
  return complete != 0;
#else
  return ::spak::sim::mbarrier_test_wait(bar, parity, spak_at);
#endif
}

/// As mbarrier_test_wait, but the thread may sleep for a while first. False if the phase is not complete by then.
SPAK_DEVICE_SM90 bool mbarrier_try_wait(uint64_t* bar, uint32_t parity SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("mbarrier_try_wait", Arch);
#if defined(__CUDACC__)
  uint32_t complete;
  asm volatile("{ .reg .pred p; mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2; selp.b32 %0, 1, 0, p; }"
               : "=r"(complete)
               : "r"(shared_address(bar)), "r"(parity)
               : "memory");
  return complete != 0;
#else
  return ::spak::sim::mbarrier_try_wait(bar, parity, spak_at);
#endif
}

/// Waits until the phase of that parity is complete. What was done before its arrivals, and what its copies wrote, is visible
/// after it. Any number of threads may wait.
SPAK_DEVICE void mbarrier_wait(uint64_t* bar, uint32_t parity SPAK_AT_HERE) {
#if defined(__CUDACC__) && defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
  while (!mbarrier_test_wait(bar, parity)) {
  }
#elif defined(__CUDACC__)
  while (!mbarrier_try_wait(bar, parity)) {
  }
#else
  while (!::spak::sim::mbarrier_try_wait(bar, parity, spak_at)) {
  }
#endif
}

/// mbarrier_wait that also makes visible what threads of other blocks of the cluster did before they arrived remotely.
SPAK_DEVICE_SM90 void mbarrier_wait_cluster(uint64_t* bar, uint32_t parity SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("mbarrier_wait_cluster", Arch);
#if defined(__CUDACC__)
  uint32_t complete;
  do {
    asm volatile(
        "{ .reg .pred p; mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 p, [%1], %2; selp.b32 %0, 1, 0, p; }"
        : "=r"(complete)
        : "r"(shared_address(bar)), "r"(parity)
        : "memory");
  } while (!complete);
#else
  while (!::spak::sim::mbarrier_try_wait(bar, parity, spak_at)) {
  }
#endif
}

}  // namespace spak
