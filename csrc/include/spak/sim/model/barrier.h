// Barriers of some warps of a block: bar.sync and bar.arrive, and those of tiles. Knows nothing of mbarriers.
#pragma once
#include <spak/sim/engine.h>

#pragma GCC visibility push(hidden)
namespace spak::sim {

void named_sync(int id, int threads, Site site);
void named_arrive(int id, int threads, Site site);
// Of the tile of `threads` that the calling one is in: a power of two from 64 to 1024.
void tile_sync(unsigned threads, Site site);

}  // namespace spak::sim
#pragma GCC visibility pop
