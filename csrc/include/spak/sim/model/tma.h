// cp.async.bulk.tensor and cp.reduce.async.bulk.tensor in tile mode. Knows nothing of cuda.h: a map is 128 bytes.
#pragma once
#include <spak/sim/engine.h>
#include <spak/sim/model/bulk.h>

#include <cstdint>

#pragma GCC visibility push(hidden)
namespace spak::sim {

// `rank` coordinates, innermost first; it must be the map's rank.
void tma_load(void* shared, const void* map, std::uint64_t* bar, int rank, const int* coordinates, Site site);
void tma_load_multicast(void* shared, const void* map, std::uint64_t* bar, std::uint16_t mask, int rank,
                        const int* coordinates, Site site);
void tma_store(const void* map, const void* shared, int rank, const int* coordinates, Site site);
void tma_reduce(Reduction reduction, const void* map, const void* shared, int rank, const int* coordinates, Site site);
void tma_prefetch(const void* map, Site site);

}  // namespace spak::sim
#pragma GCC visibility pop
