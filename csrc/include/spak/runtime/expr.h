// Plan arithmetic in C++: Python's rules on 64-bit integers. What does not fit, or divides by zero, throws. Knows no plan.
#pragma once
#include <cmath>
#include <concepts>
#include <initializer_list>
#include <stdexcept>
#include <type_traits>

#pragma GCC visibility push(hidden)
namespace spak::expr {

using Int = long long;

// A number of an expression: integers and booleans are Int, everything else is double.
template <typename T>
using Number = std::conditional_t<std::is_integral_v<T>, Int, double>;
template <typename A, typename B>
using Common = std::conditional_t<std::is_integral_v<A> && std::is_integral_v<B>, Int, double>;

[[noreturn]] inline void overflow() { throw std::overflow_error("an expression exceeds 64 bits"); }
[[noreturn]] inline void divided_by_zero() { throw std::domain_error("an expression divides by zero"); }

template <typename A, typename B>
constexpr Common<A, B> add(A a, B b) {
  if constexpr (std::is_same_v<Common<A, B>, Int>) {
    Int result{};
    if (__builtin_add_overflow(Int{a}, Int{b}, &result)) overflow();
    return result;
  } else {
    return static_cast<double>(a) + static_cast<double>(b);
  }
}

template <typename A, typename B>
constexpr Common<A, B> sub(A a, B b) {
  if constexpr (std::is_same_v<Common<A, B>, Int>) {
    Int result{};
    if (__builtin_sub_overflow(Int{a}, Int{b}, &result)) overflow();
    return result;
  } else {
    return static_cast<double>(a) - static_cast<double>(b);
  }
}

template <typename A, typename B>
constexpr Common<A, B> mul(A a, B b) {
  if constexpr (std::is_same_v<Common<A, B>, Int>) {
    Int result{};
    if (__builtin_mul_overflow(Int{a}, Int{b}, &result)) overflow();
    return result;
  } else {
    return static_cast<double>(a) * static_cast<double>(b);
  }
}

// a // b: towards minus infinity.
template <typename A, typename B>
constexpr Common<A, B> floordiv(A a, B b) {
  if (b == 0) divided_by_zero();
  if constexpr (std::is_same_v<Common<A, B>, Int>) {
    const Int x = a, y = b;
    if (y == -1) return sub(Int{0}, x);
    return x / y - ((x % y != 0 && (x < 0) != (y < 0)) ? 1 : 0);
  } else {
    return std::floor(static_cast<double>(a) / static_cast<double>(b));
  }
}

// a % b: has the sign of b.
template <typename A, typename B>
constexpr Common<A, B> mod(A a, B b) {
  if (b == 0) divided_by_zero();
  if constexpr (std::is_same_v<Common<A, B>, Int>) {
    const Int x = a, y = b;
    if (y == -1) return 0;
    const Int rest = x % y;
    return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
  } else {
    const double x = static_cast<double>(a), y = static_cast<double>(b);
    const double rest = std::fmod(x, y);
    return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
  }
}

// a / b: a real number, also of two integers.
template <typename A, typename B>
constexpr double truediv(A a, B b) {
  if (b == 0) divided_by_zero();
  return static_cast<double>(a) / static_cast<double>(b);
}

template <typename A>
constexpr Number<A> neg(A a) {
  return sub(Number<A>{0}, static_cast<Number<A>>(a));
}

// ceil(a / b) as an integer.
template <typename A, typename B>
constexpr Common<A, B> cdiv(A a, B b) {
  return neg(floordiv(neg(a), b));
}

template <typename A>
constexpr Number<A> abs(A a) {
  return a < 0 ? neg(a) : static_cast<Number<A>>(a);
}

template <typename A>
constexpr Number<A> min(A a) {
  return static_cast<Number<A>>(a);
}
template <typename A, typename B, typename... Rest>
constexpr auto min(A a, B b, Rest... rest) {
  using C = Common<A, B>;
  return min(static_cast<C>(b) < static_cast<C>(a) ? static_cast<C>(b) : static_cast<C>(a), rest...);
}

template <typename A>
constexpr Number<A> max(A a) {
  return static_cast<Number<A>>(a);
}
template <typename A, typename B, typename... Rest>
constexpr auto max(A a, B b, Rest... rest) {
  using C = Common<A, B>;
  return max(static_cast<C>(b) > static_cast<C>(a) ? static_cast<C>(b) : static_cast<C>(a), rest...);
}

// a in [b, ...]
template <typename A, typename... Rest>
constexpr bool in(A a, Rest... rest) {
  return (false || ... || (static_cast<Common<A, Rest>>(a) == static_cast<Common<A, Rest>>(rest)));
}

// An integer where one is needed: a grid, an extent, bytes. A real that is none is refused.
template <typename A>
constexpr Int integer(A a) {
  if constexpr (std::is_integral_v<A>) {
    return a;
  } else {
    if (!(a >= -9.2e18 && a <= 9.2e18) || std::floor(a) != a)
      throw std::domain_error("an expression is not an integer");
    return static_cast<Int>(a);
  }
}

// The elements from an array's first to its last, both included; 0 for an empty one.
inline Int reach(std::initializer_list<Int> shape, std::initializer_list<Int> strides) {
  Int last = 0;
  const Int* stride = strides.begin();
  for (const Int extent : shape) {
    if (extent <= 0) return 0;
    last = add(last, mul(extent - 1, *stride++));
  }
  return last + 1;
}

}  // namespace spak::expr
#pragma GCC visibility pop
