// Flash attention of Hopper's kind: scores and outputs stay in registers, the product of one tile overlaps the softmax of the next.
//@ arch sm_90a
#include <spak/cuda/device.h>
#include <spak/cuda/fence.h>
#include <spak/cuda/half.h>
#include <spak/cuda/math.h>
#include <spak/cuda/mbarrier.h>
#include <spak/cuda/tma.h>
#include <spak/cuda/wgmma.h>

using namespace spak;

using Bits = unsigned short;                     // bf16, as its bits
constexpr int kRows = 64, kKeys = 32, kDim = 64;  // queries of a block, keys of a tile, head dimension
constexpr int kStages = 2;
constexpr float kScale = 0.125f * 1.4426950408889634f;  // 1 / sqrt(kDim), for powers of two

struct __align__(1024) Shared {
  Bits q[kRows * kDim];  // rows of 128 bytes, swizzled, as are those of k and v
  Bits k[kStages][kKeys * kDim];
  Bits v[kStages][kKeys * kDim];
  uint64_t full_q, full_k[kStages], full_v[kStages], empty_k[kStages], empty_v[kStages];
};

__device__ inline uint32_t pack(float low, float high) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<const uint32_t*>(&pair);
}

//@ kernel attention
//@   O = softmax(Q K^T / 8) V for one head: m queries, n keys, 64 dimensions. Warps 0 to 3 own 64 queries, warp 4 loads. While
//@   tile i multiplies its probabilities by V, the scores of tile i + 1 are computed; probabilities go from accumulators to A
//@   fragments without leaving their thread.
//@ defect query_not_waited_for: in-flight-read
//@   The first scores are computed before Q has landed.
//@ also[query_not_waited_for] uninitialised-read, missing-wait
//@ defect value_parity_wrong: deadlock
//@   The wait for V names the wrong phase: if V has not landed that is the one before, else one that nobody will fill.
//@ also[value_parity_wrong] in-flight-read, missing-wait
//@ defect value_bytes_wrong: deadlock
//@   V's barrier expects the bytes of Q.
//@ also[value_bytes_wrong] missing-wait
//@ defect arrival_of_every_thread: deadlock
//@   The empty barriers count 128 threads, and one arrives.
//@ defect first_stage_never_free: deadlock
//@   The producer waits with the consumers' parity.
//@ defect keys_released_early: in-flight-overwrite
//@   The stage of K is given back while the scores are being computed from it.
//@ also[keys_released_early] race-shared
//@ defect values_released_early: in-flight-overwrite
//@   The stage of V is given back when the scores of the next tile are there; the outputs of this one are not.
//@ also[values_released_early] race-shared
//@ defect scores_read_early: accumulator-in-flight
//@   The softmax of the first tile begins before its scores are there.
//@ also[scores_read_early] in-flight-overwrite
//@ defect scores_waited_too_lax: accumulator-in-flight
//@   Two groups are in flight, and the wait allows two.
//@ also[scores_waited_too_lax] in-flight-overwrite, race-shared
//@ defect probabilities_replaced_early: accumulator-in-flight
//@   The next probabilities are packed into the registers that the product with V still reads.
//@ defect outputs_rescaled_early: accumulator-in-flight
//@   The outputs are rescaled while the last tile is still being added to them.
//@ defect rescaled_without_fence: accumulator-in-flight
//@   Ordinary instructions have rescaled the outputs, and no wgmma.fence orders them before the next product.
//@ defect outputs_not_committed: accumulator-in-flight
//@   The product with V is never closed into a group.
//@ also[outputs_not_committed] in-flight-overwrite, race-shared, missing-wait
//@ defect mask_of_half_a_warp: divergent-warp
//@   The exchange of the rows' maxima names 16 lanes.
//@ defect keys_past_the_end: wrong-values
//@   Keys that do not exist were loaded as zeros, and their scores are zeros, not minus infinity.
//@ defect sums_not_exchanged: wrong-values
//@   Each thread divides by the sum of its own keys.
//@ defect rows_past_the_end: out-of-bounds
//@   Queries that do not exist are stored like the others.
//@ run grid=2 block=160 smem=25600
//@ in m = 68
//@ in n = 80
//@ in q = bf16(random(68, 64))
//@ in k = bf16(random(80, 64)[::-1])
//@ in v = bf16(random(81, 64)[1:])
//@ map map_q = q box=(64, 64) swizzle=128
//@ map map_k = k box=(64, 32) swizzle=128
//@ map map_v = v box=(64, 32) swizzle=128
//@ out o: f32[68, 64] ~= matmul(exp(matmul(q, k.T) / 8), v) / exp(matmul(q, k.T) / 8).sum(1, keepdims=True)
extern "C" __global__ void __launch_bounds__(160, 1) attention(const __grid_constant__ CUtensorMap map_q,
                                                               const __grid_constant__ CUtensorMap map_k,
                                                               const __grid_constant__ CUtensorMap map_v, float* o, int m, int n) {
  extern __shared__ __align__(1024) unsigned char memory[];
  Shared& s = *reinterpret_cast<Shared*>(memory);
  const int t = threadIdx.x, tiles = (n + kKeys - 1) / kKeys;
  if (t == 0) {
    const uint32_t consumers = 1;    //@ not arrival_of_every_thread
    const uint32_t consumers = 128;  //@ only arrival_of_every_thread
    mbarrier_init(&s.full_q, 1);
    for (int i = 0; i < kStages; ++i) {
      mbarrier_init(&s.full_k[i], 1);
      mbarrier_init(&s.full_v[i], 1);
      mbarrier_init(&s.empty_k[i], consumers);
      mbarrier_init(&s.empty_v[i], consumers);
    }
    fence_mbarrier_init();
  }
  __syncthreads();

  if (t >= 128) {
    if (t > 128) return;
    mbarrier_arrive_expect_tx(&s.full_q, sizeof(s.q));
    tma_load(s.q, map_q, &s.full_q, 0, blockIdx.x * kRows);  //@ query_not_waited_for: TMA
    for (int i = 0; i < tiles; ++i) {
      const int slot = i % kStages, parity = i / kStages & 1;
      mbarrier_wait(&s.empty_k[slot], parity ^ 1);  //@ not first_stage_never_free; arrival_of_every_thread: waits
      mbarrier_wait(&s.empty_k[slot], parity);      //@ only first_stage_never_free; first_stage_never_free: waits
      mbarrier_arrive_expect_tx(&s.full_k[slot], sizeof(s.k[0]));
      tma_load(s.k[slot], map_k, &s.full_k[slot], 0, i * kKeys);  //@ keys_released_early: TMA
      mbarrier_wait(&s.empty_v[slot], parity ^ 1);
      mbarrier_arrive_expect_tx(&s.full_v[slot], sizeof(s.v[0]));  //@ not value_bytes_wrong
      mbarrier_arrive_expect_tx(&s.full_v[slot], sizeof(s.q));     //@ only value_bytes_wrong
      tma_load(s.v[slot], map_v, &s.full_v[slot], 0, i * kKeys);  //@ values_released_early: TMA
    }
    return;
  }

  const int l = t % 32;
  float score[kKeys / 2], output[kDim / 2] = {}, top[2] = {-infinity(), -infinity()}, sum[2] = {};
  uint32_t p[kKeys / 16][4];
  mbarrier_wait(&s.full_q, 0);  //@ not query_not_waited_for
  const uint64_t q = wgmma_descriptor(s.q, Swizzle::b128, 16, 1024);

  // One tile more than there are: in each round the scores of tile i, and the product of the probabilities of tile i - 1.
  for (int i = 0; i <= tiles; ++i) {
    const int slot = i % kStages, parity = i / kStages & 1, before = (i + 1) % kStages;
    if (i < tiles) {
      mbarrier_wait(&s.full_k[slot], parity);
      const uint64_t k = wgmma_descriptor(s.k[slot], Swizzle::b128, 16, 1024);
      wgmma_fence();
      for (int at = 0; at < kDim / 16; ++at)
        wgmma_bf16<kKeys>(score, wgmma_advance(q, 32 * at), wgmma_advance(k, 32 * at), at > 0);  //@ query_not_waited_for, keys_released_early, scores_read_early, scores_waited_too_lax: wgmma
      wgmma_commit();
      if (t == 0) mbarrier_arrive(&s.empty_k[slot]);  //@ only keys_released_early
    }
    if (i > 0) {
      mbarrier_wait(&s.full_v[before], (i - 1) / kStages & 1);        //@ not value_parity_wrong; value_bytes_wrong: waits
      mbarrier_wait(&s.full_v[before], ((i - 1) / kStages & 1) ^ 1);  //@ only value_parity_wrong; value_parity_wrong: waits
      const uint64_t v = wgmma_descriptor(s.v[before], Swizzle::b128, 16, 1024);
      if (i == tiles) wgmma_fence();  //@ not rescaled_without_fence
      for (int at = 0; at < kKeys / 16; ++at)
        wgmma_bf16<kDim, false, true>(output, p[at], wgmma_advance(v, 2048 * at));  //@ values_released_early, probabilities_replaced_early, outputs_rescaled_early, outputs_not_committed: wgmma; rescaled_without_fence: here
      wgmma_commit();                 //@ not outputs_not_committed
    }
    float factor[2] = {1, 1};
    if (i < tiles) {
      if (i > 0) wgmma_wait<1>(score);   //@ not scores_waited_too_lax, outputs_not_committed
      if (i > 0) wgmma_wait<2>(score);   //@ only scores_waited_too_lax
      if (i > 0) wgmma_wait<0>(score);   //@ only outputs_not_committed
      if (i == 0) wgmma_wait<0>(score);  //@ not scores_read_early
      if (t == 0) mbarrier_arrive(&s.empty_k[slot]);  //@ not keys_released_early
      if (t == 0 && i > 0) mbarrier_arrive(&s.empty_v[before]);  //@ only values_released_early
      float high[2] = {top[0], top[1]};
      for (int e = 0; e < kKeys / 2; ++e) {
        const int key = i * kKeys + e / 4 * 8 + l % 4 * 2 + e % 2;
        score[e] = key < n ? score[e] * kScale : -infinity();  //@ not keys_past_the_end; scores_read_early, scores_waited_too_lax: reads
        score[e] = key < n ? score[e] * kScale : 0;          //@ only keys_past_the_end
        high[e / 2 % 2] = fmaxf(high[e / 2 % 2], score[e]);
      }
      for (int h = 0; h < 2; ++h) {
        for (int step = 1; step < 4; step *= 2)
          high[h] = fmaxf(high[h], __shfl_xor_sync(0xffffffffu, high[h], step));  //@ not mask_of_half_a_warp
          high[h] = fmaxf(high[h], __shfl_xor_sync(0x0000ffffu, high[h], step));  //@ only mask_of_half_a_warp; mask_of_half_a_warp: here
        factor[h] = exp2f(top[h] - high[h]);
        top[h] = high[h];
        sum[h] *= factor[h];
      }
      for (int e = 0; e < kKeys / 2; ++e) {
        score[e] = exp2f(score[e] - top[e / 2 % 2]);
        sum[e / 2 % 2] += score[e];
      }
    }
    for (int e = 0; e < kDim / 2; ++e) output[e] *= factor[e / 2 % 2];  //@ only outputs_rescaled_early; outputs_rescaled_early: writes
    for (int e = 0; e < kKeys / 4; ++e) p[e / 4][e % 4] = pack(score[2 * e], score[2 * e + 1]);  //@ only probabilities_replaced_early; probabilities_replaced_early: writes
    wgmma_wait<0>(output);
    if (t == 0 && i > 0) mbarrier_arrive(&s.empty_v[before]);  //@ not values_released_early
    for (int e = 0; e < kDim / 2; ++e) output[e] *= factor[e / 2 % 2];  //@ not outputs_rescaled_early; outputs_not_committed: here
    for (int e = 0; e < kKeys / 4; ++e) p[e / 4][e % 4] = pack(score[2 * e], score[2 * e + 1]);  //@ not probabilities_replaced_early
  }

  const int row = blockIdx.x * kRows + t / 32 * 16 + l / 4;
  for (int h = 0; h < 2; ++h)
    for (int step = 1; step < 4; step *= 2)                                  //@ not sums_not_exchanged
      sum[h] += __shfl_xor_sync(0xffffffffu, sum[h], step);                  //@ not sums_not_exchanged
      sum[h] *= 1;                                                           //@ only sums_not_exchanged
  for (int e = 0; e < kDim / 2; ++e) {
    const int y = row + e / 2 % 2 * 8;
    if (y < m)                                                               //@ not rows_past_the_end
      o[static_cast<index_t>(y) * kDim + e / 4 * 8 + l % 4 * 2 + e % 2] = output[e] / sum[e / 2 % 2];  //@ rows_past_the_end: writes
  }
}
