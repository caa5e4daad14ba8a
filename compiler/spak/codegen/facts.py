"""What the prompt templates may say of a unit, a variant and the targets. Knows no wording, and nothing of other
variants.

Left out on purpose, so that changing it asks nobody again: the spec's version and license, the tolerance's figures, the
number of attempts, and everything that verification keeps to itself (test vectors, shapes, seeds), which a model could
fit code to.
"""

from __future__ import annotations

import re
from typing import Any

from spak.model.ir import Scalar, Tensor, Unit, Variant
from spak.model.target import Limits, Target

#: The C++ type of an element, by dialect where they differ.
_TYPES: dict[str, str | dict[str, str]] = {
    "f64": "double",
    "f32": "float",
    "tf32": "float",
    "f16": {"cuda": "__half", "cpp": "spak::f16"},
    "bf16": {"cuda": "__nv_bfloat16", "cpp": "spak::bf16"},
    "i32": "int",
    "i8": "signed char",
    "u8": "unsigned char",
    "bool": "bool",
}


def c_type(dtype: str, dialect: str) -> str:
    """The type that device code sees for an element of `dtype`."""
    known = _TYPES[dtype]
    return known if isinstance(known, str) else known[dialect]


def facts(unit: Unit, variant: Variant, targets: list[Target], dialect: str, headers: str) -> dict[str, Any]:
    """The names that templates may use. Everything is in the spec's order, targets by name."""
    signature = unit.signature
    ordered = sorted(targets, key=lambda t: t.name)
    tensors = [one for one in signature.params if isinstance(one, Tensor)]
    return {
        "dialect": dialect,
        "unit": {
            "name": unit.name,
            "summary": unit.summary,
            "prose": unit.prose,
            "flops": unit.flops,
            "bytes": unit.bytes,
            "accumulate": unit.accumulate,
            "deterministic": unit.deterministic,
            "openmp": unit.openmp,
            "grants": list(unit.grants),
            "linear_in": list(unit.linear_in),
            "sass": list(unit.sass),
        },
        "declaration": declaration(unit),
        "inputs": [_tensor(one, "const ", dialect, signature.axes) for one in tensors],
        "results": [_tensor(one, "", dialect, signature.axes) for one in signature.results],
        "scalars": [_scalar(one, dialect) for one in signature.params if isinstance(one, Scalar)],
        "axes": list(signature.axes),
        "reference": unit.reference.expr if unit.reference.kind == "numpy" else "",
        "oracle": unit.reference.function,
        "require": [one.words for one in (*unit.require, *variant.require)],
        "variant": {"name": variant.name, "intent": variant.intent},
        "design": [
            {"name": axis.name, "values": list(axis.values), "chosen": variant.design.get(axis.name)}
            for axis in unit.design_space
        ],
        "tuning": [{"name": one.name, "values": list(one.values)} for one in unit.tuning_space.parameters],
        "tuning_constraints": list(unit.tuning_space.constraints),
        "invariants": [
            {"name": one.name, "statement": one.statement, "check": one.check, "verification": one.verification}
            for one in unit.invariants
        ],
        "rules": [{"name": one.name, "domain": one.domain, "kind": one.kind, "text": one.text} for one in unit.rules],
        "targets": [_target(one) for one in ordered],
        "limits": _limits(ordered),
        "constants": sorted(set.intersection(*(_integers(one) for one in ordered))),
        "headers": headers.strip(),
    }


def declaration(unit: Unit) -> str:
    """The signature in the language's own syntax."""
    params = ", ".join(_written(one) for one in unit.signature.params)
    results = [_written(one) for one in unit.signature.results]
    returns = results[0] if len(results) == 1 else f"({', '.join(results)})"
    return f"kernel {unit.name}({params}) -> {returns}"


def element(tensor: Tensor, axes: tuple[str, ...]) -> tuple[str, str]:
    """How one element is named and where it lies: `("a[i, j]", "i * K + j")`."""
    letters = ["i", "j", "k", "l", "m", "n"]
    if len(tensor.shape) > len(letters) or set(letters[: len(tensor.shape)]) & set(axes):
        letters = [f"i{n}" for n in range(len(tensor.shape))]
    index = letters[: len(tensor.shape)]
    if tensor.layout == "strided":
        terms = [
            one if stride == "1" else f"{one} * {_factor(stride)}"
            for one, stride in zip(index, tensor.strides, strict=True)
        ]
        return f"{tensor.name}[{', '.join(index)}]", " + ".join(terms)
    order = list(range(len(index)))
    order = order if tensor.layout == "row" else order[::-1]
    offset = index[order[0]]
    for dim in order[1:]:
        left = offset if re.fullmatch(r"\w+", offset) else f"({offset})"
        offset = f"{left} * {_factor(tensor.shape[dim])} + {index[dim]}"
    return f"{tensor.name}[{', '.join(index)}]", offset


def _written(one: Tensor | Scalar) -> str:
    if isinstance(one, Scalar):
        default = (
            ""
            if one.default is None
            else f" = {str(one.default).lower() if isinstance(one.default, bool) else one.default}"
        )
        return f"{one.name}: {one.dtype}{default}"
    layout = {"row": "", "col": " col", "strided": f" strides({', '.join(one.strides)})"}[one.layout]
    return f"{one.name}: {one.dtype}[{', '.join(one.shape)}]{layout}"


def _tensor(one: Tensor, const: str, dialect: str, axes: tuple[str, ...]) -> dict[str, Any]:
    name, offset = element(one, axes)
    return {
        "name": one.name,
        "dtype": one.dtype,
        "shape": f"[{', '.join(one.shape)}]",
        "layout": {"row": "row-major, dense", "col": "column-major, dense", "strided": "strided"}[one.layout],
        "type": f"{const}{c_type(one.dtype, dialect)}*",
        "element": name,
        "offset": f"{one.name}[{offset}]",
    }


def _scalar(one: Scalar, dialect: str) -> dict[str, Any]:
    return {"name": one.name, "dtype": one.dtype, "type": c_type(one.dtype, dialect), "default": one.default}


def _target(one: Target) -> dict[str, Any]:
    return {
        "name": one.name,
        "title": one.title,
        "engine": one.toolchain.engine,
        "compiler": one.toolchain.compiler,
        "arch": one.toolchain.arch,
        "flags": " ".join(one.toolchain.flags),
    }


def _limits(targets: list[Target]) -> list[dict[str, Any]]:
    """One row a limit or constant, one value a target, "-" where it has none; limits that apply to no target are left
    out.
    """
    rows: list[dict[str, Any]] = []
    for name in Limits.model_fields:
        values = [getattr(one.limits, name) if one.dialect == "cuda" else 0 for one in targets]
        shown = [" x ".join(map(str, value)) if isinstance(value, tuple) else str(value) for value in values]
        if any(value not in (0, (0, 0, 0)) for value in values):
            rows.append({"name": name, "values": shown})
    for name in sorted({name for one in targets for name in one.constants}):
        rows.append({"name": name, "values": [_number(one.constants.get(name)) for one in targets]})
    return rows


def _integers(one: Target) -> set[str]:
    """Constants that a plan's expressions may use: they are integer arithmetic."""
    return {name for name, value in one.constants.items() if isinstance(value, int)}


def _number(value: float | int | None) -> str:
    return "-" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def _factor(text: str) -> str:
    return text if re.fullmatch(r"\w+", text) else f"({text})"
