// elect.sync. Knows nothing of what the elected lane does.
#pragma once
#include <spak/sim/engine.h>

#include <cstdint>

#pragma GCC visibility push(hidden)
namespace spak::sim {

// Whether the calling lane is the one. PTX leaves open which it is: here the lowest of `mask`, or, where the seed says so,
// another.
bool elect(std::uint32_t mask, Site site);
// The same, and the lane that is elected.
bool elect(std::uint32_t mask, std::uint32_t* leader, Site site);

}  // namespace spak::sim
#pragma GCC visibility pop
