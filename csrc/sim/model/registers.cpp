// setmaxnreg: who holds how many of the registers that a block was launched with. It never waits here; whether the sum can ever
// be had is decided when all warpgroups have asked, or the block exits. Knows nothing of what registers hold.
#include "spak/sim/model/registers.h"

#include <algorithm>
#include <array>

#include "model/caller.h"
#include "model/leave.h"

namespace spak::sim {

namespace {

constexpr int kFile = 65536;
constexpr unsigned kGroup = 128;

struct Registers {
  std::array<int, kMaxThreads / kGroup> count{};  // per thread, as last asked for; 0: as launched
  std::array<Site, kMaxThreads / kGroup> site{};
  std::array<bool, kMaxThreads / kGroup> increased{};
  bool reported = false;
};

struct Request {
  int count;
  bool increase;
  Site site;
};

// What a block is launched with for each thread when it has the multiprocessor for itself; a thread can use at most 255 of them.
int allocated(const Block& block) {
  return std::min(kFile / static_cast<int>((block.size() + kGroup - 1) / kGroup * kGroup) / 8 * 8, 256);
}
int launched(const Block& block) { return std::min(allocated(block), 248); }

void weigh(const Block& block, Registers& all, bool at_exit) {
  if (all.reported) return;
  const unsigned groups = (block.size() + kGroup - 1) / kGroup;
  int sum = 0;
  bool asked = true, increased = false;
  Finding wrong{
      "register-budget",
      "",
      "lower what the warpgroups ask for: registers times threads, summed over the block, is at most what the "
      "block was launched with",
      {}};
  for (unsigned group = 0; group < groups; ++group) {
    const int count = all.count[group] ? all.count[group] : launched(block);
    asked = asked && all.count[group];
    increased = increased || all.increased[group];
    const int threads = static_cast<int>(std::min(kGroup, block.size() - group * kGroup));
    sum += count * threads;
    const std::string who = block.name() + ", threads " + std::to_string(group * kGroup) + "-" +
                            std::to_string(group * kGroup + kGroup - 1);
    if (all.count[group])
      wrong.parties.push_back(
          {"holds " + std::to_string(count) + " registers a thread", {all.site[group], nullptr}, who, ""});
  }
  const int pool = allocated(block) * static_cast<int>(block.size());
  if (sum <= pool || !increased || (!asked && !at_exit)) return;
  all.reported = true;
  wrong.sentence = "the warpgroups of the block ask for " + std::to_string(sum) +
                   " registers in all; the block was launched with " + std::to_string(pool) + " (" +
                   std::to_string(allocated(block)) + " a thread), so the last increase would wait for ever";
  report(std::move(wrong));
}

void set(void* const* arguments) {
  const Thread& thread = self();
  const Block& block = thread.owner();
  const Request& request = *static_cast<const Request*>(arguments[0]);
  for (unsigned i = 1; i < kGroup; ++i)
    if (static_cast<const Request*>(arguments[i])->count != request.count ||
        static_cast<const Request*>(arguments[i])->increase != request.increase)
      stop(finding("register-budget", "warps of one warpgroup ask for different numbers of registers",
                   "let all four warps of a warpgroup execute the same setmaxnreg", "calls",
                   static_cast<const Request*>(arguments[i])->site));
  auto& all = block_state<Registers>();
  const unsigned group = thread.index / kGroup;
  const int before = all.count[group] ? all.count[group] : launched(block);
  if (request.increase ? request.count < before && all.count[group] : request.count > before)
    stop(finding(
        "register-budget",
        std::string(request.increase ? "registers_increase" : "registers_decrease") + " to " +
            std::to_string(request.count) + " registers a thread, from " + std::to_string(before),
        request.increase ? "use registers_decrease to give registers back" : "use registers_increase to ask for more",
        "calls", request.site));
  all.count[group] = request.count;
  all.site[group] = request.site;
  all.increased[group] = request.increase;
  running->on_leave = model_leave;
  weigh(block, all, false);
}

}  // namespace

void set_registers(int count, bool increase, Site site) {
  caller(site);
  if (count < 24 || count > 256 || count % 8)
    stop(finding("register-budget", "setmaxnreg with " + std::to_string(count) + " registers",
                 "the number is a multiple of 8 from 24 to 256", "calls", site));
  Request request{count, increase, site};
  together_warpgroup("setmaxnreg", &request, set, site);
}

void leave_registers(Block& block) {
  if (auto* all = block.states().find<Registers>()) weigh(block, *all, true);
}

}  // namespace spak::sim
