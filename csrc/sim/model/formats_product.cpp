// Sums of products, four rows by eight columns at a time: with AVX2 where the machine has it. Knows nothing of formats.
#include "product.h"

#if defined(__x86_64__) && !defined(SPAK_SIM_PORTABLE_PRODUCT)
#include <immintrin.h>
#endif

#pragma GCC visibility push(hidden)
namespace spak::sim {

namespace {

// Products are exact, so that fused and separate additions give the same bits.
struct Portable {
  typedef double V __attribute__((vector_size(32)));
  typedef float F __attribute__((vector_size(16)));

  template <typename Out>
  static void run(const double* a, const double* b, unsigned m, unsigned n, unsigned k, Out* out) {
    for (unsigned i = 0; i < m; i += 4)
      for (unsigned j = 0; j < n; j += 8) {
        V sum[4][2] = {};
        for (unsigned l = 0; l < k; ++l) {
          V right[2];
          __builtin_memcpy(right, b + l * n + j, sizeof right);
          for (unsigned r = 0; r < 4; ++r) {
            const double left = a[(i + r) * k + l];
            sum[r][0] += left * right[0];
            sum[r][1] += left * right[1];
          }
        }
        for (unsigned r = 0; r < 4; ++r) store(sum[r], out + (i + r) * n + j);
      }
  }
  static void store(const V (&sum)[2], double* out) { __builtin_memcpy(out, sum, sizeof sum); }
  static void store(const V (&sum)[2], float* out) {
    for (unsigned h = 0; h < 2; ++h) {
      F d;
      __builtin_memcpy(&d, out + 4 * h, sizeof d);
      d = __builtin_convertvector(__builtin_convertvector(d, V) + sum[h], F);
      __builtin_memcpy(out + 4 * h, &d, sizeof d);
    }
  }
};

#if defined(__x86_64__) && !defined(SPAK_SIM_PORTABLE_PRODUCT)
#define SPAK_AVX2 __attribute__((target("avx2,fma")))
struct Avx2 {
  template <typename Out>
  SPAK_AVX2 static void run(const double* a, const double* b, unsigned m, unsigned n, unsigned k, Out* out) {
    for (unsigned i = 0; i < m; i += 4)
      for (unsigned j = 0; j < n; j += 8) {
        __m256d s00 = _mm256_setzero_pd(), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
        const double *left = a + i * k, *right = b + j;
        for (unsigned l = 0; l < k; ++l, ++left, right += n) {
          const __m256d r0 = _mm256_loadu_pd(right), r1 = _mm256_loadu_pd(right + 4);
          __m256d x = _mm256_broadcast_sd(left);
          s00 = _mm256_fmadd_pd(x, r0, s00);
          s01 = _mm256_fmadd_pd(x, r1, s01);
          x = _mm256_broadcast_sd(left + k);
          s10 = _mm256_fmadd_pd(x, r0, s10);
          s11 = _mm256_fmadd_pd(x, r1, s11);
          x = _mm256_broadcast_sd(left + 2 * k);
          s20 = _mm256_fmadd_pd(x, r0, s20);
          s21 = _mm256_fmadd_pd(x, r1, s21);
          x = _mm256_broadcast_sd(left + 3 * k);
          s30 = _mm256_fmadd_pd(x, r0, s30);
          s31 = _mm256_fmadd_pd(x, r1, s31);
        }
        Out* row = out + i * n + j;
        store(s00, s01, row);
        store(s10, s11, row + n);
        store(s20, s21, row + 2 * n);
        store(s30, s31, row + 3 * n);
      }
  }
  SPAK_AVX2 static void store(__m256d low, __m256d high, double* out) {
    _mm256_storeu_pd(out, low);
    _mm256_storeu_pd(out + 4, high);
  }
  SPAK_AVX2 static void store(__m256d low, __m256d high, float* out) {
    _mm_storeu_ps(out, _mm256_cvtpd_ps(_mm256_add_pd(_mm256_cvtps_pd(_mm_loadu_ps(out)), low)));
    _mm_storeu_ps(out + 4, _mm256_cvtpd_ps(_mm256_add_pd(_mm256_cvtps_pd(_mm_loadu_ps(out + 4)), high)));
  }
};
#undef SPAK_AVX2
#endif

template <typename Out>
void choose(const double* a, const double* b, unsigned m, unsigned n, unsigned k, Out* out) {
#if defined(__x86_64__) && !defined(SPAK_SIM_PORTABLE_PRODUCT)
  static const bool fast = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (fast) return Avx2::run(a, b, m, n, k, out);
#endif
  Portable::run(a, b, m, n, k, out);
}

}  // namespace

void product(const double* a, const double* b, unsigned m, unsigned n, unsigned k, double* sums) {
  choose(a, b, m, n, k, sums);
}
void product_add(const double* a, const double* b, unsigned m, unsigned n, unsigned k, float* d) {
  choose(a, b, m, n, k, d);
}

}  // namespace spak::sim
#pragma GCC visibility pop
