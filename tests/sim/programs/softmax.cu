// Softmax of rows: a warp a row, a block a row, and the online form in one pass.
#include <cuda_runtime.h>
#include <float.h>
#include <cmath>
#include <cstdio>
#include <vector>

template <template <typename> class Op, typename T>
__inline__ __device__ T warpAllReduce(T val) {
  for (int mask = 32 / 2; mask > 0; mask /= 2) val = Op<T>()(val, __shfl_xor_sync(0xffffffff, val, mask, 32));
  return val;
}
template <typename T> struct SumOp { __device__ __forceinline__ T operator()(const T& a, const T& b) const { return a + b; } };
template <typename T> struct MaxOp { __device__ __forceinline__ T operator()(const T& a, const T& b) const { return max(a, b); } };

template <int kCols>
__global__ void SoftmaxWarp(const float* x, float* y, int rows) {
  const int row = blockIdx.x * blockDim.y + threadIdx.y;
  if (row >= rows) return;
  float buf[(kCols + 31) / 32];
  float m = -INFINITY;
#pragma unroll
  for (int i = 0; i < (kCols + 31) / 32; ++i) {
    const int col = i * 32 + threadIdx.x;
    buf[i] = col < kCols ? x[row * kCols + col] : -INFINITY;
    m = fmaxf(m, buf[i]);
  }
  m = warpAllReduce<MaxOp, float>(m);
  float sum = 0;
  for (float& v : buf) sum += v = __expf(v - m);
  sum = warpAllReduce<SumOp, float>(sum);
  for (int i = 0; i < (kCols + 31) / 32; ++i)
    if (int col = i * 32 + threadIdx.x; col < kCols) y[row * kCols + col] = __fdividef(buf[i], sum);
}

template <typename T>
__device__ T blockReduce(T v, bool is_max) {
  static __shared__ T shared[32];
  __shared__ T result;
  const int lane = threadIdx.x & 0x1f, wid = threadIdx.x >> 5;
  v = is_max ? warpAllReduce<MaxOp>(v) : warpAllReduce<SumOp>(v);
  if (lane == 0) shared[wid] = v;
  __syncthreads();
  if (wid == 0) {
    v = threadIdx.x < blockDim.x / 32 ? shared[lane] : (is_max ? -FLT_MAX : T(0));
    v = is_max ? warpAllReduce<MaxOp>(v) : warpAllReduce<SumOp>(v);
    if (lane == 0) result = v;
  }
  __syncthreads();
  return result;
}

__global__ void softmax_block(const float* __restrict__ x, float* __restrict__ y, int cols) {
  x += (size_t)blockIdx.x * cols;
  y += (size_t)blockIdx.x * cols;
  float m = -FLT_MAX;
  for (int i = threadIdx.x; i < cols; i += blockDim.x) m = max(m, x[i]);
  m = blockReduce(m, true);
  float sum = 0.f;
  for (int i = threadIdx.x; i < cols; i += blockDim.x) sum += expf(x[i] - m);
  sum = blockReduce(sum, false);
  for (int i = threadIdx.x; i < cols; i += blockDim.x) y[i] = expf(x[i] - m) / sum;
}

struct __align__(8) MD { float m, d; };
__device__ __forceinline__ MD combine(MD a, MD b) {
  const bool a_bigger = a.m > b.m;
  const MD big = a_bigger ? a : b, small = a_bigger ? b : a;
  return {big.m, big.d + small.d * __expf(small.m - big.m)};
}

__global__ void softmax_online(const float* x, float* y, int cols) {
  __shared__ MD part[8];
  const float* row = x + blockIdx.x * cols;
  MD md{-FLT_MAX, 0.f};
  for (int i = threadIdx.x; i < cols; i += blockDim.x) md = combine(md, MD{row[i], 1.f});
  for (int offset = 16; offset; offset >>= 1) {
    MD other;
    other.m = __shfl_xor_sync(~0u, md.m, offset);
    other.d = __shfl_xor_sync(~0u, md.d, offset);
    md = combine(md, other);
  }
  if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = md;
  __syncthreads();
  md = part[0];
  for (int w = 1; w < blockDim.x / 32; ++w) md = combine(md, part[w]);
  for (int i = threadIdx.x; i < cols; i += blockDim.x) y[blockIdx.x * cols + i] = __expf(row[i] - md.m) / md.d;
}

int main() {
  constexpr int rows = 6, cols = 100;
  std::vector<float> x(rows * cols), y(rows * cols);
  for (int i = 0; i < rows * cols; ++i) x[i] = 8.0f * std::sin(0.37f * i);
  float *dx, *dy;
  cudaMalloc(&dx, x.size() * sizeof(float));
  cudaMalloc(&dy, x.size() * sizeof(float));
  cudaMemcpy(dx, x.data(), x.size() * sizeof(float), cudaMemcpyHostToDevice);
  for (int version = 0; version < 3; ++version) {
    if (version == 0) SoftmaxWarp<cols><<<(rows + 3) / 4, dim3(32, 4)>>>(dx, dy, rows);
    else if (version == 1) softmax_block<<<rows, 64>>>(dx, dy, cols);
    else softmax_online<<<rows, 96>>>(dx, dy, cols);
    cudaError_t err = cudaMemcpy(y.data(), dy, y.size() * sizeof(float), cudaMemcpyDeviceToHost);
    if (err) return std::fprintf(stderr, "%s\n", cudaGetErrorString(err)), 2;
    for (int r = 0; r < rows; ++r) {
      double m = -1e30, sum = 0;
      for (int c = 0; c < cols; ++c) m = std::fmax(m, x[r * cols + c]);
      for (int c = 0; c < cols; ++c) sum += std::exp(x[r * cols + c] - m);
      for (int c = 0; c < cols; ++c)
        if (std::fabs(y[r * cols + c] - std::exp(x[r * cols + c] - m) / sum) > 1e-5) return std::printf("version %d, row %d, column %d\n", version, r, c), 1;
    }
  }
  cudaFree(dx);
  cudaFree(dy);
}
