// Blocks of a cluster push sums into each other's shared memory with st.async, and wait for the bytes; the kernel after it
// is a dependent launch.
#include <cooperative_groups.h>
#include <cuda_runtime.h>

#include <cstdio>
#include <vector>

namespace cg = cooperative_groups;

__device__ unsigned address(const void* shared) { return static_cast<unsigned>(__cvta_generic_to_shared(shared)); }
__device__ unsigned in_peer(unsigned shared, unsigned rank) {
  unsigned out;
  asm volatile("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(out) : "r"(shared), "r"(rank));
  return out;
}

__global__ void __cluster_dims__(2, 2, 1) push(int* out, int* where) {
  __shared__ alignas(16) int inbox[4][8];
  __shared__ unsigned long long bar;
  const cg::cluster_group cluster = cg::this_cluster();
  unsigned x, y, cx, wide;
  asm("mov.u32 %0, %%cluster_ctaid.x;" : "=r"(x));
  asm("mov.u32 %0, %%cluster_ctaid.y;" : "=r"(y));
  asm("mov.u32 %0, %%clusterid.x;" : "=r"(cx));
  asm("mov.u32 %0, %%cluster_nctaid.x;" : "=r"(wide));
  const unsigned rank = x + wide * y, number = blockIdx.x + gridDim.x * blockIdx.y;
  if (threadIdx.x == 0) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" ::"r"(address(&bar)));
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(address(&bar)), "r"(4 * 32) : "memory");
  }
  cluster.sync();
  if (threadIdx.x < 4) {
    const unsigned to = in_peer(address(inbox[rank]), threadIdx.x), peer_bar = in_peer(address(&bar), threadIdx.x);
    const int base = 100 * number;
    asm volatile("st.async.shared::cluster.mbarrier::complete_tx::bytes.v4.b32 [%0], {%1, %2, %3, %4}, [%5];" ::"r"(to),
                 "r"(base), "r"(base + 1), "r"(base + 2), "r"(base + 3), "r"(peer_bar)
                 : "memory");
    asm volatile("st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.u64 [%0+16], %1, [%2];" ::"r"(to),
                 "l"(static_cast<unsigned long long>(base + 5) << 32 | (base + 4)), "r"(peer_bar)
                 : "memory");
    for (int k = 6; k < 8; ++k)
      asm volatile("st.async.shared::cluster.mbarrier::complete_tx::bytes.s32 [%0], %1, [%2];" ::"r"(to + 4 * k),
                   "r"(base + k), "r"(peer_bar)
                   : "memory");
  }
  asm volatile(
      "{ .reg .pred P; WAIT: mbarrier.try_wait.parity.shared::cta.b64 P, [%0], 0; @P bra DONE; bra WAIT; DONE: }" ::"r"(
          address(&bar))
      : "memory");
  out[32 * number + threadIdx.x] = inbox[threadIdx.x / 8][threadIdx.x % 8];
  if (threadIdx.x == 0) where[number] = 10 * cx + rank + 1000 * cluster.block_index().y + 100 * cluster.dim_blocks().x;
  cluster.sync();
  cudaTriggerProgrammaticLaunchCompletion();
}

__global__ void add_up(const int* x, int* sum, int n) {
  if (threadIdx.x == 0) *sum = 0;
  __syncthreads();
  cudaGridDependencySynchronize();
  for (int i = threadIdx.x; i < n; i += blockDim.x) atomicAdd(sum, x[i]);
}

int main() {
  const int blocks = 8;
  int *out, *where, *sum, total = 0, expected = 0, wrong = 0;
  cudaMalloc(&out, blocks * 32 * sizeof(int)), cudaMalloc(&where, blocks * sizeof(int)), cudaMalloc(&sum, sizeof(int));
  push<<<dim3(4, 2), 32>>>(out, where);
  cudaLaunchConfig_t config = {};
  config.gridDim = 1, config.blockDim = 64;
  cudaLaunchAttribute attribute;
  attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  attribute.val.programmaticStreamSerializationAllowed = 1;
  config.attrs = &attribute, config.numAttrs = 1;
  if (cudaLaunchKernelEx(&config, add_up, static_cast<const int*>(out), sum, blocks * 32) != cudaSuccess) return 2;
  std::vector<int> h(blocks * 32), w(blocks);
  cudaMemcpy(h.data(), out, h.size() * sizeof(int), cudaMemcpyDeviceToHost);
  cudaMemcpy(w.data(), where, w.size() * sizeof(int), cudaMemcpyDeviceToHost);
  cudaMemcpy(&total, sum, sizeof(int), cudaMemcpyDeviceToHost);
  for (int b = 0; b < blocks; ++b) {
    const int x = b % 4, y = b / 4;
    wrong += w[b] != 10 * (x / 2) + x % 2 + 2 * y + 1000 * y + 200;
    for (int i = 0; i < 32; ++i) {
      const int from = x / 2 * 2 + i / 8 % 2 + 4 * (i / 16), value = 100 * from + i % 8;
      wrong += h[32 * b + i] != value;
      expected += value;
    }
  }
  printf("%d wrong\n", wrong + (total != expected));
  return wrong || total != expected;
}
