// What a fault says: who waits where, in sentences. Knows nothing of how it came to that.
#include <map>
#include <tuple>

#include "block.h"
#include "collective.h"

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

// How a thread stands, and for which lanes it waits.
std::string standing(const Thread& thread, Barrier kind) {
  switch (thread.state) {
    case State::exited: return "exited" + (thread.site.file ? ", last seen at " + text(thread.site) : std::string());
    case State::barrier: return std::string(thread.site.file ? "wait at " : "wait at ") + name_of(kind) + ", " + text(thread.site);
    case State::collective: return std::string("wait at ") + name_of(thread.op) + " with mask " + hex(thread.mask) + ", " + text(thread.site);
    case State::ready: return "are running";
    default: return "have not started";
  }
}

}  // namespace

std::string Block::where(const Thread& thread) const {
  return "kernel `" + std::string(job_->config.name) + "`, block " + triple(block) + ", thread " + triple(thread.thread);
}

// One line for each place where threads are, in the order of their first thread.
std::string Block::who_waits_where() const {
  std::map<std::string, std::vector<unsigned>> groups;
  for (unsigned i = 0; i < size_; ++i) groups[standing(threads_[i], barrier_kind_)].push_back(i);
  std::map<unsigned, std::string> lines;
  for (const auto& [what, members] : groups)
    lines[members.front()] = "\n    thread" + std::string(members.size() > 1 ? "s " : " ") + runs(members) + ": " + what;
  std::string out;
  for (const auto& [first, line] : lines) out += line;
  return out;
}

Fault Block::stuck() const {
  unsigned at_barrier = 0, in_warp = 0;
  const Thread* witness = nullptr;
  for (unsigned i = 0; i < size_; ++i) {
    at_barrier += threads_[i].state == State::barrier;
    in_warp += threads_[i].state == State::collective;
    if (!witness && (threads_[i].state == State::barrier || threads_[i].state == State::collective)) witness = &threads_[i];
  }
  const std::string start = "kernel `" + std::string(job_->config.name) + "`, block " + triple(block) + ": " + text(witness->site) + ": ";
  if (!in_warp)
    return {"divergent-barrier",
            start + "divergent barrier: " + std::to_string(size_) + " threads must reach the same barrier" +
                (at_barrier == size_ ? ", but they wait at different ones" : ", but only " + std::to_string(at_barrier) + " do") + "." +
                who_waits_where() + "\n    hint: move the barrier out of the branch, or let every thread of the block take it"};
  if (!at_barrier)
    return {"divergent-warp", start + "divergent warp operation: the lanes that the mask names never come together." + who_waits_where() +
                                  "\n    hint: call it from all lanes of the mask, with the same mask and the same operation"};
  return {"deadlock", start + "deadlock: some threads wait for a barrier, others for lanes of their warp." + who_waits_where() +
                          "\n    hint: let all threads of the block take the same synchronising calls in the same order"};
}

void fail(const char* rule, const char* what, Site site) {
  throw Fault(rule, running->where(running->thread()) + ": " + (site.file ? text(site) + ": " : std::string()) + what);
}

}  // namespace spak::sim
