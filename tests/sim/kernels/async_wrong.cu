// Wrong uses of asynchronous copies and barriers, one a case. For the simulator alone: a GPU would hang or worse.
#include <spak/cuda/barrier.h>
#include <spak/cuda/bulk.h>
#include <spak/cuda/cluster.h>
#include <spak/cuda/cp_async.h>
#include <spak/cuda/fence.h>
#include <spak/cuda/mbarrier.h>
#include <spak/cuda/registers.h>
#include <spak/cuda/special.h>
#include <spak/cuda/tma.h>

// The line of each case is found by its number.
extern "C" __global__ void wrong(int which, float* memory) {
  __shared__ __align__(1024) float tile[512];
  __shared__ uint64_t bar, other;
  const bool first = threadIdx.x == 0;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  if (first) {
    spak::mbarrier_init(&bar, 2);
    spak::fence_mbarrier_init();
  }
  __syncthreads();
  switch (which) {
    case 0: if (first) spak::mbarrier_init(&other, 0); break;
    case 1: if (first) spak::mbarrier_init(&other, 1u << 20); break;
    case 2: if (first) spak::mbarrier_init(&bar, 2); break;
    case 3: if (first) spak::mbarrier_arrive(&bar, 3); break;
    case 4: if (first) spak::mbarrier_arrive(&other); break;
    case 5: if (first) spak::mbarrier_test_wait(&bar, 2); break;
    case 6: if (first) spak::mbarrier_expect_tx(&bar, 1u << 20); break;
    case 7: if (first) spak::mbarrier_arrive(reinterpret_cast<uint64_t*>(memory)); break;
    case 8: if (first) spak::mbarrier_arrive(reinterpret_cast<uint64_t*>(reinterpret_cast<char*>(&bar) + 4)); break;
    case 9: if (first) spak::mbarrier_invalidate(&bar), spak::mbarrier_arrive(&bar); break;
    case 10: spak::named_sync(16, 32); break;
    case 11: spak::named_sync(1, 40); break;
    case 12: spak::named_sync(1, 256); break;
    case 13: if (warp == 0) spak::named_sync(1, 64); else spak::named_arrive(1, 96); break;
    case 14: spak::named_sync(1 + static_cast<int>(threadIdx.x) % 2, 128); break;
    case 15: spak::cluster_arrive(), spak::cluster_arrive(); break;
    case 16: spak::cluster_wait(); break;
    case 17: spak::cp_async_zfill<16>(tile, memory, 17); break;
    case 18: spak::cp_async<16>(tile + 1, memory); break;
    case 19: spak::cp_async<16>(tile, memory + 1); break;
    case 20: spak::cp_async<4>(memory, tile); break;
    case 21: if (first) spak::bulk_load(tile, memory, 24, &bar); break;
    case 22: if (first) spak::bulk_load(tile, memory + 1, 16, &bar); break;
    case 23: if (first) spak::bulk_load_multicast(tile, memory, 16, &bar, 0); break;
    case 24: if (first) spak::bulk_load_multicast(tile, memory, 16, &bar, 2); break;
    case 25: if (first) spak::bulk_store(memory, memory, 16); break;
    case 26: if (first) spak::bulk_load(tile, tile + 64, 16, &bar); break;
    case 27: spak::registers_increase<256>(); break;
    case 28: spak::registers_decrease<256>(); break;
    case 29: if (warp == 0) spak::registers_decrease<24>(); else spak::registers_decrease<32>(); break;
    case 30: if (first) spak::cluster_map(tile, 1)[0] = 1.0f; break;
    case 31: if (first) spak::bulk_store(memory, tile, 16), spak::bulk_commit(); break;
    case 32: if (first) spak::bulk_store(memory, tile, 16); break;
    case 33: if (first) spak::mbarrier_arrive_expect_tx(&bar, 16), spak::bulk_load(tile, memory, 16, &bar); break;
    case 34: if (first) { spak::mbarrier_arrive_expect_tx(&bar, 64); spak::bulk_load(tile, memory, 48, &bar); spak::mbarrier_arrive(&bar); spak::mbarrier_wait(&bar, 0); } break;
    case 35: if (first) { spak::mbarrier_arrive(&bar); spak::mbarrier_wait(&bar, 0); } break;
    case 36: if (first) { spak::mbarrier_arrive(&bar, 2); spak::mbarrier_arrive(&bar); spak::mbarrier_wait(&bar, 1); } break;
    case 37: if (first) spak::mbarrier_wait(&bar, 0); break;
    case 38: if (warp == 1) spak::named_sync(2, 64); break;
    default: break;
  }
}

extern "C" __global__ void wrong_tile(int which, const __grid_constant__ CUtensorMap map) {
  __shared__ __align__(1024) float tile[1024];
  __shared__ uint64_t bar;
  if (threadIdx.x == 0) {
    spak::mbarrier_init(&bar, 1);
    spak::fence_mbarrier_init();
    spak::mbarrier_arrive_expect_tx(&bar, 512);
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    switch (which) {
      case 100: spak::tma_load(tile + 4, map, &bar, 0, 0); break;
      case 101: spak::tma_load(tile + 32, map, &bar, 0, 0); break;
      case 102: spak::tma_load(tile, map, &bar, 0); break;
      case 103: spak::tma_load_multicast(tile, map, &bar, 6, 0, 0); break;
      default: break;
    }
  }
  if (which <= 101) spak::mbarrier_wait(&bar, 0);
}

// The block of rank 1 leaves; the other one goes on with it after a while.
extern "C" __global__ void left_alone(int which, const float* memory) {
  __shared__ __align__(128) float tile[32];
  __shared__ uint64_t bar;
  const bool first = threadIdx.x == 0;
  if (first) {
    spak::mbarrier_init(&bar, 1);
    spak::fence_mbarrier_init();
  }
  spak::cluster_sync();
  if (spak::cluster_rank() == 1) return;
  if (first) {
    for (int i = 0; i < 200; ++i) spak::pause(100);
    switch (which) {
      case 200: spak::mbarrier_arrive_remote(&bar, 1); break;
      case 201: spak::bulk_load_multicast(tile, memory, 128, &bar, 3); break;
      case 202: spak::bulk_copy_cluster(spak::cluster_map(tile, 1), tile, 128, spak::cluster_map(&bar, 1)); break;
      default: break;
    }
  }
}
