// What lies behind `Order`, and what atomic variables have been told. Knows nothing of memory's contents.
#pragma once
#include <cstddef>
#include <cstdint>

#include "check/check.h"
#include "check/states.h"

#pragma GCC visibility push(hidden)
namespace spak::sim::check {

struct Order::Body {
  Clock clock;
  Scoped fenced;
  ClockRef proxied, proxied_global;
  VectorRef last;  // of the last release, joined already
  ClockRef last_others;
  std::uint32_t agents = 0;  // the agent that stands for operations which signal it: its block,
  std::uint32_t agent = 0;   // and its number there
};

// Something asynchronous has happened that whoever acquires `order` is after; its slot.
Slot signal(Order& order, UnitState& unit);
// Something asynchronous has happened that is known to whoever knows this slot.
Slot new_agent(UnitState& unit);

// An atomic or volatile access has taken place at the address: what it hands over, and takes. `both`: it read and wrote.
void synchronise(std::uintptr_t address, Scope scope, bool reads, bool writes, bool acquire, bool release);
// The variables in [begin, begin + size) are gone.
void forget_variables(std::uintptr_t begin, std::size_t size);
void forget_all_variables();

}  // namespace spak::sim::check
#pragma GCC visibility pop
