// 7-point stencil in three dimensions that marches along z with planes in registers; 3D extents and pitched pointers.
#include <cuda_runtime.h>
#include <cstdio>
#include <cstring>
#include <vector>

template <int TX, int TY>
__global__ void laplace(cudaPitchedPtr in, cudaPitchedPtr out, int nx, int ny, int nz) {
  __shared__ float plane[TY + 2][TX + 2];
  const int x = blockIdx.x * TX + threadIdx.x + 1, y = blockIdx.y * TY + threadIdx.y + 1;
  const size_t row = in.pitch, slice = in.pitch * in.ysize;
  const char* base = static_cast<const char*>(in.ptr);
  const bool active = x < nx - 1 && y < ny - 1;
  auto load = [&](int i, int j, int k) { return reinterpret_cast<const float*>(base + k * slice + j * row)[i]; };
  float below = active ? load(x, y, 0) : 0, centre = active ? load(x, y, 1) : 0;
  for (int z = 1; z < nz - 1; ++z) {
    const float above = active ? load(x, y, z + 1) : 0;
    if (active) {
      plane[threadIdx.y + 1][threadIdx.x + 1] = centre;
      if (threadIdx.x == 0) plane[threadIdx.y + 1][0] = load(x - 1, y, z);
      if (threadIdx.x == TX - 1 || x == nx - 2) plane[threadIdx.y + 1][threadIdx.x + 2] = load(x + 1, y, z);
      if (threadIdx.y == 0) plane[0][threadIdx.x + 1] = load(x, y - 1, z);
      if (threadIdx.y == TY - 1 || y == ny - 2) plane[threadIdx.y + 2][threadIdx.x + 1] = load(x, y + 1, z);
    }
    __syncthreads();
    if (active) {
      const auto& p = plane;
      const int i = threadIdx.x + 1, j = threadIdx.y + 1;
      reinterpret_cast<float*>(static_cast<char*>(out.ptr) + z * slice + y * row)[x] =
          p[j][i - 1] + p[j][i + 1] + p[j - 1][i] + p[j + 1][i] + below + above - 6.0f * centre;
    }
    __syncthreads();
    below = centre;
    centre = above;
  }
}

int main() {
  const int nx = 22, ny = 11, nz = 6;
  std::vector<float> h(nx * ny * nz), r(h.size(), 0.0f);
  for (size_t i = 0; i < h.size(); ++i) h[i] = float((i * 31) % 64);
  const cudaExtent extent = make_cudaExtent(nx * sizeof(float), ny, nz);
  cudaPitchedPtr in, out;
  if (cudaMalloc3D(&in, extent) != cudaSuccess || cudaMalloc3D(&out, extent) != cudaSuccess) return 2;
  cudaMemcpy3DParms p = {};
  p.srcPtr = make_cudaPitchedPtr(h.data(), nx * sizeof(float), nx, ny);
  p.dstPtr = in;
  p.extent = extent;
  p.kind = cudaMemcpyHostToDevice;
  cudaMemcpy3D(&p);
  cudaMemset3D(out, 0, extent);
  laplace<8, 4><<<dim3((nx - 2 + 7) / 8, (ny - 2 + 3) / 4), dim3(8, 4)>>>(in, out, nx, ny, nz);
  std::memset(&p, 0, sizeof p);
  p.srcPtr = out;
  p.dstPtr = make_cudaPitchedPtr(r.data(), nx * sizeof(float), nx, ny);
  p.extent = extent;
  p.kind = cudaMemcpyDeviceToHost;
  if (cudaMemcpy3D(&p) != cudaSuccess) return 3;
  auto at = [&](int x, int y, int z) { return h[(z * ny + y) * nx + x]; };
  for (int z = 0; z < nz; ++z)
    for (int y = 0; y < ny; ++y)
      for (int x = 0; x < nx; ++x) {
        const bool inner = x && y && z && x < nx - 1 && y < ny - 1 && z < nz - 1;
        const float expected = inner ? at(x - 1, y, z) + at(x + 1, y, z) + at(x, y - 1, z) + at(x, y + 1, z) + at(x, y, z - 1) + at(x, y, z + 1) - 6 * at(x, y, z) : 0;
        if (r[(z * ny + y) * nx + x] != expected) return std::printf("(%d,%d,%d) %g %g\n", x, y, z, r[(z * ny + y) * nx + x], expected), 1;
      }
  cudaFree(in.ptr);
  cudaFree(out.ptr);
  return 0;
}
