// Special registers, and griddepcontrol, which has nothing to wait for here. Knows nothing of time.
#include "spak/sim/model/special.h"

#include "model/caller.h"
#include "spak/sim/model/dependent.h"

namespace spak::sim {

namespace {

struct Clock {
  std::uint64_t ticks = 0;
};

// A thread that looks at a clock may be waiting for something that another has to do.
std::uint64_t tick(Site site) {
  caller(site);
  yield();
  return unit_state<Clock>().ticks += 32;
}

unsigned multiprocessors() {
  const long long given = running->job().config.multiprocessors;
  return given > 0 ? static_cast<unsigned>(given) : 132;
}

}  // namespace

unsigned smid(Site site) {
  const Thread& thread = caller(site);
  const BlockView& block = *thread.block;
  const std::uint64_t index =
      block.block.x + std::uint64_t{block.grid.x} * (block.block.y + std::uint64_t{block.grid.y} * block.block.z);
  return static_cast<unsigned>(index % multiprocessors());
}

unsigned nsmid(Site site) {
  caller(site);
  return multiprocessors();
}

long long cycles(Site site) { return static_cast<long long>(1'000'000 + tick(site)); }
std::uint64_t nanoseconds(Site site) { return 1'700'000'000'000'000'000u + tick(site); }
void pause(unsigned, Site site) { tick(site); }

// Launches run one after the other, each after all that it could depend on.
void dependent_wait(Site site) { caller(site); }
void dependent_launch(Site site) { caller(site); }

}  // namespace spak::sim
