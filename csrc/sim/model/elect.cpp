// elect.sync: all lanes of the mask meet, one of them is chosen. Knows nothing of what it does then.
#include "spak/sim/model/elect.h"

#include <bit>

#include "engine/random.h"
#include "model/caller.h"

namespace spak::sim {

namespace {

struct Vote {
  std::uint32_t mask, leader;
};

// The same for the same mask, as PTX promises; which lane it is depends on the schedule, as PTX does not promise that.
std::uint32_t choose(std::uint32_t lanes) {
  const Settings& settings = running->job().settings;
  if (settings.order == Order::forward) return static_cast<std::uint32_t>(std::countr_zero(lanes));
  if (settings.order == Order::reverse) return static_cast<std::uint32_t>(31 - std::countl_zero(lanes));
  std::uint64_t skip = Random(settings.seed * 64 + lanes).below(static_cast<std::uint64_t>(std::popcount(lanes)));
  for (; skip; --skip) lanes &= lanes - 1;
  return static_cast<std::uint32_t>(std::countr_zero(lanes));
}

}  // namespace

bool elect(std::uint32_t mask, std::uint32_t* leader, Site site) {
  const Thread& thread = caller(site);
  Vote vote{mask, 0};
  together_warp(
      "elect.sync", mask, &vote,
      [](void* const* arguments, std::uint32_t arrived) {
        const std::uint32_t chosen = choose(arrived);
        for (unsigned lane = 0; lane < kWarp; ++lane)
          if (arrived >> lane & 1) static_cast<Vote*>(arguments[lane])->leader = chosen;
      },
      site);
  if (leader) *leader = vote.leader;
  return thread.lane == vote.leader;
}

bool elect(std::uint32_t mask, Site site) { return elect(mask, nullptr, site); }

}  // namespace spak::sim
