// <cuda_awbarrier_primitives.h>: the primitives of barriers in C, on mbarriers. Knows nothing of <cuda/barrier>.
#pragma once
#include <spak/sim/host/prelude.h>
#include <spak/sim/model/mbarrier.h>

#include <cstdint>

using __mbarrier_t = std::uint64_t;
using __mbarrier_token_t = std::uint64_t;

constexpr std::uint32_t __mbarrier_maximum_count() { return (1u << 20) - 1; }
inline void __mbarrier_init(__mbarrier_t* barrier, std::uint32_t count, spak::sim::Site at = spak::sim::here()) {
  spak::sim::mbarrier_init(barrier, count, at);
}
inline void __mbarrier_inval(__mbarrier_t* barrier, spak::sim::Site at = spak::sim::here()) {
  spak::sim::mbarrier_invalidate(barrier, at);
}
inline __mbarrier_token_t __mbarrier_arrive(__mbarrier_t* barrier, spak::sim::Site at = spak::sim::here()) {
  return spak::sim::mbarrier_arrive(barrier, 1, at);
}
inline __mbarrier_token_t __mbarrier_arrive_and_drop(__mbarrier_t* barrier, spak::sim::Site at = spak::sim::here()) {
  return spak::sim::mbarrier_arrive_drop(barrier, 1, at);
}
inline std::uint32_t __mbarrier_token_pending_count(__mbarrier_token_t token) {
  return spak::sim::mbarrier_pending_count(token);
}
inline bool __mbarrier_test_wait(__mbarrier_t* barrier, __mbarrier_token_t token,
                                 spak::sim::Site at = spak::sim::here()) {
  return spak::sim::mbarrier_test_wait_state(barrier, token, at);
}
inline bool __mbarrier_test_wait_parity(__mbarrier_t* barrier, bool parity, spak::sim::Site at = spak::sim::here()) {
  return spak::sim::mbarrier_test_wait(barrier, parity, at);
}
// The limit of the sleep is a hint: the models wait until the phase is complete.
inline bool __mbarrier_try_wait(__mbarrier_t* barrier, __mbarrier_token_t token, std::uint32_t,
                                spak::sim::Site at = spak::sim::here()) {
  return spak::sim::mbarrier_try_wait_state(barrier, token, at);
}
inline bool __mbarrier_try_wait_parity(__mbarrier_t* barrier, bool parity, std::uint32_t,
                                       spak::sim::Site at = spak::sim::here()) {
  return spak::sim::mbarrier_try_wait(barrier, parity, at);
}
