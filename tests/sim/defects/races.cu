// Races in shared memory: two threads of a block touch the same bytes, one of them writes, and nothing orders them.
//@ arch sm_80
#include <spak/cuda/barrier.h>
#include <spak/cuda/device.h>

//@ defect read_before_barrier: race-shared
//@   A thread reads its neighbour's element, and nothing says that the neighbour has written it.
//@ run block=64
//@ in x = f32(arange(64))
//@ out y: f32[64] = x[::-1]
extern "C" __global__ void read_before_barrier(const float* x, float* y) {
  __shared__ float s[64];
  s[threadIdx.x] = x[threadIdx.x];       //@ writes
  __syncthreads();                       //@ fixed
  y[threadIdx.x] = s[63 - threadIdx.x];  //@ reads
}

//@ defect barrier_too_early: race-shared
//@   There is a barrier, on the wrong side of the store.
//@ run block=128
//@ in x = f32(arange(128))
//@ out y: f32[128] = roll(x, -32)
extern "C" __global__ void barrier_too_early(const float* x, float* y) {
  __shared__ float s[128];
  __syncthreads();                                //@ broken
  s[threadIdx.x] = x[threadIdx.x];                //@ writes
  __syncthreads();                                //@ fixed
  y[threadIdx.x] = s[(threadIdx.x + 32) & 127];   //@ reads
}

//@ defect reduction_tree: race-shared
//@   A reduction tree whose levels are not separated.
//@ run block=256
//@ in x = f32(arange(256))
//@ out y: f32[1] = x.sum()
//@ also race-warp
extern "C" __global__ void reduction_tree(const float* x, float* y) {
  __shared__ float s[256];
  const int t = threadIdx.x;
  s[t] = x[t];
  for (int half = 128; half > 0; half /= 2) {
    __syncthreads();                    //@ fixed
    if (half == 128) __syncthreads();   //@ broken
    if (t < half) s[t] += s[t + half];  //@ reads; writes
  }
  if (t == 0) y[0] = s[0];
}

//@ defect transposed_tile: race-shared
//@   A tile is written by rows and read by columns without a barrier between.
//@ run block=(16, 16)
//@ in x = f32(arange(256)).reshape(16, 16)
//@ out y: f32[16, 16] = x.T
//@ also race-warp
extern "C" __global__ void transposed_tile(const float* x, float* y) {
  __shared__ float tile[16][17];
  const int c = threadIdx.x, r = threadIdx.y;
  tile[r][c] = x[16 * r + c];  //@ writes
  __syncthreads();             //@ fixed
  y[16 * r + c] = tile[c][r];  //@ reads
}

//@ defect broadcast_of_one: race-shared
//@   Thread 0 computes a value for all, and the others do not wait for it.
//@ run block=64
//@ in x = f32(arange(64) + 1)
//@ out y: f32[64] = x * 64
//@ also race-warp
extern "C" __global__ void broadcast_of_one(const float* x, float* y) {
  __shared__ float scale;
  if (threadIdx.x == 0) scale = x[63];    //@ writes
  __syncthreads();                        //@ fixed
  y[threadIdx.x] = x[threadIdx.x] * scale;  //@ reads
}

//@ defect tile_loop: race-shared
//@   The barrier after the products is gone: a fast warp loads the next tile while a slow one still reads this one.
//@ run block=(16, 8)
//@ in x = f32(arange(8 * 64) % 7).reshape(8, 64)
//@ in w = f32(arange(64 * 16) % 5).reshape(64, 16)
//@ out y: f32[8, 16] = x @ w
//@ also race-warp
extern "C" __global__ void tile_loop(const float* x, const float* w, float* y) {
  __shared__ float a[8][16], b[16][16];
  const int c = threadIdx.x, r = threadIdx.y;
  float sum = 0;
  for (int k = 0; k < 64; k += 16) {
    a[r][c] = x[64 * r + k + c];
    b[r][c] = w[16 * (k + r) + c];                 //@ writes
    b[r + 8][c] = w[16 * (k + r + 8) + c];
    __syncthreads();
    for (int i = 0; i < 16; ++i) sum += a[r][i] *
                                        b[i][c];   //@ reads
    __syncthreads();                               //@ fixed
  }
  y[16 * r + c] = sum;
}

//@ defect double_buffer: race-shared
//@   Two buffers save one of two barriers only if the next tile goes to the other one.
//@ run block=64
//@ in x = i32(arange(256))
//@ out y: i32[64] = x.reshape(4, 64)[:, ::-1].sum(0)
extern "C" __global__ void double_buffer(const int* x, int* y) {
  __shared__ int buffer[2][64];
  const int t = threadIdx.x;
  int sum = 0;
  for (int tile = 0; tile < 4; ++tile) {
    int* now = buffer[tile & 1];         //@ fixed
    int* now = buffer[(tile >> 1) & 1];  //@ broken
    now[t] = x[64 * tile + t];           //@ writes
    __syncthreads();
    sum += now[63 - t];                  //@ reads
  }
  y[t] = sum;
}

//@ defect scratch_used_again: race-shared
//@   A helper's scratch is used by a second call while threads still read the result of the first.
//@ run block=64
//@ in x = i32(arange(64))
//@ out y: i32[64] = ones(64) * (x.sum() + x.max())
__device__ int first_of(int value, int* scratch) {
  if (threadIdx.x == 63) *scratch = value;  //@ writes
  __syncthreads();
  const int all = *scratch;                 //@ reads
  __syncthreads();                          //@ fixed
  return all;
}
extern "C" __global__ void scratch_used_again(const int* x, int* y) {
  __shared__ int scratch;
  int sum = 0;
  for (int i = 0; i < 64; ++i) sum += x[i];
  y[threadIdx.x] = first_of(sum, &scratch) + first_of(x[threadIdx.x], &scratch);
}

//@ defect prefix_in_place: race-shared
//@   Each step of a scan reads what the same step writes.
//@ run block=64
//@ in x = i32(arange(64))
//@ out y: i32[64] = cumsum(x)
//@ also race-warp
extern "C" __global__ void prefix_in_place(const int* x, int* y) {
  __shared__ int s[64];
  const int t = threadIdx.x;
  s[t] = x[t];
  for (int step = 1; step < 64; step *= 2) {
    __syncthreads();
    const int below = t >= step ? s[t - step] : 0;  //@ reads
    __syncthreads();                                //@ fixed
    s[t] += below;                                  //@ writes
  }
  y[t] = s[t];
}

//@ defect warp_reduction: race-warp
//@   The last warp goes on without barriers, as if its lanes ran in lockstep.
//@ run block=64
//@ in x = f32(arange(64))
//@ out y: f32[1] = x.sum()
extern "C" __global__ void warp_reduction(const float* x, float* y) {
  __shared__ float s[64];
  const int t = threadIdx.x;
  s[t] = x[t];
  __syncthreads();
  if (t < 32) {
    for (int half = 32; half > 0; half /= 2) {
      const float other = s[t + half];  //@ reads
      __syncwarp();                     //@ fixed
      s[t] += other;                    //@ writes
      __syncwarp();                     //@ fixed
    }
  }
  if (t == 0) y[0] = s[0];
}

//@ defect volatile_reduction: race-warp
//@   The same, with `volatile`: that keeps the compiler from caching and orders nothing between lanes.
//@ run block=64
//@ in x = i32(arange(64))
//@ out y: i32[1] = x.sum()
extern "C" __global__ void volatile_reduction(const int* x, int* y) {
  __shared__ int s[64];
  volatile int* v = s;
  const int t = threadIdx.x;
  v[t] = x[t];
  __syncthreads();
  if (t < 32) {
    for (int half = 32; half > 0; half /= 2) {
      const int other = v[t + half];  //@ reads
      __syncwarp();                   //@ fixed
      v[t] = v[t] + other;            //@ writes
      __syncwarp();                   //@ fixed
    }
  }
  if (t == 0) y[0] = s[0];
}

//@ defect warp_staging: race-warp
//@   Lanes exchange a row through shared memory; a shuffle would have moved it in registers, memory needs __syncwarp.
//@ run block=32
//@ in x = i32(arange(32))
//@ out y: i32[32] = x.reshape(4, 8).T.ravel()
extern "C" __global__ void warp_staging(const int* x, int* y) {
  __shared__ int row[32];
  const int t = threadIdx.x;
  row[t] = x[t];                      //@ writes
  __syncwarp();                       //@ fixed
  y[t] = row[8 * (t % 4) + t / 4];    //@ reads
}

//@ defect shuffle_is_no_fence: race-warp
//@   The lanes meet in a shuffle, which moves registers and orders no memory.
//@ run block=32
//@ in x = i32(arange(32))
//@ out y: i32[32] = x.sum() + roll(x, 1)
extern "C" __global__ void shuffle_is_no_fence(const int* x, int* y) {
  __shared__ int row[32];
  const int t = threadIdx.x;
  row[t] = x[t];                      //@ writes
  int sum = x[t];
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
  __syncwarp();                       //@ fixed
  y[t] = sum + row[(t + 31) % 32];    //@ reads
}

//@ defect half_warps: race-warp
//@   __syncwarp names only half of the lanes that exchange data.
//@ run block=32
//@ in x = i32(arange(32))
//@ out y: i32[32] = roll(x, 16)
extern "C" __global__ void half_warps(const int* x, int* y) {
  __shared__ int row[32];
  const int t = threadIdx.x;
  row[t] = x[t];                                //@ writes
  __syncwarp();                                 //@ fixed
  __syncwarp(t < 16 ? 0xffffu : 0xffff0000u);   //@ broken
  y[t] = row[t ^ 16];                           //@ reads
}

//@ defect histogram: race-shared
//@   Threads of several warps count in the same bins with `++`, which is a read and a write.
//@ run block=128
//@ in x = i32(arange(128) % 32)
//@ out y: i32[32] = ones(32) * 4
extern "C" __global__ void histogram(const int* x, int* y) {
  __shared__ int bins[32];
  const int t = threadIdx.x;
  if (t < 32) bins[t] = 0;
  __syncthreads();
  atomicAdd(&bins[x[t]], 1);  //@ fixed
  bins[x[t]]++;               //@ broken; reads; writes
  __syncthreads();
  if (t < 32) y[t] = bins[t];
}

//@ defect histogram_of_warp: race-warp
//@   One warp alone: two lanes with the same value still lose a count.
//@ run block=32
//@ in x = i32(arange(32) // 8)
//@ out y: i32[4] = ones(4) * 8
extern "C" __global__ void histogram_of_warp(const int* x, int* y) {
  __shared__ int bins[4];
  const int t = threadIdx.x;
  if (t < 4) bins[t] = 0;
  __syncwarp();
  atomicAdd(&bins[x[t]], 1);        //@ fixed
  bins[x[t]] = bins[x[t]] + 1;      //@ broken; reads; writes
  __syncwarp();
  if (t < 4) y[t] = bins[t];
}

//@ defect compaction_counter: race-shared
//@   A queue's tail is read without an atomic by a thread that decides whether there is room.
//@ run block=64
//@ in x = i32(arange(64))
//@ out y: i32[1] = [32]
//@ also race-warp
extern "C" __global__ void compaction_counter(const int* x, int* y) {
  __shared__ int tail;
  if (threadIdx.x == 0) tail = 0;
  __syncthreads();
  if (x[threadIdx.x] % 2 == 0) {
    if (tail < 64) atomicAdd(&tail, 1);  //@ broken; reads
    atomicAdd(&tail, 1);                 //@ fixed
  }
  __syncthreads();
  if (threadIdx.x == 0) y[0] = tail;
}

//@ defect named_barrier_for_half: race-shared
//@   Two warps have a barrier of their own; a third reads their tile without one.
//@ run block=96
//@ in x = i32(arange(64))
//@ out y: i32[96] = concatenate([x[::-1], x[:32]])
extern "C" __global__ void named_barrier_for_half(const int* x, int* y) {
  __shared__ int s[64];
  const int t = threadIdx.x;
  if (t < 64) {
    s[t] = x[t];               //@ writes
    spak::named_sync(1, 64);   //@ broken
    spak::named_sync(1, 96);   //@ fixed
    y[t] = s[63 - t];
  } else {
    spak::named_sync(1, 96);   //@ fixed
    y[t] = s[t - 64];          //@ reads
  }
}
