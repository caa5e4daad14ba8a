# ruff: noqa: E501
"""Bad replies are rejected, each with the code that names what is wrong, at the line where it is."""

from __future__ import annotations

from pathlib import Path

import honest
import pytest
from checkbench import MATMUL, REDUCE, SOFTMAX, UNITS, VECTOR_ADD, judge, tensor, unit
from spak.model.ir import Scalar, Unit, Variant

SAXPY = unit((Scalar(name="alpha", dtype="f32"), tensor("x", "f32", "n")), (tensor("y", "f32", "n"),), "n", "n >= 1")
BF16 = unit((tensor("a", "bf16", "M", "K"),), (tensor("c", "bf16", "M", "K"),), "M K", "M >= 1 && K >= 1")


def body(
    statements: str, before: str = "", params: str = "const float* a, const float* b, float* c, long long n"
) -> str:
    """A CUDA kernel `k` with the given statements on lines of their own, from line 3 on when nothing stands before it."""
    return f'#include <spak/cuda/all.h>\n{before}extern "C" __global__ void k({params}) {{\n{statements}\n}}\n'


PLAN = '[[launch]]\nkernel = "k"\ngrid = ["cdiv(n, 256)"]\nblock = [256]\nargs = ["a", "b", "c", "n"]\n'

#: name -> (source, the error it must draw). The plan is PLAN, for vector_add on sm_90a.
SOURCES = {
    "missing brace": ('extern "C" __global__ void k(const float* a, const float* b, float* c, long long n) {\n  if (n) {\n}\n', "SPK401 kernel.cu:3"),
    "missing semicolon": (body("  c[0] = a[0]\n  c[1] = a[1];"), "SPK401 kernel.cu:4"),
    "no such kernel": (body("").replace(" k(", " other("), "SPK402 plan.toml:2"),
    "defined twice": (body("", before="") + 'extern "C" __global__ void k(int) {}\n', "SPK403 kernel.cu:5"),
    "mangled name": (body("").replace('extern "C" ', ""), "SPK404 kernel.cu:2"),
    "device function": (body("").replace("__global__", "__device__"), "SPK405 kernel.cu:2"),
    "returns a value": (body("").replace("void k", "int k"), "SPK405 kernel.cu:2"),
    "too few parameters": (body("", params="const float* a, float* c, long long n"), "SPK410 kernel.cu:2"),
    "wrong element type": (body("", params="const double* a, const float* b, float* c, long long n"), "SPK411 kernel.cu:2"),
    "vector type": (body("", params="const float4* a, const float* b, float* c, long long n"), "SPK411 kernel.cu:2"),
    "float for an axis": (body("", params="const float* a, const float* b, float* c, float n"), "SPK411 kernel.cu:2"),
    "size_t for an axis": (body("", params="const float* a, const float* b, float* c, size_t n"), "SPK411 kernel.cu:2"),
    "writable input": (body("", params="float* a, const float* b, float* c, long long n"), "SPK412 kernel.cu:2"),
    "const result": (body("", params="const float* a, const float* b, const float* c, long long n"), "SPK412 kernel.cu:2"),
    "int for an axis": (body("", params="const float* a, const float* b, float* c, int n"), "SPK413 kernel.cu:2"),
    "system header": ("#include <cstdio>\n" + body(""), "SPK420 kernel.cu:1"),
    "header above": ('#include "../../secret.h"\n' + body(""), "SPK420 kernel.cu:1"),
    "header by way of ..": ("#include <spak/cuda/../sim/engine.h>\n" + body(""), "SPK420 kernel.cu:1"),
    "simulator header": ("#include <spak/sim/launch.h>\n" + body(""), "SPK420 kernel.cu:1"),
    "inline assembly": (body('  asm volatile("mov.u32 %0, 1;" : : );'), "SPK421 kernel.cu:3"),
    "inline assembly in a macro": ('#define X() asm("")\n' + body("  X();"), "SPK421 kernel.cu:1"),
    "printf": (body('  printf("%lld", n);'), "SPK422 kernel.cu:3"),
    "malloc": (body("  void* p = malloc(8);"), "SPK422 kernel.cu:3"),
    "builtin malloc": (body("  void* p = __builtin_malloc(8);"), "SPK422 kernel.cu:3"),
    "new": (body("  float* p = new float[8];"), "SPK422 kernel.cu:3"),
    "host API": (body("  cudaDeviceSynchronize();"), "SPK422 kernel.cu:3"),
    "mutable global": ("__device__ int calls;\n" + body("  calls = 1;"), "SPK423 kernel.cu:1"),
    "global in a namespace": ("namespace {\n__device__ float memo[4];\n}\n" + body(""), "SPK423 kernel.cu:2"),
    "pointer kept": ("__device__ const float* last = nullptr;\n" + body(""), "SPK423 kernel.cu:1"),
    "static local": (body("  static int seen;\n  seen = 1;"), "SPK423 kernel.cu:3"),
    "const static local": (body("  static const long long first = n;"), "SPK423 kernel.cu:3"),
    "static member": ("struct S {\n  static int n;\n};\n" + body(""), "SPK423 kernel.cu:2"),
    "managed memory": ("__managed__ int shared_with_host;\n" + body(""), "SPK423 kernel.cu:1"),
    "recursion": ("__device__ int f(int n) {\n  return n ? f(n - 1) : 0;\n}\n" + body(""), "SPK424 kernel.cu:2"),
    "mutual recursion": ("__device__ int g(int n) {\n  return h(n, 1);\n}\n__device__ int h(int n, int m) { return g(n - m); }\n" + body(""), "SPK424 kernel.cu:2"),
    "function pointer": (body("  float (*f)(float) = nullptr;"), "SPK425 kernel.cu:3"),
    "address of a function": ("__device__ void f() {}\n" + body("  auto p = &f;"), "SPK425 kernel.cu:4"),
    "virtual": ("struct S {\n  virtual void f() {}\n};\n" + body(""), "SPK425 kernel.cu:2"),
    "token pasting": ("#define JOIN(a, b) a##b\n" + body("  JOIN(as, m)(\"\");"), "SPK426 kernel.cu:1"),
    "redefined keyword": ("#define if while\n" + body(""), "SPK426 kernel.cu:1"),
    "redefined builtin": ("#define __syncthreads() 0\n" + body(""), "SPK426 kernel.cu:1"),
    "hidden state": ("#define KEEP static int\n" + body("  KEEP x = 0;"), "SPK426 kernel.cu:1"),
    "split token": (body('  as\\\nm("");'), "SPK426 kernel.cu:3"),
    "comment that swallows a line": (body("  // why \\\n  c[0] = 1;"), "SPK426 kernel.cu:3"),
    "digraph": (body("  c<:0:> = 1;"), "SPK426 kernel.cu:3"),
    "trigraph": (body("  const char* s = \"\"; c??(0??) = 1;"), "SPK426 kernel.cu:3"),
    "line directive": ("#line 1 \"other.cu\"\n" + body(""), "SPK426 kernel.cu:1"),
    "build date": (body("  const char* s = __DATE__;"), "SPK426 kernel.cu:3"),
    "homoglyph": (body("  float а = 0;"), "SPK426 kernel.cu:3"),
    "pragma": ("#pragma nv_exec_check_disable\n" + body(""), "SPK427 kernel.cu:1"),
    "OpenMP in CUDA": (body("#pragma omp parallel for\n  for (int i = 0; i < 3; ++i) {}"), "SPK427 kernel.cu:3"),
    "constructor": ("__attribute__((constructor)) void early() {}\n" + body(""), "SPK428 kernel.cu:1"),
    "gnu constructor": ("[[gnu::constructor]] void early() {}\n" + body(""), "SPK428 kernel.cu:1"),
    "optimize attribute": ('__attribute__((optimize("fast-math"))) __device__ void f() {}\n' + body(""), "SPK428 kernel.cu:1"),
    "nested launch": (body("  k<<<1, 1>>>(a, b, c, n);"), "SPK430 kernel.cu:3"),
    "clock": (body("  long long t = clock64();"), "SPK431 kernel.cu:3"),
    "cache policy": (body('  const char* p = "createpolicy.fractional.L2::evict_last.b64";'), "SPK432 kernel.cu:3"),
    "atomics": (body("  atomicAdd(c, a[0]);"), "SPK433 kernel.cu:3"),
    "undefined function": ('extern "C" __device__ void cublas_like(float*);\n' + body(""), "SPK434 kernel.cu:1"),
    "tells the simulator": ("#ifdef SPAK_SIM\n#endif\n" + body(""), "SPK435 kernel.cu:1"),
    "adds by an asynchronous copy": (body("spak::bulk_reduce_add<float>(c, nullptr, 16);"), "SPK433 kernel.cu:3"),
    "reads the cycle counter": (body("c[0] = spak::cycles();"), "SPK431 kernel.cu:3"),
    "tells the architecture": ("#if __CUDA_ARCH__ >= 900\n#endif\n" + body(""), "SPK435 kernel.cu:1"),
    "has another source": ("#ifdef FAST\n#endif\n" + body(""), "SPK435 kernel.cu:1"),
    "tells the compiler": ("#if defined(__CUDACC_RTC__)\n#endif\n" + body(""), "SPK435 kernel.cu:1"),
    "32-bit global index": (body("  int i = blockIdx.x * blockDim.x + threadIdx.x;\n  if (i < n) c[i] = a[i] + b[i];"), "SPK440 kernel.cu:3"),
    "32-bit counter": (body("  for (int i = threadIdx.x; i < n; i += 256) c[i] = a[i];"), "SPK440 kernel.cu:3"),
    "32-bit while": (body("  int i = threadIdx.x;\n  while (i < n) i += 256;"), "SPK440 kernel.cu:4"),
    "narrowing cast": (body("  const int m = (int)n;"), "SPK440 kernel.cu:3"),
    "narrowing argument": ("__device__ float f(int i) { return i; }\n" + body("  c[0] = f(n);"), "SPK440 kernel.cu:4"),
    "narrowing assignment": (body("  int m;\n  m = n / 2;"), "SPK440 kernel.cu:4"),
    "widening too late": (body("  long long i = blockIdx.x * blockDim.x + threadIdx.x;"), "SPK440 kernel.cu:3"),
}  # fmt: skip


@pytest.mark.parametrize("name", SOURCES)
def test_bad_device_code(tmp_path: Path, name: str) -> None:
    source, expected = SOURCES[name]
    judged = judge(tmp_path, VECTOR_ADD, source, PLAN)
    assert expected in judged.errors, [str(d) for d in judged.diagnostics]
    assert not judged.outcome.ok
    assert judged.evidence["verdict"] == "failed"


def edited(plan: str, old: str, new: str) -> str:
    assert old in plan
    return plan.replace(old, new, 1)


STAGED, TUNED, NO_SCRATCH = UNITS["matmul_staged"], UNITS["matmul_tuned"], UNITS["reduce_no_scratch"]
V, M, S, R = honest.VECTOR_ADD_CUDA_PLAN, honest.MATMUL_CUDA_PLAN, honest.SOFTMAX_CUDA_PLAN, honest.REDUCE_CUDA_PLAN
VK, MK, SK, RK = honest.VECTOR_ADD_CUDA, honest.MATMUL_CUDA, honest.SOFTMAX_CUDA, honest.REDUCE_CUDA

#: name -> (unit, source, plan, the error it must draw).
PLANS = {
    "not TOML": (VECTOR_ADD, VK, edited(V, '["min(cdiv(n, 256), 8 * SM_COUNT)"]', "[cdiv(n, 256)]"), "SPK450 plan.toml:3"),
    "no launch": (VECTOR_ADD, VK, "[params]\nT = 1\n", "SPK451 plan.toml:1"),
    "misspelt key": (VECTOR_ADD, VK, edited(V, "block", "blokc"), "SPK451 plan.toml:4"),
    "args not a list": (VECTOR_ADD, VK, edited(V, '["a", "b", "c", "n"]', '"a"'), "SPK451 plan.toml:5"),
    "fraction for a size": (VECTOR_ADD, VK, edited(V, "[256]", "[25.6]"), "SPK451 plan.toml:4"),
    "text parameter": (MATMUL, MK, edited(M, "BM = 64", 'BM = "64"'), "SPK451 plan.toml:2"),
    "four dimensions": (VECTOR_ADD, VK, edited(V, "[256]", "[256, 1, 1, 1]"), "SPK451 plan.toml:4"),
    "unknown argument": (VECTOR_ADD, VK, edited(V, '"n"]', '"N"]'), "SPK452 plan.toml:5"),
    "expression as argument": (VECTOR_ADD, VK, edited(V, '"n"]', '"n + 1"]'), "SPK452 plan.toml:5"),
    "unknown axis": (VECTOR_ADD, VK, edited(V, "cdiv(n", "cdiv(m"), "SPK452 plan.toml:3"),
    "tensor in an expression": (VECTOR_ADD, VK, edited(V, "cdiv(n", "cdiv(a"), "SPK452 plan.toml:3"),
    "unparsable expression": (VECTOR_ADD, VK, edited(V, "cdiv(n, 256)", "cdiv(n, "), "SPK453 plan.toml:3"),
    "true division": (VECTOR_ADD, VK, edited(V, "cdiv(n, 256)", "n / 256"), "SPK453 plan.toml:3"),
    "number as condition": (SOFTMAX, SK, edited(S, '"N <= 32 * THREADS"', '"32 * THREADS"'), "SPK453 plan.toml:6"),
    "condition as size": (VECTOR_ADD, VK, edited(V, "cdiv(n, 256)", "n > 256"), "SPK453 plan.toml:3"),
    "division by zero": (VECTOR_ADD, VK, edited(V, "8 * SM_COUNT", "SM_COUNT // 0"), "SPK453 plan.toml:3"),
    "parameter hides an axis": (MATMUL, MK, edited(M, "TN = 4", "TN = 4\nK = 3"), "SPK454 plan.toml:7"),
    "keyword as parameter": (MATMUL, MK, edited(M, "TN = 4", "TN = 4\nint = 3"), "SPK455 plan.toml:7"),
    "no design": (STAGED, MK, M, "SPK456 plan.toml:1"),
    "unknown design": (STAGED, MK, M + '[design]\nstaging = "sharde"\n', "SPK456 plan.toml:15"),
    "design the variant denies": (
        STAGED.model_copy(update={"variants": (Variant(name="v", design={"staging": "none"}),)}), MK, M + '[design]\nstaging = "shared"\n', "SPK456 plan.toml:15",
    ),
    "outside the tuning space": (TUNED, MK, edited(M, "BM = 64", "BM = 128"), "SPK457 plan.toml:2"),
    "constraint broken": (TUNED, MK, edited(M, "BN = 64", "BN = 128"), "SPK458 plan.toml:2"),
    "dispatch with a hole": (SOFTMAX, SK, edited(S, '"N > 32 * THREADS"', '"N > 33 * THREADS"'), "SPK460 plan.toml:14"),
    "grid.y too large": (MATMUL, MK, edited(M, '["min(cdiv(M, BM) * cdiv(N, BN), 2147483647)"]', '["cdiv(M, BM)", "cdiv(N, BN)"]'), "SPK461 plan.toml:11"),
    "block too large": (MATMUL, MK, edited(M, "(BM // TM) * (BN // TN)", "BM * BN"), "SPK462 plan.toml:12"),
    "block of the shape": (SOFTMAX, SK, edited(S, '["THREADS"]', '["N"]'), "SPK462 plan.toml:8"),
    "too much shared memory": (SOFTMAX, SK, edited(S, '"max(THREADS // 32 * 4, 16)"', '"4 * N * THREADS"'), "SPK463 plan.toml:9"),
    "cluster too large": (VECTOR_ADD, VK, V + "cluster = [16]\n", "SPK464 plan.toml:6"),
    "cluster does not divide": (VECTOR_ADD, VK, V + "cluster = [2]\n", "SPK464 plan.toml:3"),
    "invariant broken": (NO_SCRATCH, RK, R, "SPK466 plan.toml:4"),
    "64-bit overflow": (MATMUL, MK, edited(M, "cdiv(M, BM) * cdiv(N, BN)", "M * N * M * N // (BM * BN)"), "SPK467 plan.toml:11"),
    "result forgotten": (REDUCE, RK, R[: R.index('[[launch]]\nstep = "2"')], "SPK468 plan.toml:14"),
    "result forgotten on a path": (REDUCE, RK, edited(R, 'step = "2"', 'step = "1"'), "SPK468 plan.toml:14"),
    "axis unknown to the kernel": (VECTOR_ADD, VK.replace(", long long n)", ")"), edited(edited(V, ', "n"]', "]"), "min(cdiv(n, 256), 8 * SM_COUNT)", "SM_COUNT"), "SPK468 plan.toml:5"),
    "empty grid": (VECTOR_ADD.model_copy(update={"require": ()}), VK, V, "SPK470 plan.toml:3"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANS)
def test_bad_plan(tmp_path: Path, name: str) -> None:
    of, source, plan, expected = PLANS[name]
    judged = judge(tmp_path, of, source, plan)
    assert expected in judged.errors, [str(d) for d in judged.diagnostics]
    assert not judged.outcome.ok


def test_everything_wrong_is_reported_at_once(tmp_path: Path) -> None:
    source = body('  printf("x");\n  static int s;\n  int i = blockIdx.x * blockDim.x;', before="#include <cstdio>\n")
    plan = edited(PLAN, "[256]", "[2048]")
    assert judge(tmp_path, VECTOR_ADD, source, plan).errors == [
        "SPK420 kernel.cu:2", "SPK422 kernel.cu:4", "SPK423 kernel.cu:5", "SPK440 kernel.cu:6", "SPK462 plan.toml:4",
    ]  # fmt: skip


def test_a_counterexample_is_small_and_shown(tmp_path: Path) -> None:
    judged = judge(tmp_path, MATMUL, MK, PLANS["grid.y too large"][2])
    (finding,) = [d for d in judged.diagnostics if d.code == "SPK461"]
    assert finding.message == "for M=1, K=1, N=4194241 grid.y is 65536 > 65535"


def test_scalars_and_half_types(tmp_path: Path) -> None:
    plan = '[[launch]]\nkernel = "k"\ngrid = ["cdiv(n, 256)"]\nblock = [256]\nargs = ["alpha", "x", "y", "n"]\n'
    good = body("", params="float alpha, const float* x, float* y, long long n")
    assert judge(tmp_path, SAXPY, good, plan).errors == []
    assert judge(tmp_path, SAXPY, good.replace("float alpha", "double alpha"), plan).errors == ["SPK411 kernel.cu:2"]
    plan = '[[launch]]\nkernel = "k"\ngrid = ["cdiv(M, 256)"]\nblock = [256]\nargs = ["a", "c", "M", "K"]\n'
    good = body("", params="const __nv_bfloat16* a, __nv_bfloat16* c, long long M, spak::index_t K")
    assert judge(tmp_path, BF16, good, plan).errors == []
    assert judge(tmp_path, BF16, good.replace("const __nv_bfloat16*", "const __half*"), plan).errors == [
        "SPK411 kernel.cu:2"
    ]


def test_a_tensor_map_is_checked(tmp_path: Path) -> None:
    source = body("", params="const __grid_constant__ CUtensorMap t, __nv_bfloat16* c, long long M")
    plan = (
        '[[tensor_map]]\nname = "t"\ntensor = "a"\nbox = [64, 64]\nswizzle = "128B"\n'
        '[[launch]]\nkernel = "k"\nwhen = "K % 8 == 0"\ngrid = ["cdiv(M, 64)"]\nblock = [128]\nargs = ["t", "c", "M"]\n'
        '[[launch]]\nkernel = "k2"\ngrid = ["cdiv(M, 64)"]\nblock = [128]\nargs = ["a", "c", "M", "K"]\n'
    )
    both = (
        source
        + 'extern "C" __global__ void k2(const __nv_bfloat16* a, __nv_bfloat16* c, long long M, long long K) {}\n'
    )
    assert judge(tmp_path, BF16, both, plan).errors == []
    assert judge(tmp_path, BF16, both, plan.replace("K % 8 == 0", "K % 4 == 0")).errors == ["SPK465 plan.toml:3"]
    assert judge(tmp_path, BF16, both, plan.replace("[64, 64]", "[64, 128]")).errors == ["SPK465 plan.toml:4"]
    assert judge(tmp_path, BF16, both, plan.replace("[64, 64]", "[512, 64]")).errors == ["SPK465 plan.toml:4"]
    assert judge(tmp_path, BF16, both.replace("__grid_constant__ ", ""), plan).errors == ["SPK414 kernel.cu:2"]
    assert judge(tmp_path, BF16, both, plan.replace('swizzle = "128B"', 'fill = "nan"')).errors == []
    columns = (tensor("a", "bf16", "M", "K", layout="strided", strides=("8 * K", "S")),)
    strided = unit(columns, (tensor("c", "bf16", "M", "K"),), "M K S", "M >= 1 && K >= 1 && S >= 1")
    assert judge(tmp_path, strided, both, plan).errors == ["SPK465 plan.toml:3"]
    whole = unit((tensor("a", "i8", "M", "K"),), (tensor("c", "bf16", "M", "K"),), "M K", "M >= 1 && K >= 1")
    bytes_ = plan.replace('swizzle = "128B"', 'fill = "nan"').replace("% 8", "% 16")
    assert judge(tmp_path, whole, both.replace("k2(const __nv_bfloat16*", "k2(const signed char*"), bytes_).errors == [
        "SPK465 plan.toml:5"
    ]


def test_grants_and_bounds_lift_what_they_name(tmp_path: Path) -> None:
    granted = VECTOR_ADD.model_copy(update={"grants": ("atomics", "inline_ptx")})
    source = body('  atomicAdd(c, a[0]);\n  asm volatile("membar.gl;");')
    assert judge(tmp_path, granted, source, PLAN).errors == []
    bounded: Unit = unit(
        (tensor("a", "f32", "n"), tensor("b", "f32", "n")), (tensor("c", "f32", "n"),), "n", "n >= 1 && n <= 1073741824"
    )
    source = body(
        "  int i = blockIdx.x * blockDim.x + threadIdx.x;\n  if (i < n) c[i] = a[i];",
        params="const float* a, const float* b, float* c, int n",
    )
    assert judge(tmp_path, bounded, source, PLAN).errors == []


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    assert judge(tmp_path, VECTOR_ADD, b"// caf\xe9\n", PLAN).errors == ["SPK400 kernel.cu:1"]
    assert judge(tmp_path, VECTOR_ADD, VK, b"\xff[[launch]]\n").errors == ["SPK400 plan.toml:1"]
    assert judge(tmp_path, VECTOR_ADD, "int x;\n\0", PLAN).errors == ["SPK400 kernel.cu:2"]
    assert judge(tmp_path, VECTOR_ADD, b" " * (2 << 20), PLAN).errors == ["SPK400 kernel.cu:1"]


def test_openmp_only_where_the_spec_allows_it(tmp_path: Path) -> None:
    assert judge(tmp_path, SOFTMAX, honest.SOFTMAX_CPP, honest.SOFTMAX_CPP_PLAN, "cpu").errors == [
        "SPK427 kernel.cpp:18"
    ]


def test_deep_nesting_is_judged(tmp_path: Path) -> None:
    source = body("  long long i = " + "(" * 5000 + "n" + ")" * 5000 + ";")
    judged = judge(tmp_path, VECTOR_ADD, source, PLAN)
    assert judged.evidence["verdict"] in ("passed", "failed")
