// How many blocks of a kernel fit on a multiprocessor. Knows nothing of what they do.
#pragma once
#include <cstddef>

#include "spak/sim/host/launch.h"

#pragma GCC visibility push(hidden)
namespace spak::sim::host {

// An estimate, as nothing here allocates registers: 32, or what __launch_bounds__ leaves a thread if that is less.
int registers_of(const Kernel& kernel);
int blocks_per_multiprocessor(const Kernel& kernel, int threads, std::size_t dynamic_bytes);

}  // namespace spak::sim::host
#pragma GCC visibility pop
