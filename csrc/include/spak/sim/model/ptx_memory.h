// Loads, stores and atomic operations of inline PTX. Compiled into the kernel, so that the checkers see its accesses. Knows
// nothing of address spaces: every pointer is generic.
#pragma once
#include <spak/sim/atomic.h>
#include <spak/sim/engine.h>
#include <spak/sim/model/shared.h>

#include <algorithm>
#include <cstdint>

namespace spak::sim::ptx {

template <typename T, int N>
struct Vector {
  T v[N];
};

template <typename T, int N>
inline Vector<T, N> load(const void* from, Site at) {
  require_aligned(from, sizeof(T) * N, "loads from an address that is not a multiple of the access's size", at);
  Vector<T, N> out;
  for (int i = 0; i < N; ++i) out.v[i] = static_cast<const T*>(from)[i];
  return out;
}

template <typename T, int N>
inline void store(void* to, const Vector<T, N>& value, Site at) {
  require_aligned(to, sizeof(T) * N, "stores to an address that is not a multiple of the access's size", at);
  for (int i = 0; i < N; ++i) static_cast<T*>(to)[i] = value.v[i];
}

// Somebody who reads a flag is polling.
template <typename T>
inline T load_atomic(const void* from, int order, FenceScope scope, Site at) {
  require_aligned(from, sizeof(T), "loads from an address that is not a multiple of the access's size", at);
  polled();
  const Scoped scoped(scope);
  const auto* place = static_cast<const T*>(from);
  return order == __ATOMIC_ACQUIRE ? __atomic_load_n(place, __ATOMIC_ACQUIRE)
                                   : __atomic_load_n(place, __ATOMIC_RELAXED);
}

template <typename T>
inline void store_atomic(void* to, T value, int order, FenceScope scope, Site at) {
  require_aligned(to, sizeof(T), "stores to an address that is not a multiple of the access's size", at);
  const Scoped scoped(scope);
  auto* place = static_cast<T*>(to);
  if (order == __ATOMIC_RELEASE)
    __atomic_store_n(place, value, __ATOMIC_RELEASE);
  else
    __atomic_store_n(place, value, __ATOMIC_RELAXED);
}

bool is_shared(const void* generic);
// getctarank: of the block that a shared::cluster address lies in.
unsigned rank_of(std::uint32_t address, Site at);

enum class Order { weak, relaxed, acquire, release, acq_rel };

// `change` does it to the T at the place, and returns what was there.
template <typename T, typename Change>
inline T ordered(void* place, Order order, FenceScope scope, Site at, Change change) {
  require_aligned(place, sizeof(T), "an atomic operation at an address that is not a multiple of its size", at);
  if (order == Order::release || order == Order::acq_rel) fence(scope);
  T old;
  {
    const Scoped scoped(scope);
    old = change(static_cast<T*>(place));
  }
  if (order == Order::acquire || order == Order::acq_rel) fence(scope);
  return old;
}
template <typename T, typename Next>
inline T atomic(void* place, Order order, FenceScope scope, Site at, Next next) {
  return ordered<T>(place, order, scope, at, [next](T* value) { return update(value, next); });
}

#define SPAK_SIM_PTX_ATOMIC(name, expression)                                                              \
  template <typename T>                                                                                    \
  inline T atomic_##name(void* place, T value, Order order, FenceScope scope, Site at) {                   \
    return atomic<T>(place, order, scope, at, [value](T old) -> T { return static_cast<T>(expression); }); \
  }
SPAK_SIM_PTX_ATOMIC(add, old + value)
SPAK_SIM_PTX_ATOMIC(min, value < old ? value : old)
SPAK_SIM_PTX_ATOMIC(max, old < value ? value : old)
SPAK_SIM_PTX_ATOMIC(inc, old >= value ? T{0} : old + 1)
SPAK_SIM_PTX_ATOMIC(dec, old == 0 || old > value ? value : old - 1)
SPAK_SIM_PTX_ATOMIC(and_, old& value)
SPAK_SIM_PTX_ATOMIC(or_, old | value)
SPAK_SIM_PTX_ATOMIC(xor_, old ^ value)
#undef SPAK_SIM_PTX_ATOMIC
template <typename T>
inline T atomic_exch(void* place, T value, Order order, FenceScope scope, Site at) {
  return ordered<T>(place, order, scope, at, [value](T* old) { return exchange(old, value); });
}
template <typename T>
inline T atomic_cas(void* place, T compare, T value, Order order, FenceScope scope, Site at) {
  return atomic<T>(place, order, scope, at, [compare, value](T old) -> T { return old == compare ? value : old; });
}

}  // namespace spak::sim::ptx
