// Atomic updates of single elements (PTX ISA, cp.reduce.async.bulk): relaxed, f32 flushes subnormals in global memory, 16-bit
// floats keep them. Knows nothing of copies.
#include "model/reduce.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "spak/sim/model/formats.h"

namespace spak::sim {

namespace {

float flush(float x) { return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0f, x) : x; }

std::uint16_t round_bf16(double x) {
  const float narrow = static_cast<float>(x);
  std::uint32_t bits;
  std::memcpy(&bits, &narrow, sizeof bits);
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return 0x7FFF;
  return static_cast<std::uint16_t>((bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16);
}

// A 16-bit float as an arithmetic type. Its sums are exact in double, so that they are rounded once.
template <Format Kind>
struct Short {
  std::uint16_t bits;
  double value() const { return decode(Kind, bits); }
  static Short of(double x) { return {Kind == Format::f16 ? round_f16(x) : round_bf16(x)}; }
};

template <typename T>
T sum(T a, T b) {
  if constexpr (std::is_same_v<T, float>)
    return flush(flush(a) + flush(b));
  else if constexpr (std::is_arithmetic_v<T>)
    return static_cast<T>(a + b);
  else {
    const T wide = T::of(a.value() + b.value());
    return std::isnan(a.value() + b.value()) ? T{0x7FFF} : wide;
  }
}

// The smaller (or larger) one; a NaN loses against a number.
template <typename T>
T extreme(T a, T b, bool smaller) {
  if constexpr (std::is_arithmetic_v<T>)
    return (a < b) == smaller ? a : b;
  else {
    const double x = a.value(), y = b.value();
    if (std::isnan(x)) return std::isnan(y) ? T{0x7FFF} : b;
    if (std::isnan(y)) return a;
    if (x == y) return (std::signbit(x) == smaller) ? a : b;
    return (x < y) == smaller ? a : b;
  }
}

template <typename T>
T combine(Reduction reduction, T old, T value) {
  switch (reduction) {
    case Reduction::add:
      return sum(old, value);
    case Reduction::min:
      return extreme(old, value, true);
    case Reduction::max:
      return extreme(old, value, false);
    default:
      break;
  }
  if constexpr (std::is_integral_v<T>) {
    switch (reduction) {
      case Reduction::inc:
        return old >= value ? 0 : static_cast<T>(old + 1);
      case Reduction::dec:
        return old == 0 || old > value ? value : static_cast<T>(old - 1);
      case Reduction::bit_and:
        return old & value;
      case Reduction::bit_or:
        return old | value;
      case Reduction::bit_xor:
        return old ^ value;
      default:
        break;
    }
  }
  return old;
}

template <typename T>
void all(Reduction reduction, void* into, const void* from, std::size_t count) {
  using Bits = std::conditional_t<sizeof(T) == 8, std::uint64_t,
                                  std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint16_t>>;
  for (std::size_t i = 0; i < count; ++i) {
    T value;
    std::memcpy(&value, static_cast<const char*>(from) + i * sizeof(T), sizeof value);
    Bits* const place = static_cast<Bits*>(into) + i;
    Bits old = __atomic_load_n(place, __ATOMIC_RELAXED), wanted;
    do {
      T before;
      std::memcpy(&before, &old, sizeof before);
      const T after = combine(reduction, before, value);
      std::memcpy(&wanted, &after, sizeof wanted);
    } while (!__atomic_compare_exchange_n(place, &old, wanted, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  }
}

}  // namespace

std::size_t size_of(Element element) {
  constexpr std::size_t sizes[] = {1, 2, 4, 4, 8, 8, 2, 4, 8, 2};
  return sizes[static_cast<int>(element)];
}

const char* name_of(Reduction reduction) {
  constexpr const char* names[] = {"add", "min", "max", "inc", "dec", "and", "or", "xor"};
  return names[static_cast<int>(reduction)];
}

const char* name_of(Element element) {
  constexpr const char* names[] = {"u8", "u16", "u32", "s32", "u64", "s64", "f16", "f32", "f64", "bf16"};
  return names[static_cast<int>(element)];
}

bool has_reduction(Reduction reduction, Element element) {
  const bool integer =
      element == Element::u32 || element == Element::s32 || element == Element::u64 || element == Element::s64;
  const bool half = element == Element::f16 || element == Element::bf16;
  switch (reduction) {
    case Reduction::add:
      return integer || half || element == Element::f32 || element == Element::f64;
    case Reduction::min:
    case Reduction::max:
      return integer || half;
    case Reduction::inc:
    case Reduction::dec:
      return element == Element::u32;
    default:
      return integer;
  }
}

void reduce(Reduction reduction, Element element, void* into, const void* from, std::size_t count) {
  switch (element) {
    case Element::u32:
      return all<std::uint32_t>(reduction, into, from, count);
    case Element::s32:
      return reduction == Reduction::add ? all<std::uint32_t>(reduction, into, from, count)
                                         : all<std::int32_t>(reduction, into, from, count);
    case Element::u64:
      return all<std::uint64_t>(reduction, into, from, count);
    case Element::s64:
      return reduction == Reduction::add ? all<std::uint64_t>(reduction, into, from, count)
                                         : all<std::int64_t>(reduction, into, from, count);
    case Element::f16:
      return all<Short<Format::f16>>(reduction, into, from, count);
    case Element::bf16:
      return all<Short<Format::bf16>>(reduction, into, from, count);
    case Element::f32:
      return all<float>(reduction, into, from, count);
    case Element::f64:
      return all<double>(reduction, into, from, count);
    default:
      return;
  }
}

}  // namespace spak::sim
