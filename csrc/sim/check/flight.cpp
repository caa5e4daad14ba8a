// Asynchronous operations in flight: the cells of what they read and write say so until they have landed.
#include "check/flight.h"

#include <algorithm>
#include <unordered_map>

#include "check/judge.h"
#include "check/machine.h"
#include "check/order.h"
#include "check/places.h"
#include "check/readers.h"
#include "check/states.h"

namespace spak::sim::check {

namespace {

std::unordered_map<std::uint64_t, Flight*>& flights() {
  static std::unordered_map<std::uint64_t, Flight*> all;
  return all;
}

std::uint64_t next_number() {
  static std::uint64_t last = 0;
  return ++last;
}

// Calls act(row, cell) for the cells of these bytes.
template <typename Act>
void visit(UnitState& unit, const Flight::Span& span, bool write, Act act) {
  for (std::uintptr_t at = span.begin, end = span.begin + span.size; at < end;) {
    const Row row = row_of(unit, at);
    const std::size_t bytes = std::min(end, row.base + row.size) - at;
    each_cell(row, at, bytes, write, [&](Cell& cell, std::uintptr_t) { act(row, cell); });
    at += bytes;
  }
}

void free_sources(Flight& flight, Slot reader) {
  const Slot mark = flight.slot();
  for (const Flight::Span& span : flight.reads)
    visit(*flight.unit, span, false, [=](const Row& row, Cell& cell) {
      if (cell.first == mark)
        cell.first = reader;
      else if (remove_flight(row, cell, mark))
        add_reader(row, cell, reader);
    });
  flight.reads.clear();
}

void settle_writes(Flight& flight, Slot writer) {
  const How how = flight.proxy == Proxy::generic ? How::copied : How::landed;
  writer = (writer & ~(Slot{7} << kKindShift)) | Slot{static_cast<unsigned char>(how)} << kKindShift;
  const Slot mark = flight.slot();
  for (const Flight::Span& span : flight.writes)
    visit(*flight.unit, span, false, [=](const Row&, Cell& cell) {
      if (cell.written == mark) cell.written = writer;
    });
  flight.writes.clear();
}

// It has read the shared memory of one block for another: the first must not exit before it knows.
void visit_source(const Flight& flight, Slot agent) {
  if (flight.reads.empty() || flight.writes.empty()) return;
  BlockState* const host = flight.unit->of_window(flight.reads.front().begin);
  const BlockState* const guest = flight.unit->of_window(flight.writes.front().begin);
  if (host && guest && host != guest && host->exited < host->size) host->visitors[agent & kAgentMask] = {agent, false};
}

void end(Flight& flight) {
  flight.landed = true;
  flights().erase(flight.number);
}

void take_agent(Flight& flight) {
  const Slot agent = new_agent(*flight.unit);
  flight.agents = block_of(agent), flight.agent = thread_of(agent), flight.agent_tick = tick_of(agent);
}

Slot agent_of(const Flight& flight) {
  return slot_of(flight.agents, flight.agent_tick, flight.agent, How::landed, place_of(flight.issued));
}

Access access_of(const FlightRef& flight, const void* address, std::size_t size, bool write) {
  return {.address = reinterpret_cast<std::uintptr_t>(address),
          .size = size,
          .write = write,
          .place = place_of(flight->issued),
          .flight = &flight};
}

}  // namespace

Flight::Flight(const char* what_, Proxy proxy_, Slot issued_, UnitState* unit_)
    : what(what_), proxy(proxy_), issued(issued_), number(next_number()), unit(unit_) {
  flights()[number] = this;
}

Flight::~Flight() {
  if (!landed) flights().erase(number);
}

Flight* flight_of(Slot slot) {
  const auto at = flights().find(slot & ((Slot{1} << kBlockShift) - 1));
  return at == flights().end() ? nullptr : at->second;
}

void forget_flights() {
  for (const auto& [number, flight] : flights()) flight->landed = true;
  flights().clear();
}

FlightRef depart(const char* what, Proxy proxy, Site site) {
  if (!on() || !now.thread || counting()) return {};
  settle_now();
  return std::make_shared<Flight>(what, proxy, now.me | place_of(site, what), now.thread->block->unit);
}

void will_read(const FlightRef& flight, const void* address, std::size_t size) {
  if (!flight || !now.thread || !size) return;
  judge(access_of(flight, address, size, false));
  flight->reads.push_back({reinterpret_cast<std::uintptr_t>(address), size});
}

void will_write(const FlightRef& flight, void* address, std::size_t size) {
  if (!flight || !now.thread || !size) return;
  judge(access_of(flight, address, size, true));
  flight->writes.push_back({reinterpret_cast<std::uintptr_t>(address), size});
}

void will_update(const FlightRef& flight, void* address, std::size_t size) {
  if (!flight || !now.thread || !size) return;
  if (!flight->agents) take_agent(*flight);
  Access access = access_of(flight, address, size, true);
  access.how = How::strong;
  access.both = true;
  access.update = with(agent_of(*flight), How::strong);
  judge(access);
}

void issued_with(const FlightRef& flight, const Thread& other) {
  if (!flight || !now.thread) return;
  settle_now();
  ThreadState* const self = now.thread;
  if (knows_as_much(*other.checked, *self)) return;
  now.thread = other.checked;
  refresh();
  for (const Flight::Span& span : flight->reads)
    judge(access_of(flight, reinterpret_cast<const void*>(span.begin), span.size, false));
  now.thread = self;
  refresh();
}

namespace {

void hold(const FlightRef& flight, const void* locals, std::size_t size, bool only_read) {
  if (!flight || !now.thread) return;
  ThreadState& thread = *now.thread;
  std::erase_if(thread.accumulators, [](const Accumulator& old) {
    const FlightRef its = old.flight.lock();
    return !its || its->landed;
  });
  thread.accumulators.push_back({only_read, reinterpret_cast<std::uintptr_t>(locals), size, flight});
  refresh();
}

}  // namespace

void will_change(const FlightRef& flight, void* locals, std::size_t size) { hold(flight, locals, size, false); }
void will_use(const FlightRef& flight, const void* locals, std::size_t size) { hold(flight, locals, size, true); }

void sources_free(const FlightRef& flight) {
  if (!flight || !now.thread || flight->landed) return;
  free_sources(*flight, now.me | place_of(flight->issued));
}

void land(const FlightRef& flight, Order& into) {
  if (!flight || flight->landed) return;
  const Slot agent = signal(into, *flight->unit) | place_of(flight->issued);
  if (flight->agents) own(into.body().clock.at(flight->agents).further).raise(flight->agent, flight->agent_tick);
  visit_source(*flight, agent);
  free_sources(*flight, agent);
  settle_writes(*flight, agent);
  end(*flight);
}

// Several threads may wait for one operation (the warps of a warpgroup): each of them is after what it read.
void land(const FlightRef& flight) {
  if (!flight || !now.thread) return;
  settle_now();
  ThreadState& thread = *now.thread;
  if (!flight->landed) {
    const Slot mine = now.me | place_of(flight->issued);
    if (flight->proxy == Proxy::async && !flight->reads.empty()) {
      if (!flight->agents) take_agent(*flight);
      free_sources(*flight, agent_of(*flight));
    } else {
      free_sources(*flight, mine);
    }
    settle_writes(*flight, mine);
    end(*flight);
  }
  if (flight->agents) {
    if (flight->after && flight->before == thread.others) {
      thread.others = flight->after;
    } else {
      flight->before = thread.others;
      Entry entry{flight->agents, 0, {}};
      own(entry.further).raise(flight->agent, flight->agent_tick);
      own(thread.others).join(entry);
      flight->after = thread.others;
    }
  }
  if (thread.accumulators.empty()) return;
  std::erase_if(thread.accumulators, [](const Accumulator& old) {
    const FlightRef its = old.flight.lock();
    return !its || its->landed;
  });
  refresh();
}

}  // namespace spak::sim::check
