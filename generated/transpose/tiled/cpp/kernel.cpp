#include <spak/cpu/types.h>
#include <immintrin.h>

namespace {

// b[8][8] (row stride ldb) = transpose of a[8][8] (row stride lda).
inline void transpose8x8(const float* __restrict__ a, long long lda, float* __restrict__ b, long long ldb) {
  const __m256 r0 = _mm256_loadu_ps(a);
  const __m256 r1 = _mm256_loadu_ps(a + lda);
  const __m256 r2 = _mm256_loadu_ps(a + 2 * lda);
  const __m256 r3 = _mm256_loadu_ps(a + 3 * lda);
  const __m256 r4 = _mm256_loadu_ps(a + 4 * lda);
  const __m256 r5 = _mm256_loadu_ps(a + 5 * lda);
  const __m256 r6 = _mm256_loadu_ps(a + 6 * lda);
  const __m256 r7 = _mm256_loadu_ps(a + 7 * lda);
  // Pairs of rows interleaved by element, then by pairs of elements, then by 128-bit half.
  const __m256 t0 = _mm256_unpacklo_ps(r0, r1);
  const __m256 t1 = _mm256_unpackhi_ps(r0, r1);
  const __m256 t2 = _mm256_unpacklo_ps(r2, r3);
  const __m256 t3 = _mm256_unpackhi_ps(r2, r3);
  const __m256 t4 = _mm256_unpacklo_ps(r4, r5);
  const __m256 t5 = _mm256_unpackhi_ps(r4, r5);
  const __m256 t6 = _mm256_unpacklo_ps(r6, r7);
  const __m256 t7 = _mm256_unpackhi_ps(r6, r7);
  const __m256 u0 = _mm256_shuffle_ps(t0, t2, 0x44);
  const __m256 u1 = _mm256_shuffle_ps(t0, t2, 0xEE);
  const __m256 u2 = _mm256_shuffle_ps(t1, t3, 0x44);
  const __m256 u3 = _mm256_shuffle_ps(t1, t3, 0xEE);
  const __m256 u4 = _mm256_shuffle_ps(t4, t6, 0x44);
  const __m256 u5 = _mm256_shuffle_ps(t4, t6, 0xEE);
  const __m256 u6 = _mm256_shuffle_ps(t5, t7, 0x44);
  const __m256 u7 = _mm256_shuffle_ps(t5, t7, 0xEE);
  _mm256_storeu_ps(b, _mm256_permute2f128_ps(u0, u4, 0x20));
  _mm256_storeu_ps(b + ldb, _mm256_permute2f128_ps(u1, u5, 0x20));
  _mm256_storeu_ps(b + 2 * ldb, _mm256_permute2f128_ps(u2, u6, 0x20));
  _mm256_storeu_ps(b + 3 * ldb, _mm256_permute2f128_ps(u3, u7, 0x20));
  _mm256_storeu_ps(b + 4 * ldb, _mm256_permute2f128_ps(u0, u4, 0x31));
  _mm256_storeu_ps(b + 5 * ldb, _mm256_permute2f128_ps(u1, u5, 0x31));
  _mm256_storeu_ps(b + 6 * ldb, _mm256_permute2f128_ps(u2, u6, 0x31));
  _mm256_storeu_ps(b + 7 * ldb, _mm256_permute2f128_ps(u3, u7, 0x31));
}

inline long long smaller(long long a, long long b) { return a < b ? a : b; }

}  // namespace

extern "C" void transpose_tiled(const float* __restrict__ a, float* __restrict__ b, long long M, long long N) {
  for (long long i0 = 0; i0 < M; i0 += TILE) {
    const long long i1 = smaller(i0 + TILE, M);
    for (long long j0 = 0; j0 < N; j0 += TILE) {
      const long long j1 = smaller(j0 + TILE, N);
      long long i = i0;
      for (; i + 8 <= i1; i += 8) {
        long long j = j0;
        for (; j + 8 <= j1; j += 8) {
          transpose8x8(a + i * N + j, N, b + j * M + i, M);
        }
        for (; j < j1; ++j) {
          for (long long r = 0; r < 8; ++r) {
            b[j * M + i + r] = a[(i + r) * N + j];
          }
        }
      }
      for (; i < i1; ++i) {
        for (long long j = j0; j < j1; ++j) {
          b[j * M + i] = a[i * N + j];
        }
      }
    }
  }
}
