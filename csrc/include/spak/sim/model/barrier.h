// bar.sync and bar.arrive with a number of threads. Knows nothing of mbarriers.
#pragma once
#include <spak/sim/engine.h>

#pragma GCC visibility push(hidden)
namespace spak::sim {

void named_sync(int id, int threads, Site site);
void named_arrive(int id, int threads, Site site);

}  // namespace spak::sim
#pragma GCC visibility pop
