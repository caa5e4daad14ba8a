// Clusters: blocks that run together and reach into each other's shared memory, as long as both are there.
//@ arch sm_90a
#include <spak/cuda/bulk.h>
#include <spak/cuda/cluster.h>
#include <spak/cuda/device.h>
#include <spak/cuda/fence.h>
#include <spak/cuda/mbarrier.h>

using namespace spak;

//@ defect peer_read_too_early: race-shared
//@   A block reads its peer's shared memory before the cluster has met.
//@ run grid=2 block=32 cluster=2
//@ in x = i32(arange(64))
//@ out y: i32[64] = roll(x, 32)
//@ also shared-overflow
extern "C" __global__ void peer_read_too_early(const int* x, int* y) {
  __shared__ int s[32];
  const int t = threadIdx.x, i = blockIdx.x * 32 + t;
  s[t] = x[i];                                        //@ writes
  __syncthreads();                                    //@ broken
  cluster_sync();                                     //@ fixed
  y[i] = cluster_map(s, cluster_rank() ^ 1)[t];       //@ reads
  cluster_sync();
}

//@ defect exit_before_peer_reads: exited-peer
//@   A block is done and exits while its peer still reads its shared memory.
//@ run grid=2 block=32 cluster=2
//@ in x = i32(arange(64))
//@ out y: i32[32] = x[:32] + x[32:]
extern "C" __global__ void exit_before_peer_reads(const int* x, int* y) {
  __shared__ int s[32];
  const int t = threadIdx.x;
  s[t] = x[blockIdx.x * 32 + t];
  cluster_sync();
  if (cluster_rank() == 0) y[t] = s[t] + cluster_map(s, 1)[t];  //@ reads
  cluster_sync();                                               //@ fixed
}

//@ defect exit_before_remote_arrive: exited-peer
//@   The consumer's last arrival goes to a producer that has left.
//@ run grid=2 block=32 cluster=2
//@ in x = i32(arange(32))
//@ out y: i32[32] = x
extern "C" __global__ void exit_before_remote_arrive(const int* x, int* y) {
  __shared__ int s[32];
  __shared__ uint64_t empty;
  const int t = threadIdx.x;
  if (t == 0) {
    mbarrier_init(&empty, 32);
    fence_mbarrier_init();
  }
  s[t] = x[t];
  cluster_sync();
  if (cluster_rank() == 1) {
    y[t] = s[t];
    mbarrier_arrive_remote(&empty, 0);  //@ here
  }
  if (cluster_rank() == 0) mbarrier_wait_cluster(&empty, 0);  //@ fixed
}

//@ defect multicast_to_exited: exited-peer
//@   One block multicasts a tile to both, and the other exits without waiting for it.
//@ run grid=2 block=32 cluster=2
//@ in x = i32(arange(32))
//@ out y: i32[64] = append(x, x)
//@ also missing-wait
extern "C" __global__ void multicast_to_exited(const int* x, int* y) {
  __shared__ __align__(128) int s[32];
  __shared__ uint64_t full;
  const int t = threadIdx.x;
  if (t == 0) {
    mbarrier_init(&full, 1);
    fence_mbarrier_init();
    mbarrier_arrive_expect_tx(&full, sizeof s);
  }
  cluster_sync();
  if (cluster_rank() == 1) {                                      //@ broken
    y[32 + t] = x[t];                                             //@ broken
    return;                                                       //@ broken
  }                                                               //@ broken
  if (cluster_rank() == 0 && t == 0) {
    bulk_load_multicast(s, x, sizeof s, &full, uint16_t{0b11});   //@ here
  }
  mbarrier_wait(&full, 0);
  y[32 * blockIdx.x + t] = s[t];
  cluster_sync();                                                 //@ fixed
}

//@ defect cluster_barrier_in_branch: deadlock
//@   One warp of a block goes to the cluster barrier, the other waits for it at the block's.
//@ run grid=2 block=64 cluster=2
//@ out y: i32[128] = arange(128)
//@ also divergent-barrier
extern "C" __global__ void cluster_barrier_in_branch(int* y) {
  if (threadIdx.x < 32)  //@ broken
    cluster_sync();      //@ waits
  __syncthreads();       //@ waits
  y[blockIdx.x * 64 + threadIdx.x] = blockIdx.x * 64 + threadIdx.x;
  cluster_sync();        //@ fixed
}

//@ defect relaxed_arrival: race-shared
//@   The relaxed form of the cluster's arrival orders no memory.
//@ run grid=2 block=32 cluster=2
//@ in x = i32(arange(64))
//@ out y: i32[64] = roll(x, 32)
extern "C" __global__ void relaxed_arrival(const int* x, int* y) {
  __shared__ int s[32];
  const int t = threadIdx.x, i = blockIdx.x * 32 + t;
  s[t] = x[i];                                   //@ writes
  cluster_arrive();                              //@ fixed
  cluster_arrive_relaxed();                      //@ broken
  cluster_wait();
  y[i] = cluster_map(s, cluster_rank() ^ 1)[t];  //@ reads
  cluster_sync();
}

//@ defect peer_not_there: bad-argument
//@   A cluster of two has ranks 0 and 1; the next of the last is not 2.
//@ run grid=2 block=32 cluster=2
//@ in x = i32(arange(64))
//@ out y: i32[64] = roll(x, 32)
extern "C" __global__ void peer_not_there(const int* x, int* y) {
  __shared__ int s[32];
  const int t = threadIdx.x, i = blockIdx.x * 32 + t;
  s[t] = x[i];
  cluster_sync();
  const unsigned next = (cluster_rank() + 1) % cluster_size();  //@ fixed
  const unsigned next = cluster_rank() + 1;                     //@ broken
  y[i] = cluster_map(s, next)[t];                               //@ here
  cluster_sync();
}

//@ defect multicast_mask: bad-argument
//@   The mask of a multicast names a block that the cluster does not have.
//@ run grid=2 block=32 cluster=2
//@ in x = i32(arange(32))
//@ out y: i32[64] = append(x, x)
extern "C" __global__ void multicast_mask(const int* x, int* y) {
  __shared__ __align__(128) int s[32];
  __shared__ uint64_t full;
  const int t = threadIdx.x;
  if (t == 0) {
    mbarrier_init(&full, 1);
    fence_mbarrier_init();
    mbarrier_arrive_expect_tx(&full, sizeof s);
  }
  cluster_sync();
  const uint16_t everybody = 0b11;    //@ fixed
  const uint16_t everybody = 0b1111;  //@ broken
  if (cluster_rank() == 0 && t == 0) bulk_load_multicast(s, x, sizeof s, &full, everybody);  //@ here
  mbarrier_wait(&full, 0);
  y[32 * blockIdx.x + t] = s[t];
  cluster_sync();
}

//@ defect half_of_the_bytes: in-flight-read
//@   Two blocks multicast half a tile each to both, and each expects only one half:
//@   the phase completes when the first of the two has landed.
//@ run grid=2 block=32 cluster=2
//@ in x = i32(arange(64))
//@ out y: i32[128] = append(x, x)
//@ also mbarrier-misuse, exited-peer, deadlock
extern "C" __global__ void half_of_the_bytes(const int* x, int* y) {
  __shared__ __align__(128) int s[64];
  __shared__ uint64_t full;
  const int t = threadIdx.x, rank = static_cast<int>(cluster_rank());
  if (t == 0) {
    mbarrier_init(&full, 1);
    fence_mbarrier_init();
    mbarrier_arrive_expect_tx(&full, 256);  //@ fixed
    mbarrier_arrive_expect_tx(&full, 128);  //@ broken
  }
  cluster_sync();
  if (t == 0) bulk_load_multicast(s + 32 * rank, x + 32 * rank, 128, &full, uint16_t{0b11});  //@ bulk
  mbarrier_wait(&full, 0);
  for (int k = t; k < 64; k += 32) y[64 * rank + k] = s[k];  //@ reads
  cluster_sync();
}

//@ defect peer_barrier_not_ready: race-shared
//@   A block arrives at its peer's barrier, which the peer may not have initialised.
//@ run grid=2 block=32 cluster=2
//@ out y: i32[2] = [1, 1]
//@ also mbarrier-misuse, uninitialised-read, deadlock
extern "C" __global__ void peer_barrier_not_ready(int* y) {
  __shared__ uint64_t bar;
  if (threadIdx.x == 0) {
    mbarrier_init(&bar, 1);                               //@ here
    fence_mbarrier_init();
  }
  __syncthreads();                                        //@ broken
  cluster_sync();                                         //@ fixed
  if (threadIdx.x == 0) {
    mbarrier_arrive_remote(&bar, cluster_rank() ^ 1);     //@ here
    mbarrier_wait_cluster(&bar, 0);
    y[blockIdx.x] = 1;
  }
  cluster_sync();
}

//@ defect peer_overwritten: race-shared
//@   A block writes its result into its peer's tile while the peer still reads it.
//@ run grid=2 block=32 cluster=2
//@ in x = i32(arange(64))
//@ out y: i32[64] = x.reshape(2, 32)[:, ::-1].ravel() + x.reshape(2, 32)[::-1].ravel()
extern "C" __global__ void peer_overwritten(const int* x, int* y) {
  __shared__ int s[32];
  const int t = threadIdx.x, i = blockIdx.x * 32 + t;
  s[t] = x[i];
  cluster_sync();
  const int mirrored = s[31 - t];                 //@ reads
  cluster_sync();                                 //@ fixed
  cluster_map(s, cluster_rank() ^ 1)[t] = x[i];   //@ writes
  cluster_sync();
  y[i] = mirrored + s[t];
}

//@ defect fence_of_cluster: race-global
//@   The fence covers the cluster, and the flag is read by a block of another one.
//@ run grid=4 block=32 cluster=2
//@ scratch data: i32[32]
//@ inout flag: u32[1] = zeros(1) -> [1]
//@ out y: i32[32] = arange(32)
extern "C" __global__ void fence_of_cluster(int* data, unsigned* flag, int* y) {
  const int t = threadIdx.x;
  if (blockIdx.x == 0) {
    data[t] = t;  //@ writes
    __syncthreads();
    if (t == 0) {
      __threadfence();  //@ fixed
      fence_cluster();  //@ broken
      atomicExch(flag, 1u);
    }
  } else if (blockIdx.x == 2) {
    if (t == 0) {
      while (atomicAdd(flag, 0u) == 0) __nanosleep(20);
      __threadfence();
    }
    __syncthreads();
    y[t] = data[t];  //@ reads
  }
}

//@ defect reader_fence_of_cluster: race-global
//@   The reader's fence covers its cluster.
//@ run grid=4 block=32 cluster=2
//@ scratch data: i32[32]
//@ inout flag: u32[1] = zeros(1) -> [1]
//@ out y: i32[32] = arange(32)
extern "C" __global__ void reader_fence_of_cluster(int* data, unsigned* flag, int* y) {
  const int t = threadIdx.x;
  if (blockIdx.x == 0) {
    data[t] = t;  //@ writes
    __syncthreads();
    if (t == 0) {
      __threadfence();
      atomicExch(flag, 1u);
    }
  } else if (blockIdx.x == 2) {
    while (*static_cast<volatile unsigned*>(flag) == 0) __nanosleep(20);
    __threadfence();  //@ fixed
    fence_cluster();  //@ broken
    y[t] = data[t];  //@ reads
  }
}

//@ defect atomics_on_gone_peer: exited-peer
//@   Blocks count in each other's bins by atomics, and part without having met.
//@ run grid=2 block=64 cluster=2
//@ in x = i32(arange(128) * 7 % 64)
//@ inout y: i32[64] = zeros(64) -> i32(where(arange(64) >= 0, 2, 0))
extern "C" __global__ void atomics_on_gone_peer(const int* x, int* y) {
  __shared__ int bins[32];
  const int t = threadIdx.x;
  if (t < 32) bins[t] = 0;
  cluster_sync();
  const int v = x[blockIdx.x * 64 + t];
  atomicAdd(cluster_map(bins, v / 32) + v % 32, 1);  //@ here
  cluster_sync();  //@ fixed
  __syncthreads();  //@ broken
  if (t < 32) y[32 * blockIdx.x + t] = atomicAdd(&bins[t], 0);
}

//@ defect peer_not_started: race-shared
//@   A block stores into its peer's shared memory before it knows that the peer has begun.
//@ run grid=2 block=32 cluster=2
//@ in x = i32(arange(64))
//@ out y: i32[64] = roll(x, 32)
//@ also exited-peer
extern "C" __global__ void peer_not_started(const int* x, int* y) {
  __shared__ int s[32];
  const int t = threadIdx.x, i = blockIdx.x * 32 + t;
  cluster_sync();  //@ fixed
  cluster_map(s, cluster_rank() ^ 1)[t] = x[i];  //@ here
  cluster_sync();
  y[i] = s[t];
}

//@ defect peers_barrier_waited_for: mbarrier-misuse
//@   A thread can arrive at a peer's barrier, but wait for its own block's only.
//@ run grid=2 block=32 cluster=2
//@ in x = i32(arange(32))
//@ out y: i32[64] = append(x, x)
extern "C" __global__ void peers_barrier_waited_for(const int* x, int* y) {
  __shared__ uint64_t bar;
  const int t = threadIdx.x;
  if (t == 0) {
    mbarrier_init(&bar, 1);
    fence_mbarrier_init();
  }
  cluster_sync();
  if (t == 0 && cluster_rank() == 0) { mbarrier_arrive(&bar); mbarrier_arrive_remote(&bar, 1); }
  mbarrier_wait(&bar, 0);  //@ fixed
  mbarrier_wait(cluster_map(&bar, 0), 0);  //@ broken; here
  y[32 * blockIdx.x + t] = x[t];
  cluster_sync();
}
