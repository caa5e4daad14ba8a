"""The intermediate representation of a unit: what a spec means, with layout, comments and spans gone.

Expressions are kept as canonical text (`cdiv(N, BN)`); `spak.lang.expr` parses them again where they are needed. Spans live
beside the IR in a side file that no digest covers, so that moving text never changes a key.
"""

from __future__ import annotations

from typing import Any, Literal

from spak.model.base import Model

DType = Literal["f64", "f32", "tf32", "f16", "bf16", "i32", "i8", "u8", "bool"]
DIALECTS = ("cpp", "cuda")

#: Storage bytes an element. tf32 is stored as f32.
ITEMSIZE: dict[str, int] = {
    "f64": 8, "f32": 4, "tf32": 4, "f16": 2, "bf16": 2, "i32": 4, "i8": 1, "u8": 1, "bool": 1,
}  # fmt: skip


class Tensor(Model):
    """An array argument. `shape` holds one expression a dimension over axes; a bare name introduces the axis.

    `strides` (elements, expressions) is set only for layout "strided"; "row" and "col" mean dense.
    """

    name: str
    dtype: DType
    shape: tuple[str, ...]
    layout: Literal["row", "col", "strided"] = "row"
    strides: tuple[str, ...] = ()


class Scalar(Model):
    """A number passed by value; `default` is JSON."""

    name: str
    dtype: DType
    default: float | int | bool | None = None


class Signature(Model):
    """`params` in call order (tensors are read-only inputs), `results` written by the kernel; `axes` in order of appearance."""

    params: tuple[Tensor | Scalar, ...]
    results: tuple[Tensor, ...]
    axes: tuple[str, ...]


class Require(Model):
    """A condition on axes and scalars that callers must meet. `words` is the spec's own text, shown when it is violated."""

    expr: str
    words: str


class Reference(Model):
    """The oracle: a NumPy expression over the parameters, or a function of `reference.py` (path relative to the project)."""

    kind: Literal["numpy", "python"]
    expr: str = ""
    file: str = ""
    function: str = ""
    sha256: str = ""


class Tolerance(Model):
    """How far a result may be from the fp64 oracle.

    The bound is *derived*: `factor` times the error of a plain same-dtype evaluation. `rtol`/`atol`, when set, only tighten it.
    """

    factor: float = 4.0
    rtol: float | None = None
    atol: float | None = None


class Choice(Model):
    """One axis of a design space, or one tuning parameter: its admissible values, in the spec's order."""

    name: str
    values: tuple[int | float | str | bool, ...]


class TuningSpace(Model):
    parameters: tuple[Choice, ...] = ()
    constraints: tuple[str, ...] = ()


class Invariant(Model):
    """A law of the unit. `check` is executable; with prose only it is reported `UNCHECKED`.

    Forms of `check`: an expression over plan quantities (`workspace_bytes <= 4 * M`), or a metamorphic property by name
    (`linear(x)`, `homogeneous(x)`, `permutation_equivariant(x, 0)`, `rows_sum_to(1)`, `deterministic`).
    """

    name: str
    statement: str = ""
    check: str = ""
    verification: str = ""


class Rule(Model):
    """A piece of design knowledge in force for the unit: from its own blocks, or from a domain it uses."""

    name: str
    domain: str = ""
    kind: str = "rule"  # the block kind it came from: rule | hint | axiom | fact | invariant | ...
    text: str = ""


class Variant(Model):
    """A rung of the ladder. `targets` empty means every target; `design` names one value of each design-space axis."""

    name: str
    intent: str = ""
    design: dict[str, str | int | float | bool] = {}
    targets: tuple[str, ...] = ()
    require: tuple[Require, ...] = ()


class Vector(Model):
    """One test vector of `tests.<unit>.yaml`.

    `shape` gives every axis a size; `inputs` maps a parameter to a distribution (`normal`, `zeros`, `{uniform: [a, b]}`,
    `{values: [...]}`, ...) and scalars to a value; `expect` maps a result to literal values, when given.
    """

    name: str
    shape: dict[str, int] = {}
    inputs: dict[str, Any] = {}
    expect: dict[str, Any] = {}
    special: str = ""


class Unit(Model):
    """A kernel unit."""

    schema_version: int = 1
    kind: Literal["kernel"] = "kernel"
    name: str
    family: str = ""  # units of one family are one callable in spak.load(); empty means the name
    edition: int
    version: int
    license: str = ""
    summary: str = ""  # one line: the docstring's first
    prose: str = ""  # the spec's intent, white space normalised
    signature: Signature
    require: tuple[Require, ...] = ()
    reference: Reference
    accumulate: DType = "f32"
    tolerance: Tolerance = Tolerance()
    flops: str = "0"
    bytes: str = "0"
    linear_in: tuple[str, ...] = ()  # parameters in which the operation is linear: exact-integer rounds apply
    deterministic: bool = True  # bitwise equal on a second run
    openmp: bool = False
    grants: tuple[str, ...] = ()  # e.g. "inline_ptx", "atomics"
    attempts: int = 3  # replies that one request may take, the first and its repairs
    design_space: tuple[Choice, ...] = ()
    tuning_space: TuningSpace = TuningSpace()
    invariants: tuple[Invariant, ...] = ()
    variants: tuple[Variant, ...]
    targets: tuple[str, ...] = ()  # empty: every target of the project
    sass: tuple[str, ...] = ()  # SASS contracts, e.g. "no local memory", "must contain HGMMA"
    rules: tuple[Rule, ...] = ()
    vectors: tuple[Vector, ...] = ()
    shapes: tuple[dict[str, int], ...] = ()  # shapes the rounds must include, beside the derived ones
    large: tuple[dict[str, int], ...] = ()  # shapes for sampled large runs (32-bit index wrap)


class Interface(Model):
    """The part of a unit that the native module is built from: a change outside it never recompiles."""

    name: str
    version: int
    summary: str
    signature: Signature
    require: tuple[Require, ...]
    openmp: bool


def interface(unit: Unit) -> Interface:
    """Project a unit onto its interface."""
    return Interface(**{field: getattr(unit, field) for field in Interface.model_fields})


def behaviour(unit: Unit) -> Unit:
    """The unit as checks and verification see it: what is only said to a reader or a model is blanked."""
    rungs = tuple(variant.model_copy(update={"intent": ""}) for variant in unit.variants)
    return unit.model_copy(update={"prose": "", "summary": "", "rules": (), "variants": rungs})


def structure(unit: Unit) -> Unit:
    """The unit as static checks see it: without what is measured by running it, so that a tolerance proves nothing anew."""
    blank = Unit(
        name=unit.name,
        edition=unit.edition,
        version=0,
        signature=unit.signature,
        reference=Reference(kind="numpy"),
        variants=behaviour(unit).variants,
    )
    kept = ("require", "openmp", "grants", "design_space", "tuning_space", "invariants", "targets", "sass")
    return blank.model_copy(update={field: getattr(unit, field) for field in kept})
