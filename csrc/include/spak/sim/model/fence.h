// Fences of PTX that CUDA has no name for. Knows nothing of barriers.
#pragma once
#include <spak/sim/engine.h>

#pragma GCC visibility push(hidden)
namespace spak::sim {

enum class ProxySpace : unsigned char { all, shared, global };  // .shared: both ::cta and ::cluster

void fence_proxy_async(ProxySpace space, Site site);
void fence_mbarrier_init(Site site);
void fence_cluster(Site site);

}  // namespace spak::sim
#pragma GCC visibility pop
