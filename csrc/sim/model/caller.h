// What every model says about its caller: where it is, what is wrong there, what lies at an address. Knows nothing of any
// instruction.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/finding.h"
#include "engine/operation.h"
#include "engine/unit.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {

inline Thread& caller(Site site) {
  Thread& thread = self();
  thread.site = site;
  return thread;
}

// A finding whose offender is the calling thread.
Finding finding(const char* rule, std::string sentence, std::string hint, const char* role, Site site,
                std::string what = "");

// "`tile` at byte 128", or "byte 640 of shared memory of block (1,0,0)" where no variable is. The block is named unless it is
// the reader's (null: the calling thread's).
std::string name_of_shared(const Block& block, const void* address, const Block* reader = nullptr);

// The block that a pointer into shared memory belongs to. Ends the launch for another pointer, and for a block that has
// exited. `what` begins the sentence: "the mbarrier of mbarrier_arrive".
Block& block_of_shared(const void* address, const char* what, Site site);
// The calling thread's own block, else the launch ends.
Block& own_shared(const void* address, const char* what, Site site);
// Ends the launch if the pointer is one into shared memory, or null.
void require_global(const void* address, const char* what, Site site);
[[noreturn]] void refuse_misaligned(std::size_t align, const std::string& what, const std::string& hint, Site site);
// Ends the launch with `misaligned` unless the value is a multiple. `what()` names it, where it is not.
template <typename What>
inline void require_multiple(std::uintptr_t value, std::size_t align, What what, const char* hint, Site site) {
  if (value % align != 0) [[unlikely]]
    refuse_misaligned(align, what(), hint, site);
}
// Reads the first and last byte, so that a bad address traps here and not when the copy is performed.
void touch(const void* address, std::size_t size);

}  // namespace spak::sim
#pragma GCC visibility pop
