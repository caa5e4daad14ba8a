// Barriers: all who meet know what any of them does. Knows nothing of memory.
#include <algorithm>

#include "check/check.h"
#include "check/machine.h"
#include "check/states.h"
#include "engine/thread.h"

namespace spak::sim::check {

namespace {

ThreadState& state_of(Thread* thread) { return *thread->checked; }

// What passes along all order besides the order itself.
struct Passed {
  Scoped fenced;
  ClockRef proxied, proxied_global, others;
  bool alike = true;  // all had the same

  void take(const ThreadState& thread, bool first) {
    const auto one = [&](auto& all, const auto& mine) {
      if (first)
        all = mine;
      else if (!(all == mine))
        alike = false, all = joined(all, mine);
    };
    one(fenced, thread.fenced);
    one(proxied, thread.proxied);
    one(proxied_global, thread.proxied_global);
    one(others, thread.others);
    // A barrier ends what has been read since the last fence: the reader is after what was released to it.
    for (const ClockRef& polled : thread.polled.of)
      if (polled) alike = false, others = joined(others, polled);
  }
  void give(ThreadState& thread) const {
    if (alike) return;
    thread.fenced = fenced;
    thread.proxied = proxied;
    thread.proxied_global = proxied_global;
    thread.others = others;
    thread.polled = {};
  }
};

// All threads of a block: afterwards its floor says it all.
void raise_floor(BlockState& block) {
  block.floor = block.high;
  ++block.high;
}

}  // namespace

void meet_block(Thread* const* threads, unsigned count) {
  if (!on() || !count || counting()) return;
  settle_now();
  Passed passed;
  bool several = false;
  BlockState* const block = state_of(threads[0]).block;
  for (unsigned i = 0; i < count; ++i) {
    const ThreadState& thread = state_of(threads[i]);
    several |= thread.block != block;
    passed.take(thread, i == 0);
  }
  if (several) {
    Clock all;
    for (unsigned i = 0; i < count; ++i) {
      BlockState& each = *state_of(threads[i]).block;
      if (all.find(each.number)) continue;
      raise_floor(each);
      all.at(each.number).floor = each.floor;
    }
    own(passed.others).join(all);
    passed.alike = false;
  } else {
    raise_floor(*block);
  }
  for (unsigned i = 0; i < count; ++i) {
    ThreadState& thread = state_of(threads[i]);
    thread.tick = thread.block->high;
    thread.further.reset();
    passed.give(thread);
  }
  if (block->high >= kMaxTick - 1) advance(state_of(threads[0]));
  refresh();
}

void meet(Thread* const* threads, unsigned count) {
  if (!on() || !count || counting()) return;
  settle_now();
  Passed passed;
  bool several = false, shared = true;
  BlockState* const block = state_of(threads[0]).block;
  const VectorRef& first = state_of(threads[0]).further;
  for (unsigned i = 0; i < count; ++i) {
    const ThreadState& thread = state_of(threads[i]);
    several |= thread.block != block;
    shared &= thread.further == first;
    passed.take(thread, i == 0);
  }
  if (several) {
    Clock all;
    for (unsigned i = 0; i < count; ++i) all.join(*knowledge(state_of(threads[i])));
    for (unsigned i = 0; i < count; ++i) {
      ThreadState& thread = state_of(threads[i]);
      passed.give(thread);
      learn(thread, all);
      advance(thread);
    }
    return refresh();
  }
  VectorRef all = first;
  if (!shared)
    for (unsigned i = 1; i < count; ++i) all = joined(all, state_of(threads[i]).further);
  // Held by those who meet, and nobody else: changed where it is.
  if (!all || !shared || all->refs != count + 1)
    all = all ? VectorRef(new Vector{0, all->ticks}) : VectorRef(new Vector);
  for (unsigned i = 0; i < count; ++i) {
    const ThreadState& thread = state_of(threads[i]);
    all->raise(thread.index, thread.tick);
  }
  for (unsigned i = 0; i < count; ++i) {
    ThreadState& thread = state_of(threads[i]);
    thread.further = all;
    passed.give(thread);
    block->high = std::max(block->high, ++thread.tick);
  }
  if (block->high >= kMaxTick - 1) advance(state_of(threads[0]));
  refresh();
}

}  // namespace spak::sim::check
