// One simulated CUDA thread: where it stands, and what it waits for. Knows nothing of who runs next.
#pragma once
#include <cstdint>
#include <string>

#include "context.h"
#include "spak/sim/engine.h"
#include "state.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {

constexpr unsigned kWarp = 32;
constexpr unsigned kMaxThreads = 1024;

class Block;
namespace check {
struct ThreadState;
}

enum class State : unsigned char {
  unstarted,   // has no stack
  ready,       // runs, or would if it were chosen
  barrier,     // waits in barrier()
  collective,  // waits for lanes of its warp, or for the warps of its warpgroup
  gate,        // waits until somebody opens a gate
  exited,
};

// What a barrier touches fills the first cache line.
struct alignas(64) Thread : ThreadView {
  State state = State::unstarted;
  std::uint16_t index = 0;  // in its block, x fastest
  int stack = -1;
  std::uint32_t phase = 0;     // of the block's barrier, when the thread came to it, and the barrier's kind in two bits
  std::uint32_t mask = 0;      // of the collective it waits in; 0: of a warpgroup
  const char* what = nullptr;  // the name of what it waits for
  alignas(64) Context context;

  Thread* next = nullptr;  // in the gate it waits at
  std::string (*describe)(const void* object, const Thread& waiter) = nullptr;
  const void* object = nullptr;
  void* argument_of = nullptr;  // of a collective of a model
  char* stack_low = nullptr;    // while it has one: [stack_low, stack_high)
  char* stack_high = nullptr;
  const void* polled_at = nullptr;  // the instruction it polled with last
  void* fake_stack = nullptr;       // AddressSanitizer's
  check::ThreadState* checked = nullptr;
  States states;
  char padding[64];  // see below

  Block& owner() const;
  Thread& lane_zero() { return *(this - lane); }  // of its warp
  // `state`, but ready where the barrier has opened since and the thread has not run yet: nobody goes round to say so.
  State standing() const;
  Barrier kind() const { return static_cast<Barrier>(phase & 3); }
};
// The stride of an array of threads, in cache lines, is odd: their first lines are spread over all sets of a cache.
static_assert(SPAK_SIM_UCONTEXT || sizeof(Thread) / 64 % 2 == 1, "pad Thread by a cache line");

}  // namespace spak::sim
#pragma GCC visibility pop
