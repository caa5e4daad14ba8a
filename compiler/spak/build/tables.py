"""The descriptor tables of a module, ready for a template: names, extents, conditions. Knows the interface, not the plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from spak.build import cppexpr, words
from spak.build.cppexpr import Cpp
from spak.errors import Diagnostic, SpakError
from spak.model.ir import Interface, Scalar, Tensor

FLOATS = frozenset({"f64", "f32", "tf32", "f16", "bf16"})
LIMIT = 32  # `kNames` of csrc/runtime/call.cpp
MAX_RANK = 8


@dataclass(frozen=True, slots=True)
class Extent:
    """An axis by index, or (axis -1) the expression at `expression`; `words` are the spec's."""

    axis: int
    expression: int
    words: str


@dataclass(frozen=True, slots=True)
class TensorRow:
    tensor: Tensor
    words: str
    shape: tuple[Extent, ...]
    strides: tuple[Extent, ...]

    @property
    def dtype(self) -> str:
        return "boolean" if self.tensor.dtype == "bool" else self.tensor.dtype


@dataclass(frozen=True, slots=True)
class ScalarRow:
    scalar: Scalar

    @property
    def dtype(self) -> str:
        return "boolean" if self.scalar.dtype == "bool" else self.scalar.dtype

    @property
    def real(self) -> bool:
        return self.scalar.dtype in FLOATS

    @property
    def default(self) -> str:
        """Initialisers of `has_default`, `default_real` and `default_integer`."""
        if self.scalar.default is None:
            return "false, 0.0, 0"
        if self.real:
            return f"true, {cppexpr.literal(float(self.scalar.default))}, 0"
        return f"true, 0.0, {cppexpr.literal(int(self.scalar.default))}"


@dataclass
class Tables:
    """Everything about a call that does not depend on the plan."""

    interface: Interface
    tensors: list[TensorRow] = field(default_factory=list)
    scalars: list[ScalarRow] = field(default_factory=list)
    parameters: list[tuple[str, bool, int]] = field(default_factory=list)  # name, is a tensor, index
    expressions: list[str] = field(default_factory=list)  # C++ of every extent that is not an axis
    require: list[tuple[str, str]] = field(default_factory=list)  # C++, words

    @property
    def axes(self) -> tuple[str, ...]:
        return self.interface.signature.axes

    @property
    def inputs(self) -> int:
        return len(self.tensors) - len(self.interface.signature.results)


def env(interface: Interface, integers_only: bool) -> dict[str, Cpp]:
    """The names of a call in C++: `axis_M`, `scalar_alpha`, which the templates declare."""
    names = {axis: Cpp(f"axis_{axis}", "int") for axis in interface.signature.axes}
    for param in interface.signature.params:
        if isinstance(param, Scalar):
            real = param.dtype in FLOATS
            kind = "real" if real else "bool" if param.dtype == "bool" else "int"
            if not (real and integers_only):
                names[param.name] = Cpp(f"scalar_{param.name}", kind)
    return names


def tables(interface: Interface) -> Tables:
    """Lay out the tables. Raises SpakError (SPK512) for what the runtime has no room for."""
    made = Tables(interface)
    signature = interface.signature
    scope = env(interface, integers_only=True)
    for param in signature.params:
        if isinstance(param, Tensor):
            made.parameters.append((param.name, True, len(made.tensors)))
            made.tensors.append(_row(param, made, scope))
        else:
            made.parameters.append((param.name, False, len(made.scalars)))
            made.scalars.append(ScalarRow(param))
    made.tensors += [_row(result, made, scope) for result in signature.results]
    everything = env(interface, integers_only=False)
    made.require = [(cppexpr.condition(r.expr, everything), r.words) for r in interface.require]
    _limits(made)
    return made


def _row(tensor: Tensor, made: Tables, scope: Mapping[str, Cpp]) -> TensorRow:
    shape = tuple(_extent(text, made, scope) for text in tensor.shape)
    strides = tuple(_extent(text, made, scope) for text in tensor.strides) if tensor.layout == "strided" else ()
    return TensorRow(tensor, words.tensor_words(tensor), shape, strides)


def _extent(text: str, made: Tables, scope: Mapping[str, Cpp]) -> Extent:
    if text in made.axes:
        return Extent(made.axes.index(text), -1, text)
    cpp = cppexpr.integer(text, scope)
    if cpp not in made.expressions:
        made.expressions.append(cpp)
    return Extent(-1, made.expressions.index(cpp), text)


def _limits(made: Tables) -> None:
    counts = {
        "arrays": len(made.tensors), "parameters": len(made.parameters), "axes": len(made.axes),
        "different extents": len(made.expressions),
    }  # fmt: skip
    over = [f"{count} {what}, and the limit is {LIMIT}" for what, count in counts.items() if count > LIMIT]
    over += [
        f"{r.tensor.name} has {len(r.shape)} dimensions, and the limit is {MAX_RANK}"
        for r in made.tensors
        if len(r.shape) > MAX_RANK
    ]
    if over:
        raise SpakError(*(Diagnostic("SPK512", f"unit {made.interface.name}: {what}") for what in over))
