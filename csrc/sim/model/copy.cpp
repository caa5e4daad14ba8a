// Completion of asynchronous copies: mbarriers, bulk groups, and blocks that exit too early. Knows nothing of what is copied.
#include "model/copy.h"

#include <algorithm>

#include "model/caller.h"
#include "model/leave.h"
#include "profile/profile.h"
#include "spak/sim/model/bulk.h"

namespace spak::sim {

namespace {

using Stores = std::vector<std::shared_ptr<Store>>;

// A thread's own.
struct BulkGroups {
  Stores open;
  std::deque<Stores> groups;  // committed and not waited for, oldest first
};

// A block's: loads into its shared memory that may not be complete.
struct Inbound {
  std::vector<std::shared_ptr<Load>> loads;
};

// A block's: loads that read its shared memory and may not be complete.
struct Outbound {
  std::vector<std::shared_ptr<Load>> loads;
};

void keep(std::vector<std::shared_ptr<Load>>& loads, const std::shared_ptr<Load>& load) {
  if (loads.size() >= 64) std::erase_if(loads, [](const std::shared_ptr<Load>& one) { return one->done; });
  loads.push_back(load);
}

void release_sources(const Stores& stores) {
  for (const std::shared_ptr<Store>& store : stores) {
    store->take();
    store->awaited = true;
    if (store->flight) check::sources_free(store->flight);
  }
}

void complete(const Stores& stores) {
  for (const std::shared_ptr<Store>& store : stores) {
    finish(store);
    store->awaited = true;
    if (store->flight) check::land(store->flight);
  }
}

void left_behind(const Stores& stores, const Block& block) {
  for (const std::shared_ptr<Store>& store : stores) {
    if (store->awaited) continue;
    report({"missing-wait",
            block.name() + " has exited without a wait for its " + store->what +
                ", which may still be reading the block's shared memory",
            "call bulk_commit() and bulk_wait_read<0>() (or bulk_wait<0>()) in the thread that issued it, before the "
            "block exits",
            {{"issued (" + std::string(store->what) + ")", {store->site, nullptr}, name_of(*store->thread), ""}}});
  }
}

void still_read(const Load& load, const Block& block) {
  report({"exited-peer",
          block.name() + " has exited while its " + load.what + " is still reading its shared memory",
          "let no block exit before its peer has waited for the copy: end the kernel with cluster_sync()",
          {{"issued (" + std::string(load.what) + ")", {load.site, nullptr}, name_of(*load.thread), ""}}});
}

}  // namespace

void Load::perform() {
  move();
  if (profile::on() && from) profile::loading(-static_cast<std::int64_t>(bytes));
  deliver(*barrier, bytes, flight, what, site);
}

void Store::perform() {
  move(is_taken ? taken.data() : shared);
  taken = {};
}

void Store::take() {
  if (done || is_taken) return;
  taken.assign(shared, shared + bytes);
  is_taken = true;
}

void issue_load(std::shared_ptr<Load> load, Site site) {
  Thread& thread = self();
  load->site = site;
  load->thread = &thread;
  load->from = &thread.owner();
  keep(load->into->states().get<Inbound>().loads, load);
  if (load->out_of_shared) keep(thread.owner().states().get<Outbound>().loads, load);
  running->on_leave = model_leave;
  issue(std::move(load));
}

void issue_store(std::shared_ptr<Store> store, Site site) {
  Thread& thread = self();
  store->site = site;
  store->thread = &thread;
  thread.states.get<BulkGroups>().open.push_back(store);
  running->on_leave = model_leave;
  if (profile::on()) {
    profile::event(profile::Event::bulk_copies);
    profile::event(profile::Event::async_bytes_out, store->bytes);
  }
  issue(std::move(store));
}

std::vector<Block*> destinations(std::uint16_t mask, const char* what, Site site) {
  Cluster& cluster = running->cluster_of(self().owner());
  std::vector<Block*> blocks;
  for (unsigned rank = 0; rank < 16; ++rank) {
    if (!(mask >> rank & 1)) continue;
    if (rank >= cluster.count)
      stop(finding("bad-argument",
                   std::string("the mask of ") + what + " names the block of rank " + std::to_string(rank) +
                       " in a cluster of " + std::to_string(cluster.count),
                   "set bits below cluster_size() only", "calls", site));
    if (cluster.blocks[rank]->gone())
      stop(finding("exited-peer", std::string(what) + " to " + cluster.blocks[rank]->name() + ", which has exited",
                   "let no block exit while others write to its shared memory: end the kernel with cluster_sync()",
                   "calls", site));
    blocks.push_back(cluster.blocks[rank]);
  }
  if (blocks.empty())
    stop(finding("bad-argument", std::string("the mask of ") + what + " names no block",
                 "set the bits of the ranks that shall receive it", "calls", site));
  return blocks;
}

void count_copy(profile::Event event, std::uint32_t bytes) {
  if (!profile::on()) return;
  profile::event(profile::Event::bulk_copies);
  profile::event(event, bytes);
  profile::loading(bytes);
}

void* in_block(const Block& peer, const void* own) {
  return peer.window().base() + (static_cast<const char*>(own) - self().owner().window().base());
}

void bulk_commit(Site site) {
  auto& mine = caller(site).states.get<BulkGroups>();
  mine.groups.push_back(std::move(mine.open));
  mine.open.clear();
}

void bulk_wait(int pending, Site site) {
  auto& mine = caller(site).states.get<BulkGroups>();
  while (mine.groups.size() > static_cast<std::size_t>(pending)) {
    const Stores oldest = std::move(mine.groups.front());
    mine.groups.pop_front();
    complete(oldest);
  }
}

void bulk_wait_read(int pending, Site site) {
  auto& mine = caller(site).states.get<BulkGroups>();
  for (std::size_t i = 0; i + static_cast<std::size_t>(pending) < mine.groups.size(); ++i)
    release_sources(mine.groups[i]);
}

void leave_copies(Block& block) {
  for (unsigned i = 0; i < block.size(); ++i) {
    const auto* mine = block.thread(i).states.find<BulkGroups>();
    if (!mine) continue;
    for (const Stores& group : mine->groups) left_behind(group, block);
    left_behind(mine->open, block);
  }
  if (const auto* outbound = block.states().find<Outbound>())
    for (const std::shared_ptr<Load>& load : outbound->loads)
      if (!load->done) still_read(*load, block);
  const auto* inbound = block.states().find<Inbound>();
  if (!inbound) return;
  for (const std::shared_ptr<Load>& load : inbound->loads) {
    if (load->done) continue;
    const bool own = load->from == &block;
    report({own ? "missing-wait" : "exited-peer",
            block.name() + " has exited while a " + load->what + (own ? "" : " of " + load->from->name()) +
                " is still writing to its shared memory",
            own ? "wait for the phase of its mbarrier before the block exits"
                : "let no block exit while others write to its shared memory: end the kernel with cluster_sync()",
            {{"issued (" + std::string(load->what) + ")", {load->site, nullptr}, name_of(*load->thread), ""}}});
  }
}

}  // namespace spak::sim
