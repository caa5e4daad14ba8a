// <spak/cuda/tma.h>: asynchronous copies of a box of a tensor of 1 to 5 dimensions, which one thread issues. Knows nothing
// of how tensor maps are made: the launcher makes them and passes `const __grid_constant__ CUtensorMap map` to the kernel.
//
// A map holds the tensor's address, sizes and strides, the box, a swizzle (see <spak/cuda/swizzle.h>) and what fills a box
// beyond the tensor (zeros, or NaN). Coordinates are those of the box's first element, innermost dimension first; they may be
// negative or too large: loads fill, stores leave out what is outside. A box lies in shared memory densely, innermost
// dimension first, then swizzled; it starts at a multiple of 128 bytes, or of the swizzle's pattern. A load always counts the
// bytes of the whole box at its mbarrier. Stores belong to bulk groups: bulk_commit, bulk_wait, bulk_wait_read of
// <spak/cuda/bulk.h>, with the same rules about fence_proxy_async().
#pragma once
#include <spak/cuda/bulk.h>

#if defined(__CUDACC_RTC__)
#if !defined(__cuda_cuda_h__)
// A tensor map: opaque to device code.
struct alignas(64) CUtensorMap {
  unsigned long long opaque[16];
};
#endif
#else
#include <cuda.h>
#endif

#if !defined(__CUDACC__)
#include <spak/sim/model/tma.h>
#endif

namespace spak {

#if defined(__CUDACC__)
#define SPAK_TMA_R1 "r"(c0)
#define SPAK_TMA_R2 SPAK_TMA_R1, "r"(c1)
#define SPAK_TMA_R3 SPAK_TMA_R2, "r"(c2)
#define SPAK_TMA_R4 SPAK_TMA_R3, "r"(c3)
#define SPAK_TMA_R5 SPAK_TMA_R4, "r"(c4)
// `at` names the coordinates among the operands.
#define SPAK_TMA_LOAD(rank, at)                                                             \
  asm volatile("cp.async.bulk.tensor." #rank                                                \
               "d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {" at \
               "}], [%2];" ::"r"(shared_address(shared)),                                   \
               "l"(&map), "r"(shared_address(bar)), SPAK_TMA_R##rank                        \
               : "memory")
#define SPAK_TMA_MULTICAST(rank, at)                                                                           \
  asm volatile("cp.async.bulk.tensor." #rank                                                                   \
               "d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.multicast::cluster [%0], [%1, {" at \
               "}], [%2], %3;" ::"r"(shared_address(shared)),                                                  \
               "l"(&map), "r"(shared_address(bar)), "h"(mask), SPAK_TMA_R##rank                                \
               : "memory")
#define SPAK_TMA_STORE(rank, at)                                                                                       \
  asm volatile("cp.async.bulk.tensor." #rank "d.global.shared::cta.tile.bulk_group [%0, {" at "}], [%1];" ::"l"(&map), \
               "r"(shared_address(shared)), SPAK_TMA_R##rank                                                           \
               : "memory")
#define SPAK_TMA_ADD(rank, at)                                                                           \
  asm volatile("cp.reduce.async.bulk.tensor." #rank "d.global.shared::cta.add.tile.bulk_group [%0, {" at \
               "}], [%1];" ::"l"(&map),                                                                  \
               "r"(shared_address(shared)), SPAK_TMA_R##rank                                             \
               : "memory")
#else
#define SPAK_TMA_C1 c0
#define SPAK_TMA_C2 SPAK_TMA_C1, c1
#define SPAK_TMA_C3 SPAK_TMA_C2, c2
#define SPAK_TMA_C4 SPAK_TMA_C3, c3
#define SPAK_TMA_C5 SPAK_TMA_C4, c4
#define SPAK_TMA_LOAD(rank, at)              \
  const int coordinates[]{SPAK_TMA_C##rank}; \
  ::spak::sim::tma_load(shared, &map, bar, rank, coordinates, spak_at)
#define SPAK_TMA_MULTICAST(rank, at)         \
  const int coordinates[]{SPAK_TMA_C##rank}; \
  ::spak::sim::tma_load_multicast(shared, &map, bar, mask, rank, coordinates, spak_at)
#define SPAK_TMA_STORE(rank, at)             \
  const int coordinates[]{SPAK_TMA_C##rank}; \
  ::spak::sim::tma_store(&map, shared, rank, coordinates, spak_at)
#define SPAK_TMA_ADD(rank, at)               \
  const int coordinates[]{SPAK_TMA_C##rank}; \
  ::spak::sim::tma_reduce(::spak::sim::Reduction::add, &map, shared, rank, coordinates, spak_at)
#endif

/// Copies the box at these coordinates to the own block's shared memory and counts its bytes at `bar`. One thread. The map's
/// rank is the number of coordinates.
SPAK_DEVICE_SM90 void tma_load(void* shared, const CUtensorMap& map, uint64_t* bar, int c0 SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("tma_load", Arch);
  SPAK_TMA_LOAD(1, "%3");
}
SPAK_DEVICE_SM90 void tma_load(void* shared, const CUtensorMap& map, uint64_t* bar, int c0, int c1 SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("tma_load", Arch);
  SPAK_TMA_LOAD(2, "%3, %4");
}
SPAK_DEVICE_SM90 void tma_load(void* shared, const CUtensorMap& map, uint64_t* bar, int c0, int c1,
                               int c2 SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("tma_load", Arch);
  SPAK_TMA_LOAD(3, "%3, %4, %5");
}
SPAK_DEVICE_SM90 void tma_load(void* shared, const CUtensorMap& map, uint64_t* bar, int c0, int c1, int c2,
                               int c3 SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("tma_load", Arch);
  SPAK_TMA_LOAD(4, "%3, %4, %5, %6");
}
SPAK_DEVICE_SM90 void tma_load(void* shared, const CUtensorMap& map, uint64_t* bar, int c0, int c1, int c2, int c3,
                               int c4 SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("tma_load", Arch);
  SPAK_TMA_LOAD(5, "%3, %4, %5, %6, %7");
}

/// As tma_load, to the same place in every block of the cluster whose rank's bit is set in `mask`; each one's own `bar` counts
/// the bytes. None of them may have exited: end a kernel that multicasts with cluster_sync().
SPAK_DEVICE_SM90 void tma_load_multicast(void* shared, const CUtensorMap& map, uint64_t* bar, uint16_t mask,
                                         int c0 SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("tma_load_multicast", Arch);
  SPAK_TMA_MULTICAST(1, "%4");
}
SPAK_DEVICE_SM90 void tma_load_multicast(void* shared, const CUtensorMap& map, uint64_t* bar, uint16_t mask, int c0,
                                         int c1 SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("tma_load_multicast", Arch);
  SPAK_TMA_MULTICAST(2, "%4, %5");
}
SPAK_DEVICE_SM90 void tma_load_multicast(void* shared, const CUtensorMap& map, uint64_t* bar, uint16_t mask, int c0,
                                         int c1, int c2 SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("tma_load_multicast", Arch);
  SPAK_TMA_MULTICAST(3, "%4, %5, %6");
}
SPAK_DEVICE_SM90 void tma_load_multicast(void* shared, const CUtensorMap& map, uint64_t* bar, uint16_t mask, int c0,
                                         int c1, int c2, int c3 SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("tma_load_multicast", Arch);
  SPAK_TMA_MULTICAST(4, "%4, %5, %6, %7");
}
SPAK_DEVICE_SM90 void tma_load_multicast(void* shared, const CUtensorMap& map, uint64_t* bar, uint16_t mask, int c0,
                                         int c1, int c2, int c3, int c4 SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("tma_load_multicast", Arch);
  SPAK_TMA_MULTICAST(5, "%4, %5, %6, %7, %8");
}

/// Copies a box from the own block's shared memory to the tensor; what lies outside of it is left out. Part of the calling
/// thread's next bulk group.
SPAK_DEVICE_SM90 void tma_store(const CUtensorMap& map, const void* shared, int c0 SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("tma_store", Arch);
  SPAK_TMA_STORE(1, "%2");
}
SPAK_DEVICE_SM90 void tma_store(const CUtensorMap& map, const void* shared, int c0, int c1 SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("tma_store", Arch);
  SPAK_TMA_STORE(2, "%2, %3");
}
SPAK_DEVICE_SM90 void tma_store(const CUtensorMap& map, const void* shared, int c0, int c1, int c2 SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("tma_store", Arch);
  SPAK_TMA_STORE(3, "%2, %3, %4");
}
SPAK_DEVICE_SM90 void tma_store(const CUtensorMap& map, const void* shared, int c0, int c1, int c2,
                                int c3 SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("tma_store", Arch);
  SPAK_TMA_STORE(4, "%2, %3, %4, %5");
}
SPAK_DEVICE_SM90 void tma_store(const CUtensorMap& map, const void* shared, int c0, int c1, int c2, int c3,
                                int c4 SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("tma_store", Arch);
  SPAK_TMA_STORE(5, "%2, %3, %4, %5, %6");
}

/// As tma_store, but adds to the tensor's elements, each one atomically (relaxed, device-wide).
SPAK_DEVICE_SM90 void tma_reduce_add(const CUtensorMap& map, const void* shared, int c0 SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("tma_reduce_add", Arch);
  SPAK_TMA_ADD(1, "%2");
}
SPAK_DEVICE_SM90 void tma_reduce_add(const CUtensorMap& map, const void* shared, int c0, int c1 SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("tma_reduce_add", Arch);
  SPAK_TMA_ADD(2, "%2, %3");
}
SPAK_DEVICE_SM90 void tma_reduce_add(const CUtensorMap& map, const void* shared, int c0, int c1, int c2 SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("tma_reduce_add", Arch);
  SPAK_TMA_ADD(3, "%2, %3, %4");
}
SPAK_DEVICE_SM90 void tma_reduce_add(const CUtensorMap& map, const void* shared, int c0, int c1, int c2,
                                     int c3 SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("tma_reduce_add", Arch);
  SPAK_TMA_ADD(4, "%2, %3, %4, %5");
}
SPAK_DEVICE_SM90 void tma_reduce_add(const CUtensorMap& map, const void* shared, int c0, int c1, int c2, int c3,
                                     int c4 SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("tma_reduce_add", Arch);
  SPAK_TMA_ADD(5, "%2, %3, %4, %5, %6");
}

/// Fetches the map itself, so that the first copy need not wait for it. One thread, at the kernel's start.
SPAK_DEVICE_SM90 void tma_prefetch(const CUtensorMap& map SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("tma_prefetch", Arch);
#if defined(__CUDACC__)
  asm volatile("prefetch.tensormap [%0];" ::"l"(&map) : "memory");
#else
  ::spak::sim::tma_prefetch(&map, spak_at);
#endif
}

#undef SPAK_TMA_LOAD
#undef SPAK_TMA_MULTICAST
#undef SPAK_TMA_STORE
#undef SPAK_TMA_ADD

}  // namespace spak
