// Joins of clocks. They share what they can: after a barrier of a warp its lanes hold one vector together.
#include "check/clock.h"

#include <algorithm>

namespace spak::sim::check {

void Vector::raise(std::size_t thread, std::uint32_t tick) {
  if (thread >= ticks.size()) ticks.resize(thread + 1);
  ticks[thread] = std::max(ticks[thread], tick);
}

bool Vector::covers(const Vector& other) const {
  if (other.ticks.size() > ticks.size()) return false;
  bool less = false;
  for (std::size_t i = 0; i < other.ticks.size(); ++i) less |= ticks[i] < other.ticks[i];
  return !less;
}

void Vector::join(const Vector& other) {
  if (other.ticks.size() > ticks.size()) ticks.resize(other.ticks.size());
  for (std::size_t i = 0; i < other.ticks.size(); ++i) ticks[i] = std::max(ticks[i], other.ticks[i]);
}

VectorRef joined(const VectorRef& a, const VectorRef& b) {
  if (!b || a == b) return a;
  if (!a || b->covers(*a)) return b;
  if (a->covers(*b)) return a;
  VectorRef out(new Vector{0, a->ticks});
  out->join(*b);
  return out;
}

Vector& own(VectorRef& vector) {
  if (!vector)
    vector = VectorRef(new Vector);
  else if (vector->refs > 1)
    vector = VectorRef(new Vector{0, vector->ticks});
  return *vector;
}

const Entry* Clock::find(std::uint32_t block) const {
  const auto at = std::lower_bound(entries.begin(), entries.end(), block,
                                   [](const Entry& entry, std::uint32_t wanted) { return entry.block < wanted; });
  return at != entries.end() && at->block == block ? &*at : nullptr;
}

Entry& Clock::at(std::uint32_t block) {
  const auto at = std::lower_bound(entries.begin(), entries.end(), block,
                                   [](const Entry& entry, std::uint32_t wanted) { return entry.block < wanted; });
  if (at != entries.end() && at->block == block) return *at;
  return *entries.insert(at, Entry{block, 0, {}});
}

void Clock::join(const Entry& other) {
  Entry& mine = at(other.block);
  mine.floor = std::max(mine.floor, other.floor);
  mine.further = joined(mine.further, other.further);
}

void Clock::join(const Clock& other) {
  for (const Entry& entry : other.entries) join(entry);
}

ClockRef joined(const ClockRef& a, const ClockRef& b) {
  if (!b || a == b) return a;
  if (!a) return b;
  ClockRef out(new Clock{0, a->entries});
  out->join(*b);
  return out;
}

bool covers(const Clock* all, const Clock* some) {
  if (!some || all == some) return true;
  if (!all) return some->entries.empty();
  return std::all_of(some->entries.begin(), some->entries.end(), [&](const Entry& entry) {
    const Entry* const mine = all->find(entry.block);
    if (!mine || mine->floor < entry.floor) return false;
    return !entry.further || mine->further == entry.further || (mine->further && mine->further->covers(*entry.further));
  });
}

Scoped joined(const Scoped& a, const Scoped& b) {
  return {{joined(a.of[0], b.of[0]), joined(a.of[1], b.of[1]), joined(a.of[2], b.of[2])}};
}

Clock& own(ClockRef& clock) {
  if (!clock)
    clock = ClockRef(new Clock);
  else if (clock->refs > 1)
    clock = ClockRef(new Clock{0, clock->entries});
  return *clock;
}

}  // namespace spak::sim::check
