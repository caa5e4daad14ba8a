// C = A B in bf16 with f32 accumulators: TMA into a ring of three stages, one producer, two consumer warpgroups of 64 rows
// each. A is m x k, B is stored as n x k; tiles of 128 x 128 x 64, sizes that they divide.
#include <spak/cuda/fence.h>
#include <spak/cuda/mbarrier.h>
#include <spak/cuda/tma.h>
#include <spak/cuda/wgmma.h>

constexpr int kStages = 3, kTile = 128 * 64 * 2;

extern "C" __global__ void __launch_bounds__(384) wgmma_gemm(const __grid_constant__ CUtensorMap map_a, const __grid_constant__ CUtensorMap map_b,
                                                             float* c, long long n, long long k) {
  extern __shared__ __align__(1024) char memory[];
  __shared__ uint64_t full[kStages], empty[kStages];
  const int steps = static_cast<int>(k / 64), group = threadIdx.x / 128;
  if (threadIdx.x == 0) {
    for (int i = 0; i < kStages; ++i) {
      spak::mbarrier_init(&full[i], 1);
      spak::mbarrier_init(&empty[i], 2);
    }
    spak::fence_mbarrier_init();
  }
  __syncthreads();
  if (group == 0) {
    if (threadIdx.x == 0)
      for (int step = 0; step < steps; ++step) {
        const int stage = step % kStages, round = step / kStages;
        if (round > 0) spak::mbarrier_wait(&empty[stage], (round - 1) & 1);
        spak::mbarrier_arrive_expect_tx(&full[stage], 2 * kTile);
        spak::tma_load(memory + stage * 2 * kTile, map_a, &full[stage], step * 64, static_cast<int>(blockIdx.y * 128));
        spak::tma_load(memory + stage * 2 * kTile + kTile, map_b, &full[stage], step * 64, static_cast<int>(blockIdx.x * 128));
      }
    return;
  }
  float d[64];
  for (int step = 0; step < steps; ++step) {
    const int stage = step % kStages;
    spak::mbarrier_wait(&full[stage], step / kStages & 1);
    const char* tile = memory + stage * 2 * kTile;
    const uint64_t a = spak::wgmma_descriptor(tile + (group - 1) * 64 * 128, spak::Swizzle::b128, 0, 1024);
    const uint64_t b = spak::wgmma_descriptor(tile + kTile, spak::Swizzle::b128, 0, 1024);
    spak::wgmma_fence();
    for (int i = 0; i < 4; ++i) spak::wgmma_bf16<128>(d, spak::wgmma_advance(a, 32 * i), spak::wgmma_advance(b, 32 * i), step > 0 || i > 0);
    spak::wgmma_commit();
    spak::wgmma_wait<0>(d);
    if (threadIdx.x % 128 == 0) spak::mbarrier_arrive(&empty[stage]);
  }
  const int warp = threadIdx.x % 128 / 32, lane = threadIdx.x % 32;
  const long long row = blockIdx.y * 128ll + (group - 1) * 64 + warp * 16 + lane / 4, column = blockIdx.x * 128ll + 2 * (lane % 4);
  for (int i = 0; i < 64; ++i) c[(row + 8 * (i / 2 % 2)) * n + column + 8 * (i / 4) + i % 2] = d[i];
}
