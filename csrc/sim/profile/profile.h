// Counts what a kernel does, as the hardware would count it: requests and sectors, bank conflicts, lanes at work,
// instructions by class. Knows nothing of time. Every function returns at once unless `on()`.
#pragma once
#include <cstddef>
#include <cstdint>

#include "spak/sim/engine.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {

struct Job;

namespace profile {

// Whether the launch that this OS thread works for runs in mode profile.
extern __thread bool active __attribute__((tls_model("initial-exec")));
inline bool on() { return __builtin_expect(active, false); }

enum class Kind : unsigned char { read, write, atomic };

// An access of the calling thread, by the instruction at `pc`.
void access(const void* address, std::size_t size, Kind kind, const void* pc);

// Instructions by class, one for each warp (or warpgroup) that executes one, and the bytes that asynchronous copies move.
enum class Event : unsigned char {
  barriers,         // block-wide barriers, once each
  warp_operations,  // shuffles, votes, matches, reductions, __syncwarp: once a warp
  mma,              // mma.sync: once a warp
  mma_flops,
  wgmma,  // once a warpgroup
  wgmma_flops,
  matrix_loads,     // ldmatrix, stmatrix: once a warp
  async_copies,     // cp.async: once a thread
  async_bytes_in,   // global to shared, by cp.async, bulk copies and TMA
  async_bytes_out,  // shared to global
  peer_bytes,       // shared memory to the shared memory of another block
  bulk_copies,      // bulk and TMA operations, once each
  count_,
};
void event(Event event, std::uint64_t amount = 1);

// A load from global to shared memory has been issued (`bytes` > 0) or has completed (`bytes` < 0): maths that is issued in
// between overlaps with it.
void loading(std::int64_t bytes);

// --- the engine's part -------------------------------------------------------------------------------------------------
void launch_begin(const Job& job);
void launch_end(const Job& job);
void block_begin(const BlockView& block);
// All threads of the block have come to a barrier, or have exited: what its warps did up to here belongs together.
void together(const BlockView& block);

}  // namespace profile
}  // namespace spak::sim
#pragma GCC visibility pop
