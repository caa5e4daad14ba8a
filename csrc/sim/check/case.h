// One access while it is judged, and the rules that look at it as a whole. Knows nothing of races.
#pragma once
#include <cstdint>

#include "check/judge.h"
#include "check/notes.h"
#include "check/states.h"

#pragma GCC visibility push(hidden)
namespace spak::sim::check {

struct Case {
  const Access& access;
  const ThreadState& thread;
  const Row& row;
  Slot mine;
};

struct Race {
  const char* rule;
  const char* sentence;
  const char* hint;
};
// Work of two streams.
extern const Race kOverlap;

const char* verb(bool write, How how);
// The access's own side of a finding.
Side side_of(const Case& c);

// False, and a finding: it is not inside a shared variable.
bool inside_variable(const Case& c);
// Ends the launch unless it is aligned.
void require_aligned(const Case& c);
// Ends the launch: it is in no region, but there are regions.
[[noreturn]] void end_outside(const Case& c);
// True if it is to the thread's own stack, where only registers of operations in flight are looked at.
bool judge_own_stack(const Access& access);
// False, and a finding: nothing says that the block whose window it is to has begun.
bool judge_begun(const Case& c);
// Remembers, or reports, a thread that looks into the window of another block.
void judge_visit(const Case& c);
void judge_exit(ThreadState& thread, Site last_seen);

}  // namespace spak::sim::check
#pragma GCC visibility pop
