// What models do when a thread has exited. Knows nothing of scheduling.
#pragma once
#pragma GCC visibility push(hidden)
namespace spak::sim {

struct Thread;
class Block;

// For the unit's on_leave, from the moment that a model keeps something which exits matter to.
void model_leave(Thread& thread);

// The parts of it, each where its state is.
void leave_cluster(Thread& thread);
void leave_barriers(Block& block);  // all of its threads have exited
void leave_copies(Block& block);
void leave_registers(Block& block);

}  // namespace spak::sim
#pragma GCC visibility pop
