// Shared addresses, gates, collectives and asynchronous operations for the models, handed to the unit that this OS
// thread runs. Knows nothing of any instruction.
#include "operation.h"

#include <utility>

#include "unit.h"

namespace spak::sim {

namespace {

constexpr unsigned kRankShift = 24;

std::string hex(const void* address) {
  char digits[24];
  std::snprintf(digits, sizeof digits, "%p", address);
  return digits;
}

[[noreturn]] void refuse(const char* rule, std::string sentence, std::string hint, Site site) {
  stop({rule, std::move(sentence), std::move(hint), {{"calls", {site, nullptr}, name_of(self()), ""}}});
}

Block& peer(unsigned rank, Site site) {
  Cluster& cluster = running->cluster_of(self().owner());
  if (rank >= cluster.count)
    refuse("bad-argument",
           "block rank " + std::to_string(rank) + " is not in the cluster, which has " + std::to_string(cluster.count) +
               (cluster.count == 1 ? " block" : " blocks"),
           "use a rank below cluster_size()", site);
  Block& block = *cluster.blocks[rank];
  if (block.gone())
    refuse("exited-peer",
           "shared memory of " + block.name() + ", rank " + std::to_string(rank) + " of the cluster, which has exited",
           "let no block exit while others use its shared memory: end the kernel with a cluster barrier", site);
  return block;
}

}  // namespace

SharedPlace shared_place(const void* generic) {
  const Block& own = self().owner();
  const auto offset = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(generic) & (kWindow - 1));
  if (own.window().holds(generic)) return {static_cast<int>(own.rank()), offset};
  const Cluster& cluster = running->cluster_of(own);
  for (unsigned rank = 0; rank < cluster.count; ++rank)
    if (cluster.blocks[rank]->window().holds(generic)) return {static_cast<int>(rank), offset};
  return {-1, 0};
}

void* shared_pointer(std::uint32_t address, std::size_t size, Site site) {
  const unsigned tag = address >> kRankShift;
  Block& block = tag && tag - 1 != self().owner().rank() ? peer(tag - 1, site) : self().owner();
  const std::uint32_t offset = address & ((1u << kRankShift) - 1);
  if (offset >= kWindow || size > kWindow - offset) {
    char digits[16];
    std::snprintf(digits, sizeof digits, "0x%x", address);
    refuse("invalid-address",
           std::to_string(size) + " bytes at shared address " + digits + " are outside the block's shared memory",
           "shared addresses have 18 bits: take them from shared_address() of a __shared__ variable", site);
  }
  return block.window().base() + offset;
}

std::uint32_t shared_address(const void* generic, Site site) {
  const SharedPlace place = shared_place(generic);
  if (place.rank < 0)
    refuse("invalid-address", "the pointer " + hex(generic) + " is not one into shared memory",
           "pass the address of a __shared__ variable of this block (or of a peer in its cluster)", site);
  const bool own = static_cast<unsigned>(place.rank) == self().owner().rank();
  return place.offset | (own ? 0u : static_cast<std::uint32_t>(place.rank + 1) << kRankShift);
}

void* shared_peer(const void* generic, unsigned rank, Site site) {
  const SharedPlace place = shared_place(generic);
  if (place.rank < 0)
    refuse("invalid-address", "the pointer " + hex(generic) + " is not one into shared memory",
           "pass the address of a __shared__ variable of this block", site);
  return peer(rank, site).window().base() + place.offset;
}

void Gate::wait(const char* what, Site site, std::string (*describe)(const void*, const Thread&), const void* object) {
  Thread& mine = self();
  mine.site = site;
  mine.what = what;
  mine.describe = describe;
  mine.object = object;
  mine.state = State::gate;
  mine.next = nullptr;
  (last_ ? last_->next : first_) = &mine;
  last_ = &mine;
  running->suspend();
}

void Gate::open() {
  Thread* thread = std::exchange(first_, nullptr);
  last_ = nullptr;
  if (running->job().settings.order == Order::reverse) {
    Thread* turned = nullptr;
    while (thread) {
      Thread* const next = std::exchange(thread->next, turned);
      turned = std::exchange(thread, next);
    }
    thread = turned;
  }
  while (thread) {
    Thread* const next = thread->next;  // read first: a thread that is woken may wait again
    running->wake(*thread);
    thread = next;
  }
}

void together_warp(const char* name, std::uint32_t mask, void* argument, void (*body)(void* const*, std::uint32_t),
                   Site site) {
  self().owner().together(name, mask, argument, body, site);
}

void together_warpgroup(const char* name, void* argument, void (*body)(void* const*), Site site) {
  self().owner().together_group(name, argument, body, site);
}

void issue(OperationRef operation) { running->issue(std::move(operation)); }

void finish(const OperationRef& operation) {
  if (std::exchange(operation->done, true)) return;
  operation->perform();
}

States& thread_states() { return self().states; }
States& block_states() { return self().owner().states(); }
States& cluster_states() { return running->cluster_of(self().owner()).states; }
States& unit_states() { return running->states(); }

Where whereabouts() {
  const Thread& mine = self();
  const Block& block = mine.owner();
  return {mine.index, block.size(), block.rank(), running->cluster_of(block).count};
}

}  // namespace spak::sim
