// Which region of global memory an address lies in, and which of its bytes have been written. Knows nothing of threads.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "spak/sim/regions.h"

#pragma GCC visibility push(hidden)
namespace spak::sim::check {

struct Extent {
  std::string name;
  std::uintptr_t begin;
  std::size_t size;
  bool writable;
  bool careful;                      // not all of it has been written
  std::vector<std::uint64_t> bytes;  // of a careful one: a bit for each that has
  Site made, gone;

  std::uintptr_t end() const { return begin + size; }
  bool holds(std::uintptr_t address, std::size_t bytes_) const {
    return address - begin < size && size - (address - begin) >= bytes_;
  }
};

bool any_regions();
// The region that the bytes lie in; a writable one where several overlap.
Extent* region_of(std::uintptr_t address, std::size_t size);
// Where the bytes were a region once, and are none now.
const Extent* former_region_of(std::uintptr_t address);
// The region nearest to the address, or null.
const Extent* nearest_region(std::uintptr_t address);
// The first byte of these that nobody has written; `size` if there is none.
std::size_t first_unwritten(const Extent& region, std::uintptr_t address, std::size_t size);
void mark_written(Extent& region, std::uintptr_t address, std::size_t size);

}  // namespace spak::sim::check
#pragma GCC visibility pop
