"""The launch plan in C++, ready for a template: workspaces, steps, arguments. Knows expressions, not how a launch is made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from spak.build import cppexpr
from spak.build.cppexpr import Cpp
from spak.build.job import Job
from spak.build.tables import FLOATS, env
from spak.errors import Diagnostic, SpakError, Span
from spak.model.ir import ITEMSIZE, DType, Scalar, Tensor
from spak.model.plan import Launch, TensorMap

#: The C type of an element, by dialect.
C_TYPES: dict[str, dict[str, str]] = {
    dialect: {
        "f64": "double", "f32": "float", "tf32": "float", "f16": half, "bf16": bfloat,
        "i32": "int", "i8": "signed char", "u8": "unsigned char", "bool": "bool",
    }
    for dialect, half, bfloat in (("cpp", "spak::f16", "spak::bf16"), ("cuda", "__half", "__nv_bfloat16"))
}  # fmt: skip

#: The same types in host code, which has no CUDA headers.
HOST_TYPES = C_TYPES["cpp"]


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a kernel. `value` is the launcher's expression; `cast` its C type in device code, `host` in host code."""

    kind: str  # "pointer" | "integer" | "real" (a floating scalar) | "whole" (any other scalar) | "map" (a tensor map)
    value: str
    cast: str
    host: str


@dataclass(frozen=True, slots=True)
class Map:
    """A tensor map in C++, innermost dimension first as the driver has it: extents, strides in bytes, box in elements.

    `data_type`, `swizzle`, `promotion` and `fill` are the numbers of cuda.h.
    """

    name: str
    tensor: str
    address: str
    data_type: int
    dims: tuple[str, ...]
    strides: tuple[str, ...]
    box: tuple[str, ...]
    swizzle: int
    promotion: int
    fill: int

    @property
    def initialiser(self) -> str:
        """`rt::TensorMap` of csrc/include/spak/runtime/tensor_map.h."""
        values = (self.dims, self.strides, self.box)
        who = f'"{self.name}", "{self.tensor}", {self.address}, {self.data_type}, {len(self.dims)}'
        lists = ", ".join("{" + ", ".join(one) + "}" for one in values)
        return f"rt::TensorMap{{{who}, {lists}, {self.swizzle}, {self.promotion}, {self.fill}}}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One launch of the plan: its number, its guard ("" where it always holds), its arguments and the maps among them."""

    index: int
    kernel: str
    kernel_index: int
    when: str
    grid: tuple[str, ...]
    block: tuple[str, ...]
    smem: str
    cluster: tuple[int, ...]
    args: tuple[Argument, ...]
    maps: tuple[Map, ...]


@dataclass(frozen=True, slots=True)
class Buffer:
    """A workspace: its bytes in C++, and whether it is cleared."""

    name: str
    bytes: str
    zero: bool


@dataclass(frozen=True, slots=True)
class Region:
    """Memory that a call may touch: its address and exact bytes in C++. Results and most workspaces hold nothing yet."""

    name: str
    address: str
    bytes: str
    writable: bool
    initialised: bool


@dataclass(frozen=True, slots=True)
class Launches:
    kernels: tuple[str, ...]
    buffers: tuple[Buffer, ...]
    regions: tuple[Region, ...]
    steps: tuple[tuple[Entry, ...], ...]

    @property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(entry for step in self.steps for entry in step)


def launches(job: Job) -> Launches:
    """Translate the plan. Raises SpakError with what it cannot: SPK510 for expressions, SPK513 for what no launcher makes."""
    if job.plan.tensor_map and job.target.dialect != "cuda":
        what = f"tensor map {job.plan.tensor_map[0].name!r}: C++ kernels have none"
        raise SpakError(Diagnostic("SPK513", what, Span(job.plan_path), "load tiles with plain loads instead"))
    scope = _scope(job)
    place = Span(job.plan_path)
    buffers = tuple(
        Buffer(w.name, _product([*w.shape, ITEMSIZE[w.dtype]], scope, place), w.zero) for w in job.plan.workspace
    )
    kernels = tuple(dict.fromkeys(launch.kernel for launch in job.plan.launch))
    steps: dict[str, list[Entry]] = {}
    for index, launch in enumerate(job.plan.launch):
        steps.setdefault(launch.step, []).append(_entry(index, launch, kernels, scope, job))
    regions = (
        *_arrays(job, scope),
        *(Region(b.name, f"workspace_{b.name}.data()", b.bytes, True, b.zero) for b in buffers),
    )
    return Launches(kernels, buffers, regions, tuple(tuple(step) for step in steps.values()))


def _arrays(job: Job, scope: dict[str, Cpp]) -> Iterator[Region]:
    signature = job.interface.signature
    inputs = [p for p in signature.params if isinstance(p, Tensor)]
    for position, tensor in enumerate((*inputs, *signature.results)):
        given = position < len(inputs)
        yield Region(tensor.name, f"call.tensors[{position}]", _bytes(tensor, scope), not given, given)


def _bytes(tensor: Tensor, scope: dict[str, Cpp]) -> str:
    size = ITEMSIZE[tensor.dtype]
    if tensor.layout != "strided":
        return _product([*tensor.shape, size], scope, None)
    shape, strides = ([cppexpr.integer(text, scope) for text in texts] for texts in (tensor.shape, tensor.strides))
    return f"ex::mul(ex::reach({{{', '.join(shape)}}}, {{{', '.join(strides)}}}), {size}LL)"


def _scope(job: Job) -> dict[str, Cpp]:
    """What plan expressions may name; parameters and constants are written out as numbers."""
    numbers = {**job.target.constants, **job.plan.params}
    scope = {
        name: Cpp(cppexpr.literal(value), "real" if isinstance(value, float) else "int")
        for name, value in numbers.items()
    }
    return {**scope, **env(job.interface, integers_only=True)}


def _product(factors: Sequence[int | str], scope: dict[str, Cpp], place: Span | None) -> str:
    text = "1LL"
    for factor in factors:
        value = cppexpr.integer(factor, scope, place)
        text = value if text == "1LL" else f"ex::mul({text}, {value})"
    return text


def _entry(index: int, launch: Launch, kernels: tuple[str, ...], scope: dict[str, Cpp], job: Job) -> Entry:
    place = Span(job.plan_path)
    always = launch.when.strip() == "true"
    return Entry(
        index=index,
        kernel=launch.kernel,
        kernel_index=kernels.index(launch.kernel),
        when="" if always else cppexpr.condition(launch.when, scope, place),
        grid=_three(launch.grid, scope, place),
        block=_three(launch.block, scope, place),
        smem=cppexpr.integer(launch.smem, scope, place),
        cluster=(*launch.cluster, 1, 1)[:3],
        args=tuple(_argument(arg, scope, job) for arg in launch.args),
        maps=tuple(_map(one, scope, job) for one in job.plan.tensor_map if one.name in launch.args),
    )


def _map(given: TensorMap, scope: dict[str, Cpp], job: Job) -> Map:
    place = Span(job.plan_path)
    dtype, ordered, strides = _in_memory(given, scope, job)
    size = ITEMSIZE[dtype]
    if dtype not in _DATA_TYPES or len(given.box) != len(ordered):
        what = f"tensor map {given.name!r}: TMA has no {dtype} boxes of {len(given.box)} in {len(ordered)} dimensions"
        raise SpakError(Diagnostic("SPK513", what, place))
    return Map(
        name=given.name,
        tensor=given.tensor,
        address=_argument(given.tensor, scope, job).value,
        data_type=_DATA_TYPES[dtype],
        dims=tuple(cppexpr.integer(dim, scope, place) for dim in reversed(ordered)),
        strides=tuple(_product([stride, size], scope, place) for stride in reversed(strides)),
        box=tuple(cppexpr.integer(extent, scope, place) for extent in reversed(given.box)),
        swizzle=_SWIZZLES.index(given.swizzle),
        promotion=_PROMOTIONS.index(given.promotion),
        fill=_FILLS.index(given.fill),
    )


#: As cuda.h numbers them: CUtensorMapDataType, CUtensorMapSwizzle, CUtensorMapL2promotion, CUtensorMapFloatOOBfill.
_DATA_TYPES = {
    "i8": 0, "u8": 0, "bool": 0, "i32": 3, "f16": 6, "f32": 7, "tf32": 7, "f64": 8, "bf16": 9,
}  # fmt: skip
_SWIZZLES = ("none", "32B", "64B", "128B")
_PROMOTIONS = ("none", "64B", "128B", "256B")
_FILLS = ("zero", "nan")


def _in_memory(given: TensorMap, scope: dict[str, Cpp], job: Job) -> tuple[DType, list[int | str], list[int | str]]:
    """The element, extents and strides (in elements, of all but the innermost) of a map's tensor, outermost first."""
    signature = job.interface.signature
    for tensor in (*signature.params, *signature.results):
        if isinstance(tensor, Tensor) and tensor.name == given.tensor:
            if tensor.layout == "strided":
                return tensor.dtype, [*tensor.shape], [*tensor.strides[:-1]]
            ordered = [*tensor.shape] if tensor.layout == "row" else [*reversed(tensor.shape)]
            return tensor.dtype, [*ordered], _dense(ordered)
    for buffer in job.plan.workspace:
        if buffer.name == given.tensor:
            return buffer.dtype, [*buffer.shape], _dense(buffer.shape)
    what = f"tensor map {given.name!r} is of {given.tensor!r}, which is no tensor of the unit and no workspace"
    raise SpakError(Diagnostic("SPK510", what, Span(job.plan_path)))


def _dense(ordered: Sequence[int | str]) -> list[int | str]:
    return [" * ".join(f"({extent})" for extent in ordered[at + 1 :]) for at in range(len(ordered) - 1)]


def _three(sizes: tuple[int | str, ...], scope: dict[str, Cpp], place: Span) -> tuple[str, ...]:
    return tuple(cppexpr.integer(size, scope, place) for size in (*sizes, 1, 1)[:3])


def _argument(name: str, scope: dict[str, Cpp], job: Job) -> Argument:
    signature = job.interface.signature
    types = C_TYPES[job.target.dialect]
    tensors = [p for p in signature.params if isinstance(p, Tensor)]
    for position, tensor in enumerate((*tensors, *signature.results)):
        if tensor.name == name:
            const = "const " if position < len(tensors) else ""
            return Argument("pointer", f"call.tensors[{position}]", f"{const}{types[tensor.dtype]}*", "void*")
    for buffer in job.plan.workspace:
        if buffer.name == name:
            return Argument("pointer", f"workspace_{name}.data()", f"{types[buffer.dtype]}*", "void*")
    if any(one.name == name for one in job.plan.tensor_map):
        return Argument("map", f"&map_{name}", "CUtensorMap", "void*")
    for scalar in signature.params:
        if isinstance(scalar, Scalar) and scalar.name == name:
            kind = "real" if scalar.dtype in FLOATS else "whole"
            return Argument(kind, f"scalar_{name}", types[scalar.dtype], HOST_TYPES[scalar.dtype])
    if name not in scope or scope[name].kind != "int":
        hint = f"names are: {', '.join(sorted(_nameable(scope, job)))}"
        message = f"the plan passes {name!r}, which is no array, number or size of the unit"
        raise SpakError(Diagnostic("SPK510", message, Span(job.plan_path), hint))
    return Argument("integer", scope[name].text, "long long", "long long")


def _nameable(scope: dict[str, Cpp], job: Job) -> set[str]:
    signature = job.interface.signature
    arrays = [
        *(p.name for p in signature.params),
        *(r.name for r in signature.results),
        *(w.name for w in job.plan.workspace),
    ]
    arrays += [one.name for one in job.plan.tensor_map]
    return {*arrays, *(name for name, value in scope.items() if value.kind == "int")}
