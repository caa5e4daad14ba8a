// Asynchronous copies: cp.async groups of a thread, and bulk copies of the TMA unit, which sees memory through a proxy of its own.
//@ arch sm_90a
#include <spak/cuda/bulk.h>
#include <spak/cuda/cp_async.h>
#include <spak/cuda/device.h>
#include <spak/cuda/fence.h>
#include <spak/cuda/mbarrier.h>

using namespace spak;

//@ defect copy_not_waited_for: in-flight-read
//@   The barrier comes before the copies have landed: a barrier does not wait for them.
//@ run block=64
//@ in x = f32(arange(256))
//@ out y: f32[256] = x.reshape(64, 4)[::-1].ravel()
extern "C" __global__ void copy_not_waited_for(const float* x, float* y) {
  __shared__ __align__(16) float s[256];
  const int t = threadIdx.x;
  cp_async<16>(s + 4 * t, x + 4 * t);  //@ cp.async
  cp_async_commit();
  cp_async_wait<0>();                  //@ fixed
  __syncthreads();
  for (int k = 0; k < 4; ++k) y[4 * t + k] = s[4 * (63 - t) + k];  //@ reads
}

//@ defect group_not_committed: in-flight-read
//@   wait_group waits for groups, and the copies are in none: the commit is missing.
//@ run block=32
//@ in x = f32(arange(32))
//@ out y: f32[32] = x
extern "C" __global__ void group_not_committed(const float* x, float* y) {
  __shared__ float s[32];
  const int t = threadIdx.x;
  cp_async<4>(s + t, x + t);  //@ cp.async
  cp_async_commit();          //@ fixed
  cp_async_wait<0>();
  y[t] = s[t];                //@ reads
}

//@ defect wait_group_too_lax: in-flight-read
//@   With two tiles under way, waiting until at most two are left waits for none.
//@ run block=64
//@ in x = i32(arange(512))
//@ out y: i32[64] = x.reshape(8, 64)[:, ::-1].sum(0)
extern "C" __global__ void wait_group_too_lax(const int* x, int* y) {
  __shared__ int ring[3][64];
  const int t = threadIdx.x;
  int sum = 0;
  for (int tile = 0; tile < 2; ++tile) {
    cp_async<4>(&ring[tile][t], x + 64 * tile + t);
    cp_async_commit();
  }
  for (int tile = 0; tile < 8; ++tile) {
    cp_async_wait<1>();        //@ fixed
    cp_async_wait<2>();        //@ broken
    __syncthreads();
    sum += ring[tile % 3][63 - t];  //@ reads
    if (tile + 2 < 8) cp_async<4>(&ring[(tile + 2) % 3][t], x + 64 * (tile + 2) + t);
    cp_async_commit();
  }
  y[t] = sum;
}

//@ defect last_groups: in-flight-read
//@   The loop stops committing near the end, so that the same wait covers one group less.
//@ run block=64
//@ in x = i32(arange(512))
//@ out y: i32[64] = x.reshape(8, 64)[:, ::-1].sum(0)
extern "C" __global__ void last_groups(const int* x, int* y) {
  __shared__ int ring[3][64];
  const int t = threadIdx.x;
  int sum = 0;
  for (int tile = 0; tile < 2; ++tile) {
    cp_async<4>(&ring[tile][t], x + 64 * tile + t);
    cp_async_commit();
  }
  for (int tile = 0; tile < 8; ++tile) {
    cp_async_wait<1>();
    __syncthreads();
    sum += ring[tile % 3][63 - t];  //@ reads
    if (tile + 2 < 8) {
      cp_async<4>(&ring[(tile + 2) % 3][t], x + 64 * (tile + 2) + t);  //@ cp.async
      cp_async_commit();       //@ broken
    }
    cp_async_commit();         //@ fixed
  }
  y[t] = sum;
}

//@ defect waited_but_not_shared: race-shared
//@   wait_group covers the thread's own copies; for those of others there must be a barrier after it.
//@ run block=64
//@ in x = i32(arange(64))
//@ out y: i32[64] = x[::-1]
//@ also in-flight-read, uninitialised-read
extern "C" __global__ void waited_but_not_shared(const int* x, int* y) {
  __shared__ int s[64];
  const int t = threadIdx.x;
  __syncthreads();           //@ broken
  cp_async<4>(s + t, x + t);  //@ cp.async
  cp_async_commit();
  cp_async_wait_all();
  __syncthreads();           //@ fixed
  y[t] = s[63 - t];          //@ reads
}

//@ defect stage_copied_over: race-shared
//@   The next tile is copied into the stage that other threads are still reading.
//@ run block=64
//@ in x = i32(arange(256))
//@ out y: i32[64] = x.reshape(4, 64)[:, ::-1].sum(0)
extern "C" __global__ void stage_copied_over(const int* x, int* y) {
  __shared__ int s[64];
  const int t = threadIdx.x;
  int sum = 0;
  for (int tile = 0; tile < 4; ++tile) {
    cp_async<4>(s + t, x + 64 * tile + t);  //@ cp.async
    cp_async_commit();
    cp_async_wait<0>();
    __syncthreads();
    sum += s[63 - t];                       //@ reads
    __syncthreads();                        //@ fixed
  }
  y[t] = sum;
}

//@ defect cleared_while_copied: in-flight-overwrite
//@   The tile is cleared for the sake of its tail after the copy that fills it was issued.
//@ run block=32
//@ in n = 20
//@ in x = i32(arange(20) + 1)
//@ out y: i32[32] = append(x, zeros(12))
extern "C" __global__ void cleared_while_copied(const int* x, int* y, int n) {
  __shared__ int s[32];
  const int t = threadIdx.x;
  s[t] = 0;                             //@ fixed
  if (t < n) cp_async<4>(s + t, x + t);  //@ cp.async
  s[t] = 0;                             //@ broken; writes
  cp_async_commit();
  cp_async_wait<0>();
  y[t] = s[t];
}

//@ defect copy_misaligned: misaligned
//@   16 bytes at a time need rows that start at multiples of 16 bytes; this row has a pad of one element.
//@ run block=16
//@ in x = f32(arange(64))
//@ out y: f32[16] = x.reshape(16, 4).sum(1)
extern "C" __global__ void copy_misaligned(const float* x, float* y) {
  __shared__ __align__(16) float s[16][8];  //@ fixed
  __shared__ __align__(16) float s[16][5];  //@ broken
  const int t = threadIdx.x;
  cp_async<16>(&s[t][0], x + 4 * t);        //@ here
  cp_async_commit();
  cp_async_wait<0>();
  y[t] = s[t][0] + s[t][1] + s[t][2] + s[t][3];
}

//@ defect copy_past_the_end: out-of-bounds
//@   The last copy of 16 bytes reaches past a matrix whose size is no multiple of four.
//@ run block=32
//@ in n = 126
//@ in x = f32(arange(126))
//@ out y: f32[128] = append(x, [0, 0])
extern "C" __global__ void copy_past_the_end(const float* x, float* y, int n) {
  __shared__ __align__(16) float s[128];
  const int i = 4 * threadIdx.x;
  cp_async_zfill<16>(s + i, x + i, 4 * min(4, n - i));  //@ fixed
  cp_async<16>(s + i, x + i);                           //@ broken; here
  cp_async_commit();
  cp_async_wait<0>();
  for (int k = 0; k < 4; ++k) y[i + k] = i + k < n ? s[i + k] : 0;
}

//@ defect store_without_proxy_fence: missing-proxy-fence
//@   Threads fill a tile with ordinary stores, and the TMA unit reads it through another proxy.
//@ run block=64
//@ in x = i32(arange(64))
//@ out y: i32[64] = 2 * x
extern "C" __global__ void store_without_proxy_fence(const int* x, int* y) {
  __shared__ __align__(128) int s[64];
  s[threadIdx.x] = 2 * x[threadIdx.x];  //@ writes
  fence_proxy_async();                  //@ fixed
  __syncthreads();
  if (threadIdx.x == 0) {
    bulk_store(y, s, sizeof s);         //@ bulk
    bulk_commit();
    bulk_wait<0>();
  }
}

//@ defect proxy_fence_too_early: missing-proxy-fence
//@   The fence stands before the stores that it is meant for.
//@ run block=64
//@ in x = i32(arange(64))
//@ out y: i32[64] = x + 1
extern "C" __global__ void proxy_fence_too_early(const int* x, int* y) {
  __shared__ __align__(128) int s[64];
  fence_proxy_async();                  //@ broken
  s[threadIdx.x] = x[threadIdx.x] + 1;  //@ writes
  fence_proxy_async();                  //@ fixed
  __syncthreads();
  if (threadIdx.x == 0) {
    bulk_store(y, s, sizeof s);         //@ bulk
    bulk_commit();
    bulk_wait<0>();
  }
}

//@ defect store_without_barrier: race-shared
//@   One thread sends the tile off before the others have filled it: the fence is there, the barrier is not.
//@ run block=64
//@ in x = i32(arange(64))
//@ out y: i32[64] = x - 1
//@ also missing-proxy-fence, in-flight-overwrite, uninitialised-read, race-warp
extern "C" __global__ void store_without_barrier(const int* x, int* y) {
  __shared__ __align__(128) int s[64];
  s[threadIdx.x] = x[threadIdx.x] - 1;  //@ writes
  fence_proxy_async();
  __syncthreads();                      //@ fixed
  if (threadIdx.x == 63) {
    bulk_store(y, s, sizeof s);         //@ bulk
    bulk_commit();
    bulk_wait<0>();
  }
}

//@ defect source_reused: in-flight-overwrite
//@   The tile is filled again while the bulk store may still be reading it.
//@ run block=32
//@ in x = i32(arange(128))
//@ out y: i32[128] = x
extern "C" __global__ void source_reused(const int* x, int* y) {
  __shared__ __align__(128) int s[32];
  const int t = threadIdx.x;
  for (int tile = 0; tile < 4; ++tile) {
    if (t == 0) bulk_wait_read<0>();    //@ fixed
    __syncwarp();
    s[t] = x[32 * tile + t];            //@ writes
    fence_proxy_async();
    __syncwarp();
    if (t == 0) {
      bulk_store(y + 32 * tile, s, sizeof s);  //@ bulk
      bulk_commit();
    }
  }
  if (t == 0) bulk_wait<0>();
}

//@ defect source_reused_one_early: in-flight-overwrite
//@   Two buffers take turns, and the wait leaves two stores under way where only one may be.
//@ run block=32
//@ in x = i32(arange(192))
//@ out y: i32[192] = x
extern "C" __global__ void source_reused_one_early(const int* x, int* y) {
  __shared__ __align__(128) int s[2][32];
  const int t = threadIdx.x;
  for (int tile = 0; tile < 6; ++tile) {
    if (t == 0) bulk_wait_read<1>();    //@ fixed
    if (t == 0) bulk_wait_read<2>();    //@ broken
    __syncwarp();
    s[tile % 2][t] = x[32 * tile + t];  //@ writes
    fence_proxy_async();
    __syncwarp();
    if (t == 0) {
      bulk_store(y + 32 * tile, s[tile % 2], 128);  //@ bulk
      bulk_commit();
    }
  }
  if (t == 0) bulk_wait<0>();
}

//@ defect exit_before_store: missing-wait
//@   The block ends, and its shared memory with it, while a bulk store may still be reading from it.
//@ run block=32
//@ in x = i32(arange(32))
//@ out y: i32[32] = x
extern "C" __global__ void exit_before_store(const int* x, int* y) {
  __shared__ __align__(128) int s[32];
  s[threadIdx.x] = x[threadIdx.x];
  fence_proxy_async();
  __syncwarp();
  if (threadIdx.x == 0) {
    bulk_store(y, s, sizeof s);  //@ issued
    bulk_commit();
    bulk_wait<0>();              //@ fixed
  }
}

//@ defect store_read_back: in-flight-read
//@   wait_group.read frees the source; the destination is written only after wait_group.
//@ run block=32
//@ in x = i32(arange(32))
//@ scratch w: i32[32]
//@ out y: i32[1] = [31]
extern "C" __global__ void store_read_back(const int* x, int* w, int* y) {
  __shared__ __align__(128) int s[32];
  s[threadIdx.x] = x[threadIdx.x];
  fence_proxy_async();
  __syncwarp();
  if (threadIdx.x == 0) {
    bulk_store(w, s, sizeof s);  //@ bulk
    bulk_commit();
    bulk_wait<0>();              //@ fixed
    bulk_wait_read<0>();         //@ broken
    y[0] = w[31];                //@ reads
    bulk_wait<0>();
  }
}

//@ defect load_not_waited_for: in-flight-read
//@   The tile is read after a barrier of the block, which knows nothing of the bulk copy.
//@ run block=64
//@ in x = i32(arange(64))
//@ out y: i32[64] = x[::-1]
//@ also missing-wait
extern "C" __global__ void load_not_waited_for(const int* x, int* y) {
  __shared__ __align__(128) int s[64];
  __shared__ uint64_t full;
  if (threadIdx.x == 0) {
    mbarrier_init(&full, 1);
    fence_mbarrier_init();
    mbarrier_arrive_expect_tx(&full, sizeof s);
    bulk_load(s, x, sizeof s, &full);  //@ bulk
  }
  __syncthreads();
  mbarrier_wait(&full, 0);             //@ fixed
  y[threadIdx.x] = s[63 - threadIdx.x];  //@ reads
}

//@ defect load_over_readers: race-shared
//@   The next tile is loaded over the one that other warps still read.
//@ run block=64
//@ in x = i32(arange(256))
//@ out y: i32[64] = x.reshape(4, 64)[:, ::-1].sum(0)
//@ also in-flight-read, deadlock, mbarrier-misuse
extern "C" __global__ void load_over_readers(const int* x, int* y) {
  __shared__ __align__(128) int s[64];
  __shared__ uint64_t full;
  const int t = threadIdx.x;
  if (t == 0) {
    mbarrier_init(&full, 1);
    fence_mbarrier_init();
  }
  __syncthreads();
  int sum = 0;
  for (int tile = 0; tile < 4; ++tile) {
    if (t == 0) {
      mbarrier_arrive_expect_tx(&full, sizeof s);
      bulk_load(s, x + 64 * tile, sizeof s, &full);  //@ bulk
    }
    mbarrier_wait(&full, tile & 1);
    sum += s[63 - t];                                //@ reads
    __syncthreads();                                 //@ fixed
  }
  y[t] = sum;
}

//@ defect load_over_stores: missing-proxy-fence
//@   The tile was cleared with ordinary stores; without a proxy fence they may land after the bulk copy.
//@ run block=64
//@ in x = i32(arange(64))
//@ out y: i32[64] = x
extern "C" __global__ void load_over_stores(const int* x, int* y) {
  __shared__ __align__(128) int s[64];
  __shared__ uint64_t full;
  const int t = threadIdx.x;
  if (t == 0) {
    mbarrier_init(&full, 1);
    fence_mbarrier_init();
  }
  s[t] = 0;                            //@ writes
  fence_proxy_async();                 //@ fixed
  __syncthreads();
  if (t == 0) {
    mbarrier_arrive_expect_tx(&full, sizeof s);
    bulk_load(s, x, sizeof s, &full);  //@ bulk
  }
  mbarrier_wait(&full, 0);
  y[t] = s[t];
}

//@ defect bulk_size: bad-argument
//@   Bulk copies move multiples of 16 bytes.
//@ run block=32
//@ in x = i32(arange(32))
//@ out y: i32[28] = x[:28]
extern "C" __global__ void bulk_size(const int* x, int* y) {
  __shared__ __align__(128) int s[32];
  __shared__ uint64_t full;
  const uint32_t bytes = 28 * 4;  //@ fixed
  const uint32_t bytes = 30 * 4;  //@ broken
  if (threadIdx.x == 0) {
    mbarrier_init(&full, 1);
    fence_mbarrier_init();
    mbarrier_arrive_expect_tx(&full, bytes);
    bulk_load(s, x, bytes, &full);  //@ here
  }
  __syncthreads();
  mbarrier_wait(&full, 0);
  if (threadIdx.x < 28) y[threadIdx.x] = s[threadIdx.x];
}

//@ defect bulk_misaligned: misaligned
//@   Source and destination of a bulk copy are multiples of 16 bytes.
//@ run block=32
//@ in x = i32(arange(36))
//@ out y: i32[32] = x[4:]
extern "C" __global__ void bulk_misaligned(const int* x, int* y) {
  __shared__ __align__(128) int s[32];
  __shared__ uint64_t full;
  if (threadIdx.x == 0) {
    mbarrier_init(&full, 1);
    fence_mbarrier_init();
    mbarrier_arrive_expect_tx(&full, sizeof s);
    bulk_load(s, x + 4, sizeof s, &full);  //@ fixed
    bulk_load(s, x + 1, sizeof s, &full);  //@ broken; here
  }
  __syncthreads();
  mbarrier_wait(&full, 0);
  y[threadIdx.x] = s[threadIdx.x];
}

//@ defect sum_not_waited_for: in-flight-read
//@   The sums are read back when their sources have been read, not when the additions are done.
//@ run block=32
//@ in x = i32(arange(32))
//@ inout w: i32[32] = i32(arange(32)) -> 2 * x
//@ out y: i32[32] = 2 * x
//@ also missing-wait
extern "C" __global__ void sum_not_waited_for(const int* x, int* w, int* y) {
  __shared__ __align__(128) int s[32];
  const int t = threadIdx.x;
  s[t] = x[t];
  fence_proxy_async();
  __syncthreads();
  if (t == 0) {
    bulk_reduce_add(w, s, sizeof s);  //@ bulk
    bulk_commit();
    bulk_wait<0>();  //@ fixed
    bulk_wait_read<0>();  //@ broken
  }
  __syncthreads();
  y[t] = w[t];  //@ reads
}

//@ defect sum_announced_early: in-flight-read
//@   Split-K by bulk reductions: a block draws its ticket when its sources have been read, not when its sums are there.
//@ run grid=3 block=32
//@ in x = f32(arange(96))
//@ inout w: f32[32] = zeros(32) -> x.reshape(3, 32).sum(0)
//@ inout count: u32[1] = zeros(1) -> [3]
//@ out y: f32[32] = x.reshape(3, 32).sum(0)
//@ also race-global
extern "C" __global__ void sum_announced_early(const float* x, float* w, unsigned* count, float* y) {
  __shared__ __align__(128) float s[32];
  __shared__ bool last;
  const int t = threadIdx.x;
  s[t] = x[32 * blockIdx.x + t];
  fence_proxy_async();
  __syncthreads();
  if (t == 0) {
    bulk_reduce_add(w, s, sizeof s);  //@ bulk
    bulk_commit();
    bulk_wait<0>();  //@ fixed
    bulk_wait_read<0>();  //@ broken
    __threadfence();
    last = atomicAdd(count, 1u) == gridDim.x - 1;
    __threadfence();
  }
  __syncthreads();
  if (last) y[t] = w[t];  //@ reads
}

//@ defect sum_over_cleared: missing-proxy-fence
//@   The block clears the sums that it adds to by bulk reduction, and its proxy fence is for shared memory alone.
//@ run block=32
//@ in x = f32(arange(32))
//@ out w: f32[32] = x
extern "C" __global__ void sum_over_cleared(const float* x, float* w) {
  __shared__ __align__(128) float s[32];
  const int t = threadIdx.x;
  s[t] = x[t];
  w[t] = 0;  //@ writes
  fence_proxy_async();  //@ fixed
  fence_proxy_async_shared();  //@ broken
  __syncthreads();
  if (t == 0) {
    bulk_reduce_add(w, s, sizeof s);  //@ bulk
    bulk_commit();
    bulk_wait<0>();
  }
}

//@ defect sums_not_cleared: uninitialised-read
//@   A bulk reduction adds to its output, and nobody has set it to zero.
//@ run block=32
//@ in x = f32(arange(32))
//@ out w: f32[32] = x
extern "C" __global__ void sums_not_cleared(const float* x, float* w) {
  __shared__ __align__(128) float s[32];
  const int t = threadIdx.x;
  s[t] = x[t];
  w[t] = 0;  //@ fixed
  fence_proxy_async();
  __syncthreads();
  if (t == 0) {
    bulk_reduce_add(w, s, sizeof s);  //@ bulk
    bulk_commit();
    bulk_wait<0>();
  }
}

//@ defect handed_over_by_flag: missing-proxy-fence
//@   What one block has written with ordinary stores another one loads by bulk copy; before the flag there is an ordinary fence
//@   alone. One of the two must fence for the async proxy as well: here the writer does.
//@ run grid=2 block=32
//@ in x = f32(arange(32))
//@ scratch w: f32[32]
//@ inout flag: u32[1] = zeros(1) -> [1]
//@ out y: f32[32] = x
extern "C" __global__ void handed_over_by_flag(const float* x, float* w, unsigned* flag, float* y) {
  __shared__ __align__(128) float s[32];
  __shared__ uint64_t bar;
  const int t = threadIdx.x;
  if (blockIdx.x == 0) {
    w[t] = x[t];  //@ writes
    fence_proxy_async();  //@ fixed
    __syncthreads();
    if (t == 0) {
      __threadfence();
      atomicExch(flag, 1u);
    }
    return;
  }
  if (t == 0) {
    mbarrier_init(&bar, 1);
    fence_mbarrier_init();
    while (*static_cast<volatile unsigned*>(flag) == 0) __nanosleep(20);
    __threadfence();
    mbarrier_arrive_expect_tx(&bar, sizeof s);
    bulk_load(s, w, sizeof s, &bar);  //@ bulk
  }
  __syncthreads();
  mbarrier_wait(&bar, 0);
  y[t] = s[t];
}
