// What a module has found so far. Knows nothing of files.
#pragma once
#include <string>

#pragma GCC visibility push(hidden)
namespace spak::sim {

// The findings since the last call, as a JSON array of {rule, sentence, hint, count, kernel, parties: [{role, file, line,
// pc, threads, what}]}; `pc` is the offset into the module, as a hexadecimal string, where no line is known.
std::string take_findings();

// The counters since the last call, as a JSON array of one object a launch: {kernel, grid, block, counters: {name: number},
// places: [{pc, counters}]}. "[]" unless launches ran in mode profile.
std::string take_counters();

}  // namespace spak::sim
#pragma GCC visibility pop
