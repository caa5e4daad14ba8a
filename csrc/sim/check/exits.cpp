// Shared memory is there as long as its block is: whoever looks into the window of another block of the cluster must be ordered
// after that one's begin, and before its exit. Knows nothing of what is read.
#include "check/case.h"
#include "check/places.h"

namespace spak::sim::check {

namespace {

constexpr const char* kHint =
    "let all blocks of the cluster meet (cluster_sync) after the last access to each other's shared memory";

}  // namespace

bool judge_begun(const Case& c) {
  const ThreadState& thread = c.thread;
  if (thread.others && thread.others->find(c.row.block->number)) return true;
  if (seen_first("race-shared", c.mine, 0))
    describe("shared memory of another block of the cluster is accessed, but nothing says that that block has begun",
             "let the blocks of the cluster meet (cluster_sync) before the first access to each other's shared memory",
             side_of(c));
  return false;
}

void judge_visit(const Case& c) {
  BlockState& host = *c.row.block;
  if (host.exited < host.size) {
    host.visitors[c.mine & kAgentMask] = {c.mine, c.access.write};
    return;
  }
  if (seen_first("exited-peer", c.mine, 0))
    describe("the shared memory of a block of the cluster is accessed after that block has exited", kHint, side_of(c));
}

void judge_exit(ThreadState& thread, Site last_seen) {
  BlockState& block = *thread.block;
  ++block.exited;
  if (block.visitors.empty()) return;
  std::erase_if(block.visitors, [&](const auto& visitor) { return known(thread, visitor.second.last); });
  if (block.exited < block.size) return;
  const Slot mine = now.me | place_of(last_seen);
  for (const auto& [agent, visit] : block.visitors) {
    if (!seen_first("exited-peer", mine, visit.last)) continue;
    describe("a block exits although another block of the cluster may still access its shared memory", kHint,
             {"exits, last seen", ""},
             {verb(visit.write, how_of(visit.last)), "shared memory of the block that exits"});
  }
}

}  // namespace spak::sim::check
