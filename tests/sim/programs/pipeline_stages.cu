// Tiles that are brought in while others are worked on: cuda::pipeline of a block and of a thread, cuda::barrier, C primitives.
#include <cooperative_groups.h>
#include <cooperative_groups/memcpy_async.h>
#include <cuda/barrier>
#include <cuda/pipeline>
#include <cuda_pipeline.h>
#include <cstdio>
#include <vector>

namespace cg = cooperative_groups;
constexpr int kThreads = 64, kStages = 2;

__global__ void with_pipeline(const int* in, int* out, int tiles) {
  __shared__ alignas(16) int buffer[kStages][kThreads];
  __shared__ cuda::pipeline_shared_state<cuda::thread_scope::thread_scope_block, kStages> state;
  auto block = cg::this_thread_block();
  auto pipe = cuda::make_pipeline(block, &state);
  int sum = 0;
  for (int fetch = 0, work = 0; work < tiles; ++work) {
    for (; fetch < tiles && fetch < work + kStages; ++fetch) {
      pipe.producer_acquire();
      cuda::memcpy_async(block, buffer[fetch % kStages], in + fetch * kThreads, cuda::aligned_size_t<16>(sizeof(int) * kThreads), pipe);
      pipe.producer_commit();
    }
    pipe.consumer_wait();
    sum += buffer[work % kStages][kThreads - 1 - threadIdx.x];
    pipe.consumer_release();
  }
  out[threadIdx.x] = sum;
}

__global__ void with_thread_pipeline(const int* in, int* out, int tiles) {
  __shared__ int buffer[kStages][kThreads];
  cuda::pipeline<cuda::thread_scope_thread> pipe = cuda::make_pipeline();
  auto fetch = [&](int tile) {
    pipe.producer_acquire();
    if (tile < tiles) cuda::memcpy_async(&buffer[tile % kStages][threadIdx.x], in + tile * kThreads + threadIdx.x, sizeof(int), pipe);
    pipe.producer_commit();
  };
  int sum = 0;
  for (int s = 0; s < kStages; ++s) fetch(s);
  for (int tile = 0; tile < tiles; ++tile) {
    cuda::pipeline_consumer_wait_prior<kStages - 1>(pipe);
    __syncthreads();
    sum += buffer[tile % kStages][kThreads - 1 - threadIdx.x];
    __syncthreads();
    pipe.consumer_release();
    fetch(tile + kStages);
  }
  out[threadIdx.x] = sum;
}

#pragma nv_diag_suppress static_var_with_dynamic_init
__global__ void with_barrier(const int* in, int* out, int tiles) {
  using barrier = cuda::barrier<cuda::thread_scope_block>;
  __shared__ alignas(16) int buffer[kThreads];
  __shared__ barrier bar;
  auto block = cg::this_thread_block();
  if (block.thread_rank() == 0) init(&bar, block.size());
  block.sync();
  int sum = 0;
  for (int tile = 0; tile < tiles; ++tile) {
    cuda::memcpy_async(block, buffer, in + tile * kThreads, sizeof(int) * kThreads, bar);
    barrier::arrival_token token = bar.arrive();
    bar.wait(std::move(token));
    sum += buffer[kThreads - 1 - threadIdx.x];
    bar.arrive_and_wait();
  }
  out[threadIdx.x] = sum;
}

__global__ void with_primitives(const int4* in, int* out, int tiles) {
  __shared__ int4 buffer[kThreads / 4];
  int sum = 0;
  for (int tile = 0; tile < tiles; ++tile) {
    if (threadIdx.x < kThreads / 4) __pipeline_memcpy_async(&buffer[threadIdx.x], &in[tile * kThreads / 4 + threadIdx.x], sizeof(int4));
    __pipeline_commit();
    __pipeline_wait_prior(0);
    __syncthreads();
    sum += reinterpret_cast<const int*>(buffer)[kThreads - 1 - threadIdx.x];
    __syncthreads();
  }
  out[threadIdx.x] = sum;
}

__global__ void with_group_copy(const int* in, int* out, int tiles) {
  extern __shared__ int dynamic[];
  auto block = cg::this_thread_block();
  int sum = 0;
  for (int tile = 0; tile < tiles; ++tile) {
    cg::memcpy_async(block, dynamic, in + tile * kThreads, sizeof(int) * kThreads);
    cg::wait(block);
    sum += dynamic[kThreads - 1 - block.thread_rank()];
    block.sync();
  }
  out[threadIdx.x] = sum;
}

int main() {
  const int tiles = 5;
  std::vector<int> h(tiles * kThreads), r(kThreads);
  for (size_t i = 0; i < h.size(); ++i) h[i] = i * i % 101;
  int *in, *out;
  cudaMalloc(&in, h.size() * sizeof(int)), cudaMalloc(&out, kThreads * sizeof(int));
  cudaMemcpy(in, h.data(), h.size() * sizeof(int), cudaMemcpyHostToDevice);
  for (int version = 0; version < 5; ++version) {
    cudaMemset(out, 0xff, kThreads * sizeof(int));
    if (version == 0) with_pipeline<<<1, kThreads>>>(in, out, tiles);
    if (version == 1) with_thread_pipeline<<<1, kThreads>>>(in, out, tiles);
    if (version == 2) with_barrier<<<1, kThreads>>>(in, out, tiles);
    if (version == 3) with_primitives<<<1, kThreads>>>(reinterpret_cast<const int4*>(in), out, tiles);
    if (version == 4) with_group_copy<<<1, kThreads, kThreads * sizeof(int)>>>(in, out, tiles);
    if (cudaMemcpy(r.data(), out, kThreads * sizeof(int), cudaMemcpyDeviceToHost) != cudaSuccess) return 2;
    for (int t = 0; t < kThreads; ++t) {
      int expected = 0;
      for (int tile = 0; tile < tiles; ++tile) expected += h[tile * kThreads + kThreads - 1 - t];
      if (r[t] != expected) return std::printf("version %d, thread %d: %d, expected %d\n", version, t, r[t], expected), 1;
    }
  }
  cudaFree(in), cudaFree(out);
  return 0;
}
