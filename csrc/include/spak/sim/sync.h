// Barriers and fences of a block. Knows nothing of warps.
#pragma once
#include <spak/sim/engine.h>

inline void __syncthreads(spak::sim::Site at = spak::sim::here()) {
  spak::sim::barrier(spak::sim::Barrier::sync, 0, at);
}
inline int __syncthreads_count(int predicate, spak::sim::Site at = spak::sim::here()) {
  return spak::sim::barrier(spak::sim::Barrier::count, predicate, at);
}
inline int __syncthreads_and(int predicate, spak::sim::Site at = spak::sim::here()) {
  return spak::sim::barrier(spak::sim::Barrier::all, predicate, at);
}
inline int __syncthreads_or(int predicate, spak::sim::Site at = spak::sim::here()) {
  return spak::sim::barrier(spak::sim::Barrier::any, predicate, at);
}

inline void __threadfence_block() { spak::sim::fence(spak::sim::FenceScope::block); }
inline void __threadfence() { spak::sim::fence(spak::sim::FenceScope::device); }
inline void __threadfence_system() { spak::sim::fence(spak::sim::FenceScope::system); }

// A thread that sleeps or reads the clock is polling for something another thread has to do.
inline void __nanosleep(unsigned) { spak::sim::yield(); }
inline long long clock64() {
  static thread_local long long ticks = 0;
  spak::sim::yield();
  return ++ticks;
}

[[noreturn]] inline void __trap(spak::sim::Site at = spak::sim::here()) {
  spak::sim::fail("assertion", "executed __trap()", at);
}

#undef assert
#ifdef NDEBUG
#define assert(condition) (static_cast<void>(0))
#else
#define assert(condition)             \
  ((condition) ? static_cast<void>(0) \
               : ::spak::sim::fail("assertion", "assertion failed: " #condition, ::spak::sim::here()))
#endif
