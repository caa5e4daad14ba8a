// Who waits where, when nobody can go on. Knows nothing of how it came to that.
#include <algorithm>
#include <cstdio>
#include <map>
#include <tuple>

#include "collective.h"
#include "unit.h"

namespace spak::sim {

namespace {

std::string hex(std::uint32_t mask) {
  char digits[11];
  std::snprintf(digits, sizeof digits, "0x%08x", mask);
  return digits;
}

// "0-31, 40": runs of thread indices; shortened, because a report of 500 runs helps nobody.
std::string runs(const std::vector<unsigned>& members) {
  std::string out;
  unsigned shown = 0;
  for (std::size_t i = 0; i < members.size();) {
    std::size_t j = i;
    while (j + 1 < members.size() && members[j + 1] == members[j] + 1) ++j;
    if (++shown > 8) return out + ", ... (" + std::to_string(members.size()) + " in all)";
    out += (i ? ", " : "") + std::to_string(members[i]) + (j > i ? "-" + std::to_string(members[j]) : "");
    i = j + 1;
  }
  return out;
}

std::string triple(Dim at) {
  return "(" + std::to_string(at.x) + "," + std::to_string(at.y) + "," + std::to_string(at.z) + ")";
}

// How a thread stands, and for what it waits.
Party how_it_stands(const Thread& thread) {
  switch (thread.standing()) {
    case State::exited:
      return {thread.site.file ? "exited, last seen at" : "exited", {thread.site, nullptr}, "", ""};
    case State::barrier:
      return {std::string("wait at ") + name_of(thread.kind()), {thread.site, nullptr}, "", ""};
    case State::collective:
      return {"wait at " + std::string(thread.what),
              {thread.site, nullptr},
              "",
              thread.mask ? "with mask " + hex(thread.mask) : ""};
    case State::gate:
      return {"wait at " + std::string(thread.what),
              {thread.site, nullptr},
              "",
              thread.describe ? "(" + thread.describe(thread.object, thread) + ")" : ""};
    case State::ready:
      return {"are running", {}, "", ""};
    default:
      return {"have not started", {}, "", ""};
  }
}

struct Tally {
  unsigned barrier = 0, collective = 0, gate = 0;
  bool partner_elsewhere = false;  // a lane that others wait for waits for something else itself
  const Thread* group = nullptr;   // one that waits for its warpgroup
  const Thread* lane = nullptr;    // one that waits for lanes of its warp
  const Block* block = nullptr;    // the first with somebody who waits
};

// Whether somebody whom `thread` waits for in a collective waits at a gate (or, a lane, at a barrier): then that is the cause.
bool partner_waits(const Block& block, const Thread& thread) {
  const unsigned span = thread.mask ? kWarp : 4 * kWarp, first = thread.index / span * span;
  for (unsigned i = first; i < first + span && i < block.size(); ++i) {
    if (thread.mask && !(thread.mask >> (i - first) & 1)) continue;
    const State state = block.thread(i).standing();
    if (state == State::gate || (thread.mask && state == State::barrier)) return true;
  }
  return false;
}

Tally tally(Unit& unit) {
  Tally out;
  for (unsigned b = 0; b < unit.blocks(); ++b) {
    const Block& block = unit.block(b);
    for (unsigned i = 0; i < block.size(); ++i) {
      const Thread& thread = block.thread(i);
      const State state = thread.standing();
      if (state != State::barrier && state != State::gate && state != State::collective) continue;
      if (!out.block) out.block = &block;
      out.barrier += state == State::barrier;
      out.gate += state == State::gate;
      if (state != State::collective) continue;
      ++out.collective;
      out.partner_elsewhere |= partner_waits(block, thread);
      const Thread*& first = thread.mask ? out.lane : out.group;
      if (!first) first = &thread;
    }
  }
  return out;
}

// Those who wait go first: the finding is placed where the first of them is.
std::vector<Party> sorted(std::vector<Party> parties) {
  std::vector<Party> out, rest;
  for (Party& party : parties) (party.role.starts_with("wait") ? out : rest).push_back(std::move(party));
  for (Party& party : rest) out.push_back(std::move(party));
  return out;
}

Finding divergent_barrier(const Block& block, unsigned at_barrier) {
  return {"divergent-barrier",
          "divergent barrier: " + std::to_string(block.size()) + " threads must reach the same barrier" +
              (at_barrier == block.size() ? ", but they wait at different ones"
                                          : ", but only " + std::to_string(at_barrier) + " do"),
          "move the barrier out of the branch, or let every thread of the block take it", sorted(block.standings())};
}

}  // namespace

std::string Block::name() const { return "block " + triple(block); }

std::string name_of(const Thread& thread) { return thread.owner().name() + ", thread " + triple(thread.thread); }

std::vector<Party> Block::standings() const {
  using Key = std::tuple<std::string, std::string, std::string>;
  std::map<Key, std::vector<unsigned>> groups;
  std::map<unsigned, Party> lines;
  std::vector<Party> kinds;
  for (unsigned i = 0; i < size_; ++i) {
    const Party party = how_it_stands(threads_[i]);
    std::vector<unsigned>& members = groups[{party.role, party.what, text(party.place.site)}];
    if (members.empty()) lines[i] = party;
    members.push_back(i);
  }
  std::vector<Party> out;
  for (auto& [first, party] : lines) {
    const std::vector<unsigned>& members = groups[{party.role, party.what, text(party.place.site)}];
    party.threads = name() + ", thread" + (members.size() > 1 ? "s " : " ") + runs(members);
    out.push_back(party);
  }
  return out;
}

void Block::mismatch() const { stop(divergent_barrier(*this, size_)); }

void Unit::stuck() {
  const Tally all = tally(*this);
  const char* const kernel = job_->config.name;
  if (all.block && !all.collective && !all.gate) {
    unsigned waiting = 0;
    for (unsigned i = 0; i < all.block->size(); ++i) waiting += all.block->thread(i).standing() == State::barrier;
    throw Stop(kernel, divergent_barrier(*all.block, waiting));
  }
  std::vector<Party> parties;
  for (const Block* block : order_of_blocks_)
    for (Party& party : block->standings())
      if (parties.size() < 32 && (!all.block || !block->gone() || order_of_blocks_.size() <= 16))
        parties.push_back(std::move(party));
  parties = sorted(std::move(parties));
  // The cause comes before its consequences: lanes that nobody joins keep the others at their barrier.
  if (all.collective && !all.partner_elsewhere) {
    const Thread& witness = all.lane ? *all.lane : *all.group;
    std::stable_partition(parties.begin(), parties.end(), [&](const Party& party) {
      return party.role == "wait at " + std::string(witness.what) && party.threads.starts_with(witness.owner().name());
    });
    if (all.lane)
      throw Stop(kernel,
                 {"divergent-warp", "divergent warp operation: the lanes that the mask names never come together",
                  "call it from all lanes of the mask, with the same mask and the same operation", std::move(parties)});
    throw Stop(kernel, {"bad-warpgroup",
                        "divergent warpgroup: " + std::string(witness.what) +
                            " is an operation of 4 warps from a multiple of 4, which never come together",
                        "call it from all 128 threads of the warpgroup, and from no others", std::move(parties)});
  }
  if (!all.gate)
    throw Stop(kernel, {"deadlock", "deadlock: some threads wait for a barrier, others for lanes of their warp",
                        "let all threads of the block take the same synchronising calls in the same order",
                        std::move(parties)});
  throw Stop(kernel, {"deadlock", "deadlock: nobody is left who could end these waits",
                      "find the arrival, the transaction or the phase that each of them misses", std::move(parties)});
}

void fail(const char* rule, const char* what, Site site) {
  const bool inside = running && current;
  stop({rule, what, "", {{"calls", {site, nullptr}, inside ? name_of(self()) : "", ""}}});
}

}  // namespace spak::sim
