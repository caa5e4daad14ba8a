"""Builds units by hand and kernels as tiny extension modules, so that verification is tested without the build stage.

The module takes raw tensors positionally and `out=`, as every built module does, and hands their addresses to a C++
function.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from spak.model.base import canonical_json
from spak.model.evidence import Evidence
from spak.model.ir import Reference, Require, Scalar, Signature, Tensor, Tolerance, Unit, Variant
from spak.verify import Options
from spak.verify.verification import verify

ROOT = Path(__file__).parents[2]
C_TYPES = {
    "f64": "double",
    "f32": "float",
    "tf32": "float",
    "f16": "_Float16",
    "bf16": "bf16",
    "i32": "int",
    "i8": "signed char",
    "u8": "unsigned char",
    "bool": "bool",
}

INCLUDES = """
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <algorithm>
"""
PRELUDE = f"""{INCLUDES}struct bf16 {{
  uint16_t bits;
  operator float() const {{ uint32_t w = uint32_t(bits) << 16; float f; std::memcpy(&f, &w, 4); return f; }}
  bf16() = default;
  bf16(float f) {{
    uint32_t w; std::memcpy(&w, &f, 4);
    if ((w & 0x7fffffff) > 0x7f800000) {{ bits = 0x7fff; return; }}
    bits = uint16_t((w + 0x7fff + ((w >> 16) & 1)) >> 16);
  }}
}};
typedef long long ll;
static void* address(PyObject* t) {{
  PyObject* a = PyObject_GetAttrString(t, "address");
  void* p = PyLong_AsVoidPtr(a); Py_DECREF(a); return p;
}}
static ll size(PyObject* t, int i) {{
  PyObject* s = PyObject_GetAttrString(t, "shape");
  ll n = PyLong_AsLongLong(PyTuple_GetItem(s, i)); Py_DECREF(s); return n;
}}
"""
COMPILE = (
    "g++",
    "-std=c++20",
    "-fPIC",
    "-O2",
    "-march=x86-64-v3",
    "-ffp-contract=off",
    f"-I{sysconfig.get_path('include')}",
)


def parse(text: str) -> Tensor | Scalar:
    """`a: f32[M, K]` or `alpha: f32 = 1.0`."""
    name, _, kind = (part.strip() for part in text.partition(":"))
    if "[" not in kind:
        dtype, _, default = (part.strip() for part in kind.partition("="))
        return Scalar(name=name, dtype=dtype, default=float(default) if default else None)
    dtype, _, rest = kind.partition("[")
    shape, _, layout = rest.partition("]")
    return Tensor(
        name=name, dtype=dtype, shape=tuple(s.strip() for s in shape.split(",")), layout=layout.strip() or "row"
    )


def unit(name: str, params: list[str], results: list[str], reference: str, **more: Any) -> Unit:
    """A unit as the parser would make it."""
    ins, outs = tuple(map(parse, params)), tuple(map(parse, results))
    axes = dict.fromkeys(s for t in (*ins, *outs) if isinstance(t, Tensor) for s in t.shape if s.isidentifier())
    tolerance = Tolerance(factor=more.pop("factor", 4.0), **{k: more.pop(k) for k in ("rtol", "atol") if k in more})
    require = tuple(Require(expr=r, words=r) for r in more.pop("require", ()))
    return Unit(
        name=name, edition=1, version=1, signature=Signature(params=ins, results=outs, axes=tuple(axes)),
        require=require,
        reference=Reference(kind="numpy", expr=reference), tolerance=tolerance, variants=(Variant(name="v"),), **more,
    )  # fmt: skip


@functools.cache
def headers(flags: tuple[str, ...]) -> str:
    """A folder with the headers of every kernel, which take longer than a kernel, compiled once for these flags."""
    folder = tempfile.TemporaryDirectory(prefix="spak-verify-")
    atexit.register(folder.cleanup)
    Path(folder.name, "headers.h").write_text(INCLUDES)
    if not flags:  # others are used once or twice
        command = [*COMPILE, "-x", "c++-header", "headers.h", "-o", "headers.h.gch"]
        subprocess.run(command, cwd=folder.name, check=True)
    return folder.name


def build(folder: Path, spec: Unit, source: str, flags: tuple[str, ...] = ()) -> Path:
    """Compile `extern "C" void kernel(<pointers and scalars in order>, <result pointers>, <axes>)` into a module."""
    tensors = [p for p in (*spec.signature.params, *spec.signature.results) if isinstance(p, Tensor)]
    args, setup = [], []
    for i, param in enumerate(spec.signature.params):
        setup.append(f"PyObject* o_{param.name} = PyTuple_GetItem(args, {i});")
        kind = C_TYPES[param.dtype]
        args.append(
            f"(const {kind}*)address(o_{param.name})"
            if isinstance(param, Tensor)
            else f"({kind})PyFloat_AsDouble(o_{param.name})"
        )
    several = len(spec.signature.results) > 1
    setup.append('PyObject* out = PyDict_GetItemString(kw, "out");')
    for i, result in enumerate(spec.signature.results):
        setup.append(f"PyObject* o_{result.name} = " + (f"PyTuple_GetItem(out, {i});" if several else "out;"))
        args.append(f"({C_TYPES[result.dtype]}*)address(o_{result.name})")
    for axis in spec.signature.axes:
        tensor = next(t for t in tensors if axis in t.shape)
        args.append(f"size(o_{tensor.name}, {tensor.shape.index(axis)})")
    module = f"{spec.name}_cpu"
    text = f"""{PRELUDE}
{source}
static PyObject* call(PyObject*, PyObject* args, PyObject* kw) {{
  {" ".join(setup)}
  kernel({", ".join(args)});
  Py_INCREF(out); return out;
}}
static PyMethodDef methods[] = {{{{"{spec.name}", (PyCFunction)(void*)call,
 METH_VARARGS | METH_KEYWORDS, ""}}, {{0, 0, 0, 0}}}};
static PyModuleDef definition = {{PyModuleDef_HEAD_INIT, "{module}", "", -1, methods}};
PyMODINIT_FUNC PyInit_{module}() {{ return PyModule_Create(&definition); }}
"""
    (folder / "kernel.cpp").write_text(text)
    out = folder / f"{module}.so"
    begin = ["-include", f"{headers(flags)}/headers.h"]
    subprocess.run([*COMPILE, *flags, *begin, "-shared", "kernel.cpp", "-o", out.name], cwd=folder, check=True)
    return out


def options(folder: Path, spec: Unit, source: str, *, plan: str = "", target: str = "cpu", **more: Any) -> Options:
    """Everything a verification reads, in `folder`; builds the module."""
    folder.mkdir(parents=True, exist_ok=True)
    module = build(folder, spec, source, more.pop("flags", ()))
    (folder / "ir.json").write_bytes(canonical_json(spec))
    (folder / "plan.toml").write_text(plan)
    return Options(
        unit=spec.name, variant="v", ir=str(folder / "ir.json"),
        target=str(ROOT / "targets" / f"{target}.toml"), module=str(module),
        source=str(folder / "kernel.cpp"), plan=str(folder / "plan.toml"), evidence=str(folder / "verify.json"), **more,
    )  # fmt: skip


def judged(folder: Path, spec: Unit, source: str, **more: Any) -> Evidence:
    """Build and verify."""
    only, seed = more.pop("only", ""), more.pop("seed", None)
    return verify(options(folder, spec, source, **more), only, seed)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


VECTOR_ADD = unit(
    "vector_add",
    ["a: f32[N]", "b: f32[N]"],
    ["c: f32[N]"],
    "a + b",
    flops="N",
    linear_in=("a", "b"),
    require=("N >= 1",),
)
MATMUL = unit(
    "matmul", ["a: f32[M, K]", "b: f32[K, N]", "alpha: f32 = 1.0"], ["c: f32[M, N]"], "alpha * (a @ b)",
    flops="2 * M * N * K", linear_in=("a", "b"), require=("M >= 1 && N >= 1 && K >= 1",),
)  # fmt: skip
REDUCE = unit(
    "reduce_sum",
    ["x: f32[N]"],
    ["s: f32[1]"],
    "np.sum(x, keepdims=True)",
    flops="N",
    linear_in=("x",),
    require=("N >= 1",),
)
SOFTMAX = unit(
    "softmax", ["x: f32[M, N]"], ["y: f32[M, N]"],
    "np.exp(x - x.max(axis=1, keepdims=True)) / np.exp(x - x.max(axis=1, keepdims=True)).sum(axis=1, keepdims=True)",
    flops="5 * M * N", require=("M >= 1 && N >= 1",),
)  # fmt: skip
RMSNORM = unit(
    "rmsnorm", ["x: f32[M, N]", "w: f32[N]", "eps: f32 = 1e-5"], ["y: f32[M, N]"],
    "x / np.sqrt(np.mean(x * x, axis=1, keepdims=True) + eps) * "
    "w", flops="4 * M * N", require=("M >= 1 && N >= 1", "eps > 0"),
)  # fmt: skip
TRANSPOSE = unit(
    "transpose", ["x: f32[M, N]"], ["y: f32[N, M]"], "x.T", linear_in=("x",), require=("M >= 1 && N >= 1",)
)
