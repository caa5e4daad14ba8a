// What inline PTX asks about addresses, and what it leaves for later statements. Knows nothing of instructions.
#include "engine/operation.h"
#include "model/caller.h"
#include "spak/sim/model/cluster.h"

#pragma GCC visibility push(hidden)
namespace spak::sim::ptx {

bool is_shared(const void* generic) { return shared_place(generic).rank >= 0; }

namespace {

struct Condition {
  bool carry = false;
};

}  // namespace

bool carry_left(Site at) { return caller(at).states.get<Condition>().carry; }

void leave_carry(bool carry, Site at) { caller(at).states.get<Condition>().carry = carry; }

unsigned rank_of(std::uint32_t address, Site at) {
  const unsigned stated = address >> 24 & 0x1F;
  return stated ? stated - 1 : cluster_rank(at);
}

}  // namespace spak::sim::ptx
#pragma GCC visibility pop
