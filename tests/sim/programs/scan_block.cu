// Exclusive and inclusive prefix sums of one block: Hillis-Steele with two buffers, Blelloch with padding.
#include <stdio.h>
#include <stdlib.h>
#include <cuda_runtime.h>

#define N 512
#define NUM_BANKS 32
#define LOG_NUM_BANKS 5
#define CONFLICT_FREE_OFFSET(n) ((n) >> LOG_NUM_BANKS)

__global__ void scan_hillis_steele(float *g_odata, float *g_idata, int n) {
  extern __shared__ float temp[];
  int thid = threadIdx.x;
  int pout = 0, pin = 1;
  temp[pout * n + thid] = (thid > 0) ? g_idata[thid - 1] : 0;
  __syncthreads();
  for (int offset = 1; offset < n; offset *= 2) {
    pout = 1 - pout;
    pin = 1 - pout;
    if (thid >= offset)
      temp[pout * n + thid] = temp[pin * n + thid] + temp[pin * n + thid - offset];
    else
      temp[pout * n + thid] = temp[pin * n + thid];
    __syncthreads();
  }
  g_odata[thid] = temp[pout * n + thid];
}

__global__ void scan_blelloch(float *g_odata, float *g_idata, int n) {
  __shared__ float temp[N + (N >> LOG_NUM_BANKS) + 1];
  int thid = threadIdx.x;
  int offset = 1;
  int ai = thid, bi = thid + n / 2;
  int bankOffsetA = CONFLICT_FREE_OFFSET(ai), bankOffsetB = CONFLICT_FREE_OFFSET(bi);
  temp[ai + bankOffsetA] = g_idata[ai];
  temp[bi + bankOffsetB] = g_idata[bi];
  for (int d = n >> 1; d > 0; d >>= 1) {
    __syncthreads();
    if (thid < d) {
      int ai = offset * (2 * thid + 1) - 1;
      int bi = offset * (2 * thid + 2) - 1;
      ai += CONFLICT_FREE_OFFSET(ai);
      bi += CONFLICT_FREE_OFFSET(bi);
      temp[bi] += temp[ai];
    }
    offset *= 2;
  }
  if (thid == 0) temp[n - 1 + CONFLICT_FREE_OFFSET(n - 1)] = 0;
  for (int d = 1; d < n; d *= 2) {
    offset >>= 1;
    __syncthreads();
    if (thid < d) {
      int ai = offset * (2 * thid + 1) - 1;
      int bi = offset * (2 * thid + 2) - 1;
      ai += CONFLICT_FREE_OFFSET(ai);
      bi += CONFLICT_FREE_OFFSET(bi);
      float t = temp[ai];
      temp[ai] = temp[bi];
      temp[bi] += t;
    }
  }
  __syncthreads();
  g_odata[ai] = temp[ai + bankOffsetA];
  g_odata[bi] = temp[bi + bankOffsetB];
}

// Warp shuffles, then the warps' totals.
__global__ void scan_warps(const int *in, int *out) {
  __shared__ int totals[32];
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  int x = in[threadIdx.x];
#pragma unroll
  for (int d = 1; d < 32; d <<= 1) {
    int y = __shfl_up_sync(~0u, x, d);
    if (lane >= d) x += y;
  }
  if (lane == 31) totals[warp] = x;
  __syncthreads();
  if (warp == 0) {
    int t = lane < (int)(blockDim.x >> 5) ? totals[lane] : 0;
    for (int d = 1; d < 32; d <<= 1) {
      int y = __shfl_up_sync(~0u, t, d);
      if (lane >= d) t += y;
    }
    totals[lane] = t;
  }
  __syncthreads();
  out[threadIdx.x] = x + (warp ? totals[warp - 1] : 0);
}

int main(void) {
  float h[N], r[N];
  int hi[N], ri[N];
  for (int i = 0; i < N; i++) { h[i] = (float)(rand() % 10); hi[i] = (int)h[i]; }
  float *d_in, *d_out;
  cudaMalloc((void **)&d_in, sizeof(h));
  cudaMalloc((void **)&d_out, sizeof(h));
  cudaMemcpy(d_in, h, sizeof(h), cudaMemcpyHostToDevice);
  int bad = 0;
  for (int which = 0; which < 2; which++) {
    cudaMemset(d_out, 0, sizeof(h));
    if (which == 0) scan_hillis_steele<<<1, N, 2 * N * sizeof(float)>>>(d_out, d_in, N);
    else scan_blelloch<<<1, N / 2>>>(d_out, d_in, N);
    cudaMemcpy(r, d_out, sizeof(r), cudaMemcpyDeviceToHost);
    float sum = 0;
    for (int i = 0; i < N; i++) { if (r[i] != sum) bad++; sum += h[i]; }
  }
  cudaMemcpy(d_in, hi, sizeof(hi), cudaMemcpyHostToDevice);
  scan_warps<<<1, N>>>((int *)d_in, (int *)d_out);
  cudaMemcpy(ri, d_out, sizeof(ri), cudaMemcpyDeviceToHost);
  for (int i = 0, sum = 0; i < N; i++) { sum += hi[i]; if (ri[i] != sum) bad++; }
  cudaFree(d_in);
  cudaFree(d_out);
  if (bad) printf("%d wrong\n", bad);
  return bad != 0;
}
