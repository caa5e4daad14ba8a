// Timers for each worker, whose signal is handled on the stack of the thread that it interrupts, so that the handler can
// switch to another thread and come back later. What they measure is CPU time: a busy machine is no reason to give up.
#include "watch.h"

#include <link.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <mutex>

#include "check/check.h"
#include "unit.h"

#if !defined(sigev_notify_thread_id)
#define sigev_notify_thread_id _sigev_un._tid
#endif

// Of the section that the hooks are in, where they are linked.
extern "C" {
extern const char __start_spak_sim_hooks[] __attribute__((weak, visibility("hidden")));
extern const char __stop_spak_sim_hooks[] __attribute__((weak, visibility("hidden")));
// Where the code begins that comes from no library; what is linked with a simulator.ld has it.
extern const char spak_sim_device_code[] __attribute__((visibility("hidden")));
}

namespace spak::sim {

namespace {

// Microseconds between two looks; while threads are found in loops, which are to be left soon. Then by the wall clock, for
// the kernel looks at CPU time at its own ticks only, which are milliseconds apart.
constexpr long kCalm = 10'000;
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
constexpr long kBusy = 100;
#else
constexpr long kBusy = 4'000;  // a look takes long under an emulator or a sanitizer: it is to leave time for the rest
#endif
constexpr std::uint64_t kQuiet = 200;  // milliseconds without loops, before it is calm again
// Milliseconds. Threads that poll through the engine, and achieve nothing for that long, never will.
constexpr std::uint64_t kStall = 5000;
constexpr std::uintptr_t kLoop =
    2048;  // bytes: a thread that is caught twice within them, and nowhere else, loops there

// The device code of this module: only there can a thread be interrupted. Elsewhere it may hold a lock, or be in the middle
// of what the engine and its models must do at one go.
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
            text.begin = reinterpret_cast<std::uintptr_t>(&spak_sim_device_code), text.end = begin + part.p_memsz;
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

// The checkers' hooks: who is caught there is asked again, for the place that counts is the one that they were called from.
bool in_hooks(std::uintptr_t pc) {
  return __start_spak_sim_hooks && pc >= reinterpret_cast<std::uintptr_t>(__start_spak_sim_hooks) &&
         pc < reinterpret_cast<std::uintptr_t>(__stop_spak_sim_hooks);
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

// By this OS thread, in nanoseconds.
std::uint64_t used_here() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

int signal_number() { return SIGRTMIN + 7; }
struct sigaction before_us;  // who had the signal when this module took it

// The next signal, from inside the handling of one: what comes now runs other threads, and returns late or never.
void admit() {
  sigset_t ours;
  sigemptyset(&ours);
  sigaddset(&ours, signal_number());
  pthread_sigmask(SIG_UNBLOCK, &ours, nullptr);
}

}  // namespace

// What a look found, for the next one.
struct Watch::Seen {
  Pace* pace;
  const Pulse* pulse;
  timer_t calm_timer, busy_timer;
  bool busy;           // which of both runs
  std::uint64_t used;  // by this OS thread, in nanoseconds: signals may come later than they are due
  std::uint64_t achievements, meetings, switches;
  std::uintptr_t pc;  // in device code, where the thread was found since it runs; else 0
  ThreadView* thread;
  std::uint64_t interrupted;  // when a thread was last made to let others run
  std::uint64_t deeds;        // of the launch, when this worker was first found polling since
  bool counted;               // among those who poll

  // Once may be a look at what had just begun.
  void polls() {
    std::uint64_t polling = pace->polling.load(std::memory_order_relaxed);
    if (polling >> Pace::kShift != deeds)
      deeds = polling >> Pace::kShift, counted = false;
    else if (!counted)
      counted = pace->polling.compare_exchange_strong(polling, polling + 1, std::memory_order_relaxed);
  }
};
__thread Watch::Seen* Watch::here_ __attribute__((tls_model("initial-exec"))) = nullptr;

void Watch::look_often(Seen& here, bool busy) {
  if (here.busy == busy) return;
  here.busy = busy;
  const itimerspec never{};
  const timespec span{0, (busy ? kBusy : kCalm) * 1000};
  const itimerspec every{span, span};
  timer_settime(busy ? here.calm_timer : here.busy_timer, 0, &never, nullptr);
  timer_settime(busy ? here.busy_timer : here.calm_timer, 0, &every, nullptr);
}

void Watch::tick(int number, siginfo_t* info, void* state) {
  if (!here_) {  // of a thread that runs kernels of another module, which has an engine of its own
    if (before_us.sa_flags & SA_SIGINFO) before_us.sa_sigaction(number, info, state);
    return;
  }
  Seen& before = *here_;
  Pace* const pace = before.pace;
  const Pulse& pulse = *before.pulse;
  const int error = errno;
  const std::uint64_t mine = used_here(), more = mine / 1'000'000 - before.used / 1'000'000;
  // After a pause, on a busy machine, signals come one upon the other: nothing has moved in between.
  if (mine - before.used < kBusy * 1000 / 4) return;
  before.used = mine;
  const std::uint64_t now = pace->used.fetch_add(more, std::memory_order_relaxed) + more;
  const bool achieved = before.achievements != pulse.achievements, met = before.meetings != pulse.meetings;
  before.achievements = pulse.achievements, before.meetings = pulse.meetings;
  if (achieved || met) pace->did_something(now);
  if (running && current && !running->ending()) {
    const std::uintptr_t pc = interrupted(state);
    const bool hooked = in_hooks(pc) || check::busy;
    const bool alone = before.switches == running->switches() && before.thread == current,
               here = text_segment().holds(pc);
    const bool loops = alone && here && pc - before.pc + kLoop < 2 * kLoop;
    before.switches = running->switches();
    before.thread = current;
    if (here || !alone) before.pc = here ? pc : 0;
    if (alone) pace->did_something(now);  // it may be computing
    if (!alone && !achieved && !met) before.polls();
    if (now > pace->last.load(std::memory_order_relaxed) + kStall && pace->all_poll())
      pace->stalled.store(true, std::memory_order_relaxed);
    if (static_cast<double>(now) * 1e-3 > pace->seconds) pace->over.store(true, std::memory_order_relaxed);
    if (pace->over.load(std::memory_order_relaxed) || pace->stalled.load(std::memory_order_relaxed)) {
      // Who calls the engine ends there, at the place that it came from; who does not is ended here, at the next look.
      const bool ends_here = alone && here && !hooked && (loops || running->expired());
      admit();
      running->expire(ends_here ? reinterpret_cast<const void*>(pc) : nullptr);
    } else if (loops && !check::on()) {  // a checked one polls by hooks, which let others run, and see what it read
      before.interrupted = now;
      look_often(before, true);
      admit();
      running->yield(reinterpret_cast<const void*>(pc), true);
    } else if (met && !achieved && !check::on()) {
      running->tire();
    } else if (now > before.interrupted + kQuiet) {
      look_often(before, false);
    }
  }
  errno = error;
}

void Pace::did_something(std::uint64_t now) {
  last.store(now, std::memory_order_relaxed);
  std::uint64_t before = polling.load(std::memory_order_relaxed);
  while (!polling.compare_exchange_weak(before, ((before >> kShift) + 1) << kShift, std::memory_order_relaxed)) {
  }
}

bool Pace::all_poll() const {
  const std::uint64_t now = polling.load(std::memory_order_relaxed);
  return (now & ((1u << kShift) - 1)) >= workers.load(std::memory_order_relaxed);
}

Finding Pace::finding() const {
  if (stalled.load(std::memory_order_relaxed))
    return {
        "no-progress",
        "no progress: all threads that can run poll for something, and nobody achieved anything for 5 seconds",
        "find who should write what they poll for: blocks that are not resident together must not wait for each other",
        {}};
  char limit[32];
  std::snprintf(limit, sizeof limit, "%g", seconds);
  return {"no-progress",
          "no end: the launch has used its SPAK_SIM_SECONDS=" + std::string(limit) + " of CPU time",
          "see whether the loop at that place ends, or allow more time, or use smaller shapes",
          {}};
}

Watch::Watch(Pace& pace, const Pulse& pulse) {
  static std::once_flag once;
  std::call_once(once, [] {
    (void)text_segment();
    struct sigaction action{};
    action.sa_sigaction = &Watch::tick;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(signal_number(), &action, &before_us);
  });
  sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = signal_number();
  event.sigev_notify_thread_id = static_cast<int>(syscall(SYS_gettid));
  timer_t calm{}, busy{};
  if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &calm) != 0) return;  // a machine without: nothing is looked at
  if (timer_create(CLOCK_MONOTONIC, &event, &busy) != 0) {
    timer_delete(calm);
    return;
  }
  seen_.reset(new Seen{&pace, &pulse, calm, busy, true, used_here(), pulse.achievements, pulse.meetings, 0, 0, nullptr,
                       0, 0, false});
  ++pace.workers;
  here_ = seen_.get();
  look_often(*seen_, false);
}

Watch::~Watch() {
  here_ = nullptr;
  if (!seen_) return;
  Pace& pace = *seen_->pace;
  --pace.workers;
  pace.did_something(pace.used.load(std::memory_order_relaxed));  // what it had taken is finished
  timer_delete(seen_->calm_timer);
  timer_delete(seen_->busy_timer);
}

}  // namespace spak::sim
