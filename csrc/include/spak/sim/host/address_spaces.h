// Addresses of shared and global memory as numbers, and which of both a pointer is (CUDA C++ Programming Guide, "Address Space
// Conversion Functions"). Knows nothing of how memory is laid out.
#pragma once
#include <spak/sim/engine.h>
#include <spak/sim/host/groups.h>
#include <spak/sim/model/shared.h>

#include <cstddef>

inline std::size_t __cvta_generic_to_shared(const void* pointer, spak::sim::Site at = spak::sim::here()) {
  return spak::sim::shared_address(pointer, at);
}
inline void* __cvta_shared_to_generic(std::size_t address, spak::sim::Site at = spak::sim::here()) {
  return spak::sim::shared_pointer(static_cast<std::uint32_t>(address), 1, at);
}
inline std::size_t __cvta_generic_to_global(const void* pointer) { return reinterpret_cast<std::size_t>(pointer); }
inline void* __cvta_global_to_generic(std::size_t address) { return reinterpret_cast<void*>(address); }
inline unsigned __isShared(const void* pointer) { return spak::sim::host::in_shared(pointer); }
inline unsigned __isGlobal(const void* pointer) { return !spak::sim::host::in_shared(pointer); }
