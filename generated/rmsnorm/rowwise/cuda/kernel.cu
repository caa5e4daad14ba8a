#include <spak/cuda/block.h>
#include <spak/cuda/vec.h>

namespace {

__device__ __forceinline__ double square(float v) { return static_cast<double>(v) * static_cast<double>(v); }

// Rows blockIdx.x, blockIdx.x + gridDim.x, ..., WIDTH elements an access: every row and the weight are aligned to it.
template <int WIDTH>
__device__ __forceinline__ void normalize(const float* __restrict__ x, const float* __restrict__ weight, float eps, float* __restrict__ y,
                                          long long M, long long N) {
  const long long first = static_cast<long long>(threadIdx.x) * WIDTH;
  for (long long i = blockIdx.x; i < M; i += gridDim.x) {
    const float* row = x + i * N;
    float* out = y + i * N;
    double sum = 0.0;
    for (long long j = first; j < N; j += THREADS * WIDTH) {
      const auto v = spak::load<WIDTH>(row + j);
#pragma unroll
      for (int s = 0; s < WIDTH; ++s) {
        sum += square(v[s]);
      }
    }
    const double mean = spak::block_sum(sum) / static_cast<double>(N);
    const float rms = static_cast<float>(sqrt(mean + static_cast<double>(eps)));
    for (long long j = first; j < N; j += THREADS * WIDTH) {
      auto v = spak::load<WIDTH>(row + j);
      const auto w = spak::load<WIDTH>(weight + j);
#pragma unroll
      for (int s = 0; s < WIDTH; ++s) {
        v[s] = v[s] / rms * w[s];
      }
      spak::store(out + j, v);
    }
  }
}

}  // namespace

extern "C" __global__ void __launch_bounds__(THREADS)
rmsnorm_rowwise(const float* __restrict__ x, const float* __restrict__ weight, float eps, float* __restrict__ y, long long M, long long N) {
  if (N % 4 == 0 && spak::is_aligned<4>(x) && spak::is_aligned<4>(weight) && spak::is_aligned<4>(y)) {
    normalize<4>(x, weight, eps, y, M, N);
  } else {
    normalize<1>(x, weight, eps, y, M, N);
  }
}
