// Matrix transposes over pitched memory: naive, through shared memory, with padding against bank conflicts.
#include <cuda_runtime.h>
#include <stdio.h>
#include <vector>

const int TILE_DIM = 32;
const int BLOCK_ROWS = 8;

__global__ void transposeNaive(float *odata, size_t opitch, const float *idata, size_t ipitch, int width, int height) {
  int x = blockIdx.x * TILE_DIM + threadIdx.x;
  int y = blockIdx.y * TILE_DIM + threadIdx.y;
  for (int j = 0; j < TILE_DIM; j += BLOCK_ROWS)
    if (x < width && y + j < height)
      *((float *)((char *)odata + x * opitch) + y + j) = *((const float *)((const char *)idata + (y + j) * ipitch) + x);
}

template <int Pad>
__global__ void transposeTiled(float *odata, size_t opitch, const float *idata, size_t ipitch, int width, int height) {
  __shared__ float tile[TILE_DIM][TILE_DIM + Pad];
  int x = blockIdx.x * TILE_DIM + threadIdx.x;
  int y = blockIdx.y * TILE_DIM + threadIdx.y;
  const int istride = ipitch / sizeof(float), ostride = opitch / sizeof(float);
  for (int j = 0; j < TILE_DIM; j += BLOCK_ROWS)
    if (x < width && y + j < height) tile[threadIdx.y + j][threadIdx.x] = idata[(y + j) * istride + x];
  __syncthreads();
  x = blockIdx.y * TILE_DIM + threadIdx.x;
  y = blockIdx.x * TILE_DIM + threadIdx.y;
  for (int j = 0; j < TILE_DIM; j += BLOCK_ROWS)
    if (x < height && y + j < width) odata[(y + j) * ostride + x] = tile[threadIdx.x][threadIdx.y + j];
}

int main() {
  const int width = 70, height = 45;
  std::vector<float> in(width * height), out(width * height);
  for (size_t i = 0; i < in.size(); i++) in[i] = 0.5f * i;
  float *d_in, *d_out;
  size_t ipitch, opitch;
  cudaMallocPitch(&d_in, &ipitch, width * sizeof(float), height);
  cudaMallocPitch((void **)&d_out, &opitch, height * sizeof(float), width);
  cudaMemcpy2D(d_in, ipitch, in.data(), width * sizeof(float), width * sizeof(float), height, cudaMemcpyHostToDevice);
  dim3 grid((width + TILE_DIM - 1) / TILE_DIM, (height + TILE_DIM - 1) / TILE_DIM), threads(TILE_DIM, BLOCK_ROWS);
  void (*kernels[])(float *, size_t, const float *, size_t, int, int) = {transposeNaive, transposeTiled<0>, transposeTiled<1>};
  for (auto kernel : kernels) {
    cudaMemset2D(d_out, opitch, 0xff, height * sizeof(float), width);
    kernel<<<grid, threads>>>(d_out, opitch, d_in, ipitch, width, height);
    cudaMemcpy2D(out.data(), height * sizeof(float), d_out, opitch, height * sizeof(float), width, cudaMemcpyDeviceToHost);
    for (int y = 0; y < height; y++)
      for (int x = 0; x < width; x++)
        if (out[x * height + y] != in[y * width + x]) {
          fprintf(stderr, "(%d,%d): %f\n", x, y, out[x * height + y]);
          return 1;
        }
  }
  cudaFree(d_in);
  cudaFree(d_out);
  puts("Test passed");
  return 0;
}
