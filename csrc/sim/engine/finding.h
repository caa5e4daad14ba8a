// What is wrong with a kernel, as data: a rule, a sentence, the places and threads involved. Knows nothing of how it was
// found, nor of how it is shown: spak.sim.report makes text, JSON and SARIF of it.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "spak/sim/engine.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {

// Where: a source line where one is known (a primitive's caller), or an instruction, which the reader of the report resolves
// with the module's line table. Of both, the instruction counts; the line is where the thread was seen last.
struct Place {
  Site site{nullptr, 0};
  const void* pc = nullptr;
};

// One side of a finding.
struct Party {
  std::string role;  // "writes", "reads", "waits at __syncthreads", "issued the TMA load", "allocated", ...
  Place place;
  std::string threads;  // "block (0,0,0), thread (3,0,0)", "threads 0-31", or ""
  std::string what;     // of what: "4 bytes of `tile` at byte 128", or ""
};

struct Finding {
  std::string rule;            // a stable key: see rules.h
  std::string sentence;        // what is wrong
  std::string hint;            // what to do
  std::vector<Party> parties;  // the offender first
  std::uint64_t count = 1;     // how often it was seen with these places
};

// The address that the line table of its module knows this instruction by.
std::uintptr_t module_offset(const void* pc);

// Adds a finding; the same rule with the same places counts once. The launch goes on.
void report(Finding finding);
// Adds a finding and ends the launch with a Fault that says the same; does not unwind the calling thread.
[[noreturn]] void stop(Finding finding);

}  // namespace spak::sim
#pragma GCC visibility pop
