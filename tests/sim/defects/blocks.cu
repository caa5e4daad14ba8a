// Races in global memory: blocks of one launch run in any order, and only atomics and fences order what they do.
//@ arch sm_80
#include <spak/cuda/device.h>

//@ defect total_without_atomic: race-global
//@   Every block adds its share to one total with an ordinary read and write.
//@ run grid=4 block=32
//@ in x = i32(arange(128))
//@ inout total: i32[1] = zeros(1) -> x.sum()
extern "C" __global__ void total_without_atomic(const int* x, int* total) {
  const int share = __reduce_add_sync(0xffffffffu, x[blockIdx.x * 32 + threadIdx.x]);
  if (threadIdx.x == 0) {
    atomicAdd(total, share);  //@ fixed
    *total += share;          //@ broken; reads; writes
  }
}

//@ defect overlapping_tiles: race-global
//@   Each block writes one element of its neighbour's tile.
//@ run grid=4 block=32
//@ in x = f32(arange(128))
//@ out y: f32[129] = append(x, 127)
extern "C" __global__ void overlapping_tiles(const float* x, float* y) {
  const int i = blockIdx.x * 32 + threadIdx.x;
  y[i] = x[i];                                                        //@ writes
  if (threadIdx.x == 31 && blockIdx.x == gridDim.x - 1) y[i + 1] = x[i];  //@ fixed
  if (threadIdx.x == 31) y[i + 1] = x[i];                             //@ broken; writes
}

//@ defect stencil_in_place: race-global
//@   A stencil updates its own input: a block reads what its neighbour may have replaced already.
//@ run grid=4 block=32
//@ inout x: f32[128] = arange(128) -> x
//@ out y: f32[128] = x + append(0, x[:-1])
extern "C" __global__ void stencil_in_place(float* x, float* y) {
  const int i = blockIdx.x * 32 + threadIdx.x;
  const float sum = x[i] + (i > 0 ? x[i - 1] : 0);  //@ reads
  y[i] = sum;                                       //@ fixed
  __syncthreads();                                  //@ broken
  x[i] = sum;                                       //@ broken; writes
}

//@ defect two_phases: race-global
//@   The second half of the kernel reads what other blocks wrote in the first; __syncthreads waits for one block only.
//@ run grid=4 block=32
//@ in x = i32(arange(128))
//@ scratch w: i32[128]
//@ out y: i32[128] = x.reshape(4, 32)[:, ::-1].ravel()
//@ also uninitialised-read
extern "C" __global__ void two_phases(const int* x, int* w, int* y) {
  const int i = blockIdx.x * 32 + threadIdx.x;
  w[i] = x[i];  //@ writes
  __syncthreads();
  y[i] = w[blockIdx.x * 32 + 31 - threadIdx.x];  //@ fixed
  y[i] = w[127 - i];                             //@ broken; reads
}

//@ defect same_block_global: race-global
//@   Global memory needs a barrier between threads of one block just as shared memory does.
//@ run block=64
//@ in x = i32(arange(64))
//@ scratch w: i32[64]
//@ out y: i32[64] = x[::-1]
//@ also uninitialised-read
extern "C" __global__ void same_block_global(const int* x, int* w, int* y) {
  w[threadIdx.x] = x[threadIdx.x];       //@ writes
  __syncthreads();                       //@ fixed
  y[threadIdx.x] = w[63 - threadIdx.x];  //@ reads
}

//@ defect last_block_without_fence: race-global
//@   The last block adds up the partial sums, and the blocks that wrote them did not fence before they counted themselves.
//@ run grid=4 block=32
//@ in x = i32(arange(128))
//@ scratch partial: i32[4]
//@ inout count: u32[1] = zeros(1) -> [4]
//@ out y: i32[1] = x.sum()
extern "C" __global__ void last_block_without_fence(const int* x, int* partial, unsigned* count, int* y) {
  const int share = __reduce_add_sync(0xffffffffu, x[blockIdx.x * 32 + threadIdx.x]);
  if (threadIdx.x != 0) return;
  partial[blockIdx.x] = share;   //@ writes
  __threadfence();               //@ fixed
  const unsigned before = atomicAdd(count, 1u);
  if (before != gridDim.x - 1) return;
  __threadfence();               //@ fixed
  int sum = 0;
  for (int b = 0; b < 4; ++b) sum += partial[b];  //@ reads
  y[0] = sum;
}

//@ defect fence_of_block: race-global
//@   The fence covers the block, and the flag is read by another one.
//@ run grid=2 block=32
//@ scratch data: i32[32]
//@ inout flag: u32[1] = zeros(1) -> [1]
//@ out y: i32[32] = arange(32)
extern "C" __global__ void fence_of_block(int* data, unsigned* flag, int* y) {
  const int t = threadIdx.x;
  if (blockIdx.x == 0) {
    data[t] = t;              //@ writes
    __syncthreads();
    if (t == 0) {
      __threadfence();        //@ fixed
      __threadfence_block();  //@ broken
      atomicExch(flag, 1u);
    }
  } else {
    if (t == 0) {
      while (atomicAdd(flag, 0u) == 0) __nanosleep(20);
      __threadfence();
    }
    __syncthreads();
    y[t] = data[t];           //@ reads
  }
}

//@ defect flag_without_fence: race-global
//@   A block publishes its result and raises a flag, in program order only.
//@ run grid=2 block=32
//@ scratch data: i32[1]
//@ inout flag: u32[1] = zeros(1) -> [1]
//@ out y: i32[1] = [42]
extern "C" __global__ void flag_without_fence(int* data, unsigned* flag, int* y) {
  if (threadIdx.x != 0) return;
  if (blockIdx.x == 0) {
    *data = 42;         //@ writes
    __threadfence();    //@ fixed
    atomicExch(flag, 1u);
  } else {
    while (atomicAdd(flag, 0u) == 0) __nanosleep(20);
    __threadfence();
    *y = *data;         //@ reads
  }
}

//@ defect flag_without_atomic: race-global
//@   The flag itself is an ordinary variable: waiting for it is a race, and the compiler may read it once.
//@ run grid=2 block=32
//@ inout flag: u32[1] = zeros(1) -> [1]
//@ out y: i32[1] = [1]
extern "C" __global__ void flag_without_atomic(unsigned* flag, int* y) {
  if (threadIdx.x != 0) return;
  if (blockIdx.x == 0) {
    atomicExch(flag, 1u);  //@ fixed
    *flag = 1;             //@ broken; writes
  } else {
    y[0] = 1;
    while (atomicAdd(flag, 0u) == 0) __nanosleep(20);                       //@ fixed
    for (int tries = 0; tries < 4 && *flag == 0; ++tries) __nanosleep(20);  //@ broken; reads
  }
}

//@ defect zeroed_by_who_adds: race-global
//@   The thread that adds first has set the total to zero, in the same kernel: others may have added before.
//@ run grid=4 block=32
//@ in x = i32(arange(128))
//@ inout total: i32[1] = zeros(1) -> x.sum()
extern "C" __global__ void zeroed_by_who_adds(const int* x, int* total) {
  const int share = __reduce_add_sync(0xffffffffu, x[blockIdx.x * 32 + threadIdx.x]);
  if (threadIdx.x == 0) {
    if (blockIdx.x == 0) *total = 0;  //@ broken; writes
    atomicAdd(total, share);          //@ accesses atomically
  }
}

//@ defect atomic_and_plain: race-global
//@   One block counts atomically, another resets the same counter with a plain store.
//@ run grid=2 block=32
//@ inout count: i32[1] = zeros(1) -> [32]
extern "C" __global__ void atomic_and_plain(int* count) {
  if (blockIdx.x == 0) atomicAdd(count, 1);               //@ accesses atomically
  if (blockIdx.x == 1 && threadIdx.x == 0) *count = 0;    //@ broken; writes
}

//@ defect scope_too_narrow: race-global
//@   A block-scope atomic on a counter that all blocks share.
//@ run grid=4 block=32
//@ inout count: i32[1] = zeros(1) -> [128]
extern "C" __global__ void scope_too_narrow(int* count) {
  atomicAdd(count, 1);        //@ fixed
  atomicAdd_block(count, 1);  //@ broken; accesses atomically
}

//@ defect scatter_collides: race-global
//@   Two threads scatter to the same place: who is last wins.
//@ run grid=2 block=32
//@ in index = i32(arange(64))
//@ in[broken] index = i32(arange(64) // 2 * 2)
//@ inout y: i32[64] = zeros(64) -> arange(64)
//@ also race-warp
extern "C" __global__ void scatter_collides(const int* index, int* y) {
  const int i = blockIdx.x * 32 + threadIdx.x;
  y[index[i]] = i;  //@ writes
}

//@ defect reader_fence_of_block: race-global
//@   The reader's fence covers its block.
//@ run grid=2 block=32
//@ scratch data: i32[32]
//@ inout flag: u32[1] = zeros(1) -> [1]
//@ out y: i32[32] = arange(32)
extern "C" __global__ void reader_fence_of_block(int* data, unsigned* flag, int* y) {
  const int t = threadIdx.x;
  if (blockIdx.x == 0) {
    data[t] = t;  //@ writes
    __syncthreads();
    if (t == 0) {
      __threadfence();
      atomicExch(flag, 1u);
    }
  } else {
    while (*static_cast<volatile unsigned*>(flag) == 0) __nanosleep(20);
    __threadfence();  //@ fixed
    __threadfence_block();  //@ broken
    y[t] = data[t];  //@ reads
  }
}
