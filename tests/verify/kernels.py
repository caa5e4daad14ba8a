"""Honest kernels and planted defects as C++ text: `extern "C" void kernel(inputs, scalars, results, axes)`."""

from __future__ import annotations

ADD = (
    'extern "C" void kernel(const float* a, const float* b, float* c, ll n) '
    "{ for (ll i = 0; i < n; i++) c[i] = a[i] + b[i]; }"
)

MATMUL_PLAIN = """
extern "C" void kernel(const float* a, const float* b, float alpha, float* c, ll M, ll K, ll N) {
  for (ll i = 0; i < M; i++) for (ll j = 0; j < N; j++) {
    float s = 0;
    for (ll k = 0; k < K; k++) s += a[i * K + k] * b[k * N + j];
    c[i * N + j] = alpha * s;
  }
}"""
#: Blocks of 64 along K, eight partial sums, fused multiply-adds, alpha applied to a: another order, another rounding.
MATMUL_BLOCKED = """
extern "C" void kernel(const float* a, const float* b, float alpha, float* c, ll M, ll K, ll N) {
  for (ll i = 0; i < M; i++) for (ll j = 0; j < N; j++) {
    float total = 0;
    for (ll k0 = 0; k0 < K; k0 += 64) {
      float lane[8] = {};
      for (ll k = k0; k < std::min(K, k0 + 64); k++)
        lane[k % 8] = std::fma(alpha * a[i * K + k], b[k * N + j], lane[k % 8]);
      float part = ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
      total += part;
    }
    c[i * N + j] = total;
  }
}"""
MATMUL_BACKWARDS = """
extern "C" void kernel(const float* a, const float* b, float alpha, float* c, ll M, ll K, ll N) {
  for (ll i = 0; i < M; i++) for (ll j = 0; j < N; j++) {
    float s = 0;
    for (ll k = K - 1; k >= 0; k--) s = std::fma(a[i * K + k], b[k * N + j], s);
    c[i * N + j] = s * alpha;
  }
}"""
MATMUL_BF16 = """
extern "C" void kernel(const bf16* a, const bf16* b, bf16* c, ll M, ll K, ll N) {
  for (ll i = 0; i < M; i++) for (ll j = 0; j < N; j++) {
    float lane[4] = {};
    for (ll k = 0; k < K; k++) lane[k % 4] += float(a[i * K + k]) * float(b[k * N + j]);
    c[i * N + j] = bf16((lane[0] + lane[1]) + (lane[2] + lane[3]));
  }
}"""
#: The sum is kept in bf16 between blocks of 16.
MATMUL_BF16_INTERMEDIATE = """
extern "C" void kernel(const bf16* a, const bf16* b, bf16* c, ll M, ll K, ll N) {
  for (ll i = 0; i < M; i++) for (ll j = 0; j < N; j++) {
    bf16 kept(0.0f);
    for (ll k0 = 0; k0 < K; k0 += 16) {
      float s = kept;
      for (ll k = k0; k < std::min(K, k0 + 16); k++) s += float(a[i * K + k]) * float(b[k * N + j]);
      kept = bf16(s);
    }
    c[i * N + j] = kept;
  }
}"""
SOFTMAX = """
extern "C" void kernel(const float* x, float* y, ll M, ll N) {
  for (ll i = 0; i < M; i++) {
    float top = -INFINITY, sum = 0; bool nan = false;
    for (ll j = 0; j < N; j++) { top = std::max(top, x[i * N + j]); nan |= std::isnan(x[i * N + j]); }
    for (ll j = 0; j < N; j++) sum += std::exp(x[i * N + j] - top);
    for (ll j = 0; j < N; j++) y[i * N + j] = nan ? NAN : std::exp(x[i * N + j] - top) / sum;
  }
}"""
#: One pass with a running maximum, rescaling the sum, then a reciprocal instead of a division.
SOFTMAX_ONLINE = """
extern "C" void kernel(const float* x, float* y, ll M, ll N) {
  for (ll i = 0; i < M; i++) {
    float top = x[i * N], sum = 1;
    for (ll j = 1; j < N; j++) {
      float v = x[i * N + j], next = v > top ? v : top;
      sum = sum * (next == top ? 1.0f : std::exp(top - next)) +
            (v == next && std::isinf(v) && v < 0 ? 1.0f : std::exp(v - next));
      top = next;
    }
    float scale = 1 / sum;
    for (ll j = 0; j < N; j++) y[i * N + j] = std::exp(x[i * N + j] - top) * scale;
  }
}"""
RMSNORM = """
extern "C" void kernel(const float* x, const float* w, float eps, float* y, ll M, ll N) {
  for (ll i = 0; i < M; i++) {
    float lane[8] = {};
    for (ll j = 0; j < N; j++) lane[j % 8] = std::fma(x[i * N + j], x[i * N + j], lane[j % 8]);
    float sum = 0; for (float l : lane) sum += l;
    float scale = 1 / std::sqrt(sum / float(N) + eps);
    for (ll j = 0; j < N; j++) y[i * N + j] = x[i * N + j] * scale * w[j];
  }
}"""
REDUCE = """
extern "C" void kernel(const float* x, float* s, ll n) {
  float lane[16] = {};
  for (ll i = 0; i < n; i++) lane[i % 16] += x[i];
  float total = 0; for (int i = 15; i >= 0; i--) total += lane[i];
  s[0] = total;
}"""
REDUCE_BACKWARDS = (
    'extern "C" void kernel(const float* x, float* s, ll n) { float t = 0; for (ll i = n; i--;) t += x[i]; s[0] = t; }'
)
TRANSPOSE = """
extern "C" void kernel(const float* x, float* y, ll M, ll N) {
  for (ll i0 = 0; i0 < M; i0 += 32) for (ll j0 = 0; j0 < N; j0 += 32)
    for (ll i = i0; i < std::min(M, i0 + 32); i++) for (ll j = j0; j < std::min(N, j0 + 32); j++)
      y[j * M + i] = x[i * N + j];
}"""


def changed(source: str, old: str, new: str) -> str:
    """A kernel with one edit: the edit must apply, or the test would test nothing."""
    assert old in source, f"{old!r} is not in the kernel"
    return source.replace(old, new)
