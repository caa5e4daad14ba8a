// Numbers for the places of accesses, so that a cell can hold them, and what each place touched last. Knows nothing of lines:
// an instruction's is found when a report is read.
#pragma once
#include <cstddef>
#include <cstdint>

#include "check/cell.h"
#include "engine/finding.h"

#pragma GCC visibility push(hidden)
namespace spak::sim::check {

// An instruction's own entry in a table that hooks look into: its number, and the memory that it touched last.
struct alignas(64) Spot {
  const void* pc;
  Slot place;
  std::uintptr_t begin;  // of memory whose every byte it may access,
  std::size_t size;      // and which has cells in a row
  Cell* cells;           // null: nobody asks
  Cell* bytes;           // of words that are split; null: none are
  Slot before;           // what was written before this slot is neither unordered nor uninitialised
};
constexpr std::size_t kSpots = 1024;
extern Spot spots[kSpots];
inline Spot& spot_of(const void* pc) {
  const auto at = reinterpret_cast<std::uintptr_t>(pc);
  return spots[(at ^ at >> 9) % kSpots];
}
// Makes it the entry of `pc`.
void settle(Spot& spot, const void* pc);
// Regions have changed, or a launch begins.
void forget_memory();

// The number of a source line, as a model's caller; `what` ("TMA load") is kept for reports.
Slot place_of(Site site, const char* what = nullptr);
Slot place_of(const Place& place, const char* what);
struct Where {
  Place place;
  const char* what;
};
const Where& where(unsigned place);
// Numbers are given anew when many have been used.
void places_begin_launch();

}  // namespace spak::sim::check
#pragma GCC visibility pop
