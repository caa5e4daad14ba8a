// Fences. Threads of a cluster share an OS thread, so that only the checkers learn of those. Knows nothing of barriers.
#include "spak/sim/model/fence.h"

#include "model/barrier_state.h"
#include "model/caller.h"

namespace spak::sim {

void fence_proxy_async(ProxySpace space, Site site) {
  caller(site);
  if (!check::on()) return;
  check::fence_proxy_async(static_cast<check::Space>(space));
  if (space != ProxySpace::global) ++block_state<Mbarriers>().fences;
}

void fence_mbarrier_init(Site site) {
  caller(site);
  if (!check::on()) return;
  check::fence_mbarrier_init();
  ++block_state<Mbarriers>().fences;
}

void fence_cluster(Site site) {
  caller(site);
  if (check::on()) check::fence(check::Scope::cluster);
}

}  // namespace spak::sim
