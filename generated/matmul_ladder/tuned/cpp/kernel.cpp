#include <immintrin.h>

namespace {

constexpr int LANES = 8;
constexpr int VECTORS = NR / LANES;

static_assert(NR % LANES == 0, "a row of the register tile is a whole number of vectors");
static_assert(MC % MR == 0 && NC % NR == 0, "blocks are whole numbers of register tiles");
static_assert((MR + 1) * VECTORS < 16, "the register tile fits the registers");

inline long long smaller(long long a, long long b) { return a < b ? a : b; }

// packed[panel][k][r] = a[panel * MR + r][k], rows beyond `rows` zero.
inline void pack_a(const float* __restrict__ a, long long lda, long long rows, long long depth, float* __restrict__ packed) {
  for (long long i = 0; i < rows; i += MR) {
    const long long count = smaller(MR, rows - i);
    const float* source = a + i * lda;
    if (count == MR) {
      for (long long k = 0; k < depth; ++k) {
        for (int r = 0; r < MR; ++r) {
          packed[k * MR + r] = source[r * lda + k];
        }
      }
    } else {
      for (long long k = 0; k < depth; ++k) {
        for (int r = 0; r < MR; ++r) {
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
        for (int v = 0; v < VECTORS; ++v) {
          _mm256_storeu_ps(packed + k * NR + v * LANES, _mm256_loadu_ps(source + k * ldb + v * LANES));
        }
      }
    } else {
      for (long long k = 0; k < depth; ++k) {
        for (int s = 0; s < NR; ++s) {
          packed[k * NR + s] = s < count ? source[k * ldb + s] : 0.0f;
        }
      }
    }
    packed += NR * depth;
  }
}

// c[MR][NR] (row stride ldc) = or += a panel (depth x MR) times b panel (depth x NR).
inline void micro_kernel(const float* __restrict__ a, const float* __restrict__ b, long long depth, float* __restrict__ c, long long ldc,
                         bool add) {
  __m256 sum[MR][VECTORS];
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < VECTORS; ++v) {
      sum[r][v] = _mm256_setzero_ps();
    }
  }
  for (long long k = 0; k < depth; ++k) {
    __m256 row[VECTORS];
#pragma GCC unroll 16
    for (int v = 0; v < VECTORS; ++v) {
      row[v] = _mm256_loadu_ps(b + v * LANES);
    }
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r) {
      const __m256 scale = _mm256_broadcast_ss(a + r);
#pragma GCC unroll 16
      for (int v = 0; v < VECTORS; ++v) {
        sum[r][v] = _mm256_fmadd_ps(scale, row[v], sum[r][v]);
      }
    }
    a += MR;
    b += NR;
  }
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < VECTORS; ++v) {
      float* out = c + r * ldc + v * LANES;
      _mm256_storeu_ps(out, add ? _mm256_add_ps(_mm256_loadu_ps(out), sum[r][v]) : sum[r][v]);
    }
  }
}

}  // namespace

extern "C" void ladder_tuned(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c,
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
