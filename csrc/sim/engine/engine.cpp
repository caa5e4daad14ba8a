// The primitives that device code calls, handed to the block of the running thread. Knows nothing of how.
#include "spak/sim/engine.h"

#include "unit.h"

namespace spak::sim {

int barrier(Barrier kind, int predicate, Site site) { return self().owner().barrier(kind, predicate, site); }

std::uint64_t collective(Collective op, std::uint32_t mask, std::uint64_t value, unsigned bytes, int argument, int width,
                         Site site) {
  return self().owner().collective(op, mask, value, bytes, argument, width, site);
}

std::uint32_t active_mask() { return self().owner().active_mask(); }

void yield() { running->yield(); }

void enter(unsigned max_threads, Site site) {
  current->site = site;
  if (max_threads && self().owner().size() > max_threads)
    fail("bad-launch", "the block has more threads than __launch_bounds__ allows", site);
}

void* shared_bytes(const SharedSite& site, std::size_t size, std::size_t align) {
  return self().owner().window().variable(site, size, align);
}

void* dynamic_bytes(const SharedSite& site, std::size_t align) { return self().owner().window().dynamic(site, align); }

}  // namespace spak::sim
