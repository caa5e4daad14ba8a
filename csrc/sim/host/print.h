// What kernels print, held until their launch ends. Knows nothing of launches.
#pragma once

#pragma GCC visibility push(hidden)
namespace spak::sim::host {

// Writes it to stdout, in the order of blocks and threads, whatever order they ran in.
void flush_prints();

}  // namespace spak::sim::host
#pragma GCC visibility pop
