// Tensor cores: products of a warp (mma.sync) and of a warpgroup (wgmma), which runs on while its threads do other things.
//@ arch sm_90a
#include <spak/cuda/bulk.h>
#include <spak/cuda/device.h>
#include <spak/cuda/fence.h>
#include <spak/cuda/matrix.h>
#include <spak/cuda/mbarrier.h>
#include <spak/cuda/mma.h>
#include <spak/cuda/tma.h>
#include <spak/cuda/wgmma.h>

using namespace spak;

// bf16, as its bits.
using Bits = unsigned short;

// Where element (row, k) of a K-major operand of 16 columns lies: core matrices of 8 rows of 16 bytes, two to a row of cores.
__device__ inline int core(int row, int k) { return row / 8 * 128 + k / 8 * 64 + row % 8 * 8 + k % 8; }
__device__ inline uint64_t operand(const Bits* tile) { return wgmma_descriptor(tile, Swizzle::none, 128, 256); }

// Rows of 16 elements from global memory to core matrices, by all threads of the block.
__device__ inline void fill(Bits* tile, const Bits* from, int rows) {
  for (int i = threadIdx.x; i < 16 * rows; i += blockDim.x) tile[core(i / 16, i % 16)] = from[i];
}

// D of 64 x 8, one element: thread t, register i.
__device__ inline int place(int t, int i) { return 8 * (t / 32 * 16 + t % 32 / 4 + i / 2 * 8) + t % 4 * 2 + i % 2; }

//@ defect accumulators_read_early: accumulator-in-flight
//@   The wait comes after the first use of what it waits for.
//@ run block=128
//@ in a = bf16(arange(1024) % 7).reshape(64, 16)
//@ in b = bf16(arange(128) % 5).reshape(8, 16)
//@ out y: f32[64, 8] = matmul(a, b.T)
extern "C" __global__ void __launch_bounds__(128) accumulators_read_early(const Bits* a, const Bits* b, float* y) {
  __shared__ __align__(128) Bits sa[64 * 16], sb[8 * 16];
  fill(sa, a, 64);
  fill(sb, b, 8);
  fence_proxy_async();
  __syncthreads();
  float d[4] = {};
  wgmma_fence();
  wgmma_bf16<8>(d, operand(sa), operand(sb), false);                       //@ wgmma
  wgmma_commit();
  wgmma_wait<0>(d);                                                        //@ fixed
  for (int i = 0; i < 4; ++i) y[place(threadIdx.x, i)] = d[i];             //@ reads
  wgmma_wait<0>(d);                                                        //@ broken
}

//@ defect accumulators_written: accumulator-in-flight
//@   The accumulators are cleared for the next tile while this tile's product is still adding to them.
//@ run block=128
//@ in a = bf16(arange(1024) % 7).reshape(64, 16)
//@ in b = bf16(arange(128) % 5).reshape(8, 16)
//@ out y: f32[64, 8] = matmul(a, b.T)
extern "C" __global__ void __launch_bounds__(128) accumulators_written(const Bits* a, const Bits* b, float* y) {
  __shared__ __align__(128) Bits sa[64 * 16], sb[8 * 16];
  fill(sa, a, 64);
  fill(sb, b, 8);
  fence_proxy_async();
  __syncthreads();
  float d[4] = {};
  for (int tile = 0; tile < 2; ++tile) {
    if (tile == 1) wgmma_wait<0>(d);       //@ fixed
    for (int i = 0; i < 4; ++i) d[i] = 0;  //@ writes
    wgmma_fence();
    wgmma_bf16<8>(d, operand(sa), operand(sb));  //@ wgmma
    wgmma_commit();
  }
  wgmma_wait<0>(d);
  for (int i = 0; i < 4; ++i) y[place(threadIdx.x, i)] = d[i];
}

//@ defect registers_not_fenced: accumulator-in-flight
//@   Accumulators are set by ordinary instructions, and no wgmma.fence orders these before the product.
//@ run block=128
//@ in a = bf16(arange(1024) % 7).reshape(64, 16)
//@ in b = bf16(arange(128) % 5).reshape(8, 16)
//@ out y: f32[64, 8] = matmul(a, b.T) + 1
extern "C" __global__ void __launch_bounds__(128) registers_not_fenced(const Bits* a, const Bits* b, float* y) {
  __shared__ __align__(128) Bits sa[64 * 16], sb[8 * 16];
  fill(sa, a, 64);
  fill(sb, b, 8);
  fence_proxy_async();
  __syncthreads();
  float d[4] = {1, 1, 1, 1};
  wgmma_fence();                               //@ fixed
  wgmma_bf16<8>(d, operand(sa), operand(sb));  //@ here
  wgmma_commit();
  wgmma_wait<0>(d);
  for (int i = 0; i < 4; ++i) y[place(threadIdx.x, i)] = d[i];
}

//@ defect group_left_open: accumulator-in-flight
//@   Without a commit the product is in no group, and waiting for groups returns at once.
//@ run block=128
//@ in a = bf16(arange(1024) % 7).reshape(64, 16)
//@ in b = bf16(arange(128) % 5).reshape(8, 16)
//@ out y: f32[64, 8] = matmul(a, b.T)
//@ also missing-wait
extern "C" __global__ void __launch_bounds__(128) group_left_open(const Bits* a, const Bits* b, float* y) {
  __shared__ __align__(128) Bits sa[64 * 16], sb[8 * 16];
  fill(sa, a, 64);
  fill(sb, b, 8);
  fence_proxy_async();
  __syncthreads();
  float d[4] = {};
  wgmma_fence();
  wgmma_bf16<8>(d, operand(sa), operand(sb), false);            //@ wgmma
  wgmma_commit();                                               //@ fixed
  wgmma_wait<0>(d);
  for (int i = 0; i < 4; ++i) y[place(threadIdx.x, i)] = d[i];  //@ reads
}

//@ defect one_group_too_lax: accumulator-in-flight
//@   Two groups are under way, and the wait for the second one is satisfied by the first.
//@ run block=128
//@ in a = bf16(arange(1024) % 7).reshape(64, 16)
//@ in b = bf16(arange(128) % 5).reshape(8, 16)
//@ out y: f32[64, 8] = 2 * matmul(a, b.T)
//@ also missing-wait
extern "C" __global__ void __launch_bounds__(128) one_group_too_lax(const Bits* a, const Bits* b, float* y) {
  __shared__ __align__(128) Bits sa[64 * 16], sb[8 * 16];
  fill(sa, a, 64);
  fill(sb, b, 8);
  fence_proxy_async();
  __syncthreads();
  float d[4] = {};
  wgmma_fence();
  wgmma_bf16<8>(d, operand(sa), operand(sb), false);
  wgmma_commit();
  wgmma_bf16<8>(d, operand(sa), operand(sb));                   //@ wgmma
  wgmma_commit();
  wgmma_wait<0>(d);                                             //@ fixed
  wgmma_wait<1>(d);                                             //@ broken
  for (int i = 0; i < 4; ++i) y[place(threadIdx.x, i)] = d[i];  //@ reads
}

//@ defect fragment_changed: accumulator-in-flight
//@   A comes from registers, and the next fragment is loaded into them while the product still reads this one.
//@ run block=128
//@ in a = bf16(arange(1024) % 7).reshape(64, 16)
//@ in b = bf16(arange(128) % 5).reshape(8, 16)
//@ out y: f32[64, 8] = matmul(a, b.T)
extern "C" __global__ void __launch_bounds__(128) fragment_changed(const unsigned* a, const Bits* b, float* y) {
  __shared__ __align__(128) Bits sb[8 * 16];
  fill(sb, b, 8);
  fence_proxy_async();
  __syncthreads();
  const int t = threadIdx.x, row = t / 32 * 16 + t % 32 / 4;
  uint32_t fragment[4];
  for (int r = 0; r < 4; ++r) fragment[r] = a[8 * (row + r % 2 * 8) + t % 4 + r / 2 * 4];
  float d[4] = {};
  wgmma_fence();
  wgmma_bf16<8>(d, fragment, operand(sb), false);    //@ wgmma
  wgmma_commit();
  wgmma_wait<0>(d);                                  //@ fixed
  for (int r = 0; r < 4; ++r) fragment[r] = a[r];    //@ writes
  wgmma_wait<0>(d);                                  //@ broken
  for (int i = 0; i < 4; ++i) y[place(t, i)] = d[i];
  if (fragment[0] != a[0]) y[0] = 0;
}

//@ defect tile_not_proxy_fenced: missing-proxy-fence
//@   Tensor cores read shared memory through the async proxy: ordinary stores need a proxy fence before it.
//@ run block=128
//@ in a = bf16(arange(1024) % 7).reshape(64, 16)
//@ in b = bf16(arange(128) % 5).reshape(8, 16)
//@ out y: f32[64, 8] = matmul(a, b.T)
extern "C" __global__ void __launch_bounds__(128) tile_not_proxy_fenced(const Bits* a, const Bits* b, float* y) {
  __shared__ __align__(128) Bits sa[64 * 16], sb[8 * 16];
  for (int i = threadIdx.x; i < 1024; i += 128) sa[core(i / 16, i % 16)] = a[i];  //@ writes
  fill(sb, b, 8);
  fence_proxy_async();                                //@ fixed
  __syncthreads();
  float d[4] = {};
  wgmma_fence();
  wgmma_bf16<8>(d, operand(sa), operand(sb), false);  //@ wgmma
  wgmma_commit();
  wgmma_wait<0>(d);
  for (int i = 0; i < 4; ++i) y[place(threadIdx.x, i)] = d[i];
}

//@ defect wgmma_fence_is_not_proxy_fence: missing-proxy-fence
//@   wgmma.fence orders registers; it does not make shared memory visible to the async proxy.
//@ run block=128
//@ in a = bf16(arange(1024) % 7).reshape(64, 16)
//@ in b = bf16(arange(128) % 5).reshape(8, 16)
//@ out y: f32[64, 8] = matmul(a, b.T)
extern "C" __global__ void __launch_bounds__(128) wgmma_fence_is_not_proxy_fence(const Bits* a, const Bits* b, float* y) {
  __shared__ __align__(128) Bits sa[64 * 16], sb[8 * 16];
  fill(sa, a, 64);
  for (int i = threadIdx.x; i < 128; i += 128) sb[core(i / 16, i % 16)] = b[i];  //@ writes
  fence_proxy_async();                                //@ fixed
  wgmma_fence();                                      //@ broken
  __syncthreads();
  float d[4] = {};
  wgmma_fence();
  wgmma_bf16<8>(d, operand(sa), operand(sb), false);  //@ wgmma
  wgmma_commit();
  wgmma_wait<0>(d);
  for (int i = 0; i < 4; ++i) y[place(threadIdx.x, i)] = d[i];
}

//@ defect operand_overwritten: in-flight-overwrite
//@   The next tile is stored over an operand that the tensor cores still read.
//@ run block=128
//@ in a = bf16(arange(2048) % 7).reshape(2, 64, 16)
//@ in b = bf16(arange(128) % 5).reshape(8, 16)
//@ out y: f32[64, 8] = matmul(a[0], b.T) + matmul(a[1], b.T)
extern "C" __global__ void __launch_bounds__(128) operand_overwritten(const Bits* a, const Bits* b, float* y) {
  __shared__ __align__(128) Bits sa[64 * 16], sb[8 * 16];
  const int t = threadIdx.x;
  fill(sb, b, 8);
  float d[4] = {};
  for (int tile = 0; tile < 2; ++tile) {
    for (int i = t; i < 1024; i += 128) sa[core(i / 16, i % 16)] = a[1024 * tile + i];  //@ writes
    fence_proxy_async();
    __syncthreads();
    wgmma_fence();
    wgmma_bf16<8>(d, operand(sa), operand(sb), tile > 0);  //@ wgmma
    wgmma_commit();
    wgmma_wait<0>(d);                                      //@ fixed
    __syncthreads();
  }
  wgmma_wait<0>(d);                                        //@ broken
  for (int i = 0; i < 4; ++i) y[place(t, i)] = d[i];
}

//@ defect swizzles_differ: bad-descriptor
//@   The tile was loaded with a swizzle of 128 bytes, and its descriptor says 64.
//@ run block=128
//@ in a = bf16(arange(64 * 64) % 7).reshape(64, 64)
//@ in b = bf16(arange(8 * 64) % 5).reshape(8, 64)
//@ map ma = a box=(64, 64) swizzle=128
//@ map mb = b box=(64, 8) swizzle=128
//@ out y: f32[64, 8] = matmul(a, b.T)
extern "C" __global__ void __launch_bounds__(128) swizzles_differ(const __grid_constant__ CUtensorMap ma,
                                                                  const __grid_constant__ CUtensorMap mb, float* y) {
  __shared__ __align__(1024) Bits sa[64 * 64], sb[8 * 64];
  __shared__ uint64_t full;
  if (threadIdx.x == 0) {
    mbarrier_init(&full, 1);
    fence_mbarrier_init();
    mbarrier_arrive_expect_tx(&full, sizeof sa + sizeof sb);
    tma_load(sa, ma, &full, 0, 0);
    tma_load(sb, mb, &full, 0, 0);
  }
  __syncthreads();
  mbarrier_wait(&full, 0);
  const uint64_t left = wgmma_descriptor(sa, Swizzle::b128, 16, 1024);  //@ fixed
  const uint64_t left = wgmma_descriptor(sa, Swizzle::b64, 16, 512);    //@ broken
  const uint64_t right = wgmma_descriptor(sb, Swizzle::b128, 16, 1024);
  float d[4] = {};
  wgmma_fence();
  for (int k = 0; k < 4; ++k)
    wgmma_bf16<8>(d, wgmma_advance(left, 32 * k), wgmma_advance(right, 32 * k), k > 0);  //@ here
  wgmma_commit();
  wgmma_wait<0>(d);
  for (int i = 0; i < 4; ++i) y[place(threadIdx.x, i)] = d[i];
}

//@ defect operand_not_aligned: bad-descriptor
//@   A swizzled operand begins at a multiple of its pattern of 1024 bytes; this one follows a small array.
//@ run block=128 smem=16384
//@ in a = bf16(ones(64, 64))
//@ in b = bf16(arange(8 * 64) % 5).reshape(8, 64)
//@ out y: f32[64, 8] = matmul(a, b.T)
extern "C" __global__ void __launch_bounds__(128) operand_not_aligned(const Bits* a, const Bits* b, float* y) {
  extern __shared__ __align__(1024) unsigned char arena[];
  Bits* sa = reinterpret_cast<Bits*>(arena);
  Bits* sb = reinterpret_cast<Bits*>(arena + 8192);        //@ fixed
  Bits* sb = reinterpret_cast<Bits*>(arena + 8192 + 128);  //@ broken
  for (int i = threadIdx.x; i < 64 * 64; i += 128) sa[i] = a[i];
  for (int i = threadIdx.x; i < 8 * 64; i += 128) sb[swizzle<Swizzle::b128>(2 * i) / 2] = b[i];
  fence_proxy_async();
  __syncthreads();
  const uint64_t left = wgmma_descriptor(sa, Swizzle::b128, 16, 1024);
  const uint64_t right = wgmma_descriptor(sb, Swizzle::b128, 16, 1024);
  float d[4] = {};
  wgmma_fence();
  for (int k = 0; k < 4; ++k)
    wgmma_bf16<8>(d, wgmma_advance(left, 32 * k), wgmma_advance(right, 32 * k), k > 0);  //@ here
  wgmma_commit();
  wgmma_wait<0>(d);
  for (int i = 0; i < 4; ++i) y[place(threadIdx.x, i)] = d[i];
}

//@ defect operand_past_the_end: shared-overflow
//@   The descriptor's stride makes the tensor cores read rows that lie beyond the tile.
//@ run block=128
//@ in a = bf16(arange(1024) % 7).reshape(64, 16)
//@ in b = bf16(arange(128) % 5).reshape(8, 16)
//@ out y: f32[64, 8] = matmul(a, b.T)
//@ also uninitialised-read, bad-descriptor
extern "C" __global__ void __launch_bounds__(128) operand_past_the_end(const Bits* a, const Bits* b, float* y) {
  __shared__ __align__(128) Bits sb[8 * 16];
  __shared__ __align__(128) Bits sa[64 * 16];  //@ declares
  fill(sa, a, 64);
  fill(sb, b, 8);
  fence_proxy_async();
  __syncthreads();
  const uint32_t stride = 256;   //@ fixed
  const uint32_t stride = 2560;  //@ broken
  float d[4] = {};
  wgmma_fence();
  wgmma_bf16<8>(d, wgmma_descriptor(sa, Swizzle::none, 128, stride), operand(sb), false);  //@ wgmma
  wgmma_commit();
  wgmma_wait<0>(d);
  for (int i = 0; i < 4; ++i) y[place(threadIdx.x, i)] = d[i];
}

//@ defect warpgroup_not_aligned: bad-warpgroup
//@   A warpgroup is warps 0 to 3 or 4 to 7; the consumers here are warps 1 to 4.
//@ run block=256
//@ run[broken] block=160
//@ in a = bf16(arange(1024) % 7).reshape(64, 16)
//@ in b = bf16(arange(128) % 5).reshape(8, 16)
//@ out y: f32[64, 8] = matmul(a, b.T)
extern "C" __global__ void __launch_bounds__(256) warpgroup_not_aligned(const Bits* a, const Bits* b, float* y) {
  __shared__ __align__(128) Bits sa[64 * 16], sb[8 * 16];
  fill(sa, a, 64);
  fill(sb, b, 8);
  fence_proxy_async();
  __syncthreads();
  const int first = 128;  //@ fixed
  const int first = 32;   //@ broken
  const int t = static_cast<int>(threadIdx.x) - first;
  if (t < 0) return;
  float d[4] = {};
  wgmma_fence();
  wgmma_bf16<8>(d, operand(sa), operand(sb), false);  //@ here
  wgmma_commit();
  wgmma_wait<0>(d);
  for (int i = 0; i < 4; ++i) y[place(t, i)] = d[i];
}

//@ defect warp_alone: bad-warpgroup
//@   Only one warp of the four issues the product.
//@ run block=128
//@ in a = bf16(arange(1024) % 7).reshape(64, 16)
//@ in b = bf16(arange(128) % 5).reshape(8, 16)
//@ out y: f32[64, 8] = matmul(a, b.T)
//@ also divergent-warp, deadlock
extern "C" __global__ void __launch_bounds__(128) warp_alone(const Bits* a, const Bits* b, float* y) {
  __shared__ __align__(128) Bits sa[64 * 16], sb[8 * 16];
  fill(sa, a, 64);
  fill(sb, b, 8);
  fence_proxy_async();
  __syncthreads();
  float d[4] = {};
  if (threadIdx.x >= 32) return;                      //@ broken
  wgmma_fence();
  wgmma_bf16<8>(d, operand(sa), operand(sb), false);  //@ here
  wgmma_commit();
  wgmma_wait<0>(d);
  for (int i = 0; i < 4; ++i) y[place(threadIdx.x, i)] = d[i];
}

//@ defect mma_in_branch: divergent-warp
//@   Half of a warp skips a product that takes all 32 lanes.
//@ run block=32
//@ in a = bf16(arange(256) % 7).reshape(16, 16)
//@ in b = bf16(arange(128) % 5).reshape(8, 16)
//@ out y: f32[16, 8] = matmul(a, b.T)
//@ also deadlock
extern "C" __global__ void mma_in_branch(const unsigned* a, const unsigned* b, float* y) {
  const int t = threadIdx.x, row = t / 4, column = t % 4;
  const uint32_t left[4] = {a[8 * row + column], a[8 * row + 64 + column], a[8 * row + 4 + column], a[8 * row + 68 + column]};
  const uint32_t right[2] = {b[8 * row + column], b[8 * row + 4 + column]};
  float d[4] = {};
  if (row < 4)                 //@ broken
    mma_bf16(d, left, right);  //@ waits
  for (int i = 0; i < 4; ++i) y[8 * (row + i / 2 * 8) + 2 * column + i % 2] = d[i];
}

//@ defect rows_not_aligned: misaligned
//@   ldmatrix reads rows of 16 bytes at multiples of 16; a pad of one element breaks that.
//@ run block=32
//@ in x = i32(arange(64) % 50).reshape(8, 8)
//@ out y: i32[32] = x.ravel()[::2]
extern "C" __global__ void rows_not_aligned(const int* x, int* y) {
  constexpr int kPitch = 16;  //@ fixed
  constexpr int kPitch = 9;   //@ broken
  __shared__ __align__(16) Bits tile[8 * kPitch];
  const int t = threadIdx.x;
  for (int i = t; i < 64; i += 32) tile[i / 8 * kPitch + i % 8] = static_cast<Bits>(x[i]);
  __syncwarp();
  uint32_t r[1];
  ldmatrix<1>(r, tile + t % 8 * kPitch);  //@ here
  y[t] = static_cast<int>(r[0] & 0xffff);
}

//@ defect matrix_before_barrier: race-shared
//@   The fragments are loaded before the other warp has stored its half of the tile.
//@ run block=64
//@ in x = i32(arange(64) % 50).reshape(8, 8)
//@ out y: i32[64] = tile(x.ravel()[::2], 2)
//@ also race-warp, uninitialised-read
extern "C" __global__ void matrix_before_barrier(const int* x, int* y) {
  __shared__ __align__(16) Bits tile[64];
  const int t = threadIdx.x;
  tile[t] = static_cast<Bits>(x[t]);  //@ writes
  __syncwarp();                       //@ broken
  __syncthreads();                    //@ fixed
  uint32_t r[1];
  ldmatrix<1>(r, tile + t % 8 * 8);   //@ reads
  y[t] = static_cast<int>(r[0] & 0xffff);
}

//@ defect one_warp_waits: race-shared
//@   One warp of the warpgroup waits for the operands. Each warp issues its part of a product when it comes there.
//@ run block=256
//@ in a = bf16(arange(1024) % 7).reshape(64, 16)
//@ in b = bf16(arange(128) % 5).reshape(8, 16)
//@ out y: f32[64, 8] = matmul(a, b.T)
//@ also uninitialised-read, missing-proxy-fence
extern "C" __global__ void __launch_bounds__(256) one_warp_waits(const Bits* a, const Bits* b, float* y) {
  __shared__ __align__(128) Bits sa[64 * 16], sb[8 * 16];
  __shared__ uint64_t full;
  const int t = threadIdx.x;
  if (t == 0) mbarrier_init(&full, 128);
  __syncthreads();
  if (t >= 128) {
    for (int i = t - 128; i < 16 * 64; i += 128) sa[core(i / 16, i % 16)] = a[i];  //@ writes
    for (int i = t - 128; i < 16 * 8; i += 128) sb[core(i / 16, i % 16)] = b[i];
    fence_proxy_async();
    mbarrier_arrive(&full);
    return;
  }
  mbarrier_wait(&full, 0);  //@ fixed
  if (t < 32) mbarrier_wait(&full, 0);  //@ broken
  float d[4] = {};
  wgmma_fence();
  wgmma_bf16<8>(d, operand(sa), operand(sb), false);  //@ wgmma
  wgmma_commit();
  wgmma_wait<0>(d);
  for (int i = 0; i < 4; ++i) y[place(t, i)] = d[i];
}

//@ defect fragment_not_fenced: accumulator-in-flight
//@   Fragments of A are loaded again after the wait, and no wgmma.fence orders them before the next product.
//@ run block=128
//@ in a = bf16(arange(2048) % 7).reshape(2, 64, 16)
//@ in b = bf16(arange(128) % 5).reshape(8, 16)
//@ out y: f32[64, 8] = matmul(a[0], b.T) + matmul(a[1], b.T)
extern "C" __global__ void __launch_bounds__(128) fragment_not_fenced(const Bits* a, const Bits* b, float* y) {
  __shared__ __align__(128) Bits sb[8 * 16];
  fill(sb, b, 8);
  fence_proxy_async();
  __syncthreads();
  const int t = threadIdx.x, row = t / 32 * 16 + t % 32 / 4, k = t % 4 * 2;
  float d[4] = {};
  wgmma_fence();  //@ broken
  for (int tile = 0; tile < 2; ++tile) {
    uint32_t f[4];
    for (int r = 0; r < 4; ++r)
      f[r] = *reinterpret_cast<const uint32_t*>(a + 1024 * tile + 16 * (row + r % 2 * 8) + k + r / 2 * 8);
    wgmma_fence();  //@ fixed
    wgmma_bf16<8>(d, f, operand(sb));  //@ here
    wgmma_commit();
    wgmma_wait<0>(d);
  }
  for (int i = 0; i < 4; ++i) y[place(t, i)] = d[i];
}

//@ kernel region_used_again
//@   Memory that TMA filled with a swizzle serves a second product, whose operands ordinary stores lay down without one.
//@ run block=128
//@ in a = bf16(arange(64 * 64) % 7).reshape(64, 64)
//@ in b = bf16(arange(8 * 64) % 5).reshape(8, 64)
//@ in c = bf16(arange(1024) % 3).reshape(64, 16)
//@ in e = bf16(arange(128) % 4).reshape(8, 16)
//@ map map_a = a box=(64, 64) swizzle=128
//@ map map_b = b box=(64, 8) swizzle=128
//@ out y: f32[64, 8] = matmul(a[:, :16], b[:, :16].T) + matmul(c, e.T)
extern "C" __global__ void __launch_bounds__(128) region_used_again(const __grid_constant__ CUtensorMap map_a,
                                                                    const __grid_constant__ CUtensorMap map_b,
                                                                    const Bits* c, const Bits* e, float* y) {
  __shared__ __align__(1024) Bits sa[64 * 64], sb[8 * 64];
  __shared__ uint64_t full;
  if (threadIdx.x == 0) {
    mbarrier_init(&full, 1);
    fence_mbarrier_init();
    mbarrier_arrive_expect_tx(&full, sizeof sa + sizeof sb);
    tma_load(sa, map_a, &full, 0, 0);
    tma_load(sb, map_b, &full, 0, 0);
  }
  __syncthreads();
  mbarrier_wait(&full, 0);
  float d[4] = {};
  wgmma_fence();
  wgmma_bf16<8>(d, wgmma_descriptor(sa, Swizzle::b128, 16, 1024), wgmma_descriptor(sb, Swizzle::b128, 16, 1024), false);
  wgmma_commit();
  wgmma_wait<0>(d);
  __syncthreads();
  fill(sa, c, 64);
  fill(sb, e, 8);
  fence_proxy_async();
  __syncthreads();
  wgmma_fence();
  wgmma_bf16<8>(d, operand(sa), operand(sb));
  wgmma_commit();
  wgmma_wait<0>(d);
  for (int i = 0; i < 4; ++i) y[place(threadIdx.x, i)] = d[i];
}
