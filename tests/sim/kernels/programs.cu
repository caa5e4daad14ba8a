// Small real kernels: correct ones, and twins with one planted defect.
#include <spak/cuda/all.h>

constexpr int TILE = 16;

#define TILED_MATMUL(name, SYNC_READ, SYNC_WRITE)                                                                 \
  template <typename T>                                                                                           \
  __device__ void name(const T* a, const T* b, float* c, long long m, long long n, long long k, T (&ta)[TILE][TILE], \
                       T (&tb)[TILE][TILE + 1]) {                                                                 \
    const long long row = spak::global_y(), column = spak::global_x();                                            \
    float sum = 0.0f;                                                                                             \
    for (long long k0 = 0; k0 < k; k0 += TILE) {                                                                  \
      const long long ka = k0 + threadIdx.x, kb = k0 + threadIdx.y;                                               \
      ta[threadIdx.y][threadIdx.x] = row < m && ka < k ? a[row * k + ka] : T(0.0f);                               \
      tb[threadIdx.y][threadIdx.x] = kb < k && column < n ? b[kb * n + column] : T(0.0f);                         \
      SYNC_READ;                                                                                                  \
      for (int i = 0; i < TILE; ++i)                                                                              \
        sum += spak::to_float(ta[threadIdx.y][i]) * spak::to_float(tb[i][threadIdx.x]);                           \
      SYNC_WRITE;                                                                                                 \
    }                                                                                                             \
    if (row < m && column < n) c[row * n + column] = sum;                                                         \
  }
TILED_MATMUL(multiply, __syncthreads(), __syncthreads())
TILED_MATMUL(multiply_early_read, , __syncthreads())
TILED_MATMUL(multiply_early_write, __syncthreads(), )

extern "C" __global__ void __launch_bounds__(TILE * TILE) matmul(const float* a, const float* b, float* c, long long m, long long n, long long k) {
  __shared__ float ta[TILE][TILE];
  __shared__ float tb[TILE][TILE + 1];
  multiply(a, b, c, m, n, k, ta, tb);
}
extern "C" __global__ void matmul_f16(const __half* a, const __half* b, float* c, long long m, long long n, long long k) {
  __shared__ __half ta[TILE][TILE], tb[TILE][TILE + 1];
  multiply(a, b, c, m, n, k, ta, tb);
}
extern "C" __global__ void matmul_bf16(const __nv_bfloat16* a, const __nv_bfloat16* b, float* c, long long m, long long n, long long k) {
  __shared__ __nv_bfloat16 ta[TILE][TILE], tb[TILE][TILE + 1];
  multiply(a, b, c, m, n, k, ta, tb);
}
extern "C" __global__ void matmul_early_read(const float* a, const float* b, float* c, long long m, long long n, long long k) {
  __shared__ float ta[TILE][TILE];
  __shared__ float tb[TILE][TILE + 1];
  multiply_early_read(a, b, c, m, n, k, ta, tb);
}
extern "C" __global__ void matmul_early_write(const float* a, const float* b, float* c, long long m, long long n, long long k) {
  __shared__ float ta[TILE][TILE];
  __shared__ float tb[TILE][TILE + 1];
  multiply_early_write(a, b, c, m, n, k, ta, tb);
}

// One block a row.
extern "C" __global__ void softmax(const float* x, float* y, long long columns) {
  x += blockIdx.x * columns;
  y += blockIdx.x * columns;
  float top = spak::lowest<float>();
  for (long long i = threadIdx.x; i < columns; i += blockDim.x) top = fmaxf(top, x[i]);
  top = spak::block_max(top, spak::lowest<float>());
  float sum = 0.0f;
  for (long long i = threadIdx.x; i < columns; i += blockDim.x) sum += __expf(x[i] - top);
  sum = spak::block_sum(sum);
  for (long long i = threadIdx.x; i < columns; i += blockDim.x) y[i] = __fdividef(__expf(x[i] - top), sum);
}

// Dynamic shared memory, one block of any size: out[i] = x[n - 1 - i].
extern "C" __global__ void reverse(const double* x, double* out, long long n) {
  extern __shared__ __align__(128) double staged[];
  for (long long i = threadIdx.x; i < n; i += blockDim.x) staged[i] = x[i];
  __syncthreads();
  for (long long i = threadIdx.x; i < n; i += blockDim.x) out[i] = staged[n - 1 - i];
}

extern "C" __global__ void transpose(const float* x, float* y, long long rows, long long columns) {
  __shared__ float tile[32][33];
  for (int i = threadIdx.y; i < 32; i += blockDim.y) {
    const long long r = static_cast<long long>(blockIdx.y) * 32 + i, c = spak::global_x();
    if (r < rows && c < columns) tile[i][threadIdx.x] = x[r * columns + c];
  }
  __syncthreads();
  for (int i = threadIdx.y; i < 32; i += blockDim.y) {
    const long long r = static_cast<long long>(blockIdx.x) * 32 + i, c = static_cast<long long>(blockIdx.y) * 32 + threadIdx.x;
    if (r < columns && c < rows) y[r * rows + c] = tile[threadIdx.x][i];
  }
}

extern "C" __global__ void histogram(const int* x, unsigned* bins, long long n) {
  __shared__ unsigned mine[64];
  for (int i = threadIdx.x; i < 64; i += blockDim.x) mine[i] = 0;
  __syncthreads();
  for (long long i = spak::global_x(); i < n; i += spak::grid_x()) atomicAdd(&mine[x[i] & 63], 1u);
  __syncthreads();
  for (int i = threadIdx.x; i < 64; i += blockDim.x) atomicAdd(&bins[i], mine[i]);
}

// A race that a forward order hides: thread t reads what thread t - 1 writes, with no barrier between.
extern "C" __global__ void neighbour(const float* x, float* y) {
  __shared__ float s[64];
  s[threadIdx.x] = x[threadIdx.x];
  y[threadIdx.x] = threadIdx.x ? s[threadIdx.x - 1] : 0.0f;
}

// Fills bytes; the second does its arithmetic in 32 bits.
extern "C" __global__ void mark(unsigned char* x, long long n) {
  const long long i = spak::global_x();
  if (i < n) x[i] = 1;
}
extern "C" __global__ void mark_wraps(unsigned char* x, long long n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] = 1;
}

// A lock that threads of one block fight for, and a flag that block 1 waits for block 0 to set.
extern "C" __global__ void spin_lock(int* lock, int* counter) {
  for (bool done = false; !done;) {
    if (atomicCAS(lock, 0, 1) == 0) {
      *counter += 1;
      __threadfence();
      atomicExch(lock, 0);
      done = true;
    }
  }
}
extern "C" __global__ void wait_for_thread(int* flag, int* out) {
  if (threadIdx.x == 0) {
    while (atomicAdd(flag, 0) == 0) {}
    *out = 7;
  }
  if (threadIdx.x == 63) atomicExch(flag, 1);
}
