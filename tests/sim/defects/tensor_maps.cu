// Tensor maps: boxes of a tensor that the TMA unit moves, and the rules that shapes, strides and addresses obey.
//@ arch sm_90a
#include <spak/cuda/bulk.h>
#include <spak/cuda/device.h>
#include <spak/cuda/fence.h>
#include <spak/cuda/mbarrier.h>
#include <spak/cuda/swizzle.h>
#include <spak/cuda/tma.h>

using namespace spak;

//@ defect box_not_waited_for: in-flight-read
//@   One thread waits for the tile, and the others go on with a barrier that they passed before.
//@ run grid=2 block=64
//@ in x = i32(arange(16 * 16)).reshape(16, 16)
//@ map tiles = x box=(8, 8)
//@ out y: i32[2, 64] = [x[:8, :8].ravel(), x[8:, 8:].ravel()]
//@ also missing-wait
extern "C" __global__ void box_not_waited_for(const __grid_constant__ CUtensorMap tiles, int* y) {
  __shared__ __align__(128) int tile[64];
  __shared__ uint64_t full;
  const int t = threadIdx.x;
  if (t == 0) {
    mbarrier_init(&full, 1);
    fence_mbarrier_init();
    mbarrier_arrive_expect_tx(&full, sizeof tile);
    tma_load(tile, tiles, &full, 8 * blockIdx.x, 8 * blockIdx.x);  //@ TMA
  }
  __syncthreads();
  mbarrier_wait(&full, 0);               //@ fixed
  if (t == 0) mbarrier_wait(&full, 0);   //@ broken
  y[64 * blockIdx.x + t] = tile[t];      //@ reads
}

//@ defect box_at_the_edge: deadlock
//@   A box that hangs over the edge is filled with zeros and counts its full bytes; the tail's bytes alone are too few.
//@ run grid=2 block=32
//@ in x = i32(arange(48) + 1)
//@ map tiles = x box=(32,)
//@ out y: i32[64] = append(x, zeros(16))
//@ also mbarrier-misuse, missing-wait
extern "C" __global__ void box_at_the_edge(const __grid_constant__ CUtensorMap tiles, int* y) {
  __shared__ __align__(128) int tile[32];
  __shared__ uint64_t full;
  const int t = threadIdx.x;
  const uint32_t bytes = 128;                         //@ fixed
  const uint32_t bytes = blockIdx.x == 0 ? 128 : 64;  //@ broken
  if (t == 0) {
    mbarrier_init(&full, 1);
    fence_mbarrier_init();
    mbarrier_arrive_expect_tx(&full, bytes);
    tma_load(tile, tiles, &full, 32 * blockIdx.x);
  }
  __syncthreads();
  mbarrier_wait(&full, 0);                            //@ waits
  y[32 * blockIdx.x + t] = tile[t];
}

//@ defect tile_misaligned: misaligned
//@   The TMA unit writes tiles at multiples of 128 bytes; one that follows a few scalars is not at one.
//@ run block=64
//@ in x = i32(arange(64)).reshape(8, 8)
//@ map tiles = x box=(8, 8)
//@ out y: i32[64] = x.ravel()
extern "C" __global__ void tile_misaligned(const __grid_constant__ CUtensorMap tiles, int* y) {
  __shared__ __align__(128) int arena[128];
  __shared__ uint64_t full;
  int* tile = arena + 32;  //@ fixed
  int* tile = arena + 4;   //@ broken
  if (threadIdx.x == 0) {
    mbarrier_init(&full, 1);
    fence_mbarrier_init();
    mbarrier_arrive_expect_tx(&full, 256);
    tma_load(tile, tiles, &full, 0, 0);  //@ here
  }
  __syncthreads();
  mbarrier_wait(&full, 0);
  y[threadIdx.x] = tile[threadIdx.x];
}

//@ defect swizzled_tile_not_aligned: misaligned
//@   A swizzled tile begins at a multiple of 1024 bytes; dynamic shared memory promises 16 unless more is asked for.
//@ run block=64 smem=4096
//@ in x = i32(arange(8 * 32)).reshape(8, 32)
//@ map tiles = x box=(32, 8) swizzle=128
//@ out y: i32[8] = x[:, 0]
//@ also bad-tensor-map
extern "C" __global__ void swizzled_tile_not_aligned(const __grid_constant__ CUtensorMap tiles, int* y) {
  extern __shared__ __align__(1024) unsigned char tile[];  //@ fixed
  extern __shared__ __align__(128) unsigned char tile[];   //@ broken
  __shared__ uint64_t full;
  if (threadIdx.x == 0) {
    mbarrier_init(&full, 1);
    fence_mbarrier_init();
    mbarrier_arrive_expect_tx(&full, 1024);
    tma_load(tile, tiles, &full, 0, 0);  //@ here
  }
  __syncthreads();
  mbarrier_wait(&full, 0);
  const uint32_t row = 128 * threadIdx.x;
  if (threadIdx.x < 8) y[threadIdx.x] = *reinterpret_cast<int*>(tile + swizzle<Swizzle::b128>(row));
}

//@ defect swizzle_ignored: wrong-values
//@   The tile was loaded with a swizzle and is read as if it lay in plain rows.
//@ run block=64
//@ in x = i32(arange(8 * 32)).reshape(8, 32)
//@ map tiles = x box=(32, 8) swizzle=128
//@ out y: i32[8] = x[:, 5]
extern "C" __global__ void swizzle_ignored(const __grid_constant__ CUtensorMap tiles, int* y) {
  __shared__ __align__(1024) unsigned char tile[1024];
  __shared__ uint64_t full;
  if (threadIdx.x == 0) {
    mbarrier_init(&full, 1);
    fence_mbarrier_init();
    mbarrier_arrive_expect_tx(&full, 1024);
    tma_load(tile, tiles, &full, 0, 0);
  }
  __syncthreads();
  mbarrier_wait(&full, 0);
  const uint32_t place = swizzle<Swizzle::b128>(128 * threadIdx.x + 20);  //@ fixed
  const uint32_t place = 128 * threadIdx.x + 20;                          //@ broken
  if (threadIdx.x < 8) y[threadIdx.x] = *reinterpret_cast<int*>(tile + place);
}

//@ defect row_pitch: bad-tensor-map
//@   Rows of a tensor map are multiples of 16 bytes apart.
//@ run block=32
//@ in x = i32(arange(8 * 8)).reshape(8, 8)
//@ in[broken] x = i32(arange(8 * 9)).reshape(8, 9)
//@ map tiles = x box=(8, 8)
//@ out y: i32[32] = x.ravel()[:32]
extern "C" __global__ void row_pitch(const __grid_constant__ CUtensorMap tiles, int* y) {
  __shared__ __align__(128) int tile[64];
  __shared__ uint64_t full;
  if (threadIdx.x == 0) {
    mbarrier_init(&full, 1);
    fence_mbarrier_init();
    mbarrier_arrive_expect_tx(&full, sizeof tile);
    tma_load(tile, tiles, &full, 0, 0);
  }
  __syncthreads();
  mbarrier_wait(&full, 0);
  y[threadIdx.x] = tile[threadIdx.x];
}

//@ defect box_wider_than_swizzle: bad-tensor-map
//@   The inner side of a box has at most the bytes of the swizzle's span.
//@ run block=32
//@ in x = i32(arange(8 * 64)).reshape(8, 64)
//@ map tiles = x box=(32, 8) swizzle=128
//@ map[broken] tiles = x box=(64, 8) swizzle=128
//@ out y: i32[32] = x[0, :32]
extern "C" __global__ void box_wider_than_swizzle(const __grid_constant__ CUtensorMap tiles, int* y) {
  __shared__ __align__(1024) int tile[512];
  __shared__ uint64_t full;
  if (threadIdx.x == 0) {
    mbarrier_init(&full, 1);
    fence_mbarrier_init();
    mbarrier_arrive_expect_tx(&full, 1024);
    tma_load(tile, tiles, &full, 0, 0);
  }
  __syncthreads();
  mbarrier_wait(&full, 0);
  y[threadIdx.x] = tile[threadIdx.x];
}

//@ defect coordinates_missing: bad-tensor-map
//@   The map has three dimensions, and the load gives two coordinates.
//@ run block=32
//@ in x = i32(arange(2 * 8 * 8)).reshape(2, 8, 8)
//@ map tiles = x box=(8, 4, 1)
//@ out y: i32[32] = x[1, :4].ravel()
extern "C" __global__ void coordinates_missing(const __grid_constant__ CUtensorMap tiles, int* y) {
  __shared__ __align__(128) int tile[32];
  __shared__ uint64_t full;
  if (threadIdx.x == 0) {
    mbarrier_init(&full, 1);
    fence_mbarrier_init();
    mbarrier_arrive_expect_tx(&full, sizeof tile);
    tma_load(tile, tiles, &full, 0, 0, 1);  //@ fixed
    tma_load(tile, tiles, &full, 0, 1);     //@ broken; here
  }
  __syncthreads();
  mbarrier_wait(&full, 0);
  y[threadIdx.x] = tile[threadIdx.x];
}

//@ defect tile_stored_unfenced: missing-proxy-fence
//@   The epilogue writes its tile with ordinary stores and hands it to a tensor store.
//@ run block=64
//@ in x = i32(arange(64)).reshape(8, 8)
//@ inout y: i32[8, 8] = zeros(8, 8) -> 2 * x
//@ map tiles = y box=(8, 8)
extern "C" __global__ void tile_stored_unfenced(const int* x, const __grid_constant__ CUtensorMap tiles) {
  __shared__ __align__(128) int tile[64];
  tile[threadIdx.x] = 2 * x[threadIdx.x];  //@ writes
  fence_proxy_async();                     //@ fixed
  __syncthreads();
  if (threadIdx.x == 0) {
    tma_store(tiles, tile, 0, 0);          //@ TMA
    bulk_commit();
    bulk_wait<0>();
  }
}

//@ defect store_not_committed: in-flight-overwrite
//@   Without a commit the store belongs to no group, and waiting for groups does not wait for it.
//@ run block=64
//@ in x = i32(arange(128)).reshape(16, 8)
//@ inout y: i32[16, 8] = zeros(16, 8) -> x + 1
//@ map tiles = y box=(8, 8)
//@ also missing-wait
extern "C" __global__ void store_not_committed(const int* x, const __grid_constant__ CUtensorMap tiles) {
  __shared__ __align__(128) int tile[64];
  const int t = threadIdx.x;
  for (int half = 0; half < 2; ++half) {
    tile[t] = x[64 * half + t] + 1;        //@ writes
    fence_proxy_async();
    __syncthreads();
    if (t == 0) {
      tma_store(tiles, tile, 0, 8 * half);  //@ TMA
      bulk_commit();                       //@ fixed
      bulk_wait<0>();
    }
    __syncthreads();
  }
}

//@ defect reduction_with_stores: race-global
//@   Two blocks send their sums to one tile: a reduction adds them, a plain store lets one of them win.
//@ run grid=2 block=64
//@ inout y: i32[8, 8] = zeros(8, 8) -> 3 * ones(8, 8)
//@ map tiles = y box=(8, 8)
extern "C" __global__ void reduction_with_stores(const __grid_constant__ CUtensorMap tiles) {
  __shared__ __align__(128) int tile[64];
  tile[threadIdx.x] = blockIdx.x + 1;
  fence_proxy_async();
  __syncthreads();
  if (threadIdx.x == 0) {
    tma_reduce_add(tiles, tile, 0, 0);  //@ fixed
    tma_store(tiles, tile, 0, 0);       //@ broken; here
    bulk_commit();
    bulk_wait<0>();
  }
}
