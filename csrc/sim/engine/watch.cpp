// A timer on the CPU time of each worker, whose signal is handled on the stack of the thread that it interrupts, so that
// the handler can switch to another thread and come back later. Knows nothing of wall-clock time: a busy machine is no
// reason to give up.
#include "watch.h"

#include <link.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <mutex>

#include "unit.h"

#if !defined(sigev_notify_thread_id)
#define sigev_notify_thread_id _sigev_un._tid
#endif

namespace spak::sim {

namespace {

constexpr long kTickNanoseconds = 10'000'000;
constexpr double kTick = kTickNanoseconds * 1e-9;
// Threads that poll through the engine, and achieve nothing for that long, never will.
constexpr double kStall = 5.0;
constexpr std::uintptr_t kLoop = 2048;  // bytes: a thread that is caught twice within them, and nowhere else, loops there

struct Seen {
  Pace* pace;
  std::uint64_t achievements, switches;
  std::uintptr_t pc;
  ThreadView* thread;
  std::uint64_t preempted;  // the tick at which a loop was last interrupted: it may be computing
};
__thread Seen seen __attribute__((tls_model("initial-exec")));

// The code of this module: only there can a thread be interrupted, for elsewhere it may hold a lock.
struct Text {
  std::uintptr_t begin = 0, end = 0;
  Text() {
    dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t, void* data) {
          auto& text = *static_cast<Text*>(data);
          const auto mine = reinterpret_cast<std::uintptr_t>(&module_offset);
          for (int i = 0; i < info->dlpi_phnum; ++i) {
            const auto& part = info->dlpi_phdr[i];
            const std::uintptr_t begin = info->dlpi_addr + part.p_vaddr;
            if (part.p_type != PT_LOAD || mine < begin || mine >= begin + part.p_memsz) continue;
            text.begin = begin, text.end = begin + part.p_memsz;
            return 1;
          }
          return 0;
        },
        this);
  }
  bool holds(std::uintptr_t pc) const { return pc >= begin && pc < end; }
};
const Text& text_segment() {
  static const Text text;
  return text;
}

std::uintptr_t interrupted(void* state) {
  [[maybe_unused]] const auto* machine = static_cast<ucontext_t*>(state);
#if defined(__x86_64__)
  return static_cast<std::uintptr_t>(machine->uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return machine->uc_mcontext.pc;
#else
  return 0;
#endif
}

void tick(int, siginfo_t*, void* state) {
  Seen& before = seen;
  Pace* const pace = before.pace;
  if (!pace) return;
  const std::uint64_t now = pace->ticks.fetch_add(1, std::memory_order_relaxed) + 1;
  if (before.achievements != achievements) {
    before.achievements = achievements;
    pace->last.store(now, std::memory_order_relaxed);
  }
  if (!running || !current) return;
  const std::uintptr_t pc = interrupted(state);
  const bool alone = before.switches == switches && before.thread == current, here = text_segment().holds(pc);
  const bool loops = alone && here && pc - before.pc + kLoop < 2 * kLoop;
  before.switches = switches;
  before.thread = current;
  before.pc = pc;
  if (alone) before.preempted = now;
  const std::uint64_t since = now - std::min(now, std::max(pace->last.load(std::memory_order_relaxed), before.preempted));
  if (static_cast<double>(since) * kTick > kStall) pace->stalled.store(true, std::memory_order_relaxed);
  if (static_cast<double>(now) * kTick > pace->seconds) pace->over.store(true, std::memory_order_relaxed);
  if (pace->over.load(std::memory_order_relaxed) || pace->stalled.load(std::memory_order_relaxed))
    return running->expire(alone && here ? reinterpret_cast<const void*>(pc) : nullptr);
  if (loops) running->yield(reinterpret_cast<const void*>(pc));
}

int signal_number() { return SIGRTMIN + 7; }

}  // namespace

Finding Pace::finding() const {
  if (stalled.load(std::memory_order_relaxed))
    return {"no-progress", "no progress: all threads that can run poll for something, and nobody achieved anything for 5 seconds",
            "find who should write what they poll for: blocks that are not resident together must not wait for each other", {}};
  char limit[32];
  std::snprintf(limit, sizeof limit, "%g", seconds);
  return {"no-progress", "no end: the launch has used its SPAK_SIM_SECONDS=" + std::string(limit) + " of CPU time",
          "see whether the loop at that place ends, or allow more time, or use smaller shapes", {}};
}

Watch::Watch(Pace& pace) {
  static std::once_flag once;
  std::call_once(once, [] {
    (void)text_segment();
    struct sigaction action{};
    action.sa_sigaction = tick;
    action.sa_flags = SA_SIGINFO | SA_RESTART | SA_NODEFER;
    sigemptyset(&action.sa_mask);
    sigaction(signal_number(), &action, nullptr);
  });
  seen = {&pace, achievements, switches, 0, nullptr, 0};
  sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = signal_number();
  event.sigev_notify_thread_id = static_cast<int>(syscall(SYS_gettid));
  if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer_) != 0) return;  // a machine without: nothing is looked at
  const itimerspec every{{0, kTickNanoseconds}, {0, kTickNanoseconds}};
  armed_ = timer_settime(timer_, 0, &every, nullptr) == 0;
  if (!armed_) timer_delete(timer_);
}

Watch::~Watch() {
  if (armed_) timer_delete(timer_);
  seen.pace = nullptr;
}

}  // namespace spak::sim
