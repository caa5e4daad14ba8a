// What code compiled with -fsanitize=thread calls instead of the __atomic builtins: the operation itself, and the order that it
// makes. Knows nothing of CUDA's names for them.
#include <cstdint>

#include "check/hook.h"
#include "check/judge.h"
#include "check/machine.h"
#include "check/order.h"
#include "check/places.h"
#include "check/states.h"
#include "profile/profile.h"

namespace spak::sim::check {

namespace {

#define SPAK_PC __builtin_return_address(0)

bool acquires(int order) {
  return order == __ATOMIC_ACQUIRE || order == __ATOMIC_CONSUME || order == __ATOMIC_ACQ_REL ||
         order == __ATOMIC_SEQ_CST;
}
bool releases(int order) { return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST; }

[[gnu::noinline, gnu::section("spak_sim_hooks")]] void see(volatile void* place, std::size_t size, bool reads,
                                                           bool writes, int order, const void* pc,
                                                           bool replaces = false) {
  const auto address = reinterpret_cast<std::uintptr_t>(place);
  if (!on() || !now.thread || address - now.thread->stack_low < now.thread->stack_size) return;
  if (counting()) return profile::access(const_cast<const void*>(place), size, profile::Kind::atomic, pc);
  busy = true;
  settle_now();
  Spot& spot = spot_of(pc);
  if (spot.pc != pc) settle(spot, pc);
  const auto scope = static_cast<Scope>(atomic_scope);  // of the function that is being called
  const How how = scope == Scope::block ? How::strong_block : How::strong;
  judge({.address = address,
         .size = size,
         .write = writes,
         .how = how,
         .place = spot.place,
         .pc = pc,
         .align = size,
         .both = reads && writes,
         .replaces = replaces});
  busy = false;
  if (!writes) polled(pc);
  busy = true;
  synchronise(address, scope, reads, writes, reads && acquires(order), writes && releases(order));
  busy = false;
}

}  // namespace

// The operations are done with the strongest order: a check runs on one OS thread, and their cost is not what counts.
#define SPAK_ATOMIC(bits, T)                                                                                  \
  SPAK_HOOK T __tsan_atomic##bits##_load(const volatile T* p, int order) {                                    \
    see(const_cast<volatile T*>(p), sizeof(T), true, false, order, SPAK_PC);                                  \
    return __atomic_load_n(p, __ATOMIC_SEQ_CST);                                                              \
  }                                                                                                           \
  SPAK_HOOK void __tsan_atomic##bits##_store(volatile T* p, T value, int order) {                             \
    see(p, sizeof(T), false, true, order, SPAK_PC);                                                           \
    __atomic_store_n(p, value, __ATOMIC_SEQ_CST);                                                             \
  }                                                                                                           \
  SPAK_HOOK T __tsan_atomic##bits##_exchange(volatile T* p, T value, int order) {                             \
    see(p, sizeof(T), true, true, order, SPAK_PC, true);                                                      \
    return __atomic_exchange_n(p, value, __ATOMIC_SEQ_CST);                                                   \
  }                                                                                                           \
  SPAK_UPDATE(bits, T, fetch_add)                                                                             \
  SPAK_UPDATE(bits, T, fetch_sub)                                                                             \
  SPAK_UPDATE(bits, T, fetch_and)                                                                             \
  SPAK_UPDATE(bits, T, fetch_or)                                                                              \
  SPAK_UPDATE(bits, T, fetch_xor)                                                                             \
  SPAK_UPDATE(bits, T, fetch_nand)                                                                            \
  SPAK_HOOK int __tsan_atomic##bits##_compare_exchange_strong(volatile T* p, T* expected, T value, int order, \
                                                              int failure) {                                  \
    const T there = __atomic_load_n(p, __ATOMIC_SEQ_CST);                                                     \
    see(p, sizeof(T), true, there == *expected, there == *expected ? order : failure, SPAK_PC);               \
    return __atomic_compare_exchange_n(p, expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);        \
  }                                                                                                           \
  SPAK_HOOK int __tsan_atomic##bits##_compare_exchange_weak(volatile T* p, T* expected, T value, int order,   \
                                                            int failure) {                                    \
    const T there = __atomic_load_n(p, __ATOMIC_SEQ_CST);                                                     \
    see(p, sizeof(T), true, there == *expected, there == *expected ? order : failure, SPAK_PC);               \
    return __atomic_compare_exchange_n(p, expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);        \
  }
#define SPAK_UPDATE(bits, T, name)                                              \
  SPAK_HOOK T __tsan_atomic##bits##_##name(volatile T* p, T value, int order) { \
    see(p, sizeof(T), true, true, order, SPAK_PC);                              \
    return __atomic_##name(p, value, __ATOMIC_SEQ_CST);                         \
  }

SPAK_ATOMIC(8, std::uint8_t)
SPAK_ATOMIC(16, std::uint16_t)
SPAK_ATOMIC(32, std::uint32_t)
SPAK_ATOMIC(64, std::uint64_t)

SPAK_HOOK void __tsan_atomic_thread_fence(int) { fence(Scope::device); }
SPAK_HOOK void __tsan_atomic_signal_fence(int) {}

}  // namespace spak::sim::check
