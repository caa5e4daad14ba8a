// Arithmetic of inline PTX on f16 and bf16, alone and in pairs. Knows nothing of the toolkit's types.
#pragma once
#include <spak/sim/model/formats.h>
#include <spak/sim/model/ptx_memory.h>

#include <bit>
#include <cmath>
#include <cstdint>

namespace spak::sim::ptx {

template <bool Bf16>
inline double from_half(std::uint16_t bits) {
  return decode(Bf16 ? Format::bf16 : Format::f16, bits);
}

// To nearest even, once.
template <bool Bf16>
inline std::uint16_t to_half(double x, bool relu) {
  if (relu && !(x > 0) && x == x) x = 0;
  if constexpr (!Bf16) {
    return round_f16(x);
  } else {
    if (x != x) return 0x7FFF;
    // To f32 towards the neighbour with an odd last bit: that says that there was a rest, and cannot become a tie.
    const float nearest = static_cast<float>(x);
    std::uint32_t bits = std::bit_cast<std::uint32_t>(nearest);
    if (std::isfinite(nearest) && static_cast<double>(nearest) != x && !(bits & 1))
      bits += std::fabs(static_cast<double>(nearest)) < std::fabs(x) ? 1 : -1;
    if ((bits & 0x7F800000u) == 0x7F800000u) return static_cast<std::uint16_t>(bits >> 16);
    return static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
  }
}

template <bool Bf16>
inline std::uint32_t pack_halves(float low, float high, bool relu) {
  return static_cast<std::uint32_t>(to_half<Bf16>(high, relu)) << 16 | to_half<Bf16>(low, relu);
}

// x y + z in f64, towards an odd last bit where it is not exact, so that rounding it again is rounding once.
inline double fma_to_odd(double x, double y, double z) {
  const double product = x * y, sum = product + z;  // the product of two halves is exact
  const double other = sum - product, rest = (product - (sum - other)) + (z - other);
  if (!std::isfinite(sum) || rest == 0) return sum;
  auto bits = std::bit_cast<std::uint64_t>(sum);
  if (!(bits & 1)) bits += (rest > 0) == (sum > 0) ? 1 : -1;
  return std::bit_cast<double>(bits);
}

enum class HalfOp { add_, sub_, mul_, fma_, min_, max_, neg_, abs_, ex2_, tanh_ };

template <HalfOp Op, bool Bf16>
inline std::uint16_t half_op(bool nan, bool relu, std::uint16_t a, std::uint16_t b = 0, std::uint16_t c = 0) {
  if constexpr (Op == HalfOp::neg_) return a ^ 0x8000;
  if constexpr (Op == HalfOp::abs_) return a & 0x7FFF;
  const double x = from_half<Bf16>(a), y = from_half<Bf16>(b), z = from_half<Bf16>(c);
  double out = 0;
  if constexpr (Op == HalfOp::add_) out = fma_to_odd(x, 1, y);
  if constexpr (Op == HalfOp::sub_) out = fma_to_odd(x, 1, -y);
  if constexpr (Op == HalfOp::mul_) out = x * y;
  if constexpr (Op == HalfOp::fma_) out = fma_to_odd(x, y, z);
  if constexpr (Op == HalfOp::min_) out = nan && (x != x || y != y) ? NAN : std::fmin(x, y);
  if constexpr (Op == HalfOp::max_) out = nan && (x != x || y != y) ? NAN : std::fmax(x, y);
  if constexpr (Op == HalfOp::ex2_) out = std::exp2(x);
  if constexpr (Op == HalfOp::tanh_) out = std::tanh(x);
  return to_half<Bf16>(out, relu);
}

template <HalfOp Op, bool Bf16>
inline std::uint32_t half2_op(bool nan, bool relu, std::uint32_t a, std::uint32_t b = 0, std::uint32_t c = 0) {
  const auto low = half_op<Op, Bf16>(nan, relu, static_cast<std::uint16_t>(a), static_cast<std::uint16_t>(b),
                                     static_cast<std::uint16_t>(c));
  const auto high = half_op<Op, Bf16>(nan, relu, static_cast<std::uint16_t>(a >> 16),
                                      static_cast<std::uint16_t>(b >> 16), static_cast<std::uint16_t>(c >> 16));
  return static_cast<std::uint32_t>(high) << 16 | low;
}

template <bool Bf16>
inline std::uint32_t atomic_add_halves(void* place, std::uint32_t value, Order order, FenceScope scope, Site at) {
  return atomic<std::uint32_t>(place, order, scope, at, [value](std::uint32_t old) {
    return half2_op<HalfOp::add_, Bf16>(false, false, old, value);
  });
}

// --- f8 ----------------------------------------------------------------------------------------------------------------
// To nearest even; what is too large becomes the largest number.
template <bool E5m2>
inline std::uint8_t to_f8(double x, bool relu) {
  constexpr int mantissa = E5m2 ? 2 : 3, bias = E5m2 ? 15 : 7, whole = 1 << mantissa;
  constexpr double largest = E5m2 ? 57344 : 448;
  if (x != x) return 0x7F;
  if (relu && !(x > 0)) x = 0;
  const int sign = std::signbit(x) ? 0x80 : 0;
  x = std::fabs(x) < largest ? std::fabs(x) : largest;
  const int exponent = x > 0 && std::ilogb(x) > 1 - bias ? std::ilogb(x) : 1 - bias;
  const int units = static_cast<int>(std::nearbyint(std::ldexp(x, mantissa - exponent)));
  // A carry out of the mantissa goes on into the exponent, as the code is one number.
  const int code = units < whole ? units : ((exponent + bias) << mantissa) + (units - whole);
  return static_cast<std::uint8_t>(sign | code);
}
template <bool E5m2>
inline std::uint16_t pack_f8(double low, double high, bool relu) {
  return static_cast<std::uint16_t>(to_f8<E5m2>(high, relu) << 8 | to_f8<E5m2>(low, relu));
}
template <bool E5m2>
inline std::uint16_t pack_f8(std::uint32_t halves, bool relu) {
  return pack_f8<E5m2>(from_half<false>(static_cast<std::uint16_t>(halves)),
                       from_half<false>(static_cast<std::uint16_t>(halves >> 16)), relu);
}
template <bool E5m2>
inline std::uint32_t unpack_f8(std::uint16_t pair, bool relu) {
  constexpr Format format = E5m2 ? Format::e5m2 : Format::e4m3;
  return static_cast<std::uint32_t>(to_half<false>(decode(format, pair >> 8), relu)) << 16 |
         to_half<false>(decode(format, pair & 0xFF), relu);
}

}  // namespace spak::sim::ptx
