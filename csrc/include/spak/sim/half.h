// f16 and bf16: the toolkit's own headers, which give types, conversions and arithmetic to the host, and here the rest
// that they keep for devices. Knows nothing of the engine beyond shuffles and atomics, which are templates already.
#pragma once
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <spak/sim/builtins.h>

namespace spak::sim {

inline float wide(__half x) { return __half2float(x); }
inline float wide(__nv_bfloat16 x) { return __bfloat162float(x); }
inline void narrow(float x, __half& out) { out = __float2half_rn(x); }
inline void narrow(float x, __nv_bfloat16& out) { out = __float2bfloat16_rn(x); }
inline void narrow(double x, __half& out) { out = __double2half(x); }
inline void narrow(double x, __nv_bfloat16& out) { out = __double2bfloat16(x); }

// a * b + c rounded once. The product is exact in double; the sum is rounded to odd, so that rounding it again to the
// narrow type is the same as rounding the exact sum (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums").
template <typename T>
inline T fused(T a, T b, T c) {
  const double p = static_cast<double>(wide(a)) * wide(b), q = wide(c);
  double sum = p + q;
  if (std::isfinite(sum)) {
    const double back = sum - p, error = (p - (sum - back)) + (q - back);
    if (error != 0 && !(cast_bits<std::uint64_t>(sum) & 1))
      sum = std::nextafter(
          sum, error > 0 ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity());
  }
  T out;
  narrow(sum, out);
  return out;
}

template <typename T, typename F>
inline T map(T x, F f) {
  T out;
  narrow(f(wide(x)), out);
  return out;
}

template <typename T>
inline T saturate(T x) {
  return map(x, [](float v) { return __saturatef(v); });
}

template <typename T>
inline T relu(T x) {
  return map(x, [](float v) { return v != v || v > 0.0f ? v : 0.0f; });
}

// To bf16 in a direction: `up` where what does not fit moves away from zero. The result fits in an f32 as it is.
template <typename Integer>
inline __nv_bfloat16 directed_bf16(Integer x, bool up_if_positive, bool up_if_negative) {
  const bool negative = x < 0;
  unsigned long long magnitude =
      negative ? 0ull - static_cast<unsigned long long>(x) : static_cast<unsigned long long>(x);
  int dropped = 0;
  if (magnitude >> 8) {
    dropped = 56 - __builtin_clzll(magnitude);
    const bool exact = (magnitude & ((1ull << dropped) - 1)) == 0;
    magnitude = (magnitude >> dropped) + (!exact && (negative ? up_if_negative : up_if_positive));
  }
  const float value = ldexpf(static_cast<float>(magnitude), dropped);
  return __float2bfloat16_rn(negative ? -value : value);
}

}  // namespace spak::sim

#define SPAK_SIM_INTEGER_TO_BF16(prefix, From)                                                                      \
  inline __nv_bfloat16 __##prefix##2bfloat16_rz(const From x) { return spak::sim::directed_bf16(x, false, false); } \
  inline __nv_bfloat16 __##prefix##2bfloat16_ru(const From x) { return spak::sim::directed_bf16(x, true, false); }  \
  inline __nv_bfloat16 __##prefix##2bfloat16_rd(const From x) { return spak::sim::directed_bf16(x, false, true); }
SPAK_SIM_INTEGER_TO_BF16(int, int)
SPAK_SIM_INTEGER_TO_BF16(uint, unsigned int)
SPAK_SIM_INTEGER_TO_BF16(short, short)
SPAK_SIM_INTEGER_TO_BF16(ushort, unsigned short)
SPAK_SIM_INTEGER_TO_BF16(ll, long long)
SPAK_SIM_INTEGER_TO_BF16(ull, unsigned long long)
#undef SPAK_SIM_INTEGER_TO_BF16

#define SPAK_SIM_HALF_MAP(T, T2, name, name2, expression)                  \
  inline T name(const T x) {                                               \
    return spak::sim::map(x, [](float v) -> float { return expression; }); \
  }                                                                        \
  inline T2 name2(const T2 x) { return T2(name(x.x), name(x.y)); }

#define SPAK_SIM_HALF(T, T2)                                                                                      \
  inline T __hfma(const T a, const T b, const T c) { return spak::sim::fused(a, b, c); }                          \
  inline T __hfma_sat(const T a, const T b, const T c) { return spak::sim::saturate(spak::sim::fused(a, b, c)); } \
  inline T __hfma_relu(const T a, const T b, const T c) { return spak::sim::relu(spak::sim::fused(a, b, c)); }    \
  inline T2 __hfma2(const T2 a, const T2 b, const T2 c) {                                                         \
    return T2(spak::sim::fused(a.x, b.x, c.x), spak::sim::fused(a.y, b.y, c.y));                                  \
  }                                                                                                               \
  inline T2 __hfma2_sat(const T2 a, const T2 b, const T2 c) {                                                     \
    return T2(__hfma_sat(a.x, b.x, c.x), __hfma_sat(a.y, b.y, c.y));                                              \
  }                                                                                                               \
  inline T2 __hfma2_relu(const T2 a, const T2 b, const T2 c) {                                                    \
    return T2(__hfma_relu(a.x, b.x, c.x), __hfma_relu(a.y, b.y, c.y));                                            \
  }                                                                                                               \
  inline T2 __hcmadd(const T2 a, const T2 b, const T2 c) {                                                        \
    const T re = spak::sim::fused(a.x, b.x, c.x), im = spak::sim::fused(a.x, b.y, c.y);                           \
    return T2(spak::sim::fused(__hneg(a.y), b.y, re), spak::sim::fused(a.y, b.x, im));                            \
  }                                                                                                               \
  SPAK_SIM_HALF_MAP(T, T2, htrunc, h2trunc, truncf(v))                                                            \
  SPAK_SIM_HALF_MAP(T, T2, hceil, h2ceil, ceilf(v))                                                               \
  SPAK_SIM_HALF_MAP(T, T2, hfloor, h2floor, floorf(v))                                                            \
  SPAK_SIM_HALF_MAP(T, T2, hrint, h2rint, nearbyintf(v))                                                          \
  SPAK_SIM_HALF_MAP(T, T2, hsqrt, h2sqrt, sqrtf(v))                                                               \
  SPAK_SIM_HALF_MAP(T, T2, hrsqrt, h2rsqrt, 1.0f / sqrtf(v))                                                      \
  SPAK_SIM_HALF_MAP(T, T2, hrcp, h2rcp, 1.0f / v)                                                                 \
  SPAK_SIM_HALF_MAP(T, T2, hlog, h2log, logf(v))                                                                  \
  SPAK_SIM_HALF_MAP(T, T2, hlog2, h2log2, log2f(v))                                                               \
  SPAK_SIM_HALF_MAP(T, T2, hlog10, h2log10, log10f(v))                                                            \
  SPAK_SIM_HALF_MAP(T, T2, hexp, h2exp, expf(v))                                                                  \
  SPAK_SIM_HALF_MAP(T, T2, hexp2, h2exp2, exp2f(v))                                                               \
  SPAK_SIM_HALF_MAP(T, T2, hexp10, h2exp10, exp10f(v))                                                            \
  SPAK_SIM_HALF_MAP(T, T2, htanh, h2tanh, tanhf(v))                                                               \
  SPAK_SIM_HALF_MAP(T, T2, htanh_approx, h2tanh_approx, tanhf(v))                                                 \
  SPAK_SIM_HALF_MAP(T, T2, hcos, h2cos, cosf(v))                                                                  \
  SPAK_SIM_HALF_MAP(T, T2, hsin, h2sin, sinf(v))                                                                  \
  inline T atomicAdd(T* address, const T value) {                                                                 \
    return spak::sim::update(address, [value](T old) { return __hadd(old, value); });                             \
  }                                                                                                               \
  inline T2 atomicAdd(T2* address, const T2 value) {                                                              \
    return spak::sim::update(address, [value](T2 old) { return __hadd2(old, value); });                           \
  }
SPAK_SIM_HALF(__half, __half2)
SPAK_SIM_HALF(__nv_bfloat16, __nv_bfloat162)
#undef SPAK_SIM_HALF
#undef SPAK_SIM_HALF_MAP

#define SPAK_SIM_HALF_TO_INTEGER(suffix, To)                                                                  \
  inline To __half2##suffix##_rn(__half x) { return spak::sim::to_integer<To>(nearbyintf(__half2float(x))); } \
  inline To __half2##suffix##_ru(__half x) { return spak::sim::to_integer<To>(ceilf(__half2float(x))); }      \
  inline To __half2##suffix##_rd(__half x) { return spak::sim::to_integer<To>(floorf(__half2float(x))); }     \
  inline To __bfloat162##suffix##_rn(__nv_bfloat16 x) {                                                       \
    return spak::sim::to_integer<To>(nearbyintf(__bfloat162float(x)));                                        \
  }                                                                                                           \
  inline To __bfloat162##suffix##_ru(__nv_bfloat16 x) {                                                       \
    return spak::sim::to_integer<To>(ceilf(__bfloat162float(x)));                                             \
  }                                                                                                           \
  inline To __bfloat162##suffix##_rd(__nv_bfloat16 x) { return spak::sim::to_integer<To>(floorf(__bfloat162float(x))); }
SPAK_SIM_HALF_TO_INTEGER(int, int)
SPAK_SIM_HALF_TO_INTEGER(uint, unsigned)
SPAK_SIM_HALF_TO_INTEGER(short, short)
SPAK_SIM_HALF_TO_INTEGER(ushort, unsigned short)
SPAK_SIM_HALF_TO_INTEGER(ll, long long)
SPAK_SIM_HALF_TO_INTEGER(ull, unsigned long long)
#undef SPAK_SIM_HALF_TO_INTEGER
