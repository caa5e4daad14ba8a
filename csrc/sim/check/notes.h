// The findings of a launch while they are collected: one for each rule and pair of places, however often it happens. Knows
// nothing of what they mean.
#pragma once
#include <cstdint>
#include <string>

#include "check/cell.h"
#include "engine/finding.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {
struct Job;
}

namespace spak::sim::check {

// One side of a finding, told by the slot of its access: the place and the thread.
struct Side {
  const char* role;
  std::string what;
};

// Counts one more case. True if it is the first with this rule and these two places, in either order: then `describe` it.
bool seen_first(const char* rule, Slot now, Slot earlier);
void describe(std::string sentence, std::string hint, Side now, Side earlier = {nullptr, ""});
// The rule that the case counted last is described with; changing it before it is described (anew).
const char* noted_rule();
void set_rule(const char* rule);
// What was described is described anew, with these two as its sides. `rule`: the one that it was counted with.
void forget_description(const char* rule, Slot now_, Slot earlier);
// What was noted under the rule at this place alone is explained by something else.
void withdraw(const char* rule, Slot at);
// A party that is not a thread's access: where something was allocated.
void describe_place(const char* role, Place place, std::string what);
// Hands what has been collected to the ledger.
void notes_begin(const Job& job);
void notes_end();
// Ends the launch with the finding that has just been described; only on a thread's own stack.
[[noreturn]] void end_with_it();

std::string threads_text(Slot slot);
std::string bytes_text(std::size_t size);

}  // namespace spak::sim::check
#pragma GCC visibility pop
