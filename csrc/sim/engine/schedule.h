// Which blocks run, and in which order: a function from the environment and the grid. Knows nothing of threads.
#pragma once
#include <cstdint>
#include <vector>

#include "operation.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {

enum class Order : unsigned char { forward, reverse, random };

enum class Mode : unsigned char { plain, check, profile };

// SPAK_SIM_* as they were when the launch began. Throws Fault("bad-launch") on a value that means nothing.
struct Settings {
  Order order = Order::forward;
  std::uint64_t seed = 0;
  std::uint64_t sample_blocks = 0;  // 0: all
  unsigned threads = 0;             // 0: as many as the process may use
  unsigned stack_kb = 64;
  Mode mode = Mode::plain;
  Completion completion = Completion::lazy;
  double seconds = 300;  // of CPU time a launch
};
Settings read_settings();

// The n-th block to run, out of `count()`.
class Schedule {
 public:
  Schedule(const Settings& settings, std::uint64_t blocks);
  std::uint64_t count() const { return chosen_.empty() ? blocks_ : chosen_.size(); }
  std::uint64_t block(std::uint64_t n) const;

 private:
  Order order_;
  std::uint64_t blocks_;
  std::uint64_t multiplier_ = 1, offset_ = 0;
  std::vector<std::uint64_t> chosen_;  // of a sample, or of a small shuffled grid
};

}  // namespace spak::sim
#pragma GCC visibility pop
