// Atomic operations: real ones, since blocks run on several cores. Relaxed, as CUDA's are. Knows nothing of
// weaker machines: the _block and _system forms differ to the checkers only.
#pragma once
#include <spak/sim/engine.h>

#include <cstring>
#include <type_traits>

namespace spak::sim {

// What a compare-and-swap tries first. No access of its own in CUDA, so none that the checkers see or count.
template <typename Bits>
#if defined(SPAK_SIM_INSTRUMENTED)
__attribute__((noinline, no_sanitize("thread")))
#endif
inline Bits peek(const Bits* place) {
  return __atomic_load_n(place, __ATOMIC_RELAXED);
}

template <typename T, typename Next>
inline T update(T* address, Next next) {
  using Bits = std::conditional_t<sizeof(T) == 8, std::uint64_t,
                                  std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint16_t>>;
  static_assert(sizeof(T) == sizeof(Bits), "an atomic works on values of 2, 4 or 8 bytes");
  auto* place = reinterpret_cast<Bits*>(address);
  Bits old = peek(place);
  for (;;) {
    T value;
    std::memcpy(static_cast<void*>(&value), &old, sizeof value);
    const T wanted = next(value);
    Bits bits;
    std::memcpy(&bits, static_cast<const void*>(&wanted), sizeof bits);
    if (!__atomic_compare_exchange_n(place, &old, bits, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) continue;
    if (bits == old) polled();  // nothing has changed: the thread may be waiting for somebody who changes it
    return value;
  }
}

// Unlike an update, an exchange does not depend on what was there: it may be the first that writes.
template <typename T>
inline T exchange(T* address, T value) {
  using Bits = std::conditional_t<sizeof(T) == 8, std::uint64_t,
                                  std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint16_t>>;
  static_assert(sizeof(T) == sizeof(Bits), "an atomic works on values of 2, 4 or 8 bytes");
  Bits bits;
  std::memcpy(&bits, static_cast<const void*>(&value), sizeof bits);
  const Bits old = __atomic_exchange_n(reinterpret_cast<Bits*>(address), bits, __ATOMIC_RELAXED);
  if (bits == old) polled();  // as above
  std::memcpy(static_cast<void*>(&value), &old, sizeof value);
  return value;
}

// The operations of one scope, as the checkers see them.
struct Scoped {
  explicit Scoped(FenceScope scope) { atomic_scope = scope; }
  ~Scoped() { atomic_scope = FenceScope::device; }
};

}  // namespace spak::sim

#define SPAK_SIM_SCOPES(name, T)                                  \
  inline T name##_block(T* address, T value) {                    \
    const spak::sim::Scoped scope(spak::sim::FenceScope::block);  \
    return name(address, value);                                  \
  }                                                               \
  inline T name##_system(T* address, T value) {                   \
    const spak::sim::Scoped scope(spak::sim::FenceScope::system); \
    return name(address, value);                                  \
  }
#define SPAK_SIM_ATOMIC(name, T, expression)                                         \
  inline T name(T* address, T value) {                                               \
    return spak::sim::update(address, [value](T old) -> T { return (expression); }); \
  }                                                                                  \
  SPAK_SIM_SCOPES(name, T)
#define SPAK_SIM_EXCHANGE(T)                                                               \
  inline T atomicExch(T* address, T value) { return spak::sim::exchange(address, value); } \
  SPAK_SIM_SCOPES(atomicExch, T)
#define SPAK_SIM_ATOMIC_INTEGERS(name, expression) \
  SPAK_SIM_ATOMIC(name, int, expression)           \
  SPAK_SIM_ATOMIC(name, unsigned, expression)      \
  SPAK_SIM_ATOMIC(name, long, expression)          \
  SPAK_SIM_ATOMIC(name, unsigned long, expression) \
  SPAK_SIM_ATOMIC(name, long long, expression)     \
  SPAK_SIM_ATOMIC(name, unsigned long long, expression)
#define SPAK_SIM_ATOMIC_NUMBERS(name, expression) \
  SPAK_SIM_ATOMIC_INTEGERS(name, expression)      \
  SPAK_SIM_ATOMIC(name, float, expression)        \
  SPAK_SIM_ATOMIC(name, double, expression)

SPAK_SIM_ATOMIC_NUMBERS(atomicAdd, old + value)
SPAK_SIM_EXCHANGE(int)
SPAK_SIM_EXCHANGE(unsigned)
SPAK_SIM_EXCHANGE(long)
SPAK_SIM_EXCHANGE(unsigned long)
SPAK_SIM_EXCHANGE(long long)
SPAK_SIM_EXCHANGE(unsigned long long)
SPAK_SIM_EXCHANGE(float)
SPAK_SIM_EXCHANGE(double)
SPAK_SIM_ATOMIC_INTEGERS(atomicSub, old - value)
SPAK_SIM_ATOMIC_INTEGERS(atomicMin, old < value ? old : value)
SPAK_SIM_ATOMIC_INTEGERS(atomicMax, old > value ? old : value)
SPAK_SIM_ATOMIC_INTEGERS(atomicAnd, old& value)
SPAK_SIM_ATOMIC_INTEGERS(atomicOr, old | value)
SPAK_SIM_ATOMIC_INTEGERS(atomicXor, old ^ value)
SPAK_SIM_ATOMIC(atomicInc, unsigned, old >= value ? 0u : old + 1u)
SPAK_SIM_ATOMIC(atomicDec, unsigned, old == 0 || old > value ? value : old - 1u)

#define SPAK_SIM_ATOMIC_CAS(T)                                                                                \
  inline T atomicCAS(T* address, T compare, T value) {                                                        \
    return spak::sim::update(address, [compare, value](T old) -> T { return old == compare ? value : old; }); \
  }                                                                                                           \
  inline T atomicCAS_block(T* address, T compare, T value) {                                                  \
    const spak::sim::Scoped scope(spak::sim::FenceScope::block);                                              \
    return atomicCAS(address, compare, value);                                                                \
  }                                                                                                           \
  inline T atomicCAS_system(T* address, T compare, T value) {                                                 \
    const spak::sim::Scoped scope(spak::sim::FenceScope::system);                                             \
    return atomicCAS(address, compare, value);                                                                \
  }
SPAK_SIM_ATOMIC_CAS(int)
SPAK_SIM_ATOMIC_CAS(unsigned)
SPAK_SIM_ATOMIC_CAS(unsigned short)
SPAK_SIM_ATOMIC_CAS(unsigned long)
SPAK_SIM_ATOMIC_CAS(unsigned long long)

#undef SPAK_SIM_ATOMIC
#undef SPAK_SIM_SCOPES
#undef SPAK_SIM_EXCHANGE
#undef SPAK_SIM_ATOMIC_INTEGERS
#undef SPAK_SIM_ATOMIC_NUMBERS
#undef SPAK_SIM_ATOMIC_CAS
