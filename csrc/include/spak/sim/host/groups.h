// What cooperative groups need of the engine: the barrier of a grid, and the lanes that are together. Knows nothing of groups.
#pragma once
#include <spak/sim/engine.h>

#include <cstddef>
#include <cstdint>

#pragma GCC visibility push(hidden)
namespace spak::sim::host {

// The lanes of the calling warp that come to this line together: waits until every other lane has exited, waits for
// something else, or is here as well. As on a GPU that reconverges wherever it can.
inline std::uint32_t converged(Site site) { return active_mask(site); }

// Whether it is shared memory of the calling thread's cluster.
bool in_shared(const void* address);
// The rank of the block in its cluster whose shared memory it is; -1: of none.
int shared_rank(const void* address);

// Among the threads of a tile of several warps, all of which call it: what the one with that rank has at `value` (at most 32
// bytes) is put there; how many of them have a predicate.
void tile_shuffle(unsigned threads, void* value, std::size_t bytes, unsigned rank, Site site);
unsigned tile_count(unsigned threads, bool predicate, Site site);

}  // namespace spak::sim::host
#pragma GCC visibility pop
