use cpu_kernels, import "other.dsl"
kernel gemm(a: f32[M, K] col, b: f32[K, N] strides(ldb, 1), ldb: i32, alpha: f32 = 1.0, t: bool = false)
    -> (c: f32[M, N], s: f32[1])
{
  require: M >= 1 && N >= 1
  require "K is even": K % 2 == 0
  reference: reference.py:gemm
  accumulate: f32; tolerance: { factor: 4, rtol: 1e-5 }
  flops: 2 * M * N * K + cdiv(M, 128) * max(N, 1)
  linear: [a, b]   deterministic: true   openmp: false
  grants: []
  sass: ["no local memory"]
  variant naive { intent: "..." staging: none }
  variant tiled { intent: """two
    lines""" staging: shared targets: [sm_80, sm_90a] }
}
design_space { staging: [none, shared] }
tuning_space { BM: [32, 64]  BN: range [8, 128]  constraint: BM * BN <= 16384 && (BM in [32, 64] || !(BN < 16)) }
invariant NoScratch { assert: "None." check: workspace_bytes == 0 }
