// <spak/cuda/device.h>: index arithmetic in 64 bits, and the names every kernel may rely on. Knows nothing of data types
// beyond integers.
//
// Including any header of this folder gives the same source to NVRTC, to nvcc and to the simulator's host compiler.
#pragma once

#if defined(__CUDACC__)
#define SPAK_DEVICE __device__ __forceinline__
// A trailing parameter that carries the caller's line to the simulator's reports; nothing on a GPU.
#define SPAK_UNROLL _Pragma("unroll")
#define SPAK_AT_HERE
#if defined(__CUDACC_RTC__)
using int8_t = signed char;
using uint8_t = unsigned char;
using int16_t = short;
using uint16_t = unsigned short;
using int32_t = int;
using uint32_t = unsigned;
using int64_t = long long;
using uint64_t = unsigned long long;
using size_t = decltype(sizeof(0));
#else
#include <stdint.h>
#endif
#else
#include <spak/sim/builtins.h>
#define SPAK_DEVICE inline __attribute__((always_inline))
#define SPAK_UNROLL
#define SPAK_AT_HERE , ::spak::sim::Site spak_at = ::spak::sim::here()
#endif

namespace spak {

/// The type of every index and size: 64 bits, so that more than 2^31 elements work.
using index_t = long long;

/// The lanes of a warp.
constexpr int kWarpSize = 32;
/// The mask that names all 32 lanes.
constexpr unsigned kFullMask = 0xFFFFFFFFu;

/// `a / b` rounded up. Needs a >= 0 and b > 0.
SPAK_DEVICE constexpr index_t cdiv(index_t a, index_t b) { return (a + b - 1) / b; }

/// `a` rounded up to a multiple of `b`. Needs a >= 0 and b > 0.
SPAK_DEVICE constexpr index_t round_up(index_t a, index_t b) { return cdiv(a, b) * b; }

/// Index of this thread in its block, x fastest: 0 to block_threads() - 1.
SPAK_DEVICE int thread_rank() {
  return static_cast<int>(threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z));
}

/// Number of threads in a block.
SPAK_DEVICE int block_threads() { return static_cast<int>(blockDim.x * blockDim.y * blockDim.z); }

/// Lane of this thread in its warp: 0 to 31.
SPAK_DEVICE int lane() { return thread_rank() % kWarpSize; }

/// Index of this thread's warp in its block.
SPAK_DEVICE int warp() { return thread_rank() / kWarpSize; }

/// Index of this thread along x in the whole grid, in 64 bits: `blockIdx.x * blockDim.x + threadIdx.x` wraps at 2^32.
SPAK_DEVICE index_t global_x() { return static_cast<index_t>(blockIdx.x) * blockDim.x + threadIdx.x; }

/// Index of this thread along y in the whole grid.
SPAK_DEVICE index_t global_y() { return static_cast<index_t>(blockIdx.y) * blockDim.y + threadIdx.y; }

/// Number of threads along x in the whole grid: the step of a grid-stride loop,
/// `for (index_t i = global_x(); i < n; i += grid_x()) ...`.
SPAK_DEVICE index_t grid_x() { return static_cast<index_t>(gridDim.x) * blockDim.x; }

}  // namespace spak
