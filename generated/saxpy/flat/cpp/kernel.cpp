#include <spak/cpu/types.h>
#include <cmath>
#include <immintrin.h>

extern "C" void saxpy(const float* __restrict__ x, const float* __restrict__ y, float alpha, float* __restrict__ z, long long N) {
  const __m256 scale = _mm256_set1_ps(alpha);
  long long i = 0;
  for (; i + 16 <= N; i += 16) {
    const __m256 z0 = _mm256_fmadd_ps(scale, _mm256_loadu_ps(x + i), _mm256_loadu_ps(y + i));
    const __m256 z1 = _mm256_fmadd_ps(scale, _mm256_loadu_ps(x + i + 8), _mm256_loadu_ps(y + i + 8));
    _mm256_storeu_ps(z + i, z0);
    _mm256_storeu_ps(z + i + 8, z1);
  }
  for (; i < N; ++i) {
    z[i] = std::fma(alpha, x[i], y[i]);
  }
}
