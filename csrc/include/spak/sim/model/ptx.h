// What inline PTX needs beyond the models of single instructions: registers as bits, scalar operations where C++ differs
// from PTX. spak.sim.ptx writes the calls. Knows nothing of memory.
#pragma once
#include <spak/sim/builtins.h>
#include <spak/sim/model/ptx_memory.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

namespace spak::sim::ptx {

// The bits of a C++ value in a PTX register. Smaller integers are extended, as the compiler's operands are.
template <typename U, typename T>
inline U bits(const T& value) {
  if constexpr (std::is_pointer_v<T>) {
    return static_cast<U>(reinterpret_cast<std::uintptr_t>(value));
  } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
    return static_cast<U>(value);
  } else {
    static_assert(sizeof(T) <= sizeof(U), "an operand of inline PTX must fit into its register");
    U out = 0;
    std::memcpy(&out, static_cast<const void*>(&value), sizeof(T));
    return out;
  }
}
template <typename U, typename T>
inline U get(const T& value) {
  const std::remove_cv_t<T> plain = value;  // an operand may be volatile
  return bits<U>(plain);
}
template <typename U, typename T, std::size_t N>
inline U get(T (&array)[N]) {
  return bits<U>(static_cast<T*>(array));
}

// A register's bits as a value of another type: of the same size, or the lowest ones.
template <typename T, typename U>
inline T as(U bits) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(bits);
  } else {
    static_assert(sizeof(T) == sizeof(U));
    return std::bit_cast<T>(bits);
  }
}

template <typename T, typename U>
inline void put(T& to, U bits) {
  if constexpr (std::is_pointer_v<T>) {
    to = reinterpret_cast<T>(static_cast<std::uintptr_t>(bits));
  } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
    to = static_cast<T>(bits);
  } else {
    static_assert(sizeof(T) <= sizeof(U), "an operand of inline PTX must fit into its register");
    std::memcpy(static_cast<void*>(&to), &bits, sizeof(T));
  }
}

// A narrow result in a wide register is extended by its own sign.
template <typename T>
inline auto extend(T value) {
  if constexpr (std::is_signed_v<T>) {
    return static_cast<std::int64_t>(value);
  } else {
    return static_cast<std::uint64_t>(value);
  }
}

inline unsigned thread_rank() { return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z); }
inline unsigned block_threads() { return blockDim.x * blockDim.y * blockDim.z; }
inline int whole_warps() { return static_cast<int>((block_threads() + 31) / 32 * 32); }

// --- integers ----------------------------------------------------------------------------------------------------------
template <typename T>
inline auto multiply_wide(T a, T b) {
  using Wide = std::conditional_t<sizeof(T) == 2, std::conditional_t<std::is_signed_v<T>, std::int32_t, std::uint32_t>,
                                  std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>>;
  static_assert(sizeof(T) <= 4);
  return static_cast<Wide>(static_cast<Wide>(a) * static_cast<Wide>(b));
}
template <typename T>
inline T multiply_lo(T a, T b) {
  using Whole = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
  return static_cast<T>(static_cast<Whole>(a) * static_cast<Whole>(b));
}
template <typename T>
inline T multiply_hi(T a, T b) {
  using Wide = std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>;
  return static_cast<T>((static_cast<Wide>(a) * static_cast<Wide>(b)) >> (8 * sizeof(T)));
}
template <typename T>
inline T shift_left(T a, std::uint32_t by) {
  return by >= 8 * sizeof(T) ? T{0} : static_cast<T>(static_cast<std::uint64_t>(a) << by);
}
template <typename T>
inline T shift_right(T a, std::uint32_t by) {
  constexpr std::uint32_t most = 8 * sizeof(T) - 1;
  if (by > most) return std::is_signed_v<T> ? static_cast<T>(a >> most) : T{0};
  return static_cast<T>(a >> by);
}
inline std::uint32_t funnel_l(std::uint32_t a, std::uint32_t b, std::uint32_t by, bool clamp) {
  by = clamp ? (by > 32 ? 32 : by) : by & 31;
  return static_cast<std::uint32_t>((((static_cast<std::uint64_t>(b) << 32) | a) << by) >> 32);
}
inline std::uint32_t funnel_r(std::uint32_t a, std::uint32_t b, std::uint32_t by, bool clamp) {
  by = clamp ? (by > 32 ? 32 : by) : by & 31;
  return static_cast<std::uint32_t>(((static_cast<std::uint64_t>(b) << 32) | a) >> by);
}
inline std::uint32_t popc(std::uint32_t a) { return static_cast<std::uint32_t>(std::popcount(a)); }
inline std::uint32_t popc(std::uint64_t a) { return static_cast<std::uint32_t>(std::popcount(a)); }
inline std::uint32_t clz(std::uint32_t a) { return static_cast<std::uint32_t>(std::countl_zero(a)); }
inline std::uint32_t clz(std::uint64_t a) { return static_cast<std::uint32_t>(std::countl_zero(a)); }
template <typename T>
inline T brev(T a) {
  T out = 0;
  for (unsigned i = 0; i < 8 * sizeof(T); ++i) out = static_cast<T>(out << 1 | (a >> i & 1));
  return out;
}
inline std::uint32_t prmt(std::uint32_t a, std::uint32_t b, std::uint32_t selector) {
  const std::uint64_t from = static_cast<std::uint64_t>(b) << 32 | a;
  std::uint32_t out = 0;
  for (unsigned i = 0; i < 4; ++i) {
    const std::uint32_t s = selector >> (4 * i);
    std::uint32_t byte = static_cast<std::uint32_t>(from >> (8 * (s & 7))) & 0xFF;
    if (s & 8) byte = byte & 0x80 ? 0xFF : 0;
    out |= byte << (8 * i);
  }
  return out;
}
inline std::uint32_t lop3(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t table) {
  std::uint32_t out = 0;
  if (table & 0x01) out |= ~a & ~b & ~c;
  if (table & 0x02) out |= ~a & ~b & c;
  if (table & 0x04) out |= ~a & b & ~c;
  if (table & 0x08) out |= ~a & b & c;
  if (table & 0x10) out |= a & ~b & ~c;
  if (table & 0x20) out |= a & ~b & c;
  if (table & 0x40) out |= a & b & ~c;
  if (table & 0x80) out |= a & b & c;
  return out;
}
// PTX ISA, bfe: beyond the highest bit a signed value goes on with its sign.
template <typename T>
inline T bfe(T a, std::uint32_t position, std::uint32_t length) {
  constexpr std::uint32_t most = 8 * sizeof(T) - 1;
  const std::uint32_t pos = position & 0xFF, len = length & 0xFF;
  const std::uint32_t top = pos + len - 1 < most ? pos + len - 1 : most;
  const bool sign = std::is_signed_v<T> && len != 0 && (static_cast<std::uint64_t>(a) >> top & 1);
  T out = 0;
  for (std::uint32_t i = 0; i <= most; ++i) {
    const bool bit = i < len && pos + i <= most ? (static_cast<std::uint64_t>(a) >> (pos + i) & 1) != 0 : sign;
    out = static_cast<T>(static_cast<std::uint64_t>(out) | static_cast<std::uint64_t>(bit) << i);
  }
  return out;
}
template <typename T>
inline T bfi(T a, T b, std::uint32_t position, std::uint32_t length) {
  const std::uint32_t pos = position & 0xFF, len = length & 0xFF;
  T out = b;
  for (std::uint32_t i = 0; i < len && pos + i < 8 * sizeof(T); ++i)
    out = static_cast<T>((out & ~(T{1} << (pos + i))) | (a >> i & 1) << (pos + i));
  return out;
}
// PTX ISA, bfind: the highest bit that is not as the sign; all ones where there is none.
template <typename T>
inline std::uint32_t bfind(T a, bool shift_amount) {
  using Unsigned = std::make_unsigned_t<T>;
  const auto bits = static_cast<Unsigned>(a < 0 ? ~a : a);
  if (bits == 0) return 0xFFFFFFFFu;
  const auto at = static_cast<std::uint32_t>(std::bit_width(bits) - 1);
  return shift_amount ? static_cast<std::uint32_t>(8 * sizeof(T) - 1) - at : at;
}
// The condition code of the running thread: what add.cc and its kin leave for addc and its kin.
bool carry_left(Site at);
void leave_carry(bool carry, Site at);
template <typename T, bool Take, bool Leave>
inline T with_carry(T a, T b, Site at) {
  const T sum = static_cast<T>(a + b), out = static_cast<T>(sum + (Take && carry_left(at)));
  if constexpr (Leave) leave_carry(sum < a || out < sum, at);
  return out;
}
template <typename T, bool Take, bool Leave>
inline T with_borrow(T a, T b, Site at) {
  const T difference = static_cast<T>(a - b), out = static_cast<T>(difference - (Take && carry_left(at)));
  if constexpr (Leave) leave_carry(a < b || difference < out, at);
  return out;
}
template <bool SignedA, bool SignedB>
inline std::uint32_t dp4a(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  for (unsigned i = 0; i < 32; i += 8) {
    const int x = SignedA ? static_cast<std::int8_t>(a >> i) : static_cast<std::uint8_t>(a >> i);
    const int y = SignedB ? static_cast<std::int8_t>(b >> i) : static_cast<std::uint8_t>(b >> i);
    c += static_cast<std::uint32_t>(x * y);
  }
  return c;
}

// --- floating point ----------------------------------------------------------------------------------------------------
template <typename T>
inline T saturate(T x) {
  return x > T(0) ? (x < T(1) ? x : T(1)) : T(0);  // a NaN becomes 0
}
template <typename T>
inline T magnitude(T x) {
  return std::fabs(x);
}
template <typename T>
inline T float_min(T a, T b, bool nan) {
  if (nan && (a != a || b != b)) return std::numeric_limits<T>::quiet_NaN();
  return std::fmin(a, b);
}
template <typename T>
inline T float_max(T a, T b, bool nan) {
  if (nan && (a != a || b != b)) return std::numeric_limits<T>::quiet_NaN();
  return std::fmax(a, b);
}
template <typename T>
inline T approx_ex2(T x) {
  return std::exp2(x);
}
template <typename T>
inline T approx_lg2(T x) {
  return std::log2(x);
}
template <typename T>
inline T approx_rsqrt(T x) {
  return T(1) / std::sqrt(x);
}
template <typename T>
inline T approx_sin(T x) {
  return std::sin(x);
}
template <typename T>
inline T approx_cos(T x) {
  return std::cos(x);
}
template <typename T>
inline T approx_tanh(T x) {
  return std::tanh(x);
}
template <typename T>
inline T round_rni(T x) {
  return std::nearbyint(x);
}
template <typename T>
inline T round_rzi(T x) {
  return std::trunc(x);
}
template <typename T>
inline T round_rmi(T x) {
  return std::floor(x);
}
template <typename T>
inline T round_rpi(T x) {
  return std::ceil(x);
}

// PTX ISA, cvt: what does not fit is clamped; a NaN is 0, or the highest bit alone where either side has 64 bits.
template <typename I, typename T>
inline I to_integer(T x) {
  if (x != x) return sizeof(T) == 8 || sizeof(I) == 8 ? static_cast<I>(std::uint64_t{1} << (8 * sizeof(I) - 1)) : I{0};
  if (x <= static_cast<T>(std::numeric_limits<I>::min())) return std::numeric_limits<I>::min();
  if (x >= static_cast<T>(std::numeric_limits<I>::max())) return std::numeric_limits<I>::max();
  return static_cast<I>(x);
}
template <typename I, typename T>
inline I clamp(T x) {
  if constexpr (std::is_signed_v<T>) {
    if constexpr (std::is_unsigned_v<I>) {
      if (x < 0) return 0;
    } else if (x < static_cast<std::int64_t>(std::numeric_limits<I>::min())) {
      return std::numeric_limits<I>::min();
    }
  }
  if (x > 0 && static_cast<std::uint64_t>(x) > static_cast<std::uint64_t>(std::numeric_limits<I>::max()))
    return std::numeric_limits<I>::max();
  return static_cast<I>(x);
}

// --- all lanes ---------------------------------------------------------------------------------------------------------
enum class Shuffle { idx, up, down, bfly };
struct Shuffled {
  std::uint32_t value;
  bool there;
};
// PTX ISA, shfl.sync: `c` holds the clamp and the mask that divides the warp into segments.
inline Shuffled shuffle(Shuffle how, std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t mask, Site at) {
  const std::uint32_t lane = thread_rank() % 32, delta = b & 31, clamp = c & 31, segments = c >> 8 & 31;
  const std::uint32_t most = (lane & segments) | (clamp & ~segments), least = lane & segments;
  std::uint32_t from = lane;
  bool there = false;
  if (how == Shuffle::up) {
    there = static_cast<int>(lane) - static_cast<int>(delta) >= static_cast<int>(most);
    from = lane - delta;
  } else {
    from = how == Shuffle::down ? lane + delta : how == Shuffle::bfly ? lane ^ delta : least | (delta & ~segments);
    there = from <= most;
  }
  if (!there) from = lane;
  const auto value = collective(Collective::shfl, mask, a, 4, static_cast<int>(from), 32, at);
  return {static_cast<std::uint32_t>(value), there};
}
inline bool uniform(bool predicate, std::uint32_t mask, Site at) {
  const std::uint32_t votes = __ballot_sync(mask, predicate, at);
  return votes == 0 || votes == mask;
}

// --- accumulators ------------------------------------------------------------------------------------------------------
// The first of registers that lie one after the other: the models of asynchronous matrix instructions keep their address.
template <std::size_t N>
inline void* in_a_row(void* const (&registers)[N], Site at) {
  for (std::size_t i = 1; i < N; ++i)
    if (static_cast<char*>(registers[i]) != static_cast<char*>(registers[0]) + 4 * i)
      fail("unsupported", "uses accumulators of wgmma that are not consecutive elements of one array", at);
  return registers[0];
}

}  // namespace spak::sim::ptx

#include <spak/sim/model/ptx_half.h>
