// Tells each model that keeps state of threads and blocks that one has gone. Knows nothing of what they do.
#include "model/leave.h"

#include "engine/unit.h"

namespace spak::sim {

void model_leave(Thread& thread) {
  leave_cluster(thread);
  Block& block = thread.owner();
  if (!block.gone()) return;
  leave_barriers(block);
  leave_copies(block);
  leave_registers(block);
}

}  // namespace spak::sim
