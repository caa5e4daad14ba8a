// f16 matrix product on tensor cores with inline PTX: cp.async into two stages, ldmatrix, mma.sync m16n8k16.
#include <cuda_fp16.h>
#include <cuda_runtime.h>
#include <cstdint>
#include <cstdio>
#include <vector>

constexpr int BM = 32, BN = 32, BK = 32, PAD = 8, THREADS = 128;

__device__ __forceinline__ uint32_t smem_u32(const void* p) { return static_cast<uint32_t>(__cvta_generic_to_shared(p)); }

__device__ __forceinline__ void cp_async16(void* dst, const void* src) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;\n" ::"r"(smem_u32(dst)), "l"(src));
}
__device__ __forceinline__ void cp_async_commit() { asm volatile("cp.async.commit_group;\n" ::); }
template <int N>
__device__ __forceinline__ void cp_async_wait() {
  asm volatile("cp.async.wait_group %0;\n" ::"n"(N));
}
__device__ __forceinline__ void ldmatrix_x4(uint32_t (&r)[4], const void* p) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];\n" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(smem_u32(p)));
}
__device__ __forceinline__ void ldmatrix_x2_trans(uint32_t (&r)[2], const void* p) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];\n" : "=r"(r[0]), "=r"(r[1]) : "r"(smem_u32(p)));
}
__device__ __forceinline__ void mma(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};\n"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// C (M x N, f32) = A (M x K) B (K x N), all row-major; sizes are multiples of the tile.
__global__ void __launch_bounds__(THREADS) hgemm(const half* __restrict__ A, const half* __restrict__ B, float* __restrict__ C, int M, int N, int K) {
  __shared__ __align__(16) half As[2][BM][BK + PAD];
  __shared__ __align__(16) half Bs[2][BK][BN + PAD];
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const int wm = warp / 2 * 16, wn = warp % 2 * 16;
  const int m0 = blockIdx.y * BM, n0 = blockIdx.x * BN;

  auto stage = [&](int s, int k0) {
    const int row = threadIdx.x / 4, col = threadIdx.x % 4 * 8;
    cp_async16(&As[s][row][col], &A[(m0 + row) * K + k0 + col]);
    cp_async16(&Bs[s][row][col], &B[(k0 + row) * N + n0 + col]);
    cp_async_commit();
  };

  float acc[2][4] = {};
  stage(0, 0);
  const int steps = K / BK;
  for (int t = 0; t < steps; ++t) {
    if (t + 1 < steps) {
      stage((t + 1) & 1, (t + 1) * BK);
      cp_async_wait<1>();
    } else {
      cp_async_wait<0>();
    }
    __syncthreads();
    const int s = t & 1;
#pragma unroll
    for (int kk = 0; kk < BK; kk += 16) {
      uint32_t a[4];
      ldmatrix_x4(a, &As[s][wm + lane % 16][kk + lane / 16 * 8]);
#pragma unroll
      for (int j = 0; j < 2; ++j) {
        uint32_t b[2];
        ldmatrix_x2_trans(b, &Bs[s][kk + lane % 16][wn + j * 8]);
        mma(acc[j], a, b);
      }
    }
    __syncthreads();
  }
  const int group = lane / 4, quad = lane % 4;
  for (int j = 0; j < 2; ++j) {
    float* c = &C[(m0 + wm + group) * N + n0 + wn + j * 8 + quad * 2];
    *reinterpret_cast<float2*>(c) = make_float2(acc[j][0], acc[j][1]);
    *reinterpret_cast<float2*>(c + 8 * N) = make_float2(acc[j][2], acc[j][3]);
  }
}

int main() {
  const int M = 64, N = 32, K = 96;
  std::vector<half> a(M * K), b(K * N);
  std::vector<float> c(M * N);
  for (size_t i = 0; i < a.size(); ++i) a[i] = __float2half(float(int(i * 7 % 9) - 4));
  for (size_t i = 0; i < b.size(); ++i) b[i] = __float2half(float(int(i * 3 % 7) - 3) * 0.5f);
  half *da, *db;
  float* dc;
  cudaMalloc(&da, a.size() * sizeof(half));
  cudaMalloc(&db, b.size() * sizeof(half));
  cudaMalloc(&dc, c.size() * sizeof(float));
  cudaMemcpy(da, a.data(), a.size() * sizeof(half), cudaMemcpyHostToDevice);
  cudaMemcpy(db, b.data(), b.size() * sizeof(half), cudaMemcpyHostToDevice);
  hgemm<<<dim3(N / BN, M / BM), THREADS>>>(da, db, dc, M, N, K);
  if (cudaMemcpy(c.data(), dc, c.size() * sizeof(float), cudaMemcpyDeviceToHost) != cudaSuccess) return 2;
  for (int i = 0; i < M; ++i)
    for (int j = 0; j < N; ++j) {
      float sum = 0;
      for (int k = 0; k < K; ++k) sum += __half2float(a[i * K + k]) * __half2float(b[k * N + j]);
      if (c[i * N + j] != sum) return std::printf("C[%d][%d] = %g, expected %g\n", i, j, c[i * N + j], sum), 1;
    }
  cudaFree(da), cudaFree(db), cudaFree(dc);
  return 0;
}
