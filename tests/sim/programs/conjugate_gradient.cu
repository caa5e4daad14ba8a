// Conjugate gradients in one cooperative launch: the whole grid synchronises between the steps.
#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>
#include <cuda_runtime.h>
#include <cmath>
#include <cstdio>
#include <vector>

namespace cg = cooperative_groups;

__device__ void gpuDot(const float* a, const float* b, int n, double* result, const cg::thread_block& cta, const cg::grid_group& grid) {
  double sum = 0;
  for (int i = grid.thread_rank(); i < n; i += grid.size()) sum += (double)a[i] * b[i];
  cg::thread_block_tile<32> tile = cg::tiled_partition<32>(cta);
  sum = cg::reduce(tile, sum, cg::plus<double>());
  if (tile.thread_rank() == 0) atomicAdd(result, sum);
}

// A is tridiagonal: 2.5 on the diagonal, -1 beside it.
__global__ void conjugate_gradient(float* x, float* r, float* p, float* Ap, double* dots, int n, int max_iterations, float tolerance, int* iterations) {
  cg::thread_block cta = cg::this_thread_block();
  cg::grid_group grid = cg::this_grid();
  gpuDot(r, r, n, &dots[0], cta, grid);
  cg::sync(grid);
  double rr = dots[0];
  int k = 0;
  while (rr > tolerance * tolerance && k < max_iterations) {
    if (grid.thread_rank() == 0) dots[1] = 0, dots[2] = 0;
    for (int i = grid.thread_rank(); i < n; i += grid.size()) Ap[i] = 2.5f * p[i] - (i ? p[i - 1] : 0.f) - (i + 1 < n ? p[i + 1] : 0.f);
    grid.sync();
    gpuDot(p, Ap, n, &dots[1], cta, grid);
    grid.sync();
    const float alpha = rr / dots[1];
    for (int i = grid.thread_rank(); i < n; i += grid.size()) x[i] += alpha * p[i], r[i] -= alpha * Ap[i];
    grid.sync();
    gpuDot(r, r, n, &dots[2], cta, grid);
    grid.sync();
    const double next = dots[2];
    const float beta = next / rr;
    for (int i = grid.thread_rank(); i < n; i += grid.size()) p[i] = r[i] + beta * p[i];
    rr = next;
    ++k;
    grid.sync();
  }
  if (grid.thread_rank() == 0) *iterations = k;
}

int main() {
  const int n = 200, threads = 64;
  int supported = 0, per_sm = 0, device = 0;
  cudaDeviceGetAttribute(&supported, cudaDevAttrCooperativeLaunch, device);
  cudaOccupancyMaxActiveBlocksPerMultiprocessor(&per_sm, conjugate_gradient, threads, 0);
  if (!supported || per_sm < 1) return 3;
  std::vector<float> b(n), x(n, 0.0f);
  for (int i = 0; i < n; ++i) b[i] = 1.0f + 0.5f * std::sin(0.3f * i);
  float *dx, *dr, *dp, *dAp;
  double* dots;
  int *iterations, count = 0;
  for (float** p : {&dx, &dr, &dp, &dAp}) cudaMalloc(p, n * sizeof(float));
  cudaMalloc(&dots, 3 * sizeof(double));
  cudaMalloc(&iterations, sizeof(int));
  cudaMemset(dx, 0, n * sizeof(float));
  cudaMemset(dots, 0, 3 * sizeof(double));
  cudaMemcpy(dr, b.data(), n * sizeof(float), cudaMemcpyHostToDevice);
  cudaMemcpy(dp, dr, n * sizeof(float), cudaMemcpyDeviceToDevice);
  int size = n, most = 100;
  float tolerance = 1e-5f;
  void* args[] = {&dx, &dr, &dp, &dAp, &dots, &size, &most, &tolerance, &iterations};
  dim3 grid(2), block(threads);
  cudaError_t status = cudaLaunchCooperativeKernel((void*)conjugate_gradient, grid, block, args, 0, NULL);
  if (status != cudaSuccess) return std::printf("%s\n", cudaGetErrorString(status)), 2;
  cudaMemcpy(x.data(), dx, n * sizeof(float), cudaMemcpyDeviceToHost);
  cudaMemcpy(&count, iterations, sizeof(int), cudaMemcpyDeviceToHost);
  double worst = 0;
  for (int i = 0; i < n; ++i) worst = std::fmax(worst, std::fabs(2.5 * x[i] - (i ? x[i - 1] : 0) - (i + 1 < n ? x[i + 1] : 0) - b[i]));
  for (float* p : {dx, dr, dp, dAp}) cudaFree(p);
  cudaFree(dots);
  cudaFree(iterations);
  std::printf("%d iterations, residual %.1e\n", count, worst);
  return worst < 1e-3 && count > 3 && count < 60 ? 0 : 1;
}
