// cp.async in all its forms, bulk copies and reductions, copies between the blocks of a cluster.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <spak/cuda/bulk.h>
#include <spak/cuda/cluster.h>
#include <spak/cuda/cp_async.h>
#include <spak/cuda/fence.h>
#include <spak/cuda/mbarrier.h>

// out = 2 in + 1, through a ring of `Stages` tiles that each thread fills with its own copies.
template <int Bytes, int Stages>
__device__ void ring(const float* in, float* out, int tiles) {
  constexpr int kEach = Bytes / 4, kTile = 64 * kEach;
  __shared__ __align__(16) float stage[Stages][kTile];
  const int mine = static_cast<int>(threadIdx.x) * kEach;
  for (int t = 0; t < Stages - 1; ++t) {
    if (t < tiles) spak::cp_async<Bytes>(&stage[t][mine], in + t * kTile + mine);
    spak::cp_async_commit();
  }
  for (int t = 0; t < tiles; ++t) {
    spak::cp_async_wait<Stages - 2>();
    __syncthreads();
    // Another thread's elements: the barrier is what makes them visible.
    const int other = (64 - 1 - static_cast<int>(threadIdx.x)) * kEach;
    for (int i = 0; i < kEach; ++i) out[t * kTile + other + i] = 2.0f * stage[t % Stages][other + i] + 1.0f;
    const int next = t + Stages - 1;
    if (next < tiles) spak::cp_async<Bytes>(&stage[next % Stages][mine], in + next * kTile + mine);
    spak::cp_async_commit();
  }
}

extern "C" __global__ void ring_4(const float* in, float* out, int tiles) { ring<4, 3>(in, out, tiles); }
extern "C" __global__ void ring_8(const float* in, float* out, int tiles) { ring<8, 2>(in, out, tiles); }
extern "C" __global__ void ring_16(const float* in, float* out, int tiles) { ring<16, 4>(in, out, tiles); }

// Thread i copies the first `bytes[i]` of its 16 bytes; the rest becomes zero.
extern "C" __global__ void zfill(const unsigned* in, unsigned* out, const int* bytes) {
  __shared__ __align__(16) unsigned tile[32 * 4 * 3];
  unsigned* const a = tile + threadIdx.x * 4;
  unsigned* const b = tile + 128 + threadIdx.x * 4;
  unsigned* const c = tile + 256 + threadIdx.x * 4;
  const unsigned* const from = in + threadIdx.x * 4;
  const int n = bytes[threadIdx.x];
  const auto part = [n](int begin, int size) { return n < begin ? 0 : n > begin + size ? size : n - begin; };
  spak::cp_async_zfill<16>(a, from, n);
  for (int i = 0; i < 2; ++i) spak::cp_async_zfill<8>(b + 2 * i, from + 2 * i, part(8 * i, 8));
  for (int i = 0; i < 4; ++i) spak::cp_async_zfill<4>(c + i, from + i, part(4 * i, 4));
  spak::cp_async_wait_all();
  for (int i = 0; i < 4; ++i) {
    out[threadIdx.x * 4 + i] = a[i];
    out[128 + threadIdx.x * 4 + i] = b[i];
    out[256 + threadIdx.x * 4 + i] = c[i];
  }
}

// Copies announced at an mbarrier: 64 arrivals that mbarrier_init counts, and 64 that it does not.
extern "C" __global__ void announce(const float* in, float* out) {
  __shared__ __align__(16) float tile[2][64];
  __shared__ uint64_t counted, extra;
  if (threadIdx.x == 0) {
    spak::mbarrier_init(&counted, blockDim.x);
    spak::mbarrier_init(&extra, blockDim.x);
  }
  __syncthreads();
  const int i = static_cast<int>(threadIdx.x), other = i ^ 33;
  spak::cp_async<4>(&tile[0][i], in + i);
  spak::cp_async_mbarrier_arrive_noinc(&counted);
  spak::mbarrier_wait(&counted, 0);
  out[i] = tile[0][other];
  spak::cp_async<4>(&tile[1][i], in + 64 + i);
  spak::cp_async_mbarrier_arrive(&extra);
  spak::mbarrier_arrive(&extra);
  spak::mbarrier_wait(&extra, 0);
  out[64 + i] = tile[1][other];
}

// out = in + 1: a bulk load, ordinary accesses, a bulk store; the source is overwritten once it has been read.
extern "C" __global__ void bulk_round(const float* in, float* out, int tiles) {
  __shared__ __align__(128) float from[256], to[256];
  __shared__ uint64_t bar;
  if (threadIdx.x == 0) {
    spak::mbarrier_init(&bar, 1);
    spak::fence_proxy_async();  // says enough, too
  }
  __syncthreads();
  for (int t = 0; t < tiles; ++t) {
    if (threadIdx.x == 0) {
      spak::mbarrier_arrive_expect_tx(&bar, 1024);
      spak::bulk_load(from, in + t * 256, 512, &bar);
      spak::bulk_load(from + 128, in + t * 256 + 128, 512, &bar);
    }
    spak::mbarrier_wait(&bar, t & 1);
    for (int i = static_cast<int>(threadIdx.x); i < 256; i += static_cast<int>(blockDim.x)) to[i] = from[i] + 1.0f;
    spak::fence_proxy_async();
    __syncthreads();
    if (threadIdx.x == 0) {
      spak::bulk_store(out + t * 256, to, 1024);
      spak::bulk_commit();
      spak::bulk_wait_read<0>();
    }
    __syncthreads();
  }
  if (threadIdx.x == 0) spak::bulk_wait<0>();
}

// Two groups, of which the older one is waited for.
extern "C" __global__ void bulk_groups(float* out) {
  __shared__ __align__(128) float a[64], b[64];
  a[threadIdx.x] = static_cast<float>(threadIdx.x);
  b[threadIdx.x] = static_cast<float>(threadIdx.x) + 100.0f;
  spak::fence_proxy_async();
  __syncthreads();
  if (threadIdx.x == 0) {
    spak::bulk_store(out, a, 256);
    spak::bulk_commit();
    spak::bulk_store(out + 64, b, 256);
    spak::bulk_commit();
    spak::bulk_wait_read<1>();
    a[0] = -1.0f;  // read already
    spak::bulk_wait<1>();
    out[128] = out[63];  // written already
    spak::bulk_wait<0>();
    out[129] = out[127];
  }
}

template <typename T>
__device__ void add(T* into, const T* from, int bytes) {
  extern __shared__ __align__(128) unsigned char tile[];
  T* const mine = reinterpret_cast<T*>(tile);
  for (int i = static_cast<int>(threadIdx.x); i < bytes / static_cast<int>(sizeof(T)); i += static_cast<int>(blockDim.x)) mine[i] = from[i];
  spak::fence_proxy_async();
  __syncthreads();
  if (threadIdx.x == 0) {
    spak::bulk_reduce_add(into, mine, static_cast<unsigned>(bytes));
    spak::bulk_commit();
    spak::bulk_wait<0>();
  }
}

extern "C" __global__ void add_f32(float* into, const float* from, int bytes) { add(into, from, bytes); }
extern "C" __global__ void add_f64(double* into, const double* from, int bytes) { add(into, from, bytes); }
extern "C" __global__ void add_s32(int* into, const int* from, int bytes) { add(into, from, bytes); }
extern "C" __global__ void add_u32(unsigned* into, const unsigned* from, int bytes) { add(into, from, bytes); }
extern "C" __global__ void add_u64(unsigned long long* into, const unsigned long long* from, int bytes) { add(into, from, bytes); }
extern "C" __global__ void add_f16(__half* into, const __half* from, int bytes) { add(into, from, bytes); }
extern "C" __global__ void add_bf16(__nv_bfloat16* into, const __nv_bfloat16* from, int bytes) { add(into, from, bytes); }

// Each block passes its tile to the next one of the cluster, shared memory to shared memory.
extern "C" __global__ void pass_on(const float* in, float* out) {
  __shared__ __align__(128) float mine[64], theirs[64];
  __shared__ uint64_t bar;
  const unsigned rank = spak::cluster_rank(), next = (rank + 1) % spak::cluster_size();
  mine[threadIdx.x] = in[blockIdx.x * 64 + threadIdx.x];
  if (threadIdx.x == 0) {
    spak::mbarrier_init(&bar, 1);
    spak::fence_mbarrier_init();
    spak::mbarrier_arrive_expect_tx(&bar, 256);
  }
  spak::fence_proxy_async();
  spak::cluster_sync();
  if (threadIdx.x == 0) spak::bulk_copy_cluster(spak::cluster_map(theirs, next), mine, 256, spak::cluster_map(&bar, next));
  spak::mbarrier_wait_cluster(&bar, 0);
  out[blockIdx.x * 64 + threadIdx.x] = theirs[threadIdx.x];
  spak::cluster_sync();
}

// The block of rank 0 loads 256 bytes for all blocks of the cluster.
extern "C" __global__ void spread(const float* in, float* out) {
  __shared__ __align__(128) float tile[64];
  __shared__ uint64_t bar;
  if (threadIdx.x == 0) {
    spak::mbarrier_init(&bar, 1);
    spak::fence_mbarrier_init();
    spak::mbarrier_arrive_expect_tx(&bar, 256);
  }
  spak::cluster_sync();
  if (threadIdx.x == 0 && spak::cluster_rank() == 0)
    spak::bulk_load_multicast(tile, in, 256, &bar, static_cast<uint16_t>((1u << spak::cluster_size()) - 1));
  spak::mbarrier_wait(&bar, 0);
  out[blockIdx.x * 64 + threadIdx.x] = tile[threadIdx.x];
  spak::cluster_sync();
}
