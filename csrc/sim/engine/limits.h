// What a device can launch, and how much of it at once. Knows nothing of how blocks are run.
#pragma once
#include <cstdint>

#include "job.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {

// Throws Stop("bad-launch") for a configuration that no device takes.
void require_possible(const Config& config);

// How many units can be resident at once: spinning ones hold the places of others.
std::uint64_t resident_units(const Job& job);

}  // namespace spak::sim
#pragma GCC visibility pop
