// <cooperative_groups/scan.h>: prefix sums, or of any operation, over the lanes of a group. Knows nothing of blocks.
#pragma once
#include <cooperative_groups/reduce.h>

namespace cooperative_groups {

template <typename Group, typename T, typename Op>
inline T inclusive_scan(const Group& group, T value, Op op, Site at = here()) {
  const unsigned rank = static_cast<unsigned>(group.thread_rank()), count = static_cast<unsigned>(group.size());
  for (unsigned step = 1; step < count; step *= 2) {
    const T before = group.shfl(value, rank >= step ? rank - step : rank, at);
    if (rank >= step) value = op(before, value);
  }
  return value;
}
template <typename Group, typename T>
inline T inclusive_scan(const Group& group, T value, Site at = here()) {
  return inclusive_scan(group, value, plus<T>(), at);
}

// The first lane has a T() of its own.
template <typename Group, typename T, typename Op>
inline T exclusive_scan(const Group& group, T value, Op op, Site at = here()) {
  const unsigned rank = static_cast<unsigned>(group.thread_rank());
  const T through = inclusive_scan(group, value, op, at);
  const T before = group.shfl(through, rank ? rank - 1 : 0, at);
  return rank ? before : T();
}
template <typename Group, typename T>
inline T exclusive_scan(const Group& group, T value, Site at = here()) {
  return exclusive_scan(group, value, plus<T>(), at);
}

// The scan goes on from what the cuda::atomic holds, which becomes the whole group's.
template <typename Group, typename Atomic, typename T, typename Op>
inline T inclusive_scan_update(const Group& group, Atomic& atomic, T value, Op op, Site at = here()) {
  const unsigned last = static_cast<unsigned>(group.size()) - 1;
  const T through = inclusive_scan(group, value, op, at);
  T before{};
  if (group.thread_rank() == last) before = details::update(atomic, through, op);
  return op(group.shfl(before, last, at), through);
}
template <typename Group, typename Atomic, typename T, typename Op>
inline T exclusive_scan_update(const Group& group, Atomic& atomic, T value, Op op, Site at = here()) {
  const unsigned rank = static_cast<unsigned>(group.thread_rank()), last = static_cast<unsigned>(group.size()) - 1;
  const T through = inclusive_scan(group, value, op, at);
  T start{};
  if (rank == last) start = details::update(atomic, through, op);
  start = group.shfl(start, last, at);
  const T before = group.shfl(through, rank ? rank - 1 : 0, at);
  return rank ? op(start, before) : start;
}
template <typename Group, typename Atomic, typename T>
inline T exclusive_scan_update(const Group& group, Atomic& atomic, T value, Site at = here()) {
  return exclusive_scan_update(group, atomic, value, plus<T>(), at);
}

}  // namespace cooperative_groups
