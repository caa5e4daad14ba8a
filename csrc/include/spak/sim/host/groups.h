// What cooperative groups need of the engine: the barrier of a grid, and the lanes that are together. Knows nothing of groups.
#pragma once
#include <spak/sim/engine.h>

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

}  // namespace spak::sim::host
#pragma GCC visibility pop
