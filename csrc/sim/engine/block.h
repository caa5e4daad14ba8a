// One block: its threads, its shared memory, and what its threads wait for together. Knows nothing of who runs next,
// which its unit decides.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "finding.h"
#include "job.h"
#include "thread.h"
#include "window.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {

class Unit;
namespace check {
struct BlockState;
}

// Lanes that have arrived at one collective operation; several can be open at once, with disjoint or nested masks.
struct Meeting {
  const char* name;
  Collective op;
  std::uint32_t mask, arrived;
  void (*body)(void* const* arguments, std::uint32_t arrived);  // of a model; null: `op`
};

struct Warp {
  std::uint32_t gone = 0;  // lanes that exited, and those the block's size leaves out
  std::vector<Meeting> open;
  // What each lane brought to the collective it waits in, and what it takes away.
  std::uint64_t value[kWarp], result[kWarp];
  int argument[kWarp], width[kWarp];
};

// Four warps that have partly arrived at an operation of their warpgroup.
struct Gathering {
  const char* name;
  unsigned first;  // index of the warpgroup's first thread
  unsigned arrived;
  void (*body)(void* const* arguments);
};

class Block : public BlockView {
 public:
  // The block at `place` of the grid, the `rank`-th of its cluster, with its shared memory at `window`.
  void begin(Unit& unit, const Job& job, Dim place, unsigned rank, char* window);

  // The calling thread's part of the primitives in engine.h and operation.h.
  int barrier(Barrier kind, int predicate, Site site);
  std::uint64_t collective(Collective op, std::uint32_t mask, std::uint64_t value, int argument, int width, Site site);
  void together(const char* name, std::uint32_t mask, void* argument, void (*body)(void* const*, std::uint32_t),
                Site site);
  void together_group(const char* name, void* argument, void (*body)(void* const*), Site site);
  void leave(Thread& thread);  // it has returned from the kernel

  unsigned rank() const { return rank_; }  // in its cluster
  unsigned size() const { return size_; }  // threads
  unsigned exited() const { return exited_; }
  bool gone() const { return exited_ == size_; }
  State standing(const Thread& thread) const;
  unsigned waiting() const { return waiting_count_; }  // at __syncthreads
  Thread& thread(unsigned index) { return threads_[index]; }
  const Thread& thread(unsigned index) const { return threads_[index]; }
  Thread* threads() { return threads_.get(); }
  Unit& unit() const { return *unit_; }
  Window& window() { return window_; }
  const Window& window() const { return window_; }
  States& states() { return states_; }
  std::string name() const;  // "block (0,0,0)"

  // One line for each place where its threads are, in the order of their first thread.
  std::vector<Party> standings() const;

  check::BlockState* checked = nullptr;

 private:
  [[gnu::noinline]] int any_barrier(Barrier kind, int predicate, Site site);
  void open_barrier(Barrier kind);
  void arrive(const Meeting& meeting);
  bool complete(unsigned warp, std::size_t meeting);
  [[noreturn]] void mismatch() const;

  Unit* unit_ = nullptr;
  unsigned rank_ = 0, size_ = 0, exited_ = 0, capacity_ = 0;
  std::unique_ptr<Thread[]> threads_;
  std::unique_ptr<Thread*[]> waiting_;  // at the barrier, in the order of arrival
  unsigned waiting_count_ = 0;
  static constexpr std::uint32_t kPhase = 4;
  std::uint32_t phase_ = 0;  // of the barrier: kPhase times how often it has opened
  Barrier barrier_kind_{};
  bool barrier_mismatch_ = false;
  int barrier_trues_ = 0, barrier_result_ = 0;
  Site barrier_site_{nullptr, 0};
  std::array<Warp, kMaxThreads / kWarp> warps_;
  std::vector<Gathering> gatherings_;
  Window window_;
  States states_;
};

inline State Block::standing(const Thread& thread) const {
  return thread.state == State::barrier && (thread.phase ^ phase_) >= kPhase ? State::ready : thread.state;
}

inline Block& Thread::owner() const { return *static_cast<Block*>(block); }
inline State Thread::standing() const { return owner().standing(*this); }

// "block (0,0,0), thread (1,0,0)".
std::string name_of(const Thread& thread);

}  // namespace spak::sim
#pragma GCC visibility pop
