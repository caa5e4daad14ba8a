// Looks at a launch every few milliseconds of its CPU time: has its time run out, does a thread spin without calling
// anything? Knows nothing of what a thread does.
#pragma once
#include <signal.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "finding.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {

// What the workers of a launch know together.
struct Pace {
  explicit Pace(double seconds_) : seconds(seconds_) {}
  Finding finding() const;  // why it is over; the offender is to be added

  double seconds;                      // of CPU time, all workers together
  std::atomic<std::uint64_t> used{0};  // so far, in milliseconds
  std::atomic<std::uint64_t> last{0};  // when something was achieved last, or somebody may have been computing
  std::atomic<bool> over{false}, stalled{false};

  // A worker that does not run is no witness that nobody achieves anything: it may be waiting for a processor, or for
  // whoever reads what it prints. So all of them must be found polling since somebody last did something else.
  std::atomic<unsigned> workers{0};
  std::atomic<std::uint64_t> polling{0};  // how many were, below the number of what was done so far
  static constexpr unsigned kShift = 16;
  void did_something(std::uint64_t now);
  bool all_poll() const;
};

struct Pulse;

// While one lives, the OS thread that made it is looked at.
class Watch {
 public:
  Watch(Pace& pace, const Pulse& pulse);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  struct Seen;
  static void tick(int, siginfo_t*, void* state);
  static void look_often(Seen& here, bool busy);

  std::unique_ptr<Seen> seen_;
  static __thread Seen* here_ __attribute__((tls_model("initial-exec")));
};

}  // namespace spak::sim
#pragma GCC visibility pop
