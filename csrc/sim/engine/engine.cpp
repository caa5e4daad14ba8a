// The primitives that device code calls, handed to the block that this OS thread runs. Knows nothing of how.
#include "spak/sim/engine.h"

#include "block.h"

namespace spak::sim {

int barrier(Barrier kind, int predicate, Site site) { return running->barrier(kind, predicate, site); }

std::uint64_t collective(Collective op, std::uint32_t mask, std::uint64_t value, unsigned bytes, int argument, int width,
                         Site site) {
  return running->collective(op, mask, value, bytes, argument, width, site);
}

std::uint32_t active_mask() { return running->active_mask(); }

void yield() { running->yield(); }

void enter(unsigned max_threads, Site site) {
  current->site = site;
  const Dim dim = current->block->dim;
  if (max_threads && dim.x * dim.y * dim.z > max_threads)
    fail("bad-launch", "the block has more threads than __launch_bounds__ allows", site);
}

void* shared_bytes(const SharedSite& site, std::size_t size, std::size_t align) {
  return running->arena().variable(site, size, align);
}

void* dynamic_bytes(const SharedSite& site, std::size_t align) { return running->arena().dynamic(site, align); }

}  // namespace spak::sim
