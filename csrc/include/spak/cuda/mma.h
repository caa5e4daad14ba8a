// <spak/cuda/mma.h>: products of small matrices by one warp on tensor cores (mma.sync), D += A B in place. Knows nothing of
// memory: <spak/cuda/matrix.h> loads the fragments.
//
// All 32 lanes of a warp call each of these together, from the same line. A is 16 x k (rows of k, "row"), B is k x 8 (columns
// of k, "col"), D is 16 x 8. With g = lane / 4, t = lane % 4 and P elements in a register (2 of 16 bits, 4 of 8, 1 tf32), all
// counted from 0 and the first element in the lowest bits:
//   a[r], element j:  row g + 8 * (r % 2), column P * t + j + 4 * P * (r / 2)
//   b[r], element j:  row P * t + j + 4 * P * r, column g
//   d[i] of f32, s32: row g + 8 * (i / 2), column 2 * t + i % 2
//   d[r] of f16 pairs, element j: row g + 8 * r, column 2 * t + j
// So ldmatrix<4> of the four 8 x 16-byte quarters of A, in the order upper left, lower left, upper right, lower right, gives a;
// ldmatrix<2> of B stored with each column's k elements together gives b; ldmatrix<2, true> of B stored in rows of 8 (16 bit).
//
// Products are exact. The simulator adds the products of one call and d with an error of about k * 2^-53 and rounds once, to
// nearest even; a GPU adds in another order and may cut off low bits, so results differ within
// 2^-19 * (|d| + sum of |a b|) (f16, bf16, tf32), 2^-8 * that (e4m3, e5m2: Hopper's adder keeps 13 bits) or 2^-10 * that (f16
// accumulators).
// Integers are exact and wrap at 2^32.
#pragma once
#include <spak/cuda/arch/needs.h>

#if !defined(__CUDACC__)
#include <spak/sim/model/mma.h>
#endif

namespace spak {

#if defined(__CUDACC__)
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 890
#define SPAK_NEEDS_SM89(name, dependent) static_assert(true)
#else
#define SPAK_NEEDS_SM89(name, dependent)          \
  static_assert(::spak::arch::never<(dependent)>, \
                "spak::" name " needs compute capability 8.9 or above: convert to f16 and call spak::mma_f16")
#endif
#define SPAK_MMA_422(shape, types, c)                            \
  asm volatile("mma.sync.aligned." shape ".row.col." types       \
               " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, " \
               "{%0, %1, %2, %3};"                               \
               : c(d[0]), c(d[1]), c(d[2]), c(d[3])              \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))
#define SPAK_MMA_421(shape, types, c)                                                                             \
  asm volatile("mma.sync.aligned." shape ".row.col." types " {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};" \
               : c(d[0]), c(d[1]), c(d[2]), c(d[3])                                                               \
               : "r"(a[0]), "r"(a[1]), "r"(b[0]))
#else
#define SPAK_NEEDS_SM89(name, dependent) static_assert(true)
#define SPAK_MMA_MODEL(format, accumulator, k)                                                                       \
  ::spak::sim::mma(                                                                                                  \
      {::spak::sim::Format::format, ::spak::sim::Format::format, ::spak::sim::Accumulator::accumulator, k}, d, a, b, \
      d, spak_at)
#endif

/// D += A B, f16 with f32 accumulators: m16n8k16, and m16n8k8 with the smaller fragments. sm_80 and later.
SPAK_DEVICE void mma_f16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2] SPAK_AT_HERE) {
#if defined(__CUDACC__)
  SPAK_MMA_422("m16n8k16", "f32.f16.f16.f32", "+f");
#else
  SPAK_MMA_MODEL(f16, f32, 16);
#endif
}
SPAK_DEVICE void mma_f16(float (&d)[4], const uint32_t (&a)[2], const uint32_t (&b)[1] SPAK_AT_HERE) {
#if defined(__CUDACC__)
  SPAK_MMA_421("m16n8k8", "f32.f16.f16.f32", "+f");
#else
  SPAK_MMA_MODEL(f16, f32, 8);
#endif
}

/// D += A B, bf16 with f32 accumulators: m16n8k16, and m16n8k8 with the smaller fragments. sm_80 and later.
SPAK_DEVICE void mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2] SPAK_AT_HERE) {
#if defined(__CUDACC__)
  SPAK_MMA_422("m16n8k16", "f32.bf16.bf16.f32", "+f");
#else
  SPAK_MMA_MODEL(bf16, f32, 16);
#endif
}
SPAK_DEVICE void mma_bf16(float (&d)[4], const uint32_t (&a)[2], const uint32_t (&b)[1] SPAK_AT_HERE) {
#if defined(__CUDACC__)
  SPAK_MMA_421("m16n8k8", "f32.bf16.bf16.f32", "+f");
#else
  SPAK_MMA_MODEL(bf16, f32, 8);
#endif
}

/// D += A B, f16 with f16 accumulators, two in a register: m16n8k16, and m16n8k8 with the smaller fragments. sm_80 and later.
SPAK_DEVICE void mma_f16_f16(uint32_t (&d)[2], const uint32_t (&a)[4], const uint32_t (&b)[2] SPAK_AT_HERE) {
#if defined(__CUDACC__)
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16 {%0, %1}, {%2, %3, %4, %5}, {%6, %7}, {%0, %1};"
               : "+r"(d[0]), "+r"(d[1])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  SPAK_MMA_MODEL(f16, f16, 16);
#endif
}
SPAK_DEVICE void mma_f16_f16(uint32_t (&d)[2], const uint32_t (&a)[2], const uint32_t (&b)[1] SPAK_AT_HERE) {
#if defined(__CUDACC__)
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f16.f16.f16.f16 {%0, %1}, {%2, %3}, {%4}, {%0, %1};"
               : "+r"(d[0]), "+r"(d[1])
               : "r"(a[0]), "r"(a[1]), "r"(b[0]));
#else
  SPAK_MMA_MODEL(f16, f16, 8);
#endif
}

/// D += A B, tf32 with f32 accumulators: m16n8k8, and m16n8k4 with the smaller fragments. The low 13 bits of each element
/// are ignored: round with to_tf32 of <spak/cuda/tf32.h> first. sm_80 and later.
SPAK_DEVICE void mma_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2] SPAK_AT_HERE) {
#if defined(__CUDACC__)
  SPAK_MMA_422("m16n8k8", "f32.tf32.tf32.f32", "+f");
#else
  SPAK_MMA_MODEL(tf32, f32, 8);
#endif
}
SPAK_DEVICE void mma_tf32(float (&d)[4], const uint32_t (&a)[2], const uint32_t (&b)[1] SPAK_AT_HERE) {
#if defined(__CUDACC__)
  SPAK_MMA_421("m16n8k4", "f32.tf32.tf32.f32", "+f");
#else
  SPAK_MMA_MODEL(tf32, f32, 4);
#endif
}

/// D += A B, e4m3 with f32 accumulators: m16n8k32. sm_89 and later.
SPAK_DEVICE_SM90 void mma_e4m3(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2] SPAK_AT_HERE) {
  SPAK_NEEDS_SM89("mma_e4m3", Arch);
#if defined(__CUDACC__)
  SPAK_MMA_422("m16n8k32", "f32.e4m3.e4m3.f32", "+f");
#else
  SPAK_MMA_MODEL(e4m3, f32, 32);
#endif
}

/// D += A B, e5m2 with f32 accumulators: m16n8k32. sm_89 and later.
SPAK_DEVICE_SM90 void mma_e5m2(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2] SPAK_AT_HERE) {
  SPAK_NEEDS_SM89("mma_e5m2", Arch);
#if defined(__CUDACC__)
  SPAK_MMA_422("m16n8k32", "f32.e5m2.e5m2.f32", "+f");
#else
  SPAK_MMA_MODEL(e5m2, f32, 32);
#endif
}

/// D += A B, signed 8-bit integers with 32-bit accumulators that wrap: m16n8k32, and m16n8k16 with the smaller fragments.
/// sm_80 and later.
SPAK_DEVICE void mma_s8(int32_t (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2] SPAK_AT_HERE) {
#if defined(__CUDACC__)
  SPAK_MMA_422("m16n8k32", "s32.s8.s8.s32", "+r");
#else
  SPAK_MMA_MODEL(s8, s32, 32);
#endif
}
SPAK_DEVICE void mma_s8(int32_t (&d)[4], const uint32_t (&a)[2], const uint32_t (&b)[1] SPAK_AT_HERE) {
#if defined(__CUDACC__)
  SPAK_MMA_421("m16n8k16", "s32.s8.s8.s32", "+r");
#else
  SPAK_MMA_MODEL(s8, s32, 16);
#endif
}

/// D += A B, unsigned 8-bit integers with 32-bit accumulators that wrap: m16n8k32, and m16n8k16 with the smaller fragments.
/// sm_80 and later.
SPAK_DEVICE void mma_u8(int32_t (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2] SPAK_AT_HERE) {
#if defined(__CUDACC__)
  SPAK_MMA_422("m16n8k32", "s32.u8.u8.s32", "+r");
#else
  SPAK_MMA_MODEL(u8, s32, 32);
#endif
}
SPAK_DEVICE void mma_u8(int32_t (&d)[4], const uint32_t (&a)[2], const uint32_t (&b)[1] SPAK_AT_HERE) {
#if defined(__CUDACC__)
  SPAK_MMA_421("m16n8k16", "s32.u8.u8.s32", "+r");
#else
  SPAK_MMA_MODEL(u8, s32, 16);
#endif
}

#undef SPAK_NEEDS_SM89
#if defined(__CUDACC__)
#undef SPAK_MMA_422
#undef SPAK_MMA_421
#else
#undef SPAK_MMA_MODEL
#endif

}  // namespace spak
