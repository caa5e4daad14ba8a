// One defect a kernel; test_faults.py says which message each must give. Line numbers matter there.
#include <spak/cuda/all.h>

extern "C" __global__ void skipped_barrier(float* out) {
  if (threadIdx.x < 32) __syncthreads();  // line 5
  out[threadIdx.x] = 1.0f;
}

extern "C" __global__ void two_barriers(float* out) {
  if (threadIdx.x % 2) __syncthreads();  // line 10
  else __syncthreads();                  // line 11
  out[threadIdx.x] = 1.0f;
}

extern "C" __global__ void return_before_barrier(float* out, long long n) {
  if (threadIdx.x >= n) return;
  out[threadIdx.x] = 1.0f;
  __syncthreads();  // line 18
}

extern "C" __global__ void mixed_barriers(int* out) {
  if (threadIdx.x < 64) out[threadIdx.x] = threadIdx.x < 32 ? __syncthreads_count(1) : __syncthreads_or(1);  // line 22
}

extern "C" __global__ void barrier_in_reduction(float* out) {
  float v = 1.0f;
  if (threadIdx.x < 64) v = spak::block_sum(v);  // line 27
  out[threadIdx.x] = v;
}

extern "C" __global__ void exited_lane(float* out, long long n) {
  if (threadIdx.x >= n) return;
  float v = out[threadIdx.x];
  out[threadIdx.x] = v + __shfl_down_sync(0xFFFFFFFFu, v, 16);  // line 34
}

extern "C" __global__ void unnamed_lane(float* out) {
  if (threadIdx.x < 16) out[threadIdx.x] = __shfl_sync(0x0000FFFFu, out[threadIdx.x], 20);  // line 38
}

extern "C" __global__ void short_warp(float* out) {
  out[threadIdx.x] = spak::warp_sum(out[threadIdx.x]);  // line 42
}

extern "C" __global__ void not_in_mask(float* out) {
  out[threadIdx.x] = __shfl_sync(0x0000FFFFu, out[threadIdx.x], 0);  // line 46
}

extern "C" __global__ void masks_differ(int* out) {
  const unsigned mask = threadIdx.x < 16 ? 0xFFFFFFFFu : 0xFFFFFFFEu;
  out[threadIdx.x] = __ballot_sync(mask | 1u << threadIdx.x, threadIdx.x < 16 ? 1 : 0) ? 1 : 0;
  if (threadIdx.x < 16) __syncwarp(0xFFFFFFFFu);  // line 52
  else __syncwarp(0xFFFF0001u);                   // line 53
}

extern "C" __global__ void shuffle_against_barrier(float* out) {
  if (threadIdx.x == 3) __syncthreads();                                                     // line 57
  else out[threadIdx.x] = __shfl_sync(0xFFFFFFFFu, out[threadIdx.x], 0);  // line 58
  __syncthreads();
}

extern "C" __global__ void bad_width(float* out) {
  out[threadIdx.x] = __shfl_xor_sync(0xFFFFFFFFu, out[threadIdx.x], 1, 12);  // line 63
}

extern "C" __global__ void past_the_end(float* out) {
  __shared__ float rows[32];  // line 67
  rows[threadIdx.x + 1] = 1.0f;
  __syncthreads();
  out[threadIdx.x] = rows[threadIdx.x];
}

extern "C" __global__ void before_the_start(float* out, long long step) {
  __shared__ int cells[32];  // line 74
  cells[threadIdx.x - step] = 2;
  out[threadIdx.x] = 1.0f;
}

extern "C" __global__ void dynamic_too_small(float* out) {
  extern __shared__ float staged[];  // line 80
  staged[threadIdx.x] = 1.0f;
  out[threadIdx.x] = 1.0f;
}

extern "C" __global__ void dynamic_far_too_small(float* out) {
  extern __shared__ float staged[];
  staged[4096 * threadIdx.x] = 1.0f;  // line 87
  out[threadIdx.x] = 1.0f;
}

extern "C" __global__ void unaligned_vector(float* out) {
  auto v = spak::load<4>(out + 1);  // line 92
  out[0] = v[0];
}

extern "C" __global__ void unaligned_float4(float* out) {
  __shared__ float staged[68];
  staged[threadIdx.x] = 0.0f;
  __syncthreads();  // line 99
  reinterpret_cast<float4*>(staged)[threadIdx.x % 16] = reinterpret_cast<float4*>(out)[threadIdx.x % 16];
}

extern "C" __global__ void wild_pointer(float* out, long long offset) {
  __syncthreads();  // line 104
  out[offset] = 1.0f;
}

extern "C" __global__ void divides_by_zero(int* out) {
  out[threadIdx.x] = 7 / out[threadIdx.x];
}

__device__ __noinline__ int deep(volatile int* out, int n) {
  volatile char frame[1024];
  frame[n % 1024] = static_cast<char>(n);
  return n == 0 ? frame[0] : deep(out, n - 1) + out[0] + frame[n % 1024];
}
extern "C" __global__ void recursion(int* out) { out[0] = deep(out, 100000); }

extern "C" __global__ void __launch_bounds__(64) small_block(float* out) { out[threadIdx.x] = 1.0f; }  // line 119

extern "C" __global__ void too_much_static(float* out) {
  __shared__ float huge[16384];  // line 122
  huge[threadIdx.x] = 1.0f;
  out[threadIdx.x] = huge[threadIdx.x];
}

extern "C" __global__ void asserts(float* out) {
  assert(out[0] > 5.0f);  // line 128
}

extern "C" __global__ void traps() {
  if (threadIdx.x == 9) __trap();  // line 132
}

extern "C" __global__ void throws() {
  throw 42;
}

extern "C" __global__ void large_local(int* out, long long at) {
  volatile int local[1 << 16];  // 256 KB
  local[at] = 1;
  out[0] = local[at];
}
