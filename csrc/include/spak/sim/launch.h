// Runs a kernel on the CPU: the whole interface between a generated launcher and the simulator. Knows nothing of
// device code: the kernel is any callable that is called once for each CUDA thread.
#pragma once
#include <cstddef>
#include <stdexcept>
#include <string>
#include <type_traits>

#pragma GCC visibility push(hidden)
namespace spak::sim {

// Signed and wide, so that a size that went wrong arrives here and is reported, rather than wrapped.
struct Config {
  long long grid[3] = {1, 1, 1};
  long long block[3] = {1, 1, 1};
  long long smem_bytes = 0;  // dynamic shared memory
  const char* name = "kernel";
  long long cluster[3] = {1, 1, 1};  // blocks; divides the grid
  bool cooperative = false;          // the whole grid is resident, and may wait for itself
  bool nonportable_cluster = false;  // up to 16 blocks a cluster, not 8
#if defined(SPAK_SIM_INSTRUMENTED)
  bool instrumented = true;  // the kernel was compiled for the checkers
#else
  bool instrumented = false;
#endif
  long long shared_limit = 232448;  // static and dynamic shared memory of a block: 227 KB on sm_90, 163 KB on sm_80
  // Static shared variables whose size is a multiple of it begin at one, as compilers for GPUs lay them out. 1: they are
  // aligned to what is declared and to no more, so that code that needs more shows it.
  long long shared_alignment = 1;
  int multiprocessors = 132;  // what is resident at once depends on them
};

// What the kernel did wrong. `what()` names kernel, block, thread and file:line where they are known; `rule` is a stable
// key: "bad-launch", "divergent-barrier", "deadlock", ...: spak.sim.rules gives each its code.
class Fault : public std::runtime_error {
 public:
  Fault(std::string rule, const std::string& message) : std::runtime_error(message), rule_(std::move(rule)) {}
  const std::string& rule() const { return rule_; }

 private:
  std::string rule_;
};

void launch(const Config& config, void (*entry)(void*), void* context, std::size_t context_bytes = 0);

// Blocks until every block has run. `kernel` runs concurrently on several OS threads, so it must only read its
// captures. Reads SPAK_SIM_MODE, _ORDER, _SEED, _COMPLETION, _SAMPLE_BLOCKS, _THREADS, _STACK_KB and
// _SECONDS at each call. Throws Fault for what ends a launch; take_findings() in report.h has that and the rest.
template <typename Kernel>
  requires std::is_invocable_v<Kernel&>
void launch(const Config& config, Kernel&& kernel) {
  launch(
      config, [](void* context) { (*static_cast<std::remove_reference_t<Kernel>*>(context))(); },
      const_cast<void*>(static_cast<const void*>(&kernel)), sizeof(kernel));
}

}  // namespace spak::sim
#pragma GCC visibility pop
