// One block on one OS thread: its threads, who is ready, who waits for what. Knows nothing of the other blocks.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "arena.h"
#include "context.h"
#include "random.h"
#include "schedule.h"
#include "spak/sim/engine.h"
#include "spak/sim/launch.h"
#include "stacks.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {

constexpr unsigned kWarp = 32;
constexpr unsigned kMaxThreads = 1024;

enum class State : unsigned char {
  unstarted,   // has no stack
  ready,       // runs, or would if it were chosen
  barrier,     // waits in barrier()
  collective,  // waits in collective()
  exited,
};

struct Thread : ThreadView {
  Context context;
  int stack = -1;
  State state = State::unstarted;
  Collective op{};
  std::uint32_t mask = 0;
  unsigned bytes = 0;
  int argument = 0, width = 0;
  std::uint64_t value = 0, result = 0;
};

// Lanes that have arrived at one collective operation; several can be open at once, with disjoint or nested masks.
struct Meeting {
  Collective op;
  std::uint32_t mask, arrived;
};

struct Warp {
  std::uint32_t gone = 0;  // lanes that exited, and those the block's size leaves out
  std::vector<Meeting> open;
};

// What is the same for all blocks of a launch.
struct Job {
  Config config;
  Settings settings;
  void (*entry)(void*);
  void* context;
};

// The state of a worker; `run` may be called any number of times.
class Block : public BlockView {
 public:
  explicit Block(std::size_t stack_bytes) : stacks_(stack_bytes) {}

  // Runs the block whose linear index is `index`. Throws Fault.
  void run(const Job& job, std::uint64_t index);

  std::size_t stack_bytes() const { return stacks_.bytes(); }

  // The calling thread's part of the primitives in engine.h.
  int barrier(Barrier kind, int predicate, Site site);
  std::uint64_t collective(Collective op, std::uint32_t mask, std::uint64_t value, unsigned bytes, int argument, int width,
                           Site site);
  std::uint32_t active_mask() const;
  void yield();
  const Job& job() const { return *job_; }
  Arena& arena() { return arena_; }
  Thread& thread() const { return *static_cast<Thread*>(current); }
  // A stack that is free for the report of a trap: the trapped thread's own may be full.
  void* landing() const { return report_.get() + kReportBytes; }
  bool guards(const void* address) const { return stacks_.in_guard(address); }
  std::string where(const Thread& thread) const;  // "kernel `k`, block (0,0,0), thread (1,0,0)"

  // Ends the block with this fault, from inside one of its threads; does not come back.
  [[noreturn]] void abandon(Fault fault);

 private:
  void begin(std::uint64_t index);
  Thread* pick(bool prefer_new);
  unsigned start_order(unsigned n) const;
  void push(Thread& thread) { ready_[(ready_head_ + ready_count_++) % kMaxThreads] = &thread; }
  void suspend(bool prefer_new = false);
  void resume(Context& from, Thread& next);
  static void fiber();
  void live(Thread& thread);
  void leave(Thread& thread);
  bool complete(Warp& warp, unsigned first, std::size_t meeting);
  unsigned index_of(const Thread& thread) const { return static_cast<unsigned>(&thread - threads_.get()); }
  Fault stuck() const;
  std::string who_waits_where() const;

  const Job* job_ = nullptr;
  Stacks stacks_;
  Arena arena_;
  std::unique_ptr<Thread[]> threads_{new Thread[kMaxThreads]};
  std::array<Warp, kMaxThreads / kWarp> warps_;
  std::array<Thread*, kMaxThreads> ready_{}, waiting_{};
  std::array<std::uint16_t, kMaxThreads> shuffled_{};
  unsigned size_ = 0, started_ = 0, exited_ = 0;
  unsigned ready_head_ = 0, ready_count_ = 0, waiting_count_ = 0;
  Order order_ = Order::forward;
  Random random_;
  Barrier barrier_kind_{};
  bool barrier_mismatch_ = false;
  int barrier_trues_ = 0, barrier_result_ = 0;
  Context main_;
  static constexpr std::size_t kReportBytes = 64 << 10;
  std::unique_ptr<char[]> report_{new char[kReportBytes]};
  std::unique_ptr<Fault> fault_;
};

// The block that this OS thread is running, or null.
extern __thread Block* running __attribute__((tls_model("initial-exec")));

}  // namespace spak::sim
#pragma GCC visibility pop
