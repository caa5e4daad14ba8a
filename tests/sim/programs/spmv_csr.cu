// Sparse matrix times vector in CSR: a thread a row, and a warp a row with a shuffle reduction.
#include <cuda_runtime.h>

#include <cmath>
#include <cstdio>
#include <vector>

struct CsrMatrix {
  int rows;
  std::vector<int> offsets, columns;
  std::vector<double> values;
};

template <typename Index, typename Value>
__global__ void spmv_scalar(Index rows, const Index* __restrict__ offsets, const Index* __restrict__ columns, const Value* __restrict__ values, const Value* __restrict__ x, Value* __restrict__ y) {
  for (Index row = blockIdx.x * blockDim.x + threadIdx.x; row < rows; row += gridDim.x * blockDim.x) {
    Value sum = 0;
    for (Index k = offsets[row]; k < offsets[row + 1]; ++k) sum += values[k] * x[columns[k]];
    y[row] = sum;
  }
}

template <typename Index, typename Value>
__global__ void spmv_vector(Index rows, const Index* offsets, const Index* columns, const Value* values, const Value* x, Value* y) {
  const int lane = threadIdx.x & 31;
  const Index row = (blockIdx.x * blockDim.x + threadIdx.x) / 32;
  if (row >= rows) return;
  Value sum = 0;
  for (Index k = offsets[row] + lane; k < offsets[row + 1]; k += 32) sum += values[k] * __ldg(x + columns[k]);
  for (int offset = 16; offset > 0; offset /= 2) sum += __shfl_down_sync(0xffffffffu, sum, offset);
  if (lane == 0) y[row] = sum;
}

template <typename T>
T* upload(const std::vector<T>& v) {
  T* p;
  if (cudaMalloc(&p, v.size() * sizeof(T)) != cudaSuccess) std::exit(3);
  cudaMemcpy(p, v.data(), v.size() * sizeof(T), cudaMemcpyHostToDevice);
  return p;
}

int main() {
  CsrMatrix m{60};
  m.offsets.push_back(0);
  for (int r = 0; r < m.rows; ++r) {
    for (int k = 0; k < r % 41; ++k) m.columns.push_back((r * 17 + k * 5) % m.rows), m.values.push_back(0.5 + (r ^ k) % 8);
    m.offsets.push_back((int)m.columns.size());
  }
  std::vector<double> x(m.rows), y(m.rows);
  for (int i = 0; i < m.rows; ++i) x[i] = 1.0 - 0.125 * (i % 9);
  int *offsets = upload(m.offsets), *columns = upload(m.columns);
  double *values = upload(m.values), *dx = upload(x), *dy = upload(y);
  for (bool vector : {false, true}) {
    cudaMemset(dy, 0xff, m.rows * sizeof(double));
    if (vector) spmv_vector<<<(m.rows + 3) / 4, 128>>>(m.rows, offsets, columns, values, dx, dy);
    else spmv_scalar<<<1, 32>>>(m.rows, offsets, columns, values, dx, dy);
    if (cudaMemcpy(y.data(), dy, m.rows * sizeof(double), cudaMemcpyDeviceToHost) != cudaSuccess) return 2;
    for (int r = 0; r < m.rows; ++r) {
      double sum = 0;
      for (int k = m.offsets[r]; k < m.offsets[r + 1]; ++k) sum += m.values[k] * x[m.columns[k]];
      if (std::fabs(sum - y[r]) > 1e-12 * (1 + std::fabs(sum))) return std::printf("row %d: %f %f\n", r, y[r], sum), 1;
    }
  }
  for (void* p : {(void*)offsets, (void*)columns, (void*)values, (void*)dx, (void*)dy}) cudaFree(p);
  return 0;
}
