// Switches between stacks. Knows nothing of CUDA threads.
#pragma once
#include <cstddef>
#include <cstdint>

#if !defined(SPAK_SIM_UCONTEXT)
#if defined(__x86_64__) || defined(__aarch64__)
#define SPAK_SIM_UCONTEXT 0
#else
#define SPAK_SIM_UCONTEXT 1
#endif
#endif

#if SPAK_SIM_UCONTEXT
#include <ucontext.h>

#pragma GCC visibility push(hidden)
namespace spak::sim {

struct Context {
  ucontext_t state;

  void prepare(void* low, void* top, void (*entry)()) {
    getcontext(&state);
    state.uc_stack.ss_sp = low;
    state.uc_stack.ss_size = static_cast<char*>(top) - static_cast<char*>(low);
    state.uc_link = nullptr;
    makecontext(&state, entry, 0);
  }
  static int swap(Context& from, Context& to) { return swapcontext(&from.state, &to.state); }
  [[noreturn]] static void jump(Context& to) {
    setcontext(&to.state);
    __builtin_unreachable();
  }
};

}  // namespace spak::sim
#pragma GCC visibility pop
#else

extern "C" {
__attribute__((visibility("hidden"))) int spak_sim_swap(void* from, const void* to);  // 0
[[noreturn]] __attribute__((visibility("hidden"))) void spak_sim_jump(const void* to);
__attribute__((visibility("hidden"))) void spak_sim_start();
}

#pragma GCC visibility push(hidden)
namespace spak::sim {

// What the two functions keep on the stack of a thread that does not run: see context.cpp for the order.
struct Context {
  void* sp = nullptr;
  std::uint64_t registers[6] = {};

  void prepare(void*, void* top, void (*entry)());
  // Comes back with 0 when somebody swaps to `from`: a value, so that a function may end with the call.
  static int swap(Context& from, Context& to) { return spak_sim_swap(&from, &to); }
  [[noreturn]] static void jump(Context& to) { spak_sim_jump(&to); }
};

}  // namespace spak::sim
#pragma GCC visibility pop
#endif
