// <spak/cuda/tf32.h>: f32 values rounded to tf32, the input format of tensor cores with 8 bits of exponent and 10 of
// fraction. Knows nothing of matrices.
#pragma once
#include <spak/cuda/device.h>

#if !defined(__CUDACC__)
#include <spak/sim/model/formats.h>
#endif

namespace spak {

/// `x` rounded to tf32, to nearest, ties away from zero (cvt.rna.tf32.f32): the bits of an f32 whose low 13 bits are zero.
/// Feed it to mma_tf32 and wgmma_tf32; tensor cores ignore the low 13 bits of what was not rounded, which is rounding
/// towards zero. Any one thread may call it. sm_80 and later.
SPAK_DEVICE uint32_t to_tf32(float x) {
#if defined(__CUDACC__)
  uint32_t bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
  return bits;
#else
  return ::spak::sim::round_tf32(x);
#endif
}

}  // namespace spak
