// Copies and fills among launches of other streams. A launch's own accesses are judged as all are (judge.cpp).
#include "check/streams.h"

#include <algorithm>
#include <string>

#include "check/case.h"
#include "check/judge.h"
#include "check/machine.h"
#include "check/notes.h"
#include "check/places.h"

namespace spak::sim::check {

HostWork::HostWork(Place place, const char* what) : place_(place), what_(what) {
  make_room(1);
  history_begin_launch();
  mine_ = slot_of(new_block({0, 0, 0}, {1, 1, 1}, true), 1, 0, How::plain, place_of(place, what));
}

void HostWork::access(const void* begin, std::size_t size, bool write) {
  const auto judge_slot = [&](Slot slot, bool writes, std::uintptr_t address) {
    if (is_flight(slot) || is_rest(slot) || !overlaps(block_of(slot))) return;
    const unsigned place = place_of(slot);
    if (std::find(reported_.begin(), reported_.end(), place) != reported_.end()) return;
    reported_.push_back(place);
    const Where& other = where(place);
    const std::string bytes = name_bytes(address, 4);
    report({"race-global",
            kOverlap.sentence,
            kOverlap.hint,
            {{std::string(write ? "writes (" : "reads (") + what_ + ")", place_, "", bytes},
             {verb(writes, how_of(slot)) + (other.what ? std::string(" (") + other.what + ")" : ""), other.place,
              threads_text(slot), bytes}}});
  };
  const Slot lower = Slot{lowest_of_interest()} << kBlockShift;
  for (auto at = reinterpret_cast<std::uintptr_t>(begin), end = at + size; at < end;) {
    const Row row{&chunk_of(at), at / kChunk * kChunk, kChunk, lower, nullptr};
    const std::size_t bytes = std::min(end, row.base + row.size) - at;
    each_cell(row, at, bytes, write, [&](Cell& cell, std::uintptr_t address) {
      judge_slot(cell.written, true, address);
      if (!write) {
        (overlaps(block_of(cell.first)) ? cell.other : cell.first) = mine_;
        return;
      }
      judge_slot(cell.first, false, address);
      judge_slot(cell.other, false, address);
      judge_slot(cell.extra, true, address);
      cell = {mine_, 0, 0, 0};
    });
    at += bytes;
  }
}

}  // namespace spak::sim::check
