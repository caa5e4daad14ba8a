// The lanes of a warp that are together, found on the states of threads: as on a GPU that reconverges wherever it can. Knows
// nothing of operations of a warp.
#include <array>
#include <utility>

#include "engine/unit.h"

namespace spak::sim {

namespace {

// Lanes that came to one line and wait to know who is there too.
struct Crowd {
  Site site{nullptr, 0};
  std::uint32_t lanes = 0;
};
struct Crowds {
  struct Warp {
    std::array<Crowd, 4> open;                // the lines at which lanes of the warp wait
    std::uint32_t waiting = 0;                // all of them
    std::array<std::uint32_t, kWarp> told{};  // the answer of a lane whose crowd has been closed
  };
  std::array<Warp, kMaxThreads / kWarp> warps;
};

constexpr unsigned kPatience = 256;  // how often a lane looks while another polls for ever

// Whether a lane may still come: it runs, and is not here.
bool may_come(const Block& block, unsigned first, std::uint32_t waiting) {
  for (unsigned lane = 0; lane < kWarp && first + lane < block.size(); ++lane) {
    const State state = block.thread(first + lane).standing();
    if (!(waiting >> lane & 1) && (state == State::ready || state == State::unstarted)) return true;
  }
  return false;
}

}  // namespace

std::uint32_t active_mask(Site site) {
  Thread& thread = self();
  thread.site = site;
  Block& block = thread.owner();
  const unsigned first = thread.index - thread.lane;
  auto& warp = block.states().get<Crowds>().warps[thread.index / kWarp];
  Crowd* crowd = nullptr;
  for (Crowd& each : warp.open)
    if (each.lanes && each.site.file == site.file && each.site.line == site.line) crowd = &each;
  if (!crowd)
    for (Crowd& each : warp.open)
      if (!each.lanes) crowd = &each;
  if (!crowd) return 1u << thread.lane;  // more lines than any program has: a group of one is always right
  const std::uint32_t mine = 1u << thread.lane;
  crowd->site = site, crowd->lanes |= mine, warp.waiting |= mine, warp.told[thread.lane] = 0;
  for (unsigned looks = 0; !warp.told[thread.lane]; ++looks) {
    if (looks < kPatience && may_come(block, first, warp.waiting)) {
      yield();
      continue;
    }
    for (unsigned lane = 0; lane < kWarp; ++lane)
      if (crowd->lanes >> lane & 1) warp.told[lane] = crowd->lanes;
    warp.waiting &= ~crowd->lanes;
    crowd->lanes = 0;
  }
  return std::exchange(warp.told[thread.lane], 0);
}

}  // namespace spak::sim
