// Barriers of every kind, as pipelines use them; elected lanes; special registers.
#include <spak/cuda/barrier.h>
#include <spak/cuda/bulk.h>
#include <spak/cuda/cluster.h>
#include <spak/cuda/dependent.h>
#include <spak/cuda/elect.h>
#include <spak/cuda/fence.h>
#include <spak/cuda/mbarrier.h>
#include <spak/cuda/special.h>
#include <spak/cuda/registers.h>

// Warp 0 writes, warps 1 and 2 read: barrier 1 says that a tile is full, barrier 2 that it is empty.
extern "C" __global__ void hand_over(const int* in, int* out, int tiles) {
  __shared__ int tile[32];
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  for (int t = 0; t < tiles; ++t) {
    if (warp == 0) {
      if (t > 0) spak::named_sync(2, 96);
      tile[lane] = in[t * 32 + lane];
      spak::named_arrive(1, 96);
    } else {
      spak::named_sync(1, 96);
      out[((warp - 1) * tiles + t) * 32 + lane] = tile[31 - lane] * warp;
      if (t + 1 < tiles) spak::named_arrive(2, 96);
    }
  }
}

// Two halves of the block use different barriers, and barrier 0 is __syncthreads.
extern "C" __global__ void halves(int* out) {
  __shared__ int sum[2];
  const int half = static_cast<int>(threadIdx.x) / 64;
  if (threadIdx.x % 64 == 0) sum[half] = 0;
  spak::named_sync(3 + half, 64);
  atomicAdd(&sum[half], static_cast<int>(threadIdx.x));
  spak::named_sync(3 + half, 64);
  const int own = sum[half];
  spak::named_sync(0, 128);
  out[threadIdx.x] = own * 10000 + sum[1 - half];
}

constexpr int kStages = 4, kWords = 64;

// A producer warp and `consumers` warps of consumers around a ring of stages; out[w] is the sum that warp w has seen.
extern "C" __global__ void pipeline(const int* in, int* out, int tiles, int consumers) {
  __shared__ __align__(128) int stage[kStages][kWords];
  __shared__ uint64_t full[kStages], empty[kStages];
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  if (threadIdx.x == 0) {
    for (int s = 0; s < kStages; ++s) {
      spak::mbarrier_init(&full[s], 1);
      spak::mbarrier_init(&empty[s], static_cast<unsigned>(consumers));
    }
    spak::fence_mbarrier_init();
  }
  __syncthreads();
  if (warp == 0) {
    if (spak::elect_one()) {
      for (int t = 0; t < tiles; ++t) {
        const int s = t % kStages;
        spak::mbarrier_wait(&empty[s], (t / kStages & 1) ^ 1);
        spak::mbarrier_arrive_expect_tx(&full[s], kWords * 4);
        spak::bulk_load(stage[s], in + t * kWords, kWords * 4, &full[s]);
      }
    }
    return;
  }
  int sum = 0;
  for (int t = 0; t < tiles; ++t) {
    const int s = t % kStages;
    spak::mbarrier_wait(&full[s], t / kStages & 1);
    sum += stage[s][lane] * warp + stage[s][32 + lane];
    __syncwarp();
    if (lane == 0) spak::mbarrier_arrive(&empty[s]);
  }
  out[(warp - 1) * 32 + lane] = sum;
}

// The blocks of a cluster add up what each holds, through each other's shared memory.
extern "C" __global__ void cluster_sum(const int* in, int* out) {
  __shared__ int mine[32];
  const unsigned rank = spak::cluster_rank(), size = spak::cluster_size();
  mine[threadIdx.x] = in[blockIdx.x * 32 + threadIdx.x];
  spak::cluster_arrive();
  int sum = 0;
  spak::cluster_wait();
  for (unsigned other = 0; other < size; ++other) sum += spak::cluster_map(mine, (rank + other) % size)[threadIdx.x];
  spak::cluster_sync();
  out[blockIdx.x * 32 + threadIdx.x] = sum + static_cast<int>(rank * 1000000);
}

// Every block of the cluster arrives at the barrier of rank 0, which has first said what is in its shared memory.
extern "C" __global__ void gather(int* out) {
  __shared__ int seen[8];
  __shared__ uint64_t bar;
  const unsigned rank = spak::cluster_rank(), size = spak::cluster_size();
  if (threadIdx.x == 0) {
    spak::mbarrier_init(&bar, size * 2);
    spak::fence_mbarrier_init();
  }
  spak::cluster_sync();
  if (threadIdx.x == 0) {
    spak::cluster_map(seen, 0)[rank] = static_cast<int>(rank * 7 + 1);
    spak::mbarrier_arrive_remote(&bar, 0, 2);
  }
  if (rank == 0) {
    spak::mbarrier_wait_cluster(&bar, 0);
    if (threadIdx.x < size) out[threadIdx.x] = seen[threadIdx.x];
  }
  spak::cluster_sync();
}

// Bytes that a peer expects on one's behalf.
extern "C" __global__ void remote_expect(const int* in, int* out) {
  __shared__ __align__(128) int tile[32];
  __shared__ uint64_t bar;
  const unsigned rank = spak::cluster_rank(), other = rank ^ 1;
  if (threadIdx.x == 0) {
    spak::mbarrier_init(&bar, 1);
    spak::fence_mbarrier_init();
  }
  spak::cluster_sync();
  if (threadIdx.x == 0) {
    spak::mbarrier_expect_tx_remote(&bar, other, 64);
    spak::mbarrier_arrive_expect_tx_remote(&bar, other, 64);
    spak::bulk_load(tile, in + blockIdx.x * 32, 128, &bar);
  }
  spak::mbarrier_wait_cluster(&bar, 0);
  out[blockIdx.x * 32 + threadIdx.x] = tile[threadIdx.x];
  spak::cluster_sync();
}

// [0]: how many lanes were elected, over all warps; [1 + w]: how often the same lane was, of warp w.
extern "C" __global__ void elected(int* out) {
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const bool first = spak::elect_one(), second = spak::elect_one();
  if (first) atomicAdd(&out[0], 1);
  if (first && second) atomicAdd(&out[1 + warp], 1);
}

extern "C" __global__ void specials(long long* out) {
  const long long before = spak::cycles();
  const unsigned long long then = spak::nanoseconds();
  spak::pause(100);
  spak::dependent_wait();
  spak::dependent_launch();
  if (threadIdx.x != 0) return;
  out[blockIdx.x * 4] = spak::cycles() - before > 0;
  out[blockIdx.x * 4 + 1] = spak::nanoseconds() >= then;
  out[blockIdx.x * 4 + 2] = spak::smid();
  out[blockIdx.x * 4 + 3] = spak::smid() < spak::nsmid();
}

// One warpgroup gives registers to two others.
extern "C" __global__ void __launch_bounds__(384) registers(int* out) {
  if (threadIdx.x < 128) spak::registers_decrease<24>();
  else spak::registers_increase<240>();
  out[threadIdx.x] = static_cast<int>(threadIdx.x) + 1;
}
