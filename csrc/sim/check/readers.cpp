// Readers of a cell, in the least room that they need: most read at one tick, and are bits.
#include "check/readers.h"

#include <algorithm>
#include <cstring>

namespace spak::sim::check {

namespace {

constexpr Slot kLaneMask = Slot{31} << kThreadShift;

std::size_t warps_of(const Row& row) { return std::size_t{1} << row.block->shift; }

bool gathered(Slot slot) { return how_of(slot) == How::several; }

// Whoever is after `later` is after `earlier`, and races with it only where it races with `later`.
bool replaced(const Row& row, Slot earlier, Slot later) {
  if (!earlier || earlier < row.lower) return true;
  if (is_strong(how_of(later)) && !is_strong(how_of(earlier))) return false;
  if (block_of(earlier) != row.block->number || block_of(later) != row.block->number) return false;
  if (tick_of(earlier) <= row.block->floor) return true;
  return thread_of(earlier) == thread_of(later) && !gathered(earlier);
}

Rest& need_rest(const Row& row, Cell& cell) {
  if (Rest* const rest = rest_of(row, cell)) return *rest;
  static std::uint64_t last = 0;
  Rest& rest = row.block->unit->rests[++last];
  rest.extra = is_rest(cell.extra) ? 0 : cell.extra;
  cell.extra = rest_slot(last);
  return rest;
}

// What the cell had room for before may be all that is left.
void tidy_rest(const Row& row, Cell& cell, const Rest& rest) {
  if (!rest.groups.empty() || !rest.flights.empty()) return;
  const Slot number = cell.extra;
  cell.extra = rest.extra;
  row.block->unit->rests.erase(number_of_rest(number));
}

void add_group(Rest& rest, Slot slot, Lanes lanes) {
  Group* alike = nullptr;
  for (Group& group : rest.groups) {
    if (block_of(group.slot) != block_of(slot) || thread_of(group.slot) != thread_of(slot)) continue;
    if (tick_of(group.slot) == tick_of(slot) && how_of(group.slot) == how_of(slot))
      alike = &group;
    else if (!is_strong(how_of(slot)) || is_strong(how_of(group.slot)))
      group.lanes &= ~lanes;
  }
  if (alike)
    alike->lanes |= lanes;
  else
    rest.groups.push_back({slot, lanes});
  std::erase_if(rest.groups, [](const Group& group) { return !group.lanes; });
}

// Makes room in `other`.
void move_to_rest(const Row& row, Cell& cell) {
  Rest& rest = need_rest(row, cell);
  const Slot other = cell.other;
  cell.other = 0;
  if (!gathered(other)) return add_group(rest, other & ~kLaneMask, Lanes{1} << thread_of(other) % 32);
  const Lanes* const lanes = row.cells->lanes_of(cell, row.block->shift);
  const Slot warp_0 = with(other, How::plain) & ~(Slot{1023} << kThreadShift);
  for (unsigned warp = 0; warp < warps_of(row); ++warp)
    if (lanes[warp]) add_group(rest, lane_of(warp_0, 32 * warp), lanes[warp]);
}

void copy_readers(const Row& row, const Cell& from, Cell& to) {
  to = from;
  if (!row.block) return;
  if (gathered(from.other) && from.other >= row.lower)
    std::memcpy(row.cells->lanes_of(to, row.block->shift), row.cells->lanes_of(from, row.block->shift),
                warps_of(row) * sizeof(Lanes));
  if (!is_rest(from.extra)) return;
  const Rest* const rest = rest_of(row, from);
  to.extra = 0;
  if (!rest) return;
  const Rest copy = *rest;
  need_rest(row, to) = copy;
}

}  // namespace

Rest* rest_of(const Row& row, const Cell& cell) {
  if (!is_rest(cell.extra)) return nullptr;
  auto& rests = row.block->unit->rests;
  const auto at = rests.find(number_of_rest(cell.extra));
  return at == rests.end() ? nullptr : &at->second;
}

void add_reader(const Row& row, Cell& cell, Slot reader) {
  if (!row.block) {
    cell.other = reader;
    return;
  }
  if (Rest* const rest = rest_of(row, cell)) {
    std::erase_if(rest->groups, [&](const Group& group) {
      return tick_of(group.slot) <= row.block->floor && replaced(row, group.slot, reader);
    });
    tidy_rest(row, cell, *rest);
  }
  const bool gathers = how_of(reader) == How::plain && block_of(reader) == row.block->number;
  const bool more = gathers && gathered(cell.other) && !((cell.other ^ with(reader, How::several)) & ~kReaderMask);
  if (!more && !replaced(row, cell.other, reader)) move_to_rest(row, cell);
  if (!gathers) {
    cell.other = reader;
    return;
  }
  Lanes* const lanes = row.cells->lanes_of(cell, row.block->shift);
  if (!more) std::fill_n(lanes, warps_of(row), 0);
  lanes[thread_of(reader) / 32] |= Lanes{1} << thread_of(reader) % 32;
  cell.other = with(reader, How::several);
}

void add_flight(const Row& row, Cell& cell, Slot flight) {
  Slot& extra = extra_of(row, cell);
  if (!row.block || !extra || extra < row.lower) {
    extra = flight;
    return;
  }
  if (extra == flight) return;
  std::vector<Slot>& flights = need_rest(row, cell).flights;
  if (std::find(flights.begin(), flights.end(), flight) == flights.end()) flights.push_back(flight);
}

bool remove_flight(const Row& row, Cell& cell, Slot flight) {
  if (Slot& extra = extra_of(row, cell); extra == flight) {
    extra = 0;
    return true;
  }
  Rest* const rest = rest_of(row, cell);
  if (!rest || !std::erase(rest->flights, flight)) return false;
  tidy_rest(row, cell, *rest);
  return true;
}

void forget_readers(const Row& row, Cell& cell) {
  cell.other = 0;
  Rest* const rest = rest_of(row, cell);
  if (!rest) return;
  rest->groups.clear();
  tidy_rest(row, cell, *rest);
}

void split(const Row& row, Cell& word, Cell* bytes) {
  for (int i = 0; i < 4; ++i) copy_readers(row, word, bytes[i]);
  if (is_rest(word.extra)) row.block->unit->rests.erase(number_of_rest(word.extra));
  word = {slot_of(block_of(row.lower), kMaxTick + 1, 0, How::split, 0), 0, 0, 0};
}

void unite(const Row& row, Cell& word, const Cell* bytes) { copy_readers(row, bytes[0], word); }

}  // namespace spak::sim::check
