// Order that is not a barrier of all: objects that are released to and acquired from, fences, atomic variables. Knows nothing
// of how accesses are judged.
#include "check/order.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "check/judge.h"
#include "check/machine.h"
#include "check/places.h"

namespace spak::sim::check {

namespace {

// How far fences and atomic operations of that scope reach: the index into a Scoped.
unsigned reach(Scope scope) { return std::min(static_cast<unsigned>(scope), kReaches - 1); }

}  // namespace

Order::Order() = default;
Order::~Order() = default;
Order::Order(Order&&) noexcept = default;
Order& Order::operator=(Order&&) noexcept = default;

Order::Body& Order::body() {
  if (!body_) body_ = std::make_unique<Body>();
  return *body_;
}

void Order::release() {
  if (!on() || !now.thread || counting()) return;
  settle_now();
  ThreadState& thread = *now.thread;
  Body& to = body();
  if (thread.others && !(thread.others == to.last_others))
    to.clock.join(*thread.others), to.last_others = thread.others;
  Entry& entry = to.clock.at(thread.block->number);
  entry.floor = std::max(entry.floor, thread.block->floor);
  if (thread.further && !(thread.further == to.last))
    entry.further = joined(entry.further, thread.further), to.last = thread.further;
  own(entry.further).raise(thread.index, thread.tick);
  to.fenced = joined(to.fenced, thread.fenced);
  to.proxied = joined(to.proxied, thread.proxied);
  to.proxied_global = joined(to.proxied_global, thread.proxied_global);
  advance(thread);
}

void Order::release_fenced() {
  if (!on() || !now.thread || counting()) return;
  settle_now();
  const ThreadState& thread = *now.thread;
  Body& to = body();
  to.clock.at(thread.block->number);  // that it has begun needs no fence
  if (const ClockRef& fenced = thread.fenced.of[reach(Scope::cluster)]) to.clock.join(*fenced);
  if (thread.initialised) to.clock.join(*thread.initialised);
  to.fenced = joined(to.fenced, thread.fenced);
}

void Order::acquire() const {
  if (!on() || !body_ || !now.thread || counting()) return;
  settle_now();
  ThreadState& thread = *now.thread;
  learn(thread, body_->clock);
  thread.fenced = joined(thread.fenced, body_->fenced);
  thread.proxied = joined(thread.proxied, body_->proxied);
  thread.proxied_global = joined(thread.proxied_global, body_->proxied_global);
}

void Order::join(const Order& other) {
  if (!on() || !other.body_) return;
  Body& to = body();
  to.clock.join(other.body_->clock);
  to.fenced = joined(to.fenced, other.body_->fenced);
  to.proxied = joined(to.proxied, other.body_->proxied);
  to.proxied_global = joined(to.proxied_global, other.body_->proxied_global);
}

void Order::clear() {
  if (!body_) return;
  const std::uint32_t agents = body_->agents, agent = body_->agent;
  *body_ = Body{};
  body_->agents = agents, body_->agent = agent;
}

namespace {

// The numbers of a unit's agents; new ones once an agent's clock has run out.
void require_agents(UnitState& unit, bool anew) {
  if (unit.agents && !anew) return;
  if (unit.agents) retire(unit.agents);
  const Past first = past_of(unit.first);
  unit.agents = new_block(first.place, first.dim, true);
  unit.agent_ticks.assign(1024, 0);
}

}  // namespace

Slot new_agent(UnitState& unit) {
  const std::uint32_t agent = unit.next_agent++ % 1024;
  require_agents(unit, unit.agents && unit.agent_ticks[agent] >= kMaxTick);
  return slot_of(unit.agents, ++unit.agent_ticks[agent], agent, How::landed, 0);
}

Slot signal(Order& order, UnitState& unit) {
  Order::Body& to = order.body();
  require_agents(unit, to.agents && to.agents == unit.agents && unit.agent_ticks[to.agent] >= kMaxTick);
  if (to.agents != unit.agents) to.agents = unit.agents, to.agent = unit.next_agent++ % 1024;
  const std::uint32_t tick = ++unit.agent_ticks[to.agent];
  own(to.clock.at(unit.agents).further).raise(to.agent, tick);
  return slot_of(unit.agents, tick, to.agent, How::landed, 0);
}

// --- fences ------------------------------------------------------------------------------------------------------------

void fence(Scope scope) {
  if (!on() || !now.thread || counting()) return;
  settle_now();
  ThreadState& thread = *now.thread;
  for (unsigned i = 0; i <= reach(scope); ++i)
    if (const ClockRef polled = std::exchange(thread.polled.of[i], {})) learn(thread, *polled);
  const ClockRef all = knowledge(thread);
  for (unsigned i = 0; i <= reach(scope); ++i) thread.fenced.of[i] = all;
  advance(thread);
}

void fence_proxy_async(Space space) {
  if (!on() || !now.thread || counting()) return;
  settle_now();
  ThreadState& thread = *now.thread;
  const ClockRef all = knowledge(thread);
  if (space != Space::global) thread.proxied = all;
  if (space != Space::shared) thread.proxied_global = all;
  advance(thread);
}

void fence_mbarrier_init() {
  if (!on() || !now.thread || counting()) return;
  settle_now();
  now.thread->initialised = knowledge(*now.thread);
  advance(*now.thread);
}

// A tensor map that was changed by ordinary stores: the model reads it by ordinary loads.
void fence_proxy_tensormap(const void*) {}

// --- atomic variables --------------------------------------------------------------------------------------------------

namespace {

// What was released to a variable: by threads that called a fence before they wrote it, or that released in writing; what a
// fence of a block, or a cluster, has released is for threads of that one only.
struct Published {
  Scoped clocks;
  ClockRef proxied, proxied_global;  // besides, what has been made visible to the async proxy
  std::uint32_t block = 0, cluster = 0;

  bool reaches(const BlockState& reader, unsigned i) const {
    return i == reach(Scope::device) ||
           (i == reach(Scope::cluster) ? cluster == reader.unit->first : block == reader.number);
  }
};
std::unordered_map<std::uintptr_t, Published>& variables() {
  static std::unordered_map<std::uintptr_t, Published> all;
  return all;
}

}  // namespace

void synchronise(std::uintptr_t address, Scope scope, bool reads, bool writes, bool acquire, bool release) {
  ThreadState& thread = *now.thread;
  auto at = variables().find(address);
  if (reads && at != variables().end()) {
    const Published& published = at->second;
    for (unsigned i = 0; i < kReaches; ++i) {
      const ClockRef& clock = published.clocks.of[i];
      if (!clock || !published.reaches(*thread.block, i)) continue;
      if (acquire || writes) {
        // A read-modify-write that takes part in a release sequence: programs rely on it without a second fence.
        learn(thread, *clock);
        for (unsigned j = 0; j <= i; ++j) thread.fenced.of[j] = joined(thread.fenced.of[j], clock);
      } else {
        thread.polled.of[i] = joined(thread.polled.of[i], clock);
      }
    }
    // Who races with what was written is told so before it is asked whether the async proxy sees that.
    thread.proxied = joined(thread.proxied, published.proxied);
    thread.proxied_global = joined(thread.proxied_global, published.proxied_global);
  }
  if (!writes) return;
  Scoped fenced = thread.fenced;
  if (release) {
    const ClockRef all = knowledge(thread);
    for (unsigned i = 0; i <= reach(scope); ++i) fenced.of[i] = joined(fenced.of[i], all);
  }
  if (!fenced) {
    if (!reads && at != variables().end()) variables().erase(at);  // overwritten by one who releases nothing
    return;
  }
  Published& to = at != variables().end() ? at->second : variables()[address];
  if (!reads) to = {};
  if (to.block != thread.block->number) to.clocks.of[reach(Scope::block)].reset();
  if (to.cluster != thread.block->unit->first) to.clocks.of[reach(Scope::cluster)].reset();
  to.block = thread.block->number;
  to.cluster = thread.block->unit->first;
  to.clocks = joined(to.clocks, fenced);
  to.proxied = joined(to.proxied, thread.proxied);
  to.proxied_global = joined(to.proxied_global, thread.proxied_global);
  if (release) advance(thread);
}

void forget_variables(std::uintptr_t begin, std::size_t size) {
  std::erase_if(variables(), [=](const auto& variable) { return variable.first - begin < size; });
}

void forget_all_variables() { variables().clear(); }

}  // namespace spak::sim::check
