// One asynchronous operation that has been issued. Knows nothing of what it computes.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "check/cell.h"
#include "check/check.h"
#include "check/clock.h"

#pragma GCC visibility push(hidden)
namespace spak::sim::check {

struct UnitState;

class Flight {
 public:
  struct Span {
    std::uintptr_t begin;
    std::size_t size;
  };

  Flight(const char* what_, Proxy proxy_, Slot issued_, UnitState* unit_);
  ~Flight();
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;

  Slot slot() const { return flight_slot(number); }

  const char* what;
  Proxy proxy;
  Slot issued;           // who issued it, and where
  std::uint64_t number;  // of all flights of the process
  UnitState* unit;       // that it was issued in
  std::vector<Span> reads, writes;
  bool landed = false;
  std::uint32_t agents = 0, agent = 0,
                agent_tick =
                    0;     // what stands for its reads once it has landed, and its updates: whoever waited is after it
  ClockRef before, after;  // what the last one who waited knew, and then knew
};

// The flight that a slot stands for, or null if it has landed or is gone.
Flight* flight_of(Slot slot);
// Whatever has not landed belongs to a launch that is over.
void forget_flights();

}  // namespace spak::sim::check
#pragma GCC visibility pop
