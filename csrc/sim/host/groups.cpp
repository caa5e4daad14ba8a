// What cooperative groups ask of the engine. Knows nothing of groups.
#include "spak/sim/host/groups.h"

#include <array>
#include <cstring>
#include <vector>

#include "engine/operation.h"
#include "engine/unit.h"
#include "model/caller.h"
#include "spak/sim/model/barrier.h"

namespace spak::sim::host {

namespace {

// What each thread of a block gives the others of its tile.
struct Given {
  std::vector<std::array<char, 32>> of;
};

std::array<char, 32>* given() {
  auto& all = block_state<Given>();
  all.of.resize(self().owner().size());
  return all.of.data();
}

}  // namespace

void tile_shuffle(unsigned threads, void* value, std::size_t bytes, unsigned rank, Site site) {
  auto* const all = given();
  const unsigned mine = caller(site).index;
  std::memcpy(all[mine].data(), value, bytes);
  tile_sync(threads, site);
  std::memcpy(value, all[mine / threads * threads + rank % threads].data(), bytes);
  tile_sync(threads, site);
}

unsigned tile_count(unsigned threads, bool predicate, Site site) {
  auto* const all = given();
  const unsigned mine = caller(site).index, first = mine / threads * threads;
  all[mine][0] = predicate;
  tile_sync(threads, site);
  unsigned count = 0;
  for (unsigned i = first; i < first + threads; ++i) count += all[i][0] != 0;
  tile_sync(threads, site);
  return count;
}

int shared_rank(const void* address) { return shared_place(address).rank; }
bool in_shared(const void* address) { return shared_rank(address) >= 0; }

}  // namespace spak::sim::host
