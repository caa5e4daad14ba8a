// Forms of mma.sync and wgmma that only inline PTX has, through the models themselves: for the simulator alone. f16 accumulators of
// wgmma, operands of different formats, negated operands, saturation, D apart from C.
#include <spak/cuda/fence.h>
#include <spak/cuda/mma.h>
#include <spak/cuda/wgmma.h>

using spak::sim::Accumulator;
using spak::sim::Format;

// formats: of A and B. A and B are K-major without swizzle, 64 x 32 bytes and 16 x 32 bytes, row groups of 256 bytes.
extern "C" __global__ void wgmma_form(const uint32_t* image, uint32_t* d, int a_format, int b_format, int accumulator, int negate_a, int negate_b,
                                      int saturate) {
  __shared__ __align__(128) uint32_t tile[640];
  for (int i = threadIdx.x; i < 640; i += 128) tile[i] = image[i];
  spak::fence_proxy_async();
  __syncthreads();
  const uint64_t a = spak::wgmma_descriptor(tile, spak::Swizzle::none, 128, 256), b = spak::wgmma_advance(a, 2048);
  uint32_t registers[8];
  const int count = accumulator == 1 ? 4 : 8;
  for (int i = 0; i < count; ++i) registers[i] = d[threadIdx.x * count + i];
  spak::sim::WgmmaForm form{static_cast<Format>(a_format), static_cast<Format>(b_format), static_cast<Accumulator>(accumulator), 16};
  form.negate_a = negate_a;
  form.negate_b = negate_b;
  form.saturate = saturate;
  spak::wgmma_fence();
  spak::sim::wgmma(form, registers, a, b, true, spak::sim::here());
  spak::wgmma_commit();
  spak::wgmma_wait<0>();
  for (int i = 0; i < count; ++i) d[threadIdx.x * count + i] = registers[i];
}

extern "C" __global__ void mma_form(const uint32_t* a, const uint32_t* b, const uint32_t* c, uint32_t* d, int a_format, int b_format, int saturate) {
  const Accumulator accumulator = a_format >= 5 ? Accumulator::s32 : Accumulator::f32;
  spak::sim::MmaForm form{static_cast<Format>(a_format), static_cast<Format>(b_format), accumulator, 32, saturate != 0};
  spak::sim::mma(form, d + threadIdx.x * 4, a + threadIdx.x * 4, b + threadIdx.x * 2, c + threadIdx.x * 4, spak::sim::here());
}
