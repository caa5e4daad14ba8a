// SIMD video intrinsics: two halfwords or four bytes of a register at once (CUDA Math API, "SIMD Intrinsics"), and the minima
// and maxima of three. Knows nothing of the engine.
#pragma once
#include <cstdint>
#include <type_traits>

namespace spak::sim {

// `f` on each lane of a and b, as Lane; its result's low bits make the lane of the result.
template <typename Lane, typename F>
constexpr unsigned per_lane(unsigned a, unsigned b, F f) {
  constexpr unsigned bits = 8 * sizeof(Lane), mask = (1u << bits) - 1;
  unsigned out = 0;
  for (unsigned at = 0; at < 32; at += bits)
    out |= (static_cast<unsigned>(f(static_cast<int>(static_cast<Lane>(a >> at & mask)),
                                    static_cast<int>(static_cast<Lane>(b >> at & mask)))) &
            mask)
           << at;
  return out;
}

template <typename Lane>
constexpr int clamped(int x) {
  constexpr int least = std::is_signed_v<Lane> ? -(1 << (8 * sizeof(Lane) - 1)) : 0;
  constexpr int most = std::is_signed_v<Lane> ? (1 << (8 * sizeof(Lane) - 1)) - 1 : (1 << (8 * sizeof(Lane))) - 1;
  return x < least ? least : x > most ? most : x;
}

}  // namespace spak::sim

#define SPAK_SIM_SIMD(name, Lane, expression)                                                                          \
  inline unsigned name(unsigned x, unsigned y) {                                                                       \
    return spak::sim::per_lane<Lane>(x, y, []([[maybe_unused]] int a, [[maybe_unused]] int b) { return expression; }); \
  }
#define SPAK_SIM_SIMD_ONE(name, Lane, expression)                                  \
  inline unsigned name(unsigned x) {                                               \
    return spak::sim::per_lane<Lane>(x, x, [](int a, int) { return expression; }); \
  }
#define SPAK_SIM_SIMD_COMPARE(n, Lane, suffix, sign, op)        \
  SPAK_SIM_SIMD(__vcmp##suffix##sign##n, Lane, a op b ? -1 : 0) \
  SPAK_SIM_SIMD(__vset##suffix##sign##n, Lane, a op b ? 1 : 0)
#define SPAK_SIM_SIMD_SUM(name, Lane)                                                                   \
  inline unsigned name(unsigned x, unsigned y) {                                                        \
    unsigned sum = 0;                                                                                   \
    spak::sim::per_lane<Lane>(                                                                          \
        x, y, [&sum](int a, int b) { return sum += static_cast<unsigned>(a < b ? b - a : a - b), 0; }); \
    return sum;                                                                                         \
  }
#define SPAK_SIM_SIMD_FAMILY(n, S, U)                                      \
  SPAK_SIM_SIMD(__vadd##n, U, a + b)                                       \
  SPAK_SIM_SIMD(__vaddss##n, S, spak::sim::clamped<S>(a + b))              \
  SPAK_SIM_SIMD(__vaddus##n, U, spak::sim::clamped<U>(a + b))              \
  SPAK_SIM_SIMD(__vsub##n, U, a - b)                                       \
  SPAK_SIM_SIMD(__vsubss##n, S, spak::sim::clamped<S>(a - b))              \
  SPAK_SIM_SIMD(__vsubus##n, U, spak::sim::clamped<U>(a - b))              \
  SPAK_SIM_SIMD(__vavgs##n, S, (a + b + (a + b >= 0)) >> 1)                \
  SPAK_SIM_SIMD(__vavgu##n, U, (a + b + 1) >> 1)                           \
  SPAK_SIM_SIMD(__vhaddu##n, U, (a + b) >> 1)                              \
  SPAK_SIM_SIMD(__vabsdiffs##n, S, a < b ? b - a : a - b)                  \
  SPAK_SIM_SIMD(__vabsdiffu##n, U, a < b ? b - a : a - b)                  \
  SPAK_SIM_SIMD(__vmaxs##n, S, a < b ? b : a)                              \
  SPAK_SIM_SIMD(__vmaxu##n, U, a < b ? b : a)                              \
  SPAK_SIM_SIMD(__vmins##n, S, b < a ? b : a)                              \
  SPAK_SIM_SIMD(__vminu##n, U, b < a ? b : a)                              \
  SPAK_SIM_SIMD_ONE(__vabs##n, S, a < 0 ? -a : a)                          \
  SPAK_SIM_SIMD_ONE(__vabsss##n, S, spak::sim::clamped<S>(a < 0 ? -a : a)) \
  SPAK_SIM_SIMD_ONE(__vneg##n, S, -a)                                      \
  SPAK_SIM_SIMD_ONE(__vnegss##n, S, spak::sim::clamped<S>(-a))             \
  SPAK_SIM_SIMD_SUM(__vsads##n, S)                                         \
  SPAK_SIM_SIMD_SUM(__vsadu##n, U)                                         \
  SPAK_SIM_SIMD_COMPARE(n, U, eq, , ==)                                    \
  SPAK_SIM_SIMD_COMPARE(n, U, ne, , !=)                                    \
  SPAK_SIM_SIMD_COMPARE(n, S, ge, s, >=)                                   \
  SPAK_SIM_SIMD_COMPARE(n, S, gt, s, >)                                    \
  SPAK_SIM_SIMD_COMPARE(n, S, le, s, <=)                                   \
  SPAK_SIM_SIMD_COMPARE(n, S, lt, s, <)                                    \
  SPAK_SIM_SIMD_COMPARE(n, U, ge, u, >=)                                   \
  SPAK_SIM_SIMD_COMPARE(n, U, gt, u, >)                                    \
  SPAK_SIM_SIMD_COMPARE(n, U, le, u, <=)                                   \
  SPAK_SIM_SIMD_COMPARE(n, U, lt, u, <)
SPAK_SIM_SIMD_FAMILY(2, std::int16_t, std::uint16_t)
SPAK_SIM_SIMD_FAMILY(4, std::int8_t, std::uint8_t)
#undef SPAK_SIM_SIMD_FAMILY
#undef SPAK_SIM_SIMD_SUM
#undef SPAK_SIM_SIMD_COMPARE
#undef SPAK_SIM_SIMD_ONE

// a + b wraps.
#define SPAK_SIM_THREE(T, suffix)                                                                 \
  inline T __vimax3_##suffix(T a, T b, T c) { return a < b ? (b < c ? c : b) : (a < c ? c : a); } \
  inline T __vimin3_##suffix(T a, T b, T c) { return b < a ? (c < b ? c : b) : (c < a ? c : a); } \
  inline T __viaddmax_##suffix(T a, T b, T c) {                                                   \
    const T sum = static_cast<T>(static_cast<unsigned>(a) + static_cast<unsigned>(b));            \
    return sum < c ? c : sum;                                                                     \
  }                                                                                               \
  inline T __viaddmin_##suffix(T a, T b, T c) {                                                   \
    const T sum = static_cast<T>(static_cast<unsigned>(a) + static_cast<unsigned>(b));            \
    return c < sum ? c : sum;                                                                     \
  }                                                                                               \
  inline T __vibmax_##suffix(T a, T b, bool* first) { return *first = a >= b, *first ? a : b; }   \
  inline T __vibmin_##suffix(T a, T b, bool* first) { return *first = a <= b, *first ? a : b; }
SPAK_SIM_THREE(int, s32)
SPAK_SIM_THREE(unsigned, u32)
#undef SPAK_SIM_THREE
inline int __vimax_s32_relu(int a, int b) { return a < b ? (b < 0 ? 0 : b) : (a < 0 ? 0 : a); }
inline int __vimin_s32_relu(int a, int b) {
  const int least = b < a ? b : a;
  return least < 0 ? 0 : least;
}
inline int __vimax3_s32_relu(int a, int b, int c) { return __vimax3_s32(__vimax3_s32(a, b, c), 0, 0); }
inline int __vimin3_s32_relu(int a, int b, int c) {
  const int least = __vimin3_s32(a, b, c);
  return least < 0 ? 0 : least;
}
inline int __viaddmax_s32_relu(int a, int b, int c) {
  const int most = __viaddmax_s32(a, b, c);
  return most < 0 ? 0 : most;
}
inline int __viaddmin_s32_relu(int a, int b, int c) {
  const int least = __viaddmin_s32(a, b, c);
  return least < 0 ? 0 : least;
}
#define SPAK_SIM_THREE_PAIRS(suffix, Lane)                                                          \
  inline unsigned __vimax3_##suffix(unsigned a, unsigned b, unsigned c) {                           \
    const auto most = [](int x, int y) { return x < y ? y : x; };                                   \
    return spak::sim::per_lane<Lane>(spak::sim::per_lane<Lane>(a, b, most), c, most);               \
  }                                                                                                 \
  inline unsigned __vimin3_##suffix(unsigned a, unsigned b, unsigned c) {                           \
    const auto least = [](int x, int y) { return y < x ? y : x; };                                  \
    return spak::sim::per_lane<Lane>(spak::sim::per_lane<Lane>(a, b, least), c, least);             \
  }                                                                                                 \
  inline unsigned __viaddmax_##suffix(unsigned a, unsigned b, unsigned c) {                         \
    return spak::sim::per_lane<Lane>(__vadd2(a, b), c, [](int x, int y) { return x < y ? y : x; }); \
  }                                                                                                 \
  inline unsigned __viaddmin_##suffix(unsigned a, unsigned b, unsigned c) {                         \
    return spak::sim::per_lane<Lane>(__vadd2(a, b), c, [](int x, int y) { return y < x ? y : x; }); \
  }
SPAK_SIM_THREE_PAIRS(s16x2, std::int16_t)
SPAK_SIM_THREE_PAIRS(u16x2, std::uint16_t)
#undef SPAK_SIM_THREE_PAIRS
#undef SPAK_SIM_SIMD
