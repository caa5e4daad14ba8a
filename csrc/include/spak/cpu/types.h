// Scalar types of C++ kernels. f16 and bf16 are storage: they convert to and from float, rounding to nearest even.
#pragma once
#include <cstdint>

namespace spak {

using index_t = long long;

// IEEE 754 binary16.
struct f16 {
  std::uint16_t bits;

  f16() = default;
  explicit f16(float value) {
    const std::uint32_t word = __builtin_bit_cast(std::uint32_t, value);
    const std::uint32_t sign = (word >> 16) & 0x8000u, magnitude = word & 0x7fffffffu;
    if (magnitude > 0x7f800000u) {  // NaN: quiet, the payload's top bits kept
      bits = static_cast<std::uint16_t>(sign | 0x7e00u | ((magnitude >> 13) & 0x3ffu));
    } else if (magnitude >= 0x47800000u) {  // 65536 and above, infinity
      bits = static_cast<std::uint16_t>(sign | 0x7c00u);
    } else if (magnitude < 0x38800000u) {  // subnormal: adding 0.5 puts the rounded bits where they belong
      const float shifted = __builtin_bit_cast(float, magnitude) + 0.5f;
      bits = static_cast<std::uint16_t>(sign | (__builtin_bit_cast(std::uint32_t, shifted) - 0x3f000000u));
    } else {  // 65520 and above carries into infinity, as it must
      const std::uint32_t rounded = magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1u);
      bits = static_cast<std::uint16_t>(sign | (rounded >> 13));
    }
  }
  explicit f16(double value) : f16(static_cast<float>(value)) {}
  explicit f16(int value) : f16(static_cast<float>(value)) {}

  operator float() const {
    const std::uint32_t sign = (bits & 0x8000u) << 16, magnitude = bits & 0x7fffu;
    if (magnitude >= 0x7c00u) return __builtin_bit_cast(float, sign | 0x7f800000u | ((magnitude & 0x3ffu) << 13));
    if (magnitude < 0x0400u) {
      const float value = static_cast<float>(magnitude) * 0x1p-24f;
      return sign ? -value : value;
    }
    return __builtin_bit_cast(float, sign | ((magnitude << 13) + 0x38000000u));
  }
};

// The upper half of an IEEE 754 binary32.
struct bf16 {
  std::uint16_t bits;

  bf16() = default;
  explicit bf16(float value) {
    const std::uint32_t word = __builtin_bit_cast(std::uint32_t, value);
    const bool nan = (word & 0x7fffffffu) > 0x7f800000u;
    bits = static_cast<std::uint16_t>(nan ? (word >> 16) | 0x40u : (word + 0x7fffu + ((word >> 16) & 1u)) >> 16);
  }
  explicit bf16(double value) : bf16(static_cast<float>(value)) {}
  explicit bf16(int value) : bf16(static_cast<float>(value)) {}

  operator float() const { return __builtin_bit_cast(float, static_cast<std::uint32_t>(bits) << 16); }
};

static_assert(sizeof(f16) == 2 && sizeof(bf16) == 2, "f16 and bf16 are two bytes, as in every array that holds them");

inline float to_float(f16 value) { return value; }
inline float to_float(bf16 value) { return value; }

}  // namespace spak
