// A launch: checks the configuration, spreads the blocks over OS threads, carries the first fault back. Knows nothing
// of what happens inside a block.
#include "spak/sim/launch.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "block.h"
#include "trap.h"

namespace spak::sim {

namespace {

// Blocks keep their mapped stacks between launches: mapping them anew would cost more than a small kernel.
class Spares {
 public:
  std::unique_ptr<Block> take(std::size_t stack_bytes) {
    const std::lock_guard lock(mutex_);
    for (auto& spare : spares_) {
      if (spare->stack_bytes() != stack_bytes) continue;
      std::unique_ptr<Block> found = std::move(spare);
      spare = std::move(spares_.back());
      spares_.pop_back();
      return found;
    }
    return std::make_unique<Block>(stack_bytes);
  }
  void give(std::unique_ptr<Block> block) {
    const std::lock_guard lock(mutex_);
    if (spares_.size() < 64) spares_.push_back(std::move(block));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Block>> spares_;
};
Spares& spares() {
  static Spares all;
  return all;
}

struct Work {
  Work(const Job& job_, const Schedule& schedule_) : job(job_), schedule(schedule_) {}
  const Job& job;
  const Schedule& schedule;
  std::atomic<std::uint64_t> next{0};
  std::atomic<bool> stop{false};
  std::mutex mutex;
  std::uint64_t fault_at = ~std::uint64_t{0};
  std::optional<Fault> fault;
};

void serve(Work& work) {
  std::unique_ptr<Block> block = spares().take(std::size_t{work.job.settings.stack_kb} << 10);
  const Trap trap;
  while (!work.stop.load(std::memory_order_relaxed)) {
    const std::uint64_t n = work.next.fetch_add(1, std::memory_order_relaxed);
    if (n >= work.schedule.count()) break;
    try {
      block->run(work.job, work.schedule.block(n));
    } catch (const Fault& fault) {
      // The earliest block of the schedule that failed is reported, whichever worker was first.
      const std::lock_guard lock(work.mutex);
      work.stop = true;
      if (n < work.fault_at) work.fault_at = n, work.fault = fault;
    }
  }
  spares().give(std::move(block));
}

unsigned processors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return static_cast<unsigned>(CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());
}

std::string triple(const long long (&at)[3]) {
  return "(" + std::to_string(at[0]) + "," + std::to_string(at[1]) + "," + std::to_string(at[2]) + ")";
}

// The limits of compute capability 8.0 to 9.0 (CUDA C++ Programming Guide, "Technical Specifications").
void check(const Config& config) {
  const std::string start = "kernel `" + std::string(config.name) + "`: ";
  constexpr long long max_grid[3] = {2147483647, 65535, 65535}, max_block[3] = {1024, 1024, 64};
  for (int i = 0; i < 3; ++i) {
    if (config.grid[i] < 1 || config.grid[i] > max_grid[i])
      throw Fault("bad-launch", start + "grid " + triple(config.grid) + ": each size must be at least 1 and at most (2147483647,65535,65535)");
    if (config.block[i] < 1 || config.block[i] > max_block[i])
      throw Fault("bad-launch", start + "block " + triple(config.block) + ": each size must be at least 1 and at most (1024,1024,64)");
  }
  if (const long long size = config.block[0] * config.block[1] * config.block[2]; size > kMaxThreads)
    throw Fault("bad-launch", start + "block " + triple(config.block) + " has " + std::to_string(size) + " threads; a block has at most 1024");
  if (config.smem_bytes < 0 || config.smem_bytes > static_cast<long long>(Arena::kTotalLimit))
    throw Fault("bad-launch", start + std::to_string(config.smem_bytes) + " bytes of dynamic shared memory: a block has 0 to 232448");
}

}  // namespace

void launch(const Config& config, void (*entry)(void*), void* context) {
  check(config);
  if (running) throw Fault("bad-launch", "kernel `" + std::string(config.name) + "` was launched from inside a kernel");
  const Job job{config, read_settings(), entry, context};
  const auto blocks = static_cast<unsigned __int128>(config.grid[0]) * static_cast<unsigned __int128>(config.grid[1]) *
                      static_cast<unsigned __int128>(config.grid[2]);
  const Schedule schedule(job.settings, static_cast<std::uint64_t>(blocks));
  Work work(job, schedule);
  const std::uint64_t wanted = job.settings.threads ? job.settings.threads : processors();
  std::vector<std::thread> helpers;
  for (std::uint64_t i = 1; i < std::min(wanted, schedule.count()); ++i) {
    try {
      helpers.emplace_back(serve, std::ref(work));
    } catch (const std::system_error&) {
      break;  // a limit on threads: the ones we have do the work
    }
  }
  std::exception_ptr broken;
  try {
    serve(work);
  } catch (...) {
    broken = std::current_exception();
    work.stop = true;
  }
  for (std::thread& helper : helpers) helper.join();
  if (broken) std::rethrow_exception(broken);
  if (work.fault) throw *work.fault;
}

}  // namespace spak::sim
