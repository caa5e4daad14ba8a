// <spak/cuda/registers.h>: moves registers from warpgroups that need few to those that need many. Knows nothing of what they
// hold.
//
// All warps of a warpgroup (128 threads from a multiple of 128) call it, the kernel has __launch_bounds__, and the sum over
// all warps stays within what the block was launched with, at most 64 K registers. For N: a multiple of 8 from 24 to 256.
#pragma once
#include <spak/cuda/arch/needs.h>

#if !defined(__CUDACC__)
#include <spak/sim/model/registers.h>
#endif

namespace spak {

/// Waits until the block has enough registers free and raises the limit of the calling warps to N registers a thread.
template <int N>
SPAK_DEVICE void registers_increase(SPAK_AT_HERE_ONLY) {
  SPAK_NEEDS_SPECIFIC("registers_increase", N);
  static_assert(N >= 24 && N <= 256 && N % 8 == 0, "registers_increase: N must be a multiple of 8 from 24 to 256");
#if defined(__CUDACC__)
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(N));
#else
  ::spak::sim::set_registers(N, true, spak_at);
#endif
}

/// Gives back what the calling warps have beyond N registers a thread.
template <int N>
SPAK_DEVICE void registers_decrease(SPAK_AT_HERE_ONLY) {
  SPAK_NEEDS_SPECIFIC("registers_decrease", N);
  static_assert(N >= 24 && N <= 256 && N % 8 == 0, "registers_decrease: N must be a multiple of 8 from 24 to 256");
#if defined(__CUDACC__)
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(N));
#else
  ::spak::sim::set_registers(N, false, spak_at);
#endif
}

}  // namespace spak
