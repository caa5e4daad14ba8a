// All-pairs n-body; the device code is in a header of the program, bodies travel as a structure of pointers.
#include <cuda_runtime.h>
#include <cmath>
#include <cstdio>
#include <vector>
#include "nbody_app/bodies.cuh"

int main() {
  const int n = 100, steps = 2;
  const float dt = 0.01f;
  std::vector<float4> p(n), v(n, make_float4(0, 0, 0, 0)), result(n);
  for (int i = 0; i < n; ++i) p[i] = make_float4(std::cos(1.7f * i), std::sin(0.9f * i), 0.01f * i, 1.0f + i % 3);
  Bodies a, b;
  for (Bodies* each : {&a, &b}) {
    cudaMalloc(&each->position, n * sizeof(float4));
    cudaMalloc(&each->velocity, n * sizeof(float4));
  }
  cudaMemcpy(a.position, p.data(), n * sizeof(float4), cudaMemcpyHostToDevice);
  cudaMemcpy(a.velocity, v.data(), n * sizeof(float4), cudaMemcpyHostToDevice);
  for (int s = 0; s < steps; ++s) {
    integrate<32><<<(n + 31) / 32, 32>>>(a, b, n, dt);
    std::swap(a, b);
  }
  cudaMemcpy(result.data(), a.position, n * sizeof(float4), cudaMemcpyDeviceToHost);
  if (cudaGetLastError() != cudaSuccess) return 2;
  for (int s = 0; s < steps; ++s) {
    std::vector<float4> next = p;
    for (int i = 0; i < n; ++i) {
      double ax = 0, ay = 0, az = 0;
      for (int j = 0; j < n; ++j) {
        const double dx = p[j].x - p[i].x, dy = p[j].y - p[i].y, dz = p[j].z - p[i].z;
        const double r = 1.0 / std::sqrt(dx * dx + dy * dy + dz * dz + SOFTENING), f = p[j].w * r * r * r;
        ax += dx * f, ay += dy * f, az += dz * f;
      }
      v[i].x += ax * dt, v[i].y += ay * dt, v[i].z += az * dt;
      next[i].x += v[i].x * dt, next[i].y += v[i].y * dt, next[i].z += v[i].z * dt;
    }
    p = next;
  }
  double worst = 0;
  for (int i = 0; i < n; ++i) worst = std::fmax(worst, std::fabs(p[i].x - result[i].x) + std::fabs(p[i].y - result[i].y) + std::fabs(p[i].z - result[i].z));
  for (Bodies each : {a, b}) cudaFree(each.position), cudaFree(each.velocity);
  std::printf("largest difference %g\n", worst);
  return worst < 1e-3 ? 0 : 1;
}
