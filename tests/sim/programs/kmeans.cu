// k-means: assignment with centroids in constant memory, update with shared and global atomics.
#include <cuda_runtime.h>
#include <stdio.h>
#include <stdlib.h>
#include <float.h>
#include <math.h>

#define K 4
#define N 256
#define ITERATIONS 3
#define TPB 64

__constant__ float2 centroids[K];
__device__ float2 sums[K];
__device__ int sizes[K];

__global__ void kMeansClusterAssignment(const float2 *points, int *assigned) {
  const int idx = blockIdx.x * blockDim.x + threadIdx.x;
  if (idx >= N) return;
  float best = FLT_MAX;
  int closest = 0;
  for (int c = 0; c < K; ++c) {
    const float dx = points[idx].x - centroids[c].x, dy = points[idx].y - centroids[c].y, dist = dx * dx + dy * dy;
    if (dist < best) { best = dist; closest = c; }
  }
  assigned[idx] = closest;
}

__global__ void kMeansSums(const float2 *points, const int *assigned) {
  __shared__ float s_x[K], s_y[K];
  __shared__ int s_n[K];
  const int idx = blockIdx.x * blockDim.x + threadIdx.x;
  if (threadIdx.x < K) { s_x[threadIdx.x] = s_y[threadIdx.x] = 0.f; s_n[threadIdx.x] = 0; }
  __syncthreads();
  if (idx < N) {
    const int c = assigned[idx];
    atomicAdd(&s_x[c], points[idx].x);
    atomicAdd(&s_y[c], points[idx].y);
    atomicAdd(&s_n[c], 1);
  }
  __syncthreads();
  if (threadIdx.x < K) {
    atomicAdd(&sums[threadIdx.x].x, s_x[threadIdx.x]);
    atomicAdd(&sums[threadIdx.x].y, s_y[threadIdx.x]);
    atomicAdd(&sizes[threadIdx.x], s_n[threadIdx.x]);
  }
}

int main() {
  static float2 points[N];
  float2 c[K], reference[K], zero[K] = {};
  int none[K] = {}, n[K], assigned[N];
  for (int i = 0; i < N; ++i) points[i] = make_float2(i % 4 * 10.f + (i * 7 % 16) * 0.25f, i % 2 * 20.f + (i * 5 % 8) * 0.5f);
  for (int k = 0; k < K; ++k) reference[k] = c[k] = points[k];
  float2 *d_points;
  int *d_assigned;
  cudaMalloc(&d_points, sizeof points);
  cudaMalloc(&d_assigned, sizeof assigned);
  cudaMemcpy(d_points, points, sizeof points, cudaMemcpyHostToDevice);
  for (int it = 0; it < ITERATIONS; ++it) {
    cudaMemcpyToSymbol(centroids, c, sizeof c);
    cudaMemcpyToSymbol(sums, zero, sizeof zero);
    cudaMemcpyToSymbol(sizes, none, sizeof none, 0, cudaMemcpyHostToDevice);
    kMeansClusterAssignment<<<(N + TPB - 1) / TPB, TPB>>>(d_points, d_assigned);
    kMeansSums<<<(N + TPB - 1) / TPB, TPB>>>(d_points, d_assigned);
    cudaMemcpyFromSymbol(c, sums, sizeof c);
    cudaMemcpyFromSymbol(n, sizes, sizeof n);
    for (int k = 0; k < K; ++k)
      if (n[k]) c[k].x /= n[k], c[k].y /= n[k];
  }
  for (int it = 0; it < ITERATIONS; ++it) {
    double sx[K] = {}, sy[K] = {};
    int count[K] = {};
    for (int i = 0; i < N; ++i) {
      int best = 0;
      float least = FLT_MAX;
      for (int k = 0; k < K; ++k) {
        const float dx = points[i].x - reference[k].x, dy = points[i].y - reference[k].y, d = dx * dx + dy * dy;
        if (d < least) least = d, best = k;
      }
      sx[best] += points[i].x, sy[best] += points[i].y, count[best]++;
    }
    for (int k = 0; k < K; ++k)
      if (count[k]) reference[k] = make_float2(sx[k] / count[k], sy[k] / count[k]);
  }
  cudaFree(d_points);
  cudaFree(d_assigned);
  for (int k = 0; k < K; ++k)
    if (fabsf(c[k].x - reference[k].x) > 1e-3f || fabsf(c[k].y - reference[k].y) > 1e-3f) {
      printf("centroid %d: (%f, %f), expected (%f, %f)\n", k, c[k].x, c[k].y, reference[k].x, reference[k].y);
      return EXIT_FAILURE;
    }
  return EXIT_SUCCESS;
}
