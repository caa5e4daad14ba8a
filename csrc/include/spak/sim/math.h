// CUDA's mathematical functions that glibc does not have. Approximate instructions are computed as well as the host
// can: compare them within bounds. Knows nothing of the engine.
#pragma once
#include <math.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

// glibc declares these names for itself, without defining them for others.
#define __expf expf
#define __exp10f exp10f
#define __logf logf
#define __log2f log2f
#define __log10f log10f
#define __sinf sinf
#define __cosf cosf
#define __tanf tanf
#define __powf powf
#define __sincosf sincosf

#if !defined(__GLIBC__) || __GLIBC__ < 2 || (__GLIBC__ == 2 && __GLIBC_MINOR__ < 42)
inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline double rsqrt(double x) { return 1.0 / sqrt(x); }
inline float rsqrt(float x) { return rsqrtf(x); }
inline float sinpif(float x) { return sinf(3.14159265358979323846f * fmodf(x, 2.0f)); }
inline float cospif(float x) { return cosf(3.14159265358979323846f * fmodf(x, 2.0f)); }
inline double sinpi(double x) { return sin(3.14159265358979323846 * fmod(x, 2.0)); }
inline double cospi(double x) { return cos(3.14159265358979323846 * fmod(x, 2.0)); }
#else
inline float rsqrt(float x) { return rsqrtf(x); }
#endif
inline float rcbrtf(float x) { return 1.0f / cbrtf(x); }
inline double rcbrt(double x) { return 1.0 / cbrt(x); }
inline float rhypotf(float x, float y) { return 1.0f / hypotf(x, y); }
inline double rhypot(double x, double y) { return 1.0 / hypot(x, y); }
inline float normcdff(float x) { return 0.5f * erfcf(-x * 0.70710678118654752440f); }
inline double normcdf(double x) { return 0.5 * erfc(-x * 0.70710678118654752440); }
inline float erfcxf(float x) { return static_cast<float>(exp(static_cast<double>(x) * x) * erfc(static_cast<double>(x))); }
inline float fdividef(float x, float y) { return x / y; }
inline float __fdividef(float x, float y) { return x / y; }
inline float __tanhf(float x) { return tanhf(x); }
inline float __saturatef(float x) { return x > 0.0f ? (x < 1.0f ? x : 1.0f) : 0.0f; }  // NaN gives 0
inline float __frsqrt_rn(float x) { return static_cast<float>(1.0 / sqrt(static_cast<double>(x))); }

#define SPAK_SIM_ROUNDED(T, letter)                                                  \
  inline T __##letter##add_rn(T x, T y) { return x + y; }                            \
  inline T __##letter##sub_rn(T x, T y) { return x - y; }                            \
  inline T __##letter##mul_rn(T x, T y) { return x * y; }                            \
  inline T __##letter##div_rn(T x, T y) { return x / y; }                            \
  inline T __##letter##rcp_rn(T x) { return T(1) / x; }                              \
  inline T __##letter##sqrt_rn(T x) { return std::sqrt(x); }
SPAK_SIM_ROUNDED(float, f)
SPAK_SIM_ROUNDED(double, d)
#undef SPAK_SIM_ROUNDED
inline float __fmaf_rn(float x, float y, float z) { return fmaf(x, y, z); }
inline double __fma_rn(double x, double y, double z) { return fma(x, y, z); }

namespace spak::sim {

// Conversions to integers saturate; NaN becomes 0, as the PTX ISA says of cvt for 32-bit results.
template <typename To, typename From>
inline To to_integer(From x) {
  if (x != x) return 0;
  if (x <= static_cast<From>(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
  if (x >= static_cast<From>(std::numeric_limits<To>::max())) return std::numeric_limits<To>::max();
  return static_cast<To>(x);
}

}  // namespace spak::sim

#define SPAK_SIM_TO_INTEGER(name, From, To)                                                    \
  inline To name##_rn(From x) { return spak::sim::to_integer<To>(std::nearbyint(x)); }        \
  inline To name##_rz(From x) { return spak::sim::to_integer<To>(std::trunc(x)); }            \
  inline To name##_ru(From x) { return spak::sim::to_integer<To>(std::ceil(x)); }             \
  inline To name##_rd(From x) { return spak::sim::to_integer<To>(std::floor(x)); }
SPAK_SIM_TO_INTEGER(__float2int, float, int)
SPAK_SIM_TO_INTEGER(__float2uint, float, unsigned)
SPAK_SIM_TO_INTEGER(__float2ll, float, long long)
SPAK_SIM_TO_INTEGER(__float2ull, float, unsigned long long)
SPAK_SIM_TO_INTEGER(__double2int, double, int)
SPAK_SIM_TO_INTEGER(__double2uint, double, unsigned)
SPAK_SIM_TO_INTEGER(__double2ll, double, long long)
SPAK_SIM_TO_INTEGER(__double2ull, double, unsigned long long)
#undef SPAK_SIM_TO_INTEGER

inline float __int2float_rn(int x) { return static_cast<float>(x); }
inline float __uint2float_rn(unsigned x) { return static_cast<float>(x); }
inline float __ll2float_rn(long long x) { return static_cast<float>(x); }
inline float __ull2float_rn(unsigned long long x) { return static_cast<float>(x); }
inline double __int2double_rn(int x) { return x; }
inline double __uint2double_rn(unsigned x) { return x; }
inline double __ll2double_rn(long long x) { return static_cast<double>(x); }
inline double __ull2double_rn(unsigned long long x) { return static_cast<double>(x); }
inline float __double2float_rn(double x) { return static_cast<float>(x); }

// min and max, in CUDA's own set of overloads: what is ambiguous there must be so here. Of floating-point numbers, the
// other one if one is NaN.
#define SPAK_SIM_MIN_MAX(A, B, T)                                                                                           \
  constexpr T min(A a, B b) { return static_cast<T>(a) < static_cast<T>(b) ? static_cast<T>(a) : static_cast<T>(b); }      \
  constexpr T max(A a, B b) { return static_cast<T>(a) > static_cast<T>(b) ? static_cast<T>(a) : static_cast<T>(b); }
#define SPAK_SIM_MIN_MAX_INTEGER(T)      \
  SPAK_SIM_MIN_MAX(T, T, T)              \
  SPAK_SIM_MIN_MAX(unsigned T, unsigned T, unsigned T) \
  SPAK_SIM_MIN_MAX(T, unsigned T, unsigned T)          \
  SPAK_SIM_MIN_MAX(unsigned T, T, unsigned T)
SPAK_SIM_MIN_MAX_INTEGER(int)
SPAK_SIM_MIN_MAX_INTEGER(long)
SPAK_SIM_MIN_MAX_INTEGER(long long)
#undef SPAK_SIM_MIN_MAX_INTEGER
#undef SPAK_SIM_MIN_MAX
inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline double max(double a, double b) { return fmax(a, b); }
inline double min(float a, double b) { return fmin(static_cast<double>(a), b); }
inline double max(float a, double b) { return fmax(static_cast<double>(a), b); }
inline double min(double a, float b) { return fmin(a, static_cast<double>(b)); }
inline double max(double a, float b) { return fmax(a, static_cast<double>(b)); }
