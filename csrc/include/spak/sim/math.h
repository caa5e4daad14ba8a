// CUDA's mathematical functions that glibc does not have. Approximate instructions are computed as well as the host
// can: compare them within bounds. Knows nothing of the engine.
#pragma once
#include <math.h>

#include <cfenv>
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

namespace spak::sim {

constexpr double kPi = 3.14159265358979323846;

// sin(pi * x) with an exact reduction: multiples of a half give exact results.
inline double sin_pi(double x) {
  if (!std::isfinite(x)) return x - x;
  const double r = std::fmod(x, 2.0), q = std::nearbyint(2.0 * r), rest = r - 0.5 * q;
  switch (static_cast<int>(q) & 3) {
    case 0:
      return rest == 0.0 ? std::copysign(0.0, x) : std::sin(kPi * rest);
    case 1:
      return std::cos(kPi * rest);
    case 2:
      return rest == 0.0 ? std::copysign(0.0, x) : -std::sin(kPi * rest);
    default:
      return -std::cos(kPi * rest);
  }
}
inline double cos_pi(double x) {
  if (!std::isfinite(x)) return x - x;
  const double r = std::fmod(std::fabs(x), 2.0), q = std::nearbyint(2.0 * r), rest = r - 0.5 * q;
  switch (static_cast<int>(q) & 3) {
    case 0:
      return std::cos(kPi * rest);
    case 1:
      return rest == 0.0 ? 0.0 : -std::sin(kPi * rest);
    case 2:
      return -std::cos(kPi * rest);
    default:
      return rest == 0.0 ? 0.0 : std::sin(kPi * rest);
  }
}

// A rational start, then Halley's steps on erfc(z) = y (Press et al., "Numerical Recipes", 6.2).
inline double erfc_inverse(double y) {
  if (!(y >= 0.0 && y <= 2.0)) return std::numeric_limits<double>::quiet_NaN();
  if (y == 0.0) return std::numeric_limits<double>::infinity();
  if (y == 2.0) return -std::numeric_limits<double>::infinity();
  const double half = y < 1.0 ? y : 2.0 - y, t = std::sqrt(-2.0 * std::log(half / 2.0));
  double z = -0.70711 * ((2.30753 + t * 0.27061) / (1.0 + t * (0.99229 + t * 0.04481)) - t);
  for (int i = 0; i < 3; ++i) {
    const double error = std::erfc(z) - half;
    z += error / (1.12837916709551257 * std::exp(-z * z) - z * error);
  }
  return y < 1.0 ? z : -z;
}
inline double erf_inverse(double x) {
  if (!(std::fabs(x) < 0.5)) return erfc_inverse(1.0 - x);
  double z = 0.886226925452758 * x;
  for (int i = 0; i < 4; ++i) {
    const double error = std::erf(z) - x;
    z -= error / (1.12837916709551257 * std::exp(-z * z) + z * error);
  }
  return z;
}
// exp(x * x) * erfc(x); for large x the asymptotic series, as the factors overflow and vanish.
inline double erfc_scaled(double x) {
  if (x < 10.0) return std::exp(x * x) * std::erfc(x);
  double term = 1.0, sum = 1.0;
  for (int n = 1; n < 12; ++n) sum += term *= -(2 * n - 1) / (2.0 * x * x);
  return sum / (x * 1.77245385090551602730);
}

}  // namespace spak::sim

#if !defined(__GLIBC__) || __GLIBC__ < 2 || (__GLIBC__ == 2 && __GLIBC_MINOR__ < 42)
inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline double rsqrt(double x) { return 1.0 / sqrt(x); }
#endif
#if !defined(__GLIBC__) || __GLIBC__ < 2 || (__GLIBC__ == 2 && __GLIBC_MINOR__ < 41)
inline float sinpif(float x) { return static_cast<float>(spak::sim::sin_pi(x)); }
inline float cospif(float x) { return static_cast<float>(spak::sim::cos_pi(x)); }
inline double sinpi(double x) { return spak::sim::sin_pi(x); }
inline double cospi(double x) { return spak::sim::cos_pi(x); }
#endif
inline float rsqrt(float x) { return rsqrtf(x); }
inline void sincospif(float x, float* sine, float* cosine) { *sine = sinpif(x), *cosine = cospif(x); }
inline void sincospi(double x, double* sine, double* cosine) { *sine = sinpi(x), *cosine = cospi(x); }
inline float rcbrtf(float x) { return static_cast<float>(1.0 / cbrt(static_cast<double>(x))); }
inline double rcbrt(double x) { return 1.0 / cbrt(x); }
inline float rhypotf(float x, float y) {
  return static_cast<float>(1.0 / hypot(static_cast<double>(x), static_cast<double>(y)));
}
inline double rhypot(double x, double y) { return 1.0 / hypot(x, y); }
inline double norm3d(double x, double y, double z) { return std::hypot(x, y, z); }
inline double norm4d(double x, double y, double z, double w) { return std::hypot(std::hypot(x, y), std::hypot(z, w)); }
inline float norm3df(float x, float y, float z) { return static_cast<float>(norm3d(x, y, z)); }
inline float norm4df(float x, float y, float z, float w) { return static_cast<float>(norm4d(x, y, z, w)); }
inline double rnorm3d(double x, double y, double z) { return 1.0 / norm3d(x, y, z); }
inline double rnorm4d(double x, double y, double z, double w) { return 1.0 / norm4d(x, y, z, w); }
inline float rnorm3df(float x, float y, float z) { return static_cast<float>(rnorm3d(x, y, z)); }
inline float rnorm4df(float x, float y, float z, float w) { return static_cast<float>(rnorm4d(x, y, z, w)); }
inline double norm(int n, const double* p) {
  double length = 0.0;
  for (int i = 0; i < n; ++i) length = std::hypot(length, p[i]);
  return length;
}
inline float normf(int n, const float* p) {
  double sum = 0.0;
  for (int i = 0; i < n; ++i) sum += static_cast<double>(p[i]) * p[i];
  return static_cast<float>(std::sqrt(sum));
}
inline double rnorm(int n, const double* p) { return 1.0 / norm(n, p); }
inline float rnormf(int n, const float* p) { return 1.0f / normf(n, p); }
inline double erfcinv(double x) { return spak::sim::erfc_inverse(x); }
inline double erfinv(double x) { return spak::sim::erf_inverse(x); }
inline double erfcx(double x) { return spak::sim::erfc_scaled(x); }
inline double normcdf(double x) { return 0.5 * erfc(-x * 0.70710678118654752440); }
inline double normcdfinv(double x) { return -1.41421356237309504880 * erfcinv(2.0 * x); }
inline float erfcinvf(float x) { return static_cast<float>(erfcinv(x)); }
inline float erfinvf(float x) { return static_cast<float>(erfinv(x)); }
inline float erfcxf(float x) { return static_cast<float>(erfcx(x)); }
inline float normcdff(float x) { return static_cast<float>(normcdf(x)); }
inline float normcdfinvf(float x) { return static_cast<float>(normcdfinv(x)); }
inline double cyl_bessel_i0(double x) { return std::cyl_bessel_i(0.0, std::fabs(x)); }
inline double cyl_bessel_i1(double x) { return std::copysign(std::cyl_bessel_i(1.0, std::fabs(x)), x); }
inline float cyl_bessel_i0f(float x) { return static_cast<float>(cyl_bessel_i0(x)); }
inline float cyl_bessel_i1f(float x) { return static_cast<float>(cyl_bessel_i1(x)); }
inline unsigned umin(unsigned x, unsigned y) { return x < y ? x : y; }
inline unsigned umax(unsigned x, unsigned y) { return x > y ? x : y; }
inline long long llmin(long long x, long long y) { return x < y ? x : y; }
inline long long llmax(long long x, long long y) { return x > y ? x : y; }
inline unsigned long long ullmin(unsigned long long x, unsigned long long y) { return x < y ? x : y; }
inline unsigned long long ullmax(unsigned long long x, unsigned long long y) { return x > y ? x : y; }
inline float fdividef(float x, float y) { return x / y; }
inline float __fdividef(float x, float y) { return x / y; }
inline float __tanhf(float x) { return tanhf(x); }
inline float __saturatef(float x) { return x > 0.0f ? (x < 1.0f ? x : 1.0f) : 0.0f; }  // NaN gives 0
inline float __frsqrt_rn(float x) { return static_cast<float>(1.0 / sqrt(static_cast<double>(x))); }

namespace spak::sim {

// One operation in another rounding mode. To the compiler operands and result change in between, for reasons that it
// cannot see: it leaves the operation there. (It does fold volatile variables with constants in them.)
template <int Mode, typename T, typename F, typename... A>
inline T rounded(F operation, A... operands) {
  const int before = std::fegetround();
  std::fesetround(Mode);
  (__extension__({ __asm__ volatile("" : "+m"(operands) : : "memory"); }), ...);
  T result = operation(operands...);
  __asm__ volatile("" : "+m"(result) : : "memory");
  std::fesetround(before);
  return result;
}

}  // namespace spak::sim

// NOLINTBEGIN: a name for each mode, as CUDA has them
#define SPAK_SIM_MODES(M) M(rz, FE_TOWARDZERO) M(ru, FE_UPWARD) M(rd, FE_DOWNWARD)
#define SPAK_SIM_ROUNDED(T, letter, fused)                   \
  inline T __##letter##add_rn(T x, T y) { return x + y; }    \
  inline T __##letter##sub_rn(T x, T y) { return x - y; }    \
  inline T __##letter##mul_rn(T x, T y) { return x * y; }    \
  inline T __##letter##div_rn(T x, T y) { return x / y; }    \
  inline T __##letter##rcp_rn(T x) { return T(1) / x; }      \
  inline T __##letter##sqrt_rn(T x) { return std::sqrt(x); } \
  inline T fused##_rn(T x, T y, T z) { return std::fma(x, y, z); }
#define SPAK_SIM_ROUNDED_MODE(T, letter, fused, mode, M)                                       \
  inline T __##letter##add_##mode(T x, T y) {                                                  \
    return spak::sim::rounded<M, T>([](T a, T b) { return a + b; }, x, y);                     \
  }                                                                                            \
  inline T __##letter##sub_##mode(T x, T y) {                                                  \
    return spak::sim::rounded<M, T>([](T a, T b) { return a - b; }, x, y);                     \
  }                                                                                            \
  inline T __##letter##mul_##mode(T x, T y) {                                                  \
    return spak::sim::rounded<M, T>([](T a, T b) { return a * b; }, x, y);                     \
  }                                                                                            \
  inline T __##letter##div_##mode(T x, T y) {                                                  \
    return spak::sim::rounded<M, T>([](T a, T b) { return a / b; }, x, y);                     \
  }                                                                                            \
  inline T __##letter##rcp_##mode(T x) {                                                       \
    return spak::sim::rounded<M, T>([](T a) { return T(1) / a; }, x);                          \
  }                                                                                            \
  inline T __##letter##sqrt_##mode(T x) {                                                      \
    return spak::sim::rounded<M, T>([](T a) { return std::sqrt(a); }, x);                      \
  }                                                                                            \
  inline T fused##_##mode(T x, T y, T z) {                                                     \
    return spak::sim::rounded<M, T>([](T a, T b, T c) { return std::fma(a, b, c); }, x, y, z); \
  }
#define SPAK_SIM_CONVERTED(mode, M)                                                                       \
  SPAK_SIM_ROUNDED_MODE(float, f, __fmaf, mode, M)                                                        \
  SPAK_SIM_ROUNDED_MODE(double, d, __fma, mode, M)                                                        \
  inline float __double2float_##mode(double x) {                                                          \
    return spak::sim::rounded<M, float>([](double a) { return static_cast<float>(a); }, x);               \
  }                                                                                                       \
  inline float __int2float_##mode(int x) {                                                                \
    return spak::sim::rounded<M, float>([](int a) { return static_cast<float>(a); }, x);                  \
  }                                                                                                       \
  inline float __uint2float_##mode(unsigned x) {                                                          \
    return spak::sim::rounded<M, float>([](unsigned a) { return static_cast<float>(a); }, x);             \
  }                                                                                                       \
  inline float __ll2float_##mode(long long x) {                                                           \
    return spak::sim::rounded<M, float>([](long long a) { return static_cast<float>(a); }, x);            \
  }                                                                                                       \
  inline float __ull2float_##mode(unsigned long long x) {                                                 \
    return spak::sim::rounded<M, float>([](unsigned long long a) { return static_cast<float>(a); }, x);   \
  }                                                                                                       \
  inline double __ll2double_##mode(long long x) {                                                         \
    return spak::sim::rounded<M, double>([](long long a) { return static_cast<double>(a); }, x);          \
  }                                                                                                       \
  inline double __ull2double_##mode(unsigned long long x) {                                               \
    return spak::sim::rounded<M, double>([](unsigned long long a) { return static_cast<double>(a); }, x); \
  }
SPAK_SIM_ROUNDED(float, f, __fmaf)
SPAK_SIM_ROUNDED(double, d, __fma)
SPAK_SIM_MODES(SPAK_SIM_CONVERTED)
#undef SPAK_SIM_CONVERTED
#undef SPAK_SIM_ROUNDED_MODE
#undef SPAK_SIM_ROUNDED
#undef SPAK_SIM_MODES
// NOLINTEND
inline float __fmaf_ieee_rn(float x, float y, float z) { return fmaf(x, y, z); }

namespace spak::sim {

// Conversions to integers saturate; NaN becomes 0, in 64 bits the sign bit alone: what the toolkit's host code does, and cvt.
template <typename To, typename From>
inline To to_integer(From x) {
  if (x != x) return sizeof(To) == 8 ? static_cast<To>(1ull << 63) : To{0};
  if (x <= static_cast<From>(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
  if (x >= static_cast<From>(std::numeric_limits<To>::max())) return std::numeric_limits<To>::max();
  return static_cast<To>(x);
}

}  // namespace spak::sim

#define SPAK_SIM_TO_INTEGER(name, From, To)                                            \
  inline To name##_rn(From x) { return spak::sim::to_integer<To>(std::nearbyint(x)); } \
  inline To name##_rz(From x) { return spak::sim::to_integer<To>(std::trunc(x)); }     \
  inline To name##_ru(From x) { return spak::sim::to_integer<To>(std::ceil(x)); }      \
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
#define SPAK_SIM_MIN_MAX(A, B, T)                                                                                     \
  constexpr T min(A a, B b) { return static_cast<T>(a) < static_cast<T>(b) ? static_cast<T>(a) : static_cast<T>(b); } \
  constexpr T max(A a, B b) { return static_cast<T>(a) > static_cast<T>(b) ? static_cast<T>(a) : static_cast<T>(b); }
#define SPAK_SIM_MIN_MAX_INTEGER(T)                    \
  SPAK_SIM_MIN_MAX(T, T, T)                            \
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
