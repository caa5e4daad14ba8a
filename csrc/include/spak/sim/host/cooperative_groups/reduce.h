// <cooperative_groups/reduce.h>: reductions over the lanes of a group. Knows nothing of scans.
#pragma once
#include <cooperative_groups.h>

namespace cooperative_groups {

template <typename T>
struct plus {
  T operator()(T a, T b) const { return a + b; }
};
template <typename T>
struct less {
  T operator()(T a, T b) const { return b < a ? b : a; }
};
template <typename T>
struct greater {
  T operator()(T a, T b) const { return a < b ? b : a; }
};
template <typename T>
struct bit_and {
  T operator()(T a, T b) const { return a & b; }
};
template <typename T>
struct bit_or {
  T operator()(T a, T b) const { return a | b; }
};
template <typename T>
struct bit_xor {
  T operator()(T a, T b) const { return a ^ b; }
};

// The same in every lane: halves are folded onto each other, whatever the number of lanes.
template <typename Group, typename T, typename Op>
inline auto reduce(const Group& group, T value, Op op, Site at = here()) {
  const unsigned rank = static_cast<unsigned>(group.thread_rank());
  unsigned count = static_cast<unsigned>(group.size());
  while (count > 1) {
    const unsigned half = (count + 1) / 2;
    const T other = group.shfl(value, rank + half < count ? rank + half : rank, at);
    if (rank + half < count) value = op(value, other);
    count = half;
  }
  return group.shfl(value, 0, at);
}

namespace details {

// A cuda::atomic becomes what `op` makes of it and `value`; returns what it was.
template <typename Atomic, typename T, typename Op>
inline T update(Atomic& atomic, T value, Op op) {
  T old = atomic.load();
  while (!atomic.compare_exchange_weak(old, op(old, value))) {
  }
  return old;
}

}  // namespace details

template <typename Group, typename Atomic, typename T, typename Op>
inline void reduce_update_async(const Group& group, Atomic& atomic, T value, Op op, Site at = here()) {
  const T sum = reduce(group, value, op, at);
  if (group.thread_rank() == 0) details::update(atomic, sum, op);
}
template <typename Group, typename T, typename Op>
inline void reduce_store_async(const Group& group, T* to, T value, Op op, Site at = here()) {
  const T sum = reduce(group, value, op, at);
  if (group.thread_rank() == 0) *to = sum;
}

}  // namespace cooperative_groups
