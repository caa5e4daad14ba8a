// ldmatrix, stmatrix, movmatrix, mma.sync: each kernel one warp, with its fragments in global memory as they are.
#include <spak/cuda/matrix.h>
#include <spak/cuda/mma.h>

namespace {

__device__ void fill(uint32_t* to, const uint32_t* from, int count) {
  for (int i = threadIdx.x; i < count; i += 32) to[i] = from[i];
  __syncwarp();
}

template <int N, bool Transposed>
__device__ void load_all(const uint32_t* in, const int* rows, uint32_t* out) {
  __shared__ __align__(16) uint32_t tile[512];
  fill(tile, in, 512);
  uint32_t r[N];
  spak::ldmatrix<N, Transposed>(r, reinterpret_cast<const char*>(tile) + rows[threadIdx.x]);
  for (int i = 0; i < N; ++i) out[threadIdx.x * N + i] = r[i];
}

template <int N, bool Transposed>
__device__ void store_all(const uint32_t* in, const int* rows, uint32_t* out) {
  __shared__ __align__(16) uint32_t tile[512];
  for (int i = threadIdx.x; i < 512; i += 32) tile[i] = 0;
  __syncwarp();
  uint32_t r[N];
  for (int i = 0; i < N; ++i) r[i] = in[threadIdx.x * N + i];
  spak::stmatrix<N, Transposed>(reinterpret_cast<char*>(tile) + rows[threadIdx.x], r);
  __syncwarp();
  for (int i = threadIdx.x; i < 512; i += 32) out[i] = tile[i];
}

template <int A, int B, int D, typename T, typename F>
__device__ void multiply(const uint32_t* a, const uint32_t* b, T* d, F mma) {
  uint32_t fa[A], fb[B];
  T fd[D];
  for (int i = 0; i < A; ++i) fa[i] = a[threadIdx.x * A + i];
  for (int i = 0; i < B; ++i) fb[i] = b[threadIdx.x * B + i];
  for (int i = 0; i < D; ++i) fd[i] = d[threadIdx.x * D + i];
  mma(fd, fa, fb);
  for (int i = 0; i < D; ++i) d[threadIdx.x * D + i] = fd[i];
}

}  // namespace

// `rows`: the byte of shared memory that each lane gives.
extern "C" __global__ void ldmatrix_x1(const uint32_t* in, const int* rows, uint32_t* out) { load_all<1, false>(in, rows, out); }
extern "C" __global__ void ldmatrix_x2(const uint32_t* in, const int* rows, uint32_t* out) { load_all<2, false>(in, rows, out); }
extern "C" __global__ void ldmatrix_x4(const uint32_t* in, const int* rows, uint32_t* out) { load_all<4, false>(in, rows, out); }
extern "C" __global__ void ldmatrix_x1_trans(const uint32_t* in, const int* rows, uint32_t* out) { load_all<1, true>(in, rows, out); }
extern "C" __global__ void ldmatrix_x2_trans(const uint32_t* in, const int* rows, uint32_t* out) { load_all<2, true>(in, rows, out); }
extern "C" __global__ void ldmatrix_x4_trans(const uint32_t* in, const int* rows, uint32_t* out) { load_all<4, true>(in, rows, out); }

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
extern "C" __global__ void stmatrix_x1(const uint32_t* in, const int* rows, uint32_t* out) { store_all<1, false>(in, rows, out); }
extern "C" __global__ void stmatrix_x2(const uint32_t* in, const int* rows, uint32_t* out) { store_all<2, false>(in, rows, out); }
extern "C" __global__ void stmatrix_x4(const uint32_t* in, const int* rows, uint32_t* out) { store_all<4, false>(in, rows, out); }
extern "C" __global__ void stmatrix_x1_trans(const uint32_t* in, const int* rows, uint32_t* out) { store_all<1, true>(in, rows, out); }
extern "C" __global__ void stmatrix_x2_trans(const uint32_t* in, const int* rows, uint32_t* out) { store_all<2, true>(in, rows, out); }
extern "C" __global__ void stmatrix_x4_trans(const uint32_t* in, const int* rows, uint32_t* out) { store_all<4, true>(in, rows, out); }
extern "C" __global__ void mma_e4m3_k32(const uint32_t* a, const uint32_t* b, float* d) {
  multiply<4, 2, 4>(a, b, d, [](auto& x, auto& y, auto& z) { spak::mma_e4m3(x, y, z); });
}
extern "C" __global__ void mma_e5m2_k32(const uint32_t* a, const uint32_t* b, float* d) {
  multiply<4, 2, 4>(a, b, d, [](auto& x, auto& y, auto& z) { spak::mma_e5m2(x, y, z); });
}
#endif

extern "C" __global__ void movmatrix_trans(const uint32_t* in, uint32_t* out) { out[threadIdx.x] = spak::movmatrix(in[threadIdx.x]); }

extern "C" __global__ void mma_f16_k16(const uint32_t* a, const uint32_t* b, float* d) {
  multiply<4, 2, 4>(a, b, d, [](auto& x, auto& y, auto& z) { spak::mma_f16(x, y, z); });
}
extern "C" __global__ void mma_f16_k8(const uint32_t* a, const uint32_t* b, float* d) {
  multiply<2, 1, 4>(a, b, d, [](auto& x, auto& y, auto& z) { spak::mma_f16(x, y, z); });
}
extern "C" __global__ void mma_bf16_k16(const uint32_t* a, const uint32_t* b, float* d) {
  multiply<4, 2, 4>(a, b, d, [](auto& x, auto& y, auto& z) { spak::mma_bf16(x, y, z); });
}
extern "C" __global__ void mma_bf16_k8(const uint32_t* a, const uint32_t* b, float* d) {
  multiply<2, 1, 4>(a, b, d, [](auto& x, auto& y, auto& z) { spak::mma_bf16(x, y, z); });
}
extern "C" __global__ void mma_f16_f16_k16(const uint32_t* a, const uint32_t* b, uint32_t* d) {
  multiply<4, 2, 2>(a, b, d, [](auto& x, auto& y, auto& z) { spak::mma_f16_f16(x, y, z); });
}
extern "C" __global__ void mma_f16_f16_k8(const uint32_t* a, const uint32_t* b, uint32_t* d) {
  multiply<2, 1, 2>(a, b, d, [](auto& x, auto& y, auto& z) { spak::mma_f16_f16(x, y, z); });
}
extern "C" __global__ void mma_tf32_k8(const uint32_t* a, const uint32_t* b, float* d) {
  multiply<4, 2, 4>(a, b, d, [](auto& x, auto& y, auto& z) { spak::mma_tf32(x, y, z); });
}
extern "C" __global__ void mma_tf32_k4(const uint32_t* a, const uint32_t* b, float* d) {
  multiply<2, 1, 4>(a, b, d, [](auto& x, auto& y, auto& z) { spak::mma_tf32(x, y, z); });
}
extern "C" __global__ void mma_s8_k32(const uint32_t* a, const uint32_t* b, int* d) {
  multiply<4, 2, 4>(a, b, d, [](auto& x, auto& y, auto& z) { spak::mma_s8(x, y, z); });
}
extern "C" __global__ void mma_s8_k16(const uint32_t* a, const uint32_t* b, int* d) {
  multiply<2, 1, 4>(a, b, d, [](auto& x, auto& y, auto& z) { spak::mma_s8(x, y, z); });
}
extern "C" __global__ void mma_u8_k32(const uint32_t* a, const uint32_t* b, int* d) {
  multiply<4, 2, 4>(a, b, d, [](auto& x, auto& y, auto& z) { spak::mma_u8(x, y, z); });
}
extern "C" __global__ void mma_u8_k16(const uint32_t* a, const uint32_t* b, int* d) {
  multiply<2, 1, 4>(a, b, d, [](auto& x, auto& y, auto& z) { spak::mma_u8(x, y, z); });
}
