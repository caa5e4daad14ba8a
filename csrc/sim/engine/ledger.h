// Where findings are kept until somebody takes them. Knows nothing of launches beyond their number.
#pragma once
#include <cstdint>
#include <string>

#include "finding.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {

void record(const std::string& kernel, std::uint64_t launch, Finding finding);

// What a person reads: kernel, place, sentence, one line a party, hint.
std::string sentence_of(const char* kernel, const Finding& finding);

}  // namespace spak::sim
#pragma GCC visibility pop
