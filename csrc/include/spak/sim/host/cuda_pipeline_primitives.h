// <cuda_pipeline_primitives.h>: the primitives of pipelines in C: cp.async and its groups. Knows nothing of <cuda/pipeline>.
#pragma once
#include <cuda_awbarrier_primitives.h>
#include <spak/sim/host/prelude.h>
#include <spak/sim/model/cp_async.h>

inline void __pipeline_memcpy_async(void* to, const void* from, std::size_t bytes, std::size_t zeros = 0,
                                    spak::sim::Site at = spak::sim::here()) {
  spak::sim::cp_async(to, from, static_cast<int>(bytes), static_cast<int>(bytes - zeros), at);
}
inline void __pipeline_commit(spak::sim::Site at = spak::sim::here()) { spak::sim::cp_async_commit(at); }
inline void __pipeline_wait_prior(std::size_t pending, spak::sim::Site at = spak::sim::here()) {
  spak::sim::cp_async_wait(static_cast<int>(pending), at);
}
inline void __pipeline_arrive_on(__mbarrier_t* barrier, spak::sim::Site at = spak::sim::here()) {
  spak::sim::cp_async_mbarrier_arrive(barrier, at);
}
