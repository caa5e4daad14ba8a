// Counters of instructions, where the profiler is linked. Knows nothing of what they are for.
#pragma once
#include "profile/profile.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {

namespace profile {
void event(Event event, std::uint64_t amount) __attribute__((weak));
}

inline void tally(profile::Event event, std::uint64_t amount = 1) {
  if (profile::event) profile::event(event, amount);
}

}  // namespace spak::sim
#pragma GCC visibility pop
