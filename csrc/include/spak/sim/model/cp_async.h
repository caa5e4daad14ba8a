// cp.async, which is not a bulk copy: 4, 8 or 16 bytes of one thread. Knows nothing of bulk copies.
#pragma once
#include <spak/sim/engine.h>

#include <cstdint>

#pragma GCC visibility push(hidden)
namespace spak::sim {

void cp_async(void* shared, const void* global, int bytes, int source_bytes, Site site);
void cp_async_commit(Site site);
void cp_async_wait(int pending, Site site);
void cp_async_wait_all(Site site);
void cp_async_mbarrier_arrive(std::uint64_t* bar, Site site);
void cp_async_mbarrier_arrive_noinc(std::uint64_t* bar, Site site);

}  // namespace spak::sim
#pragma GCC visibility pop
