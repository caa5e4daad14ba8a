// <spak/cuda/wgmma.h>: asynchronous products of matrices in shared memory by a warpgroup on Hopper's tensor cores (wgmma).
// Knows nothing of how the operands came to shared memory.
//
// A warpgroup is 128 threads: four warps of which the first has an index divisible by 4. All of them call each function
// together, from the same line. D (64 x N) += A (64 x K) B (K x N); K is 32 bytes: 16 elements of 16 bits, 8 tf32, 32 of 8 bits.
// The order of calls:
//   wgmma_fence();                         before the first, and whenever accumulators or A registers were touched since
//   wgmma_bf16<N>(d, a, b, accumulate);    one call a K step; several may follow, on the same accumulators too
//   wgmma_commit();                        closes a group
//   wgmma_wait<G>(d);                      until at most G groups are in flight
// Until a wait covers them, nobody may touch the accumulators (they hold NaN in the simulator), nor write the operands.
// What ordinary stores put into shared memory needs fence_proxy_async() by the threads that stored, then a barrier, before a
// wgmma reads it; what TMA put there needs only the wait for its mbarrier.
//
// Accumulators: with w = warp in the warpgroup, l = lane,
//   d[i] (i = 0 to N / 2 - 1) is row 16 * w + l / 4 + 8 * (i / 2 % 2), column 8 * (i / 4) + 2 * (l % 4) + i % 2.
// A in registers, P elements in each (2 of 16 bits, 1 tf32, 4 of 8 bits), the first in the lowest bits:
//   a[r], element j is row 16 * w + l / 4 + 8 * (r % 2), column P * (l % 4) + j + 4 * P * (r / 2).
//
// Products are exact. The simulator adds the products of one call with an error of about K * 2^-53, adds d and rounds once, to
// nearest even; a GPU adds in another order and cuts off low bits, so results differ within 2^-19 * (|d| + sum of |a b|)
// (f16, bf16, tf32) or 2^-8 * that (e4m3, e5m2: its adder keeps 13 bits). Integers are exact and wrap at 2^32.
#pragma once
#include <spak/cuda/shared.h>
#include <spak/cuda/swizzle.h>

#if defined(__CUDACC__)
#include <spak/cuda/arch/wgmma_asm.h>
#else
#include <spak/sim/model/wgmma.h>
#endif

namespace spak {

/// Orders register accesses before it with the wgmmas after it: call it before the first wgmma, and again when accumulators
/// or A fragments were written or read since. It does not make shared memory visible: that is fence_proxy_async(). sm_90a.
SPAK_DEVICE_SM90 void wgmma_fence(SPAK_AT_HERE_ONLY) {
  SPAK_NEEDS_SM90A("wgmma_fence", Arch);
#if defined(__CUDACC__)
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#else
  ::spak::sim::wgmma_fence(spak_at);
#endif
}

/// Closes a group: the wgmmas that this warpgroup has issued since the last one. sm_90a.
SPAK_DEVICE_SM90 void wgmma_commit(SPAK_AT_HERE_ONLY) {
  SPAK_NEEDS_SM90A("wgmma_commit", Arch);
#if defined(__CUDACC__)
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
#else
  ::spak::sim::wgmma_commit(spak_at);
#endif
}

/// Waits until at most `Pending` (0 to 7) of the latest groups are in flight. Then the accumulators of the older ones may be
/// used, and the shared memory that they read may be overwritten by who is ordered after the calling threads. sm_90a.
template <int Pending>
SPAK_DEVICE void wgmma_wait(SPAK_AT_HERE_ONLY) {
  static_assert(Pending >= 0 && Pending <= 7, "wgmma_wait: Pending must be 0 to 7");
  SPAK_NEEDS_SM90A("wgmma_wait", Pending);
#if defined(__CUDACC__)
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(Pending) : "memory");
#else
  ::spak::sim::wgmma_wait(Pending, spak_at);
#endif
}

/// The same, and keeps the compiler from moving uses of the accumulators `d` to before the wait.
template <int Pending, int Registers>
SPAK_DEVICE void wgmma_wait(float (&d)[Registers] SPAK_AT_HERE) {
#if defined(__CUDACC__)
  wgmma_wait<Pending>();
  SPAK_UNROLL for (int i = 0; i < Registers; ++i) asm volatile("" : "+f"(d[i])::"memory");
#else
  static_cast<void>(d);
  wgmma_wait<Pending>(spak_at);
#endif
}
template <int Pending, int Registers>
SPAK_DEVICE void wgmma_wait(int32_t (&d)[Registers] SPAK_AT_HERE) {
#if defined(__CUDACC__)
  wgmma_wait<Pending>();
  SPAK_UNROLL for (int i = 0; i < Registers; ++i) asm volatile("" : "+r"(d[i])::"memory");
#else
  static_cast<void>(d);
  wgmma_wait<Pending>(spak_at);
#endif
}

/// The descriptor of an operand that begins at `shared` (its first element; a multiple of 16 bytes).
/// The operand is R x K, where R is M or N; a chunk is 16 bytes. Offsets below are of the unswizzled address; the swizzle XORs
/// address bits 4 to 6 with bits 7 to 9 (b128), 4 to 5 with 7 to 8 (b64), 4 with 7 (b32) of the whole address, which is what a
/// TMA load with the same swizzle writes: so the tile must begin at a multiple of 1024 (b128), 512 (b64), 256 (b32) bytes.
/// K-major (elements along K together; not transposed), row r, chunk c = 0, 1:
///   none: (r % 8) * 16 + (r / 8) * stride_bytes + c * leading_bytes
///   b32, b64, b128: (r % 8) * 32, 64, 128 + (r / 8) * stride_bytes + c * 16; leading_bytes is not used
/// MN-major (elements along R together; Transposed; 16-bit elements only), k = 0 to 15, chunk c = r / 8:
///   none: (k % 8) * 16 + (k / 8) * leading_bytes + c * stride_bytes
///   b32, b64, b128 (S = 2, 4, 8 chunks): (k % 8) * 16 * S + (k / 8) * stride_bytes + (c % S) * 16 + (c / S) * leading_bytes
/// Both strides are multiples of 16 below 262144. A tile as TMA loads it, with 64 bf16 a row and Swizzle::b128: K-major has
/// stride_bytes 1024; step along K by wgmma_advance(descriptor, 32).
SPAK_DEVICE uint64_t wgmma_descriptor(const void* shared, Swizzle swizzle, uint32_t leading_bytes,
                                      uint32_t stride_bytes SPAK_AT_HERE) {
  const unsigned mode = swizzle == Swizzle::none ? 0u : 4u - static_cast<unsigned>(swizzle);
#if defined(__CUDACC__)
  return static_cast<uint64_t>((shared_address(shared) & 0x3FFFFu) >> 4) |
         static_cast<uint64_t>((leading_bytes & 0x3FFFFu) >> 4) << 16 |
         static_cast<uint64_t>((stride_bytes & 0x3FFFFu) >> 4) << 32 | static_cast<uint64_t>(mode) << 62;
#else
  return ::spak::sim::wgmma_descriptor(shared, mode, leading_bytes, stride_bytes, spak_at);
#endif
}

/// The descriptor of the operand that begins `bytes` later; `bytes` is a multiple of 16.
SPAK_DEVICE uint64_t wgmma_advance(uint64_t descriptor, uint32_t bytes) { return descriptor + (bytes >> 4); }

#if defined(__CUDACC__)
#define SPAK_WGMMA_CALL(function, format, accumulator, transpose_a, transpose_b) \
  SPAK_NEEDS_SM90A(#function, N);                                                \
  arch::wgmma<arch::Wgmma_##format<transpose_a, transpose_b>>(d, a, b, static_cast<int>(accumulate))
#else
#define SPAK_WGMMA_CALL(function, format, accumulator, transpose_a, transpose_b)                                       \
  ::spak::sim::wgmma({::spak::sim::Format::format, ::spak::sim::Format::format, ::spak::sim::Accumulator::accumulator, \
                      N, transpose_a, transpose_b},                                                                    \
                     d, a, b, accumulate, spak_at)
#endif
#define SPAK_WGMMA_N(function) \
  static_assert(N >= 8 && N <= 256 && N % 8 == 0, #function ": N must be a multiple of 8 from 8 to 256")
#define SPAK_WGMMA_INTEGER_N(function)                                        \
  static_assert(N >= 8 && N <= 256 && N % 8 == 0 && (N <= 32 || N % 16 == 0), \
                #function ": N must be 8, 16, 24, 32 or a multiple of 16 up to 256")
#define SPAK_WGMMA_REGISTERS(function) \
  static_assert(!TransposeA, #function ": A in registers has one layout: leave TransposeA false")

/// D = A B, plus D where `accumulate`, bf16 with f32 accumulators: m64nNk16. `a` and `b` are descriptors, or `a` the four
/// registers of A. TransposeA: A is M-major in shared memory; TransposeB: B is N-major. sm_90a.
template <int N, bool TransposeA = false, bool TransposeB = false>
SPAK_DEVICE void wgmma_bf16(float (&d)[N / 2], uint64_t a, uint64_t b, bool accumulate = true SPAK_AT_HERE) {
  SPAK_WGMMA_N(wgmma_bf16);
  SPAK_WGMMA_CALL(wgmma_bf16, bf16, f32, TransposeA, TransposeB);
}
template <int N, bool TransposeA = false, bool TransposeB = false>
SPAK_DEVICE void wgmma_bf16(float (&d)[N / 2], const uint32_t (&a)[4], uint64_t b,
                            bool accumulate = true SPAK_AT_HERE) {
  SPAK_WGMMA_N(wgmma_bf16);
  SPAK_WGMMA_REGISTERS(wgmma_bf16);
  SPAK_WGMMA_CALL(wgmma_bf16, bf16, f32, TransposeA, TransposeB);
}

/// D = A B, plus D where `accumulate`, f16 with f32 accumulators: m64nNk16. As wgmma_bf16. sm_90a.
template <int N, bool TransposeA = false, bool TransposeB = false>
SPAK_DEVICE void wgmma_f16(float (&d)[N / 2], uint64_t a, uint64_t b, bool accumulate = true SPAK_AT_HERE) {
  SPAK_WGMMA_N(wgmma_f16);
  SPAK_WGMMA_CALL(wgmma_f16, f16, f32, TransposeA, TransposeB);
}
template <int N, bool TransposeA = false, bool TransposeB = false>
SPAK_DEVICE void wgmma_f16(float (&d)[N / 2], const uint32_t (&a)[4], uint64_t b, bool accumulate = true SPAK_AT_HERE) {
  SPAK_WGMMA_N(wgmma_f16);
  SPAK_WGMMA_REGISTERS(wgmma_f16);
  SPAK_WGMMA_CALL(wgmma_f16, f16, f32, TransposeA, TransposeB);
}

/// D = A B, plus D where `accumulate`, tf32 with f32 accumulators: m64nNk8, both operands K-major. The low 13 bits of each
/// element are ignored: round with to_tf32 of <spak/cuda/tf32.h> first. sm_90a.
template <int N>
SPAK_DEVICE void wgmma_tf32(float (&d)[N / 2], uint64_t a, uint64_t b, bool accumulate = true SPAK_AT_HERE) {
  SPAK_WGMMA_N(wgmma_tf32);
  SPAK_WGMMA_CALL(wgmma_tf32, tf32, f32, false, false);
}
template <int N>
SPAK_DEVICE void wgmma_tf32(float (&d)[N / 2], const uint32_t (&a)[4], uint64_t b,
                            bool accumulate = true SPAK_AT_HERE) {
  SPAK_WGMMA_N(wgmma_tf32);
  SPAK_WGMMA_CALL(wgmma_tf32, tf32, f32, false, false);
}

/// D = A B, plus D where `accumulate`, e4m3 with f32 accumulators: m64nNk32, both operands K-major. sm_90a.
template <int N>
SPAK_DEVICE void wgmma_e4m3(float (&d)[N / 2], uint64_t a, uint64_t b, bool accumulate = true SPAK_AT_HERE) {
  SPAK_WGMMA_N(wgmma_e4m3);
  SPAK_WGMMA_CALL(wgmma_e4m3, e4m3, f32, false, false);
}
template <int N>
SPAK_DEVICE void wgmma_e4m3(float (&d)[N / 2], const uint32_t (&a)[4], uint64_t b,
                            bool accumulate = true SPAK_AT_HERE) {
  SPAK_WGMMA_N(wgmma_e4m3);
  SPAK_WGMMA_CALL(wgmma_e4m3, e4m3, f32, false, false);
}

/// D = A B, plus D where `accumulate`, e5m2 with f32 accumulators: m64nNk32, both operands K-major. sm_90a.
template <int N>
SPAK_DEVICE void wgmma_e5m2(float (&d)[N / 2], uint64_t a, uint64_t b, bool accumulate = true SPAK_AT_HERE) {
  SPAK_WGMMA_N(wgmma_e5m2);
  SPAK_WGMMA_CALL(wgmma_e5m2, e5m2, f32, false, false);
}
template <int N>
SPAK_DEVICE void wgmma_e5m2(float (&d)[N / 2], const uint32_t (&a)[4], uint64_t b,
                            bool accumulate = true SPAK_AT_HERE) {
  SPAK_WGMMA_N(wgmma_e5m2);
  SPAK_WGMMA_CALL(wgmma_e5m2, e5m2, f32, false, false);
}

/// D = A B, plus D where `accumulate`, signed 8-bit integers, 32-bit accumulators that wrap: m64nNk32, both operands K-major.
/// N is 8, 16, 24, 32 or a multiple of 16. sm_90a.
template <int N>
SPAK_DEVICE void wgmma_s8(int32_t (&d)[N / 2], uint64_t a, uint64_t b, bool accumulate = true SPAK_AT_HERE) {
  SPAK_WGMMA_INTEGER_N(wgmma_s8);
  SPAK_WGMMA_CALL(wgmma_s8, s8, s32, false, false);
}
template <int N>
SPAK_DEVICE void wgmma_s8(int32_t (&d)[N / 2], const uint32_t (&a)[4], uint64_t b,
                          bool accumulate = true SPAK_AT_HERE) {
  SPAK_WGMMA_INTEGER_N(wgmma_s8);
  SPAK_WGMMA_CALL(wgmma_s8, s8, s32, false, false);
}

/// D = A B, plus D where `accumulate`, unsigned 8-bit integers, 32-bit accumulators that wrap: m64nNk32, both operands
/// K-major. N is 8, 16, 24, 32 or a multiple of 16. sm_90a.
template <int N>
SPAK_DEVICE void wgmma_u8(int32_t (&d)[N / 2], uint64_t a, uint64_t b, bool accumulate = true SPAK_AT_HERE) {
  SPAK_WGMMA_INTEGER_N(wgmma_u8);
  SPAK_WGMMA_CALL(wgmma_u8, u8, s32, false, false);
}
template <int N>
SPAK_DEVICE void wgmma_u8(int32_t (&d)[N / 2], const uint32_t (&a)[4], uint64_t b,
                          bool accumulate = true SPAK_AT_HERE) {
  SPAK_WGMMA_INTEGER_N(wgmma_u8);
  SPAK_WGMMA_CALL(wgmma_u8, u8, s32, false, false);
}

#undef SPAK_WGMMA_CALL
#undef SPAK_WGMMA_N
#undef SPAK_WGMMA_INTEGER_N
#undef SPAK_WGMMA_REGISTERS

}  // namespace spak
