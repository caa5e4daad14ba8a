// A launch: spreads its units over OS threads, lets units that wait for each other take turns, carries the first fault
// back. Knows nothing of what happens inside a unit.
#include "spak/sim/launch.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "check/check.h"
#include "ledger.h"
#include "limits.h"
#include "profile/profile.h"
#include "trap.h"
#include "unit.h"
#include "watch.h"

namespace spak::sim {

namespace {

// What one OS thread needs to run units. Kept between launches: mapping stacks anew would cost more than a small kernel.
struct Bench {
  explicit Bench(std::size_t stack_bytes) : stacks(stack_bytes) {}
  Stacks stacks;
  Pulse pulse;
  std::vector<std::unique_ptr<Unit>> idle;
};

class Spares {
 public:
  std::unique_ptr<Bench> take(std::size_t stack_bytes) {
    const std::lock_guard lock(mutex_);
    for (auto& spare : spares_) {
      if (spare->stacks.bytes() != stack_bytes) continue;
      std::unique_ptr<Bench> found = std::move(spare);
      spare = std::move(spares_.back());
      spares_.pop_back();
      return found;
    }
    return std::make_unique<Bench>(stack_bytes);
  }
  void give(std::unique_ptr<Bench> bench) {
    const std::lock_guard lock(mutex_);
    if (spares_.size() < 64) spares_.push_back(std::move(bench));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Bench>> spares_;
};
Spares& spares() {
  static Spares all;
  return all;
}

struct Work {
  Work(const Job& job_, const Schedule& schedule_) : job(job_), schedule(schedule_) {}
  const Job& job;
  const Schedule& schedule;
  Pace pace{job.settings.seconds};
  alignas(64) std::atomic<std::uint64_t> next{0};
  std::atomic<bool> stop{false};
  alignas(64) std::mutex mutex;
  std::uint64_t fault_at = ~std::uint64_t{0};
  std::unique_ptr<Stop> fault;
};

// One of them runs until it is finished or only polls; then the next one, and a new one only where all of them poll, as
// a device starts blocks while others spin.
class Worker {
 public:
  explicit Worker(Work& work) : work_(work), bench_(spares().take(std::size_t{work.job.settings.stack_kb} << 10)) {}
  ~Worker() {
    for (auto& turn : turns_) {
      turn.unit->drop();
      bench_->idle.push_back(std::move(turn.unit));
    }
    bench_->stacks.give_all();
    spares().give(std::move(bench_));
  }

  void serve() {
    const Trap trap;
    const Watch watch(work_.pace, bench_->pulse);
    const std::uint64_t most = resident_units(work_.job);
    while (!work_.stop.load(std::memory_order_relaxed)) {
      if (at_ >= turns_.size()) {
        // All of them poll, or have stepped aside. Some new ones are begun before those who poll are asked again, which may
        // take a while; to interleave, a few are enough.
        const bool enough = aside_ && !spun_ && turns_.size() >= kInterleaved;
        if (!enough && fresh_ < kFresh && turns_.size() < most && begin_one()) {
          ++fresh_;
        } else if (turns_.empty()) {
          return;
        } else {
          if (!aside_) sched_yield();
          at_ = fresh_ = 0;
          aside_ = spun_ = false;
        }
      }
      run_one();
      if (turns_.empty()) fresh_ = 0;
    }
  }

 private:
  struct Turn {
    std::uint64_t n;  // in the schedule
    std::unique_ptr<Unit> unit;
  };

  bool begin_one() {
    const std::uint64_t n = work_.next.fetch_add(1, std::memory_order_relaxed);
    if (n >= work_.schedule.count()) return false;
    if (bench_->idle.empty()) bench_->idle.push_back(std::make_unique<Unit>(bench_->stacks, bench_->pulse));
    std::unique_ptr<Unit> unit = std::move(bench_->idle.back());
    bench_->idle.pop_back();
    unit->begin(work_.job, work_.schedule.block(n), work_.pace);
    at_ = turns_.size();
    turns_.push_back({n, std::move(unit)});
    return true;
  }

  void run_one() {
    Turn& turn = turns_[at_];
    try {
      const Unit::Status status = turn.unit->run(work_.schedule.count() > 1);
      aside_ |= status == Unit::Status::aside;
      spun_ |= status == Unit::Status::spinning;
      if (status != Unit::Status::finished) {
        ++at_;
        return;
      }
    } catch (const Stop& stop) {
      // The earliest of the schedule that failed is reported, whichever worker was first.
      const std::lock_guard lock(work_.mutex);
      work_.stop = true;
      if (turn.n < work_.fault_at) work_.fault_at = turn.n, work_.fault = std::make_unique<Stop>(stop);
      return;
    }
    bench_->idle.push_back(std::move(turn.unit));
    turns_.erase(turns_.begin() + static_cast<std::ptrdiff_t>(at_));
  }

  Work& work_;
  std::unique_ptr<Bench> bench_;
  std::vector<Turn> turns_;
  std::size_t at_ = 0;
  static constexpr unsigned kFresh = 16;
  unsigned fresh_ = 0;
  static constexpr std::size_t kInterleaved = 3;
  bool aside_ = false;  // somebody has stepped aside in this round
  bool spun_ = false;   // or polls for what may be a new one's to write
};

unsigned processors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return static_cast<unsigned>(CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());
}

void spread(Work& work) {
  const std::uint64_t wanted = work.job.checked            ? 1
                               : work.job.settings.threads ? work.job.settings.threads
                                                           : processors();
  std::vector<std::thread> helpers;
  for (std::uint64_t i = 1; i < std::min(wanted, work.schedule.count()); ++i) {
    try {
      helpers.emplace_back([&work] { Worker(work).serve(); });
    } catch (const std::system_error&) {
      break;  // a limit on threads: the ones we have do the work
    }
  }
  std::exception_ptr broken;
  try {
    Worker(work).serve();
  } catch (...) {
    broken = std::current_exception();
    work.stop = true;
  }
  for (std::thread& helper : helpers) helper.join();
  if (broken) std::rethrow_exception(broken);
}

// The checkers see one launch at a time, in one order.
void spread_checked(Work& work) {
  static std::mutex one;
  const std::lock_guard lock(one);
  struct Looking {
    explicit Looking(const Job& job_) : job(job_) {
      check::launch_begin(job);
      if (job.settings.mode != Mode::profile) return;
      profile::active = true;
      profile::launch_begin(job);
    }
    ~Looking() {
      if (profile::active) profile::launch_end(job);
      profile::active = false;
      check::launch_end(job);
    }
    const Job& job;
  } const looking(work.job);
  spread(work);
}

}  // namespace

void launch(const Config& config, void (*entry)(void*), void* context, std::size_t context_bytes) {
  static std::atomic<std::uint64_t> launches{0};
  Job job{config, {}, entry, context, context_bytes, false, ++launches};
  try {
    require_possible(config);
    job.settings = read_settings();
    job.checked = job.settings.mode != Mode::plain;
    if (job.checked && !config.instrumented)
      throw Stop(config.name, {"bad-launch",
                               "the kernel was not compiled for the checkers, but SPAK_SIM_MODE asks for them",
                               "compile it with the flags of the mode, or set SPAK_SIM_MODE=plain",
                               {}});
    const Schedule schedule(job.settings, job.units());
    Work work(job, schedule);
    if (job.checked)
      spread_checked(work);
    else
      spread(work);
    if (work.fault) throw Stop(*work.fault);
  } catch (const Stop& stop) {
    record(config.name, job.number, stop.finding);
    throw Fault(stop);
  } catch (const Fault& fault) {
    record(config.name, job.number, {fault.rule(), fault.what(), "", {}});
    throw;
  }
}

}  // namespace spak::sim
