// Asynchronous copies that one thread issues, with their completion: loads on an mbarrier, stores in the thread's bulk groups.
// Knows nothing of what is copied: contiguous bytes or a tensor's box.
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "check/check.h"
#include "model/barrier_state.h"
#include "profile/profile.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {

// Into shared memory of one block; a multicast is one for each block.
struct Load : Operation {
  void perform() final;
  virtual void move() = 0;

  const char* what = "";  // "TMA load"
  Block* into = nullptr;
  const Block* from = nullptr;  // the block that issued it
  bool out_of_shared = false;   // it reads that one's shared memory
  MbarrierRef barrier;
  std::uint64_t bytes = 0;
  check::FlightRef flight;
  Site site{nullptr, 0};
  const Thread* thread = nullptr;
};

// Out of shared memory of the issuing block, into global memory.
struct Store : Operation {
  void perform() final;
  // The source is read now: from here on it may be overwritten.
  void take();
  // Writes the destination from `source`, which is where the bytes lay, or a copy of them.
  virtual void move(const char* source) = 0;

  const char* what = "";
  const char* shared = nullptr;
  std::size_t bytes = 0;
  std::vector<char> taken;
  bool is_taken = false, awaited = false;  // awaited: its thread knows that the source has been read
  check::FlightRef flight;
  Site site{nullptr, 0};
  const Thread* thread = nullptr;
};

// Completes what has been filled in (what, into, barrier, bytes) and issues it. `flight` has its accesses already.
void issue_load(std::shared_ptr<Load> load, Site site);
// Makes it part of the calling thread's open bulk group, and issues it.
void issue_store(std::shared_ptr<Store> store, Site site);

// The blocks that a multicast's mask names. Ends the launch for a bit that names no block, or one that has exited.
std::vector<Block*> destinations(std::uint16_t mask, const char* what, Site site);
// One more copy, of so many bytes of the kind `event`, where a profile is asked for.
void count_copy(profile::Event event, std::uint32_t bytes);
// What lies in `peer` where `own` lies in the calling thread's block.
void* in_block(const Block& peer, const void* own);

}  // namespace spak::sim
#pragma GCC visibility pop
