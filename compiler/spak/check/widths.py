"""Follow integer widths and ranges through device code, function by function. Knows C++'s promotions, not what a plan
is.

An abstract interpretation that never complains without a reason: a value whose range it does not know is left alone; a
value that it knows may exceed 32 bits must not be computed, kept or counted in 32 bits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spak.check.bounds import ANY, BOOL, UNBOUNDED, Interval, add, floor_divide, multiply, remainder, subtract
from spak.check.source import Function, Source, text_of, walk

if TYPE_CHECKING:
    from tree_sitter import Node

I32, U32, I64, U64, SMALL, OTHER = "int", "unsigned int", "long long", "unsigned long long", "small", ""
_MAX = {I32: 2**31 - 1, U32: 2**32 - 1}
_TYPES = {
    "int": I32, "unsigned int": U32, "long long": I64, "unsigned long long": U64,
    "short": SMALL, "unsigned short": SMALL, "signed char": SMALL, "unsigned char": SMALL, "char": SMALL, "bool": SMALL,
}  # fmt: skip
_KNOWN = UNBOUNDED >> 8


@dataclass(frozen=True, slots=True)
class Value:
    """A C++ integer expression: its type, '' when it is no integer or unknown, and the range of what it can be."""

    type: str = OTHER
    range: Interval = ANY


UNKNOWN = Value()


@dataclass(frozen=True, slots=True)
class Finding32:
    """A place where `text` is kept in 32 bits (`what`) although it can reach `reach`."""

    node: Node
    what: str
    reach: int


@dataclass
class Widths:
    """One function's walk. `builtin` gives the range of `threadIdx.x` and the like; `globals_` of named constants."""

    source: Source
    builtin: Callable[[str, str], Interval]
    names: dict[str, Value]
    functions: dict[str, Function]
    found: list[Finding32] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)

    def run(self, body: Node) -> list[Finding32]:
        """Every finding in a function's body."""
        self.changed = set(_assigned(body))
        for name in self.changed & set(self.names):
            self.names[name] = Value(self.names[name].type)
        self.visit(body)
        return self.found

    def visit(self, node: Node) -> None:
        """A statement, or anything that holds statements."""
        if node.type == "declaration":
            self._declaration(node)
        elif node.type == "for_statement":
            self._for(node)
        elif node.type in ("while_statement", "do_statement"):
            self._condition(node.child_by_field_name("condition"))
            body = node.child_by_field_name("body")
            if body is not None:
                self.visit(body)
        elif node.type.endswith("_expression") or node.type in ("identifier", "number_literal"):
            self.value(node)
        else:
            for child in node.named_children:
                self.visit(child)

    def _declaration(self, node: Node) -> None:
        kind = node.child_by_field_name("type")
        declared = self._type(kind)
        auto = kind is not None and "auto" in text_of(kind)
        for declarator in node.children_by_field_name("declarator"):
            if declarator.type == "identifier":
                self.names[text_of(declarator)] = Value(declared)
                continue
            if declarator.type != "init_declarator":
                for child in declarator.named_children:
                    self.visit(child)
                continue
            target, init = declarator.child_by_field_name("declarator"), declarator.child_by_field_name("value")
            value = self._initial(init)
            if target is None or target.type != "identifier":
                continue
            name = text_of(target)
            kept = value if auto else self._keep(value, declared, declarator, f"the {declared} {name!r}")
            self.names[name] = Value(kept.type) if name in self.changed else kept

    def _initial(self, init: Node | None) -> Value:
        if init is not None and init.type in ("argument_list", "initializer_list"):  # int x(3), int x{3}
            values = [self.value(child) for child in init.named_children]
            return values[0] if len(values) == 1 else UNKNOWN
        return self.value(init)

    def _for(self, node: Node) -> None:
        initial, condition = node.child_by_field_name("initializer"), node.child_by_field_name("condition")
        update, body = node.child_by_field_name("update"), node.child_by_field_name("body")
        if initial is not None:
            self.visit(initial)
        self._condition(condition)
        counted = self._counter(node, condition, update, body)
        if counted:
            name, value = counted
            self.names[name] = value
        for part in (update, body):
            if part is not None:
                self.visit(part)

    def _counter(
        self, loop: Node, condition: Node | None, update: Node | None, body: Node | None
    ) -> tuple[str, Value] | None:
        """The loop variable and its range, for `for (T i = a; i < b; i += c)` whose body leaves `i` alone."""
        if condition is None or condition.type != "binary_expression" or update is None or body is None:
            return None
        left, right = condition.child_by_field_name("left"), condition.child_by_field_name("right")
        operator = text_of(condition.child_by_field_name("operator"))
        initial = loop.child_by_field_name("initializer")
        if left is None or left.type != "identifier" or initial is None or initial.type != "declaration":
            return None
        name = text_of(left)
        starts = [
            d for d in initial.children_by_field_name("declarator")
            if d.type == "init_declarator" and text_of(d.child_by_field_name("declarator")) == name
        ]  # fmt: skip
        if not starts or name in set(_assigned(body)):
            return None
        silent = Widths(self.source, self.builtin, dict(self.names), self.functions)
        start = silent._initial(starts[0].child_by_field_name("value")).range
        end = silent.value(right).range
        type_ = self.names[name].type if name in self.names else OTHER
        step = text_of(update).replace(" ", "")
        if operator in ("<", "<=") and re.fullmatch(rf"\+\+{name}|{name}\+\+|{name}\+=.*", step):
            return name, Value(type_, Interval(start.low, end.high - (operator == "<")))
        if operator in (">", ">=", "!=") and re.fullmatch(rf"--{name}|{name}--|{name}(?:-=|>>=|/=).*", step):
            return name, Value(type_, Interval(min(start.low, 0), start.high))
        return None

    def _condition(self, node: Node | None) -> None:
        """A loop's condition: a 32-bit counter that must pass a bound beyond 32 bits never does."""
        if node is None:
            return
        for part in walk(node):
            if part.type == "binary_expression" and text_of(part.child_by_field_name("operator")) in ("<", "<=", "!="):
                left, right = part.child_by_field_name("left"), part.child_by_field_name("right")
                if left is None or left.type != "identifier" or text_of(left) not in self.changed:
                    continue
                silent = Widths(self.source, self.builtin, dict(self.names), self.functions)
                counter, bound = self.names.get(text_of(left), UNKNOWN), silent.value(right)
                if counter.type in _MAX and _MAX[counter.type] < bound.range.high < _KNOWN:
                    self.found.append(
                        Finding32(part, f"the {counter.type} counter {text_of(left)!r}", bound.range.high)
                    )
        self.value(node)

    def value(self, node: Node | None) -> Value:
        """The value of an expression; findings in it and under it are recorded once."""
        if node is None:
            return UNKNOWN
        handler = getattr(self, f"_{node.type}", None)
        if handler is not None:
            result: Value = handler(node)
            return result
        if node.type == "compound_statement":  # a lambda's body
            self.visit(node)
            return UNKNOWN
        for child in node.named_children:
            self.value(child) if child.type not in ("declaration", "compound_statement") else self.visit(child)
        return UNKNOWN

    def _number_literal(self, node: Node) -> Value:
        text = text_of(node).replace("'", "").lower()
        match = re.fullmatch(r"(0x[0-9a-f]+|0b[01]+|\d+)(u?l{0,2}|l{1,2}u)", text)
        if not match:
            return UNKNOWN
        digits = match[1]
        number = int(digits, 8 if re.fullmatch(r"0[0-7]+", digits) else 0)
        wide = (
            "l" in match[2] or number > _MAX[U32] or (number > _MAX[I32] and digits.isdigit() and "u" not in match[2])
        )
        unsigned = "u" in match[2] or (not wide and number > _MAX[I32])
        kind = (U64 if unsigned else I64) if wide else (U32 if unsigned else I32)
        return Value(kind, Interval(number, number))

    def _identifier(self, node: Node) -> Value:
        name = text_of(node)
        return Value(I32, Interval(32, 32)) if name == "warpSize" else self.names.get(name, UNKNOWN)

    def _field_expression(self, node: Node) -> Value:
        owner, member = node.child_by_field_name("argument"), node.child_by_field_name("field")
        if text_of(owner) in ("threadIdx", "blockIdx", "blockDim", "gridDim") and text_of(member) in ("x", "y", "z"):
            return Value(U32, self.builtin(text_of(owner), text_of(member)))
        self.value(owner)
        return UNKNOWN

    def _parenthesized_expression(self, node: Node) -> Value:
        return self.value(node.named_children[0]) if len(node.named_children) == 1 else UNKNOWN

    def _condition_clause(self, node: Node) -> Value:
        return self.value(node.child_by_field_name("value"))

    def _conditional_expression(self, node: Node) -> Value:
        self.value(node.child_by_field_name("condition"))
        a, b = self.value(node.child_by_field_name("consequence")), self.value(node.child_by_field_name("alternative"))
        return Value(_common(a.type, b.type), a.range.join(b.range))

    def _sizeof_expression(self, node: Node) -> Value:
        return Value(U64, Interval(1, 1 << 20))

    def _cast_expression(self, node: Node) -> Value:
        return self._cast(node.child_by_field_name("type"), self.value(node.child_by_field_name("value")), node)

    def _call_expression(self, node: Node) -> Value:
        callee, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        values = [self.value(child) for child in arguments.named_children] if arguments is not None else []
        if callee is None or arguments is None:
            return UNKNOWN
        if callee.type == "template_function" and text_of(callee).startswith("static_cast") and len(values) == 1:
            kind = next((n for n in walk(callee) if n.type == "type_descriptor"), None)
            return self._cast(kind, values[0], node)
        name = text_of(callee).removeprefix("std::").removeprefix("::").split("<")[0]
        if callee.type == "primitive_type" or (name in _TYPES and len(values) == 1):
            return self._cast(callee, values[0], node) if len(values) == 1 else UNKNOWN
        if name in ("min", "max") and len(values) == 2:
            ends = (min, max)[name == "max"]
            a, b = values[0].range, values[1].range
            return Value(_common(values[0].type, values[1].type), Interval(ends(a.low, b.low), ends(a.high, b.high)))
        if callee.type not in ("identifier", "template_function"):
            self.value(callee)
        function = self.functions.get(name)
        if function is not None and len(function.params) == len(values):
            for param, value, argument in zip(function.params, values, arguments.named_children, strict=True):
                if not param.pointers and not param.reference:
                    self._keep(
                        value,
                        _TYPES.get(param.base, OTHER),
                        argument,
                        f"the {param.base} parameter {param.name!r} of {name}",
                    )
        return Value(_TYPES.get(function.returns, OTHER)) if function is not None else UNKNOWN

    def _cast(self, kind: Node | None, value: Value, node: Node) -> Value:
        declared = self._type(kind)
        return self._keep(value, declared, node, f"a cast to {declared}")

    def _assignment_expression(self, node: Node) -> Value:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        value = self.value(right)
        target = self.value(left)
        if text_of(node.child_by_field_name("operator")) == "=" and left is not None and left.type == "identifier":
            return self._keep(value, target.type, node, f"the {target.type} {text_of(left)!r}")
        return Value(target.type)

    def _unary_expression(self, node: Node) -> Value:
        operand = self.value(node.child_by_field_name("argument"))
        operator = text_of(node.child_by_field_name("operator"))
        if operator == "-":
            return Value(operand.type, Interval(-operand.range.high, -operand.range.low))
        return operand if operator == "+" else Value(SMALL, BOOL) if operator == "!" else Value(operand.type)

    def _binary_expression(self, node: Node) -> Value:
        a, b = self.value(node.child_by_field_name("left")), self.value(node.child_by_field_name("right"))
        operator = text_of(node.child_by_field_name("operator"))
        if operator in ("<", ">", "<=", ">=", "==", "!=", "&&", "||"):
            return Value(SMALL, BOOL)
        kind = a.type if operator in ("<<", ">>") and a.type != SMALL else _common(a.type, b.type)
        if kind == OTHER:
            return UNKNOWN
        exact = _apply(operator, a.range, b.range)
        if operator in ("+", "*", "<<") and kind in _MAX and _MAX[kind] < exact.high < _KNOWN:
            self.found.append(Finding32(node, f"{kind} arithmetic", exact.high))
            return Value(kind)
        return Value(kind, exact)

    def _keep(self, value: Value, declared: str, node: Node, what: str) -> Value:
        """A value turned into a declared type: nothing is known of it when it may not fit, or when it is no integer."""
        if declared in _MAX and _MAX[declared] < value.range.high < _KNOWN:
            self.found.append(Finding32(node, what, value.range.high))
            return Value(declared)
        if declared == OTHER or value.type == OTHER:
            return Value(declared)
        return Value(declared, value.range)

    def _type(self, node: Node | None) -> str:
        return (
            _TYPES.get(self.source.resolve(text_of(node)).removeprefix("const "), OTHER) if node is not None else OTHER
        )


def _common(a: str, b: str) -> str:
    """The usual arithmetic conversions."""
    if OTHER in (a, b):
        return OTHER
    return next((kind for kind in (U64, I64, U32) if kind in (a, b)), I32)


def _apply(operator: str, a: Interval, b: Interval) -> Interval:
    table = {"+": add, "-": subtract, "*": multiply, "/": floor_divide, "%": remainder}
    if operator in table:
        return table[operator](a, b)
    if operator in ("<<", ">>") and b.low >= 0 and b.high < 64:
        scale = Interval(1 << b.low, 1 << b.high)
        return multiply(a, scale) if operator == "<<" else floor_divide(a, scale)
    if operator == "&" and (a.low >= 0 or b.low >= 0):
        return Interval(0, min(i.high for i in (a, b) if i.low >= 0))
    if operator in ("|", "^") and a.low >= 0 and b.low >= 0 and max(a.high, b.high) < _KNOWN:
        return Interval(0, (1 << max(a.high, b.high).bit_length()) - 1)
    return ANY


def _assigned(body: Node) -> Iterator[str]:
    """Names that a body assigns, increments or takes the address of."""
    for node in walk(body):
        if node.type == "assignment_expression":
            yield text_of(node.child_by_field_name("left"))
        elif node.type == "update_expression" or (node.type == "pointer_expression" and text_of(node).startswith("&")):
            yield text_of(node.child_by_field_name("argument"))


def constant(source: Source, node: Node, names: dict[str, Value]) -> Value:
    """The value of a namespace-scope constant's initialiser."""
    return Widths(source, lambda owner, member: ANY, dict(names), {}).value(node)
