// The mbarrier instructions of a thread. Knows nothing of the copies whose bytes a phase counts.
#include "spak/sim/model/mbarrier.h"

#include "model/barrier_state.h"
#include "model/caller.h"
#include "model/leave.h"
#include "spak/sim/model/shared.h"

namespace spak::sim {

namespace {

constexpr std::size_t kRemembered = 64;  // arrivals of a phase that a report can name

[[noreturn]] void misuse(const Mbarrier& barrier, std::string sentence, const char* hint, Site site) {
  Finding wrong = finding("mbarrier-misuse", std::move(sentence), hint, "calls", site);
  wrong.parties.push_back({"initialised it", {barrier.initialised, nullptr}, "", ""});
  stop(std::move(wrong));
}

std::string name_of(const Mbarrier& barrier) { return name_of_shared(*barrier.block, barrier.word); }

void touched(const Mbarrier& barrier, Site site) {
  // Only mbarrier_init and mbarrier_invalidate count as writes: the others are ordered among themselves, and after those.
  if (check::on()) check::read(barrier.word, 8, site);
}

// The part that all kinds of arrival share. `drop` arrivals are also missing from the phases that follow.
std::uint64_t arrive(std::uint64_t* bar, std::uint32_t count, std::uint32_t drop, std::int64_t bytes, bool may_complete,
                     const char* what, Site site) {
  Thread& thread = caller(site);
  const MbarrierRef barrier = mbarrier_at(bar, what, site);
  touched(*barrier, site);
  const std::uint64_t before = barrier->encode();
  if (count < 1 || count > Mbarrier::kMaxCount)
    misuse(*barrier, std::string(what) + " with a count of " + std::to_string(count), "a count is 1 to 2^20 - 1", site);
  if (count > barrier->pending)
    misuse(*barrier,
           std::string(what) + " of " + std::to_string(count) + " at " + name_of(*barrier) + ", which is " +
               barrier->state() + ": more arrivals than mbarrier_init announced",
           "initialise it with the number of arrivals of a phase; let exactly those threads arrive, once a phase",
           site);
  if (barrier->bytes + bytes > Mbarrier::kMaxBytes)
    misuse(*barrier,
           std::string(what) + " expects " + std::to_string(bytes) + " bytes of " + name_of(*barrier) + ", which is " +
               barrier->state(),
           "at most 2^20 - 1 bytes can be outstanding", site);
  barrier->bytes += bytes;
  if (!may_complete && count == barrier->pending && barrier->bytes == 0)
    misuse(*barrier, std::string(what) + " completes the phase of " + name_of(*barrier),
           "use mbarrier.arrive where the phase may complete", site);
  if (barrier->current) barrier->current->release();
  barrier->pending -= count;
  barrier->expected -= drop;
  if (barrier->arrived.size() < kRemembered) barrier->arrived.push_back({&thread, site});
  barrier->settle();
  return before;
}

void expect(std::uint64_t* bar, std::uint32_t bytes, const char* what, Site site) {
  caller(site);
  const MbarrierRef barrier = mbarrier_at(bar, what, site);
  touched(*barrier, site);
  if (barrier->bytes + std::int64_t{bytes} > Mbarrier::kMaxBytes)
    misuse(*barrier,
           std::string(what) + " of " + std::to_string(bytes) + " bytes at " + name_of(*barrier) + ", which is " +
               barrier->state(),
           "at most 2^20 - 1 bytes can be outstanding", site);
  barrier->bytes += bytes;
  barrier->settle();
}

struct Waiting {
  const Mbarrier* barrier;
  unsigned parity;
};

// Where the threads stand that arrived in the phase before and have not in this one.
std::string missing(const Mbarrier& barrier) {
  std::string text;
  unsigned named = 0;
  for (const Mbarrier::Arrival& past : barrier.before) {
    bool here = false;
    for (const Mbarrier::Arrival& now : barrier.arrived) here = here || now.thread == past.thread;
    if (here || ++named > 4) continue;
    text += (named == 1 ? "; arrived in the phase before and not in this one: " : ", ") + name_of(*past.thread) +
            (past.thread->standing() == State::exited ? " (has exited)"
             : past.thread->what                      ? std::string(" (waits: ") + past.thread->what + ")"
                                                      : "");
  }
  if (named > 4) text += " and " + std::to_string(named - 4) + " more";
  if (barrier.phase == 0 && barrier.arrived.empty() && barrier.pending) text += "; nobody has ever arrived";
  return text;
}

std::string describe_mbarrier(const void* object, const Thread& waiter) {
  const Waiting& waiting = *static_cast<const Waiting*>(object);
  const Mbarrier& barrier = *waiting.barrier;
  return "waits for parity " + std::to_string(waiting.parity) + " of " +
         name_of_shared(*barrier.block, barrier.word, &waiter.owner()) + ", which is " + barrier.state() +
         missing(barrier);
}

// Whether the phase of that parity is complete; if so, the calling thread is after all that was released to it.
bool complete(Mbarrier& barrier, unsigned parity) {
  if (barrier.parity() == parity) return false;
  if (barrier.completed) barrier.completed->acquire();
  return true;
}

// PTX: the mbarrier that a thread waits for is in shared::cta.
void require_own(const Mbarrier& barrier, const char* what, Site site) {
  if (barrier.block == &self().owner()) return;
  misuse(barrier, std::string(what) + " on " + name_of(barrier) + ": a thread waits for its own block's mbarriers only",
         "let the peer arrive at an mbarrier of this block (mbarrier_arrive_remote), and wait for that", site);
}

unsigned checked_parity(const Mbarrier& barrier, std::uint32_t parity, const char* what, Site site) {
  if (parity > 1)
    misuse(barrier, std::string(what) + " for a parity of " + std::to_string(parity),
           "the parity of a phase is 0 or 1: take the phase's number & 1", site);
  return parity;
}

bool test(std::uint64_t* bar, std::uint32_t parity, Site site) {
  caller(site);
  const MbarrierRef barrier = mbarrier_at(bar, "mbarrier_test_wait", site);
  require_own(*barrier, "mbarrier_test_wait", site);
  touched(*barrier, site);
  if (complete(*barrier, checked_parity(*barrier, parity, "mbarrier_test_wait", site))) return true;
  yield();  // who polls lets those run that it waits for
  return false;
}

bool wait(std::uint64_t* bar, std::uint32_t parity_, Site site) {
  caller(site);
  const MbarrierRef barrier = mbarrier_at(bar, "mbarrier_wait", site);
  require_own(*barrier, "mbarrier_wait", site);
  touched(*barrier, site);
  const unsigned parity = checked_parity(*barrier, parity_, "mbarrier_wait", site);
  if (complete(*barrier, parity)) return true;
  const std::uint64_t phase = barrier->phase;
  const std::shared_ptr<check::Order> order =
      barrier->current;  // the next phase may be over when this thread runs again
  const Waiting waiting{barrier.get(), parity};
  while (barrier->live && barrier->phase == phase)
    barrier->gate.wait("mbarrier wait", site, describe_mbarrier, &waiting);
  if (barrier->live && barrier->phase > phase + 1) {
    Finding wrong =
        finding("mbarrier-misuse",
                "waited for phase " + std::to_string(phase) + " of " + name_of(*barrier) + ", which was in phase " +
                    std::to_string(barrier->phase) +
                    " before the thread could look: by its parity it cannot tell the two apart",
                "let every thread that waits for a phase arrive somewhere that the phase after the next depends on",
                "waits", site);
    wrong.parties.push_back({"initialised it", {barrier->initialised, nullptr}, "", ""});
    report(std::move(wrong));
  }
  if (order) order->acquire();
  return true;
}

}  // namespace

void mbarrier_init(std::uint64_t* bar, std::uint32_t count, Site site) {
  caller(site);
  Block& block = own_shared(bar, "the mbarrier of mbarrier_init", site);
  require_multiple(
      reinterpret_cast<std::uintptr_t>(bar), 8, [] { return std::string("the address of an mbarrier"); },
      "declare it as a uint64_t in shared memory", site);
  auto& all = block.states().get<Mbarriers>();
  MbarrierRef& barrier = all.at[static_cast<std::uint32_t>(reinterpret_cast<char*>(bar) - block.window().base())];
  if (!barrier) barrier = std::make_shared<Mbarrier>();
  barrier->block = &block;
  barrier->word = bar;
  if (count < 1 || count > Mbarrier::kMaxCount)
    stop(finding("mbarrier-misuse", "mbarrier_init with a count of " + std::to_string(count),
                 "a count is 1 to 2^20 - 1", "calls", site));
  if (barrier->live) {
    Finding wrong = finding(
        "mbarrier-misuse",
        "mbarrier_init on " + name_of(*barrier) + ", which is an mbarrier already, " + barrier->state(),
        "initialise it in one thread, once; mbarrier_invalidate it before it is initialised again", "calls", site);
    wrong.parties.push_back({"initialised it before", {barrier->initialised, nullptr}, "", ""});
    if (barrier->gate.anybody()) stop(std::move(wrong));
    report(std::move(wrong));
  }
  if (check::on()) check::write(bar, 8, site);
  running->on_leave = model_leave;
  barrier->fences = all.fences;
  barrier->begin(count, site);
}

void mbarrier_invalidate(std::uint64_t* bar, Site site) {
  caller(site);
  const MbarrierRef barrier = mbarrier_at(bar, "mbarrier_invalidate", site);
  if (barrier->gate.anybody())
    misuse(*barrier, "mbarrier_invalidate of " + name_of(*barrier) + " while threads wait for it", "let them go first",
           site);
  if (check::on()) check::write(bar, 8, site);
  barrier->live = false;
  barrier->invalidated = site;
  *bar = ~std::uint64_t{0};
}

std::uint64_t mbarrier_arrive(std::uint64_t* bar, std::uint32_t count, Site site) {
  return arrive(bar, count, 0, 0, true, "mbarrier_arrive", site);
}

std::uint64_t mbarrier_arrive_drop(std::uint64_t* bar, std::uint32_t count, Site site) {
  return arrive(bar, count, count, 0, true, "mbarrier.arrive_drop", site);
}

std::uint64_t mbarrier_arrive_no_complete(std::uint64_t* bar, std::uint32_t count, Site site) {
  return arrive(bar, count, 0, 0, false, "mbarrier.arrive.noComplete", site);
}

std::uint64_t mbarrier_arrive_expect_tx(std::uint64_t* bar, std::uint32_t bytes, Site site) {
  return arrive(bar, 1, 0, bytes, true, "mbarrier_arrive_expect_tx", site);
}

std::uint32_t mbarrier_pending_count(std::uint64_t state) { return static_cast<std::uint32_t>(state & 0xFFFFF); }

void mbarrier_expect_tx(std::uint64_t* bar, std::uint32_t bytes, Site site) {
  expect(bar, bytes, "mbarrier_expect_tx", site);
}

void mbarrier_complete_tx(std::uint64_t* bar, std::uint32_t bytes, Site site) {
  caller(site);
  const MbarrierRef barrier = mbarrier_at(bar, "mbarrier.complete_tx", site);
  touched(*barrier, site);
  deliver(*barrier, bytes, nullptr, "mbarrier.complete_tx", site);
}

void mbarrier_arrive_remote(std::uint64_t* bar, unsigned rank, std::uint32_t count, Site site) {
  caller(site);
  arrive(static_cast<std::uint64_t*>(shared_peer(bar, rank, site)), count, 0, 0, true, "mbarrier_arrive_remote", site);
}

void mbarrier_expect_tx_remote(std::uint64_t* bar, unsigned rank, std::uint32_t bytes, Site site) {
  caller(site);
  expect(static_cast<std::uint64_t*>(shared_peer(bar, rank, site)), bytes, "mbarrier_expect_tx_remote", site);
}

void mbarrier_arrive_expect_tx_remote(std::uint64_t* bar, unsigned rank, std::uint32_t bytes, Site site) {
  caller(site);
  arrive(static_cast<std::uint64_t*>(shared_peer(bar, rank, site)), 1, 0, bytes, true,
         "mbarrier_arrive_expect_tx_remote", site);
}

bool mbarrier_test_wait(std::uint64_t* bar, std::uint32_t parity, Site site) { return test(bar, parity, site); }
bool mbarrier_try_wait(std::uint64_t* bar, std::uint32_t parity, Site site) { return wait(bar, parity, site); }
bool mbarrier_test_wait_state(std::uint64_t* bar, std::uint64_t state, Site site) {
  return test(bar, state >> 61 & 1, site);
}
bool mbarrier_try_wait_state(std::uint64_t* bar, std::uint64_t state, Site site) {
  return wait(bar, state >> 61 & 1, site);
}

}  // namespace spak::sim
