// <spak/cuda/elect.h>: one lane of a warp, chosen so that the compiler knows it is one. Knows nothing of what it does then.
#pragma once
#include <spak/cuda/arch/needs.h>

#if !defined(__CUDACC__)
#include <spak/sim/model/elect.h>
#endif

namespace spak {

/// True in exactly one lane of the calling warp. All 32 lanes call it together. What issues a TMA copy or arrives at an
/// mbarrier once a warp stands behind it.
SPAK_DEVICE_SM90 bool elect_one(SPAK_AT_HERE_ONLY) {
  SPAK_NEEDS_SM90("elect_one", Arch);
#if defined(__CUDACC__)
  uint32_t elected;
  asm volatile("{ .reg .pred p; elect.sync _|p, 0xFFFFFFFF; selp.b32 %0, 1, 0, p; }" : "=r"(elected)::"memory");
  return elected != 0;
#else
  return ::spak::sim::elect(0xFFFFFFFFu, spak_at);
#endif
}

}  // namespace spak
