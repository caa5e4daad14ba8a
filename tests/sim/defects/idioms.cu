// Idioms: right code that looks wrong. Nothing may be reported here.
//@ arch sm_90a
#include <spak/cuda/barrier.h>
#include <spak/cuda/bulk.h>
#include <spak/cuda/cluster.h>
#include <spak/cuda/cp_async.h>
#include <spak/cuda/device.h>
#include <spak/cuda/elect.h>
#include <spak/cuda/fence.h>
#include <spak/cuda/matrix.h>
#include <spak/cuda/mbarrier.h>

using namespace spak;

//@ kernel bytes_of_a_word
//@   Threads of two warps write neighbouring bytes: different memory, though one word.
//@ run block=128
//@ in x = u8(arange(128))
//@ out y: u8[128] = x[::-1]
extern "C" __global__ void bytes_of_a_word(const unsigned char* x, unsigned char* y) {
  __shared__ unsigned char s[128];
  const int t = threadIdx.x, place = t % 2 * 64 + t / 2;
  s[place] = x[place];
  __syncthreads();
  y[127 - place] = s[place];
}

//@ kernel same_value_by_all
//@   Every thread that finds something says so with the same value, and somebody looks after the barrier.
//@ run block=128
//@ in x = i32(arange(128))
//@ out y: i32[1] = [1]
extern "C" __global__ void same_value_by_all(const int* x, int* y) {
  __shared__ int found;
  if (threadIdx.x == 0) found = 0;
  __syncthreads();
  if (x[threadIdx.x] % 3 == 0) found = 1;
  __syncthreads();
  if (threadIdx.x == 0) *y = found;
}

//@ kernel volatile_flag
//@   A warp waits for a volatile flag that another warp raises behind a fence.
//@ run block=64
//@ in x = i32(arange(32))
//@ out y: i32[32] = x
extern "C" __global__ void volatile_flag(const int* x, int* y) {
  __shared__ int data[32];
  __shared__ volatile int flag;
  const int t = threadIdx.x;
  if (t == 0) flag = 0;
  __syncthreads();
  if (t < 32) {
    data[t] = x[t];
    __threadfence_block();
    __syncwarp();
    if (t == 0) flag = 1;
  } else {
    while (flag == 0) __nanosleep(20);
    __threadfence_block();
    y[t - 32] = data[t - 32];
  }
}

//@ kernel look_back
//@   Blocks hand a running sum from one to the next through flags: each waits for the one before it.
//@ run grid=4 block=32
//@ in x = i32(arange(128))
//@ scratch sums: i32[4]
//@ inout flags: u32[4] = zeros(4) -> ones(4)
//@ out y: i32[128] = cumsum(x)
extern "C" __global__ void look_back(const int* x, int* sums, unsigned* flags, int* y) {
  const int t = threadIdx.x, b = blockIdx.x;
  int value = x[32 * b + t];
  for (int step = 1; step < 32; step *= 2) {
    const int below = __shfl_up_sync(0xffffffffu, value, step);
    if (t >= step) value += below;
  }
  int before = 0;
  if (t == 31) {
    if (b > 0) {
      while (atomicAdd(&flags[b - 1], 0u) == 0) __nanosleep(20);
      __threadfence();
      before = sums[b - 1];
    }
    sums[b] = before + value;
    __threadfence();
    atomicExch(&flags[b], 1u);
  }
  before = __shfl_sync(0xffffffffu, before, 31);
  y[32 * b + t] = before + value;
}

//@ kernel lock_of_a_block
//@   One thread of each block takes a lock, changes what it protects, and gives it back.
//@ run grid=8 block=32
//@ inout lock: i32[1] = zeros(1) -> [0]
//@ inout y: i32[2] = zeros(2) -> [8, 28]
extern "C" __global__ void lock_of_a_block(int* lock, int* y) {
  if (threadIdx.x == 0) {
    while (atomicCAS(lock, 0, 1) != 0) __nanosleep(20);
    __threadfence();
    y[0] += 1;
    y[1] += blockIdx.x;
    __threadfence();
    atomicExch(lock, 0);
  }
}

//@ kernel warps_by_turns
//@   Two warps fill and empty one tile by turns, with a named barrier for each direction.
//@ run block=64
//@ in x = i32(arange(128))
//@ out y: i32[32] = x.reshape(4, 32).sum(0)
extern "C" __global__ void warps_by_turns(const int* x, int* y) {
  __shared__ int s[32];
  const int t = threadIdx.x;
  if (t < 32) {
    for (int i = 0; i < 4; ++i) {
      if (i > 0) named_sync(2, 64);
      s[t] = x[32 * i + t];
      named_arrive(1, 64);
    }
  } else {
    int sum = 0;
    for (int i = 0; i < 4; ++i) {
      named_sync(1, 64);
      sum += s[63 - t];
      if (i < 3) named_arrive(2, 64);
    }
    y[63 - t] = sum;
  }
}

//@ kernel lanes_of_a_branch
//@   Half of a warp exchanges data in a branch of its own, with a mask that names just that half.
//@ run block=32
//@ in x = i32(arange(32))
//@ out y: i32[32] = where(x < 16, 15 - x + 120, x)
extern "C" __global__ void lanes_of_a_branch(const int* x, int* y) {
  __shared__ int s[16];
  const int t = threadIdx.x;
  if (t < 16) {
    s[t] = x[t];
    int sum = x[t];
    for (int step = 8; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffu, sum, step, 16);
    __syncwarp(0xffffu);
    y[t] = s[15 - t] + sum;
  } else {
    y[t] = x[t];
  }
}

//@ kernel early_leavers
//@   Threads without work return before a shuffle whose mask names only those that stay.
//@ run block=32
//@ in x = i32(arange(20))
//@ out y: i32[1] = x.sum()
extern "C" __global__ void early_leavers(const int* x, int* y) {
  const int t = threadIdx.x;
  const unsigned mask = __ballot_sync(0xffffffffu, t < 20);
  if (t >= 20) return;
  int sum = x[t];
  for (int step = 16; step > 0; step /= 2) {
    const int other = __shfl_down_sync(mask, sum, t + step < 20 ? step : 0);
    if (t + step < 20) sum += other;
  }
  if (t == 0) *y = sum;
}

//@ kernel polled_barrier
//@   One thread asks a barrier now and then, and does other things between.
//@ run block=64
//@ in x = i32(arange(32))
//@ out y: i32[32] = x
extern "C" __global__ void polled_barrier(const int* x, int* y) {
  __shared__ int s[32];
  __shared__ uint64_t full;
  const int t = threadIdx.x;
  if (t == 0) mbarrier_init(&full, 32);
  __syncthreads();
  if (t < 32) {
    s[t] = x[t];
    mbarrier_arrive(&full);
  } else {
    int turns = 0;
    while (!mbarrier_test_wait(&full, 0)) ++turns;
    y[t - 32] = turns >= 0 ? s[t - 32] : 0;
  }
}

//@ kernel copies_counted_by_a_barrier
//@   Each thread's copies arrive at the barrier by themselves; the reader waits for that alone.
//@ run block=64
//@ in x = i32(arange(128))
//@ out y: i32[32] = x.reshape(4, 32)[:, ::-1].sum(0)
extern "C" __global__ void copies_counted_by_a_barrier(const int* x, int* y) {
  __shared__ int s[4][32];
  __shared__ uint64_t full[4];
  const int t = threadIdx.x;
  if (t < 4) mbarrier_init(&full[t], 32);
  __syncthreads();
  if (t < 32) {
    for (int i = 0; i < 4; ++i) {
      cp_async<4>(&s[i][t], x + 32 * i + t);
      cp_async_mbarrier_arrive_noinc(&full[i]);
    }
    cp_async_wait_all();
  } else {
    int sum = 0;
    for (int i = 0; i < 4; ++i) {
      mbarrier_wait(&full[i], 0);
      sum += s[i][63 - t];
    }
    y[t - 32] = sum;
  }
}

//@ kernel reader_does_not_fence
//@   A tile that was only read may be loaded over without a proxy fence: the barrier after the reads is enough.
//@ run block=64
//@ in x = i32(arange(128))
//@ out y: i32[64] = x[:64] + x[64:]
extern "C" __global__ void reader_does_not_fence(const int* x, int* y) {
  __shared__ __align__(128) int s[64];
  __shared__ uint64_t full;
  const int t = threadIdx.x;
  if (t == 0) {
    mbarrier_init(&full, 1);
    fence_mbarrier_init();
  }
  __syncthreads();
  int sum = 0;
  for (int i = 0; i < 2; ++i) {
    if (t == 0) {
      mbarrier_arrive_expect_tx(&full, 256);
      bulk_load(s, x + 64 * i, 256, &full);
    }
    mbarrier_wait(&full, i);
    sum += s[t];
    __syncthreads();
  }
  y[t] = sum;
}

//@ kernel one_fence_for_all
//@   Threads store, meet, and the one that sends the tile off fences for all of them.
//@ run block=64
//@ in x = i32(arange(64))
//@ out y: i32[64] = 3 * x
extern "C" __global__ void one_fence_for_all(const int* x, int* y) {
  __shared__ __align__(128) int s[64];
  s[threadIdx.x] = 3 * x[threadIdx.x];
  __syncthreads();
  if (threadIdx.x == 0) {
    fence_proxy_async();
    bulk_store(y, s, 256);
    bulk_commit();
    bulk_wait<0>();
  }
}

//@ kernel stores_take_turns
//@   Two buffers, each reused when the store before the last has been read: only sources are waited for.
//@ run block=32
//@ in x = i32(arange(256))
//@ out y: i32[256] = x
extern "C" __global__ void stores_take_turns(const int* x, int* y) {
  __shared__ __align__(128) int s[2][32];
  const int t = threadIdx.x;
  for (int i = 0; i < 8; ++i) {
    if (i > 1 && t == 0) bulk_wait_read<1>();
    __syncwarp();
    s[i % 2][t] = x[32 * i + t];
    fence_proxy_async();
    __syncwarp();
    if (t == 0) {
      bulk_store(y + 32 * i, s[i % 2], 128);
      bulk_commit();
    }
  }
  if (t == 0) bulk_wait<0>();
}

//@ kernel sums_meet_in_memory
//@   Blocks add their tiles into one by bulk reductions, which are atomic.
//@ run grid=4 block=32
//@ inout y: i32[32] = zeros(32) -> 10 * ones(32)
extern "C" __global__ void sums_meet_in_memory(int* y) {
  __shared__ __align__(128) int s[32];
  s[threadIdx.x] = blockIdx.x + 1;
  fence_proxy_async();
  __syncwarp();
  if (elect_one()) {
    bulk_reduce_add(y, s, 128);
    bulk_commit();
    bulk_wait<0>();
  }
}

//@ kernel ring_of_a_cluster
//@   Each block pushes into its neighbour's shared memory and says so at the neighbour's barrier.
//@ run grid=4 block=32 cluster=4
//@ in x = i32(arange(128))
//@ out y: i32[128] = roll(x, 32)
extern "C" __global__ void ring_of_a_cluster(const int* x, int* y) {
  __shared__ int s[32];
  __shared__ uint64_t full;
  const int t = threadIdx.x, i = 32 * blockIdx.x + t;
  const unsigned next = (cluster_rank() + 1) % cluster_size();
  if (t == 0) {
    mbarrier_init(&full, 32);
    fence_mbarrier_init();
  }
  cluster_sync();
  cluster_map(s, next)[t] = x[i];
  mbarrier_arrive_remote(&full, next);
  mbarrier_wait_cluster(&full, 0);
  y[i] = s[t];
  cluster_sync();
}

//@ kernel cluster_barrier_in_halves
//@   Work that touches nothing shared goes between arrival and wait.
//@ run grid=2 block=32 cluster=2
//@ in x = i32(arange(64))
//@ out y: i32[64] = roll(x, 32) + x * x
extern "C" __global__ void cluster_barrier_in_halves(const int* x, int* y) {
  __shared__ int s[32];
  const int t = threadIdx.x, i = 32 * blockIdx.x + t;
  s[t] = x[i];
  cluster_arrive();
  const int square = x[i] * x[i];
  cluster_wait();
  y[i] = cluster_map(s, cluster_rank() ^ 1)[t] + square;
  cluster_arrive();
  cluster_wait();
}

//@ kernel unsigned_wraps
//@   A hash multiplies unsigned numbers, which wrap by definition.
//@ run block=32
//@ in x = u32(arange(32))
//@ out y: u32[32] = (i64(x) * 2654435769) % 2**32
extern "C" __global__ void unsigned_wraps(const unsigned* x, unsigned* y) {
  y[threadIdx.x] = x[threadIdx.x] * 2654435769u;
}

//@ kernel tile_by_matrices
//@   A warp stores fragments, meets, and reads them back transposed.
//@ run block=32
//@ in x = i32(arange(64)).reshape(8, 8)
//@ out y: i32[32] = x.T.ravel()[::2] + 65536 * x.T.ravel()[1::2]
extern "C" __global__ void tile_by_matrices(const int* x, int* y) {
  __shared__ __align__(16) unsigned short s[64];
  const int t = threadIdx.x;
  const uint32_t r[1] = {static_cast<uint32_t>(x[2 * t] | x[2 * t + 1] << 16)};
  stmatrix<1>(s + 8 * (t % 8), r);
  __syncwarp();
  uint32_t q[1];
  ldmatrix<1, true>(q, s + 8 * (t % 8));
  y[t] = static_cast<int>(q[0]);
}

//@ kernel sums_fetched_by_copy
//@   Two blocks add by bulk reductions, wait for them and raise a flag; a third fetches the sums by a bulk copy: one proxy alone.
//@ run grid=3 block=32
//@ in x = f32(arange(64))
//@ inout w: f32[32] = zeros(32) -> x[:32] + x[32:]
//@ inout count: u32[1] = zeros(1) -> [2]
//@ out y: f32[32] = x[:32] + x[32:]
extern "C" __global__ void sums_fetched_by_copy(const float* x, float* w, unsigned* count, float* y) {
  __shared__ __align__(128) float s[32];
  __shared__ uint64_t bar;
  const int t = threadIdx.x;
  if (blockIdx.x < 2) {
    s[t] = x[32 * blockIdx.x + t];
    fence_proxy_async();
    __syncthreads();
    if (t == 0) {
      bulk_reduce_add(w, s, sizeof s);
      bulk_commit();
      bulk_wait<0>();
      __threadfence();
      atomicAdd(count, 1u);
    }
    return;
  }
  if (t == 0) {
    mbarrier_init(&bar, 1);
    fence_mbarrier_init();
    while (*static_cast<volatile unsigned*>(count) < 2) __nanosleep(20);
    __threadfence();
    mbarrier_arrive_expect_tx(&bar, sizeof s);
    bulk_load(s, w, sizeof s, &bar);
  }
  __syncthreads();
  mbarrier_wait(&bar, 0);
  y[t] = s[t];
}

//@ kernel relaxed_start
//@   The first meeting of the cluster orders execution alone: barriers are initialised and fenced, nothing else is shared yet.
//@ run grid=2 block=32 cluster=2
//@ in x = i32(arange(64))
//@ out y: i32[64] = roll(x, 32)
extern "C" __global__ void relaxed_start(const int* x, int* y) {
  __shared__ int s[32];
  __shared__ uint64_t full;
  const int t = threadIdx.x;
  if (t == 0) {
    mbarrier_init(&full, 32);
    fence_mbarrier_init();
  }
  cluster_arrive_relaxed();
  cluster_wait();
  __syncthreads();
  cluster_map(s, cluster_rank() ^ 1)[t] = x[32 * blockIdx.x + t];
  mbarrier_arrive_remote(&full, cluster_rank() ^ 1);
  mbarrier_wait_cluster(&full, 0);
  y[32 * blockIdx.x + t] = s[t];
  cluster_sync();
}
