#include <cmath>

extern "C" void fmha_naive(const float* q, const float* k, const float* v, float* o, float* row, long long H, long long N, long long D) {
  const float root = std::sqrt(static_cast<float>(D));
  for (long long h = 0; h < H; ++h) {
    const float* keys = k + h * N * D;
    const float* values = v + h * N * D;
    for (long long i = 0; i < N; ++i) {
      const float* query = q + (h * N + i) * D;
      float* out = o + (h * N + i) * D;
      float best = -INFINITY;
      for (long long j = 0; j < N; ++j) {
        float score = 0.0f;
        for (long long d = 0; d < D; ++d) {
          score += query[d] * keys[j * D + d];
        }
        score /= root;
        row[j] = score;
        best = score > best ? score : best;
      }
      float sum = 0.0f;
      for (long long j = 0; j < N; ++j) {
        row[j] = std::exp(row[j] - best);
        sum += row[j];
      }
      for (long long j = 0; j < N; ++j) {
        row[j] /= sum;
      }
      for (long long d = 0; d < D; ++d) {
        float total = 0.0f;
        for (long long j = 0; j < N; ++j) {
          total += row[j] * values[j * D + d];
        }
        out[d] = total;
      }
    }
  }
}
