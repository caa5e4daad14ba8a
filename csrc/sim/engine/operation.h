// What models of asynchronous and collective instructions need of the engine. Knows nothing of any instruction.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "spak/sim/engine.h"
#include "state.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {

struct Thread;

// --- who and where -----------------------------------------------------------------------------------------------------
// The calling thread: its index in its block (x fastest), the block's threads, the block's rank in its cluster, the
// cluster's blocks. More is in unit.h, for who needs it.
struct Where {
  unsigned thread, threads, rank, blocks;
};
Where whereabouts();

// State that a model hangs on the calling thread, or on its block, cluster or unit (the cluster, or the whole grid of a
// cooperative launch): one T each, default-constructed at first use, gone when what it hangs on is.
States& thread_states();
States& block_states();
States& cluster_states();
States& unit_states();
template <typename T>
T& thread_state() {
  return thread_states().get<T>();
}
template <typename T>
T& block_state() {
  return block_states().get<T>();
}
template <typename T>
T& cluster_state() {
  return cluster_states().get<T>();
}
template <typename T>
T& unit_state() {
  return unit_states().get<T>();
}

// --- shared memory -----------------------------------------------------------------------------------------------------
// A block's shared memory is one window of 256 KB; its 32-bit addresses have 18 bits. shared::cluster addresses carry the
// block's rank + 1 in bits 24 to 28; 0 there means the calling thread's own block.
constexpr std::uint32_t kWindow = 1u << 18;
struct SharedPlace {
  int rank;  // of the block in its cluster; -1: not shared memory of this cluster
  std::uint32_t offset;
};
SharedPlace shared_place(const void* generic);
// The generic pointer of a shared address (own or cluster). Ends the launch when [address, address + size) is not inside
// the window of a block that is there.
void* shared_pointer(std::uint32_t address, std::size_t size, Site site);
// The 32-bit address of a pointer into shared memory (cvta.to.shared). Ends the launch for any other pointer.
std::uint32_t shared_address(const void* generic, Site site);
// The same variable in the block with that rank of the cluster (mapa).
void* shared_peer(const void* generic, unsigned rank, Site site);

// --- waiting -----------------------------------------------------------------------------------------------------------
// Threads that wait until somebody opens the gate. One lives in each object that can be waited for.
class Gate {
 public:
  // Suspends the calling thread until `open`. `what` ("mbarrier wait") and `describe` (null: nothing more) make the line
  // about this thread in the report of a deadlock; `describe` is called with `object` while the thread waits.
  void wait(const char* what, Site site, std::string (*describe)(const void* object, const Thread& waiter) = nullptr,
            const void* object = nullptr);
  void open();  // all of them
  bool anybody() const { return first_ != nullptr; }

 private:
  Thread* first_ = nullptr;
  Thread* last_ = nullptr;
};

// --- collectives -------------------------------------------------------------------------------------------------------
// Waits until all lanes of the calling warp named in `mask` have called it with the same `name` and `mask`; the last one runs
// body(arguments, arrived, context of the last): arguments[lane] is what that lane passed, null for lanes not in `arrived`.
// Unlike __syncwarp it gives no memory order by itself. Lanes that never come are a "divergent-warp" finding.
void together_warp(const char* name, std::uint32_t mask, void* argument,
                   void (*body)(void* const* arguments, std::uint32_t arrived), Site site);
// The same for the 128 threads of the calling thread's warpgroup, which is 4 warps from a multiple of 4 ("warpgroup").
void together_warpgroup(const char* name, void* argument, void (*body)(void* const* arguments), Site site);

// --- asynchronous operations -------------------------------------------------------------------------------------------
// How eager asynchronous operations complete (SPAK_SIM_COMPLETION): as soon as issued, at the last moment that is legal,
// or at random ones.
enum class Completion : unsigned char { eager, lazy, random };

// An operation that has been issued. `perform` does its work and signals whoever waits; it runs on some fiber of the unit,
// without a calling thread. It is run exactly once.
class Operation {
 public:
  virtual ~Operation() = default;
  virtual void perform() = 0;
  bool done = false;
};
using OperationRef = std::shared_ptr<Operation>;
// Issues it on the calling thread's unit: eager performs at once; lazy when no thread of the unit can run (oldest
// first, or shuffled by the seed), random at any scheduling point. At the end of the unit what is left is performed.
void issue(OperationRef operation);
// Performs it now unless it is done: what a wait for a group does.
void finish(const OperationRef& operation);

}  // namespace spak::sim
#pragma GCC visibility pop
