// The life of what is kept for launches, units, blocks and threads. Knows nothing of rules.
#include "check/check.h"

#include <bit>
#include <memory>
#include <vector>

#include "check/case.h"
#include "check/flight.h"
#include "check/machine.h"
#include "check/notes.h"
#include "check/order.h"
#include "check/places.h"
#include "check/states.h"
#include "engine/unit.h"

namespace spak::sim::check {

__thread bool active __attribute__((tls_model("initial-exec"))) = false;
bool busy = false;

namespace {

// Units come and go, their shadows stay: what is left in them is older than whatever comes.
struct Units {
  std::vector<std::unique_ptr<UnitState>> running, idle;
  bool counting = false;
};
Units& units() {
  static Units all;
  return all;
}

void begin_thread(ThreadState& state, BlockState& block, std::uint32_t index) {
  state.block = &block;
  state.index = index;
  state.tick = 1;
  state.further.reset();
  for (ClockRef* clock : {&state.others, &state.proxied, &state.proxied_global, &state.initialised}) clock->reset();
  state.fenced = state.polled = {};
  state.accumulators.clear();
}

void begin_block(BlockState& state, Block& block, UnitState& unit) {
  state.unit = &unit;
  state.number = new_block(block.block, block.dim, false);
  state.floor = 0;
  state.high = 1;
  state.size = block.size();
  state.shift = static_cast<unsigned>(std::bit_width((state.size + 31) / 32 - 1));
  state.window = reinterpret_cast<std::uintptr_t>(block.window().base());
  if (!state.shadow) state.shadow = std::make_unique<WindowShadow>();
  state.variables.clear();
  state.visitors.clear();
  state.exited = 0;
  if (state.size > state.capacity) {
    state.threads = std::make_unique<ThreadState[]>(state.size);
    state.capacity = state.size;
  }
  for (unsigned i = 0; i < state.size; ++i) {
    begin_thread(state.threads[i], state, i);
    block.thread(i).checked = &state.threads[i];
  }
  block.checked = &state;
}

void end_unit(std::size_t at) {
  Units& all = units();
  std::unique_ptr<UnitState> state = std::move(all.running[at]);
  all.running.erase(all.running.begin() + static_cast<std::ptrdiff_t>(at));
  for (const auto& block : state->blocks)
    if (block->window != kNowhere) forget_variables(block->window, WindowShadow::kBytes), block->window = kNowhere;
  all.idle.push_back(std::move(state));
}

}  // namespace

bool counting() { return units().counting; }

void forget_windows() {
  for (const auto& unit : units().idle)
    for (const auto& block : unit->blocks)
      if (block->shadow) block->shadow->clear();
}

void settle_now() {
  if (!stores_pending() && !array_pending()) return;
  settle_stores(true);
  if (array_pending()) settle_array(0);
  refresh();
}

void unit_begin(Unit& unit) {
  Units& all = units();
  if (all.idle.empty()) all.idle.push_back(std::make_unique<UnitState>());
  all.running.push_back(std::move(all.idle.back()));
  all.idle.pop_back();
  UnitState& state = *all.running.back();
  make_room(unit.blocks() + 1);
  while (state.blocks.size() < unit.blocks()) state.blocks.push_back(std::make_unique<BlockState>());
  for (unsigned i = 0; i < unit.blocks(); ++i) begin_block(*state.blocks[i], unit.block(i), state);
  for (std::size_t i = unit.blocks(); i < state.blocks.size(); ++i) state.blocks[i]->window = kNowhere;
  state.first = state.blocks.front()->number;
  state.count = unit.blocks();
  state.agents = 0;
  state.next_agent = 0;
  state.rests.clear();
  unit.checked = &state;
}

void unit_end(Unit& unit) {
  left();
  Units& all = units();
  for (std::size_t i = 0; i < all.running.size(); ++i)
    if (all.running[i].get() == unit.checked) end_unit(i);
  unit.checked = nullptr;
}

void thread_begin(Thread&) {}
void thread_end(Thread& thread) {
  settle_now();
  if (now.thread && !counting()) judge_exit(*thread.checked, thread.site);
}

void resumed(Thread& thread) {
  if (now.thread) settle_now();
  ThreadState* const state = thread.checked;
  now.thread = state;
  state->stack_low = reinterpret_cast<std::uintptr_t>(thread.stack_low);
  state->stack_size = static_cast<std::size_t>(thread.stack_high - thread.stack_low);
  refresh();
}

void left() {
  busy = false;
  if (now.thread) settle_now();
  now.thread = nullptr;
  refresh();
}

void launch_begin(const Job& job) {
  units().counting = job.settings.mode == Mode::profile;
  active = true;
  notes_begin(job);
  places_begin_launch();
  history_begin_launch();
  machine_begin_launch(job);
}

void launch_end(const Job&) {
  Units& all = units();
  left();
  while (!all.running.empty()) end_unit(all.running.size() - 1);
  active = false;
  forget_all_variables();
  forget_flights();
  notes_end();
}

void shared_variable(const SharedSite& site, void* begin, std::size_t size) {
  if (!on() || !now.thread) return;
  now.thread->block->variables.push_back({&site, reinterpret_cast<std::uintptr_t>(begin), size});
}

}  // namespace spak::sim::check
