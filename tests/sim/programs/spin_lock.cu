// Locks and counters that an exchange initialises: it may be the first that writes shared memory.
#include <cstdio>

__global__ void count_up(int* lock, int* counter) {
  __shared__ unsigned members;
  __shared__ unsigned from_ptx;
  if (threadIdx.x == 0) atomicExch(&members, 0u);
  if (threadIdx.x == 32) {
    unsigned old;
    asm volatile("atom.shared.exch.b32 %0, [%1], 0;"
                 : "=r"(old)
                 : "r"(static_cast<unsigned>(__cvta_generic_to_shared(&from_ptx)))
                 : "memory");
  }
  __syncthreads();
  atomicAdd(&members, 1u);
  atomicAdd(&from_ptx, 1u);
  __syncthreads();
  if (threadIdx.x != 0) return;
  while (atomicExch(lock, 1) != 0) {
  }
  __threadfence();
  *counter += static_cast<int>(members + from_ptx);
  __threadfence();
  atomicExch(lock, 0);
}

int main() {
  int *d, h[2] = {0, 0};
  cudaMalloc(&d, sizeof h);
  cudaMemcpy(d, h, sizeof h, cudaMemcpyHostToDevice);
  count_up<<<10, 64>>>(d, d + 1);
  cudaMemcpy(h, d, sizeof h, cudaMemcpyDeviceToHost);
  printf("%d\n", h[1]);
  return h[1] != 10 * 2 * 64;
}
