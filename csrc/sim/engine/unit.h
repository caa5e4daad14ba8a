// What runs as one on one OS thread: a block, the blocks of a cluster, or the whole grid of a cooperative launch. It
// decides which thread runs next. Knows nothing of other units.
#pragma once
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "block.h"
#include "job.h"
#include "operation.h"
#include "random.h"
#include "stacks.h"

// What index.h declares as threadIdx and its kin.
extern "C" {
struct __attribute__((visibility("hidden"))) spak_sim_index {
  spak::sim::Dim index;
  unsigned lane;  // copied with it, in one go
};
extern __thread spak_sim_index spak_sim_thread_index __attribute__((visibility("hidden"), tls_model("initial-exec")));
extern __thread spak::sim::Dim spak_sim_block_index __attribute__((visibility("hidden"), tls_model("initial-exec")));
extern __thread spak::sim::Dim spak_sim_block_dim __attribute__((visibility("hidden"), tls_model("initial-exec")));
extern __thread spak::sim::Dim spak_sim_grid_dim __attribute__((visibility("hidden"), tls_model("initial-exec")));
}

#pragma GCC visibility push(hidden)
namespace spak::sim {

// What one OS thread has done since it began.
struct Pulse {
  std::uint64_t achievements = 0;  // a thread exited, or could go on
  std::uint64_t meetings = 0;      // threads met, perhaps to poll together
};

// A processor trap, for whoever reports it.
struct Trapped {
  int signal = 0;
  void* address = nullptr;
  const void* pc = nullptr;
};

// Carries a finding up to whoever runs the launch.
struct Stop : Fault {
  Stop(const char* kernel, Finding finding_);
  Finding finding;
};

// Unwinds the stack of a thread that ends inside its kernel.
struct Ended {};

// What the blocks of one cluster share.
struct Cluster {
  Block* const* blocks = nullptr;
  unsigned count = 0;
  States states;
};

namespace check {
struct UnitState;
}
struct Pace;

class alignas(64) Unit {
 public:
  enum class Status : unsigned char {
    finished,
    spinning,  // all threads that could run poll for something that somebody outside has to do
    aside,     // it could go on, and lets other units do so first
  };

  Unit(Stacks& stacks, Pulse& pulse) : stacks_(stacks), pulse_(pulse) {}
  ~Unit() { drop(); }

  // The unit whose index is `index` among those of the launch.
  void begin(const Job& job, std::uint64_t index, Pace& pace);
  // Runs it, or goes on with it. Throws Stop. `polite`: a random order may step aside at barriers.
  Status run(bool polite);
  // Forgets all threads where they stand.
  void drop();

  const Job& job() const { return *job_; }
  std::uint64_t index() const { return index_; }
  unsigned blocks() const { return static_cast<unsigned>(order_of_blocks_.size()); }
  Block& block(unsigned i) { return *order_of_blocks_[i]; }
  Cluster& cluster_of(const Block& block) { return *clusters_[block_number(block) / job_->cluster_blocks()]; }
  unsigned block_number(const Block& block) const;  // in the unit
  States& states() { return states_; }
  Random& random() { return random_; }
  Thread& thread() const { return *static_cast<Thread*>(current); }
  Block& here() const { return *here_; }  // the block of the running thread
  std::uint64_t switches() const {
    return std::uint64_t{started_} << 32 | ready_head_;
  }  // changes whenever another runs
  // Somebody else can run, and nothing is to be decided or told at the switch.
  bool swift() const { return swift_ && ready_head_ != ready_tail_; }

  // A thread can run again: something has been achieved.
  void wake(Thread& thread) {
    thread.state = State::ready;
    push(thread);
    achieved();
  }
  // Threads have met, and can run again. That achieves nothing if all they do is to poll between meetings.
  void release(Thread& thread) {
    thread.state = State::ready;
    push(thread);
  }
  void release(Thread* const* threads, unsigned count);  // the same for many, who know it from their barrier's phase
  void met() {
    ++pulse_.meetings;
    if (polls != polls_seen_) [[unlikely]]
      polls_seen_ = polls, tired_ |= ++polling_meetings_ % kPollingMeetings == 0, swift_ &= !tired_;
  }
  // The calling thread waits: it has put itself where it will be woken from.
  void suspend() {
    if (swift()) [[likely]]
      hop(thread());
    else
      wait();
  }
  // Lets others run; `pc` is where the calling thread polls. `often`: it has polled there many times already.
  void yield(const void* pc, bool often = false);
  // Whoever waits next lets another unit run: for a while the threads of this one have only met each other.
  void tire() { tired_ = true, swift_ = false; }
  int hop(Thread& self);  // the same where it is swift(); 0
  void issue(OperationRef operation);
  // At a barrier that has just opened: waits for its turn, which may come after that of another unit.
  void after_barrier();

  // A stack that is free for the report of a trap: the trapped thread's own may be full.
  void* landing() const { return report_.get() + kReportBytes; }
  Stacks& stacks() { return stacks_; }
  // Ends the launch with this, from inside one of its threads; does not come back.
  [[noreturn]] void abandon(Stop stop);
  // The launch's time is over, which the next switch is to see; where the running thread does not switch, `pc` is where
  // it is, and this does not come back.
  void expire(const void* pc);
  bool expired() const { return expired_; }
  bool ending() const { return ending_; }  // the finding is being written

  void (*on_leave)(Thread&) = nullptr;  // of a model: called when a thread of this unit has exited
  check::UnitState* checked = nullptr;
  Trapped trapped;

 private:
  // What a switch touches comes first, in one cache line.
  Thread** ready_ = nullptr;  // a ring
  unsigned ready_mask_ = 0, ready_head_ = 0, ready_tail_ = 0;
  bool swift_ = false;     // nothing is to be decided or told at a switch
  Block* here_ = nullptr;  // the block of the thread that runs

  unsigned ready_count() const { return ready_tail_ - ready_head_; }
  void push(Thread& thread) { ready_[ready_tail_++ & ready_mask_] = &thread; }
  Thread* pick(bool prefer_new);
  Thread& start(unsigned n) const;
  void shuffle();
  bool perform_one();
  void perform(std::size_t at);
  [[gnu::noinline]] void move(Block& block);  // the next thread is one of another block
  [[gnu::noinline]] void wait();
  void switch_from(Thread& self, bool prefer_new);
  void resume(Context& from, Thread* self, Thread& next);
  void enter(Thread& next);
  void prepare(Thread& thread) const;  // its stack is known
  void to_main(Thread& self);
  void achieved() { idle_ = polling_meetings_ = 0, ++pulse_.achievements; }
  void end_checks();
  [[noreturn]] void overdue(const void* pc);
  static void fiber();
  static void fetch(const Thread* thread) {
#if !SPAK_SIM_UCONTEXT
    const auto* top = static_cast<const char*>(thread->context.sp);
    for (int line = 0; line < 3; ++line) __builtin_prefetch(top + 64 * line, 1);
#else
    (void)thread;
#endif
  }
  void live(Thread& thread);
  [[noreturn]] void stuck();

  const Job* job_ = nullptr;
  Stacks& stacks_;
  Pulse& pulse_;
  std::uint64_t index_ = 0;
  std::vector<std::unique_ptr<Block>> owned_;
  std::vector<Block*> order_of_blocks_;
  std::vector<std::unique_ptr<Cluster>> clusters_;
  unsigned block_threads_ = 0, total_ = 0, started_ = 0, exited_ = 0;
  std::vector<Thread*> ready_memory_;
  std::vector<std::uint32_t> shuffled_;
  Order order_ = Order::forward;
  Random random_;
  bool attention_ = false, expired_ = false, ending_ = false, spinning_ = false, polite_ = false, aside_ = false,
       live_ = false, begun_ = false, tired_ = false;
  unsigned idle_ = 0;  // yields since anything was achieved
  static constexpr unsigned kPollingMeetings = 128;
  unsigned polling_meetings_ = 0, polls_seen_ = 0;  // meetings since then between which somebody polled
  Pace* pace_ = nullptr;
  Windows windows_;
  std::deque<OperationRef> pending_;
  States states_;
  Context main_;
  void* main_fake_stack_ = nullptr;
  const void* main_bottom_ = nullptr;
  std::size_t main_size_ = 0;
  static constexpr std::size_t kReportBytes = 64 << 10;
  std::unique_ptr<char[]> report_{new char[kReportBytes]};
  std::unique_ptr<Stop> stop_;
};

// The unit that this OS thread is running, or null.
extern __thread Unit* running __attribute__((tls_model("initial-exec")));

inline Thread& self() { return *static_cast<Thread*>(current); }

// The way to the next thread that is ready, as short as it can be made: most of a simulation's time may be spent here.
inline int Unit::hop(Thread& self) {
  const unsigned head = ready_head_++;
  Thread& next = *ready_[head & ready_mask_];
  if (&next == &self) return 0;
  // What runs after it is on its way into the cache meanwhile: its stack, and the thread after that.
  if (head + 1 != ready_tail_) fetch(ready_[(head + 1) & ready_mask_]);
  const auto* const after = reinterpret_cast<const char*>(ready_[(head + 2) & ready_mask_]);
  __builtin_prefetch(after);
  __builtin_prefetch(after + 64);
  if (next.block != here_) [[unlikely]]
    move(next.owner());
  current = &next;
  std::memcpy(&spak_sim_thread_index, &next.thread, sizeof spak_sim_thread_index);
  return Context::swap(self.context, next.context);
}

}  // namespace spak::sim
#pragma GCC visibility pop
