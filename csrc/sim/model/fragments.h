// Where mma and wgmma keep elements in registers, and how they add to accumulators. Knows nothing of memory.
#pragma once
#include <cstdint>
#include <cstring>

#include "spak/sim/model/formats.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {

// The row of register r of a fragment of A, and of accumulator register 2 * r: of a warp's 16.
constexpr unsigned fragment_row(unsigned lane, unsigned r) { return lane / 4 + 8 * (r % 2); }

// d + sum in the accumulator's type, from and to its bits: one rounding to nearest even, or exact and modulo 2^32.
inline std::uint32_t accumulate(Accumulator type, bool saturate, std::uint32_t d, double sum) {
  switch (type) {
    case Accumulator::f32: {
      float x;
      std::memcpy(&x, &d, sizeof x);
      x = static_cast<float>(static_cast<double>(x) + sum);
      std::memcpy(&d, &x, sizeof x);
      return d;
    }
    case Accumulator::f16:
      return round_f16(decode(Format::f16, d) + sum);
    case Accumulator::s32:
      break;
  }
  const std::int64_t exact = static_cast<std::int32_t>(d) + static_cast<std::int64_t>(sum);
  if (saturate && exact > INT32_MAX) return static_cast<std::uint32_t>(INT32_MAX);
  if (saturate && exact < INT32_MIN) return static_cast<std::uint32_t>(INT32_MIN);
  return static_cast<std::uint32_t>(exact);
}

}  // namespace spak::sim
#pragma GCC visibility pop
