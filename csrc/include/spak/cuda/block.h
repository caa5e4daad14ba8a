// <spak/cuda/block.h>: reductions and broadcasts over all threads of a block. Knows nothing of grids.
//
// Every thread of the block must call each of these, from the same line, with a block size that is a multiple of 32.
// Each takes 32 * sizeof(T) bytes of static shared memory for each T (the calls share it) and two barriers: before
// it returns, all threads have read the result, so that a call may follow at once, and what threads wrote to shared or
// global memory before the call is visible to the block after it.
#pragma once
#include <spak/cuda/warp.h>

namespace spak {

#if defined(__CUDACC__)
#define SPAK_SYNC() __syncthreads()
#define SPAK_SCRATCH(T, name, count) __shared__ T name[count]
#else
#define SPAK_SYNC() __syncthreads(spak_at)
#define SPAK_SCRATCH(T, name, count)                                                 \
  static constexpr ::spak::sim::SharedSite name##_site{#name, {__FILE__, __LINE__}}; \
  auto& name = ::spak::sim::shared<T[count]>(name##_site)
#endif

/// Combines `value` of all threads with the associative and commutative `op(a, b)`; `neutral` is its neutral element.
/// Every thread gets the result. The order of the combination is fixed: same inputs, same bits.
template <typename T, typename Op>
SPAK_DEVICE T block_reduce(T value, Op op, T neutral SPAK_AT_HERE) {
  static_assert(sizeof(T) <= 8, "block_reduce: T must have at most 8 bytes, because warps exchange it by shuffles");
  SPAK_SCRATCH(T, block_reduce_scratch, 32);
  value = warp_reduce<32>(value, op SPAK_PASS_AT);
  if (lane() == 0) block_reduce_scratch[warp()] = value;
  SPAK_SYNC();
  value = lane() * kWarpSize < block_threads() ? block_reduce_scratch[lane()] : neutral;
  value = warp_reduce<32>(value, op SPAK_PASS_AT);
  SPAK_SYNC();
  return value;
}

/// Sum over the block; every thread gets it.
template <typename T>
SPAK_DEVICE T block_sum(T value SPAK_AT_HERE) {
  return block_reduce(value, [](T a, T b) -> T { return a + b; }, T(0.0f) SPAK_PASS_AT);
}

/// Maximum over the block; every thread gets it. `lowest` is what no value is below: `lowest<T>()` of
/// <spak/cuda/math.h>, or any thread's own value. A NaN may be lost.
template <typename T>
SPAK_DEVICE T block_max(T value, T lowest SPAK_AT_HERE) {
  return block_reduce(value, [](T a, T b) -> T { return a > b ? a : b; }, lowest SPAK_PASS_AT);
}

/// Minimum over the block; every thread gets it. `highest` is what no value is above. A NaN may be lost.
template <typename T>
SPAK_DEVICE T block_min(T value, T highest SPAK_AT_HERE) {
  return block_reduce(value, [](T a, T b) -> T { return a < b ? a : b; }, highest SPAK_PASS_AT);
}

/// The value of the thread whose thread_rank() is `source`, in every thread.
template <typename T>
SPAK_DEVICE T block_broadcast(T value, int source SPAK_AT_HERE) {
  SPAK_SCRATCH(T, block_broadcast_scratch, 1);
  if (thread_rank() == source) block_broadcast_scratch[0] = value;
  SPAK_SYNC();
  value = block_broadcast_scratch[0];
  SPAK_SYNC();
  return value;
}

#undef SPAK_SYNC
#undef SPAK_SCRATCH

}  // namespace spak
