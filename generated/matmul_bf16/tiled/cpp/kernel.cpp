#include <spak/cpu/types.h>
#include <immintrin.h>

namespace {

constexpr long long MR = 6;   // rows of the register tile
constexpr long long NR = 16;  // columns of the register tile: two vectors

static_assert(MC % MR == 0, "MC is a whole number of register tiles");
static_assert(NC % NR == 0, "NC is a whole number of register tiles");

inline long long smaller(long long a, long long b) { return a < b ? a : b; }

// packed[panel][k][r] = a[panel * MR + r][k] in f32, rows beyond `rows` zero.
inline void pack_a(const spak::bf16* __restrict__ a, long long lda, long long rows, long long depth, float* __restrict__ packed) {
  for (long long i = 0; i < rows; i += MR) {
    const long long count = smaller(MR, rows - i);
    const spak::bf16* source = a + i * lda;
    if (count == MR) {
      for (long long k = 0; k < depth; ++k) {
        for (long long r = 0; r < MR; ++r) {
          packed[k * MR + r] = static_cast<float>(source[r * lda + k]);
        }
      }
    } else {
      for (long long k = 0; k < depth; ++k) {
        for (long long r = 0; r < MR; ++r) {
          packed[k * MR + r] = r < count ? static_cast<float>(source[r * lda + k]) : 0.0f;
        }
      }
    }
    packed += MR * depth;
  }
}

// packed[panel][k][j] = b[k][panel * NR + j] in f32, columns beyond `columns` zero.
inline void pack_b(const spak::bf16* __restrict__ b, long long ldb, long long depth, long long columns, float* __restrict__ packed) {
  for (long long j = 0; j < columns; j += NR) {
    const long long count = smaller(NR, columns - j);
    const spak::bf16* source = b + j;
    if (count == NR) {
      for (long long k = 0; k < depth; ++k) {
        for (long long r = 0; r < NR; ++r) {
          packed[k * NR + r] = static_cast<float>(source[k * ldb + r]);
        }
      }
    } else {
      for (long long k = 0; k < depth; ++k) {
        for (long long r = 0; r < NR; ++r) {
          packed[k * NR + r] = r < count ? static_cast<float>(source[k * ldb + r]) : 0.0f;
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

extern "C" void matmul_bf16_tiled(const spak::bf16* __restrict__ a, const spak::bf16* __restrict__ b, spak::bf16* __restrict__ c,
                                  float* __restrict__ a_pack, float* __restrict__ b_pack, float* __restrict__ sums, long long M, long long N,
                                  long long K) {
  for (long long j0 = 0; j0 < N; j0 += NC) {
    const long long columns = smaller(NC, N - j0);
    const long long padded = (columns + NR - 1) / NR * NR;
    // The whole depth of the panel is packed once; block k0 of it starts at k0 * padded.
    for (long long k0 = 0; k0 < K; k0 += KC) {
      pack_b(b + k0 * N + j0, N, smaller(KC, K - k0), columns, b_pack + k0 * padded);
    }
    for (long long i0 = 0; i0 < M; i0 += MC) {
      const long long rows = smaller(MC, M - i0);
      for (long long k0 = 0; k0 < K; k0 += KC) {
        const long long depth = smaller(KC, K - k0);
        pack_a(a + i0 * K + k0, K, rows, depth, a_pack);
        for (long long j = 0; j < columns; j += NR) {
          for (long long i = 0; i < rows; i += MR) {
            micro_kernel(a_pack + i * depth, b_pack + k0 * padded + j * depth, depth, sums + i * padded + j, padded, k0 > 0);
          }
        }
      }
      for (long long i = 0; i < rows; ++i) {
        const float* row = sums + i * padded;
        spak::bf16* out = c + (i0 + i) * N + j0;
        for (long long j = 0; j < columns; ++j) {
          out[j] = static_cast<spak::bf16>(row[j]);
        }
      }
    }
  }
}
