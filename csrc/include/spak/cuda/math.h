// <spak/cuda/math.h>: constants and elementwise functions in f32. Knows nothing of threads.
//
// CUDA's own functions need no header: expf, logf, sqrtf, rsqrtf, tanhf, erff, fmaf, fminf, fmaxf, powf, sinf, cosf,
// min, max, abs, and the faster approximations __expf, __logf, __fdividef, __saturatef.
#pragma once
#include <spak/cuda/device.h>

namespace spak {

/// Positive infinity.
SPAK_DEVICE float infinity() { return __int_as_float(0x7F800000); }

/// A quiet NaN.
SPAK_DEVICE float quiet_nan() { return __int_as_float(0x7FC00000); }

template <typename T>
struct Bounds;
template <>
struct Bounds<float> {
  SPAK_DEVICE static float lowest() { return __int_as_float(static_cast<int>(0xFF800000u)); }
  SPAK_DEVICE static float highest() { return __int_as_float(0x7F800000); }
};
template <>
struct Bounds<double> {
  SPAK_DEVICE static double lowest() { return __longlong_as_double(static_cast<long long>(0xFFF0000000000000ull)); }
  SPAK_DEVICE static double highest() { return __longlong_as_double(0x7FF0000000000000ll); }
};
template <>
struct Bounds<int> {
  SPAK_DEVICE static int lowest() { return -2147483647 - 1; }
  SPAK_DEVICE static int highest() { return 2147483647; }
};
template <>
struct Bounds<unsigned> {
  SPAK_DEVICE static unsigned lowest() { return 0u; }
  SPAK_DEVICE static unsigned highest() { return 0xFFFFFFFFu; }
};

/// What no T is below: the neutral element of max. -infinity for float and double. T: float, double, int, unsigned.
template <typename T>
SPAK_DEVICE T lowest() {
  return Bounds<T>::lowest();
}

/// What no T is above: the neutral element of min. Infinity for float and double. T: float, double, int, unsigned.
template <typename T>
SPAK_DEVICE T highest() {
  return Bounds<T>::highest();
}

/// 1 / (1 + exp(-x)) in f32, without overflow for any x.
SPAK_DEVICE float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

/// x * sigmoid(x).
SPAK_DEVICE float silu(float x) { return x / (1.0f + expf(-x)); }

/// x * Phi(x), with the error function.
SPAK_DEVICE float gelu(float x) { return 0.5f * x * (1.0f + erff(x * 0.70710678118654752440f)); }

}  // namespace spak
