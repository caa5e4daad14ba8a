// Clocks in use: what the running thread knows, and what hooks compare with. Knows nothing of memory.
#include "check/states.h"

#include <algorithm>

#include "check/check.h"
#include "check/machine.h"
#include "check/streams.h"
#include "engine/unit.h"

namespace spak::sim::check {

Now now;

namespace {

struct History {
  std::uint32_t launch = 1;                                         // the first number of this launch
  std::uint32_t lowest = 1;                                         // the first of what is not before it
  std::uint64_t age = 1;                                            // how often numbers began anew
  std::vector<Deed> beside;                                         // older work that is not before it
  std::vector<Past> past{Past{{0, 0, 0}, {1, 1, 1}, false, true}};  // by number
};
History& history() {
  static History all;
  return all;
}

}  // namespace

void make_room(std::size_t blocks) {
  History& all = history();
  if (all.past.size() + blocks < kMaxBlock - 1024) return;
  // Nobody is asked about such old blocks again; what they left behind is forgotten.
  forget_chunks();
  forget_windows();
  all.past.assign(1, Past{{0, 0, 0}, {1, 1, 1}, false, true});
  all.launch = all.lowest = 1;
  ++all.age;
  all.beside.clear();
}

std::uint32_t new_block(const Dim& place, const Dim& dim, bool agents) {
  History& all = history();
  if (all.past.size() >= kMaxBlock) make_room(1);
  all.past.push_back({place, dim, agents, false});
  return static_cast<std::uint32_t>(all.past.size() - 1);
}

const Past& past_of(std::uint32_t block) {
  const History& all = history();
  return all.past[block < all.past.size() ? block : 0];
}

void retire(std::uint32_t block) { history().past[block].retired = true; }

void history_begin_launch() {
  History& all = history();
  all.launch = all.lowest = static_cast<std::uint32_t>(all.past.size());
  for (const Deed& deed : all.beside) all.lowest = std::min(all.lowest, deed.first);
}

std::uint32_t first_of_launch() { return history().launch; }
std::uint32_t lowest_of_interest() { return history().lowest; }

bool overlaps(std::uint32_t block) {
  const std::vector<Deed>& beside = history().beside;
  return std::any_of(beside.begin(), beside.end(),
                     [=](const Deed& deed) { return block >= deed.first && block < deed.end; });
}

Deed begin_deed() {
  const auto next = static_cast<std::uint32_t>(history().past.size());
  return {next, next, history().age};
}

void end_deed(Deed& deed) {
  if (deed.age != history().age) deed = {1, 1, history().age};  // what came before the new numbers is forgotten
  deed.end = static_cast<std::uint32_t>(history().past.size());
}

void set_beside(std::vector<Deed> deeds) {
  std::erase_if(deeds, [](const Deed& deed) { return deed.age != history().age; });
  history().beside = std::move(deeds);
}

const Variable* BlockState::variable_at(std::uintptr_t address) const {
  for (const Variable& variable : variables)
    if (address - variable.begin < variable.size) return &variable;
  return nullptr;
}

const Variable* BlockState::nearest(std::uintptr_t address) const {
  const Variable* best = nullptr;
  std::uintptr_t least = ~std::uintptr_t{0};
  for (const Variable& variable : variables) {
    const std::uintptr_t distance =
        address < variable.begin ? variable.begin - address : address - variable.begin - variable.size + 1;
    if (distance < least) least = distance, best = &variable;
  }
  return best;
}

BlockState* UnitState::of_window(std::uintptr_t address) const {
  for (const auto& block : blocks)
    if (address - block->window < WindowShadow::kBytes) return block.get();
  return nullptr;
}

void refresh() {
  ThreadState* thread = now.thread;
  if (!thread) {
    now = {};
    return;
  }
  const BlockState& block = *thread->block;
  now.window = block.window;
  now.cells = block.shadow->words();
  now.bytes = block.shadow->bytes_if_any();
  now.warp = thread->index / 32;
  now.lanes = block.shadow->lanes() + now.warp;
  now.byte_lanes = block.shadow->byte_lanes() + now.warp;
  now.shift = block.shift;
  now.lane = Lanes{1} << thread->index % 32;
  now.me = slot_of(block.number, thread->tick, thread->index, How::plain, 0);
  now.lo = Slot{block.number} << kBlockShift;
  now.span = Slot{block.floor + 1} << kTickShift;
  now.unit_lo = Slot{block.unit->first} << kBlockShift;
  now.launch_lo = Slot{history().lowest} << kBlockShift;
  now.stack_low = thread->stack_low;
  now.stack_size = thread->accumulators.empty() ? thread->stack_size : 0;
  now.slow = false;
  if (counting()) take_the_long_way(), now.stack_size = thread->stack_size;
}

void take_the_long_way() {
  now.window = kNowhere;
  now.stack_size = 0;
  now.slow = true;
}

bool known(const ThreadState& thread, Slot slot) {
  const std::uint32_t block = block_of(slot), tick = tick_of(slot), index = thread_of(slot);
  const BlockState& own = *thread.block;
  if (block == own.number) {
    if (index == thread.index || tick <= own.floor) return true;
    return thread.further && tick <= (*thread.further)[index];
  }
  if (block < history().launch) return !overlaps(block);
  if (thread.others && thread.others->knows(block, tick, index)) return true;
  return past_of(block).retired;
}

bool knows_as_much(const ThreadState& thread, const ThreadState& other) {
  const auto within = [&](const VectorRef& mine, const VectorRef& theirs) {
    if (!theirs || mine == theirs) return true;
    for (std::size_t i = 0; i < theirs->ticks.size(); ++i)
      if (theirs->ticks[i] > thread.block->floor && i != thread.index && (!mine || theirs->ticks[i] > (*mine)[i]))
        return false;
    return true;
  };
  return thread.block == other.block && within(thread.further, other.further) &&
         covers(thread.others.get(), other.others.get()) && covers(thread.proxied.get(), other.proxied.get());
}

bool proxied(const ThreadState& thread, Slot writer, bool shared) {
  const std::uint32_t block = block_of(writer), tick = tick_of(writer), index = thread_of(writer);
  if (block < history().launch || past_of(block).retired) return true;
  const ClockRef& clock = shared ? thread.proxied : thread.proxied_global;
  return clock && clock->knows(block, tick, index);
}

void advance(ThreadState& thread) {
  BlockState& block = *thread.block;
  block.high = std::max(block.high, ++thread.tick);
  if (block.high >= kMaxTick) {
    // The block goes on under a new number; what it did before counts as known to everybody.
    retire(block.number);
    const Past before = past_of(block.number);
    block.number = new_block(before.place, before.dim, false);
    block.floor = 0;
    block.high = 1;
    for (unsigned i = 0; i < block.size; ++i) {
      block.threads[i].tick = 1;
      block.threads[i].further.reset();
    }
  }
  if (&thread == now.thread || now.thread) refresh();
}

ClockRef knowledge(const ThreadState& thread) {
  ClockRef out(thread.others ? new Clock{0, thread.others->entries} : new Clock);
  Entry& mine = out->at(thread.block->number);
  mine.floor = thread.block->floor;
  mine.further = thread.further;
  own(mine.further).raise(thread.index, thread.tick);
  return out;
}

void learn(ThreadState& thread, const Clock& clock) {
  for (const Entry& entry : clock.entries) {
    if (entry.block == thread.block->number) {
      if (entry.further) thread.further = joined(thread.further, entry.further);
      continue;
    }
    if (thread.others) {
      const Entry* mine = thread.others->find(entry.block);
      if (mine && mine->floor >= entry.floor && (!entry.further || mine->further == entry.further)) continue;
    }
    own(thread.others).join(entry);
  }
}

}  // namespace spak::sim::check
