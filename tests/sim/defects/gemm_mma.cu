// A matrix product of Ampere's kind: cp.async fills a ring of stages, ldmatrix reads fragments, mma.sync multiplies them.
//@ arch sm_80
#include <spak/cuda/cp_async.h>
#include <spak/cuda/device.h>
#include <spak/cuda/matrix.h>
#include <spak/cuda/mma.h>

using namespace spak;

using Bits = unsigned short;  // f16, as its bits
constexpr int kM = 64, kN = 64, kK = 32;
constexpr int kStages = 3;

//@ kernel gemm_mma
//@   C (m x n, f32) = A (m x k, f16) B (k x n, f16). Four warps, each 32 x 32 of the block's 64 x 64. Two tiles are under way
//@   while one is multiplied. Rows in shared memory are 16 bytes longer than they need be, so that ldmatrix meets no bank
//@   twice. k and n are multiples of 8; whatever lies outside the matrices is copied as zeros.
//@ defect barrier_forgotten: race-shared
//@   A thread has waited for its own copies, and multiplies what others have copied.
//@ also[barrier_forgotten] in-flight-read, race-warp, in-flight-overwrite, uninitialised-read
//@ defect wait_one_too_lax: in-flight-read
//@   Two groups may stay in flight, and the tile that is multiplied now is in one of them.
//@ also[wait_one_too_lax] uninitialised-read
//@ defect copies_not_committed: in-flight-read
//@   The copies of the loop are never closed into groups, so that waiting for groups does not wait for them.
//@ also[copies_not_committed] uninitialised-read, missing-wait
//@ defect no_group_at_the_end: in-flight-read
//@   When nothing is left to copy no group is committed, and the wait counts groups.
//@ also[no_group_at_the_end] uninitialised-read
//@ defect copy_before_barrier: race-shared
//@   The next tile is copied before the barrier, into the stage that slow warps still multiply.
//@ also[copy_before_barrier] in-flight-read, race-warp
//@ defect ring_too_short: race-shared
//@   The copies go to the stage that is multiplied in this very round.
//@ also[ring_too_short] in-flight-read, race-warp, in-flight-overwrite, uninitialised-read
//@ defect rows_not_aligned: misaligned
//@   Rows are 8 bytes longer, not 16: every second one begins where neither ldmatrix nor a copy of 16 bytes can.
//@ defect rows_past_the_end: out-of-bounds
//@   Rows of A that do not exist are copied like the others.
//@ defect columns_past_the_end: out-of-bounds
//@   The last row of A is copied beyond the end of k.
//@ also[columns_past_the_end] wrong-values
//@ defect store_past_the_end: out-of-bounds
//@   The guard of the last rows is off by one.
//@ defect fragment_not_transposed: wrong-values
//@   B lies in rows of n, and its fragment is loaded without .trans.
//@ defect half_a_warp: divergent-warp
//@   The lanes whose rows are past the end skip the products, which take all lanes of a warp.
//@ also[half_a_warp] deadlock
//@ defect three_stages_in_two: shared-overflow
//@   The launch asks for two stages.
//@ run grid=(1, 2) block=128 smem=3*(64*40+32*72)*2
//@ run[three_stages_in_two] grid=(1, 2) block=128 smem=2*(64*40+32*72)*2
//@ run[rows_not_aligned] grid=(1, 2) block=128 smem=3*(64*36+32*72)*2
//@ in m = 71
//@ in n = 64
//@ in k = 136
//@ in a = f16(arange(71 * 136) % 7 - 3).reshape(71, 136)
//@ in b = f16(arange(136 * 64) % 5 - 2).reshape(136, 64)
//@ out c: f32[71, 64] = matmul(f32(a), f32(b))
constexpr int kPitchA = kK + 8;  //@ not rows_not_aligned
constexpr int kPitchA = kK + 4;  //@ only rows_not_aligned
constexpr int kPitchB = kN + 8;
constexpr int kStage = kM * kPitchA + kK * kPitchB;

// The tile of A at (row, at) and of B at (at, column), by all threads of the block, 16 bytes at a time.
__device__ inline void copy_tile(Bits* stage, const Bits* a, const Bits* b, int m, int n, int k, int row, int column, int at) {
  for (int i = threadIdx.x; i < kM * kK / 8; i += 128) {
    const int y = i / (kK / 8), x = i % (kK / 8) * 8;
    const bool there = row + y < m && at + x < k;  //@ not rows_past_the_end, columns_past_the_end
    const bool there = at + x < k;                 //@ only rows_past_the_end
    const bool there = row + y < m;                //@ only columns_past_the_end
    cp_async_zfill<16>(stage + y * kPitchA + x, there ? a + static_cast<index_t>(row + y) * k + at + x : a, there ? 16 : 0);  //@ barrier_forgotten, copy_before_barrier, ring_too_short: cp.async; rows_not_aligned, rows_past_the_end, columns_past_the_end: here; three_stages_in_two: writes
  }
  Bits* right = stage + kM * kPitchA;
  for (int i = threadIdx.x; i < kK * kN / 8; i += 128) {
    const int y = i / (kN / 8), x = i % (kN / 8) * 8;
    const bool there = at + y < k && column + x < n;
    cp_async_zfill<16>(right + y * kPitchB + x, there ? b + static_cast<index_t>(at + y) * n + column + x : b, there ? 16 : 0);  
  }
}

extern "C" __global__ void __launch_bounds__(128) gemm_mma(const Bits* a, const Bits* b, float* c, int m, int n, int k) {
  extern __shared__ __align__(16) unsigned char memory[];  //@ three_stages_in_two: declares
  Bits* stages = reinterpret_cast<Bits*>(memory);
  const int t = threadIdx.x, l = t % 32, warp_row = t / 64 * 32, warp_column = t / 32 % 2 * 32;
  const int row = blockIdx.y * kM, column = blockIdx.x * kN;
  const int tiles = (k + kK - 1) / kK;
  float d[2][4][4] = {};

  for (int tile = 0; tile < kStages - 1; ++tile) {
    if (tile < tiles) copy_tile(stages + tile * kStage, a, b, m, n, k, row, column, tile * kK);
    cp_async_commit();
  }
  for (int tile = 0; tile < tiles; ++tile) {
    const int next = tile + kStages - 1;
    if (next < tiles) copy_tile(stages + next % kStages * kStage, a, b, m, n, k, row, column, next * kK);  //@ only copy_before_barrier
    cp_async_commit();             //@ only copy_before_barrier
    cp_async_wait<kStages - 2>();  //@ not wait_one_too_lax
    cp_async_wait<kStages - 1>();  //@ only wait_one_too_lax
    __syncthreads();               //@ not barrier_forgotten
    if (next < tiles) copy_tile(stages + next % kStages * kStage, a, b, m, n, k, row, column, next * kK);  //@ not ring_too_short, copy_before_barrier
    if (next < tiles) copy_tile(stages + tile % kStages * kStage, a, b, m, n, k, row, column, next * kK);  //@ only ring_too_short
    if (next < tiles)              //@ only no_group_at_the_end
    cp_async_commit();             //@ not copies_not_committed, copy_before_barrier
    const Bits* left = stages + tile % kStages * kStage;
    const Bits* right = left + kM * kPitchA;
    for (int at = 0; at < kK; at += 16) {
      uint32_t x[2][4], y[2][4];
      for (int i = 0; i < 2; ++i)
        ldmatrix<4>(x[i], left + (warp_row + 16 * i + l % 16) * kPitchA + at + l / 16 * 8);  //@ barrier_forgotten, wait_one_too_lax, copies_not_committed, no_group_at_the_end, copy_before_barrier, ring_too_short: reads
      for (int j = 0; j < 2; ++j)
        ldmatrix<4, true>(y[j], right + (at + l % 16) * kPitchB + warp_column + 16 * j + l / 16 * 8);  //@ not fragment_not_transposed
        ldmatrix<4>(y[j], right + (at + l % 16) * kPitchB + warp_column + 16 * j + l / 16 * 8);        //@ only fragment_not_transposed
      for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 4; ++j) {
          const uint32_t z[2] = {y[j / 2][j % 2 * 2], y[j / 2][j % 2 * 2 + 1]};
          if (row + warp_row + 16 * i + l / 4 < m)  //@ only half_a_warp
          mma_f16(d[i][j], x[i], z);                //@ half_a_warp: waits
        }
    }
  }

  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 4; ++j)
      for (int e = 0; e < 4; ++e) {
        const int y = row + warp_row + 16 * i + l / 4 + e / 2 * 8, x = column + warp_column + 8 * j + l % 4 * 2 + e % 2;
        if (y < m && x < n)   //@ not store_past_the_end
        if (y <= m && x < n)  //@ only store_past_the_end
          c[static_cast<index_t>(y) * n + x] = d[i][j][e];  //@ store_past_the_end: writes
      }
}
