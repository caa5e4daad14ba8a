// A SIGSEGV, SIGBUS or SIGFPE inside a simulated thread abandons its block: the handler returns into a function that
// raises the fault on the worker's own stack. Knows nothing of scheduling.
#include "trap.h"

#include <ucontext.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <string>

#include "collective.h"
#include "unit.h"

namespace spak::sim {

namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGFPE};
constexpr std::size_t kStack = 64 << 10;

// Other modules of the process have engines of their own: each passes on what is not its own.
struct Installed {
  std::mutex mutex;
  int users = 0;
  bool there = false;  // as long as nobody is found on top of it, who would pass traps on to it
  struct sigaction previous[3];
};
Installed& installed() {
  static Installed state;
  return state;
}

Finding finding_of(const Trapped& trap) {
  const Thread& thread = self();
  Party party{
      "traps", {thread.site, trap.pc}, name_of(thread), thread.site.file ? text(thread.site) + " was passed last" : ""};
  if (trap.signal == SIGFPE) return {"arithmetic", "an integer was divided by zero", "", {party}};
  if (running->stacks().in_guard(trap.address))
    return {"stack-overflow",
            "the thread's stack overflowed: its local arrays or its recursion are larger than SPAK_SIM_STACK_KB=" +
                std::to_string(running->stacks().bytes() >> 10),
            "end the recursion, make local arrays smaller, or set SPAK_SIM_STACK_KB",
            {party}};
  // Without the address, which differs from run to run. The CPU reports 0 for what it refuses unseen, too.
  const std::string what =
      reinterpret_cast<std::uintptr_t>(trap.address) >= 4096
          ? "invalid memory access: outside every allocation"
          : "invalid memory access: a null or wild pointer, or a vector access that is not aligned";
  return {"invalid-address", what, "check mode names the access, and the buffer that it misses", {party}};
}

// Runs on the alternate stack's owner after the handler has returned into it: ordinary code, free to allocate.
void raise_fault() { running->abandon(Stop(running->job().config.name, finding_of(running->trapped))); }

void pass_on(int signal, siginfo_t* info, void* state) {
  const struct sigaction& previous = installed().previous[std::ranges::find(kSignals, signal) - kSignals];
  if (previous.sa_flags & SA_SIGINFO) return previous.sa_sigaction(signal, info, state);
  sigaction(signal, &previous, nullptr);  // the trap happens again
}

void handler(int signal, siginfo_t* info, void* state) {
  if (!running || !current) return pass_on(signal, info, state);
  Trapped& trap = running->trapped;
  trap.signal = signal;
  trap.address = info->si_addr;
  auto* machine = static_cast<ucontext_t*>(state);
#if defined(__x86_64__)
  trap.pc = reinterpret_cast<const void*>(machine->uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
  trap.pc = reinterpret_cast<const void*>(machine->uc_mcontext.pc);
#endif
  // The thread's own stack may be full, so the fault is raised on one kept for it.
  const auto top = (reinterpret_cast<std::uintptr_t>(running->landing()) & ~std::uintptr_t{15});
#if defined(__x86_64__)
  machine->uc_mcontext.gregs[REG_RSP] = static_cast<greg_t>(top - 8);
  machine->uc_mcontext.gregs[REG_RIP] = static_cast<greg_t>(reinterpret_cast<std::uintptr_t>(&raise_fault));
#elif defined(__aarch64__)
  machine->uc_mcontext.sp = top;
  machine->uc_mcontext.pc = reinterpret_cast<std::uintptr_t>(&raise_fault);
#else
  (void)machine, (void)top;
  raise_fault();
#endif
}

}  // namespace

Trap::Trap() {
  stack_ = std::malloc(kStack);
  stack_t ours{}, before{};
  ours.ss_sp = stack_;
  ours.ss_size = kStack;
  if (stack_ && sigaltstack(&ours, &before) == 0) previous_ = new stack_t(before);
  Installed& all = installed();
  const std::lock_guard lock(all.mutex);
  if (all.users++ || all.there) return;
  struct sigaction action{};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < 3; ++i) sigaction(kSignals[i], &action, &all.previous[i]);
  all.there = true;
}

Trap::~Trap() {
  Installed& all = installed();
  {
    const std::lock_guard lock(all.mutex);
    struct sigaction top{};
    if (--all.users == 0 && sigaction(SIGSEGV, nullptr, &top) == 0 && top.sa_sigaction == handler) {
      for (int i = 0; i < 3; ++i) sigaction(kSignals[i], &all.previous[i], nullptr);
      all.there = false;
    }
  }
  if (auto* before = static_cast<stack_t*>(previous_)) {
    sigaltstack(before, nullptr);
    delete before;
  }
  std::free(stack_);
}

}  // namespace spak::sim
