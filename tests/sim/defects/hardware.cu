// Rules of the machine and of the language: launches that cannot be, registers that are not there, arithmetic without a result.
//@ arch sm_90a
#include <spak/cuda/device.h>
#include <spak/cuda/registers.h>

using namespace spak;

//@ defect block_too_large: bad-launch
//@   A block has at most 1024 threads.
//@ run block=(32, 32)
//@ run[broken] block=(32, 33)
//@ out y: i32[1] = [1]
extern "C" __global__ void block_too_large(int* y) {
  if (threadIdx.x + threadIdx.y == 0) *y = 1;
}

//@ defect shared_too_large: bad-launch
//@   A block of this machine has at most 227 KB of shared memory.
//@ run block=32 smem=227*1024
//@ run[broken] block=32 smem=228*1024
//@ out y: i32[1] = [5]
extern "C" __global__ void shared_too_large(int* y) {
  extern __shared__ int arena[];
  if (threadIdx.x == 0) {
    arena[227 * 256 - 1] = 5;
    *y = arena[227 * 256 - 1];
  }
}

//@ defect launch_bounds_exceeded: bad-launch
//@   The kernel was compiled for at most 128 threads, and its launch asks for more.
//@ run block=128
//@ run[broken] block=256
//@ inout y: i32[1] = [0] -> [128]
extern "C" __global__ void __launch_bounds__(128) launch_bounds_exceeded(int* y) {
  atomicAdd(y, 1);
}

//@ defect grid_not_divided: bad-launch
//@   A grid is made of whole clusters.
//@ run grid=4 block=32 cluster=2
//@ run[broken] grid=3 block=32 cluster=2
//@ inout y: i32[1] = [0] -> [4]
extern "C" __global__ void grid_not_divided(int* y) {
  if (threadIdx.x == 0) atomicAdd(y, 1);
}

//@ defect cluster_too_large: bad-launch
//@   A portable cluster has at most 8 blocks.
//@ run grid=32 block=32 cluster=8
//@ run[broken] grid=32 block=32 cluster=32
//@ inout y: i32[1] = [0] -> [32]
extern "C" __global__ void cluster_too_large(int* y) {
  if (threadIdx.x == 0) atomicAdd(y, 1);
}

//@ defect empty_grid: bad-launch
//@   A problem without elements makes a grid without blocks, and that is an error, not a short launch.
//@ run grid=1 block=32
//@ run[broken] grid=0 block=32
//@ inout y: i32[1] = [0] -> [32]
extern "C" __global__ void empty_grid(int* y) {
  atomicAdd(y, 1);
}

//@ defect registers_over_budget: register-budget
//@   Three warpgroups want 240 registers a thread each, and an SM has 65,536.
//@ run block=384
//@ out y: i32[1] = [1]
//@ also deadlock
extern "C" __global__ void __launch_bounds__(384, 1) registers_over_budget(int* y) {
  if (threadIdx.x < 128) {
    registers_decrease<24>();  //@ fixed
    registers_increase<240>();  //@ broken; here
  } else {
    registers_increase<240>();  //@ here
  }
  if (threadIdx.x == 0) *y = 1;
}

//@ defect registers_of_one_warp: bad-warpgroup
//@   All four warps of a warpgroup change their registers together.
//@ run block=128
//@ out y: i32[1] = [1]
//@ also divergent-warp, deadlock
extern "C" __global__ void __launch_bounds__(128, 1) registers_of_one_warp(int* y) {
  if (threadIdx.x < 32) registers_decrease<40>();  //@ broken; here
  registers_decrease<40>();                        //@ fixed
  if (threadIdx.x == 0) *y = 1;
}

//@ defect division_by_zero: arithmetic
//@   An empty group has no mean.
//@ run block=32
//@ in count = i32(arange(32) % 4)
//@ in sum = i32(arange(32))
//@ out mean: i32[32] = where(count > 0, sum // maximum(count, 1), 0)
extern "C" __global__ void division_by_zero(const int* sum, const int* count, int* mean) {
  const int t = threadIdx.x;
  mean[t] = count[t] > 0 ? sum[t] / count[t] : 0;  //@ fixed
  mean[t] = sum[t] / count[t];                     //@ broken; here
}

//@ defect remainder_by_zero: arithmetic
//@   The number of tiles is rounded down to none, and the tile's place is a remainder by it.
//@ run block=32
//@ in n = 10
//@ out y: i32[32] = zeros(32)
extern "C" __global__ void remainder_by_zero(int* y, int n) {
  const int tiles = (n + 31) / 32;  //@ fixed
  const int tiles = n / 32;         //@ broken
  y[threadIdx.x] = static_cast<int>(blockIdx.x) % tiles;  //@ here
}

//@ defect assertion_fails: assertion
//@   What the kernel takes for granted of its input does not hold.
//@ run block=32
//@ in x = i32(arange(32))
//@ in[broken] x = i32(arange(32) - 1)
//@ out y: i32[32] = x
extern "C" __global__ void assertion_fails(const int* x, int* y) {
  if (x[threadIdx.x] < 0) __trap();  //@ here
  y[threadIdx.x] = x[threadIdx.x];
}

//@ defect loop_without_end: no-progress
//@   A step that is halved once too often is zero, and the loop never reaches its end.
//@ run block=1 seconds=0.3
//@ in first = 4
//@ out y: i32[1] = [12]
extern "C" __global__ void loop_without_end(int* y, int first) {
  int i = 0;
  for (int step = first; i < 12; step = max(step / 2, 1)) *y = i += step;  //@ fixed
  for (int step = first; i < 12; step = step / 2) *y = i += step;          //@ broken; runs
  *y = i;
}

//@ defect pool_exceeded: register-budget
//@   Three warpgroups are launched with 168 registers a thread, 64,512 in all; 32 and twice 240 are 65,536, more than that.
//@ run block=384
//@ out y: i32[384] = arange(384)
//@ also deadlock
extern "C" __global__ void __launch_bounds__(384, 1) pool_exceeded(int* y) {
  if (threadIdx.x < 128) {
    registers_decrease<24>();  //@ fixed
    registers_decrease<32>();  //@ broken
  } else {
    registers_increase<240>();  //@ here
  }
  y[threadIdx.x] = threadIdx.x;
}
