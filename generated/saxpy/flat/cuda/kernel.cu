#include <spak/cuda/vec.h>

extern "C" __global__ void __launch_bounds__(256)
saxpy(const float* __restrict__ x, const float* __restrict__ y, float alpha, float* __restrict__ z, long long N) {
  const bool wide = spak::is_aligned<4>(x) && spak::is_aligned<4>(y) && spak::is_aligned<4>(z);
  const long long step = static_cast<long long>(gridDim.x) * 1024;
  long long i = static_cast<long long>(blockIdx.x) * 1024 + static_cast<long long>(threadIdx.x) * 4;
  for (; i < N; i += step) {
    if (wide && i + 4 <= N) {
      const auto u = spak::load<4>(x + i);
      const auto v = spak::load<4>(y + i);
      spak::Vec<float, 4> w;
#pragma unroll
      for (int s = 0; s < 4; ++s) {
        w[s] = fmaf(alpha, u[s], v[s]);
      }
      spak::store(z + i, w);
    } else {
      const long long stop = i + 4 < N ? i + 4 : N;
      for (long long j = i; j < stop; ++j) {
        z[j] = fmaf(alpha, x[j], y[j]);
      }
    }
  }
}
