#include <spak/cpu/types.h>
#include <cmath>
#include <immintrin.h>

namespace {

// exp(t) for t <= 0, -Inf and NaN included. Relative error below 2 ulp where the result is normal.
inline __m256 exp_nonpositive(__m256 t) {
  // Below -110 the result is zero in f32 whatever the rest; NaN passes because max returns its second operand.
  t = _mm256_max_ps(_mm256_set1_ps(-110.0f), t);
  const __m256 n = _mm256_round_ps(_mm256_mul_ps(t, _mm256_set1_ps(1.44269504088896341f)),
                                   _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  // ln(2) in two parts, the first with trailing zeros: n * high is exact.
  __m256 r = _mm256_fnmadd_ps(n, _mm256_set1_ps(0.693359375f), t);
  r = _mm256_fnmadd_ps(n, _mm256_set1_ps(-2.12194440e-4f), r);
  __m256 p = _mm256_set1_ps(1.0f / 720.0f);
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f / 120.0f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f / 24.0f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f / 6.0f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0.5f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f));
  const __m256i k = _mm256_cvtps_epi32(n);
  const __m256i k1 = _mm256_srai_epi32(k, 1);
  const __m256i k2 = _mm256_sub_epi32(k, k1);
  const __m256i bias = _mm256_set1_epi32(127);
  const __m256 scale1 = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(k1, bias), 23));
  const __m256 scale2 = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(k2, bias), 23));
  return _mm256_mul_ps(_mm256_mul_ps(p, scale1), scale2);
}

inline float sum_lanes(__m256 v) {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

inline float row_max(const float* x, long long N) {
  float best = x[0];
  long long j = 0;
  if (N >= 8) {
    __m256 m = _mm256_loadu_ps(x);
    for (j = 8; j + 8 <= N; j += 8) {
      m = _mm256_max_ps(m, _mm256_loadu_ps(x + j));
    }
    float lanes[8];
    _mm256_storeu_ps(lanes, m);
    for (int lane = 0; lane < 8; ++lane) {
      best = lanes[lane] > best ? lanes[lane] : best;
    }
  }
  for (; j < N; ++j) {
    best = x[j] > best ? x[j] : best;
  }
  return best;
}

inline void softmax_row(const float* __restrict__ x, float* __restrict__ y, long long N) {
  const float best = row_max(x, N);
  const __m256 shift = _mm256_set1_ps(best);
  double total = 0.0;
  long long j = 0;
  while (j + 8 <= N) {
    const long long stop = j + 512 < N ? j + 512 : N;
    __m256 sum = _mm256_setzero_ps();
    for (; j + 8 <= stop; j += 8) {
      const __m256 e = exp_nonpositive(_mm256_sub_ps(_mm256_loadu_ps(x + j), shift));
      _mm256_storeu_ps(y + j, e);
      sum = _mm256_add_ps(sum, e);
    }
    total += static_cast<double>(sum_lanes(sum));
  }
  if (j < N) {
    float lanes[8] = {best, best, best, best, best, best, best, best};
    for (long long r = 0; j + r < N; ++r) {
      lanes[r] = x[j + r];
    }
    _mm256_storeu_ps(lanes, exp_nonpositive(_mm256_sub_ps(_mm256_loadu_ps(lanes), shift)));
    for (long long r = 0; j + r < N; ++r) {
      y[j + r] = lanes[r];
      total += static_cast<double>(lanes[r]);
    }
  }
  const float divisor = static_cast<float>(total);
  for (j = 0; j < N; ++j) {
    y[j] /= divisor;
  }
}

}  // namespace

extern "C" void softmax_rowwise(const float* __restrict__ x, float* __restrict__ y, long long M, long long N) {
  // Rows are independent: threads share nothing, and the result does not depend on how many there are.
#pragma omp parallel for schedule(static) if (M * N >= 131072)
  for (long long i = 0; i < M; ++i) {
    softmax_row(x + i * N, y + i * N, N);
  }
}
