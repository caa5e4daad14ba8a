// Asynchronous copies and matrix operations: when their bytes may be touched. A line's `//1` and `//2` name the parties.
#include <spak/cuda/bulk.h>
#include <spak/cuda/cluster.h>
#include <spak/cuda/cp_async.h>
#include <spak/cuda/fence.h>
#include <spak/cuda/mbarrier.h>
#include <spak/cuda/shared.h>
#include <spak/cuda/wgmma.h>

// --- cp.async -----------------------------------------------------------------------------------------------------------
extern "C" __global__ void copied_ok(const float* in, float* out) {
  __shared__ __align__(16) float s[128];
  const int t = threadIdx.x;
  spak::cp_async<16>(&s[4 * t], in + 4 * t);
  spak::cp_async_commit();
  spak::cp_async_wait<0>();
  __syncthreads();
  out[t] = s[127 - t];
}
extern "C" __global__ void copied_no_wait(const float* in, float* out) {
  __shared__ __align__(16) float s[128];
  const int t = threadIdx.x;
  spak::cp_async<16>(&s[4 * t], in + 4 * t);  //2
  spak::cp_async_commit();
  __syncthreads();
  out[t] = s[4 * t];  //1
  spak::cp_async_wait<0>();
}
extern "C" __global__ void copied_no_barrier(const float* in, float* out) {
  __shared__ __align__(16) float s[256];
  const int t = threadIdx.x;
  spak::cp_async<16>(&s[4 * t], in + 4 * t);  //2
  spak::cp_async_commit();
  spak::cp_async_wait<0>();
  out[t] = s[4 * (t ^ 32)];  //1
}
extern "C" __global__ void overwritten_early(const float* in, float* out) {
  __shared__ __align__(16) float s[128];
  const int t = threadIdx.x;
  spak::cp_async<16>(&s[4 * t], in + 4 * t);  //2
  spak::cp_async_commit();
  s[4 * t] = 0;  //1
  spak::cp_async_wait<0>();
  out[t] = s[4 * t];
}
extern "C" __global__ void source_overwritten(float* in, float* out) {
  __shared__ __align__(16) float s[128];
  const int t = threadIdx.x;
  spak::cp_async<16>(&s[4 * t], in + 4 * t);  //2
  spak::cp_async_commit();
  in[4 * t] = 0;  //1
  spak::cp_async_wait<0>();
  out[t] = s[4 * t];
}

// --- bulk copies ----------------------------------------------------------------------------------------------------------
template <bool wait>
__device__ void loaded(const float* in, float* out) {
  __shared__ __align__(128) float s[64];
  __shared__ __align__(8) uint64_t bar;
  const int t = threadIdx.x;
  if (t == 0) {
    spak::mbarrier_init(&bar, 1);
    spak::fence_mbarrier_init();
  }
  __syncthreads();
  if (t == 0) {
    spak::mbarrier_arrive_expect_tx(&bar, 256);
    spak::bulk_load(s, in, 256, &bar);
  }
  if (wait) spak::mbarrier_wait(&bar, 0);
  out[t] = s[63 - t];
  if (!wait) spak::mbarrier_wait(&bar, 0);
}
extern "C" __global__ void loaded_ok(const float* in, float* out) { loaded<true>(in, out); }
extern "C" __global__ void loaded_no_wait(const float* in, float* out) { loaded<false>(in, out); }

template <bool fence, bool barrier, bool read_wait>
__device__ void stored(float* out) {
  __shared__ __align__(128) float s[64];
  const int t = threadIdx.x;
  s[t] = t;
  if (fence) spak::fence_proxy_async();
  if (barrier) __syncthreads();
  if (t == 0) {
    spak::bulk_store(out, s, 256);
    spak::bulk_commit();
    if (read_wait) spak::bulk_wait_read<0>();
  }
  __syncthreads();
  s[t] = 0;
  if (t == 0) spak::bulk_wait<0>();
}
extern "C" __global__ void stored_ok(float* out) { stored<true, true, true>(out); }
extern "C" __global__ void stored_no_fence(float* out) { stored<false, true, true>(out); }
extern "C" __global__ void stored_no_barrier(float* out) { stored<true, false, true>(out); }
extern "C" __global__ void stored_reused(float* out) { stored<true, true, false>(out); }
// The thread that issues the store may call the fence for all: it is after what they wrote.
extern "C" __global__ void fence_by_issuer_ok(float* out) {
  __shared__ __align__(128) float s[64];
  const int t = threadIdx.x;
  s[t] = t;
  __syncthreads();
  if (t == 0) {
    spak::fence_proxy_async();
    spak::bulk_store(out, s, 256);
    spak::bulk_commit();
    spak::bulk_wait<0>();
  }
}

// It ends, by an access out of bounds, while its copy is in flight: the next launch has nothing to do with that.
extern "C" __global__ void abandoned(float* out, int index) {
  __shared__ __align__(128) float s[64];
  const int t = threadIdx.x;
  s[t] = t;
  spak::fence_proxy_async();
  __syncthreads();
  if (t == 0) {
    spak::bulk_store(out, s, 256);
    spak::bulk_commit();
  }
  out[index] = 0;
}

// --- clusters -------------------------------------------------------------------------------------------------------------
template <bool meet>
__device__ void neighbours(float* out) {
  __shared__ float s[32];
  const int t = threadIdx.x;
  s[t] = t;
  spak::cluster_sync();
  out[blockIdx.x * 32 + t] = spak::cluster_map(s, 1 - spak::cluster_rank())[31 - t];
  if (meet) spak::cluster_sync();
}
extern "C" __global__ void neighbours_ok(float* out) { neighbours<true>(out); }
extern "C" __global__ void neighbours_gone(float* out) { neighbours<false>(out); }

// A ring of two stages: a producer, and 32 consumers that give stages back by arriving at `empty`.
template <bool give_back>
__device__ void ring(const float* in, float* out, int rounds) {
  __shared__ __align__(128) float s[2][64];
  __shared__ __align__(8) uint64_t full[2], empty[2];
  const int t = threadIdx.x;
  if (t == 0) {
    for (int i = 0; i < 2; ++i) spak::mbarrier_init(&full[i], 1), spak::mbarrier_init(&empty[i], 32);
    spak::fence_mbarrier_init();
  }
  __syncthreads();
  if (t == 32) {
    for (int r = 0; r < rounds; ++r) {
      if (r >= 2) spak::mbarrier_wait(&empty[r % 2], (r / 2 - 1) % 2);
      spak::mbarrier_arrive_expect_tx(&full[r % 2], 256);
      spak::bulk_load(s[r % 2], in + 64 * r, 256, &full[r % 2]);
    }
  } else if (t < 32) {
    float sum = 0;
    for (int r = 0; r < rounds; ++r) {
      if (!give_back) spak::mbarrier_arrive(&empty[r % 2]);
      spak::mbarrier_wait(&full[r % 2], r / 2 % 2);
      sum += s[r % 2][t] + s[r % 2][63 - t];
      if (give_back) spak::mbarrier_arrive(&empty[r % 2]);
    }
    out[t] = sum;
  }
}
extern "C" __global__ void ring_ok(const float* in, float* out, int rounds) { ring<true>(in, out, rounds); }
extern "C" __global__ void ring_given_back_early(const float* in, float* out, int rounds) { ring<false>(in, out, rounds); }

// --- wgmma ----------------------------------------------------------------------------------------------------------------
template <bool fence, bool wait>
__device__ void multiplied(float* out) {
  __shared__ __align__(1024) unsigned short a[64 * 16], b[8 * 16];
  const int t = threadIdx.x;
  for (int i = t; i < 64 * 16; i += 128) a[i] = 0x3F80;
  if (t < 128) b[t] = 0x3F80;
  if (fence) spak::fence_proxy_async();
  __syncthreads();
  float d[4] = {};
  spak::wgmma_fence();
  spak::wgmma_bf16<8>(d, spak::wgmma_descriptor(a, spak::Swizzle::none, 128, 256), spak::wgmma_descriptor(b, spak::Swizzle::none, 128, 128));  //2
  spak::wgmma_commit();
  if (wait) spak::wgmma_wait<0>();
  for (int i = 0; i < 4; ++i) out[4 * t + i] = d[i];  //1
  if (!wait) spak::wgmma_wait<0>();
}
extern "C" __global__ void multiplied_ok(float* out) { multiplied<true, true>(out); }
extern "C" __global__ void multiplied_no_fence(float* out) { multiplied<false, true>(out); }
extern "C" __global__ void multiplied_no_wait(float* out) { multiplied<true, false>(out); }
