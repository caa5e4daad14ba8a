// The primitives of barriers in C, with tokens and with parities, a bulk copy and the primitives of pipelines; its host
// code counts references, as the simulator's own does.
#include <cuda_awbarrier_primitives.h>
#include <cuda_pipeline_primitives.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <vector>

__global__ void tokens(const int* x, int* y) {
  __shared__ __mbarrier_t bar;
  __shared__ alignas(16) int tile[256];
  if (threadIdx.x == 0) __mbarrier_init(&bar, blockDim.x);
  __syncthreads();
  __pipeline_memcpy_async(&tile[threadIdx.x], &x[blockIdx.x * 256 + threadIdx.x], sizeof(int));
  __pipeline_arrive_on(&bar);
  __mbarrier_token_t token = __mbarrier_arrive(&bar);
  while (!__mbarrier_try_wait(&bar, token, 100)) {
  }
  y[blockIdx.x * 256 + threadIdx.x] = tile[255 - threadIdx.x];
  __syncthreads();
  if (threadIdx.x == 0) __mbarrier_inval(&bar);
}

__global__ void phases(const int* x, int* y) {
  __shared__ __mbarrier_t bar;
  __shared__ alignas(128) int tile[256];
  const unsigned at = static_cast<unsigned>(__cvta_generic_to_shared(&bar));
  if (threadIdx.x == 0) {
    __mbarrier_init(&bar, 1);
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  }
  __syncthreads();
  for (int phase = 0; phase < 3; ++phase) {
    if (threadIdx.x == 0) {
      asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(at), "r"(1024) : "memory");
      asm volatile(
          "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(
              static_cast<unsigned>(__cvta_generic_to_shared(tile))),
          "l"(x + 256 * phase), "r"(1024), "r"(at)
          : "memory");
    }
    while (!__mbarrier_test_wait_parity(&bar, phase % 2)) {
    }
    y[256 * phase + threadIdx.x] += tile[threadIdx.x];
    __syncthreads();
  }
}

int main() {
  const int n = 3 * 256;
  auto x = std::make_shared<std::vector<int>>(n), again = x;
  for (int i = 0; i < n; ++i) (*x)[i] = i * i;
  std::shared_ptr<int> dx, dy;
  for (auto* p : {&dx, &dy}) {
    int* raw;
    cudaMalloc(&raw, n * sizeof(int));
    *p = std::shared_ptr<int>(raw, [](int* q) { cudaFree(q); });
  }
  cudaMemcpy(dx.get(), x->data(), n * sizeof(int), cudaMemcpyHostToDevice);
  tokens<<<3, 256>>>(dx.get(), dy.get());
  phases<<<1, 256>>>(dx.get(), dy.get());
  std::vector<int> y(n);
  cudaMemcpy(y.data(), dy.get(), n * sizeof(int), cudaMemcpyDeviceToHost);
  int wrong = 0;
  for (int i = 0; i < n; ++i) wrong += y[i] != i * i + (*again)[i / 256 * 256 + 255 - i % 256];
  printf("%d wrong\n", wrong);
  return wrong != 0;
}
