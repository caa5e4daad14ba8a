// wgmma used against its rules, one way for each value of `what`; 0 is right. A and B are 64 x 16 and 64 x 16 bf16 ones.
#include <spak/cuda/fence.h>
#include <spak/cuda/wgmma.h>

enum What {
  right, no_fence, changed_without_fence, written_in_flight, read_in_flight, no_commit, unaligned, reserved, beyond, bad_stride,
  no_leading, disagree, wide_row, no_proxy_fence, overwritten, half_a_warpgroup, base_offset, other_shape, fragment_changed, part_of_a_warp,
};

extern "C" __global__ void rules(float* out, int what) {
  __shared__ __align__(1024) uint16_t tile[128 * 64];
  for (int i = threadIdx.x; i < 128 * 64; i += 128) tile[i] = 0x3F80;
  if (what != no_proxy_fence) spak::fence_proxy_async();
  __syncthreads();
  const bool none = what == no_leading;
  const uint64_t step = what == unaligned || what == base_offset ? 512 / 16 : what == wide_row ? 112 / 16 : 0;
  const uint64_t extra = what == reserved ? 1ull << 60 : what == beyond ? 0x3E00 : what == base_offset ? 4ull << 49 : 0;
  uint64_t a = spak::wgmma_descriptor(tile, none ? spak::Swizzle::none : spak::Swizzle::b128, 0, what == bad_stride ? 512 : 1024);
  const uint64_t b = spak::wgmma_descriptor(tile, spak::Swizzle::b128, 0, 1024);
  a += step + extra;
  if (what == disagree && threadIdx.x == 77) a += 2;
  float d[32], e[32];
  for (int i = 0; i < 32; ++i) d[i] = e[i] = 1.0f;
  if (what == half_a_warpgroup && threadIdx.x >= 64) return;
  if (what == part_of_a_warp && threadIdx.x % 32 == 9) return;
  if (what != no_fence) spak::wgmma_fence();
  uint32_t fragment[4] = {0x3F803F80u, 0x3F803F80u, 0x3F803F80u, 0x3F803F80u};
  if (what == fragment_changed) spak::wgmma_bf16<64>(d, fragment, b);
  else spak::wgmma_bf16<64>(d, a, b);
  if (what == fragment_changed) fragment[threadIdx.x % 4] = 0;
  if (what == written_in_flight) d[3] = 5.0f;
  if (what == read_in_flight) out[threadIdx.x] = d[5];
  if (what == overwritten) tile[threadIdx.x] = 0;
  if (what == other_shape) spak::wgmma_bf16<32>(*reinterpret_cast<float(*)[16]>(&d[8]), a, b);
  if (what != no_commit) spak::wgmma_commit();
  spak::wgmma_wait<0>(d);
  if (what == changed_without_fence) {
    d[0] += 1.0f;
    spak::wgmma_bf16<64>(d, a, b);
    spak::wgmma_commit();
    spak::wgmma_wait<0>(d);
  }
  if (what == fragment_changed && fragment[1] == 7) return;
  if (what != read_in_flight)
    for (int i = 0; i < 32; ++i) out[threadIdx.x * 32 + i] = d[i];
}
