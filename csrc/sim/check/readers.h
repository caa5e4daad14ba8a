// Who has read a cell since it was written, besides its first reader: in shared memory all of them, each with the tick of its
// last read. Knows nothing of who is ordered after whom, but that a block's floor is before whatever it does next.
#pragma once
#include <bit>
#include <cstdint>
#include <vector>

#include "check/judge.h"

#pragma GCC visibility push(hidden)
namespace spak::sim::check {

// Remembers a reader that is not ordered after the cell's first one.
void add_reader(const Row& row, Cell& cell, Slot reader);
// The same for an operation in flight that reads; the first one is `first`.
void add_flight(const Row& row, Cell& cell, Slot flight);
// Whether it was remembered so.
bool remove_flight(const Row& row, Cell& cell, Slot flight);
void forget_readers(const Row& row, Cell& cell);

// What the cell has no room for, or null.
Rest* rest_of(const Row& row, const Cell& cell);
// See Cell::extra.
inline Slot& extra_of(const Row& row, Cell& cell) {
  Rest* const rest = is_rest(cell.extra) ? rest_of(row, cell) : nullptr;
  if (is_rest(cell.extra) && !rest) cell.extra = 0;
  return rest ? rest->extra : cell.extra;
}

// The slot of a lane of the group whose lane 0 has `slot`.
constexpr Slot lane_of(Slot slot, unsigned lane) { return slot | Slot{lane} << kThreadShift; }

// Calls act(slot) for the remembered readers until it says that it has seen enough.
template <typename Act>
void each_reader(const Row& row, const Cell& cell, Act act) {
  if (cell.other >= row.lower && cell.other) {
    if (act(with(cell.other, how_of(cell.other) == How::several ? How::plain : how_of(cell.other)))) return;
    if (how_of(cell.other) == How::several) {
      const Lanes* const lanes = row.cells->lanes_of(cell, row.block->shift);
      const Slot warp_0 = with(cell.other, How::plain) & ~(Slot{1023} << kThreadShift);
      for (unsigned warp = 0; warp < 1u << row.block->shift; ++warp)
        for (Lanes left = lanes[warp]; left; left &= left - 1)
          if (act(lane_of(warp_0, 32 * warp + static_cast<unsigned>(std::countr_zero(left))))) return;
    }
  }
  if (!is_rest(cell.extra)) return;
  if (const Rest* const rest = rest_of(row, cell))
    for (const Group& group : rest->groups)
      for (Lanes left = group.lanes; left; left &= left - 1)
        if (act(lane_of(group.slot, static_cast<unsigned>(std::countr_zero(left))))) return;
}

}  // namespace spak::sim::check
#pragma GCC visibility pop
