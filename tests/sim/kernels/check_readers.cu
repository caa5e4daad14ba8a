// A cell that many threads read and one overwrites: `missing` is the one whose read is not waited for; -1: all are.
#include <spak/cuda/bulk.h>
#include <spak/cuda/fence.h>
#include <spak/cuda/mbarrier.h>

// Threads 0 to 254 read, each `rounds` times and at a tick of its own where `pace` is more than 1.
template <typename T>
__device__ void unheard(int* out, int missing, int pace, int rounds) {
  __shared__ T value[4];
  __shared__ __align__(8) uint64_t heard;
  const int t = threadIdx.x;
  if (t < 4) value[t] = 7;
  if (t == 0) spak::mbarrier_init(&heard, missing < 0 ? 255 : 254);
  __syncthreads();
  if (t < 255) {
    int sum = 0;
    for (int round = 0; round < rounds; ++round) {
      for (int i = 0; i < t % pace; ++i) __threadfence_block();
      sum += value[1];
    }
    out[t] = sum;
    if (t != missing) spak::mbarrier_arrive(&heard);
  } else {
    spak::mbarrier_wait(&heard, 0);
    value[1] = 9;
  }
}
extern "C" __global__ void unheard_word(int* out, int missing, int pace, int rounds) { unheard<int>(out, missing, pace, rounds); }
extern "C" __global__ void unheard_byte(int* out, int missing, int pace, int rounds) { unheard<signed char>(out, missing, pace, rounds); }

// The bytes of a word are read as a word before one of them is written.
extern "C" __global__ void unheard_whole(int* out, int missing) {
  __shared__ int value;
  __shared__ __align__(8) uint64_t heard;
  const int t = threadIdx.x;
  if (t == 0) value = 7, spak::mbarrier_init(&heard, missing < 0 ? 255 : 254);
  __syncthreads();
  if (t < 255) {
    out[t] = value;
    if (t != missing) spak::mbarrier_arrive(&heard);
  } else {
    spak::mbarrier_wait(&heard, 0);
    reinterpret_cast<char*>(&value)[2] = 1;
  }
}

// Four warps store the same tile; the writer waits for the others but not for the missing one.
extern "C" __global__ void unheard_store(float* out, int missing) {
  __shared__ __align__(128) float s[64];
  __shared__ __align__(8) uint64_t heard;
  const int t = threadIdx.x, warp = t / 32;
  if (t < 64) s[t] = t;
  if (t == 0) spak::mbarrier_init(&heard, missing < 0 ? 4 : 3);
  spak::fence_proxy_async();
  __syncthreads();
  if (warp < 4) {
    if (t % 32 == 0) {
      spak::bulk_store(out + 64 * warp, s, 256);
      spak::bulk_commit();
      if (warp != missing) spak::bulk_wait_read<0>(), spak::mbarrier_arrive(&heard);
      spak::bulk_wait<0>();
    }
  } else {
    spak::mbarrier_wait(&heard, 0);
    s[t - 128] = 0;
  }
}
