// Conway's Game of Life on a torus; managed memory, device functions, several generations.
#include <cstdio>
#include <cstdlib>
#include <string>

#define gpuErrchk(ans) { gpuAssert((ans), __FILE__, __LINE__); }
inline void gpuAssert(cudaError_t code, const char *file, int line, bool abort = true) {
  if (code != cudaSuccess) {
    fprintf(stderr, "GPUassert: %s %s %d\n", cudaGetErrorString(code), file, line);
    if (abort) exit(code);
  }
}

typedef unsigned char ubyte;

__host__ __device__ inline int alive(const ubyte *world, int x, int y, int w, int h) { return world[((y + h) % h) * w + (x + w) % w]; }

__host__ __device__ inline ubyte rule(const ubyte *world, int x, int y, int w, int h) {
  int n = 0;
  for (int dy = -1; dy <= 1; dy++)
    for (int dx = -1; dx <= 1; dx++)
      if (dx || dy) n += alive(world, x + dx, y + dy, w, h);
  return n == 3 || (n == 2 && alive(world, x, y, w, h));
}

__global__ void generation(const ubyte *now, ubyte *next, int w, int h) {
  for (int cell = blockIdx.x * blockDim.x + threadIdx.x; cell < w * h; cell += blockDim.x * gridDim.x) next[cell] = rule(now, cell % w, cell / w, w, h);
}

int main() {
  const int w = 24, h = 18, generations = 6;
  ubyte *a, *b;
  gpuErrchk(cudaMallocManaged(&a, w * h));
  gpuErrchk(cudaMallocManaged((void **)&b, w * h));
  std::string cpu(w * h, 0), next = cpu;
  srand(1);
  for (int i = 0; i < w * h; i++) a[i] = cpu[i] = rand() % 3 == 0;
  int device = 0;
  gpuErrchk(cudaGetDevice(&device));
  gpuErrchk(cudaMemPrefetchAsync(a, w * h, device, NULL));
  for (int g = 0; g < generations; g++) {
    generation<<<3, 64>>>(a, b, w, h);
    gpuErrchk(cudaPeekAtLastError());
    std::swap(a, b);
    for (int i = 0; i < w * h; i++) next[i] = rule((const ubyte *)cpu.data(), i % w, i / w, w, h);
    std::swap(cpu, next);
  }
  gpuErrchk(cudaDeviceSynchronize());
  int different = 0;
  for (int i = 0; i < w * h; i++) different += a[i] != (ubyte)cpu[i];
  gpuErrchk(cudaFree(a));
  gpuErrchk(cudaFree(b));
  return different != 0;
}
