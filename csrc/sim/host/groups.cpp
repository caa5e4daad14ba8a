// What cooperative groups ask of the engine. Knows nothing of groups.
#include "spak/sim/host/groups.h"

#include "engine/operation.h"
#include "engine/unit.h"

namespace spak::sim::host {

int shared_rank(const void* address) { return shared_place(address).rank; }
bool in_shared(const void* address) { return shared_rank(address) >= 0; }

}  // namespace spak::sim::host
