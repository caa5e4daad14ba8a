"""The kernels' parameters are what the plan passes, in number, type and constness. Knows no plan expression's value."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from spak.check.bounds import required_bounds
from spak.check.scope import Scope
from spak.check.source import Function, Parameter
from spak.check.subject import Finding, Subject
from spak.errors import Diagnostic
from spak.model.plan import Launch

NAME = "parameters"
NEEDS = frozenset({"tree", "plan"})

_INT_MAX = 2**31 - 1

#: The C type of an element, by dialect; several are spellings of one type and already canonical in `Source`.
_C_TYPES: dict[str, dict[str, tuple[str, ...]]] = {
    "cuda": {
        "f64": ("double",), "f32": ("float",), "tf32": ("float",), "f16": ("__half",), "bf16": ("__nv_bfloat16",),
        "i32": ("int",), "i8": ("signed char",), "u8": ("unsigned char",), "bool": ("bool",),
    },
    "cpp": {
        "f64": ("double",), "f32": ("float",), "tf32": ("float",), "f16": ("spak::f16",), "bf16": ("spak::bf16",),
        "i32": ("int",), "i8": ("signed char",), "u8": ("unsigned char",), "bool": ("bool",),
    },
}  # fmt: skip


def check(subject: Subject) -> Iterable[Finding]:
    scope = subject.scope
    done: set[tuple[str, tuple[str, ...]]] = set()
    for index, launch in enumerate(subject.plan.launch):
        functions = subject.source.entries(launch.kernel)
        if len(functions) != 1 or (launch.kernel, launch.args) in done:
            continue  # the syntax check has said so, or an alternative launch passes the same
        done.add((launch.kernel, launch.args))
        yield from _launch(subject, scope, index, launch, functions[0])


def _launch(subject: Subject, scope: Scope, index: int, launch: Launch, function: Function) -> Iterable[Diagnostic]:
    params = function.params
    if len(params) != len(launch.args):
        place = subject.source.at(function.line, function.col, len(function.name))
        takes = ", ".join(p.name or p.text for p in params) or "none"
        note = f"the plan ({subject.file.span('launch', index, 'args')}) passes: {', '.join(launch.args) or 'none'}"
        message = (
            f"kernel {function.name!r} takes {len(params)} parameters ({takes}), but the plan passes {len(launch.args)}"
        )
        yield Diagnostic("SPK410", message, place, "parameters stand in the order of the plan's args", (note,))
        return
    for position, (param, arg) in enumerate(zip(params, launch.args, strict=True)):
        kind = scope.kind(arg)
        if kind:  # an unknown name is the plan check's finding
            yield from _parameter(subject, scope, function, param, arg, kind, position)


def _parameter(
    subject: Subject, scope: Scope, function: Function, param: Parameter, arg: str, kind: str, position: int
) -> Iterable[Diagnostic]:
    place = subject.source.at(param.line, param.col, len(param.text))
    what = f"parameter {position + 1} of {function.name!r} receives {_describe(scope, arg, kind)}"
    if kind == "tensor_map":
        if param.base != "CUtensorMap" or param.pointers or not (param.const and param.grid_constant):
            hint = f"write const __grid_constant__ CUtensorMap {param.name or arg}"
            yield Diagnostic("SPK414", f"{what}, but is {param.text!r}", place, hint)
        return
    if param.reference:
        yield Diagnostic("SPK411", f"{what}, but is a reference", place, "kernels take pointers and values")
        return
    if kind in ("input", "result", "workspace"):
        yield from _pointer(subject, scope, param, arg, kind, what)
        return
    yield from _value(subject, scope, param, arg, kind, what)


def _pointer(subject: Subject, scope: Scope, param: Parameter, arg: str, kind: str, what: str) -> Iterable[Diagnostic]:
    place = subject.source.at(param.line, param.col, len(param.text))
    types = _C_TYPES[subject.source.dialect][scope.dtype(arg)]
    wanted = f"{'const ' if kind == 'input' else ''}{types[0]}* {param.name or arg}"
    if param.pointers != 1 or param.base not in types:
        near = get_close_matches(param.base, types, 1)
        hint = f"write {wanted}" + ("" if near or param.pointers != 1 else "; cast to vector types inside the kernel")
        yield Diagnostic("SPK411", f"{what}, but is {param.text!r}", place, hint)
    elif kind == "input" and not param.const:
        yield Diagnostic(
            "SPK412", f"{what}, which a kernel only reads, but is {param.text!r}", place, f"write {wanted}"
        )
    elif kind == "result" and param.const and not _written(subject, arg):
        yield Diagnostic("SPK412", f"{what}, which the kernel writes, but is {param.text!r}", place, f"write {wanted}")


def _written(subject: Subject, result: str) -> bool:
    """Whether some launch passes a result to a parameter that may be written; a later step may take it as const."""
    for launch in subject.plan.launch:
        functions = subject.source.entries(launch.kernel)
        params = functions[0].params if len(functions) == 1 else ()
        if any(a == result and not p.const for a, p in zip(launch.args, params, strict=False)):
            return True
    return False


def _value(subject: Subject, scope: Scope, param: Parameter, arg: str, kind: str, what: str) -> Iterable[Diagnostic]:
    place = subject.source.at(param.line, param.col, len(param.text))
    if kind == "scalar":
        wanted = _C_TYPES[subject.source.dialect][scope.dtype(arg)][0]
        if param.base != wanted or param.pointers:
            yield Diagnostic("SPK411", f"{what}, but is {param.text!r}", place, f"write {wanted} {param.name or arg}")
        return
    if param.base == "long long" and not param.pointers:
        return
    if param.base == "int" and not param.pointers and kind == "axis":
        if required_bounds(subject)[arg].high <= _INT_MAX:
            return
        hint = f"write long long {param.name or arg}, or bound the axis in the spec: require: {arg} < 2147483648"
        yield Diagnostic("SPK413", f"{what}, which may exceed 2^31 - 1, but is {param.text!r}", place, hint)
        return
    hint = f"write long long {param.name or arg}"
    yield Diagnostic("SPK411", f"{what}, a 64-bit integer, but is {param.text!r}", place, hint)


def _describe(scope: Scope, arg: str, kind: str) -> str:
    words = {
        "input": "the input", "result": "the result", "workspace": "the workspace", "tensor_map": "the tensor map",
        "axis": "the axis", "scalar": "the scalar",
        "param": "the plan's parameter", "constant": "the target's constant",
    }  # fmt: skip
    dtype = f" ({scope.dtype(arg)})" if kind in ("input", "result", "workspace", "scalar") else ""
    return f"{words[kind]} {arg!r}{dtype}"
