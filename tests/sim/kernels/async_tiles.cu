// A box of a tensor between global and shared memory, bytes as they lie: what TMA reads, fills, swizzles, clips and adds.
#include <spak/cuda/cluster.h>
#include <spak/cuda/fence.h>
#include <spak/cuda/mbarrier.h>
#include <spak/cuda/swizzle.h>
#include <spak/cuda/tma.h>

namespace {

__device__ __forceinline__ void begin(uint64_t* bar, unsigned count) {
  if (threadIdx.x == 0) {
    spak::mbarrier_init(bar, count);
    spak::fence_mbarrier_init();
  }
  __syncthreads();
}

// The box's bytes go to `out` as they lie in shared memory.
template <typename Issue>
__device__ __forceinline__ void fetch(unsigned* out, int words, Issue issue) {
  extern __shared__ __align__(1024) unsigned tile[];
  __shared__ uint64_t bar;
  begin(&bar, 1);
  if (threadIdx.x == 0) {
    spak::mbarrier_arrive_expect_tx(&bar, static_cast<unsigned>(words) * 4);
    issue(tile, &bar);
  }
  spak::mbarrier_wait(&bar, 0);
  for (int i = static_cast<int>(threadIdx.x); i < words; i += static_cast<int>(blockDim.x)) out[i] = tile[i];
}

// `in` goes to shared memory as it is, from there to the tensor.
template <typename Issue>
__device__ __forceinline__ void put(const unsigned* in, int words, Issue issue) {
  extern __shared__ __align__(1024) unsigned tile[];
  for (int i = static_cast<int>(threadIdx.x); i < words; i += static_cast<int>(blockDim.x)) tile[i] = in[i];
  spak::fence_proxy_async();
  __syncthreads();
  if (threadIdx.x != 0) return;
  issue(tile);
  spak::bulk_commit();
  spak::bulk_wait<0>();
}

}  // namespace

extern "C" __global__ void tile_load_1(const __grid_constant__ CUtensorMap map, const int* at, unsigned* out, int words) {
  fetch(out, words, [&](unsigned* tile, uint64_t* bar) {
    spak::tma_prefetch(map);
    spak::tma_load(tile, map, bar, at[0]);
  });
}

extern "C" __global__ void tile_load_2(const __grid_constant__ CUtensorMap map, const int* at, unsigned* out, int words) {
  fetch(out, words, [&](unsigned* tile, uint64_t* bar) { spak::tma_load(tile, map, bar, at[0], at[1]); });
}

extern "C" __global__ void tile_load_3(const __grid_constant__ CUtensorMap map, const int* at, unsigned* out, int words) {
  fetch(out, words, [&](unsigned* tile, uint64_t* bar) { spak::tma_load(tile, map, bar, at[0], at[1], at[2]); });
}

extern "C" __global__ void tile_load_4(const __grid_constant__ CUtensorMap map, const int* at, unsigned* out, int words) {
  fetch(out, words, [&](unsigned* tile, uint64_t* bar) { spak::tma_load(tile, map, bar, at[0], at[1], at[2], at[3]); });
}

extern "C" __global__ void tile_load_5(const __grid_constant__ CUtensorMap map, const int* at, unsigned* out, int words) {
  fetch(out, words, [&](unsigned* tile, uint64_t* bar) { spak::tma_load(tile, map, bar, at[0], at[1], at[2], at[3], at[4]); });
}

extern "C" __global__ void tile_store_1(const __grid_constant__ CUtensorMap map, const int* at, const unsigned* in, int words) {
  put(in, words, [&](const unsigned* tile) { spak::tma_store(map, tile, at[0]); });
}

extern "C" __global__ void tile_store_2(const __grid_constant__ CUtensorMap map, const int* at, const unsigned* in, int words) {
  put(in, words, [&](const unsigned* tile) { spak::tma_store(map, tile, at[0], at[1]); });
}

extern "C" __global__ void tile_store_3(const __grid_constant__ CUtensorMap map, const int* at, const unsigned* in, int words) {
  put(in, words, [&](const unsigned* tile) { spak::tma_store(map, tile, at[0], at[1], at[2]); });
}

extern "C" __global__ void tile_store_4(const __grid_constant__ CUtensorMap map, const int* at, const unsigned* in, int words) {
  put(in, words, [&](const unsigned* tile) { spak::tma_store(map, tile, at[0], at[1], at[2], at[3]); });
}

extern "C" __global__ void tile_store_5(const __grid_constant__ CUtensorMap map, const int* at, const unsigned* in, int words) {
  put(in, words, [&](const unsigned* tile) { spak::tma_store(map, tile, at[0], at[1], at[2], at[3], at[4]); });
}

extern "C" __global__ void tile_add_1(const __grid_constant__ CUtensorMap map, const int* at, const unsigned* in, int words) {
  put(in, words, [&](const unsigned* tile) { spak::tma_reduce_add(map, tile, at[0]); });
}

extern "C" __global__ void tile_add_2(const __grid_constant__ CUtensorMap map, const int* at, const unsigned* in, int words) {
  put(in, words, [&](const unsigned* tile) { spak::tma_reduce_add(map, tile, at[0], at[1]); });
}

extern "C" __global__ void tile_add_3(const __grid_constant__ CUtensorMap map, const int* at, const unsigned* in, int words) {
  put(in, words, [&](const unsigned* tile) { spak::tma_reduce_add(map, tile, at[0], at[1], at[2]); });
}

extern "C" __global__ void tile_add_4(const __grid_constant__ CUtensorMap map, const int* at, const unsigned* in, int words) {
  put(in, words, [&](const unsigned* tile) { spak::tma_reduce_add(map, tile, at[0], at[1], at[2], at[3]); });
}

extern "C" __global__ void tile_add_5(const __grid_constant__ CUtensorMap map, const int* at, const unsigned* in, int words) {
  put(in, words, [&](const unsigned* tile) { spak::tma_reduce_add(map, tile, at[0], at[1], at[2], at[3], at[4]); });
}

// Each block of the cluster fetches the box of its rank along dimension 1 for all blocks in `mask`; every block writes what
// has come for it.
extern "C" __global__ void tile_multicast(const __grid_constant__ CUtensorMap map, unsigned* out, int words, int mask, int height) {
  extern __shared__ __align__(1024) unsigned tile[];
  __shared__ uint64_t bar;
  const unsigned rank = spak::cluster_rank(), size = spak::cluster_size();
  begin(&bar, 1);
  const bool receives = mask >> rank & 1;
  if (threadIdx.x == 0 && receives) spak::mbarrier_arrive_expect_tx(&bar, size * static_cast<unsigned>(words) * 4);
  spak::cluster_sync();
  if (threadIdx.x == 0)
    spak::tma_load_multicast(tile + rank * static_cast<unsigned>(words), map, &bar, static_cast<uint16_t>(mask), 0,
                             static_cast<int>(rank) * height);
  if (receives) {
    spak::mbarrier_wait(&bar, 0);
    for (unsigned i = threadIdx.x; i < size * static_cast<unsigned>(words); i += blockDim.x)
      out[rank * size * static_cast<unsigned>(words) + i] = tile[i];
  }
  spak::cluster_sync();
}

template <spak::Swizzle Mode>
__device__ void all_offsets(unsigned* out) {
  for (unsigned i = threadIdx.x; i < 4096; i += blockDim.x) out[i] = spak::swizzle<Mode>(i);
}

extern "C" __global__ void swizzles(unsigned* out) {
  all_offsets<spak::Swizzle::none>(out);
  all_offsets<spak::Swizzle::b32>(out + 4096);
  all_offsets<spak::Swizzle::b64>(out + 8192);
  all_offsets<spak::Swizzle::b128>(out + 12288);
}
