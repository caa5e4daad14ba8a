// <spak/cuda/fp8.h>: __nv_fp8_e4m3 and __nv_fp8_e5m2 with the toolkit's own functions, and conversions spelled as in
// <spak/cuda/half.h>. Knows nothing of scaling: the caller keeps values in range.
#pragma once
#include <cuda_fp8.h>
#include <spak/cuda/half.h>

namespace spak {

/// f32 value of an 8-bit element; exact. e4m3: largest 448, no infinity; e5m2: largest 57344, with infinity.
SPAK_DEVICE float to_float(__nv_fp8_e4m3 x) { return static_cast<float>(x); }
SPAK_DEVICE float to_float(__nv_fp8_e5m2 x) { return static_cast<float>(x); }

/// Both f32 values of a pair; exact.
SPAK_DEVICE float2 to_float2(__nv_fp8x2_e4m3 x) { return static_cast<float2>(x); }
SPAK_DEVICE float2 to_float2(__nv_fp8x2_e5m2 x) { return static_cast<float2>(x); }

// from_float<__nv_fp8_e4m3>(x): rounded to nearest even, and what is too large becomes the largest finite value; NaN stays.
template <>
struct FromFloat<__nv_fp8_e4m3> {
  SPAK_DEVICE static __nv_fp8_e4m3 of(float x) { return __nv_fp8_e4m3(x); }
};
template <>
struct FromFloat<__nv_fp8_e5m2> {
  SPAK_DEVICE static __nv_fp8_e5m2 of(float x) { return __nv_fp8_e5m2(x); }
};

/// Two f32 values as a pair of 8-bit elements (`x` in the low byte), rounded to nearest even; what is too large becomes the
/// largest finite value, NaN stays NaN.
SPAK_DEVICE __nv_fp8x2_e4m3 to_e4m3x2(float2 x) { return __nv_fp8x2_e4m3(x); }
SPAK_DEVICE __nv_fp8x2_e5m2 to_e5m2x2(float2 x) { return __nv_fp8x2_e5m2(x); }

}  // namespace spak
