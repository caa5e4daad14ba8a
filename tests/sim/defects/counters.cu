// Counters: right results at a price. What is counted here is what a GPU would count: sectors, passes over banks, requests, lanes.
//@ arch sm_80
#include <spak/cuda/cp_async.h>
#include <spak/cuda/device.h>
#include <spak/cuda/mma.h>

using namespace spak;

//@ defect blocked_copy: counter global_load_sectors 64 -> 16
//@   Each thread copies four neighbouring elements: the lanes of a request are 16 bytes apart, and each sector is fetched four times.
//@ run block=32
//@ in x = i32(arange(128))
//@ out y: i32[128] = x
extern "C" __global__ void blocked_copy(const int* x, int* y) {
  for (int k = 0; k < 4; ++k) {
    const int i = 32 * k + threadIdx.x;  //@ fixed
    const int i = 4 * threadIdx.x + k;   //@ broken
    y[i] = x[i];                         //@ global_load
  }
}

//@ defect column_of_banks: counter shared_load_wavefronts 1024 -> 32
//@   A column of a tile of 32 words a row lies in one bank: the warp reads it in 32 passes. A pad of one word spreads it.
//@ run block=(32, 32)
//@ in x = i32(arange(1024)).reshape(32, 32)
//@ out y: i32[32, 32] = x.T
extern "C" __global__ void column_of_banks(const int* x, int* y) {
  __shared__ int tile[32][33];  //@ fixed
  __shared__ int tile[32][32];  //@ broken
  const int c = threadIdx.x, r = threadIdx.y;
  tile[r][c] = x[32 * r + c];
  __syncthreads();
  y[32 * r + c] = tile[c][r];   //@ shared_load
}

//@ defect lanes_diverge: counter global_atomic_requests 4 -> 2
//@   Odd and even lanes go different ways, one after the other; whole warps would go theirs side by side.
//@ run block=64
//@ inout y: i32[64] = zeros(64) -> where(arange(64) % 2 == 0, 3, 7)
extern "C" __global__ void lanes_diverge(int* y) {
  const int t = threadIdx.x;
  const int place = t % 32 * 2 + t / 32;  //@ fixed
  const int place = t;                    //@ broken
  if (place % 2 == 0) {
    atomicAdd(y + place, 3);              //@ global_atomic
  } else {
    atomicMax(y + place, 7);              //@ global_atomic
  }
}

//@ defect hot_counter: counter global_atomic_lanes 128 -> 4
//@   Every lane adds to the same counter; a warp can add up first and send one lane.
//@ run block=128
//@ in x = i32(arange(128))
//@ inout y: i32[1] = [0] -> x.sum()
extern "C" __global__ void hot_counter(const int* x, int* y) {
  const int sum = __reduce_add_sync(0xffffffffu, x[threadIdx.x]);  //@ fixed
  if (threadIdx.x % 32 == 0) atomicAdd(y, sum);                    //@ fixed
  atomicAdd(y, x[threadIdx.x]);                                    //@ broken; global_atomic
}

//@ defect neighbours_fetched_again: counter global_load_bytes 768 -> 264
//@   A stencil fetches each element three times; through shared memory it comes once.
//@ run block=64
//@ in x = i32(arange(66))
//@ out y: i32[64] = x[:-2] + x[1:-1] + x[2:]
extern "C" __global__ void neighbours_fetched_again(const int* x, int* y) {
  __shared__ int s[66];                      //@ fixed
  const int t = threadIdx.x;
  for (int i = t; i < 66; i += 64) s[i] = x[i];  //@ fixed
  __syncthreads();                           //@ fixed
  y[t] = s[t] + s[t + 1] + s[t + 2];         //@ fixed
  y[t] = x[t] + x[t + 1] + x[t + 2];         //@ broken; global_load
}

//@ defect copies_not_overlapped: counter matrix_operations_overlapping_loads 0 -> 3
//@   The next tile is copied after the products of this one, when it could be under way during them.
//@ run block=32
//@ in a = i32(arange(512) * 0 + 0x3c003c00).reshape(4, 128)
//@ out y: f32[128] = ones(128) * 64
extern "C" __global__ void copies_not_overlapped(const uint32_t* a, float* y) {
  __shared__ __align__(16) uint32_t tiles[2][128];
  const int t = threadIdx.x;
  float d[4] = {};
  cp_async<16>(&tiles[0][4 * t], a + 4 * t);
  cp_async_commit();
  for (int i = 0; i < 4; ++i) {
    cp_async_wait_all();
    __syncwarp();
    if (i < 3) cp_async<16>(&tiles[(i + 1) % 2][4 * t], a + 128 * (i + 1) + 4 * t);  //@ fixed
    cp_async_commit();                                                               //@ fixed
    const uint32_t* tile = tiles[i % 2];
    const uint32_t left[4] = {tile[t], tile[t + 32], tile[t + 64], tile[t + 96]}, right[2] = {tile[t], tile[t + 64]};
    mma_f16(d, left, right);
    __syncwarp();
    if (i < 3) cp_async<16>(&tiles[(i + 1) % 2][4 * t], a + 128 * (i + 1) + 4 * t);  //@ broken
    cp_async_commit();                                                               //@ broken
  }
  for (int i = 0; i < 4; ++i) y[4 * t + i] = d[i];
}
