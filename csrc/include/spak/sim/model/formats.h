// Number formats of tensor cores, and what their accumulators are. Knows nothing of instructions, and nothing of the
// toolkit's headers: the runtime library is compiled without them.
#pragma once
#include <cstdint>
#include <cstring>

#pragma GCC visibility push(hidden)
namespace spak::sim {

enum class Format : unsigned char { f16, bf16, tf32, e4m3, e5m2, s8, u8 };
enum class Accumulator : unsigned char { f32, f16, s32 };

constexpr unsigned bytes_of(Format format) {
  return format == Format::tf32 ? 4 : format == Format::f16 || format == Format::bf16 ? 2 : 1;
}
constexpr bool is_integer(Format format) { return format == Format::s8 || format == Format::u8; }
const char* name_of(Format format);

// To nearest, ties away from zero; a NaN becomes 0x7FFFFFFF, as cvt.rna.tf32.f32 does.
inline std::uint32_t round_tf32(float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  if ((bits & 0x7F800000u) == 0x7F800000u) return bits & 0x007FFFFFu ? 0x7FFFFFFFu : bits;
  return (bits + 0x1000u) & 0xFFFFE000u;
}

// The exact value of one element, from its lowest bits. tf32: the low 13 bits are ignored, as tensor cores do.
double decode(Format format, std::uint32_t bits);
// The same for `count` elements that lie one after the other.
void decode(Format format, const void* elements, unsigned count, double* out);

// To nearest even; too large becomes infinity.
std::uint16_t round_f16(double x);

}  // namespace spak::sim
#pragma GCC visibility pop
