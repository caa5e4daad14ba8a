#include <spak/cpu/types.h>
#include <cmath>
#include <immintrin.h>

namespace {

inline double sum_of_squares(const float* x, long long N) {
  __m256d s0 = _mm256_setzero_pd(), s1 = s0, s2 = s0, s3 = s0;
  long long j = 0;
  for (; j + 16 <= N; j += 16) {
    const __m256d v0 = _mm256_cvtps_pd(_mm_loadu_ps(x + j));
    const __m256d v1 = _mm256_cvtps_pd(_mm_loadu_ps(x + j + 4));
    const __m256d v2 = _mm256_cvtps_pd(_mm_loadu_ps(x + j + 8));
    const __m256d v3 = _mm256_cvtps_pd(_mm_loadu_ps(x + j + 12));
    s0 = _mm256_fmadd_pd(v0, v0, s0);
    s1 = _mm256_fmadd_pd(v1, v1, s1);
    s2 = _mm256_fmadd_pd(v2, v2, s2);
    s3 = _mm256_fmadd_pd(v3, v3, s3);
  }
  double lanes[4];
  _mm256_storeu_pd(lanes, _mm256_add_pd(_mm256_add_pd(s0, s1), _mm256_add_pd(s2, s3)));
  double sum = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
  for (; j < N; ++j) {
    sum += static_cast<double>(x[j]) * static_cast<double>(x[j]);
  }
  return sum;
}

}  // namespace

extern "C" void rmsnorm_rowwise(const float* __restrict__ x, const float* __restrict__ weight, float eps, float* __restrict__ y,
                                long long M, long long N) {
  for (long long i = 0; i < M; ++i) {
    const float* row = x + i * N;
    float* out = y + i * N;
    const double mean = sum_of_squares(row, N) / static_cast<double>(N);
    const float rms = static_cast<float>(std::sqrt(mean + static_cast<double>(eps)));
    for (long long j = 0; j < N; ++j) {
      out[j] = row[j] / rms * weight[j];
    }
  }
}
