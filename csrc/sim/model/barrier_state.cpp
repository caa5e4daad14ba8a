// The state machine of mbarriers. Knows nothing of instructions.
#include "model/barrier_state.h"

#include "model/caller.h"
#include "model/leave.h"

namespace spak::sim {

namespace {

constexpr const char* kApart =
    "keep the mbarrier's memory apart from what is stored to; mbarrier_invalidate it before other use";

void written_over(Finding& wrong, const Mbarrier& barrier) {
  Party writer = check::last_writer(barrier.word);
  if (!writer.role.empty()) wrong.parties.push_back(std::move(writer));
  wrong.parties.push_back({"initialised it", {barrier.initialised, nullptr}, "", ""});
}

}  // namespace

void Mbarrier::begin(std::uint32_t count, Site site) {
  live = true;
  expected = pending = count;
  bytes = 0;
  phase = 0;
  initialised = site;
  arrived.clear();
  before.clear();
  completed.reset();
  current = check::on() ? std::make_shared<check::Order>() : nullptr;
  store();
}

std::uint64_t Mbarrier::encode() const {
  return std::uint64_t{2} << 62 | (phase & 1) << 61 | (static_cast<std::uint64_t>(bytes) & 0x1FFFFF) << 40 |
         std::uint64_t{expected} << 20 | pending;
}

void Mbarrier::settle() {
  if (pending == 0 && bytes == 0) {
    ++phase;
    pending = expected;
    before.swap(arrived);
    arrived.clear();
    completed = std::move(current);
    current = check::on() ? std::make_shared<check::Order>() : nullptr;
    store();
    gate.open();
    return;
  }
  store();
}

std::string Mbarrier::state() const {
  std::string text = "in phase " + std::to_string(phase) + " (parity " + std::to_string(parity()) +
                     "): " + std::to_string(pending) + " of " + std::to_string(expected) +
                     (expected == 1 ? " arrival" : " arrivals") + " pending, " +
                     std::to_string(bytes < 0 ? -bytes : bytes) +
                     (bytes < 0 ? " bytes more than were expected" : " bytes outstanding");
  return text;
}

namespace {

// Says what is wrong with the mbarrier at `bar`.
[[noreturn]] void refuse(std::uint64_t* bar, const char* what, const Mbarrier* barrier, Site site) {
  const Block& block = block_of_shared(bar, (std::string("the mbarrier of ") + what).c_str(), site);
  require_multiple(
      reinterpret_cast<std::uintptr_t>(bar), 8, [&] { return std::string("the address of the mbarrier of ") + what; },
      "an mbarrier is a uint64_t in shared memory", site);
  const std::string start = std::string(what) + " on " + name_of_shared(block, bar);
  if (!barrier || !barrier->live) {
    Finding wrong = finding("mbarrier-misuse",
                            start + (barrier ? ", which has been invalidated" : ", which has not been initialised"),
                            "call mbarrier_init in one thread, then fence_mbarrier_init() and a barrier of the block "
                            "(or cluster), before it is used",
                            "calls", site);
    if (barrier) wrong.parties.push_back({"invalidated it", {barrier->invalidated, nullptr}, "", ""});
    stop(std::move(wrong));
  }
  Finding wrong =
      finding("mbarrier-misuse", start + ", whose 8 bytes have been written over since: it was " + barrier->state(),
              kApart, "calls", site);
  written_over(wrong, *barrier);
  stop(std::move(wrong));
}

}  // namespace

MbarrierRef mbarrier_at(std::uint64_t* bar, const char* what, Site site) {
  const SharedPlace place = shared_place(bar);
  if (place.rank < 0 || place.offset % 8) refuse(bar, what, nullptr, site);
  Block& block = *running->cluster_of(self().owner()).blocks[place.rank];
  auto& all = block.states().get<Mbarriers>().at;
  const auto found = all.find(place.offset);
  const Mbarrier* barrier = found == all.end() ? nullptr : found->second.get();
  if (!barrier || !barrier->live || *bar != barrier->encode() || block.gone()) [[unlikely]]
    refuse(bar, what, barrier, site);
  return found->second;
}

MbarrierRef mbarrier_for_copy(std::uint64_t* bar, const char* what, Site site) {
  MbarrierRef barrier = mbarrier_at(bar, what, site);
  if (check::on() && barrier->fences == barrier->block->states().get<Mbarriers>().fences) {
    Finding wrong = finding("missing-proxy-fence",
                            std::string(what) + " completes on " + name_of_shared(*barrier->block, bar) +
                                ", whose initialisation has not been made visible to the async proxy",
                            "call fence_mbarrier_init() after mbarrier_init, in the thread that initialises, before "
                            "the block or cluster meets",
                            ("issued (" + std::string(what) + ")").c_str(), site);
    wrong.parties.push_back({"initialised it", {barrier->initialised, nullptr}, "", ""});
    report(std::move(wrong));
  }
  return barrier;
}

void deliver(Mbarrier& barrier, std::uint64_t bytes, const check::FlightRef& flight, const char* what, Site issued) {
  const auto wrong = [&](const std::string& sentence, const char* hint) {
    report({"mbarrier-misuse",
            sentence,
            hint,
            {{"issued (" + std::string(what) + ")", {issued, nullptr}, "", ""},
             {"initialised it", {barrier.initialised, nullptr}, "", ""}}});
  };
  if (!barrier.live || *barrier.word != barrier.encode()) {
    wrong(std::string(what) + " completes on an mbarrier that has been invalidated or written over since it was issued",
          "wait for the phase before the mbarrier's memory is used for something else");
    if (flight) check::land(flight);
    return;
  }
  if (barrier.bytes - static_cast<std::int64_t>(bytes) < -Mbarrier::kMaxBytes) {
    wrong(std::string(what) + " delivers " + std::to_string(bytes) + " bytes to an mbarrier " + barrier.state() +
              ": more than its transaction count can hold",
          "expect the bytes (mbarrier_arrive_expect_tx) before the copies are issued");
    return;
  }
  if (flight && barrier.current) check::land(flight, *barrier.current);
  barrier.bytes -= static_cast<std::int64_t>(bytes);
  barrier.settle();
}

void leave_barriers(Block& block) {
  const auto* all = block.states().find<Mbarriers>();
  if (!all) return;
  for (const auto& [offset, barrier] : all->at) {
    if (!barrier->live || *barrier->word == barrier->encode()) continue;
    Finding wrong{
        "mbarrier-misuse",
        name_of_shared(block, barrier->word) + " is still an mbarrier, and has been written over by something else",
        kApart,
        {}};
    written_over(wrong, *barrier);
    report(std::move(wrong));
  }
}

}  // namespace spak::sim
