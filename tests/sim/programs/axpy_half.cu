// Half precision: axpy with half2, a dot product accumulated in float, conversions on both sides, bfloat16 too.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cmath>
#include <cstdio>
#include <vector>

__global__ void haxpy(int n, half2 a, const half2* x, half2* y) {
  int start = threadIdx.x + blockDim.x * blockIdx.x, stride = blockDim.x * gridDim.x;
  for (int i = start; i < n / 2; i += stride) y[i] = __hfma2(a, x[i], y[i]);
  if (start == 0 && (n % 2)) {
    half* tail = reinterpret_cast<half*>(y);
    tail[n - 1] = __hfma(__low2half(a), reinterpret_cast<const half*>(x)[n - 1], tail[n - 1]);
  }
}

template <typename T>
__global__ void dot(const T* x, const T* y, float* out, int n) {
  float sum = 0;
  for (int i = threadIdx.x; i < n; i += blockDim.x) sum += static_cast<float>(x[i]) * static_cast<float>(y[i]);
  for (int offset = 16; offset > 0; offset /= 2) sum += __shfl_down_sync(0xffffffff, sum, offset);
  if ((threadIdx.x & 31) == 0) atomicAdd(out, sum);
}

int main() {
  const int n = 301;
  std::vector<half> x(n), y(n), r(n);
  std::vector<__nv_bfloat16> b(n);
  double expected_dot = 0, expected_bf = 0;
  for (int i = 0; i < n; ++i) {
    x[i] = __float2half(0.125f * (i % 31)), y[i] = __float2half(float(i % 17) - 8);
    b[i] = __float2bfloat16(0.5f * (i % 13));
    expected_bf += __bfloat162float(b[i]) * __bfloat162float(b[i]);
  }
  const half a = __float2half(2.5f);
  half *dx, *dy;
  __nv_bfloat16* dbf;
  float *out, sums[2] = {0, 0};
  cudaMalloc(&dx, n * sizeof(half)), cudaMalloc(&dy, n * sizeof(half)), cudaMalloc(&dbf, n * sizeof *dbf), cudaMalloc(&out, sizeof sums);
  cudaMemcpy(dx, x.data(), n * sizeof(half), cudaMemcpyHostToDevice);
  cudaMemcpy(dy, y.data(), n * sizeof(half), cudaMemcpyHostToDevice);
  cudaMemcpy(dbf, b.data(), n * sizeof *dbf, cudaMemcpyHostToDevice);
  cudaMemcpy(out, sums, sizeof sums, cudaMemcpyHostToDevice);
  haxpy<<<2, 64>>>(n, __half2half2(a), (half2*)dx, (half2*)dy);
  dot<<<1, 64>>>(dx, dy, out, n);
  dot<__nv_bfloat16><<<1, 32>>>(dbf, dbf, out + 1, n);
  cudaMemcpy(r.data(), dy, n * sizeof(half), cudaMemcpyDeviceToHost);
  if (cudaMemcpy(sums, out, sizeof sums, cudaMemcpyDeviceToHost) != cudaSuccess) return 2;
  for (int i = 0; i < n; ++i) {
    const float exact = 2.5f * __half2float(x[i]) + __half2float(y[i]);
    if (__half2float(r[i]) != __half2float(__float2half(exact))) return std::printf("%d: %g %g\n", i, __half2float(r[i]), exact), 1;
    expected_dot += __half2float(x[i]) * __half2float(r[i]);
  }
  cudaFree(dx), cudaFree(dy), cudaFree(dbf), cudaFree(out);
  return std::fabs(sums[0] - expected_dot) < 1e-2 && std::fabs(sums[1] - expected_bf) < 1e-2 ? 0 : 1;
}
