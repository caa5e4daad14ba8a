// <spak/cuda/special.h>: special registers: multiprocessors and clocks. Knows nothing of what is measured with them; results
// must not depend on their values.
#pragma once
#include <spak/cuda/arch/needs.h>

#if !defined(__CUDACC__)
#include <spak/sim/model/special.h>
#endif

namespace spak {

/// The multiprocessor that runs this block: 0 to nsmid() - 1.
SPAK_DEVICE unsigned smid(SPAK_AT_HERE_ONLY) {
#if defined(__CUDACC__)
  unsigned id;
  asm volatile("mov.u32 %0, %%smid;" : "=r"(id));
  return id;
#else
  return ::spak::sim::smid(spak_at);
#endif
}

/// Upper bound of smid(); not always the number of multiprocessors.
SPAK_DEVICE unsigned nsmid(SPAK_AT_HERE_ONLY) {
#if defined(__CUDACC__)
  unsigned count;
  asm volatile("mov.u32 %0, %%nsmid;" : "=r"(count));
  return count;
#else
  return ::spak::sim::nsmid(spak_at);
#endif
}

/// The multiprocessor's cycle counter.
SPAK_DEVICE long long cycles(SPAK_AT_HERE_ONLY) {
#if defined(__CUDACC__)
  return clock64();
#else
  return ::spak::sim::cycles(spak_at);
#endif
}

/// The device's clock in nanoseconds; its resolution differs between devices (about 1 us).
SPAK_DEVICE uint64_t nanoseconds(SPAK_AT_HERE_ONLY) {
#if defined(__CUDACC__)
  unsigned long long time;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(time)::"memory");
  return time;
#else
  return ::spak::sim::nanoseconds(spak_at);
#endif
}

/// Sleeps for about `time` nanoseconds (at most 1 ms): for threads that poll.
SPAK_DEVICE void pause(unsigned time SPAK_AT_HERE) {
#if defined(__CUDACC__)
  __nanosleep(time);
#else
  ::spak::sim::pause(time, spak_at);
#endif
}

}  // namespace spak
