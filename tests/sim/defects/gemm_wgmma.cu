// A matrix product of Hopper's kind: one warpgroup loads tiles by TMA, two multiply them with wgmma, mbarriers go between.
//@ arch sm_90a
#include <spak/cuda/barrier.h>
#include <spak/cuda/bulk.h>
#include <spak/cuda/device.h>
#include <spak/cuda/fence.h>
#include <spak/cuda/mbarrier.h>
#include <spak/cuda/registers.h>
#include <spak/cuda/tma.h>
#include <spak/cuda/wgmma.h>

using namespace spak;

using Bits = unsigned short;     // bf16, as its bits
constexpr int kM = 128, kN = 32, kK = 64;  // of a block's tile
constexpr int kStages = 3;

struct __align__(1024) Stage {
  Bits a[kM * kK];  // rows of 128 bytes, swizzled
  Bits b[kN * kK];
};
struct __align__(1024) Shared {
  Stage stages[kStages];
  float c[kM * kN];
  uint64_t full[kStages], empty[kStages];
};

//@ kernel gemm_wgmma
//@   C (m x n, f32) = A (m x k, bf16) B^T (n x k, bf16). Warpgroup 0 produces: one of its threads keeps a ring of three stages
//@   full. Warpgroups 1 and 2 consume: each multiplies 64 rows and gives a stage back when its products are done. The tile of C
//@   goes to shared memory and out by TMA.
//@ defect barriers_not_seen: race-shared
//@   The warpgroups part before they know that the barriers are initialised.
//@ also[barriers_not_seen] mbarrier-misuse, uninitialised-read, deadlock
//@ defect full_parity_stuck: in-flight-read
//@   The consumers wait for parity 0 in every round of the ring: from the second on, that is the round before.
//@ also[full_parity_stuck] mbarrier-misuse, deadlock
//@ defect empty_parity_wrong: deadlock
//@   In the first round the producer waits for parity 0: for consumers to give back stages that nobody has filled.
//@ defect bytes_of_a_only: in-flight-read
//@   The stage expects the bytes of A: the phase completes when these have landed, with those of B still under way.
//@ also[bytes_of_a_only] mbarrier-misuse, deadlock
//@ defect bytes_twice: deadlock
//@   The stage expects the bytes of a whole ring.
//@ also[bytes_twice] missing-wait
//@ defect arrival_of_every_thread: deadlock
//@   The empty barrier counts 256 threads, and one of each consumer warpgroup arrives.
//@ defect arrival_of_one_warpgroup: in-flight-overwrite
//@   The empty barrier opens when one of the two consumers has given the stage back.
//@ also[arrival_of_one_warpgroup] race-shared, in-flight-read, mbarrier-misuse, deadlock
//@ defect stage_released_early: in-flight-overwrite
//@   A stage is given back when its products have been issued, not when they are done.
//@ also[stage_released_early] race-shared
//@ defect wait_one_too_lax: in-flight-overwrite
//@   One group may stay in flight, yet the stage that it reads is given back.
//@ also[wait_one_too_lax] race-shared
//@ defect products_not_committed: in-flight-overwrite
//@   The products of a stage are in no group, so that the wait does not wait for them.
//@ also[products_not_committed] race-shared, accumulator-in-flight, missing-wait
//@ defect registers_not_fenced: accumulator-in-flight
//@   The accumulators are cleared by ordinary instructions, and no wgmma.fence follows.
//@ defect accumulators_read_in_flight: accumulator-in-flight
//@   The epilogue copies the accumulators before the last products are waited for.
//@ defect swizzle_of_b: bad-descriptor
//@   B was loaded with a swizzle of 128 bytes, and its descriptor says 32.
//@ defect no_proxy_fence: missing-proxy-fence
//@   The TMA store reads what ordinary stores put into shared memory, and no proxy fence stands between.
//@ defect epilogue_not_together: race-shared
//@   One thread sends the tile of C off when its own warpgroup, not both, has written it.
//@ also[epilogue_not_together] missing-proxy-fence, in-flight-overwrite, uninitialised-read
//@ defect exit_before_store: missing-wait
//@   The block ends while the TMA store still reads its shared memory.
//@ defect last_tile_forgotten: wrong-values
//@   The loops round the number of tiles down, and the last half tile of k is never multiplied.
//@ defect registers_over_budget: register-budget
//@   The consumers take 240 registers a thread, and the producer keeps what it was launched with.
//@ also[registers_over_budget] deadlock
//@ defect too_little_shared: shared-overflow
//@   The launch asks for the stages and the tile of C, and forgets the barriers behind them.
//@ run grid=(2, 1) block=384 smem=3*20480+16384+1024
//@ run[too_little_shared] grid=(2, 1) block=384 smem=3*20480+16384
//@ in m = 128
//@ in n = 64
//@ in k = 288
//@ in a = bf16(arange(128 * 288) % 7 - 3).reshape(128, 288)
//@ in b = bf16(arange(64 * 288) % 5 - 2).reshape(64, 288)
//@ inout c: f32[128, 64] = zeros(128, 64) -> matmul(a, b.T)
//@ map map_a = a box=(64, 128) swizzle=128
//@ map map_b = b box=(64, 32) swizzle=128
//@ map map_c = c box=(32, 128)
extern "C" __global__ void __launch_bounds__(384, 1) gemm_wgmma(const __grid_constant__ CUtensorMap map_a,
                                                                const __grid_constant__ CUtensorMap map_b,
                                                                const __grid_constant__ CUtensorMap map_c, int k) {
  extern __shared__ __align__(1024) unsigned char memory[];
  Shared& s = *reinterpret_cast<Shared*>(memory);
  const int warpgroup = threadIdx.x / 128, thread = threadIdx.x % 128;
  const int row = blockIdx.y * kM, column = blockIdx.x * kN;
  const int tiles = (k + kK - 1) / kK;  //@ not last_tile_forgotten
  const int tiles = k / kK;             //@ only last_tile_forgotten
  if (threadIdx.x == 0) {
    for (int i = 0; i < kStages; ++i) {
      mbarrier_init(&s.full[i], 1);     //@ barriers_not_seen: here; too_little_shared: here
      mbarrier_init(&s.empty[i], 2);    //@ not arrival_of_every_thread, arrival_of_one_warpgroup
      mbarrier_init(&s.empty[i], 256);  //@ only arrival_of_every_thread
      mbarrier_init(&s.empty[i], 1);    //@ only arrival_of_one_warpgroup
    }
    fence_mbarrier_init();
  }
  __syncthreads();                      //@ not barriers_not_seen

  if (warpgroup == 0) {
    registers_decrease<40>();           //@ not registers_over_budget
    if (thread == 0) {
      for (int tile = 0; tile < tiles; ++tile) {
        const int slot = tile % kStages, round = tile / kStages;
        mbarrier_wait(&s.empty[slot], (round & 1) ^ 1);  //@ not empty_parity_wrong; arrival_of_every_thread: waits
        mbarrier_wait(&s.empty[slot], round & 1);        //@ only empty_parity_wrong; empty_parity_wrong: waits
        mbarrier_arrive_expect_tx(&s.full[slot], sizeof(Stage));          //@ not bytes_of_a_only, bytes_twice
        mbarrier_arrive_expect_tx(&s.full[slot], sizeof(Stage::a));       //@ only bytes_of_a_only
        mbarrier_arrive_expect_tx(&s.full[slot], 3 * sizeof(Stage));      //@ only bytes_twice
        tma_load(s.stages[slot].a, map_a, &s.full[slot], kK * tile, row);  //@ full_parity_stuck, arrival_of_one_warpgroup, stage_released_early, wait_one_too_lax, products_not_committed: TMA
        tma_load(s.stages[slot].b, map_b, &s.full[slot], kK * tile, column);  //@ bytes_of_a_only: TMA
      }
    }
  } else {
    registers_increase<232>();          //@ not registers_over_budget
    registers_increase<240>();          //@ only registers_over_budget; registers_over_budget: here
    const int consumer = warpgroup - 1;
    float d[kN / 2];
    for (int i = 0; i < kN / 2; ++i) d[i] = 0;
    for (int tile = 0; tile < tiles; ++tile) {
      const int slot = tile % kStages, round = tile / kStages;
      mbarrier_wait(&s.full[slot], round & 1);  //@ not full_parity_stuck; empty_parity_wrong, bytes_twice: waits
      mbarrier_wait(&s.full[slot], 0);          //@ only full_parity_stuck
      const uint64_t a = wgmma_descriptor(s.stages[slot].a + 64 * kK * consumer, Swizzle::b128, 16, 1024);
      const uint64_t b = wgmma_descriptor(s.stages[slot].b, Swizzle::b128, 16, 1024);  //@ not swizzle_of_b
      const uint64_t b = wgmma_descriptor(s.stages[slot].b, Swizzle::b32, 16, 256);    //@ only swizzle_of_b
      wgmma_fence();                            //@ not registers_not_fenced
      for (int i = 0; i < kK / 16; ++i)
        wgmma_bf16<kN>(d, wgmma_advance(a, 32 * i), wgmma_advance(b, 32 * i));  //@ bytes_of_a_only, full_parity_stuck, arrival_of_one_warpgroup, stage_released_early, wait_one_too_lax, products_not_committed, accumulators_read_in_flight: wgmma; registers_not_fenced, swizzle_of_b: here
      wgmma_commit();                           //@ not products_not_committed
      if (thread == 0) mbarrier_arrive(&s.empty[slot]);  //@ only stage_released_early
      if (tile < tiles - 1) wgmma_wait<0>(d);   //@ only accumulators_read_in_flight
      wgmma_wait<1>(d);                         //@ only wait_one_too_lax
      wgmma_wait<0>(d);                         //@ not wait_one_too_lax, accumulators_read_in_flight
      if (thread == 0) mbarrier_arrive(&s.empty[slot]);  //@ not stage_released_early
    }
    wgmma_wait<0>(d);                           //@ only wait_one_too_lax
    // D of a warpgroup: 16 rows a warp, 8 lanes of 4 a row, two neighbouring columns a lane.
    const int top = 64 * consumer + thread / 32 * 16 + thread % 32 / 4;
    for (int i = 0; i < kN / 2; ++i)
      s.c[(top + i / 2 % 2 * 8) * kN + i / 4 * 8 + thread % 4 * 2 + i % 2] = d[i];  //@ no_proxy_fence, epilogue_not_together: writes; accumulators_read_in_flight: reads
    fence_proxy_async();                        //@ not no_proxy_fence
    named_sync(1, 256);                         //@ not epilogue_not_together
    named_sync(1 + consumer, 128);              //@ only epilogue_not_together
    if (threadIdx.x == 128) {
      tma_store(map_c, s.c, column, row);       //@ no_proxy_fence, epilogue_not_together, exit_before_store: TMA
      bulk_commit();
      bulk_wait<0>();                           //@ not exit_before_store
    }
  }
}
