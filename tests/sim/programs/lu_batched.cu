// Small dense systems, one a block: LU with partial pivoting in dynamic shared memory beyond 48 KB, Cholesky beside it.
#include <cuda_runtime.h>
#include <cmath>
#include <cstdio>
#include <vector>

extern __shared__ double shared[];

__global__ void solve_lu(const double* A, const double* b, double* x, int n) {
  double* m = shared;
  double* rhs = shared + n * n;
  __shared__ int pivot;
  A += blockIdx.x * n * n, b += blockIdx.x * n, x += blockIdx.x * n;
  for (int i = threadIdx.x; i < n * n; i += blockDim.x) m[i] = A[i];
  for (int i = threadIdx.x; i < n; i += blockDim.x) rhs[i] = b[i];
  __syncthreads();
  for (int k = 0; k < n; ++k) {
    if (threadIdx.x == 0) {
      pivot = k;
      for (int r = k + 1; r < n; ++r)
        if (fabs(m[r * n + k]) > fabs(m[pivot * n + k])) pivot = r;
    }
    __syncthreads();
    if (pivot != k) {
      for (int c = threadIdx.x; c < n; c += blockDim.x) {
        const double t = m[k * n + c];
        m[k * n + c] = m[pivot * n + c], m[pivot * n + c] = t;
      }
      if (threadIdx.x == 0) {
        const double t = rhs[k];
        rhs[k] = rhs[pivot], rhs[pivot] = t;
      }
    }
    __syncthreads();
    for (int r = k + 1 + threadIdx.x; r < n; r += blockDim.x) {
      const double f = m[r * n + k] / m[k * n + k];
      for (int c = k; c < n; ++c) m[r * n + c] -= f * m[k * n + c];
      rhs[r] -= f * rhs[k];
    }
    __syncthreads();
  }
  if (threadIdx.x == 0)
    for (int r = n - 1; r >= 0; --r) {
      double s = rhs[r];
      for (int c = r + 1; c < n; ++c) s -= m[r * n + c] * rhs[c];
      x[r] = rhs[r] = s / m[r * n + r];
    }
}

__global__ void cholesky(double* A, int n, int* failed) {
  A += blockIdx.x * n * n;
  for (int k = 0; k < n; ++k) {
    if (threadIdx.x == 0) {
      if (A[k * n + k] <= 0) atomicExch(failed, 1);
      A[k * n + k] = sqrt(A[k * n + k]);
    }
    __syncthreads();
    for (int r = k + 1 + threadIdx.x; r < n; r += blockDim.x) A[r * n + k] /= A[k * n + k];
    __syncthreads();
    for (int r = k + 1 + threadIdx.x; r < n; r += blockDim.x)
      for (int c = k + 1; c <= r; ++c) A[r * n + c] -= A[r * n + k] * A[c * n + k];
    __syncthreads();
  }
}

int main() {
  const int n = 12, batch = 2;
  std::vector<double> A(batch * n * n), b(batch * n), x(batch * n), spd(n * n), L(n * n);
  for (size_t i = 0; i < A.size(); ++i) A[i] = std::sin(1.3 * i) + (i % (n + 1) == 3 ? 2 : 0);
  for (size_t i = 0; i < b.size(); ++i) b[i] = 1.0 + i % 5;
  for (int r = 0; r < n; ++r)
    for (int c = 0; c < n; ++c) spd[r * n + c] = (r == c ? n : 0) + 1.0 / (1 + r + c);
  double *dA, *db, *dx, *ds;
  int *failed, any = -1;
  cudaMalloc(&dA, A.size() * 8), cudaMalloc(&db, b.size() * 8), cudaMalloc(&dx, x.size() * 8), cudaMalloc(&ds, spd.size() * 8), cudaMalloc(&failed, 4);
  cudaMemcpy(dA, A.data(), A.size() * 8, cudaMemcpyHostToDevice);
  cudaMemcpy(db, b.data(), b.size() * 8, cudaMemcpyHostToDevice);
  cudaMemcpy(ds, spd.data(), spd.size() * 8, cudaMemcpyHostToDevice);
  cudaMemset(failed, 0, 4);
  const int bytes = 64 * 1024;
  if (cudaFuncSetAttribute(solve_lu, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes) != cudaSuccess) return 3;
  solve_lu<<<batch, 32, bytes>>>(dA, db, dx, n);
  cholesky<<<1, 16>>>(ds, n, failed);
  cudaMemcpy(x.data(), dx, x.size() * 8, cudaMemcpyDeviceToHost);
  cudaMemcpy(L.data(), ds, L.size() * 8, cudaMemcpyDeviceToHost);
  cudaMemcpy(&any, failed, 4, cudaMemcpyDeviceToHost);
  if (cudaGetLastError() != cudaSuccess || any) return 2;
  double worst = 0;
  for (int k = 0; k < batch; ++k)
    for (int r = 0; r < n; ++r) {
      double s = -b[k * n + r];
      for (int c = 0; c < n; ++c) s += A[(k * n + r) * n + c] * x[k * n + c];
      worst = std::fmax(worst, std::fabs(s));
    }
  for (int r = 0; r < n; ++r)
    for (int c = 0; c <= r; ++c) {
      double s = -spd[r * n + c];
      for (int k = 0; k <= c; ++k) s += L[r * n + k] * L[c * n + k];
      worst = std::fmax(worst, std::fabs(s));
    }
  cudaFree(dA), cudaFree(db), cudaFree(dx), cudaFree(ds), cudaFree(failed);
  std::printf("residual %.1e\n", worst);
  return worst < 1e-9 ? 0 : 1;
}
