#pragma once
#include <vector_types.h>

#define SOFTENING 1e-3f

struct Bodies {
  float4* position;  // w is the mass
  float4* velocity;
};

template <int BLOCK>
__device__ inline float3 acceleration_of(float4 p, const float4* __restrict__ positions, int n) {
  __shared__ float4 tile[BLOCK];
  float3 a = make_float3(0.0f, 0.0f, 0.0f);
  for (int base = 0; base < n; base += BLOCK) {
    const int j = base + threadIdx.x;
    tile[threadIdx.x] = j < n ? positions[j] : make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    __syncthreads();
#pragma unroll 4
    for (int k = 0; k < BLOCK; ++k) {
      const float4 q = tile[k];
      const float dx = q.x - p.x, dy = q.y - p.y, dz = q.z - p.z;
      const float inv = rsqrtf(dx * dx + dy * dy + dz * dz + SOFTENING);
      const float s = q.w * inv * inv * inv;
      a.x += dx * s;
      a.y += dy * s;
      a.z += dz * s;
    }
    __syncthreads();
  }
  return a;
}

template <int BLOCK>
__global__ void integrate(Bodies now, Bodies next, int n, float dt) {
  const int i = blockIdx.x * BLOCK + threadIdx.x;
  const float4 p = i < n ? now.position[i] : make_float4(0, 0, 0, 0);
  const float3 a = acceleration_of<BLOCK>(p, now.position, n);
  if (i >= n) return;
  float4 v = now.velocity[i];
  v.x += a.x * dt, v.y += a.y * dt, v.z += a.z * dt;
  next.velocity[i] = v;
  next.position[i] = make_float4(p.x + v.x * dt, p.y + v.y * dt, p.z + v.z * dt, p.w);
}
