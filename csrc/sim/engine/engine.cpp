// The primitives that device code calls, handed to the block of the running thread. Knows nothing of how.
#include "spak/sim/engine.h"

#include <vector>

#include "check/check.h"
#include "operation.h"
#include "unit.h"

namespace spak::sim {

void yield() { running->yield(__builtin_return_address(0)); }

void yield(const void* pc) { running->yield(pc); }

void fence(FenceScope scope) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  if (check::on()) check::fence(static_cast<check::Scope>(scope));
}

bool cooperative() { return running->job().config.cooperative; }

void grid_barrier(Site site) {
  struct Arrivals {
    Gate gate;
    std::vector<Thread*> threads;
  };
  Unit& unit = *running;
  if (!unit.job().config.cooperative)
    fail("bad-launch", "waits for the whole grid, which was not launched as a cooperative one", site);
  auto& here = unit_state<Arrivals>();
  here.threads.push_back(&self());
  if (here.threads.size() < unit.job().blocks() * unit.job().block_threads())
    return here.gate.wait("the grid's barrier", site);
  self().site = site;
  if (check::on()) check::meet_block(here.threads.data(), static_cast<unsigned>(here.threads.size()));
  here.threads.clear();
  here.gate.open();
}

void enter(unsigned max_threads, Site site) {
  current->site = site;
  if (max_threads && self().owner().size() > max_threads)
    fail("bad-launch", "the block has more threads than __launch_bounds__ allows", site);
}

void* shared_bytes(const SharedSite& site, std::size_t size, std::size_t align) {
  return self().owner().window().variable(site, size, align);
}

void* dynamic_bytes(const SharedSite& site, std::size_t align) { return self().owner().window().dynamic(site, align); }

void end_thread() { throw Ended{}; }

}  // namespace spak::sim
