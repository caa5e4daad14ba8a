#include <immintrin.h>

namespace {

constexpr long long MR = 6;   // rows of the register tile
constexpr long long NR = 16;  // columns of the register tile: two vectors

static_assert(MC % MR == 0, "MC is a whole number of register tiles");
static_assert(NC % NR == 0, "NC is a whole number of register tiles");

inline long long smaller(long long a, long long b) { return a < b ? a : b; }

// packed[panel][k][r] = a[panel * MR + r][k], rows beyond `rows` zero.
inline void pack_a(const float* __restrict__ a, long long lda, long long rows, long long depth, float* __restrict__ packed) {
  for (long long i = 0; i < rows; i += MR) {
    const long long count = smaller(MR, rows - i);
    const float* source = a + i * lda;
    if (count == MR) {
      for (long long k = 0; k < depth; ++k) {
        for (long long r = 0; r < MR; ++r) {
          packed[k * MR + r] = source[r * lda + k];
        }
      }
    } else {
      for (long long k = 0; k < depth; ++k) {
        for (long long r = 0; r < MR; ++r) {
          packed[k * MR + r] = r < count ? source[r * lda + k] : 0.0f;
        }
      }
    }
    packed += MR * depth;
  }
}

// packed[panel][k][j] = b[k][panel * NR + j], columns beyond `columns` zero.
inline void pack_b(const float* __restrict__ b, long long ldb, long long depth, long long columns, float* __restrict__ packed) {
  for (long long j = 0; j < columns; j += NR) {
    const long long count = smaller(NR, columns - j);
    const float* source = b + j;
    if (count == NR) {
      for (long long k = 0; k < depth; ++k) {
        _mm256_storeu_ps(packed + k * NR, _mm256_loadu_ps(source + k * ldb));
        _mm256_storeu_ps(packed + k * NR + 8, _mm256_loadu_ps(source + k * ldb + 8));
      }
    } else {
      for (long long k = 0; k < depth; ++k) {
        for (long long r = 0; r < NR; ++r) {
          packed[k * NR + r] = r < count ? source[k * ldb + r] : 0.0f;
        }
      }
    }
    packed += NR * depth;
  }
}

struct Row {
  __m256 low;
  __m256 high;
};

inline void multiply_add(Row& acc, const float* a, __m256 b_low, __m256 b_high) {
  const __m256 scale = _mm256_broadcast_ss(a);
  acc.low = _mm256_fmadd_ps(scale, b_low, acc.low);
  acc.high = _mm256_fmadd_ps(scale, b_high, acc.high);
}

inline void store(float* c, const Row& row, bool add) {
  if (add) {
    _mm256_storeu_ps(c, _mm256_add_ps(_mm256_loadu_ps(c), row.low));
    _mm256_storeu_ps(c + 8, _mm256_add_ps(_mm256_loadu_ps(c + 8), row.high));
  } else {
    _mm256_storeu_ps(c, row.low);
    _mm256_storeu_ps(c + 8, row.high);
  }
}

// c[MR][NR] (row stride ldc) = or += a panel (depth x MR) times b panel (depth x NR).
inline void micro_kernel(const float* __restrict__ a, const float* __restrict__ b, long long depth, float* __restrict__ c, long long ldc,
                         bool add) {
  const __m256 zero = _mm256_setzero_ps();
  Row r0 = {zero, zero}, r1 = r0, r2 = r0, r3 = r0, r4 = r0, r5 = r0;
  for (long long k = 0; k < depth; ++k) {
    const __m256 low = _mm256_loadu_ps(b);
    const __m256 high = _mm256_loadu_ps(b + 8);
    multiply_add(r0, a, low, high);
    multiply_add(r1, a + 1, low, high);
    multiply_add(r2, a + 2, low, high);
    multiply_add(r3, a + 3, low, high);
    multiply_add(r4, a + 4, low, high);
    multiply_add(r5, a + 5, low, high);
    a += MR;
    b += NR;
  }
  store(c, r0, add);
  store(c + ldc, r1, add);
  store(c + 2 * ldc, r2, add);
  store(c + 3 * ldc, r3, add);
  store(c + 4 * ldc, r4, add);
  store(c + 5 * ldc, r5, add);
}

}  // namespace

extern "C" void ladder_packed(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c,
                              float* __restrict__ a_pack, float* __restrict__ b_pack, long long M, long long N, long long K) {
  float edge[MR * NR];
  for (long long j0 = 0; j0 < N; j0 += NC) {
    const long long columns = smaller(NC, N - j0);
    for (long long k0 = 0; k0 < K; k0 += KC) {
      const long long depth = smaller(KC, K - k0);
      const bool add = k0 > 0;
      pack_b(b + k0 * N + j0, N, depth, columns, b_pack);
      for (long long i0 = 0; i0 < M; i0 += MC) {
        const long long rows = smaller(MC, M - i0);
        pack_a(a + i0 * K + k0, K, rows, depth, a_pack);
        for (long long j = 0; j < columns; j += NR) {
          const long long width = smaller(NR, columns - j);
          for (long long i = 0; i < rows; i += MR) {
            const long long height = smaller(MR, rows - i);
            float* tile = c + (i0 + i) * N + j0 + j;
            if (height == MR && width == NR) {
              micro_kernel(a_pack + i * depth, b_pack + j * depth, depth, tile, N, add);
              continue;
            }
            micro_kernel(a_pack + i * depth, b_pack + j * depth, depth, edge, NR, false);
            for (long long r = 0; r < height; ++r) {
              for (long long s = 0; s < width; ++s) {
                tile[r * N + s] = add ? tile[r * N + s] + edge[r * NR + s] : edge[r * NR + s];
              }
            }
          }
        }
      }
    }
  }
}
