#include <spak/cpu/types.h>
#include <immintrin.h>

namespace {

// s + e is the sum: s rounded, e what rounding lost.
struct Pair {
  float s;
  float e;
};

inline Pair add(Pair p, float value, float lost) {
  const float s = p.s + value;
  const float b = s - p.s;
  const float e = (p.s - (s - b)) + (value - b);
  return {s, p.e + (e + lost)};
}

inline void add(__m256& s, __m256& e, __m256 value) {
  const __m256 sum = _mm256_add_ps(s, value);
  const __m256 b = _mm256_sub_ps(sum, s);
  const __m256 lost = _mm256_add_ps(_mm256_sub_ps(s, _mm256_sub_ps(sum, b)), _mm256_sub_ps(value, b));
  s = sum;
  e = _mm256_add_ps(e, lost);
}

}  // namespace

extern "C" void reduce_sum(const float* __restrict__ x, float* __restrict__ total, long long N) {
  __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
  __m256 e0 = s0, e1 = s0, e2 = s0, e3 = s0;
  long long i = 0;
  for (; i + 32 <= N; i += 32) {
    add(s0, e0, _mm256_loadu_ps(x + i));
    add(s1, e1, _mm256_loadu_ps(x + i + 8));
    add(s2, e2, _mm256_loadu_ps(x + i + 16));
    add(s3, e3, _mm256_loadu_ps(x + i + 24));
  }
  float sums[32];
  float losses[32];
  _mm256_storeu_ps(sums, s0);
  _mm256_storeu_ps(sums + 8, s1);
  _mm256_storeu_ps(sums + 16, s2);
  _mm256_storeu_ps(sums + 24, s3);
  _mm256_storeu_ps(losses, e0);
  _mm256_storeu_ps(losses + 8, e1);
  _mm256_storeu_ps(losses + 16, e2);
  _mm256_storeu_ps(losses + 24, e3);

  Pair all = {0.0f, 0.0f};
  for (int lane = 0; lane < 32; ++lane) {
    all = add(all, sums[lane], losses[lane]);
  }
  for (; i < N; ++i) {
    all = add(all, x[i], 0.0f);
  }
  const bool finite = all.s - all.s == 0.0f;
  total[0] = finite ? all.s + all.e : all.s;
}
