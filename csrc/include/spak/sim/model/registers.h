// setmaxnreg: a block's register budget. Knows nothing of registers' contents.
#pragma once
#include <spak/sim/engine.h>

#pragma GCC visibility push(hidden)
namespace spak::sim {

void set_registers(int count, bool increase, Site site);

}  // namespace spak::sim
#pragma GCC visibility pop
