#include <spak/cuda/vec.h>

extern "C" __global__ void __launch_bounds__(256)
vector_add(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c, long long N) {
  const bool wide = spak::is_aligned<4>(a) && spak::is_aligned<4>(b) && spak::is_aligned<4>(c);
  const long long step = static_cast<long long>(gridDim.x) * 1024;
  long long i = static_cast<long long>(blockIdx.x) * 1024 + static_cast<long long>(threadIdx.x) * 4;
  for (; i < N; i += step) {
    if (wide && i + 4 <= N) {
      const auto u = spak::load<4>(a + i);
      const auto v = spak::load<4>(b + i);
      spak::Vec<float, 4> w;
#pragma unroll
      for (int s = 0; s < 4; ++s) {
        w[s] = u[s] + v[s];
      }
      spak::store(c + i, w);
    } else {
      const long long stop = i + 4 < N ? i + 4 : N;
      for (long long j = i; j < stop; ++j) {
        c[j] = a[j] + b[j];
      }
    }
  }
}
