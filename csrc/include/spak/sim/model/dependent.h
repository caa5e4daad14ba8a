// griddepcontrol. Launches run one after the other here, so that what a kernel depends on has always completed. Knows nothing
// of streams.
#pragma once
#include <spak/sim/engine.h>

#pragma GCC visibility push(hidden)
namespace spak::sim {

void dependent_wait(Site site);
void dependent_launch(Site site);

}  // namespace spak::sim
#pragma GCC visibility pop
