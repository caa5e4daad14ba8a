// Histogram of bytes: global atomics, shared privatised bins, one private copy a warp.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#define BINS 64

__global__ void histo_global(const unsigned char* data, int n, unsigned int* bins) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += blockDim.x * gridDim.x) atomicAdd(&bins[data[i] % BINS], 1);
}

__global__ void histo_shared(const unsigned char* data, int n, unsigned int* bins) {
  __shared__ unsigned int local[BINS];
  for (int b = threadIdx.x; b < BINS; b += blockDim.x) local[b] = 0;
  __syncthreads();
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += blockDim.x * gridDim.x) atomicAdd(local + data[i] % BINS, 1u);
  __syncthreads();
  for (int b = threadIdx.x; b < BINS; b += blockDim.x)
    if (local[b]) atomicAdd(&bins[b], local[b]);
}

__global__ void histo_warps(const uchar4* __restrict__ data, int n4, unsigned int* bins) {
  __shared__ unsigned short local[4][BINS + 1];
  const int warp = threadIdx.x / warpSize, lane = threadIdx.x % warpSize;
  for (int b = lane; b < BINS; b += warpSize) local[warp][b] = 0;
  __syncwarp();
  for (int base = blockIdx.x * blockDim.x; base < n4; base += blockDim.x * gridDim.x) {
    const int i = base + threadIdx.x;
    uchar4 v = i < n4 ? data[i] : make_uchar4(255, 255, 255, 255);
    const unsigned char each[4] = {v.x, v.y, v.z, v.w};
    for (int k = 0; k < 4; ++k) {
      // Lanes with the same value elect one that counts for all of them.
      const int bin = i < n4 ? each[k] % BINS : -1;
      const unsigned peers = __match_any_sync(0xFFFFFFFFu, bin);
      if (bin >= 0 && lane == __ffs(peers) - 1) local[warp][bin] += __popc(peers);
      __syncwarp();
    }
  }
  __syncthreads();
  for (int b = threadIdx.x; b < BINS; b += blockDim.x) {
    unsigned sum = 0;
    for (int w = 0; w < blockDim.x / warpSize; ++w) sum += local[w][b];
    atomicAdd(&bins[b], sum);
  }
}

int main() {
  const int n = 4096;
  unsigned char* h = (unsigned char*)malloc(n);
  unsigned int expected[BINS] = {0}, got[BINS];
  srand(7);
  for (int i = 0; i < n; ++i) h[i] = rand() % 7 ? rand() : 42, expected[h[i] % BINS]++;
  unsigned char* d;
  unsigned int* bins;
  cudaMalloc(&d, n);
  cudaMalloc(&bins, sizeof got);
  cudaMemcpy(d, h, n, cudaMemcpyHostToDevice);
  for (int version = 0; version < 3; ++version) {
    cudaMemset(bins, 0, sizeof got);
    if (version == 0) histo_global<<<4, 64>>>(d, n, bins);
    if (version == 1) histo_shared<<<4, 128>>>(d, n, bins);
    if (version == 2) histo_warps<<<2, 128>>>(reinterpret_cast<const uchar4*>(d), n / 4, bins);
    cudaMemcpy(got, bins, sizeof got, cudaMemcpyDeviceToHost);
    if (memcmp(got, expected, sizeof got)) {
      printf("version %d is wrong\n", version);
      return 1;
    }
  }
  cudaFree(d);
  cudaFree(bins);
  free(h);
  return 0;
}
