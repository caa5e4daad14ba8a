"""The names a plan may use, what each stands for, and its expressions parsed once. Knows no value but constants'."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from spak.check.plan_file import Path
from spak.errors import Diagnostic, SpakError, Span
from spak.lang.expr import Binary, Call, Expr, ListLit, Name, Num, Str, Unary, parse_expr
from spak.model.ir import Tensor

if TYPE_CHECKING:
    from spak.check.subject import Subject

INTEGER_SCALARS = ("i32", "i8", "u8")


@dataclass(frozen=True)
class Scope:
    """`kinds`: input, result, workspace, tensor_map, scalar, axis, param or constant, by name."""

    kinds: dict[str, str]
    dtypes: dict[str, str]
    constants: dict[str, int]

    @classmethod
    def of(cls, subject: Subject) -> Scope:
        """Names of the interface first: a plan cannot take one of them away."""
        kinds: dict[str, str] = {}
        dtypes: dict[str, str] = {}
        signature, plan = subject.interface.signature, subject.plan
        for param in signature.params:
            kinds[param.name] = "input" if isinstance(param, Tensor) else "scalar"
            dtypes[param.name] = param.dtype
        for result in signature.results:
            kinds[result.name], dtypes[result.name] = "result", result.dtype
        kinds |= dict.fromkeys(signature.axes, "axis")
        for buffer in plan.workspace:
            kinds.setdefault(buffer.name, "workspace")
            dtypes.setdefault(buffer.name, buffer.dtype)
        for tensor_map in plan.tensor_map:
            kinds.setdefault(tensor_map.name, "tensor_map")
        constants = {}
        for name, value in plan.params.items():
            if kinds.setdefault(name, "param") == "param":
                constants[name] = value
        for name, number in subject.target.constants.items():
            if kinds.setdefault(name, "constant") == "constant" and isinstance(number, int):
                constants[name] = number
        return cls(kinds, dtypes, constants)

    def kind(self, name: str) -> str:
        return self.kinds.get(name, "")

    def dtype(self, name: str) -> str:
        return self.dtypes[name]

    def integers(self) -> list[str]:
        """Names an expression may use."""
        return sorted(n for n, k in self.kinds.items() if k == "axis" or n in self.constants or self._integer_scalar(n))

    def _integer_scalar(self, name: str) -> bool:
        return self.kinds[name] == "scalar" and self.dtypes[name] in INTEGER_SCALARS


def expression_paths(subject: Subject) -> Iterator[tuple[Path, str | int]]:
    """Every expression of the plan that means something in its dialect, with its place."""
    plan = subject.plan
    for at, buffer in enumerate(plan.workspace):
        for dim, expr in enumerate(buffer.shape):
            yield ("workspace", at, "shape", dim), expr
    for at, tensor_map in enumerate(plan.tensor_map):
        for dim, expr in enumerate(tensor_map.box):
            yield ("tensor_map", at, "box", dim), expr
    for at, launch in enumerate(plan.launch):
        yield ("launch", at, "when"), launch.when
        if subject.source.dialect != "cuda":
            continue
        for key in ("grid", "block"):
            for dim, expr in enumerate(getattr(launch, key)):
                yield ("launch", at, key, dim), expr
        yield ("launch", at, "smem"), launch.smem


def parse_plan(subject: Subject) -> tuple[dict[Path, Expr], list[Diagnostic]]:
    """Every expression of the plan that could be parsed, and what is wrong with the others."""
    parsed: dict[Path, Expr] = {}
    problems: list[Diagnostic] = []
    for path, text in expression_paths(subject):
        if isinstance(text, int):
            parsed[path] = Num(text)
            continue
        try:
            parsed[path] = parse_expr(text, subject.file.inside(*path))
        except SpakError as error:
            first = error.diagnostics[0]
            message = f"{_dotted(path)}: cannot parse {text!r}: {first.message}"
            problems.append(Diagnostic("SPK453", message, first.span or subject.file.inside(*path), first.hint))
    return parsed, problems


def _dotted(path: Path) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def is_boolean(expr: Expr) -> bool:
    """Whether an expression is a condition."""
    if isinstance(expr, Num):
        return isinstance(expr.value, bool)
    if isinstance(expr, Unary):
        return expr.op == "!"
    return isinstance(expr, Binary) and expr.op in ("<", "<=", ">", ">=", "==", "!=", "&&", "||", "in")


def parts(expr: Expr) -> Iterator[Expr]:
    """The expression and all under it."""
    yield expr
    if isinstance(expr, Unary):
        yield from parts(expr.operand)
    elif isinstance(expr, Binary):
        yield from parts(expr.left)
        yield from parts(expr.right)
    elif isinstance(expr, Call):
        for argument in expr.args:
            yield from parts(argument)
    elif isinstance(expr, ListLit):
        for item in expr.items:
            yield from parts(item)


def names_in(expr: Expr) -> list[str]:
    return sorted({part.id for part in parts(expr) if isinstance(part, Name)})


def resolve_plan(subject: Subject) -> list[Diagnostic]:
    """All about the plan's expressions that keeps them from having an integer (or, for `when`, Boolean) value."""
    problems = list(subject.expression_problems)
    usable = set(subject.scope.integers())
    for path, expr in subject.expressions.items():
        place = subject.file.inside(*path)
        what = _dotted(path)
        for name in names_in(expr):
            if name not in usable:
                problems.append(_unknown(subject, what, name, usable, place))
        problems += [Diagnostic("SPK453", f"{what}: {message}", place, hint) for message, hint in _ill_typed(expr)]
        if path[-1] == "when" and not is_boolean(expr):
            problems.append(
                Diagnostic("SPK453", f"{what} is a number, not a condition", place, 'e.g. when = "N % 4 == 0"')
            )
        elif path[-1] != "when" and is_boolean(expr):
            problems.append(
                Diagnostic("SPK453", f"{what} is a condition, not a number", place, "conditions belong into when")
            )
    return problems


def _unknown(subject: Subject, what: str, name: str, usable: set[str], place: Span) -> Diagnostic:
    kind = subject.scope.kind(name)
    if kind:
        words = {"constant": "is not an integer", "scalar": "is not an integer scalar"}.get(
            kind, "is a tensor, not a number"
        )
        return Diagnostic(
            "SPK452",
            f"{what}: {name!r} {words}",
            place,
            "expressions are over axes, integer scalars, [params] and target constants",
        )
    return Diagnostic("SPK452", f"{what}: {name!r} is not defined", place, nearest(name, sorted(usable)))


def nearest(name: str, names: list[str]) -> str:
    """A hint: the name that was probably meant, whatever its case, or all there are."""
    folded = {known.lower(): known for known in names}
    near = get_close_matches(name.lower(), sorted(folded), 1, 0.5)
    return f"did you mean {folded[near[0]]!r}?" if near else f"there are: {', '.join(names)}"


def _ill_typed(expr: Expr) -> Iterator[tuple[str, str]]:
    for part in parts(expr):
        if isinstance(part, Str):
            yield f"the text {part.value!r} has no integer value", "names are not quoted inside an expression"
        elif isinstance(part, Num) and not isinstance(part.value, int):
            yield f"{part.value} is not an integer", "plans compute in 64-bit integers"
        elif isinstance(part, Binary) and part.op == "/":
            yield "'/' gives fractions", "write // to round down, or cdiv(a, b) to round up"
        elif (
            isinstance(part, Binary) and part.op in ("//", "%") and isinstance(part.right, Num) and not part.right.value
        ):
            yield f"'{part.op}' by zero", ""
        elif isinstance(part, Binary) and part.op in ("+", "-", "*", "//", "%", "<", "<=", ">", ">="):
            if is_boolean(part.left) or is_boolean(part.right):
                yield f"'{part.op}' on a condition", "combine conditions with && and ||"
        elif isinstance(part, Call) and any(is_boolean(argument) for argument in part.args):
            yield f"{part.fn} of a condition", "combine conditions with && and ||"
        elif (
            isinstance(part, Binary)
            and part.op in ("&&", "||")
            and not (is_boolean(part.left) and is_boolean(part.right))
        ):
            yield f"'{part.op}' on a number", "compare it with something"
