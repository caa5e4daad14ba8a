// What malloc, free and new of device code become. Host code that shares a function with it gets the host's own.
#pragma once
#include <spak/sim/engine.h>

#include <cstddef>

#pragma GCC visibility push(hidden)
namespace spak::sim::host {

// Written after `new`, so that it is this heap's.
struct OnHeap {
  Site at;
};

void* heap_malloc(std::size_t size, Site at = here());
void heap_free(void* pointer, Site at = here());

}  // namespace spak::sim::host

// Null, and no constructor, where there is no more memory: as in device code.
void* operator new(std::size_t size, spak::sim::host::OnHeap heap) noexcept;
void* operator new[](std::size_t size, spak::sim::host::OnHeap heap) noexcept;
#pragma GCC visibility pop
