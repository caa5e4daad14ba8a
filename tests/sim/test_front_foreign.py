"""The rewriter of foreign CUDA programs: launches, kernels, variables, shared memory in all the places that people put them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from spak.errors import Diagnostic, SpakError
from spak.sim.includes import Program
from spak.sim.source import rewrite_file
from spak.sim.work import Context


def out(source: str, *before: str) -> str:
    """The text of `source`, after other files of the same program."""
    context = Context(foreign=True)
    for text in before:
        rewrite_file(text, "before.cuh", context)
    edits = rewrite_file(source, "k.cu", context)
    assert not edits.found.found, [str(one) for one in edits.found.found]
    text = edits.text()
    assert text.count("\n") == source.count("\n")
    return text


def wrong(source: str) -> list[str]:
    edits = rewrite_file(source, "k.cu", Context(foreign=True))
    return [str(one) for one in edits.found.found]


CONFIGURE = "(::spak::sim::host::configure"


@pytest.mark.parametrize(
    ("launch", "wanted"),
    [
        ("k<<<1, 2>>>(a, b);", f"{CONFIGURE}(1, 2), k(a, b));"),
        ("k << <1, 2 >> > ();", f"{CONFIGURE}(1, 2), k());"),
        (
            "std::vector<std::vector<A<B>> > v; k<A<B<int>> > << <1, 2>> >(v);",
            f"{CONFIGURE}(1, 2), k<A<B<int>>>(v));",
        ),
        ("k <<< 1, 2 >>> ();", f"{CONFIGURE}(1, 2), k());"),
        ("k<T, 8><<<g, dim3(2, 3), n * sizeof(float), s>>>(a);", "(g, dim3(2, 3), n * sizeof(float), s), k<T, 8>(a));"),
        ("n::k<A<B<int>>><<<1, 2>>>(a);", f"{CONFIGURE}(1, 2), n::k<A<B<int>>>(a));"),
        ("::k<<<1, 2>>>(a);", f"{CONFIGURE}(1, 2), ::k(a));"),
        ("A<T>::k<<<1, 2>>>(a);", f"{CONFIGURE}(1, 2), A<T>::k(a));"),
        ("if (x) k<<<1, 2>>>(a); else j<<<3, 4>>>(b);", f"else {CONFIGURE}(3, 4), j(b));"),
        ("(*kernel)<<<1, 2>>>(a);", f"{CONFIGURE}(1, 2), (*kernel)(a));"),
        ("kernels[i]<<<1, 2>>>(a);", f"{CONFIGURE}(1, 2), kernels[i](a));"),
        ("this->template k<3><<<1, 2>>>(a);", f"{CONFIGURE}(1, 2), this->template k<3>(a));"),
        ("CHECK(k<<<1, 2>>>(f(a, {1, 2})));", f"CHECK({CONFIGURE}(1, 2), k(f(a, {{1, 2}}))));"),
        ("k<<<(n + 255) / 256, x >> 1>>>(a);", f"{CONFIGURE}((n + 255) / 256, x >> 1), k(a));"),
        ("run([&] { k<<<1, 2>>>(a); });", f"{CONFIGURE}(1, 2), k(a));"),
        ("auto v = std::vector<int>{1}; k<<<1, 2>>>(v.data());", f"; {CONFIGURE}(1, 2), k(v.data()));"),
    ],
)
def test_launches(launch: str, wanted: str) -> None:
    text = out(f"template <class T> void f(int n) {{ {launch} }}")
    assert wanted.replace(" ", "") in text.replace(" ", "")


def test_a_launch_of_several_lines_keeps_them() -> None:
    text = out("void f() {\n  k<<<dim3(1,\n    2), // blocks\n  3>>>(\n    a,\n    b);\n  int line8;\n}\n")
    assert text.split("\n")[1:6] == [f"  {CONFIGURE}(dim3(1,", "    2), // blocks", "  3), k(", "    a,", "    b));"]
    assert text.split("\n")[6] == "  int line8;"


def test_the_directives_of_a_configuration_stay() -> None:
    text = out("void f() {\n  k<<<1,\n#ifdef WIDE\n  256\n#else\n  32\n#endif\n  >>>(a);\n}\n")
    assert text.split("\n")[1:8] == [
        f"  {CONFIGURE}(1,",
        "#ifdef WIDE",
        "  256",
        "#else",
        "  32",
        "#endif",
        "  ), k(a));",
    ]


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("__device__ int* f() { return new int[4]; }", "return new (HEAP) int[4];"),
        ("__host__ __device__ A* f() { return new A(1); }", "return new (HEAP) A(1);"),
        ("struct S { __device__ S() : p(new int(1)) {} };", "p(new (HEAP) int(1)) {}"),
        ("__global__ void f(void* p) { new (p) A(1); }", "new (p) A(1);"),
        ("int* f() { return new int[4]; }", "return new int[4];"),
        (
            "__device__ void f() { int* p = (int*)malloc(4); free(p); }",
            "(int*)HOST::heap_malloc(4); HOST::heap_free(p);",
        ),
        ("__device__ void f(Pool& a) { a.free(b); Pool::malloc(4); }", "a.free(b); Pool::malloc(4);"),
        ("struct S { __device__ void free(int* p); __device__ void* operator new(size_t n); };", "void free(int* p);"),
        ("void f() { free(malloc(4)); }", "free(malloc(4));"),
    ],
)
def test_the_heap_of_device_code(code: str, wanted: str) -> None:
    host = "::spak::sim::host"
    assert wanted.replace("HEAP", f"{host}::OnHeap{{::spak::sim::here()}}").replace("HOST", host) in out(code)


@pytest.mark.parametrize(
    ("kernel", "name", "numbers"),
    [
        ("__global__ void k(int* x) { x[0] = 1; }", "k", "0, 0, 0, 0"),
        ("template <int N = 3> __global__ void __launch_bounds__(N * 2, 4) k(int* x = (f(1))) { }", "k", "(N * 2), 0, 0, 0"),
        ('extern "C" __launch_bounds__(64) __global__ void k() { }', "k", "(64), 0, 0, 0"),
        ("__global__ void __cluster_dims__(2, C) k() { }", "k", "0, (2), (C), 1"),
        ("struct S { static __global__ void k(int n) { } };", "k", "0, 0, 0, 0"),
        ("template <> __global__ void k<int>(int n) { }", "k", "0, 0, 0, 0"),
        ("namespace { static __global__ void k(int n)\n{\n} }", "k", "0, 0, 0, 0"),
        ("#define KERNEL extern \"C\" __global__ void\nKERNEL k(int n) { }", "k", "0, 0, 0, 0"),
    ],
)  # fmt: skip
def test_a_kernel_becomes_its_own_stub(kernel: str, name: str, numbers: str) -> None:
    text = out(kernel)
    assert f'::spak::sim::host::kernel("{name}", {numbers}, [=]() mutable {{ ::spak::sim::enter(' in text
    assert "}); }" in text
    assert "host::kernel" not in out("__global__ void k(int* x);\ntemplate <class T> __global__ void j(T x);\n")


def test_a_kernel_under_two_heads_has_one_body() -> None:
    source = (
        "#ifdef A\n__global__ void k(int x) {\n#else\n__global__ void k(long x) {\n#endif\n  y[0] = x;\n}\nint z;\n"
    )
    assert out(source).count("}); }") == 1


@pytest.mark.parametrize(
    ("declaration", "names", "kind"),
    [
        ("__constant__ float c[4];", ["c"], "constant"),
        ("__device__ int a, b[2] = {1, 2};", ["a", "b"], "device"),
        ("static __device__ __managed__ int m = 3;", ["m"], "managed"),
        ("__constant__ struct P { int x, y; } p;", ["p"], "constant"),
        ("namespace n { __device__ std::array<int, 3> v; }", ["v"], "device"),
        ("__constant__ float A::c[3];", ["A::c"], "constant"),
        ("__device__ float* pointer = nullptr;", ["pointer"], "device"),
        ("__device__ int (*table[2])(int) = {f, g};", ["table"], "device"),
        ("#define CONST __constant__\nCONST int c;", ["c"], "constant"),
        ("extern __device__ int e = 1;", ["e"], "device"),
        ("__align__(16) __device__ float4 v;", ["v"], "device"),
    ],
)
def test_variables_are_registered(declaration: str, names: list[str], kind: str) -> None:
    text = out(declaration)
    for name in names:
        assert f'"{name}", (void*)&{name}, sizeof({name}), ::spak::sim::host::Memory::{kind}}}' in text
    assert text.count("__spak_global") == len(names)


@pytest.mark.parametrize(
    "declaration",
    [
        "__device__ int f(int x);",
        "__device__ __forceinline__ float g(float x) { return x; }",
        "extern __device__ int e;",
        "template <class T> __device__ T v;",
        "struct S { static __device__ int s; __device__ S() : a{1}, b(2) {} int a, b; };",
        "__device__ T operator+(T a, T b) { return a; }",
        "__host__ __device__ S::S(int x) : a(x) {}",
        "auto f = [] __device__ (int x) { return x; };",
        "template <class T> struct F { __device__ T operator()(T a) const { return a; } };",
    ],
)
def test_functions_members_and_templates_are_not_variables(declaration: str) -> None:
    assert out(declaration) == declaration


def test_shared_memory_at_namespace_scope_is_handed_to_those_who_name_it() -> None:
    source = """\
extern __shared__ __align__(16) float s[];
__shared__ int count;
#define AT(i) s[i]
__device__ float f(int i) { return s[i]; }
__device__ float g(int s) { return s; }
__device__ float h(X x) { return x.s + AT(2); }
__global__ void k() { extern __shared__ float s[]; count = s[0]; }
"""
    lines = out(source).split("\n")
    assert "typedef" in lines[0] and "s__spak_site" in lines[0] and "&" not in lines[0]
    assert "s = ::spak::sim::dynamic<s__spak_type>(s__spak_site, (16));" in lines[3]
    assert "dynamic" not in lines[4] and "dynamic" in lines[5]
    assert "count = ::spak::sim::shared<count__spak_type>" in lines[6] and lines[6].count("float& s") == 0
    assert lines[6].count("::spak::sim::dynamic<") == 1
    assert "dynamic" in out("__device__ int f() { return s[1]; }", source)


@pytest.mark.parametrize(
    "source",
    [
        "#define TILE(n) __shared__ float tile[n]\n__global__ void k() { TILE(4); tile[0] = 1; }\n",
        "#define SMEM __shared__\n__global__ void k() { SMEM float tile[4]; tile[0] = 1; }\n",
        "#define DYNAMIC extern __shared__\n__global__ void k() { DYNAMIC float tile[]; tile[0] = 1; }\n",
        "__global__ void k() { auto f = [&](int i) { __shared__ float tile[4]; tile[i] = 1; }; f(0); }\n",
        "struct S { __device__ void f() { __shared__ struct T { int a; } tile[4]; tile[0].a = 1; } };\n",
    ],
)
def test_shared_memory_in_macros_lambdas_and_members(source: str) -> None:
    text = out(source)
    assert "tile__spak_site" in text and "__shared__" not in text
    assert ("dynamic<" in text) == ("DYNAMIC" in source)


def test_names_that_macros_are_given_are_pasted() -> None:
    source = "#define SHARED(T, name, n) __shared__ T name[n]\n#define KERNEL(name) __global__ void name(int* x) { *x = 1; }\n"
    text = out(source)
    assert "typedef  T name##__spak_type[n]" in text and "name##__spak_site{#name, " in text
    assert "name##__spak_type& name = ::spak::sim::shared<name##__spak_type>(name##__spak_site, 0)" in text
    assert "host::kernel(#name, 0, 0, 0, 0, " in text
    assert "(address_of(k))" in out("KERNEL(k)\nvoid f() { launch((void*)k); }", source).replace(
        "::spak::sim::host::", ""
    )


def test_launches_and_asm_in_macros() -> None:
    source = "#define LAUNCH(k, ...) \\\n  k<<<1, \\\n  2>>>(__VA_ARGS__)\n"
    source += '#define BAR(n) asm volatile("bar.sync %0;" :: "n"(n))\n'
    text = out(source)
    assert f"{CONFIGURE}(1, \\\n  2), k(" in text and text.count("\\\n") == source.count("\\\n")
    assert "::spak::sim::named_sync(" in text


@pytest.mark.parametrize(
    ("use", "wanted"),
    [
        ("launch((void*)k, 1);", "launch(::spak::sim::host::address_of(k), 1);"),
        ("launch((const void*)k<int>, 1);", "launch(::spak::sim::host::address_of(k<int>), 1);"),
        ("void* p[] = {(void *) &n::k};", "{::spak::sim::host::address_of( &n::k)}"),
        ("launch(reinterpret_cast<const void*>(&k), 1);", "launch(::spak::sim::host::address_of(&k), 1);"),
        ("launch((void*)other, 1);", "launch((void*)other, 1);"),
        ("launch(k, 1);", "launch(k, 1);"),
    ],
)
def test_addresses_of_kernels(use: str, wanted: str) -> None:
    assert wanted in out(f"template <class T> __global__ void k(T x);\nvoid f() {{ {use} }}\n")


@pytest.mark.parametrize(
    ("source", "start"),
    [
        ("__global__ void k() { j<<<1, 1>>>(); }", "k.cu:1:24: SPK593: a kernel launched by device code"),
        ("__device__ int f() {\n  exit(1);\n}", "k.cu:2:3: SPK573: device code calls `exit`"),
        ("__global__ void k() { if (x) { std::getenv(\"A\"); } }", "k.cu:1:37: SPK573: device code calls `getenv`"),
        ("__global__ void k() { std::thread t(f); }", "k.cu:1:28: SPK573: device code calls `std::thread`"),
        ("#define L(k, args) k<<<1, 2>>> args\n", "k.cu:1:28: SPK592: a macro that launches with arguments"),
        ("void f() { k<<<1, 2; }", "k.cu:1:13: SPK590: a launch without `>>>`"),
        ("struct S { __shared__ int a; };", "k.cu:1:12: SPK595"),
    ],
)  # fmt: skip
def test_what_cannot_be_simulated_has_its_place(source: str, start: str) -> None:
    found = wrong(source)
    assert len(found) == 1 and found[0].startswith(start), found


@pytest.mark.parametrize(
    "source",
    [
        "int main() { exit(1); auto t = std::thread(f); asm volatile(\"pause\"); }",
        "__host__ __device__ void f() { fopen(\"a\", \"r\"); }",
        "__device__ void f(List l) { l.remove(1); l.exit(); my::exit(2); }",
        "void gridDim(int blockDim); int time(int x);",
        "#if 0\nthis isn't a token: __shared__ \" <<<\n#endif\nint a;",
        "#define S(x) #x\nconst char* t = \"k<<<1, 2>>>(a)\";  // don't\n",
        "bool operator==(A a, B b) { return a < b && (c >> 2) > 1; }",
    ],
)  # fmt: skip
def test_host_code_is_left_alone(source: str) -> None:
    assert out(source) == source


def files(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_headers_that_hold_cuda_are_rewritten_where_they_are_included(tmp_path: Path) -> None:
    files(
        tmp_path,
        main_cu='#include "a.cuh"\n#include <b.h>\n#include "plain.h"\n#include <vector>\nvoid f() { k<<<1, 2>>>(); }\n',
        a_cuh="#pragma once\n#include \"sub/c.h\"\n__global__ void k() {}\n",
        sub__c_h="__device__ int counter;\n",
        plain_h="int x;\n",
        lib__b_h='#include "../a.cuh"\n',
    )  # fmt: skip
    folder = tmp_path / "out"
    folder.mkdir()
    program = Program(folder, (tmp_path / "lib",), (), 900)
    copy, cuda = program.source(tmp_path / "main.cu", "main.cu")
    assert cuda
    text = copy.read_text()
    assert not program.found.found
    assert "#define __CUDA_ARCH__ 900\n" in text and '#line 1 "main.cu"\n' in text
    included = [line.split('"')[1] for line in text.splitlines() if line.startswith('#include "')]
    assert [Path(name).name.lstrip("0123456789_") for name in included] == ["a.cuh.h", "b.h.h", "plain.h"]
    header = Path(included[0]).read_text()
    assert header.startswith("#pragma once\n") and "host::kernel" in header
    assert "counter__spak_global" in "".join(path.read_text() for path in folder.glob("*c.h.h"))
    assert Path(included[2]) == tmp_path / "plain.h" and "<vector>" in text


def test_what_is_not_cuda_is_left_to_the_host_compiler(tmp_path: Path) -> None:
    files(tmp_path, a_cpp="int a;\n", b_cpp="__global__ void k() {}\n", c_c="int c;\n")
    program = Program(tmp_path / "out", (), (), 900)
    (tmp_path / "out").mkdir()
    found = [program.source(tmp_path / name, name) for name in ("a.cpp", "b.cpp", "c.c")]
    assert [cuda for _, cuda in found] == [False, True, False]
    assert [copy.suffix for copy, _ in found] == [".cpp", ".cpp", ".c"]
    assert ["__CUDACC__" in copy.read_text() for copy, _ in found] == [False, True, False]


def test_a_missing_file_and_a_library_of_the_gpu_are_named(tmp_path: Path) -> None:
    program = Program(tmp_path, (), (), 900)
    with pytest.raises(SpakError, match=r"no\.cu:1:1: SPK580"):
        program.source(tmp_path / "no.cu", "no.cu")
    (tmp_path / "k.cu").write_text("#include <cuda_runtime.h>\n#include <thrust/sort.h>\n")
    program.source(tmp_path / "k.cu", "k.cu")
    found: list[Diagnostic] = program.found.found
    assert [str(one).split(". ")[0] for one in found] == [
        "k.cu:2:10: SPK587: the simulator does not provide <thrust/sort.h>"
    ]


PIECES = [
    "{",
    "}",
    "(",
    ")",
    "<<<",
    ">>>",
    ";",
    '"',
    "asm",
    "__shared__",
    "__global__",
    "<",
    ">",
    "#define X ",
    "\\\n",
    "%9",
    "__device__",
]


def test_no_text_makes_the_rewriter_fail_or_lose_a_line() -> None:
    """Broken programs end as diagnostics, or go to the compiler as they are."""
    kernels = Path(__file__).parent / "kernels_front" / "ptx.cu"
    draw = random.Random(11)
    for _ in range(25):
        text = kernels.read_text()
        for _ in range(draw.randint(1, 4)):
            at, length = draw.randrange(len(text)), draw.choice([0, 1, 5])
            text = text[:at] + draw.choice(PIECES) + text[at + length :]
        for foreign in (True, False):
            try:
                edits = rewrite_file(text, "k.cu", Context(foreign=foreign))
            except SpakError:
                continue
            assert edits.text().count("\n") == text.count("\n")
