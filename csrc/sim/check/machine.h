// What the checkers ask of the process that they run in: which memory is no device memory but may be read, and how to switch
// the hooks' short way off. Knows nothing of kernels.
#pragma once
#include <cstddef>
#include <cstdint>

#include "check/states.h"

#pragma GCC visibility push(hidden)
namespace spak::sim::check {

enum class Foreign : unsigned char {
  none,      // the heap, another mapping, nothing at all
  ignored,   // arguments of the launch, the engine's variables, the host's stack
  constant,  // read-only data of a module
  data,      // variables of a module
};
// `begin` and `end`: of the memory around it that is alike.
Foreign foreign_memory(std::uintptr_t address, std::size_t size, std::uintptr_t& begin, std::uintptr_t& end);
// Whether the address is in the local memory of a thread of the running unit.
bool local_memory(std::uintptr_t address);
void machine_begin_launch(const Job& job);

// Every access goes the long way until the next refresh().
void take_the_long_way();
// Whether accesses are only counted, in mode profile.
bool counting();
// Settles what waits for the running thread's next step.
void settle_now();
void forget_windows();
void history_begin_launch();
void retire(std::uint32_t block);
void make_room(std::size_t blocks);  // in the history, before a unit begins
// Whether a fence.proxy.async stands between that write, which the thread knows, and now.
bool proxied(const ThreadState& thread, Slot writer, bool shared);

}  // namespace spak::sim::check
#pragma GCC visibility pop
