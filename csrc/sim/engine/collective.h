// What the operations of a warp compute, once all lanes have come. Knows nothing of waiting.
#pragma once
#include "block.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {

// Fills `result` of every lane that arrived. `lanes` points to lane 0, for reports. Throws Stop("inactive-lane").
void compute(const Meeting& meeting, Warp& warp, const Thread* lanes);

const char* name_of(Collective op);
const char* name_of(Barrier kind);
bool same(Site a, Site b);
std::string text(Site site);

}  // namespace spak::sim
#pragma GCC visibility pop
