// Valid kernels in the manner of published ones. `without` names a line that makes it wrong to leave out; 0: none is. The
// tests know nothing of the lines: only that something is found.
#include <spak/cuda/barrier.h>
#include <spak/cuda/bulk.h>
#include <spak/cuda/cluster.h>
#include <spak/cuda/cp_async.h>
#include <spak/cuda/device.h>
#include <spak/cuda/elect.h>
#include <spak/cuda/fence.h>
#include <spak/cuda/matrix.h>
#include <spak/cuda/mbarrier.h>
#include <spak/cuda/wgmma.h>

using namespace spak;

// 1 producer warp, 2 consumer warps, 3 stages, persistent tiles of 5 k-blocks; peeked waits; staged epilogue.
extern "C" __global__ void ws_persistent(const int* x, int* y, int tiles, int without) {
  __shared__ __align__(128) int s[3][64];
  __shared__ __align__(128) int stage[2][64];
  __shared__ uint64_t full[3], empty[3];
  const int t = threadIdx.x, warp = t / 32;
  if (t == 0) {
    for (int i = 0; i < 3; ++i) mbarrier_init(&full[i], 1), mbarrier_init(&empty[i], without == 7 ? 1 : 2);
    fence_mbarrier_init();
  }
  __syncthreads();
  int k = 0, phase = 0;
  if (warp == 0) {
    if (elect_one()) {
      for (int tile = blockIdx.x; tile < tiles; tile += gridDim.x)
        for (int j = 0; j < 5; ++j) {
          if (without != 2) mbarrier_wait(&empty[k], phase ^ 1);
          mbarrier_arrive_expect_tx(&full[k], 256);
          bulk_load(s[k], x + (tile * 5 + j) * 64, 256, &full[k]);
          if (++k == 3) k = 0, phase ^= 1;
        }
      for (int i = 0; i < 3; ++i) {  // tail
        if (without != 2 && without != 7) mbarrier_wait(&empty[k], phase ^ 1);
        if (++k == 3) k = 0, phase ^= 1;
      }
    }
  } else {
    int turn = 0;
    for (int tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
      int sum = 0;
      bool ready = mbarrier_try_wait(&full[k], phase);
      for (int j = 0; j < 5; ++j) {
        if (!ready) mbarrier_wait(&full[k], without == 3 ? 0 : phase);
        sum += s[k][t - 32] + s[k][95 - t];
        if (without != 1) __syncwarp();
        if (t % 32 == 0) mbarrier_arrive(&empty[k]);
        if (++k == 3) k = 0, phase ^= 1;
        ready = without == 3 ? true : j < 4 && mbarrier_test_wait(&full[k], phase);
      }
      if (t == 32 && without != 5) bulk_wait_read<1>();
      if (without != 8) named_sync(1, 64);
      stage[turn][t - 32] = sum;
      if (without != 4) fence_proxy_async();
      if (without != 6) named_sync(1, 64);
      if (t == 32) {
        bulk_store(y + tile * 64, stage[turn], 256);
        bulk_commit();
      }
      turn ^= 1;
    }
    if (t == 32 && without != 9) bulk_wait<0>();
  }
}

// cp.async stages with ldmatrix double buffering of registers.
extern "C" __global__ void multistage(const int* x, int* y, int n, int without) {
  __shared__ __align__(128) int s[3][256];
  const int t = threadIdx.x, lane = t % 32;
  for (int i = 0; i < 2; ++i) {
    if (i < n) cp_async<16>(&s[i][4 * t], x + 256 * i + 4 * t);
    cp_async_commit();
  }
  cp_async_wait<1>();
  __syncthreads();
  uint32_t r[2][4], sum = 0;
  ldmatrix<4>(r[0], &s[0][4 * lane]);
  for (int i = 0; i < n; ++i) {
    for (int k = 0; k < 2; ++k) {
      if (k == 1) {
        if (i + 1 < n) {
          if (without == 1) cp_async_wait<2>(); else cp_async_wait<1>();
        }
        if (without != 2) __syncthreads();
        if (i + 1 < n) ldmatrix<4>(r[0], &s[(i + 1) % 3][4 * lane]);
      } else {
        ldmatrix<4>(r[1], &s[i % 3][128 + 4 * lane]);
        if (i + 2 < n) cp_async<16>(&s[(i + 2) % 3][4 * t], x + 256 * (i + 2) + 4 * t);
        if (without != 3 || i + 2 < n) cp_async_commit();
      }
      for (int j = 0; j < 4; ++j) sum = 31 * sum + r[k][j];
    }
  }
  cp_async_wait<0>();
  y[t] = static_cast<int>(sum);
}

__device__ __forceinline__ void pack(uint32_t (&p)[4], const float (&s)[4]) {
  for (int i = 0; i < 4; ++i) p[i] = static_cast<uint32_t>(s[i]) & 0x3F803F80u;
}
__device__ __noinline__ float softmax(float (&s)[4]) {
  float m = s[0];
  for (int i = 0; i < 4; ++i) m = s[i] > m ? s[i] : m;
  for (int i = 0; i < 4; ++i) s[i] -= m - 1.0f;
  float local[16];
  for (int i = 0; i < 16; ++i) local[i] = s[i % 4] * i;
  float sum = 0;
  for (int i = 0; i < 16; ++i) sum += local[15 - i];
  return sum;
}

// FlashAttention: S = Q K, P in registers, O += P V overlapped with the next S.
extern "C" __global__ void attention(const int* x, float* y, int n, int without) {
  __shared__ __align__(1024) int q[512], k[2][64], v[2][64];
  __shared__ uint64_t full[2], empty[2];
  const int t = threadIdx.x;
  if (t == 0) {
    for (int i = 0; i < 2; ++i) mbarrier_init(&full[i], 1), mbarrier_init(&empty[i], 1);
    fence_mbarrier_init();
  }
  for (int i = t; i < 512; i += 160) q[i] = 0x3F803F80;
  fence_proxy_async();
  __syncthreads();
  if (t >= 128) {
    if (t == 128)
      for (int i = 0; i < n; ++i) {
        if (i > 1) mbarrier_wait(&empty[i % 2], (i / 2 - 1) % 2);
        mbarrier_arrive_expect_tx(&full[i % 2], 512);
        bulk_load(k[i % 2], x, 256, &full[i % 2]);
        bulk_load(v[i % 2], x + 64, 256, &full[i % 2]);
      }
    return;
  }
  const uint64_t dq = wgmma_descriptor(q, Swizzle::none, 128, 256);
  float o[4] = {}, norm = 0;
  uint32_t p[4];
  {
    float s[4];
    mbarrier_wait(&full[0], 0);
    wgmma_fence();
    wgmma_bf16<8>(s, dq, wgmma_descriptor(k[0], Swizzle::none, 128, 128), false);
    wgmma_commit();
    wgmma_wait<0>(s);
    norm += softmax(s);
    pack(p, s);
  }
  for (int i = 1; i < n; ++i) {
    float s[4];
    mbarrier_wait(&full[i % 2], i / 2 % 2);
    wgmma_fence();
    wgmma_bf16<8>(s, dq, wgmma_descriptor(k[i % 2], Swizzle::none, 128, 128), false);
    wgmma_commit();
    wgmma_bf16<8>(o, p, wgmma_descriptor(v[(i - 1) % 2], Swizzle::none, 128, 128));
    wgmma_commit();
    wgmma_wait<1>(s);
    norm += softmax(s);
    if (without == 2)
      for (float& e : o) e *= 0.5f;
    if (without == 1) pack(p, s);
    if (without == 3 && t == 0) mbarrier_arrive(&empty[(i - 1) % 2]);
    wgmma_wait<0>(o);
    if (without != 3 && t == 64) mbarrier_arrive(&empty[(i - 1) % 2]);
    for (float& e : o) e *= 0.5f;
    if (without != 1) pack(p, s);
  }
  wgmma_fence();
  wgmma_bf16<8>(o, p, wgmma_descriptor(v[(n - 1) % 2], Swizzle::none, 128, 128));
  wgmma_commit();
  wgmma_wait<0>(o);
  for (int i = 0; i < 4; ++i) y[4 * t + i] = o[i] + norm;
}

// The same with scoped fragments whose stack slots are taken again: fragments of a helper, of an inner loop.
__device__ __forceinline__ void step(float (&o)[4], const int* v, float scale) {
  uint32_t p[4];
  for (int i = 0; i < 4; ++i) p[i] = static_cast<uint32_t>(scale * i);
  wgmma_fence();
  wgmma_bf16<8>(o, p, wgmma_descriptor(v, Swizzle::none, 128, 128));
  wgmma_commit();
  wgmma_wait<0>(o);
}
__device__ __noinline__ float busy(float a) {
  float f[32];
  for (int i = 0; i < 32; ++i) f[i] = a * i;
  float b = 0;
  for (int i = 31; i >= 0; --i) b = b * 0.5f + f[i];
  return b;
}
extern "C" __global__ void scoped(float* y, int n, int without) {
  __shared__ __align__(1024) int v[64], a[512];
  const int t = threadIdx.x;
  if (t < 64) v[t] = 0x3F803F80;
  for (int i = t; i < 512; i += 128) a[i] = 0x3F803F80;
  fence_proxy_async();
  __syncthreads();
  float o[4] = {}, other = 0;
  for (int i = 0; i < n; ++i) {
    step(o, v, other + i);
    {
      float f[8];
      for (int j = 0; j < 8; ++j) f[j] = other * j + i;
      other += f[t % 8];
    }
    other = busy(other) * 1e-6f;
    {
      float d[4];
      wgmma_fence();
      wgmma_bf16<8>(d, wgmma_descriptor(a, Swizzle::none, 128, 256), wgmma_descriptor(v, Swizzle::none, 128, 128), false);
      wgmma_commit();
      wgmma_wait<0>(d);
      other += d[1];
    }
    other = busy(other) * 1e-6f;
  }
  if (without == 1) {
    wgmma_fence();
    wgmma_bf16<8>(o, wgmma_descriptor(a, Swizzle::none, 128, 256), wgmma_descriptor(v, Swizzle::none, 128, 128), false);
    wgmma_commit();
  }
  for (int i = 0; i < 4; ++i) y[4 * t + i] = o[i] + other;
  wgmma_wait<0>();
}

// CUTLASS' main loop: release of the stage before the one in flight, by one thread.
extern "C" __global__ void mainloop(const int* x, float* y, int n, int without) {
  __shared__ __align__(1024) int a[3][512], b[3][64];
  __shared__ uint64_t full[3], empty[3];
  const int t = threadIdx.x;
  if (t == 0) {
    for (int i = 0; i < 3; ++i) mbarrier_init(&full[i], 1), mbarrier_init(&empty[i], 1);
    fence_mbarrier_init();
  }
  __syncthreads();
  if (t >= 128) {
    int k = 0, phase = 1;
    if (t == 128)
      for (int i = 0; i < n; ++i) {
        mbarrier_wait(&empty[k], phase);
        mbarrier_arrive_expect_tx(&full[k], 2048 + 256);
        bulk_load(a[k], x, 2048, &full[k]);
        bulk_load(b[k], x, 256, &full[k]);
        if (++k == 3) k = 0, phase ^= 1;
      }
    return;
  }
  float d[4];
  int k = 0, phase = 0, release = 0;
  bool more = false;
  for (int i = 0; i < n; ++i) {
    if (without != 2 || i % 2 == 0) mbarrier_wait(&full[k], phase);
    wgmma_fence();
    wgmma_bf16<8>(d, wgmma_descriptor(a[k], Swizzle::none, 128, 256), wgmma_descriptor(b[k], Swizzle::none, 128, 128), more);
    wgmma_commit();
    more = true;
    wgmma_wait<1>(d);
    if (without == 1) {
      if (t == 96) mbarrier_arrive(&empty[k]);
    } else if (i > 0) {
      if (t == 96) mbarrier_arrive(&empty[release]);
      release = (release + 1) % 3;
    }
    if (++k == 3) k = 0, phase ^= 1;
  }
  wgmma_wait<0>(d);
  for (int i = 0; i < 4; ++i) y[4 * t + i] = d[i];
}

// stmatrix, then a bulk store of it; two staging tiles.
extern "C" __global__ void epilogue(const int* x, int* y, int n, int without) {
  __shared__ __align__(128) int s[2][128];
  const int t = threadIdx.x, warp = t / 32, lane = t % 32;
  for (int i = 0; i < n; ++i) {
    uint32_t r[2] = {static_cast<uint32_t>(x[t] + i), static_cast<uint32_t>(x[t] * i)};
    if (warp == 0 && lane == 0 && without != 1) bulk_wait_read<1>();
    if (without != 2) __syncthreads();
    stmatrix<2>(&s[i % 2][64 * warp + 4 * (lane % 16)], r);
    if (without != 3) fence_proxy_async();
    if (without != 4) __syncthreads();
    if (warp == (without == 5 ? i % 2 : 0) && lane == 0) {
      bulk_store(y + 128 * i, s[i % 2], 512);
      bulk_commit();
    }
  }
  if (lane == 0) bulk_wait<0>();
}

// Each CTA loads half and sends it to both; stages are given back to both.
extern "C" __global__ void multicast(const int* x, int* y, int n, int without) {
  __shared__ __align__(128) int s[2][64];
  __shared__ uint64_t full[2], empty[2];
  const int t = threadIdx.x;
  const unsigned rank = cluster_rank();
  if (t == 0) {
    for (int i = 0; i < 2; ++i) mbarrier_init(&full[i], 1), mbarrier_init(&empty[i], without == 1 ? 1 : 2);
    fence_mbarrier_init();
  }
  if (without == 2) __syncthreads();
  else {
    cluster_arrive_relaxed();
    cluster_wait();
  }
  if (t >= 32) {
    if (t == 32)
      for (int i = 0; i < n; ++i) {
        if (i > 1) mbarrier_wait(&empty[i % 2], (i / 2 - 1) % 2);
        mbarrier_arrive_expect_tx(&full[i % 2], 256);
        bulk_load_multicast(&s[i % 2][32 * rank], x + 64 * i + 32 * rank, 128, &full[i % 2], 3);
      }
  } else {
    int sum = 0;
    for (int i = 0; i < n; ++i) {
      mbarrier_wait(&full[i % 2], i / 2 % 2);
      sum += s[i % 2][t] + s[i % 2][63 - t];
      __syncwarp();
      if (without == 1) {
        if (t == 0) mbarrier_arrive(&empty[i % 2]);
      } else if (t < 2) {
        mbarrier_arrive_remote(&empty[i % 2], static_cast<unsigned>(t));
      }
    }
    y[32 * blockIdx.x + t] = sum;
  }
  if (without != 3) {
    cluster_arrive();
    cluster_wait();
  }
}

// Status and value in one 64-bit word: no fence needed.
extern "C" __global__ void packed_look_back(const int* x, unsigned long long* status, int* y) {
  const int t = threadIdx.x, b = blockIdx.x;
  int v = x[32 * b + t];
  for (int d = 1; d < 32; d *= 2) {
    const int o = __shfl_up_sync(~0u, v, d);
    if (t >= d) v += o;
  }
  const int total = __shfl_sync(~0u, v, 31);
  volatile unsigned long long* st = status;
  if (t == 0) st[b] = (b == 0 ? 2ull : 1ull) << 32 | static_cast<unsigned>(total);
  int before = 0;
  for (int at = b - 1; at >= 0;) {
    const int mine = at - t;
    unsigned long long got;
    do {
      got = mine >= 0 ? st[mine] : 2ull << 32;
    } while (__any_sync(~0u, (got >> 32) == 0));
    const unsigned whole = __ballot_sync(~0u, (got >> 32) == 2);
    const int first = whole ? __ffs(whole) - 1 : 31;
    int part = t <= first ? static_cast<int>(got) : 0;
    for (int d = 16; d > 0; d /= 2) part += __shfl_xor_sync(~0u, part, d);
    before += part;
    if (whole) break;
    at -= 32;
  }
  if (t == 0 && b > 0) st[b] = 2ull << 32 | static_cast<unsigned>(before + total);
  y[32 * b + t] = before + v;
}

// Stream-K: partial tiles to a workspace, a semaphore, the last one adds them.
extern "C" __global__ void stream_k(const int* x, int* workspace, int* semaphore, int* y, int without) {
  const int t = threadIdx.x, b = blockIdx.x;
  int v = x[64 * b + t];
  if (b > 0) {
    if (t == 0) {
      while (*reinterpret_cast<volatile int*>(semaphore) != b) {
      }
      __threadfence();
    }
    if (without != 2) __syncthreads();
    v += workspace[t];
  }
  if (b == static_cast<int>(gridDim.x) - 1) {
    y[t] = v;
  } else {
    workspace[t] = v;
    if (without != 1) __syncthreads();
    if (t == 0) {
      if (without != 3) __threadfence();
      atomicAdd(semaphore, 1);
    }
  }
}

// Warp-aggregated compaction, by a global counter; and a list by a shared ticket.
extern "C" __global__ void compact(const int* x, int* count, int* y, int without) {
  __shared__ int n, list[64];
  const int t = threadIdx.x;
  if (t == 0) n = 0;
  if (without != 1) __syncthreads();
  const int v = x[64 * blockIdx.x + t];
  if (v % 3 == 0) {
    const unsigned mask = __activemask();
    const int leader = __ffs(mask) - 1, lane = t % 32;
    int base = 0;
    if (lane == leader) base = atomicAdd(&n, __popc(mask));
    base = __shfl_sync(mask, base, leader);
    list[base + __popc(mask & ((1u << lane) - 1))] = v;
  }
  if (without != 2) __syncthreads();
  __shared__ int start;
  if (t == 0) start = atomicAdd(count, n);
  if (without != 3) __syncthreads();
  if (t < n) y[start + t] = list[t];
}

// Tiles of eight lanes with masks of their own.
extern "C" __global__ void tiles_of_eight(const int* x, int* y, int without) {
  __shared__ int s[64];
  const int t = threadIdx.x, lane = t % 32, low = lane & ~7;
  const unsigned mask = 0xFFu << low;
  int v = x[t];
  for (int r = 0; r < 1 + low / 8; ++r) {
    s[t] = v;
    if (without != 1) __syncwarp(mask);
    v += s[t ^ 1] + s[t ^ 5];
    if (without != 2) __syncwarp(mask);
  }
  y[t] = v;
}

// Bytes, shorts, bit fields, packed structures of neighbours; vectors beside them.
struct Three {
  unsigned char c[3];
};
struct Six {
  short a, b, c;
};
struct Bits {
  unsigned a : 5, b : 11, c : 16;
};
struct __attribute__((packed)) Odd {
  char tag;
  float f;
  short n;
};
extern "C" __global__ void narrow(const int* x, int* y, unsigned char* g, int without) {
  __shared__ Three three[64];
  __shared__ Six six[64];
  __shared__ Bits bits[64];
  __shared__ Odd odd[64];
  __shared__ __align__(16) unsigned char bytes[256];
  const int t = threadIdx.x, o = 63 - t, p = t % 2 * 32 + t / 2;
  three[p] = Three{{static_cast<unsigned char>(t), 2, 3}};
  six[p] = Six{static_cast<short>(t), 1, 2};
  bits[p].a = 3, bits[p].b = t & 511, bits[p].c = 7;
  odd[p] = Odd{'a', 1.0f, static_cast<short>(t)};
  g[64 * blockIdx.x + p] = static_cast<unsigned char>(t);
  g[128 + 64 * blockIdx.x + 63 - t] = 1;
  bytes[p] = 1;
  if (t < 8) *reinterpret_cast<uchar4*>(bytes + 64 + 4 * t) = make_uchar4(1, 2, 3, 4);
  if (t >= 32) bytes[96 + t] = 9;
  if (without != 1) __syncthreads();
  int v = three[o].c[0] + six[o].b + bits[o].b + odd[o].n + bytes[64 + t % 32] + bytes[o] + bytes[128 + t % 32];
  if (without != 2) __syncthreads();
  bytes[4 * t + 1] = 5;
  if (t < 32) bytes[4 * o + 2] = 6;
  if (without == 3 && t == 40) bytes[4 * 40 + 2] = 7;
  v += bytes[4 * t + 1];
  y[64 * blockIdx.x + t] = v + x[t];
}

// Two consumer groups take turns (the order barrier of FlashAttention 3), and add to one tile in order.
extern "C" __global__ void turns(const int* x, int* y, int n, int without) {
  __shared__ int s[32];
  const int t = threadIdx.x, group = t / 32;
  if (group == 0) s[t] = 0;
  if (group == 1) named_arrive(1, 64);
  __syncthreads();
  for (int i = 0; i < n; ++i) {
    if (without != 1) named_sync(1 + group, 64);
    s[(t * 5 + i) % 32] = 2 * s[(t * 5 + i) % 32] + x[t];
    if (without == 1) named_sync(1 + group, 64);
    if (group == 0 || i + 1 < n) named_arrive(2 - group, 64);
  }
  __syncthreads();
  if (t < 32) y[t] = s[t];
}

// Only one lane waits for the barrier, the warp follows it.
extern "C" __global__ void one_lane_waits(const int* x, int* y, int without) {
  __shared__ __align__(128) int s[64];
  __shared__ uint64_t full;
  const int t = threadIdx.x;
  if (t == 0) {
    mbarrier_init(&full, 1);
    fence_mbarrier_init();
    mbarrier_arrive_expect_tx(&full, 256);
    bulk_load(s, x, 256, &full);
  }
  if (without != 2) __syncthreads();
  if (t % 32 == 0) mbarrier_wait(&full, 0);
  if (without != 1) __syncwarp();
  y[t] = s[63 - t];
}

// A block writes with ordinary stores what another loads with bulk copies.
extern "C" __global__ void handed_over(int* data, int* flag, int* y, int without) {
  __shared__ __align__(128) int s[64];
  __shared__ uint64_t full;
  const int t = threadIdx.x;
  if (blockIdx.x == 0) {
    data[t] = 3 * t;
    if (without != 1) __syncthreads();
    if (t == 0) {
      if (without != 2) __threadfence();
      atomicExch(flag, 1);
    }
  } else {
    if (t == 0) {
      mbarrier_init(&full, 1);
      fence_mbarrier_init();
      if (without != 3) {
        while (atomicAdd(flag, 0) == 0) {
        }
        __threadfence();
      }
      if (without != 4) fence_proxy_async_global();
      mbarrier_arrive_expect_tx(&full, 256);
      bulk_load(s, data, 256, &full);
    }
    __syncthreads();
    mbarrier_wait(&full, 0);
    y[t] = s[63 - t];
  }
}

// CUTLASS' semaphore: all threads vote on what one has seen.
extern "C" __global__ void semaphore(const int* x, int* workspace, int* lock, int* y, int without) {
  const int t = threadIdx.x, b = blockIdx.x;
  int state = -1, v = x[64 * b + t];
  while (__syncthreads_and(state != b)) {
    if (t == 0) state = *reinterpret_cast<volatile int*>(lock);
  }
  __threadfence();
  __syncthreads();
  if (b > 0) v += workspace[t];
  workspace[t] = v;
  if (b + 1 == static_cast<int>(gridDim.x)) y[t] = v;
  if (without != 1) __syncthreads();
  if (t == 0) {
    if (without != 2) __threadfence();
    *reinterpret_cast<volatile int*>(lock) = b + 1;
  }
}

// Producers copy by cp.async for a wgmma: wait, fence, arrive.
extern "C" __global__ void cp_async_wgmma(const int* x, float* y, int n, int without) {
  __shared__ __align__(1024) int a[2][512], b[2][64];
  __shared__ uint64_t full[2], empty[2];
  const int t = threadIdx.x;
  if (t / 32 == 0 && elect_one()) {
    for (int i = 0; i < 2; ++i) mbarrier_init(&full[i], 128), mbarrier_init(&empty[i], 128);
    fence_mbarrier_init();
  }
  __syncthreads();
  if (t >= 128) {
    const int p = t - 128;
    for (int i = 0; i < n; ++i) {
      if (i > 1) mbarrier_wait(&empty[i % 2], (i / 2 - 1) % 2);
      cp_async<16>(&a[i % 2][4 * p], x + 4 * p);
      if (p < 16) cp_async<16>(&b[i % 2][4 * p], x + 4 * p);
      cp_async_commit();
      if (i > 0) {
        if (without == 2) cp_async_wait<2>(); else cp_async_wait<1>();
        if (without != 1) fence_proxy_async();
        mbarrier_arrive(&full[(i - 1) % 2]);
      }
    }
    cp_async_wait<0>();
    if (without != 1) fence_proxy_async();
    mbarrier_arrive(&full[(n - 1) % 2]);
  } else {
    float d[4] = {};
    for (int i = 0; i < n; ++i) {
      mbarrier_wait(&full[i % 2], i / 2 % 2);
      wgmma_fence();
      wgmma_bf16<8>(d, wgmma_descriptor(a[i % 2], Swizzle::none, 128, 256), wgmma_descriptor(b[i % 2], Swizzle::none, 128, 128));
      wgmma_commit();
      if (without != 3) wgmma_wait<0>(d);
      mbarrier_arrive(&empty[i % 2]);
    }
    wgmma_wait<0>(d);
    for (int i = 0; i < 4; ++i) y[4 * t + i] = d[i];
  }
}
