// Instructions that take all 32 lanes of a warp. Knows nothing of what they do.
#pragma once
#include <string>

#include "engine/unit.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {

// In the body of a together_warp: lanes that have exited are not waited for, but `name` is undefined without them.
inline void require_whole_warp(std::uint32_t arrived, const char* name) {
  if (arrived == 0xFFFFFFFFu) return;
  const Thread& one = self().owner().thread(self().index - self().lane + static_cast<unsigned>(__builtin_ctz(arrived)));
  stop({"divergent-warp",
        std::string(name) + " takes all 32 lanes of a warp, and some have exited, or skipped it and exited",
        "call it from all lanes, with blocks of a multiple of 32 threads",
        {{std::string("waits at ") + name, {one.site}, name_of(one), ""}}});
}

}  // namespace spak::sim
#pragma GCC visibility pop
