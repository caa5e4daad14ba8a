// Kernels whose counters can be told by hand.
#include <spak/cuda/cp_async.h>
#include <spak/cuda/mma.h>
#include <spak/cuda/vec.h>

extern "C" __global__ void copy(const float* x, float* y, long long n) {
  const long long i = spak::global_x();
  if (i < n) y[i] = x[i];
}

extern "C" __global__ void strided(const float* x, float* y, long long stride) { y[threadIdx.x] = x[threadIdx.x * stride]; }

extern "C" __global__ void broadcast(const float* x, float* y) { y[threadIdx.x] = x[0]; }

extern "C" __global__ void vectors(const float* x, float* y) {
  spak::store(y + 4 * threadIdx.x, spak::load<4>(x + 4 * threadIdx.x));
}

template <int Width>
static __device__ void transpose(const float* x, float* y) {
  __shared__ float tile[32][Width];
  const int i = threadIdx.x % 32, j = threadIdx.x / 32;
  tile[j][i] = x[j * 32 + i];
  __syncthreads();
  y[j * 32 + i] = tile[i][j];
}
extern "C" __global__ void conflicting(const float* x, float* y) { transpose<32>(x, y); }
extern "C" __global__ void padded(const float* x, float* y) { transpose<33>(x, y); }

extern "C" __global__ void histogram(const int* x, int* bins) { atomicAdd(&bins[x[threadIdx.x]], 1); }

extern "C" __global__ void looped(const float* x, float* y, long long n) {
  float sum = 0.0f;
  for (long long i = threadIdx.x; i < n; i += 32) sum += x[i];
  y[threadIdx.x] = __shfl_xor_sync(0xFFFFFFFFu, sum, 1);
}

// Two stages: the second one's load is in flight while the first one's product is computed, and nothing during the second.
extern "C" __global__ void overlapped(const uint32_t* x, float* y) {
  __shared__ alignas(16) uint32_t stage[2][32 * 4];
  float d[4] = {};
  spak::cp_async<16>(&stage[0][4 * threadIdx.x], x + 4 * threadIdx.x);
  spak::cp_async_commit();
  spak::cp_async<16>(&stage[1][4 * threadIdx.x], x + 4 * threadIdx.x);
  spak::cp_async_commit();
  for (int k = 0; k < 2; ++k) {
    if (k == 0) spak::cp_async_wait<1>();
    else spak::cp_async_wait<0>();
    const uint32_t* mine = &stage[k][4 * threadIdx.x];
    const uint32_t a[4] = {mine[0], mine[1], mine[2], mine[3]}, b[2] = {mine[0], mine[1]};
    spak::mma_bf16(d, a, b);
  }
  for (int i = 0; i < 4; ++i) y[4 * threadIdx.x + i] = d[i];
}
