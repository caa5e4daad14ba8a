// Special registers in a plausible form: clocks that only go on, multiprocessors that blocks are dealt to. Knows nothing of time.
#pragma once
#include <spak/sim/engine.h>

#include <cstdint>

#pragma GCC visibility push(hidden)
namespace spak::sim {

unsigned smid(Site site);
unsigned nsmid(Site site);
long long cycles(Site site);
std::uint64_t nanoseconds(Site site);
void pause(unsigned nanoseconds, Site site);

}  // namespace spak::sim
#pragma GCC visibility pop
