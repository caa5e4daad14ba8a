// Reductions of asynchronous copies: element by element, each one atomic. Knows nothing of copies.
#pragma once
#include <cstddef>

#include "spak/sim/model/bulk.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {

std::size_t size_of(Element element);
// Whether cp.reduce.async.bulk has it for a destination in global memory.
bool has_reduction(Reduction reduction, Element element);
const char* name_of(Reduction reduction);
const char* name_of(Element element);
void reduce(Reduction reduction, Element element, void* into, const void* from, std::size_t count);

}  // namespace spak::sim
#pragma GCC visibility pop
