// Shared memory as PTX addresses it, for the simulator. Knows nothing of what is kept there.
#pragma once
#include <spak/sim/engine.h>

#include <cstddef>
#include <cstdint>

#pragma GCC visibility push(hidden)
namespace spak::sim {

// cvta.to.shared. Ends the launch for a pointer that is not into shared memory of the cluster.
std::uint32_t shared_address(const void* generic, Site site);
// cvta.shared: the generic pointer of [address, address + size), own or cluster.
void* shared_pointer(std::uint32_t address, std::size_t size, Site site);
// mapa: the same variable in the block with that rank of the cluster.
void* shared_peer(const void* generic, unsigned rank, Site site);

}  // namespace spak::sim
#pragma GCC visibility pop
