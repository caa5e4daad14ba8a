// cuda::atomic: blocks hand work to each other through flags that are released and acquired; a spin lock; a ticket queue.
#include <cuda/atomic>
#include <cuda/std/limits>
#include <cstdio>
#include <vector>

using device_counter = cuda::atomic<int, cuda::thread_scope_device>;

__device__ device_counter next_ticket{0};
__device__ int lock_word = 0;
__device__ int guarded = 0;

// Each block waits for the one before, adds its own, and passes the sum on.
__global__ void relay(int* values, int* ready) {
  __shared__ int ticket;
  if (threadIdx.x == 0) ticket = next_ticket.fetch_add(1, cuda::memory_order_relaxed);
  __syncthreads();
  if (threadIdx.x == 0) {
    int sum = ticket + 1;
    if (ticket > 0) {
      cuda::atomic_ref<int, cuda::thread_scope_device> before(ready[ticket - 1]);
      while (before.load(cuda::memory_order_acquire) == 0) {}
      sum += values[ticket - 1];
    }
    values[ticket] = sum;
    cuda::atomic_ref<int, cuda::thread_scope_device>(ready[ticket]).store(1, cuda::memory_order_release);
  }
}

__global__ void locked(int times) {
  if (threadIdx.x != 0) return;
  for (int i = 0; i < times; ++i) {
    while (atomicCAS(&lock_word, 0, 1) != 0) __nanosleep(20);
    __threadfence();
    guarded += 1;
    __threadfence();
    atomicExch(&lock_word, 0);
  }
}

__global__ void largest(const float* x, int n, float* most) {
  float mine = cuda::std::numeric_limits<float>::lowest();
  for (int i = threadIdx.x; i < n; i += blockDim.x) mine = fmaxf(mine, x[i]);
  cuda::atomic_ref<float, cuda::thread_scope_block> result(*most);
  float seen = result.load();
  while (seen < mine && !result.compare_exchange_weak(seen, mine)) {}
}

int main() {
  const int blocks = 6, n = 100;
  int *values, *ready, count = 0;
  float *x, *most, top = -1e9f;
  std::vector<int> h(blocks);
  std::vector<float> f(n);
  for (int i = 0; i < n; ++i) f[i] = float((i * 31) % 97);
  cudaMalloc(&values, blocks * sizeof(int)), cudaMalloc(&ready, blocks * sizeof(int)), cudaMalloc(&x, n * sizeof(float)), cudaMalloc(&most, sizeof(float));
  cudaMemset(ready, 0, blocks * sizeof(int));
  cudaMemcpy(x, f.data(), n * sizeof(float), cudaMemcpyHostToDevice);
  cudaMemcpy(most, &top, sizeof(float), cudaMemcpyHostToDevice);
  relay<<<blocks, 32>>>(values, ready);
  locked<<<blocks, 32>>>(3);
  largest<<<1, 32>>>(x, n, most);
  cudaMemcpy(h.data(), values, blocks * sizeof(int), cudaMemcpyDeviceToHost);
  cudaMemcpyFromSymbol(&count, guarded, sizeof(int));
  if (cudaMemcpy(&top, most, sizeof(float), cudaMemcpyDeviceToHost) != cudaSuccess) return 2;
  for (int b = 0; b < blocks; ++b)
    if (h[b] != (b + 1) * (b + 2) / 2) return std::printf("block %d: %d\n", b, h[b]), 1;
  cudaFree(values), cudaFree(ready), cudaFree(x), cudaFree(most);
  return count == 3 * blocks && top == 96.0f ? 0 : 1;
}
