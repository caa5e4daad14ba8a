// An mbarrier as a state machine (PTX ISA, "Parallel Synchronization and Communication Instructions: mbarrier"): phases,
// pending arrivals, outstanding bytes. Knows nothing of who waits in which instruction, nor of checks on its callers.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "check/check.h"
#include "engine/operation.h"
#include "engine/unit.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {

struct Mbarrier {
  static constexpr std::uint32_t kMaxCount = (1u << 20) - 1;
  static constexpr std::int64_t kMaxBytes = (1 << 20) - 1;
  struct Arrival {
    const Thread* thread;
    Site site;
  };

  Block* block = nullptr;
  std::uint64_t* word = nullptr;  // in shared memory
  bool live = false;              // initialised, and not invalidated since
  std::uint32_t expected = 0, pending = 0;
  std::int64_t bytes = 0;  // outstanding; negative where copies were faster than expect_tx
  std::uint64_t phase = 0;
  Site initialised{nullptr, 0}, invalidated{nullptr, 0};
  unsigned fences = 0;  // of the block when it was initialised
  std::shared_ptr<check::Order> current, completed;
  std::vector<Arrival> arrived, before;  // in this phase, and in the one before: for reports
  Gate gate;

  void begin(std::uint32_t count, Site site);
  unsigned parity() const { return static_cast<unsigned>(phase & 1); }
  // The 64 bits in memory: two bits that say what it is, then phase, bytes, expected and pending arrivals.
  std::uint64_t encode() const;
  void store() { *word = encode(); }
  // Ends the phase if nothing is missing. Every change of `pending` or `bytes` is followed by it.
  void settle();
  std::string state() const;  // "in phase 3 (parity 1): 1 of 2 arrivals pending, 4096 bytes outstanding"
};
using MbarrierRef = std::shared_ptr<Mbarrier>;

// Those of a block, by offset in its window.
struct Mbarriers {
  std::unordered_map<std::uint32_t, MbarrierRef> at;
  unsigned fences = 0;  // proxy fences and fence.mbarrier_init that threads of the block have executed
};

// The barrier that lives at `bar`. Ends the launch where there is none, or where something wrote over it.
MbarrierRef mbarrier_at(std::uint64_t* bar, const char* what, Site site);
// The one that an asynchronous copy shall complete on: as above, and its initialisation has been fenced.
MbarrierRef mbarrier_for_copy(std::uint64_t* bar, const char* what, Site site);
// An asynchronous copy has delivered `bytes`; `issued` is where it comes from.
void deliver(Mbarrier& barrier, std::uint64_t bytes, const check::FlightRef& flight, const char* what, Site issued);

}  // namespace spak::sim
#pragma GCC visibility pop
