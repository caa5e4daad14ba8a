// A matrix product of a cluster: two blocks share a tile of B, each loads half of it and sends it to both by multicast.
//@ arch sm_90a
#include <spak/cuda/cluster.h>
#include <spak/cuda/device.h>
#include <spak/cuda/fence.h>
#include <spak/cuda/mbarrier.h>
#include <spak/cuda/tma.h>
#include <spak/cuda/wgmma.h>

using namespace spak;

using Bits = unsigned short;  // bf16, as its bits
constexpr int kM = 64, kN = 32, kK = 64;
constexpr int kStages = 2;

struct __align__(1024) Stage {
  Bits a[kM * kK];
  Bits b[kN * kK];  // each block of the cluster loads kN / 2 rows
};

//@ kernel gemm_cluster
//@   C (m x n, f32) = A (m x k, bf16) B^T (n x k, bf16). A block multiplies 64 rows; the two blocks of a cluster lie above
//@   each other and need the same tile of B. Warps 0 to 3 multiply, warp 4 loads. A stage may be filled again when the
//@   consumers of both blocks have given it back, since each half of B is written into both.
//@ defect peer_not_ready: mbarrier-misuse
//@   The blocks do not meet after the barriers' initialisation: a multicast may arrive at one that is not there yet.
//@ also[peer_not_ready] race-shared, uninitialised-read, deadlock, missing-proxy-fence, in-flight-overwrite
//@ defect exit_before_peer: exited-peer
//@   A block exits when it is done; its peer's last arrivals go to shared memory that is gone.
//@ also[exit_before_peer] missing-wait
//@ defect own_consumers_only: in-flight-overwrite
//@   The empty barrier collects the own block's consumers, and the other's still read what the multicast overwrites.
//@ also[own_consumers_only] deadlock, mbarrier-misuse
//@ defect own_half_expected: in-flight-read
//@   A block expects the half of B that it loads: the phase completes when that has landed, or the peer's.
//@ also[own_half_expected] mbarrier-misuse, deadlock
//@ defect mask_without_peer: deadlock
//@   The multicast names only the own block: the peer waits for its second half.
//@ also[mask_without_peer] missing-wait
//@ defect mask_too_wide: bad-argument
//@   The multicast names four blocks, and the cluster has two.
//@ defect halves_in_one_place: in-flight-overwrite
//@   Both halves of B are written to the first half of the tile.
//@ defect full_parity_flipped: in-flight-read
//@   The consumers wait for the wrong parity, which the phase before the first satisfies.
//@ also[full_parity_flipped] deadlock, mbarrier-misuse
//@ defect empty_parity_wrong: deadlock
//@   The producers wait for stages that nobody has filled to be given back.
//@ defect remote_arrival_forgotten: deadlock
//@   The consumers tell their own producer that the stage is free, and not the peer's.
//@ defect stage_released_early: in-flight-overwrite
//@   The stage is given back before its products are waited for.
//@ also[stage_released_early] race-shared
//@ defect products_not_committed: in-flight-overwrite
//@   Without a commit the wait covers nothing.
//@ also[products_not_committed] race-shared, accumulator-in-flight, missing-wait
//@ defect accumulators_stored_in_flight: accumulator-in-flight
//@   The last group is still in flight when the accumulators go to memory.
//@ also[accumulators_stored_in_flight] in-flight-overwrite, race-shared, missing-wait
//@ defect rows_past_the_end: out-of-bounds
//@   The last block stores rows that the matrix does not have.
//@ run grid=(1, 2) block=160 smem=2*12288 cluster=(1, 2)
//@ in m = 120
//@ in n = 32
//@ in k = 256
//@ in a = bf16(arange(120 * 256) % 7 - 3).reshape(120, 256)
//@ in b = bf16(arange(32 * 256) % 5 - 2).reshape(32, 256)
//@ out c: f32[120, 32] = matmul(a, b.T)
//@ map map_a = a box=(64, 64) swizzle=128
//@ map map_b = b box=(64, 16) swizzle=128
extern "C" __global__ void __launch_bounds__(160, 1) gemm_cluster(const __grid_constant__ CUtensorMap map_a,
                                                                  const __grid_constant__ CUtensorMap map_b, float* c,
                                                                  int m, int n, int k) {
  extern __shared__ __align__(1024) unsigned char memory[];
  __shared__ uint64_t full[kStages], empty[kStages];
  Stage* stages = reinterpret_cast<Stage*>(memory);
  const int t = threadIdx.x, rank = static_cast<int>(cluster_rank());
  const int row = blockIdx.y * kM, column = blockIdx.x * kN;
  const int tiles = (k + kK - 1) / kK;
  if (t == 0) {
    for (int i = 0; i < kStages; ++i) {
      mbarrier_init(&full[i], 1);
      mbarrier_init(&empty[i], 2);  //@ not own_consumers_only
      mbarrier_init(&empty[i], 1);  //@ only own_consumers_only
    }
    fence_mbarrier_init();
  }
  cluster_sync();                   //@ not peer_not_ready
  __syncthreads();                  //@ only peer_not_ready

  if (t == 128) {
    for (int tile = 0; tile < tiles; ++tile) {
      const int slot = tile % kStages, round = tile / kStages;
      Stage& stage = stages[slot];
      mbarrier_wait_cluster(&empty[slot], (round & 1) ^ 1);      //@ not empty_parity_wrong; remote_arrival_forgotten: waits
      mbarrier_wait_cluster(&empty[slot], round & 1);            //@ only empty_parity_wrong; empty_parity_wrong: waits
      mbarrier_arrive_expect_tx(&full[slot], sizeof(Stage));     //@ not own_half_expected
      mbarrier_arrive_expect_tx(&full[slot], sizeof(Stage::a) + sizeof(Stage::b) / 2);  //@ only own_half_expected
      tma_load(stage.a, map_a, &full[slot], kK * tile, row);     //@ stage_released_early, products_not_committed, full_parity_flipped: TMA
      Bits* half = stage.b + kN / 2 * kK * rank;                 //@ not halves_in_one_place
      Bits* half = stage.b;                                      //@ only halves_in_one_place
      const uint16_t blocks = 0b11;                              //@ not mask_without_peer, mask_too_wide
      const uint16_t blocks = static_cast<uint16_t>(1 << rank);  //@ only mask_without_peer
      const uint16_t blocks = 0b1111;                            //@ only mask_too_wide
      tma_load_multicast(half, map_b, &full[slot], blocks, kK * tile, column + kN / 2 * rank);  //@ peer_not_ready, mask_too_wide: calls; own_consumers_only, own_half_expected, halves_in_one_place: TMA
    }
  } else if (t < 128) {
    float d[kN / 2];
    for (int i = 0; i < kN / 2; ++i) d[i] = 0;
    for (int tile = 0; tile < tiles; ++tile) {
      const int slot = tile % kStages, round = tile / kStages;
      mbarrier_wait(&full[slot], round & 1);        //@ not full_parity_flipped; mask_without_peer: waits
      mbarrier_wait(&full[slot], (round & 1) ^ 1);  //@ only full_parity_flipped
      const uint64_t a = wgmma_descriptor(stages[slot].a, Swizzle::b128, 16, 1024);
      const uint64_t b = wgmma_descriptor(stages[slot].b, Swizzle::b128, 16, 1024);
      wgmma_fence();
      for (int i = 0; i < kK / 16; ++i)
        wgmma_bf16<kN>(d, wgmma_advance(a, 32 * i), wgmma_advance(b, 32 * i));  //@ own_consumers_only, own_half_expected, full_parity_flipped, stage_released_early, products_not_committed, accumulators_stored_in_flight: wgmma
      wgmma_commit();                               //@ not products_not_committed
      if (t < 2) mbarrier_arrive_remote(&empty[slot], t);  //@ only stage_released_early
      if (tile < tiles - 1) wgmma_wait<0>(d);       //@ only accumulators_stored_in_flight
      wgmma_wait<0>(d);                             //@ not accumulators_stored_in_flight
      if (t < 2) mbarrier_arrive_remote(&empty[slot], t);  //@ not own_consumers_only, remote_arrival_forgotten, stage_released_early; exit_before_peer: here
      if (t == 0) mbarrier_arrive(&empty[slot]);    //@ only own_consumers_only, remote_arrival_forgotten
    }
    const int top = row + t / 32 * 16 + t % 32 / 4;
    for (int i = 0; i < kN / 2; ++i) {
      const int y = top + i / 2 % 2 * 8, x = column + i / 4 * 8 + t % 4 * 2 + i % 2;
      if (y < m && x < n)                           //@ not rows_past_the_end
      if (x < n)                                    //@ only rows_past_the_end
        c[static_cast<index_t>(y) * n + x] = d[i];  //@ accumulators_stored_in_flight: reads; rows_past_the_end: writes
    }
  }
  cluster_sync();                                   //@ not exit_before_peer
}
