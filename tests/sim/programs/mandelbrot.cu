// The Mandelbrot set: one function for host and device, a 2D grid, colours as uchar4, a complex class.
#include <cuda_runtime.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>

struct cuComplexD {
  float r, i;
  __host__ __device__ cuComplexD(float a, float b) : r(a), i(b) {}
  __host__ __device__ float magnitude2() const { return r * r + i * i; }
  __host__ __device__ cuComplexD operator*(const cuComplexD& a) const { return cuComplexD(r * a.r - i * a.i, i * a.r + r * a.i); }
  __host__ __device__ cuComplexD operator+(const cuComplexD& a) const { return {r + a.r, i + a.i}; }
};

__host__ __device__ inline int escape(int x, int y, int w, int h, int limit) {
  cuComplexD c(-2.0f + 3.0f * x / w, -1.0f + 2.0f * y / h), z(0, 0);
  int n = 0;
  while (n < limit && z.magnitude2() <= 4.0f) z = z * z + c, ++n;
  return n;
}

__host__ __device__ inline uchar4 colour(int n, int limit) {
  if (n == limit) return make_uchar4(0, 0, 0, 255);
  return make_uchar4((unsigned char)(n * 8), (unsigned char)(255 - n * 4), (unsigned char)(n * n), 255);
}

__global__ void mandelbrot(uchar4* image, int w, int h, int limit) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x < w && y < h) image[y * w + x] = colour(escape(x, y, w, h, limit), limit);
}

int main(void) {
  int device = -1, count = 0;
  cudaGetDeviceCount(&count);
  cudaGetDevice(&device);
  cudaDeviceProp prop;
  if (count < 1 || cudaGetDeviceProperties(&prop, device) != cudaSuccess) {
    fprintf(stderr, "no device\n");
    return EXIT_FAILURE;
  }
  int warpSize = prop.warpSize;
  printf("%s, compute capability %d.%d, %d multiprocessors, %.1f GiB, clock %d MHz, warps of %d\n", prop.name, prop.major, prop.minor, prop.multiProcessorCount,
         prop.totalGlobalMem / 1073741824.0, prop.clockRate / 1000, warpSize);
  const int w = 50, h = 35, limit = 40;
  uchar4 *host = new uchar4[w * h], *dev;
  cudaMalloc(&dev, w * h * sizeof(uchar4));
  dim3 blockDim(8, 8), gridDim((w + blockDim.x - 1) / blockDim.x, (h + blockDim.y - 1) / blockDim.y);
  mandelbrot<<<gridDim, blockDim>>>(dev, w, h, limit);
  cudaMemcpy(host, dev, w * h * sizeof(uchar4), cudaMemcpyDeviceToHost);
  int different = 0;
  for (int y = 0; y < h; ++y)
    for (int x = 0; x < w; ++x) {
      uchar4 expected = colour(escape(x, y, w, h, limit), limit);
      different += memcmp(&expected, &host[y * w + x], sizeof expected) != 0;
    }
  cudaFree(dev);
  delete[] host;
  return different ? EXIT_FAILURE : EXIT_SUCCESS;
}
