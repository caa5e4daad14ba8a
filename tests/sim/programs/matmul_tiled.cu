// Matrix product: naive and tiled, over a small matrix class, with the block size as a template parameter.
#include <cuda_runtime.h>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace gpu {
inline void check(cudaError_t status) {
  if (status != cudaSuccess) throw std::runtime_error(std::string("CUDA: ") + cudaGetErrorString(status));
}
struct Deleter {
  void operator()(void* p) const { cudaFree(p); }
};
template <class T>
using unique_ptr = std::unique_ptr<T[], Deleter>;
template <class T>
unique_ptr<T> make(std::size_t n) {
  T* p = nullptr;
  check(cudaMalloc(&p, n * sizeof(T)));
  return unique_ptr<T>(p);
}
}  // namespace gpu

template <class T>
struct View {
  T* data;
  int rows, cols;
  __host__ __device__ T& operator()(int r, int c) const { return data[r * cols + c]; }
};

template <class T>
__global__ void multiply_naive(View<const T> a, View<const T> b, View<T> c) {
  const int row = blockIdx.y * blockDim.y + threadIdx.y, col = blockIdx.x * blockDim.x + threadIdx.x;
  if (row >= c.rows || col >= c.cols) return;
  T sum{};
  for (int k = 0; k < a.cols; ++k) sum += a(row, k) * b(k, col);
  c(row, col) = sum;
}

template <int Tile, class T>
__global__ void multiply_tiled(View<const T> a, View<const T> b, View<T> c) {
  __shared__ T as[Tile][Tile], bs[Tile][Tile];
  const int row = blockIdx.y * Tile + threadIdx.y, col = blockIdx.x * Tile + threadIdx.x;
  T sum = 0;
  for (int k0 = 0; k0 < a.cols; k0 += Tile) {
    as[threadIdx.y][threadIdx.x] = row < a.rows && k0 + threadIdx.x < a.cols ? a(row, k0 + threadIdx.x) : T(0);
    bs[threadIdx.y][threadIdx.x] = k0 + threadIdx.y < b.rows && col < b.cols ? b(k0 + threadIdx.y, col) : T(0);
    __syncthreads();
    for (int k = 0; k < Tile; ++k) sum += as[threadIdx.y][k] * bs[k][threadIdx.x];
    __syncthreads();
  }
  if (row < c.rows && col < c.cols) c(row, col) = sum;
}

template <class T>
bool run(int m, int n, int k) {
  std::vector<T> a(m * k), b(k * n), c(m * n);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = T(int(i * 7 % 11) - 5);
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = T(int(i * 5 % 13) - 6);
  auto da = gpu::make<T>(a.size()), db = gpu::make<T>(b.size()), dc = gpu::make<T>(c.size());
  gpu::check(cudaMemcpy(da.get(), a.data(), a.size() * sizeof(T), cudaMemcpyHostToDevice));
  gpu::check(cudaMemcpy(db.get(), b.data(), b.size() * sizeof(T), cudaMemcpyHostToDevice));
  bool good = true;
  for (int version = 0; version < 2; ++version) {
    gpu::check(cudaMemset(dc.get(), 0xCC, c.size() * sizeof(T)));
    constexpr int tile = 8;
    const dim3 block{tile, tile}, grid{unsigned(n + tile - 1) / tile, unsigned(m + tile - 1) / tile};
    const View<const T> va{da.get(), m, k}, vb{db.get(), k, n};
    if (version == 0) multiply_naive<T><<<grid, block>>>(va, vb, {dc.get(), m, n});
    else multiply_tiled<tile><<<grid, block>>>(va, vb, View<T>{dc.get(), m, n});
    gpu::check(cudaGetLastError());
    gpu::check(cudaMemcpy(c.data(), dc.get(), c.size() * sizeof(T), cudaMemcpyDeviceToHost));
    for (int i = 0; i < m; ++i)
      for (int j = 0; j < n; ++j) {
        T expected = 0;
        for (int l = 0; l < k; ++l) expected += a[i * k + l] * b[l * n + j];
        good = good && c[i * n + j] == expected;
      }
  }
  return good;
}

int main() try {
  const bool good = run<float>(33, 20, 27) && run<double>(16, 16, 16) && run<int>(5, 40, 9);
  std::puts(good ? "ok" : "mismatch");
  return good ? 0 : 1;
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 2;
}
