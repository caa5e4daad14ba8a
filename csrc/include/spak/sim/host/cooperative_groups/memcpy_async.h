// <cooperative_groups/memcpy_async.h>: a group copies together, and waits. Knows nothing of pipelines.
#pragma once
#include <cooperative_groups.h>
#include <spak/sim/host/copy_async.h>

namespace cooperative_groups {

// `bytes`, or a cuda::aligned_size_t.
template <typename Group, typename T, typename S>
inline void memcpy_async(const Group& group, T* to, const T* from, const S& bytes, Site at = here()) {
  spak::sim::host::copy_part(to, from, static_cast<std::size_t>(bytes), static_cast<unsigned>(group.thread_rank()),
                             static_cast<unsigned>(group.size()), at);
  spak::sim::cp_async_commit(at);
}
// Elements of both sides: as many as both have.
template <typename Group, typename T, typename D, typename S>
inline void memcpy_async(const Group& group, T* to, const D& to_count, const T* from, const S& from_count,
                         Site at = here()) {
  const std::size_t n = static_cast<std::size_t>(to_count), m = static_cast<std::size_t>(from_count);
  memcpy_async(group, to, from, (n < m ? n : m) * sizeof(T), at);
}

template <typename Group>
inline void wait(const Group& group, Site at = here()) {
  spak::sim::cp_async_wait(0, at);
  group.sync(at);
}
template <unsigned Stages, typename Group>
inline void wait_prior(const Group& group, Site at = here()) {
  spak::sim::cp_async_wait(static_cast<int>(Stages), at);
  group.sync(at);
}

}  // namespace cooperative_groups
