// <spak/cuda/warp.h>: reductions, scans and broadcasts over the lanes of a warp, in registers. Knows nothing of blocks
// and uses no shared memory.
//
// All 32 lanes of the warp must call each of these together: no lane may have returned before, and the block's size
// must be a multiple of 32. They give no order to memory accesses: use __syncwarp() where lanes exchange data in memory.
#pragma once
#include <spak/cuda/device.h>

namespace spak {

#if defined(__CUDACC__)
#define SPAK_PASS_AT
#define SPAK_XOR(value, step) __shfl_xor_sync(kFullMask, value, step)
#define SPAK_UP(value, step) __shfl_up_sync(kFullMask, value, step)
#define SPAK_FROM(value, lane) __shfl_sync(kFullMask, value, lane)
#else
#define SPAK_PASS_AT , spak_at
#define SPAK_XOR(value, step) __shfl_xor_sync(kFullMask, value, step, 32, spak_at)
#define SPAK_UP(value, step) __shfl_up_sync(kFullMask, value, step, 32, spak_at)
#define SPAK_FROM(value, lane) __shfl_sync(kFullMask, value, lane, 32, spak_at)
#endif

/// Combines `value` of groups of `Width` neighbouring lanes with `op(a, b)`; every lane of a group gets its result.
/// `Width` is a power of two up to 32, `T` a type of 4 or 8 bytes (or f16, bf16 or their pairs), `op` is associative
/// and commutative. The order is a butterfly: fixed, the same in all lanes.
template <int Width = 32, typename T, typename Op>
SPAK_DEVICE T warp_reduce(T value, Op op SPAK_AT_HERE) {
  static_assert(Width >= 1 && Width <= 32 && (Width & (Width - 1)) == 0,
                "warp_reduce: Width must be a power of two from 1 to 32");
  SPAK_UNROLL for (int step = Width / 2; step > 0; step /= 2) value = op(value, SPAK_XOR(value, step));
  return value;
}

/// Sum over groups of `Width` neighbouring lanes; every lane gets it.
template <int Width = 32, typename T>
SPAK_DEVICE T warp_sum(T value SPAK_AT_HERE) {
  return warp_reduce<Width>(value, [](T a, T b) -> T { return a + b; } SPAK_PASS_AT);
}

/// Maximum over groups of `Width` neighbouring lanes; every lane gets it. A NaN in any lane may be lost.
template <int Width = 32, typename T>
SPAK_DEVICE T warp_max(T value SPAK_AT_HERE) {
  return warp_reduce<Width>(value, [](T a, T b) -> T { return a > b ? a : b; } SPAK_PASS_AT);
}

/// Minimum over groups of `Width` neighbouring lanes; every lane gets it. A NaN in any lane may be lost.
template <int Width = 32, typename T>
SPAK_DEVICE T warp_min(T value SPAK_AT_HERE) {
  return warp_reduce<Width>(value, [](T a, T b) -> T { return a < b ? a : b; } SPAK_PASS_AT);
}

/// The value of lane `source` (0 to 31), in every lane.
template <typename T>
SPAK_DEVICE T warp_broadcast(T value, int source SPAK_AT_HERE) {
  return SPAK_FROM(value, source);
}

/// Inclusive prefix sum over the 32 lanes: lane i gets the sum of lanes 0 to i.
template <typename T>
SPAK_DEVICE T warp_scan_sum(T value SPAK_AT_HERE) {
  SPAK_UNROLL for (int step = 1; step < kWarpSize; step *= 2) {
    const T below = SPAK_UP(value, step);
    if (lane() >= step) value = value + below;
  }
  return value;
}

#undef SPAK_XOR
#undef SPAK_UP
#undef SPAK_FROM

}  // namespace spak
