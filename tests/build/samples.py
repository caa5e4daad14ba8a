"""Hand-written kernels that between them use everything a launcher can do."""

from __future__ import annotations

from forge import Sample, interface, tensor
from spak.model.ir import Scalar

SAMPLES: dict[str, Sample] = {
    "matmul": Sample(
        interface(
            "matmul",
            [tensor("a", "f32[M, K]"), tensor("b", "f32[K, N]"), Scalar(name="alpha", dtype="f32", default=1.0)],
            [tensor("c", "f32[M, N]")],
            "M K N",
            ["M >= 1 && N >= 1 && K >= 1", "K % 2 == 0 || K in [1, 3]"],
        ),
        cpp="""
extern "C" void matmul(const float* a, const float* b, float* c, long long M, long long N, long long K, float alpha) {
  for (long long i = 0; i < M; ++i)
    for (long long j = 0; j < N; ++j) {
      float sum = 0;
      for (long long k = 0; k < K; ++k) sum += a[i * K + k] * b[k * N + j];
      c[i * N + j] = alpha * sum;
    }
}
""",
        cpp_plan='[[launch]]\nkernel = "matmul"\nargs = ["a", "b", "c", "M", "N", "K", "alpha"]\n',
        cuda="""
extern "C" __global__ void matmul(const float* a, const float* b, float* c, long long M, long long N, long long K, float alpha) {
  const long long j = blockIdx.x * (long long)BN + threadIdx.x, i = blockIdx.y * (long long)BM + threadIdx.y;
  if (i >= M || j >= N) return;
  float sum = 0;
  for (long long k = 0; k < K; ++k) sum += a[i * K + k] * b[k * N + j];
  c[i * N + j] = alpha * sum;
}
""",
        cuda_plan="""
[params]
BM = 4
BN = 32
[[launch]]
kernel = "matmul"
grid = ["cdiv(N, BN)", "cdiv(M, BM)"]
block = ["BN", "BM"]
args = ["a", "b", "c", "M", "N", "K", "alpha"]
""",
    ),
    # Two steps through a workspace, the first with alternatives; several results, one of them of fixed size.
    "moments": Sample(
        interface(
            "moments",
            [tensor("x", "f32[n]")],
            [tensor("total", "f64[1]"), tensor("doubled", "f32[2 * n]")],
            "n",
            ["n >= 1"],
        ),
        cpp="""
extern "C" void halves(const float* x, double* partial, long long n, long long parts) {
  for (long long i = 0; i < n; ++i) partial[i < n / parts ? 0 : 1] += x[i];
}
extern "C" void whole(const float* x, double* partial, long long n) {
  for (long long i = 0; i < n; ++i) partial[0] += x[i];
}
extern "C" void finish(const double* partial, const float* x, double* total, float* doubled, long long n) {
  double sum = 0;
  for (int i = 0; i < PARTS; ++i) sum += partial[i];
  total[0] = sum;
  for (long long i = 0; i < n; ++i) doubled[2 * i] = doubled[2 * i + 1] = x[i];
}
""",
        cpp_plan="""
[params]
PARTS = 2
[[workspace]]
name = "partial"
dtype = "f64"
shape = ["PARTS"]
zero = true
[[launch]]
step = "reduce"
kernel = "halves"
when = "n >= PARTS"
args = ["x", "partial", "n", "PARTS"]
[[launch]]
step = "reduce"
kernel = "whole"
args = ["x", "partial", "n"]
[[launch]]
step = "finish"
kernel = "finish"
args = ["partial", "x", "total", "doubled", "n"]
""",
        cuda="""
extern "C" __global__ void reduce(const float* x, double* partial, long long n) {
  extern __shared__ double parts[];
  double sum = 0;
  for (long long i = threadIdx.x; i < n; i += blockDim.x) sum += x[i];
  parts[threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.x == 0) {
    double all = 0;
    for (int i = 0; i < THREADS; ++i) all += parts[i];
    partial[0] += all;
  }
}
extern "C" __global__ void finish(const double* partial, const float* x, double* total, float* doubled, long long n) {
  const long long i = blockIdx.x * (long long)THREADS + threadIdx.x;
  if (i == 0) total[0] = partial[0];
  if (i < n) doubled[2 * i] = doubled[2 * i + 1] = x[i];
}
""",
        cuda_plan="""
[params]
THREADS = 64
[[workspace]]
name = "partial"
dtype = "f64"
shape = [1]
zero = true
[[launch]]
step = "reduce"
kernel = "reduce"
block = ["THREADS"]
smem = "8 * THREADS"
args = ["x", "partial", "n"]
[[launch]]
step = "finish"
kernel = "finish"
grid = ["cdiv(n, THREADS)"]
block = ["THREADS"]
args = ["partial", "x", "total", "doubled", "n"]
""",
    ),
    # Every dtype that is not f32, and every kind of scalar.
    "narrow": Sample(
        interface(
            "narrow",
            [
                tensor("x", "bf16[n]"),
                tensor("h", "f16[n]"),
                tensor("q", "i8[n]"),
                tensor("u", "u8[n]"),
                tensor("m", "bool[n]"),
                tensor("w", "i32[n]"),
                Scalar(name="scale", dtype="f64"),
                Scalar(name="shift", dtype="i32", default=0),
                Scalar(name="keep", dtype="bool", default=True),
                Scalar(name="half", dtype="f16", default=0.5),
            ],
            [tensor("y", "bf16[n]"), tensor("z", "i32[n]")],
            "n",
        ),
        cpp="""
extern "C" void narrow(const spak::bf16* x, const spak::f16* h, const signed char* q, const unsigned char* u, const bool* m,
                       const int* w, spak::bf16* y, int* z, long long n, double scale, int shift, bool keep, spak::f16 half) {
  for (long long i = 0; i < n; ++i) {
    y[i] = spak::bf16(static_cast<float>(x) * 0 + float(x[i]) * float(scale) + float(h[i]) * float(half));
    z[i] = m[i] && keep ? q[i] + u[i] + w[i] + shift : -1;
  }
}
""".replace("static_cast<float>(x) * 0 + ", ""),
        cpp_plan="""
[[launch]]
kernel = "narrow"
args = ["x", "h", "q", "u", "m", "w", "y", "z", "n", "scale", "shift", "keep", "half"]
""",
        cuda="""
#include <spak/cuda/half.h>
extern "C" __global__ void narrow(const __nv_bfloat16* x, const __half* h, const signed char* q, const unsigned char* u,
    const bool* m, const int* w, __nv_bfloat16* y, int* z, long long n, double scale, int shift, bool keep, __half half) {
  const long long i = threadIdx.x;
  if (i >= n) return;
  y[i] = __float2bfloat16(__bfloat162float(x[i]) * (float)scale + __half2float(h[i]) * __half2float(half));
  z[i] = m[i] && keep ? q[i] + u[i] + w[i] + shift : -1;
}
""",
        cuda_plan="""
[[launch]]
kernel = "narrow"
block = ["min(n, 1024)"]
args = ["x", "h", "q", "u", "m", "w", "y", "z", "n", "scale", "shift", "keep", "half"]
""",
    ),
    # Layouts: column-major and strided, in and out.
    "layouts": Sample(
        interface(
            "layouts",
            [tensor("a", "f32[M, N]", layout="col"), tensor("b", "f32[M, N]", layout="strided", strides=("ld", "1"))],
            [tensor("c", "f32[N, M]", layout="col")],
            "M N ld",
        ),
        cpp="""
extern "C" void layouts(const float* a, const float* b, float* c, long long M, long long N, long long ld) {
  for (long long i = 0; i < M; ++i)
    for (long long j = 0; j < N; ++j) c[i * N + j] = a[j * M + i] + b[i * ld + j];
}
""",
        cpp_plan='[[launch]]\nkernel = "layouts"\nargs = ["a", "b", "c", "M", "N", "ld"]\n',
    ),
    # Sizes that only the result knows.
    "fill": Sample(
        interface("fill", [Scalar(name="value", dtype="f32")], [tensor("c", "f32[n]")], "n"),
        cpp='extern "C" void fill(float* c, long long n, float value) { for (long long i = 0; i < n; ++i) c[i] = value; }\n',
        cpp_plan='[[launch]]\nkernel = "fill"\nargs = ["c", "n", "value"]\n',
    ),
}
