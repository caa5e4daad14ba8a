// Pi by darts: a generator of its own for each thread, doubles and 64-bit counters added atomically.
#include <cmath>
#include <cstdint>
#include <cstdio>

class Philox {
 public:
  __host__ __device__ Philox(uint32_t seed, uint32_t stream) : key_{seed, 0xCAFE}, counter_{0, stream} {}
  __host__ __device__ float2 next() {
    uint32_t c0 = counter_[0]++, c1 = counter_[1], k = key_[0];
    for (int round = 0; round < 10; ++round) {
      const uint64_t product = 0xD256D193ull * c0;
      c0 = static_cast<uint32_t>(product >> 32) ^ k ^ c1;
      c1 = static_cast<uint32_t>(product);
      k += 0x9E3779B9u;
    }
    return float2{c0 * 0x1p-32f, c1 * 0x1p-32f};
  }

 private:
  uint32_t key_[2], counter_[2];
};

__managed__ unsigned long long total_hits;

__global__ void darts(uint32_t seed, int per_thread, double* sum_of_squares) {
  const int id = threadIdx.x + blockIdx.x * blockDim.x;
  Philox random(seed, id);
  unsigned long long hits = 0;
  double squares = 0;
  for (int i = 0; i < per_thread; ++i) {
    const float2 p = random.next();
    const float r2 = p.x * p.x + p.y * p.y;
    hits += r2 <= 1.0f;
    squares += r2;
  }
  for (int offset = warpSize / 2; offset > 0; offset >>= 1) {
    hits += __shfl_down_sync(0xffffffffu, hits, offset);
    squares += __shfl_down_sync(0xffffffffu, squares, offset);
  }
  if (threadIdx.x % warpSize == 0) {
    atomicAdd(&total_hits, hits);
    atomicAdd(sum_of_squares, squares);
  }
}

int main() {
  const int blocks = 4, threads = 64, per_thread = 50;
  double *sum, host_sum = 0;
  cudaMalloc(&sum, sizeof *sum);
  cudaMemset(sum, 0, sizeof *sum);
  total_hits = 0;
  darts<<<blocks, threads>>>(1234u, per_thread, sum);
  if (cudaError_t e = cudaDeviceSynchronize()) return std::printf("%s\n", cudaGetErrorString(e)), 2;
  cudaMemcpy(&host_sum, sum, sizeof host_sum, cudaMemcpyDeviceToHost);
  unsigned long long hits = 0;
  double squares = 0;
  for (int id = 0; id < blocks * threads; ++id) {
    Philox random(1234u, id);
    for (int i = 0; i < per_thread; ++i) {
      const float2 p = random.next();
      hits += p.x * p.x + p.y * p.y <= 1.0f;
      squares += p.x * p.x + p.y * p.y;
    }
  }
  const double pi = 4.0 * total_hits / (blocks * threads * per_thread);
  std::printf("pi is about %.3f\n", pi);
  cudaFree(sum);
  return hits == total_hits && std::fabs(host_sum - squares) < 1e-6 * squares && std::fabs(pi - 3.14159) < 0.1 ? 0 : 1;
}
