// Barriers of some warps of a block, which come as a whole: bar.sync and bar.arrive with a number of threads, and those of tiles.
// Knows nothing of mbarriers.
#include "spak/sim/model/barrier.h"

#include <array>
#include <memory>

#include "check/check.h"
#include "model/caller.h"

namespace spak::sim {

namespace {

// One use of a barrier, from the first arrival to the last.
struct Use {
  bool over = false;
  check::Order order;
  Gate gate;
};

// Those that have numbers; then one for each tile of 64, of 128 ... of 1024 threads that a block can have.
constexpr int kNumbered = 16, kTiles = 31;

struct Named {
  const char* what = "";         // waiting for it
  int threads = 0, arrived = 0;  // `threads` is that of the first to arrive
  Site first{nullptr, 0};
  std::string who;
  std::shared_ptr<Use> use = std::make_shared<Use>();
};

struct NamedBarriers {
  std::array<Named, kNumbered + kTiles> named;
  std::array<check::Order, kMaxThreads / kWarp> warps;  // what the lanes of a warp that is coming together have done
};

struct Arriving {
  int id, threads;
  bool waits;
  Site site;
  std::shared_ptr<Use> use;
};

std::string describe_named(const void* object, const Thread&) {
  const auto& barrier = *static_cast<const Named*>(object);
  return barrier.what +
         (": " + std::to_string(barrier.arrived) + " of " + std::to_string(barrier.threads) + " threads have arrived");
}

// In the last lane of the warp.
void arrive(void* const* arguments, std::uint32_t arrived) {
  const Thread& thread = self();
  auto& all = block_state<NamedBarriers>();
  Arriving* first = nullptr;
  for (unsigned lane = 0; lane < kWarp; ++lane) {
    if (!(arrived >> lane & 1)) continue;
    auto* one = static_cast<Arriving*>(arguments[lane]);
    if (!first) first = one;
    if (one->id != first->id || one->threads != first->threads || one->waits != first->waits)
      stop(finding("divergent-barrier", "lanes of one warp come to named barriers with different numbers or counts",
                   "let all lanes of a warp call it together, with the same arguments", "calls", one->site));
  }
  const Site site = first->site;
  Named& barrier = all.named[static_cast<std::size_t>(first->id)];
  const std::string name = "named barrier " + std::to_string(first->id);
  if (barrier.arrived && barrier.threads != first->threads) {
    Finding wrong =
        finding("barrier-count",
                name + " is for " + std::to_string(first->threads) + " threads here, and for " +
                    std::to_string(barrier.threads) + " where others have come to it",
                "name the same number of threads, those that arrive and those that wait together, in every call",
                "comes", site);
    wrong.parties.push_back({"came before", {barrier.first, nullptr}, barrier.who, ""});
    stop(std::move(wrong));
  }
  if (!barrier.arrived)
    barrier.what = first->id < kNumbered ? "waits at a named barrier" : "waits for its tile",
    barrier.threads = first->threads, barrier.first = site, barrier.who = name_of(thread);
  check::Order& warp = all.warps[thread.index / kWarp];
  if (check::on()) {
    barrier.use->order.join(warp);
    warp.clear();
  }
  for (unsigned lane = 0; lane < kWarp; ++lane)
    if (arrived >> lane & 1) static_cast<Arriving*>(arguments[lane])->use = barrier.use;
  barrier.arrived += static_cast<int>(kWarp);
  if (barrier.arrived < barrier.threads) return;
  const std::shared_ptr<Use> over = std::exchange(barrier.use, std::make_shared<Use>());
  barrier.arrived = 0;
  over->over = true;
  over->gate.open();
}

void come(int id, int threads, bool waits, const char* what, Site site) {
  auto& all = block_state<NamedBarriers>();
  if (check::on()) all.warps[self().index / kWarp].release();
  Arriving mine{id, threads, waits, site, nullptr};
  together_warp(what, 0xFFFFFFFFu, &mine, arrive, site);
  if (!waits) return;
  if (!mine.use->over) mine.use->gate.wait(what, site, describe_named, &all.named[static_cast<std::size_t>(id)]);
  if (check::on()) mine.use->order.acquire();
}

void come_to_numbered(int id, int threads, bool waits, Site site) {
  const Block& block = caller(site).owner();
  const auto whole = static_cast<int>((block.size() + kWarp - 1) / kWarp * kWarp);
  if (id < 0 || id > 15)
    stop(finding("bad-argument", "named barrier " + std::to_string(id) + ": a block has barriers 0 to 15",
                 "choose an id from 1 to 15", "calls", site));
  if (threads <= 0 || threads % static_cast<int>(kWarp))
    stop(finding(
        "bad-argument",
        "a named barrier for " + std::to_string(threads) + " threads: the number must be a positive multiple of 32",
        "count whole warps", "calls", site));
  if (threads > whole)
    stop(finding(
        "barrier-count",
        "a named barrier for " + std::to_string(threads) + " threads in a block of " + std::to_string(block.size()),
        "count the threads that come to it, those that only arrive included", "calls", site));
  if (id == 0 && block.waiting())
    stop(finding("barrier-count",
                 "comes to named barrier 0 while " + std::to_string(block.waiting()) +
                     " threads wait at __syncthreads(), which is the same barrier",
                 "use ids 1 to 15 for parts of a block", "comes", site));
  come(id, threads, waits, waits ? "named_sync" : "named_arrive", site);
}

}  // namespace

void named_sync(int id, int threads, Site site) { come_to_numbered(id, threads, true, site); }
void named_arrive(int id, int threads, Site site) { come_to_numbered(id, threads, false, site); }

void tile_sync(unsigned threads, Site site) {
  const unsigned before = 32 - 2 * kMaxThreads / threads;  // tiles that are smaller
  const int id = kNumbered + static_cast<int>(before + caller(site).index / threads);
  come(id, static_cast<int>(threads), true, "tile.sync", site);
}

}  // namespace spak::sim
