#include <cmath>
#include <immintrin.h>

namespace {

constexpr long long LANES = 8;
constexpr long long DEPTH = 128;  // the largest D that the spec admits
constexpr float LOWEST = -3.402823466e+38f;

inline long long smaller(long long a, long long b) { return a < b ? a : b; }

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
  // 2^n in two halves, so that results below 2^-126 round to denormals instead of vanishing.
  const __m256i k = _mm256_cvtps_epi32(n);
  const __m256i k1 = _mm256_srai_epi32(k, 1);
  const __m256i k2 = _mm256_sub_epi32(k, k1);
  const __m256i bias = _mm256_set1_epi32(127);
  const __m256 scale1 = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(k1, bias), 23));
  const __m256 scale2 = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(k2, bias), 23));
  return _mm256_mul_ps(_mm256_mul_ps(p, scale1), scale2);
}

// The sums over d of query[d] * key[d] for the eight queries, for four keys that lie D apart.
inline void four_scores(const float* __restrict__ query, const float* __restrict__ key, long long D, __m256 root, float* __restrict__ score) {
  __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
  for (long long d = 0; d < D; ++d) {
    const __m256 lanes = _mm256_loadu_ps(query + d * LANES);
    s0 = _mm256_fmadd_ps(lanes, _mm256_broadcast_ss(key + d), s0);
    s1 = _mm256_fmadd_ps(lanes, _mm256_broadcast_ss(key + D + d), s1);
    s2 = _mm256_fmadd_ps(lanes, _mm256_broadcast_ss(key + 2 * D + d), s2);
    s3 = _mm256_fmadd_ps(lanes, _mm256_broadcast_ss(key + 3 * D + d), s3);
  }
  _mm256_storeu_ps(score, _mm256_div_ps(s0, root));
  _mm256_storeu_ps(score + LANES, _mm256_div_ps(s1, root));
  _mm256_storeu_ps(score + 2 * LANES, _mm256_div_ps(s2, root));
  _mm256_storeu_ps(score + 3 * LANES, _mm256_div_ps(s3, root));
}

inline void one_score(const float* __restrict__ query, const float* __restrict__ key, long long D, __m256 root, float* __restrict__ score) {
  __m256 sum = _mm256_setzero_ps();
  for (long long d = 0; d < D; ++d) {
    sum = _mm256_fmadd_ps(_mm256_loadu_ps(query + d * LANES), _mm256_broadcast_ss(key + d), sum);
  }
  _mm256_storeu_ps(score, _mm256_div_ps(sum, root));
}

// total[d] = total[d] * shrink + sum over the keys of weight * value[d].
inline void add_values(const float* __restrict__ weight, const float* __restrict__ value, long long count, long long D, __m256 shrink,
                       float* __restrict__ total) {
  long long d = 0;
  for (; d + 4 <= D; d += 4) {
    __m256 t0 = _mm256_mul_ps(shrink, _mm256_loadu_ps(total + d * LANES));
    __m256 t1 = _mm256_mul_ps(shrink, _mm256_loadu_ps(total + (d + 1) * LANES));
    __m256 t2 = _mm256_mul_ps(shrink, _mm256_loadu_ps(total + (d + 2) * LANES));
    __m256 t3 = _mm256_mul_ps(shrink, _mm256_loadu_ps(total + (d + 3) * LANES));
    for (long long j = 0; j < count; ++j) {
      const __m256 w = _mm256_loadu_ps(weight + j * LANES);
      const float* row = value + j * D + d;
      t0 = _mm256_fmadd_ps(w, _mm256_broadcast_ss(row), t0);
      t1 = _mm256_fmadd_ps(w, _mm256_broadcast_ss(row + 1), t1);
      t2 = _mm256_fmadd_ps(w, _mm256_broadcast_ss(row + 2), t2);
      t3 = _mm256_fmadd_ps(w, _mm256_broadcast_ss(row + 3), t3);
    }
    _mm256_storeu_ps(total + d * LANES, t0);
    _mm256_storeu_ps(total + (d + 1) * LANES, t1);
    _mm256_storeu_ps(total + (d + 2) * LANES, t2);
    _mm256_storeu_ps(total + (d + 3) * LANES, t3);
  }
  for (; d < D; ++d) {
    __m256 t = _mm256_mul_ps(shrink, _mm256_loadu_ps(total + d * LANES));
    for (long long j = 0; j < count; ++j) {
      t = _mm256_fmadd_ps(_mm256_loadu_ps(weight + j * LANES), _mm256_broadcast_ss(value + j * D + d), t);
    }
    _mm256_storeu_ps(total + d * LANES, t);
  }
}

// The results of `count` queries, at most eight, of one head.
inline void eight_queries(const float* q, const float* k, const float* v, float* o, long long count, long long N, long long D) {
  float query[DEPTH * LANES];
  float total[DEPTH * LANES];
  float score[KEYS * LANES];
  for (long long d = 0; d < D; ++d) {
    for (long long r = 0; r < LANES; ++r) {
      query[d * LANES + r] = r < count ? q[r * D + d] : 0.0f;
      total[d * LANES + r] = 0.0f;
    }
  }
  const __m256 root = _mm256_set1_ps(std::sqrt(static_cast<float>(D)));
  __m256 best = _mm256_set1_ps(LOWEST);
  __m256 sum = _mm256_setzero_ps();
  for (long long j0 = 0; j0 < N; j0 += KEYS) {
    const long long keys = smaller(KEYS, N - j0);
    const float* key = k + j0 * D;
    long long j = 0;
    for (; j + 4 <= keys; j += 4) {
      four_scores(query, key + j * D, D, root, score + j * LANES);
    }
    for (; j < keys; ++j) {
      one_score(query, key + j * D, D, root, score + j * LANES);
    }
    __m256 top = best;
    for (j = 0; j < keys; ++j) {
      top = _mm256_max_ps(_mm256_loadu_ps(score + j * LANES), top);
    }
    const __m256 shrink = exp_nonpositive(_mm256_sub_ps(best, top));
    best = top;
    __m256 part = _mm256_setzero_ps();
    for (j = 0; j < keys; ++j) {
      const __m256 weight = exp_nonpositive(_mm256_sub_ps(_mm256_loadu_ps(score + j * LANES), top));
      _mm256_storeu_ps(score + j * LANES, weight);
      part = _mm256_add_ps(part, weight);
    }
    sum = _mm256_fmadd_ps(sum, shrink, part);
    add_values(score, v + j0 * D, keys, D, shrink, total);
  }
  for (long long d = 0; d < D; ++d) {
    float lanes[LANES];
    _mm256_storeu_ps(lanes, _mm256_div_ps(_mm256_loadu_ps(total + d * LANES), sum));
    for (long long r = 0; r < count; ++r) {
      o[r * D + d] = lanes[r];
    }
  }
}

}  // namespace

extern "C" void fmha_online(const float* q, const float* k, const float* v, float* o, long long H, long long N, long long D) {
  for (long long h = 0; h < H; ++h) {
    const long long head = h * N * D;
    for (long long i = 0; i < N; i += LANES) {
      const long long first = head + i * D;
      eight_queries(q + first, k + head, v + head, o + first, smaller(LANES, N - i), N, D);
    }
  }
}
