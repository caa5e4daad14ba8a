"""The rewriter: lines stay where they are, every form of declaration is taken, the rest is refused with its place."""

from __future__ import annotations

import pytest
from spak.errors import SpakError
from spak.sim.source import rewrite
from spak.sim.tokens import tokenize

HEAD = '#include <spak/sim/builtins.h>\n#line 1 "k.cu"\n'


def body(source: str) -> str:
    out = rewrite(source, "k.cu")
    assert out.startswith(HEAD)
    return out[len(HEAD) :]


@pytest.mark.parametrize(
    "source",
    [
        "",
        "int f(int a) { return a; }\n",
        '// __shared__ asm <<<\n/* __global__\n __shared__ */ const char* s = "__shared__ asm"; char c = \'"\';\n',
        'auto r = R"x(__shared__ " asm)x";\n',
        "#define ADD(a, b) \\\n  ((a) + (b))\nint x = ADD(1,\n 2);\n",
        "__global__ void declared(int* x);\n",
        "long n = 1'000'000; double d = 1.5e-3;\n",
    ],
)
def test_other_code_is_left_alone(source: str) -> None:
    assert body(source) == source


def test_every_line_keeps_its_number() -> None:
    source = """\
extern "C" __global__ void __launch_bounds__(
    128,
    2) k(float* out) {
  __shared__
    float a[4]
         [5],
    b;   // the end
  #pragma unroll
  for (int i = 0; i < 4; ++i) a[i][0] = b;
  out[0] = a[1][2];  // line 10
}
"""
    lines = body(source).split("\n")
    assert len(lines) == len(source.split("\n"))
    assert lines[9] == "  out[0] = a[1][2];  // line 10" and lines[7].strip() == ""
    assert lines[2] == "    2) k(float* out) { ::spak::sim::enter((128), ::spak::sim::here());"
    assert "__shared__" not in "".join(lines)


def kernel(declaration: str) -> str:
    return body(f"template <typename T, int N> __global__ void k() {{ {declaration} }}")


@pytest.mark.parametrize(
    ("declaration", "typedef", "call"),
    [
        ("__shared__ float a[16];", "typedef  float a__spak_type[16];", "shared<a__spak_type>(a__spak_site, 0)"),
        ("__shared__ T a[N][N + 1];", "typedef  T a__spak_type[N][N + 1];", "shared<a__spak_type>"),
        ("float __shared__ a;", "typedef float  a__spak_type;", "shared<a__spak_type>"),
        (
            "static __shared__ const P<1, (2 > 1)> a[2];",
            "typedef   const P<1, (2 > 1)> a__spak_type[2];",
            "shared<a__spak_type>",
        ),
        ("__shared__ P<Q<int>> a;", "typedef  P<Q<int>> a__spak_type;", "shared<a__spak_type>"),
        (
            "__shared__ struct S { int x, y; } a[3];",
            "typedef  struct S { int x, y; } a__spak_type[3];",
            "shared<a__spak_type>",
        ),
        (
            "__shared__ unsigned long long *a[2], b;",
            "unsigned long long *a__spak_type[2], b__spak_type;",
            "shared<b__spak_type>",
        ),
        ("__shared__ __align__(16) float a[4];", "typedef   float a__spak_type[4];", "(a__spak_site, (16))"),
        ("alignas(32) __shared__ float a[4];", "float a__spak_type[4];", "(a__spak_site, (32))"),
        ("__shared__ decltype(f(1, 2)) a;", "typedef  decltype(f(1, 2)) a__spak_type;", "shared<a__spak_type>"),
        ("extern __shared__ T a[];", "typedef   T a__spak_type[];", "dynamic<a__spak_type>(a__spak_site, 0)"),
        (
            "extern __shared__ __align__(1024) unsigned char a[];",
            "unsigned char a__spak_type[];",
            "(a__spak_site, (1024))",
        ),
        ("if (x) { __shared__ int a; a = 1; }", "typedef  int a__spak_type;", "shared<a__spak_type>"),
        ("switch (x) { case 1: { __shared__ int a; } }", "typedef  int a__spak_type;", "shared<a__spak_type>"),
    ],
)
def test_declarations(declaration: str, typedef: str, call: str) -> None:
    out = kernel(declaration)
    assert typedef in out and call in out


def findings(source: str) -> list[str]:
    with pytest.raises(SpakError) as caught:
        rewrite(source, "k.cu")
    return [str(d) for d in caught.value.diagnostics]


@pytest.mark.parametrize(
    ("source", "start"),
    [
        (
            'void f() {\n  asm volatile("vadd.s32 1;");\n}',
            "k.cu:2:16: SPK591: the simulator has no model of the instruction",
        ),
        ('__device__ int g() { int x; __asm__("mov" : "=r"(x)); return x; }', "k.cu:1:37: SPK591"),
        ("__shared__ float a[4];\n", "k.cu:1:1: SPK595: a __shared__ variable outside a function"),
        ("namespace n {\n  extern __shared__ float a[];\n}", "k.cu:2:10: SPK595"),
        ("struct S {\n __shared__ int a; };", "k.cu:2:2: SPK595"),
        ("void f() {\n  __shared__ float a = 1;\n}", "k.cu:2:22: SPK596: a __shared__ variable cannot be initialised"),
        ("void f() { __shared__ int a{1}; }", "k.cu:1:28: SPK596"),
        ("void f() { __shared__ S a(1); }", "k.cu:1:26: SPK596"),
        ("\n#define TILE __shared__ float\n", "k.cu:2:1: SPK592"),
        ("void f() { k<<<1, 2>>>(); }", "k.cu:1:13: SPK593"),
        ("__global__ void __cluster_dims__(2) k() {}", "k.cu:1:17: SPK594"),
        ("int a; /* never closed", "k.cu:1:8: SPK590"),
        ('const char* s = "open\n";', "k.cu:1:17: SPK590"),
        ("void f() { __shared__ float a", "k.cu:1:12: SPK590"),
        ("void f() { __shared__ ; }", "k.cu:1:23: SPK590"),
    ],
)
def test_what_cannot_be_simulated_is_refused_with_its_place(source: str, start: str) -> None:
    found = findings(source)
    assert len(found) == 1 and found[0].startswith(start), found


def test_all_findings_come_at_once() -> None:
    found = findings('void f() {\n asm("x");\n __shared__ int a = 1;\n g<<<1, 1>>>();\n}\n__shared__ int b;\n')
    assert [line.split(": ")[1] for line in found] == ["SPK591", "SPK596", "SPK593", "SPK595"]


def test_tokens_cover_the_source() -> None:
    source = "a<<b>>=1; x->y::z; 1'000u; 0x1p-3f; R\"(\")\"; '\\''; #define not_a_directive\n#if 1 \\\n  && 2\n@"
    tokens = tokenize(source)
    assert [source[t.begin : t.end] for t in tokens] == [t.text for t in tokens]
    assert [t.text for t in tokens if t.kind == "directive"] == ["#if 1 \\\n  && 2"]
    assert [t.text for t in tokens if t.kind == "number"] == ["1", "1'000u", "0x1p-3f"]
