// Kernels that spend their time in the engine. Knows nothing of what they are compared with.

extern "C" __global__ void barriers(int n) {
  for (int i = 0; i < n; ++i) __syncthreads();
}

extern "C" __global__ void shuffles(float* out, int n) {
  float v = threadIdx.x;
  for (int i = 0; i < n; ++i) v = __shfl_xor_sync(0xFFFFFFFFu, v, 1);
  out[threadIdx.x] = v;
}

extern "C" __global__ void empty(float* out) { out[0] = 1.0f; }

constexpr int TILE = 16;

extern "C" __global__ void matmul(const float* a, const float* b, float* c, int n) {
  __shared__ float ta[TILE][TILE], tb[TILE][TILE];
  const int row = blockIdx.y * TILE + threadIdx.y, column = blockIdx.x * TILE + threadIdx.x;
  float sum = 0.0f;
  for (int k = 0; k < n; k += TILE) {
    ta[threadIdx.y][threadIdx.x] = a[row * n + k + threadIdx.x];
    tb[threadIdx.y][threadIdx.x] = b[(k + threadIdx.y) * n + column];
    __syncthreads();
    for (int i = 0; i < TILE; ++i) sum += ta[threadIdx.y][i] * tb[i][threadIdx.x];
    __syncthreads();
  }
  c[row * n + column] = sum;
}
