// <spak/cuda/half.h>: __half, __half2, __nv_bfloat16, __nv_bfloat162 with the toolkit's own operators and functions, and
// conversions that are spelled the same for every element type. Knows nothing of rounding modes but to-nearest-even.
#pragma once
#include <spak/cuda/device.h>

#if defined(__CUDACC__)
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#else
#include <spak/sim/half.h>
#endif

namespace spak {

/// f32 value of an element of any floating-point type; exact.
SPAK_DEVICE float to_float(float x) { return x; }
SPAK_DEVICE float to_float(__half x) { return __half2float(x); }
SPAK_DEVICE float to_float(__nv_bfloat16 x) { return __bfloat162float(x); }

/// Both f32 values of a pair; exact.
SPAK_DEVICE float2 to_float2(__half2 x) { return __half22float2(x); }
SPAK_DEVICE float2 to_float2(__nv_bfloat162 x) { return __bfloat1622float2(x); }

template <typename T>
struct FromFloat;
template <>
struct FromFloat<float> {
  SPAK_DEVICE static float of(float x) { return x; }
};
template <>
struct FromFloat<__half> {
  SPAK_DEVICE static __half of(float x) { return __float2half_rn(x); }
};
template <>
struct FromFloat<__nv_bfloat16> {
  SPAK_DEVICE static __nv_bfloat16 of(float x) { return __float2bfloat16_rn(x); }
};

/// `x` as a T (float, __half or __nv_bfloat16), rounded to nearest even; too large becomes infinity.
template <typename T>
SPAK_DEVICE T from_float(float x) {
  return FromFloat<T>::of(x);
}

}  // namespace spak
