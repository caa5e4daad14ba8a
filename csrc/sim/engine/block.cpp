// What the threads of a block wait for together: barriers, lanes of a warp, warps of a warpgroup. Knows nothing of what
// collective operations compute.
#include "block.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "check/check.h"
#include "collective.h"
#include "profile/profile.h"
#include "unit.h"

namespace spak::sim {

void Block::begin(Unit& unit, const Job& job, Dim place, unsigned rank, char* window) {
  const auto narrow = [](long long value) { return static_cast<unsigned>(value); };
  unit_ = &unit;
  dim = {narrow(job.config.block[0]), narrow(job.config.block[1]), narrow(job.config.block[2])};
  grid = {narrow(job.config.grid[0]), narrow(job.config.grid[1]), narrow(job.config.grid[2])};
  block = place;
  rank_ = rank;
  size_ = job.block_threads();
  exited_ = waiting_count_ = 0;
  barrier_mismatch_ = false;
  barrier_trues_ = 0;
  if (size_ > capacity_) {
    threads_.reset(new Thread[size_]);
    waiting_.reset(new Thread*[size_]);
    capacity_ = size_;
  }
  Dim at{0, 0, 0};
  for (unsigned i = 0; i < size_; ++i) {
    Thread& thread = threads_[i];
    thread.thread = at;
    thread.lane = i % kWarp;
    thread.index = static_cast<std::uint16_t>(i);
    thread.block = this;
    thread.site = {nullptr, 0};
    thread.state = State::unstarted;
    thread.stack = -1;
    thread.polled_at = nullptr;
    thread.checked = nullptr;
    thread.states.clear();
    if (++at.x == dim.x) at.x = 0, ++at.y;
    if (at.y == dim.y) at.y = 0, ++at.z;
  }
  for (unsigned first = 0, warp = 0; first < size_; first += kWarp, ++warp) {
    warps_[warp].gone = size_ - first >= kWarp ? 0 : ~0u << (size_ - first);
    warps_[warp].open.clear();
  }
  gatherings_.clear();
  states_.clear();
  checked = nullptr;
  window_.begin(window, static_cast<std::size_t>(job.config.smem_bytes),
                static_cast<std::size_t>(job.config.shared_limit),
                static_cast<std::size_t>(job.config.shared_alignment));
}

// The common case, neither the first nor the last to come: nothing is kept over the switch, as few bytes as possible are
// stored, and nothing that is needed to find the next thread depends on which one runs, so that the processor can be
// several threads ahead.
inline int Block::barrier(Barrier kind, int predicate, Site site) {
  Unit& unit = *running;
  const unsigned before = waiting_count_;
  if (before - 1 >= size_ - 2 || !unit.swift() || kind != Barrier::sync || barrier_kind_ != kind ||
      barrier_site_.line != site.line || barrier_site_.file != site.file) [[unlikely]]
    return any_barrier(kind, predicate, site);
  Thread& self = sim::self();
  self.site = site;
  self.state = State::barrier;
  self.phase = phase_;
  waiting_[before] = &self;
  waiting_count_ = before + 1;
  return unit.hop(self);
}

int barrier(Barrier kind, int predicate, Site site) { return running->here().barrier(kind, predicate, site); }

int Block::any_barrier(Barrier kind, int predicate, Site site) {
  Thread& self = sim::self();
  self.site = site;
  self.state = State::barrier;
  self.phase = phase_ | static_cast<std::uint32_t>(kind);
  if (!waiting_count_)
    barrier_kind_ = kind, barrier_site_ = site;
  else if (barrier_kind_ != kind || !same(barrier_site_, site))
    barrier_mismatch_ = true;
  waiting_[waiting_count_++] = &self;
  barrier_trues_ += predicate != 0;
  if (waiting_count_ == size_) {
    open_barrier(kind);
    unit_->after_barrier();
  } else {
    unit_->suspend();
  }
  return barrier_result_;
}

void Block::open_barrier(Barrier kind) {
  if (barrier_mismatch_) mismatch();
  const int trues = std::exchange(barrier_trues_, 0);
  if (kind == Barrier::count)
    barrier_result_ = trues;
  else
    barrier_result_ = kind == Barrier::all ? trues == static_cast<int>(size_) : trues != 0;
  waiting_count_ = 0;
  phase_ += kPhase;
  if (check::on()) check::meet_block(waiting_.get(), size_);
  if (profile::on()) {
    profile::together(*this);
    profile::event(profile::Event::barriers);
  }
  unit_->release(waiting_.get(), size_);
}

inline void Block::arrive(const Meeting& meeting) {
  Thread& self = sim::self();
  Warp& warp = warps_[self.index / kWarp];
  if (!(meeting.mask >> self.lane & 1)) [[unlikely]]
    fail("divergent-warp", "calls a warp operation with a mask that does not name its own lane", self.site);
  self.what = meeting.name;
  self.mask = meeting.mask;
  self.state = State::collective;
  const auto same_as = [&](const Meeting& open) {
    return open.mask == meeting.mask && open.op == meeting.op && open.body == meeting.body &&
           (open.name == meeting.name || std::strcmp(open.name, meeting.name) == 0);
  };
  std::size_t i = 0;
  while (i < warp.open.size() && !same_as(warp.open[i])) ++i;
  if (i == warp.open.size()) warp.open.push_back(meeting);
  const std::uint32_t arrived = warp.open[i].arrived |= 1u << self.lane;
  if ((meeting.mask & ~(arrived | warp.gone)) == 0) (void)complete(self.index / kWarp, i);
  unit_->suspend();
}

inline std::uint64_t Block::collective(Collective op, std::uint32_t mask, std::uint64_t value, int argument, int width,
                                       Site site) {
  Thread& self = sim::self();
  self.site = site;
  Warp& warp = warps_[self.index / kWarp];
  const unsigned lane = self.lane;
  warp.value[lane] = value;
  warp.argument[lane] = argument;
  warp.width[lane] = width;
  arrive({name_of(op), op, mask, 0, nullptr});
  return warp.result[lane];
}

std::uint64_t collective(Collective op, std::uint32_t mask, std::uint64_t value, unsigned, int argument, int width,
                         Site site) {
  return running->here().collective(op, mask, value, argument, width, site);
}

void Block::together(const char* name, std::uint32_t mask, void* argument, void (*body)(void* const*, std::uint32_t),
                     Site site) {
  Thread& self = sim::self();
  self.site = site;
  self.argument_of = argument;
  arrive({name, Collective::sync, mask, 0, body});
}

// Lets the lanes of a meeting go if all have come. Returns whether it did (the meeting is then closed).
bool Block::complete(unsigned warp_index, std::size_t meeting) {
  Warp& warp = warps_[warp_index];
  const Meeting open = warp.open[meeting];
  if ((open.arrived | warp.gone) != (open.arrived | warp.gone | open.mask)) return false;
  warp.open.erase(warp.open.begin() + static_cast<std::ptrdiff_t>(meeting));
  Thread* const lanes = &threads_[warp_index * kWarp];
  if (open.body) {
    void* arguments[kWarp];
    for (unsigned lane = 0; lane < kWarp; ++lane)
      arguments[lane] = open.arrived >> lane & 1 ? lanes[lane].argument_of : nullptr;
    open.body(arguments, open.arrived);
  } else {
    compute(open, warp, lanes);
    profile::event(profile::Event::warp_operations);
    if (open.op == Collective::sync && check::on()) {
      Thread* met[kWarp];
      unsigned count = 0;
      for (unsigned lane = 0; lane < kWarp; ++lane)
        if (open.arrived >> lane & 1) met[count++] = &lanes[lane];
      check::meet(met, count);
    }
  }
  const bool reverse = unit_->job().settings.order == Order::reverse;
  for (unsigned n = 0; n < kWarp; ++n) {
    const unsigned lane = reverse ? kWarp - 1 - n : n;
    if (open.arrived >> lane & 1) unit_->release(lanes[lane]);
  }
  unit_->met();
  return true;
}

void Block::together_group(const char* name, void* argument, void (*body)(void* const*), Site site) {
  Thread& self = sim::self();
  self.site = site;
  constexpr unsigned kGroup = 4 * kWarp;
  const unsigned first = self.index / kGroup * kGroup;
  if (first + kGroup > size_)
    stop({"bad-warpgroup",
          std::string(name) +
              " is an operation of a warpgroup, 4 warps from a multiple of 4, but the block ends within it",
          "launch blocks of a multiple of 128 threads",
          {{"calls", {site, nullptr}, name_of(self), ""}}});
  self.what = name;
  self.mask = 0;  // a warpgroup's
  self.argument_of = argument;
  self.state = State::collective;
  std::size_t i = 0;
  while (i < gatherings_.size() &&
         (gatherings_[i].first != first || gatherings_[i].body != body || std::strcmp(gatherings_[i].name, name) != 0))
    ++i;
  if (i == gatherings_.size()) gatherings_.push_back({name, first, 0, body});
  if (++gatherings_[i].arrived == kGroup) {
    gatherings_.erase(gatherings_.begin() + static_cast<std::ptrdiff_t>(i));
    void* arguments[kGroup];
    for (unsigned n = 0; n < kGroup; ++n) arguments[n] = threads_[first + n].argument_of;
    body(arguments);
    for (unsigned n = 0; n < kGroup; ++n) unit_->release(threads_[first + n]);
    unit_->met();
  }
  unit_->suspend();
}

void Block::leave(Thread& thread) {
  if (check::on()) check::thread_end(thread);
  thread.state = State::exited;
  ++exited_;
  Warp& warp = warps_[thread.index / kWarp];
  warp.gone |= 1u << thread.lane;
  for (std::size_t i = 0; i < warp.open.size();)
    if (!complete(thread.index / kWarp, i)) ++i;
  if (unit_->on_leave) [[unlikely]]
    unit_->on_leave(thread);
  if (gone() && profile::on()) profile::together(*this);
}

}  // namespace spak::sim
