// f16, bf16 and f8 side by side: a scale kernel that stores e4m3 and e5m2, against the host's conversions.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>

#include <cstdio>
#include <vector>

template <typename Narrow, typename Wide>
__global__ void quantise(const Wide* x, Narrow* q, Wide* back, float scale, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  q[i] = Narrow(static_cast<float>(x[i]) * scale);
  back[i] = Wide(static_cast<float>(q[i]) / scale);
}

template <typename Narrow, typename Wide>
int test(float scale) {
  const int n = 300;
  std::vector<Wide> x(n), back(n);
  for (int i = 0; i < n; ++i) x[i] = Wide(0.37f * (i - 150));
  Wide *dx, *db;
  Narrow* dq;
  cudaMalloc(&dx, n * sizeof(Wide)), cudaMalloc(&db, n * sizeof(Wide)), cudaMalloc(&dq, n);
  cudaMemcpy(dx, x.data(), n * sizeof(Wide), cudaMemcpyHostToDevice);
  quantise<<<2, 160>>>(dx, dq, db, scale, n);
  cudaMemcpy(back.data(), db, n * sizeof(Wide), cudaMemcpyDeviceToHost);
  int wrong = 0;
  for (int i = 0; i < n; ++i) {
    const Narrow q(static_cast<float>(x[i]) * scale);
    wrong += static_cast<float>(back[i]) != static_cast<float>(Wide(static_cast<float>(q) / scale));
  }
  cudaFree(dx), cudaFree(db), cudaFree(dq);
  return wrong;
}

int main() {
  const int wrong = test<__nv_fp8_e4m3, half>(2.0f) + test<__nv_fp8_e5m2, __nv_bfloat16>(0.5f);
  printf("%d wrong\n", wrong);
  return wrong != 0;
}
