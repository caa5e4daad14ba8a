// <spak/cuda/dependent.h>: a kernel that starts before the one in front of it has ended (programmatic dependent launch). Knows
// nothing of streams: in an ordinary launch both functions do nothing.
#pragma once
#include <spak/cuda/arch/needs.h>

#if !defined(__CUDACC__)
#include <spak/sim/model/dependent.h>
#endif

namespace spak {

/// Waits until the kernels that this one depends on have completed and what they wrote is visible. Every thread that reads or
/// overwrites something of theirs calls it first.
SPAK_DEVICE_SM90 void dependent_wait(SPAK_AT_HERE_ONLY) {
  SPAK_NEEDS_SM90("dependent_wait", Arch);
#if defined(__CUDACC__)
  asm volatile("griddepcontrol.wait;" ::: "memory");
#else
  ::spak::sim::dependent_wait(spak_at);
#endif
}

/// Lets the next kernel start as soon as all blocks have called it or exited. It says nothing about what has been written.
SPAK_DEVICE_SM90 void dependent_launch(SPAK_AT_HERE_ONLY) {
  SPAK_NEEDS_SM90("dependent_launch", Arch);
#if defined(__CUDACC__)
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#else
  ::spak::sim::dependent_launch(spak_at);
#endif
}

}  // namespace spak
