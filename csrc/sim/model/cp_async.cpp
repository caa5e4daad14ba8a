// cp.async: each copy is an operation of its own, which may be performed at any time until its group is waited for. Knows
// nothing of bulk copies.
#include "spak/sim/model/cp_async.h"

#include <cstring>
#include <deque>
#include <memory>
#include <vector>

#include "check/check.h"
#include "model/barrier_state.h"
#include "model/caller.h"
#include "profile/profile.h"

namespace spak::sim {

namespace {

struct Copy : Operation {
  void perform() override {
    std::memcpy(shared, global, static_cast<std::size_t>(source_bytes));
    std::memset(shared + source_bytes, 0, static_cast<std::size_t>(bytes - source_bytes));
    if (profile::on()) profile::loading(-source_bytes);
  }
  char* shared = nullptr;
  const void* global = nullptr;
  int bytes = 0, source_bytes = 0;
  check::FlightRef flight;
  std::shared_ptr<check::Order> order;  // where it lands if several mbarriers may be told of it
};
using Copies = std::vector<std::shared_ptr<Copy>>;

// A thread's own.
struct CopyGroups {
  Copies open;                // since the last commit
  std::deque<Copies> groups;  // committed and not waited for, oldest first
};

void complete(const Copies& copies) {
  for (const std::shared_ptr<Copy>& copy : copies) {
    finish(copy);
    if (!copy->flight) continue;
    if (!copy->order) {
      check::land(copy->flight);
      continue;
    }
    check::land(copy->flight, *copy->order);
    copy->order->acquire();
  }
}

// The arrival that copies trigger when all of them are complete.
struct Signal : Operation {
  void perform() override {
    for (const std::shared_ptr<Copy>& copy : copies) {
      finish(copy);
      if (!copy->flight) continue;
      check::land(copy->flight, *copy->order);
      if (barrier->live && barrier->current) barrier->current->join(*copy->order);
    }
    const auto wrong = [&](const std::string& sentence, const char* hint) {
      report({"mbarrier-misuse",
              sentence,
              hint,
              {{"issued (cp.async.mbarrier.arrive)", {site, nullptr}, "", ""},
               {"initialised it", {barrier->initialised, nullptr}, "", ""}}});
    };
    if (!barrier->live || *barrier->word != barrier->encode())
      return wrong("cp_async_mbarrier_arrive arrives at an mbarrier that has been invalidated or written over since",
                   "wait for the phase before its memory is used for something else");
    if (!barrier->pending)
      return wrong("cp_async_mbarrier_arrive at an mbarrier " + barrier->state() +
                       ": more arrivals than mbarrier_init announced",
                   "count the arrivals of cp_async_mbarrier_arrive_noinc in mbarrier_init");
    --barrier->pending;
    if (barrier->arrived.size() < 64) barrier->arrived.push_back({thread, site});
    barrier->settle();
  }
  Copies copies;
  MbarrierRef barrier;
  const Thread* thread = nullptr;
  Site site{nullptr, 0};
};

void signal(std::uint64_t* bar, bool increment, Site site) {
  Thread& thread = caller(site);
  const char* const what = increment ? "cp_async_mbarrier_arrive" : "cp_async_mbarrier_arrive_noinc";
  const auto signal = std::make_shared<Signal>();
  signal->barrier = mbarrier_at(bar, what, site);
  if (check::on()) check::read(bar, 8, site);
  if (increment) {
    if (signal->barrier->pending == Mbarrier::kMaxCount)
      stop(finding("mbarrier-misuse", std::string(what) + " at an mbarrier with 2^20 - 1 arrivals pending",
                   "a phase takes at most 2^20 - 1 arrivals", "calls", site));
    ++signal->barrier->pending;
    signal->barrier->store();
  }
  signal->thread = &thread;
  signal->site = site;
  auto& mine = thread.states.get<CopyGroups>();
  for (const Copies& group : mine.groups) signal->copies.insert(signal->copies.end(), group.begin(), group.end());
  signal->copies.insert(signal->copies.end(), mine.open.begin(), mine.open.end());
  for (const std::shared_ptr<Copy>& copy : signal->copies)
    if (copy->flight && !copy->order) copy->order = std::make_shared<check::Order>();
  issue(signal);
}

}  // namespace

void cp_async(void* shared, const void* global, int bytes, int source_bytes, Site site) {
  Thread& thread = caller(site);
  own_shared(shared, "the destination of cp_async", site);
  const auto align = static_cast<std::size_t>(bytes);
  require_multiple(
      reinterpret_cast<std::uintptr_t>(shared), align,
      [&] { return "the destination of a cp_async of " + std::to_string(bytes) + " bytes"; },
      "align the shared variable with __align__, and keep row strides multiples of it", site);
  require_multiple(
      reinterpret_cast<std::uintptr_t>(global), align,
      [&] { return "the source of a cp_async of " + std::to_string(bytes) + " bytes"; },
      "copy fewer bytes at a time where the source's alignment is not known", site);
  if (source_bytes < 0 || source_bytes > bytes)
    stop(finding(
        "bad-argument",
        "cp_async_zfill of " + std::to_string(bytes) + " bytes reads " + std::to_string(source_bytes) + " of them",
        "source_bytes is 0 to Bytes", "calls", site));
  if (source_bytes) require_global(global, "the source of cp_async", site);
  auto copy = std::make_shared<Copy>();
  copy->shared = static_cast<char*>(shared);
  copy->global = global;
  copy->bytes = bytes;
  copy->source_bytes = source_bytes;
  if (check::on()) {
    copy->flight = check::depart("cp.async", check::Proxy::generic, site);
    if (source_bytes) check::will_read(copy->flight, global, static_cast<std::size_t>(source_bytes));
    check::will_write(copy->flight, shared, static_cast<std::size_t>(bytes));
  }
  if (profile::on()) {
    profile::event(profile::Event::async_copies);
    profile::event(profile::Event::async_bytes_in, static_cast<std::uint64_t>(source_bytes));
    profile::loading(source_bytes);
  }
  touch(global, static_cast<std::size_t>(source_bytes));
  thread.states.get<CopyGroups>().open.push_back(copy);
  issue(std::move(copy));
}

void cp_async_commit(Site site) {
  auto& mine = caller(site).states.get<CopyGroups>();
  mine.groups.push_back(std::move(mine.open));
  mine.open.clear();
}

void cp_async_wait(int pending, Site site) {
  auto& mine = caller(site).states.get<CopyGroups>();
  while (mine.groups.size() > static_cast<std::size_t>(pending)) {
    const Copies oldest = std::move(mine.groups.front());
    mine.groups.pop_front();
    complete(oldest);
  }
}

void cp_async_wait_all(Site site) {
  cp_async_wait(0, site);
  complete(std::exchange(self().states.get<CopyGroups>().open, {}));
}

void cp_async_mbarrier_arrive(std::uint64_t* bar, Site site) { signal(bar, true, site); }
void cp_async_mbarrier_arrive_noinc(std::uint64_t* bar, Site site) { signal(bar, false, site); }

}  // namespace spak::sim
