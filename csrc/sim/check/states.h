// What is kept of each unit, block and thread while it runs, and of the running one where hooks can reach it at once. Knows
// nothing of findings.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "check/cell.h"
#include "check/clock.h"
#include "check/shadow.h"
#include "spak/sim/engine.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {
class Block;
class Unit;
struct Thread;
struct Job;
}  // namespace spak::sim

namespace spak::sim::check {

class Flight;
struct BlockState;
struct UnitState;

constexpr std::uintptr_t kNowhere = std::uintptr_t{1} << 63;  // no window is there

// Locals that an asynchronous operation will write, or read.
struct Accumulator {
  bool only_read;
  std::uintptr_t begin;
  std::size_t size;
  std::weak_ptr<Flight> flight;
};

struct ThreadState {
  BlockState* block = nullptr;
  std::uint32_t index = 0;
  std::uint32_t tick = 1;
  VectorRef further;  // of its own block, beyond the block's floor
  ClockRef others;    // of other blocks
  Scoped fenced;      // what is before its last fence; such knowledge also passes along all order
  ClockRef proxied;   // what has been made visible to the async proxy, in shared and in global memory
  ClockRef proxied_global;
  ClockRef initialised;  // what is before its last fence.mbarrier_init
  Scoped polled;         // released to what it has read since its last fence of that reach
  std::vector<Accumulator> accumulators;
  std::uintptr_t stack_low = 0, stack_size = 0;
};

struct Variable {
  const SharedSite* site;
  std::uintptr_t begin;
  std::size_t size;
};

struct Visit {
  Slot last;
  bool write;
};

struct BlockState {
  UnitState* unit = nullptr;
  std::uint32_t number = 0;  // in the history: see Slot
  std::uint32_t floor = 0;   // last tick that all of its threads know of all
  std::uint32_t high = 1;    // greatest tick in use
  unsigned size = 0;
  std::unique_ptr<ThreadState[]> threads;
  unsigned capacity = 0;
  std::uintptr_t window = kNowhere;
  std::unique_ptr<WindowShadow> shadow;
  std::vector<Variable> variables;
  unsigned exited = 0;
  unsigned shift = 0;                        // log2 of how many warps' lanes a cell has
  std::unordered_map<Slot, Visit> visitors;  // threads of other blocks that have looked into its window

  const Variable* variable_at(std::uintptr_t address) const;
  const Variable* nearest(std::uintptr_t address) const;
};

struct UnitState {
  std::uint32_t first = 0;                          // number of its first block
  std::vector<std::unique_ptr<BlockState>> blocks;  // those beyond `count` rest
  std::size_t count = 0;
  std::uint32_t agents = 0;  // number of the block whose threads are the barriers that asynchronous operations signal
  std::vector<std::uint32_t> agent_ticks;
  std::uint32_t next_agent = 0;
  std::unordered_map<std::uint64_t, Rest> rests;  // of cells of its windows

  BlockState* of_window(std::uintptr_t address) const;
};

// The running thread. Slow: every access takes the long way. Not thread-local, because modules have little room for that and
// one checked launch runs at a time: code of other OS threads is told by `active`.
struct Now {
  std::uintptr_t window = kNowhere;  // of its block; kNowhere: none
  Cell* cells = nullptr;             // of its window
  Cell* bytes = nullptr;             // of words of it that are split; null: none are
  Lanes* lanes = nullptr;            // beside the cells,
  Lanes* byte_lanes = nullptr;       // and beside the bytes
  unsigned shift = 0;                // log2 of how many a cell has
  unsigned warp = 0;                 // which of them the thread is in,
  Lanes lane = 0;                    // and as which bit
  Slot me = 0;                       // its accesses, without the place
  Slot lo = 0, span = 0;  // slots from lo to lo + span are before it: those of its block before the last barrier
  Slot unit_lo = 0, launch_lo = 0;  // lesser slots are older than the unit, or the launch
  std::uintptr_t stack_low = 0, stack_size = 0;
  ThreadState* thread = nullptr;  // null outside kernels
  bool slow = true;
};
extern Now now;

// Takes the clock of `now.thread` into `now`.
void refresh();
// Whether the running thread is after that access.
bool known(const ThreadState& thread, Slot slot);
// Whether one is after all that another is after, its own accesses apart.
bool knows_as_much(const ThreadState& thread, const ThreadState& other);
// The thread's accesses from now on are not part of what it has released so far.
void advance(ThreadState& thread);
// All that the thread knows, itself included.
ClockRef knowledge(const ThreadState& thread);
void learn(ThreadState& thread, const Clock& clock);
// A number for a block of the history.
std::uint32_t new_block(const Dim& place, const Dim& dim, bool agents);
struct Past {
  Dim place, dim;  // of the block, in its grid and in threads
  bool agents;
  bool retired;  // its number was given up: whatever it did counts as known
};
const Past& past_of(std::uint32_t block);
// The first number of this launch; the first of the work that overlaps it; whether one that is older belongs to that.
std::uint32_t first_of_launch();
std::uint32_t lowest_of_interest();
bool overlaps(std::uint32_t block);

}  // namespace spak::sim::check
#pragma GCC visibility pop
