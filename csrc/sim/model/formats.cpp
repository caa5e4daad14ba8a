// Exact values of the number formats of tensor cores. Knows nothing of instructions.
#include "spak/sim/model/formats.h"

#include <array>

#pragma GCC visibility push(hidden)
namespace spak::sim {

namespace {

double from_bits(std::uint64_t bits) {
  double x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

double widen(std::uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

// The fraction bits of an f16 are shifted into an f32 whose exponent is 112 too small: the product puts that right, for
// subnormal numbers too.
double decode_f16(std::uint32_t bits) {
  const std::uint32_t sign = (bits & 0x8000u) << 16, rest = (bits & 0x7FFFu) << 13;
  if (rest >= 0x7C00u << 13) return widen(sign | 0x7F800000u | (rest & 0x007FFFFFu));
  return widen(sign | 0x3F800000u) * (widen(rest) * 0x1p112);
}

double decode_e4m3(std::uint32_t bits) {
  const double sign = bits & 0x80u ? -1.0 : 1.0;
  const unsigned exponent = bits >> 3 & 15, fraction = bits & 7;
  if (exponent == 15 && fraction == 7) return from_bits(0x7FF8000000000000u);
  return sign * (exponent ? 8.0 + fraction : fraction) * static_cast<double>(1u << (exponent ? exponent - 1 : 0)) *
         0x1p-9;
}

template <typename Decode>
std::array<double, 256> table(Decode decode) {
  std::array<double, 256> values{};
  for (unsigned i = 0; i < 256; ++i) values[i] = decode(i);
  return values;
}

const std::array<double, 256>& bytes(Format format) {
  static const std::array<double, 256> e4m3 = table(decode_e4m3);
  static const std::array<double, 256> e5m2 = table([](std::uint32_t bits) { return decode_f16(bits << 8); });
  static const std::array<double, 256> s8 =
      table([](std::uint32_t bits) { return static_cast<double>(static_cast<std::int8_t>(bits)); });
  static const std::array<double, 256> u8 = table([](std::uint32_t bits) { return static_cast<double>(bits); });
  switch (format) {
    case Format::e4m3:
      return e4m3;
    case Format::e5m2:
      return e5m2;
    case Format::s8:
      return s8;
    default:
      return u8;
  }
}

template <typename T>
T load(const void* elements, unsigned i) {
  T value;
  std::memcpy(&value, static_cast<const char*>(elements) + i * sizeof(T), sizeof(T));
  return value;
}

}  // namespace

const char* name_of(Format format) {
  static const char* const names[] = {"f16", "bf16", "tf32", "e4m3", "e5m2", "s8", "u8"};
  return names[static_cast<unsigned>(format)];
}

double decode(Format format, std::uint32_t bits) {
  switch (format) {
    case Format::f16:
      return decode_f16(bits & 0xFFFFu);
    case Format::bf16:
      return widen(bits << 16);
    case Format::tf32:
      return widen(bits & 0xFFFFE000u);
    default:
      return bytes(format)[bits & 0xFFu];
  }
}

void decode(Format format, const void* elements, unsigned count, double* out) {
  switch (format) {
    case Format::f16:
      for (unsigned i = 0; i < count; ++i) out[i] = decode_f16(load<std::uint16_t>(elements, i));
      break;
    case Format::bf16:
      for (unsigned i = 0; i < count; ++i)
        out[i] = widen(static_cast<std::uint32_t>(load<std::uint16_t>(elements, i)) << 16);
      break;
    case Format::tf32:
      for (unsigned i = 0; i < count; ++i) out[i] = widen(load<std::uint32_t>(elements, i) & 0xFFFFE000u);
      break;
    default: {
      const std::array<double, 256>& values = bytes(format);
      for (unsigned i = 0; i < count; ++i) out[i] = values[load<std::uint8_t>(elements, i)];
    }
  }
}

std::uint16_t round_f16(double x) {
  std::uint64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  const auto sign = static_cast<std::uint16_t>(bits >> 48 & 0x8000u);
  const std::uint64_t magnitude = bits & 0x7FFFFFFFFFFFFFFFu;
  if (magnitude > 0x7FF0000000000000u) return 0x7FFF;
  if (magnitude >= 0x40EFFE0000000000u) return sign | 0x7C00;  // 65520, half way to the first number that is too large
  // Adding a power of two whose last bit weighs as much as the last bit of the result rounds to it, to nearest even.
  const int exponent = static_cast<int>(magnitude >> 52) - 1023, last = (exponent < -14 ? -14 : exponent) - 10;
  const double shift = from_bits(static_cast<std::uint64_t>(last + 52 + 1023) << 52);
  const double rounded = (from_bits(magnitude) + shift) - shift;
  const double units = rounded * from_bits(static_cast<std::uint64_t>(1023 + 24) << 52);  // of 2^-24, below 2^41
  if (rounded < 0x1p-14) return sign | static_cast<std::uint16_t>(units);
  std::uint64_t result;
  std::memcpy(&result, &rounded, sizeof result);
  return sign | static_cast<std::uint16_t>(((result >> 52) - 1023 + 15) << 10 | (result >> 42 & 0x3FFu));
}

}  // namespace spak::sim
#pragma GCC visibility pop
