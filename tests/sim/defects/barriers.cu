// Synchronisation of blocks and warps: barriers and shuffles are calls that all of the threads they name must make.
//@ arch sm_80
#include <spak/cuda/barrier.h>
#include <spak/cuda/device.h>

//@ defect two_barriers: divergent-barrier
//@   Both sides of a branch have a barrier, and these are two different ones.
//@ run block=64
//@ in x = i32(arange(64))
//@ out y: i32[64] = x[::-1]
extern "C" __global__ void two_barriers(const int* x, int* y) {
  __shared__ int s[64];
  const int t = threadIdx.x;
  if (t % 2 == 0) {
    s[t] = x[t];
    __syncthreads();  //@ broken; waits
  } else {
    s[t] = x[t];
    __syncthreads();  //@ broken; waits
  }
  __syncthreads();    //@ fixed
  y[t] = s[63 - t];
}

//@ defect barrier_in_branch: divergent-barrier
//@   Half of the threads skip the branch that holds the barrier.
//@ run block=64
//@ in x = i32(arange(64))
//@ out y: i32[32] = x[:32] + x[32:]
extern "C" __global__ void barrier_in_branch(const int* x, int* y) {
  __shared__ int s[64];
  const int t = threadIdx.x;
  s[t] = x[t];
  __syncthreads();        //@ fixed
  if (t < 32) {
    __syncthreads();      //@ broken; waits
    y[t] = s[t] + s[t + 32];
  }
}

//@ defect return_before_barrier: divergent-barrier
//@   Threads past the end return, and the rest waits for them.
//@ run block=64
//@ in n = 50
//@ in x = i32(arange(50))
//@ out y: i32[50] = x[::-1]
extern "C" __global__ void return_before_barrier(const int* x, int* y, int n) {
  __shared__ int s[64];
  const int t = threadIdx.x;
  if (t >= n) return;   //@ broken
  if (t < n) s[t] = x[t];
  __syncthreads();      //@ waits
  if (t >= n) return;   //@ fixed
  y[t] = s[n - 1 - t];
}

//@ defect loop_of_unequal_length: divergent-barrier
//@   Each thread runs as many rounds as its data say, with a barrier in every round.
//@ run block=64
//@ in x = i32(arange(64) // 32 + 1)
//@ out y: i32[64] = x * 2
extern "C" __global__ void loop_of_unequal_length(const int* x, int* y) {
  __shared__ int s[64];
  const int t = threadIdx.x;
  int sum = 0;
  const int rounds = 2;     //@ fixed
  const int rounds = x[t];  //@ broken
  for (int k = 0; k < rounds; ++k) {
    s[t] = x[t];
    __syncthreads();        //@ waits
    sum += s[t ^ 1];
    __syncthreads();
  }
  y[t] = sum;
}

//@ defect count_in_branch: divergent-barrier
//@   __syncthreads_count is a barrier too.
//@ run block=64
//@ in x = i32(arange(64))
//@ out y: i32[64] = ones(64) * 32
extern "C" __global__ void count_in_branch(const int* x, int* y) {
  const int t = threadIdx.x;
  int odd = 0;
  if (x[t] < 48)                              //@ broken
    odd = __syncthreads_count(x[t] % 2 == 1);  //@ waits
  y[t] = odd;
}

//@ defect barrier_against_shuffle: deadlock
//@   One warp waits at the barrier while a lane of another waits in a shuffle for a lane that went to the barrier.
//@ run block=32
//@ in x = i32(arange(32))
//@ out y: i32[32] = ones(32) * 31
//@ also divergent-warp, divergent-barrier
extern "C" __global__ void barrier_against_shuffle(const int* x, int* y) {
  const int t = threadIdx.x;
  if (t == 31) __syncthreads();                                   //@ broken; waits
  const int last = __shfl_sync(0xffffffffu, x[t], 31);            //@ waits
  if (t != 31) __syncthreads();                                   //@ broken
  __syncthreads();                                                //@ fixed
  y[t] = last;
}

//@ defect branch_around_shuffle: divergent-warp
//@   The mask names all lanes, and half of them never come to the shuffle.
//@ run block=32
//@ in x = i32(arange(32))
//@ out y: i32[32] = where(x < 16, x ^ 1, x)
extern "C" __global__ void branch_around_shuffle(const int* x, int* y) {
  const int t = threadIdx.x;
  int v = x[t];
  if (t < 16) v = __shfl_xor_sync(0xffffu, v, 1);       //@ fixed
  if (t < 16) v = __shfl_xor_sync(0xffffffffu, v, 1);   //@ broken; waits
  if (t >= 16) __syncwarp();                            //@ broken
  if (t >= 16) __syncwarp(0xffff0000u);                 //@ fixed
  y[t] = v;
}

//@ defect masks_differ: divergent-warp
//@   Each lane names itself and its neighbour above: no two lanes agree who takes part.
//@ run block=32
//@ in x = i32(arange(32))
//@ out y: u32[32] = u32(arange(32) * 0 + 0xaaaaaaaa)
extern "C" __global__ void masks_differ(const int* x, unsigned* y) {
  const int t = threadIdx.x;
  const unsigned mask = 0xffffffffu;       //@ fixed
  const unsigned mask = 0xffffffffu << (t / 16);  //@ broken
  y[t] = __ballot_sync(mask, x[t] % 2);    //@ waits
}

//@ defect own_lane_not_named: divergent-warp
//@   A lane takes part in a vote whose mask does not name it.
//@ run block=32
//@ in x = i32(arange(32))
//@ out y: i32[32] = ones(32)
extern "C" __global__ void own_lane_not_named(const int* x, int* y) {
  const int t = threadIdx.x;
  y[t] = __all_sync(0xffffffffu, x[t] >= 0);  //@ fixed
  y[t] = __all_sync(0x7fffffffu, x[t] >= 0);  //@ broken; here
}

//@ defect exited_lane: inactive-lane
//@   Lanes past the end have returned, and the shuffle still reads them.
//@ run block=32
//@ in n = 20
//@ in x = i32(arange(20))
//@ out y: i32[1] = x.sum()
extern "C" __global__ void exited_lane(const int* x, int* y, int n) {
  const int t = threadIdx.x;
  if (t >= n) return;                   //@ broken
  int sum = t < n ? x[t] : 0;
  for (int step = 16; step > 0; step /= 2) sum += __shfl_down_sync(0xffffffffu, sum, step);  //@ here
  if (t == 0) y[0] = sum;
}

//@ defect short_warp: inactive-lane
//@   The last warp of 48 threads has 16 lanes, and the reduction is written for 32.
//@ run block=64
//@ run[broken] block=48
//@ in x = i32(append(arange(48), zeros(16)))
//@ inout y: i32[1] = zeros(1) -> x.sum()
extern "C" __global__ void short_warp(const int* x, int* y) {
  int sum = x[threadIdx.x];
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);  //@ here
  if (threadIdx.x % 32 == 0) atomicAdd(y, sum);
}

//@ defect lane_not_in_mask: inactive-lane
//@   The source lane is there, but the mask does not name it.
//@ run block=32
//@ in x = i32(arange(32))
//@ out y: i32[32] = where(x < 16, 15, x)
extern "C" __global__ void lane_not_in_mask(const int* x, int* y) {
  const int t = threadIdx.x;
  y[t] = x[t];
  if (t < 16) y[t] = __shfl_sync(0xffffu, x[t], 15);  //@ fixed
  if (t < 16) y[t] = __shfl_sync(0xffffu, x[t], 16);  //@ broken; here
}

//@ defect unequal_counts: barrier-count
//@   The consumers of a named barrier count 96 threads, the producers 64.
//@ run block=96
//@ in x = i32(arange(32))
//@ out y: i32[64] = append(x, x)
//@ also deadlock, race-shared
extern "C" __global__ void unequal_counts(const int* x, int* y) {
  __shared__ int s[32];
  const int t = threadIdx.x;
  if (t < 32) {
    s[t] = x[t];
    spak::named_arrive(1, 96);  //@ fixed
    spak::named_arrive(1, 64);  //@ broken; here
  } else {
    spak::named_sync(1, 96);    //@ here
    y[t - 32] = s[t & 31];
  }
}

//@ defect named_barrier_short: deadlock
//@   A named barrier waits for four warps, and three ever come.
//@ run block=128
//@ in x = i32(arange(128))
//@ out y: i32[96] = x[:96][::-1]
//@ also divergent-barrier, barrier-count
extern "C" __global__ void named_barrier_short(const int* x, int* y) {
  __shared__ int s[128];
  const int t = threadIdx.x;
  if (t >= 96) return;
  s[t] = x[t];
  spak::named_sync(2, 96);   //@ fixed
  spak::named_sync(2, 128);  //@ broken; waits
  y[t] = s[95 - t];
}

//@ defect named_barrier_id: bad-argument
//@   There are 16 named barriers, 0 to 15.
//@ run block=64
//@ out y: i32[64] = arange(64)
extern "C" __global__ void named_barrier_id(int* y) {
  spak::named_sync(15, 64);  //@ fixed
  spak::named_sync(16, 64);  //@ broken; here
  y[threadIdx.x] = threadIdx.x;
}

//@ defect shuffle_width: bad-argument
//@   The width of a shuffle is a power of two.
//@ run block=32
//@ in x = i32(arange(32))
//@ out y: i32[32] = x // 8 * 8
extern "C" __global__ void shuffle_width(const int* x, int* y) {
  y[threadIdx.x] = __shfl_sync(0xffffffffu, x[threadIdx.x], 0, 8);   //@ fixed
  y[threadIdx.x] = __shfl_sync(0xffffffffu, x[threadIdx.x], 0, 12);  //@ broken; here
}

//@ defect flag_never_raised: no-progress
//@   A block spins on a flag that a block raises only under a condition that no data fulfil.
//@ run grid=2 block=32 seconds=0.3
//@ in x = i32(arange(32))
//@ inout flag: u32[1] = zeros(1) -> [1]
//@ out y: i32[1] = [1]
extern "C" __global__ void flag_never_raised(const int* x, unsigned* flag, int* y) {
  const int t = threadIdx.x;
  if (blockIdx.x == 0) {
    if (t == 31) atomicExch(flag, 1u);                 //@ fixed
    if (t == 31 && x[t] > 31) atomicExch(flag, 1u);    //@ broken
  } else if (t == 0) {
    while (atomicAdd(flag, 0u) == 0) __nanosleep(20);  //@ runs
    y[0] = 1;
  }
}

//@ defect lock_never_released: no-progress
//@   A lane leaves the critical section by a path that does not give the lock back.
//@ run block=32 seconds=0.3
//@ inout lock: i32[1] = zeros(1) -> [0]
//@ inout y: i32[1] = zeros(1) -> [32]
extern "C" __global__ void lock_never_released(int* lock, int* y) {
  while (atomicCAS(lock, 0, 1) != 0) __nanosleep(20);  //@ runs
  __threadfence();
  const int old = *y;
  *y = old + 1;
  __threadfence();
  if (old == 3) return;  //@ broken
  atomicExch(lock, 0);
}
