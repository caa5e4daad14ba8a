namespace {

constexpr long long LANES = 8;
constexpr long long ROWS = 4;
constexpr long long COLUMNS = 2 * LANES;

typedef float Lanes __attribute__((vector_size(32)));
typedef float Loose __attribute__((vector_size(32), aligned(4), may_alias));

inline long long smaller(long long a, long long b) { return a < b ? a : b; }

inline Lanes load(const float* p) { return *reinterpret_cast<const Loose*>(p); }

inline void store(float* p, Lanes v) { *reinterpret_cast<Loose*>(p) = v; }

struct Row {
  Lanes low;
  Lanes high;
};

inline void multiply_add(Row& sum, float scale, Lanes low, Lanes high) {
  sum.low += scale * low;
  sum.high += scale * high;
}

inline Row begin(const float* c, bool add) {
  if (add) {
    return {load(c), load(c + LANES)};
  }
  return {Lanes{}, Lanes{}};
}

inline void end(float* c, const Row& sum) {
  store(c, sum.low);
  store(c + LANES, sum.high);
}

inline void tile(const float* __restrict__ a, long long lda, const float* __restrict__ b, long long ldb, float* __restrict__ c,
                 long long ldc, long long depth, bool add) {
  Row r0 = begin(c, add);
  Row r1 = begin(c + ldc, add);
  Row r2 = begin(c + 2 * ldc, add);
  Row r3 = begin(c + 3 * ldc, add);
  for (long long k = 0; k < depth; ++k) {
    const Lanes low = load(b + k * ldb);
    const Lanes high = load(b + k * ldb + LANES);
    multiply_add(r0, a[k], low, high);
    multiply_add(r1, a[lda + k], low, high);
    multiply_add(r2, a[2 * lda + k], low, high);
    multiply_add(r3, a[3 * lda + k], low, high);
  }
  end(c, r0);
  end(c + ldc, r1);
  end(c + 2 * ldc, r2);
  end(c + 3 * ldc, r3);
}

inline void element(const float* a, const float* b, long long ldb, float* c, long long depth, bool add) {
  float sum = add ? *c : 0.0f;
  for (long long k = 0; k < depth; ++k) {
    sum += a[k] * b[k * ldb];
  }
  *c = sum;
}

}  // namespace

extern "C" void ladder_vectorised(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c,
                                  long long M, long long N, long long K) {
  for (long long j0 = 0; j0 < N; j0 += BJ) {
    const long long width = smaller(BJ, N - j0);
    for (long long k0 = 0; k0 < K; k0 += BK) {
      const long long depth = smaller(BK, K - k0);
      const bool add = k0 > 0;
      for (long long i = 0; i < M; i += ROWS) {
        const long long rows = smaller(ROWS, M - i);
        const float* left = a + i * K + k0;
        long long j = 0;
        if (rows == ROWS) {
          for (; j + COLUMNS <= width; j += COLUMNS) {
            tile(left, K, b + k0 * N + j0 + j, N, c + i * N + j0 + j, N, depth, add);
          }
        }
        for (long long r = 0; r < rows; ++r) {
          for (long long s = j; s < width; ++s) {
            element(left + r * K, b + k0 * N + j0 + s, N, c + (i + r) * N + j0 + s, depth, add);
          }
        }
      }
    }
  }
}
