// Heat equation in two dimensions: a tile with a halo, two buffers that are swapped, timed with events.
#include <cuda_runtime.h>
#include <cmath>
#include <cstdio>
#include <utility>
#include <vector>

#define checkCudaErrors(val) check((val), #val, __FILE__, __LINE__)
template <typename T>
void check(T result, char const *const func, const char *const file, int const line) {
  if (result) {
    fprintf(stderr, "CUDA error at %s:%d code=%d(%s) \"%s\" \n", file, line, static_cast<unsigned int>(result), cudaGetErrorName(result), func);
    exit(EXIT_FAILURE);
  }
}

constexpr int BX = 16, BY = 8;

__global__ void step(const float *__restrict__ u, float *__restrict__ v, int nx, int ny, float alpha) {
  __shared__ float s[BY + 2][BX + 2];
  const int x = blockIdx.x * BX + threadIdx.x, y = blockIdx.y * BY + threadIdx.y;
  const int tx = threadIdx.x + 1, ty = threadIdx.y + 1;
  const bool inside = x < nx && y < ny;
  auto at = [&](int i, int j) { return (i < 0 || j < 0 || i >= nx || j >= ny) ? 0.0f : u[j * nx + i]; };
  s[ty][tx] = at(x, y);
  if (threadIdx.x == 0) s[ty][0] = at(x - 1, y);
  if (threadIdx.x == BX - 1) s[ty][BX + 1] = at(x + 1, y);
  if (threadIdx.y == 0) s[0][tx] = at(x, y - 1);
  if (threadIdx.y == BY - 1) s[BY + 1][tx] = at(x, y + 1);
  __syncthreads();
  if (!inside) return;
  v[y * nx + x] = s[ty][tx] + alpha * (s[ty][tx - 1] + s[ty][tx + 1] + s[ty - 1][tx] + s[ty + 1][tx] - 4.0f * s[ty][tx]);
}

int main() {
  const int nx = 37, ny = 29, steps = 5;
  const float alpha = 0.2f;
  std::vector<float> h(nx * ny), next(nx * ny), result(nx * ny);
  for (int i = 0; i < nx * ny; ++i) h[i] = std::sin(0.3f * i);
  const size_t bytes = h.size() * sizeof(float);
  float *a, *b;
  checkCudaErrors(cudaMalloc(&a, bytes));
  checkCudaErrors(cudaMalloc(&b, bytes));
  checkCudaErrors(cudaMemcpy(a, h.data(), bytes, cudaMemcpyHostToDevice));
  cudaEvent_t start, stop;
  checkCudaErrors(cudaEventCreate(&start));
  checkCudaErrors(cudaEventCreate(&stop));
  const dim3 block(BX, BY), grid((nx + block.x - 1) / block.x, (ny + block.y - 1) / block.y);
  checkCudaErrors(cudaEventRecord(start));
  for (int t = 0; t < steps; ++t) {
    step<<<grid, block>>>(a, b, nx, ny, alpha);
    std::swap(a, b);
  }
  checkCudaErrors(cudaEventRecord(stop, 0));
  checkCudaErrors(cudaEventSynchronize(stop));
  float ms = -1;
  checkCudaErrors(cudaEventElapsedTime(&ms, start, stop));
  checkCudaErrors(cudaGetLastError());
  checkCudaErrors(cudaMemcpy(result.data(), a, bytes, cudaMemcpyDeviceToHost));
  for (int t = 0; t < steps; ++t) {
    for (int y = 0; y < ny; ++y)
      for (int x = 0; x < nx; ++x) {
        auto at = [&](int i, int j) { return (i < 0 || j < 0 || i >= nx || j >= ny) ? 0.0f : h[j * nx + i]; };
        next[y * nx + x] = at(x, y) + alpha * (at(x - 1, y) + at(x + 1, y) + at(x, y - 1) + at(x, y + 1) - 4.0f * at(x, y));
      }
    std::swap(h, next);
  }
  double worst = 0;
  for (int i = 0; i < nx * ny; ++i) worst = std::max(worst, (double)std::fabs(h[i] - result[i]));
  printf("largest difference %g after %d steps, %s\n", worst, steps, ms >= 0 ? "timed" : "not timed");
  checkCudaErrors(cudaEventDestroy(start));
  checkCudaErrors(cudaEventDestroy(stop));
  checkCudaErrors(cudaFree(a));
  checkCudaErrors(cudaFree(b));
  return worst > 1e-5 || ms < 0;
}
