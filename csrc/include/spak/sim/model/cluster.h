// The barrier of a cluster, and its blocks' shared memory. Knows nothing of mbarriers.
#pragma once
#include <spak/sim/engine.h>

#pragma GCC visibility push(hidden)
namespace spak::sim {

unsigned cluster_rank(Site site);
unsigned cluster_size(Site site);
Dim cluster_shape(Site site);  // in blocks
void cluster_arrive(bool relaxed, Site site);
void cluster_wait(Site site);
// mapa; the block must not have exited.
void* cluster_map(const void* shared, unsigned rank, Site site);

}  // namespace spak::sim
#pragma GCC visibility pop
