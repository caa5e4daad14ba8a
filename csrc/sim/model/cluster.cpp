// barrier.cluster and mapa. A phase of the barrier ends when all threads of the cluster that have not exited have arrived.
// Knows nothing of mbarriers.
#include "spak/sim/model/cluster.h"

#include <memory>

#include "check/check.h"
#include "model/caller.h"
#include "model/leave.h"
#include "spak/sim/model/shared.h"

namespace spak::sim {

namespace {

struct Phase {
  bool over = false;
  check::Order order;
  Gate gate;
};

struct ClusterBarrier {
  unsigned arrived = 0;  // threads that have, and have not exited since
  std::shared_ptr<Phase> phase = std::make_shared<Phase>();
};

// A thread's own: the phase it has arrived at and not yet waited for.
struct ClusterArrival {
  std::shared_ptr<Phase> phase;
  Site site{nullptr, 0};
};

unsigned living(const Cluster& cluster) {
  unsigned threads = 0;
  for (unsigned i = 0; i < cluster.count; ++i) threads += cluster.blocks[i]->size() - cluster.blocks[i]->exited();
  return threads;
}

void settle(Cluster& cluster, ClusterBarrier& barrier) {
  if (!barrier.arrived || barrier.arrived != living(cluster)) return;
  const std::shared_ptr<Phase> over = std::exchange(barrier.phase, std::make_shared<Phase>());
  barrier.arrived = 0;
  over->over = true;
  over->gate.open();
}

std::string describe_cluster(const void* object, const Thread& waiter) {
  const Cluster& cluster = running->cluster_of(waiter.owner());
  const auto& barrier = *static_cast<const ClusterBarrier*>(object);
  return "waits at the cluster's barrier: " + std::to_string(barrier.arrived) + " of " +
         std::to_string(living(cluster)) + " threads of the cluster have arrived";
}

}  // namespace

unsigned cluster_rank(Site site) { return caller(site).owner().rank(); }
Dim cluster_shape(Site site) {
  caller(site);
  const auto& blocks = running->job().config.cluster;
  return {static_cast<unsigned>(blocks[0]), static_cast<unsigned>(blocks[1]), static_cast<unsigned>(blocks[2])};
}
unsigned cluster_size(Site site) { return running->cluster_of(caller(site).owner()).count; }

void cluster_arrive(bool relaxed, Site site) {
  Thread& thread = caller(site);
  Cluster& cluster = running->cluster_of(thread.owner());
  auto& barrier = cluster.states.get<ClusterBarrier>();
  auto& mine = thread.states.get<ClusterArrival>();
  running->on_leave = model_leave;
  if (mine.phase) {
    Finding wrong = finding("barrier-count", "arrives at the cluster's barrier again without having waited for it",
                            "pair every cluster_arrive() with one cluster_wait() of the same thread", "arrives", site);
    wrong.parties.push_back({"arrived before", {mine.site, nullptr}, "", ""});
    stop(std::move(wrong));
  }
  mine = {barrier.phase, site};
  if (check::on()) relaxed ? barrier.phase->order.release_fenced() : barrier.phase->order.release();
  ++barrier.arrived;
  settle(cluster, barrier);
}

void cluster_wait(Site site) {
  Thread& thread = caller(site);
  auto& mine = thread.states.get<ClusterArrival>();
  if (!mine.phase)
    stop(finding("barrier-count", "waits at the cluster's barrier without having arrived",
                 "call cluster_arrive() first, or cluster_sync()", "waits", site));
  const std::shared_ptr<Phase> phase = std::move(mine.phase);
  mine.phase.reset();
  const auto& barrier = running->cluster_of(thread.owner()).states.get<ClusterBarrier>();
  if (!phase->over) phase->gate.wait("cluster_wait", site, describe_cluster, &barrier);
  if (check::on()) phase->order.acquire();
}

void* cluster_map(const void* shared, unsigned rank, Site site) {
  caller(site);
  return shared_peer(shared, rank, site);
}

void leave_cluster(Thread& thread) {
  Cluster& cluster = running->cluster_of(thread.owner());
  auto* barrier = cluster.states.find<ClusterBarrier>();
  if (!barrier) return;
  auto* mine = thread.states.find<ClusterArrival>();
  if (mine && mine->phase == barrier->phase) --barrier->arrived;
  settle(cluster, *barrier);
}

}  // namespace spak::sim
