// What the runtime API answers to misuse: one case for each number on the command line.
#include <cooperative_groups.h>
#include <cuda_runtime.h>
#include <stdio.h>
#include <stdlib.h>

#define SHOW(x) printf("%s\n", cudaGetErrorName(x))

__global__ void fill(int* p, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) p[i] = i;
}
__global__ void __launch_bounds__(64) bounded(int* p) { p[threadIdx.x] = 1; }
__global__ void dynamic(int* p) {
  extern __shared__ int s[];
  s[threadIdx.x] = 1;
  p[threadIdx.x] = s[threadIdx.x];
}
__global__ void failing(int* p) {
  assert(p == nullptr);
}
__global__ void heap(int* p, int what) {
  int* mine = (int*)malloc(16);
  mine[what == 27 ? 4 : 0] = 1;
  free(mine);
  if (what == 28) p[0] = mine[0];
  if (what == 29) free(mine);
  if (what == 30) free(p);
  if (what == 31) delete p;
  int* array = new int[2];
  if (what == 32) p[0] = array[1];
  delete[] array;
}
__global__ void half_a_tile() {
  auto tile = cooperative_groups::tiled_partition<64>(cooperative_groups::this_thread_block());
  if (threadIdx.x % 64 < 32) tile.sync();
}
__constant__ int table[4];

int main(int argc, char** argv) {
  int *d, *e, h[64] = {0};
  cudaStream_t a, b;
  cudaEvent_t event;
  cudaMalloc(&d, 64 * sizeof(int));
  cudaMalloc(&e, 64 * sizeof(int));
  switch (atoi(argv[1])) {
    case 0: SHOW(cudaMemcpy(h, d, 65 * sizeof(int), cudaMemcpyDeviceToHost)); break;
    case 1: SHOW(cudaMemcpy(h, d, 64, cudaMemcpyHostToDevice)); break;
    case 2: SHOW(cudaFree(d)); SHOW(cudaFree(d)); break;
    case 3: SHOW(cudaFree(h)); break;
    case 4: SHOW(cudaFree(d + 1)); break;
    case 5: fill<<<1, 1025>>>(d, 64); SHOW(cudaGetLastError()); SHOW(cudaGetLastError()); break;
    case 6: fill<<<0, 32>>>(d, 64); SHOW(cudaPeekAtLastError()); SHOW(cudaGetLastError()); break;
    case 7: bounded<<<1, 128>>>(d); SHOW(cudaGetLastError()); break;
    case 8: dynamic<<<1, 32, 49153>>>(d); SHOW(cudaGetLastError()); break;
    case 9: SHOW(cudaFuncSetAttribute(dynamic, cudaFuncAttributeMaxDynamicSharedMemorySize, 300000)); break;
    case 10: failing<<<1, 32>>>(d); SHOW(cudaDeviceSynchronize()); SHOW(cudaMalloc(&d, 4)); SHOW(cudaDeviceReset()); SHOW(cudaMalloc(&d, 4)); break;
    case 11: SHOW(cudaMemcpyToSymbol(table, h, 20)); break;
    case 12: SHOW(cudaStreamCreate(&a)); SHOW(cudaStreamDestroy(a)); SHOW(cudaStreamSynchronize(a)); break;
    case 13: cudaEventCreate(&event); { float ms; SHOW(cudaEventElapsedTime(&ms, event, event)); } break;
    case 14: cudaFree(d); fill<<<1, 64>>>(d, 64); SHOW(cudaDeviceSynchronize()); break;
    case 15: SHOW(cudaMemcpy2D(h, 4, d, 32, 16, 2, cudaMemcpyDeviceToHost)); break;
    case 16: SHOW(cudaMemset(h, 0, 4)); break;
    case 17: SHOW(cudaSetDevice(3)); break;
    case 18: { int* big; SHOW(cudaMalloc(&big, (size_t)1 << 50)); } break;
    case 19: { cudaTextureObject_t t; SHOW(cudaCreateTextureObject(&t, nullptr, nullptr, nullptr)); } break;
    case 20: fill<<<1, 64>>>((int*)malloc(64 * sizeof(int)), 64); SHOW(cudaDeviceSynchronize()); break;
    case 21: cudaMemset(d, 0, 64 * sizeof(int)); d[3] = 7; break;
    case 22: {
      cudaStreamCreateWithFlags(&a, cudaStreamNonBlocking);
      cudaStreamCreateWithFlags(&b, cudaStreamNonBlocking);
      int* pinned;
      cudaMallocHost(&pinned, 64 * sizeof(int));
      for (int i = 0; i < 64; ++i) pinned[i] = -1;
      fill<<<1, 64, 0, a>>>(d, 64);
      cudaMemcpyAsync(pinned, d, 64 * sizeof(int), cudaMemcpyDeviceToHost, argc > 2 ? b : a);
      if (argc > 2) cudaStreamSynchronize(b);
      printf("%d\n", pinned[5]);
      cudaStreamSynchronize(a);
      printf("%d\n", pinned[5]);
      break;
    }
    case 23: fill(d, 64); SHOW(cudaGetLastError()); break;
    case 26: SHOW(cudaMemcpyPeer(d, 1, d, 0, 4)); break;
    case 27: case 28: case 29: case 30: case 31: case 32: heap<<<1, 1>>>(d, atoi(argv[1])); SHOW(cudaDeviceSynchronize()); break;
    case 33: half_a_tile<<<1, 128>>>(); SHOW(cudaDeviceSynchronize()); break;
    case 24: {
      cudaGraph_t graph;
      cudaStreamCreate(&a);
      SHOW(cudaStreamBeginCapture(a, cudaStreamCaptureModeGlobal));
      SHOW(cudaStreamSynchronize(a));
      SHOW(cudaStreamEndCapture(a, &graph));
      SHOW(cudaStreamBeginCapture(0, cudaStreamCaptureModeGlobal));
      break;
    }
    case 25: {
      fill<<<2, 64>>>(d, 100);
      SHOW(cudaDeviceSynchronize());
      break;
    }
  }
  return 0;
}
