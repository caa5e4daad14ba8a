// mbarrier instructions on a 64-bit word of shared memory. Knows nothing of the copies whose bytes a phase counts.
//
// Every `bar` may point into another block of the cluster where PTX takes a shared::cluster address.
#pragma once
#include <spak/sim/engine.h>

#include <cstdint>

#pragma GCC visibility push(hidden)
namespace spak::sim {

void mbarrier_init(std::uint64_t* bar, std::uint32_t count, Site site);
void mbarrier_invalidate(std::uint64_t* bar, Site site);

// Each returns the state before it, as mbarrier.arrive does: the phase that a wait by state waits for.
std::uint64_t mbarrier_arrive(std::uint64_t* bar, std::uint32_t count, Site site);
std::uint64_t mbarrier_arrive_drop(std::uint64_t* bar, std::uint32_t count, Site site);
std::uint64_t mbarrier_arrive_no_complete(std::uint64_t* bar, std::uint32_t count, Site site);
std::uint64_t mbarrier_arrive_expect_tx(std::uint64_t* bar, std::uint32_t bytes, Site site);
std::uint32_t mbarrier_pending_count(std::uint64_t state);

void mbarrier_expect_tx(std::uint64_t* bar, std::uint32_t bytes, Site site);
void mbarrier_complete_tx(std::uint64_t* bar, std::uint32_t bytes, Site site);

void mbarrier_arrive_remote(std::uint64_t* bar, unsigned rank, std::uint32_t count, Site site);
void mbarrier_expect_tx_remote(std::uint64_t* bar, unsigned rank, std::uint32_t bytes, Site site);
void mbarrier_arrive_expect_tx_remote(std::uint64_t* bar, unsigned rank, std::uint32_t bytes, Site site);

bool mbarrier_test_wait(std::uint64_t* bar, std::uint32_t parity, Site site);
// Suspends until the phase is complete, so it never returns false: a deadlock is then exact.
bool mbarrier_try_wait(std::uint64_t* bar, std::uint32_t parity, Site site);
bool mbarrier_test_wait_state(std::uint64_t* bar, std::uint64_t state, Site site);
bool mbarrier_try_wait_state(std::uint64_t* bar, std::uint64_t state, Site site);

}  // namespace spak::sim
#pragma GCC visibility pop
