// Order that is not a barrier of all: objects that are released to and acquired from, fences, atomic variables. Knows nothing
// of how accesses are judged.
#include "check/order.h"

#include <unordered_map>

#include "check/judge.h"
#include "check/machine.h"
#include "check/places.h"

namespace spak::sim::check {

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
  to.fenced_block = joined(to.fenced_block, thread.fenced_block);
  to.proxied = joined(to.proxied, thread.proxied);
  to.proxied_global = joined(to.proxied_global, thread.proxied_global);
  advance(thread);
}

void Order::release_fenced() {
  if (!on() || !now.thread || counting()) return;
  settle_now();
  const ThreadState& thread = *now.thread;
  Body& to = body();
  if (thread.fenced) to.clock.join(*thread.fenced);
  if (thread.initialised) to.clock.join(*thread.initialised);
  to.fenced = joined(to.fenced, thread.fenced);
}

void Order::acquire() const {
  if (!on() || !body_ || !now.thread || counting()) return;
  settle_now();
  ThreadState& thread = *now.thread;
  learn(thread, body_->clock);
  thread.fenced = joined(thread.fenced, body_->fenced);
  thread.fenced_block = joined(thread.fenced_block, body_->fenced_block);
  thread.proxied = joined(thread.proxied, body_->proxied);
  thread.proxied_global = joined(thread.proxied_global, body_->proxied_global);
}

void Order::join(const Order& other) {
  if (!on() || !other.body_) return;
  Body& to = body();
  to.clock.join(other.body_->clock);
  to.fenced = joined(to.fenced, other.body_->fenced);
  to.fenced_block = joined(to.fenced_block, other.body_->fenced_block);
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
  unit.agents = new_block(past_of(unit.first).place, true);
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
  if (thread.polled) {
    const ClockRef polled = std::move(thread.polled);
    learn(thread, *polled);
  }
  thread.fenced_block = knowledge(thread);
  if (scope != Scope::block) thread.fenced = thread.fenced_block;
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

// What was released to a variable: by threads that called a fence before they wrote it, or that released in writing.
struct Published {
  ClockRef device;
  ClockRef block;  // for threads of one block only
  std::uint32_t block_number = 0;
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
    const ClockRef clock =
        published.block_number == thread.block->number ? joined(published.device, published.block) : published.device;
    if (clock && (acquire || writes)) {
      // A read-modify-write that takes part in a release sequence: programs rely on it without a second fence.
      learn(thread, *clock);
      if (published.device) thread.fenced = joined(thread.fenced, published.device);
      thread.fenced_block = joined(thread.fenced_block, clock);
    } else if (clock) {
      thread.polled = joined(thread.polled, clock);
    }
  }
  if (!writes) return;
  ClockRef device = thread.fenced, block = thread.fenced_block;
  if (release) {
    block = joined(block, knowledge(thread));
    if (scope != Scope::block) device = block;
  }
  if (!device && !block) {
    if (!reads && at != variables().end()) variables().erase(at);  // overwritten by one who releases nothing
    return;
  }
  Published& to = at != variables().end() ? at->second : variables()[address];
  if (!reads) to = {};
  to.device = joined(to.device, device);
  if (to.block_number != thread.block->number) to.block.reset();
  to.block_number = thread.block->number;
  to.block = joined(to.block, block);
  if (release) advance(thread);
}

void forget_variables(std::uintptr_t begin, std::size_t size) {
  std::erase_if(variables(), [=](const auto& variable) { return variable.first - begin < size; });
}

void forget_all_variables() { variables().clear(); }

void atomic(void* address, std::size_t size, Scope scope, bool acquire, bool release, Site site) {
  if (!on() || !now.thread || counting()) return;
  settle_now();
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  judge({.address = at,
         .size = size,
         .write = true,
         .how = scope == Scope::block ? How::strong_block : How::strong,
         .place = place_of(site),
         .both = true,
         .replaces = true});
  synchronise(at, scope, true, true, acquire, release);
}

}  // namespace spak::sim::check
