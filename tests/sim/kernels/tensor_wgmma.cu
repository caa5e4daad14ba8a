// wgmma of one warpgroup on an image of shared memory: `spec` says where the operands lie in it, as offset, leading bytes,
// stride bytes and swizzle of A and of B; `fragments` are A's registers, `d` the accumulators, as the threads hold them.
#include <spak/cuda/fence.h>
#include <spak/cuda/wgmma.h>

namespace {

struct Task {
  const uint32_t* image;
  const uint32_t* fragments;
  int words;
  const int* spec;
  bool accumulate;
};

__device__ char* prepare(const Task& task) {
  extern __shared__ __align__(1024) char memory[];
  for (int i = threadIdx.x; i < task.words; i += 128) reinterpret_cast<uint32_t*>(memory)[i] = task.image[i];
  spak::fence_proxy_async();
  __syncthreads();
  return memory;
}

__device__ uint64_t descriptor(const char* memory, const int* spec) {
  return spak::wgmma_descriptor(memory + spec[0], static_cast<spak::Swizzle>(spec[3]), spec[1], spec[2]);
}

// `step(d, a, b)` issues one wgmma, with A from a descriptor and then, where there are fragments, from registers.
template <int N, typename T, typename Shared, typename Registers>
__device__ void run(const Task& task, T* out, Shared shared, Registers registers) {
  char* memory = prepare(task);
  T d[N / 2];
  for (int i = 0; i < N / 2; ++i) d[i] = out[threadIdx.x * (N / 2) + i];
  const uint64_t b = descriptor(memory, task.spec + 4);
  spak::wgmma_fence();
  if (task.fragments == nullptr) {
    shared(d, descriptor(memory, task.spec), b);
  } else {
    uint32_t a[4];
    for (int i = 0; i < 4; ++i) a[i] = task.fragments[threadIdx.x * 4 + i];
    registers(d, a, b);
  }
  spak::wgmma_commit();
  spak::wgmma_wait<0>(d);
  for (int i = 0; i < N / 2; ++i) out[threadIdx.x * (N / 2) + i] = d[i];
}

template <int N = 8>
__device__ void bf16_of_any_width(const Task& task, float* d, int n) {
  if constexpr (N <= 256) {
    if (n != N) return bf16_of_any_width<N + 8>(task, d, n);
    run<N>(
        task, d, [&](auto& x, uint64_t a, uint64_t b) { spak::wgmma_bf16<N>(x, a, b, task.accumulate); },
        [&](auto& x, auto& a, uint64_t b) { spak::wgmma_bf16<N>(x, a, b, task.accumulate); });
  }
}

template <int N, bool TransposeA, bool TransposeB>
__device__ void f16_transposed(const Task& task, float* d) {
  run<N>(
      task, d, [&](auto& x, uint64_t a, uint64_t b) { spak::wgmma_f16<N, TransposeA, TransposeB>(x, a, b, task.accumulate); },
      [&](auto& x, auto& a, uint64_t b) { spak::wgmma_f16<N, false, TransposeB>(x, a, b, task.accumulate); });
}

template <int N>
__device__ void f16_transposed(const Task& task, float* d, int ta, int tb) {
  if (ta && tb) return f16_transposed<N, true, true>(task, d);
  if (ta) return f16_transposed<N, true, false>(task, d);
  if (tb) return f16_transposed<N, false, true>(task, d);
  f16_transposed<N, false, false>(task, d);
}

}  // namespace

extern "C" __global__ void __launch_bounds__(128) wgmma_bf16_any(const uint32_t* image, const uint32_t* fragments, int words, const int* spec,
                                          float* d, int n, int accumulate) {
  bf16_of_any_width<>({image, fragments, words, spec, accumulate != 0}, d, n);
}

extern "C" __global__ void __launch_bounds__(128) wgmma_f16_transposed(const uint32_t* image, const uint32_t* fragments, int words, const int* spec,
                                                float* d, int n, int accumulate, int ta, int tb) {
  const Task task{image, fragments, words, spec, accumulate != 0};
  if (n == 8) f16_transposed<8>(task, d, ta, tb);
  if (n == 64) f16_transposed<64>(task, d, ta, tb);
  if (n == 96) f16_transposed<96>(task, d, ta, tb);
  if (n == 256) f16_transposed<256>(task, d, ta, tb);
}

#define OTHER(format, N)                                                                                 \
  if (n == N)                                                                                            \
    run<N>(                                                                                              \
        task, d, [&](auto& x, uint64_t a, uint64_t b) { spak::wgmma_##format<N>(x, a, b, accumulate); }, \
        [&](auto& x, auto& a, uint64_t b) { spak::wgmma_##format<N>(x, a, b, accumulate); })
#define OTHERS(format) \
  const Task task{image, fragments, words, spec, accumulate != 0}; \
  OTHER(format, 8);    \
  OTHER(format, 24);   \
  OTHER(format, 112);  \
  OTHER(format, 256)

extern "C" __global__ void __launch_bounds__(128) wgmma_tf32_some(const uint32_t* image, const uint32_t* fragments, int words, const int* spec,
                                           float* d, int n, int accumulate) {
  OTHERS(tf32);
}
extern "C" __global__ void __launch_bounds__(128) wgmma_e4m3_some(const uint32_t* image, const uint32_t* fragments, int words, const int* spec,
                                           float* d, int n, int accumulate) {
  OTHERS(e4m3);
}
extern "C" __global__ void __launch_bounds__(128) wgmma_e5m2_some(const uint32_t* image, const uint32_t* fragments, int words, const int* spec,
                                           float* d, int n, int accumulate) {
  OTHERS(e5m2);
}
extern "C" __global__ void __launch_bounds__(128) wgmma_s8_some(const uint32_t* image, const uint32_t* fragments, int words, const int* spec,
                                         int* d, int n, int accumulate) {
  OTHERS(s8);
}
extern "C" __global__ void __launch_bounds__(128) wgmma_u8_some(const uint32_t* image, const uint32_t* fragments, int words, const int* spec,
                                         int* d, int n, int accumulate) {
  OTHERS(u8);
}

// Four steps along K of a 64 x 64 bf16 tile pair with the 128-byte swizzle, in two groups on two tiles of accumulators.
extern "C" __global__ void __launch_bounds__(128) wgmma_chain(const uint32_t* image, int words, float* even, float* all) {
  char* memory = prepare({image, nullptr, words, nullptr, true});
  const uint64_t a = spak::wgmma_descriptor(memory, spak::Swizzle::b128, 0, 1024);
  const uint64_t b = spak::wgmma_descriptor(memory + 8192, spak::Swizzle::b128, 0, 1024);
  float first[32], second[32];
  spak::wgmma_fence();
  for (int k = 0; k < 4; k += 2) spak::wgmma_bf16<64>(first, spak::wgmma_advance(a, 32 * k), spak::wgmma_advance(b, 32 * k), k > 0);
  spak::wgmma_commit();
  for (int k = 0; k < 4; ++k) spak::wgmma_bf16<64>(second, spak::wgmma_advance(a, 32 * k), spak::wgmma_advance(b, 32 * k), k > 0);
  spak::wgmma_commit();
  spak::wgmma_wait<1>(first);
  for (int i = 0; i < 32; ++i) even[threadIdx.x * 32 + i] = first[i];
  spak::wgmma_wait<0>(second);
  for (int i = 0; i < 32; ++i) all[threadIdx.x * 32 + i] = second[i];
}

// Warpgroups with a 64 x 64 tile of A each, and all with the same 256 x 64 of B, behind them: `steps` times the product.
extern "C" __global__ void __launch_bounds__(512) wgmma_groups(const uint32_t* image, int words, float* out, int steps) {
  char* memory = prepare({image, nullptr, words, nullptr, true});
  const uint64_t a = spak::wgmma_descriptor(memory + threadIdx.x / 128 * 8192, spak::Swizzle::b128, 0, 1024);
  const uint64_t b = spak::wgmma_descriptor(memory + blockDim.x / 128 * 8192, spak::Swizzle::b128, 0, 1024);
  float sum[128];
  for (int step = 0; step < steps; ++step) {
    spak::wgmma_fence();
    for (int k = 0; k < 4; ++k) spak::wgmma_bf16<256>(sum, spak::wgmma_advance(a, 32 * k), spak::wgmma_advance(b, 32 * k), step + k > 0);
    spak::wgmma_commit();
    spak::wgmma_wait<0>(sum);
  }
  for (int i = 0; i < 128; ++i) out[threadIdx.x * 128 + i] = sum[i];
}
