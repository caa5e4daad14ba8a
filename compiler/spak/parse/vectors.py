"""`tests.<unit>.yaml`: vectors, shapes and large shapes, checked against the unit's signature. Knows no oracle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spak.errors import Collector, Span
from spak.lang.expr import evaluate, parse_expr
from spak.model.ir import Require, Scalar, Signature, Tensor, Vector
from spak.semantics.suggest import near
from spak.semantics.yamlfile import Yaml

KEYS = ("vectors", "shapes", "large")
VECTOR_KEYS = ("name", "shape", "inputs", "expect", "special")

#: Distributions by name, and those that take arguments with how many (0: literal values).
NAMED_WORDS = """normal uniform positive zeros ones ramp identity one_hot denormal huge extreme tiny wide cancel
    nan inf neg_inf integers"""
NAMED = frozenset(NAMED_WORDS.split())
WITH_ARGUMENTS = {"uniform": 2, "normal": 2, "integers": 2, "randint": 2, "constant": 1, "full": 1, "values": 0}
SPECIAL_NUMBERS = frozenset({"nan", "inf", "-inf"})


@dataclass
class Tests:
    vectors: list[Vector] = field(default_factory=list)
    shapes: list[dict[str, int]] = field(default_factory=list)
    large: list[dict[str, int]] = field(default_factory=list)
    places: dict[str, Span] = field(default_factory=dict)


class TestsReader:
    """Reads one file for one signature."""

    def __init__(self, signature: Signature, require: Sequence[Require], found: Collector) -> None:
        self.axes = signature.axes
        self.params: dict[str, Tensor | Scalar] = {param.name: param for param in signature.params}
        self.results = {tensor.name: tensor for tensor in signature.results}
        self.require = [(parse_expr(r.expr), r.words) for r in require]
        self.found = found

    def read(self, root: Yaml | None) -> Tests:
        tests = Tests()
        if root is None:
            return tests
        table = self.table(root, KEYS, "tests")
        for index, entry in enumerate(self.rows(table.get("vectors"), "vectors")):
            tests.places[f"/vectors/{index}"] = entry.span
            tests.vectors.append(self.vector(entry, tests.vectors))
        for key, shapes in (("shapes", tests.shapes), ("large", tests.large)):
            for index, entry in enumerate(self.rows(table.get(key), key)):
                tests.places[f"/{key}/{index}"] = entry.span
                shapes.append(self.shape(entry, {}))
        return tests

    def table(self, entry: Yaml, keys: Sequence[str], what: str) -> dict[str, Yaml]:
        if not isinstance(entry.value, dict):
            self.found.add("SPK218", f"{what} must be a table", entry.span, f"with the keys {', '.join(keys)}")
            return {}
        for key, span in entry.keys.items():
            if key not in keys:
                self.found.add("SPK201", f"{what} has no key {key!r}", span, near(key, keys, "keys"))
        return entry.value

    def rows(self, entry: Yaml | None, what: str) -> list[Yaml]:
        if entry is None or entry.value is None:
            return []
        if not isinstance(entry.value, list):
            self.found.add("SPK218", f"{what} must be a list", entry.span, "begin each entry with `- `")
            return []
        return entry.value

    # ---- shapes ----

    def shape(self, entry: Yaml, scalars: Mapping[str, Any]) -> dict[str, int]:
        """A size for every axis, such that `require` holds."""
        sizes: dict[str, int] = {}
        if not isinstance(entry.value, dict):
            self.found.add(
                "SPK218",
                "a shape is a table of axes",
                entry.span,
                f"for example {{{', '.join(f'{a}: 1' for a in self.axes)}}}",
            )
            return {}
        for axis, size in entry.value.items():
            if axis not in self.axes:
                self.found.add("SPK204", f"there is no axis {axis!r}", entry.keys[axis], near(axis, self.axes, "axes"))
            elif not isinstance(size.value, int) or isinstance(size.value, bool) or size.value < 0:
                self.found.add("SPK218", f"the size of {axis} must be a whole number", size.span, "for example 128")
            else:
                sizes[axis] = size.value
        missing = [axis for axis in self.axes if axis not in entry.value]
        if missing:
            self.found.add(
                "SPK218", f"this shape does not say {', '.join(missing)}", entry.span, "give every axis a size"
            )
        if len(sizes) == len(self.axes):
            self.required(sizes, scalars, entry.span)
        return sizes

    def required(self, sizes: Mapping[str, int], scalars: Mapping[str, Any], span: Span) -> None:
        for expr, words in self.require:
            if evaluate(expr, {**scalars, **sizes}) is False:
                self.found.add(
                    "SPK218",
                    f"this shape violates `require: {words}`",
                    span,
                    "callers may not pass it either: change the shape or the spec",
                )

    # ---- vectors ----

    def vector(self, entry: Yaml, earlier: Sequence[Vector]) -> Vector:
        table = self.table(entry, VECTOR_KEYS, "a vector")
        name = self.text(table.get("name"), entry, "name")
        if name and any(vector.name == name for vector in earlier):
            self.found.add("SPK222", f"vector {name!r} is named twice", table["name"].span, "names tell results apart")
        inputs = self.fills(table.get("inputs"), self.params, "input")
        scalars = {key: v.value for key, v in inputs.items() if isinstance(self.params[key], Scalar)}
        shape_entry = table.get("shape")
        shape = self.shape(shape_entry, scalars) if shape_entry is not None else {}
        if shape_entry is None and self.axes:
            self.found.add(
                "SPK206",
                "a vector needs a shape",
                entry.span,
                f"for example shape: {{{', '.join(f'{a}: 1' for a in self.axes)}}}",
            )
        expected = self.fills(table.get("expect"), self.results, "result")
        if len(shape) == len(self.axes):
            self.fits(inputs, shape, entry)
            self.fits(expected, shape, entry)
        return Vector(
            name=name,
            shape=shape,
            inputs={key: value.plain() for key, value in inputs.items()},
            expect={key: value.plain() for key, value in expected.items()},
            special=self.text(table["special"], entry, "special") if "special" in table else "",
        )

    def text(self, entry: Yaml | None, whole: Yaml, what: str) -> str:
        if entry is None:
            self.found.add("SPK206", f"a vector needs a {what}", whole.span, f"add `{what}: ...`")
            return ""
        if not isinstance(entry.value, str):
            self.found.add("SPK218", f"{what} must be text", entry.span, "quote it")
            return ""
        return entry.value

    def fills(self, entry: Yaml | None, known: Mapping[str, Any], what: str) -> dict[str, Yaml]:
        if entry is None or entry.value is None:
            return {}
        if not isinstance(entry.value, dict):
            self.found.add("SPK218", f"{what}s must be a table of names", entry.span, f"names are: {', '.join(known)}")
            return {}
        given: dict[str, Yaml] = {}
        for name, value in entry.value.items():
            if name not in known:
                self.found.add(
                    "SPK204", f"there is no {what} {name!r}", entry.keys[name], near(name, known, f"{what}s")
                )
            elif isinstance(known[name], Scalar):
                self.number(value, f"{name} is a scalar: it")
                given[name] = value
            else:
                self.fill(value, what)
                given[name] = value
        return given

    def fill(self, value: Yaml, what: str) -> None:
        """A distribution by name, one with arguments, literal numbers, or one number for every element."""
        if isinstance(value.value, str):
            if what == "result" or value.value not in NAMED:
                hint = "expected results are numbers" if what == "result" else near(value.value, NAMED, "distributions")
                self.found.add("SPK218", f"there is no distribution {value.value!r}", value.span, hint)
        elif isinstance(value.value, dict):
            self.distribution(value)
        elif isinstance(value.value, list):
            self.numbers(value)
        else:
            self.number(value, "this")

    def distribution(self, value: Yaml) -> None:
        names = list(value.value)
        if len(names) != 1 or names[0] not in WITH_ARGUMENTS:
            name = names[0] if names else ""
            span = value.keys.get(name, value.span)
            self.found.add(
                "SPK218",
                "a distribution is one name with its arguments",
                span,
                near(name, WITH_ARGUMENTS, "for example {uniform: [-1, 1]}; there are"),
            )
            return
        argument, count = value.value[names[0]], WITH_ARGUMENTS[names[0]]
        if count == 0:
            self.numbers(argument)
        elif count == 1:
            self.number(argument, f"the argument of {names[0]}")
        elif not isinstance(argument.value, list) or len(argument.value) != count:
            self.found.add(
                "SPK218", f"{names[0]} takes {count} numbers", argument.span, f"write {{{names[0]}: [-1, 1]}}"
            )
        else:
            self.numbers(argument)

    def numbers(self, value: Yaml) -> None:
        if not isinstance(value.value, list):
            self.number(value, "this")
            return
        for child in value.value:
            self.numbers(child)

    def number(self, value: Yaml, what: str) -> None:
        if not isinstance(value.value, int | float) and value.value not in SPECIAL_NUMBERS:
            self.found.add(
                "SPK218", f"{what} must be a number", value.span, "numbers, true, false, .inf, -.inf and .nan are"
            )

    # ---- literal arrays have the shape that the signature says ----

    def fits(self, given: Mapping[str, Yaml], shape: Mapping[str, int], entry: Yaml) -> None:
        for name, value in given.items():
            tensor = self.params.get(name) or self.results.get(name)
            literal = value.value.get("values", value) if isinstance(value.value, dict) else value
            if not isinstance(tensor, Tensor) or not isinstance(literal.value, list):
                continue
            want = [evaluate(parse_expr(dim), {**shape, **self.scalars(entry)}) for dim in tensor.shape]
            have = dimensions(literal)
            if have is None:
                self.found.add(
                    "SPK218",
                    f"the rows of {name!r} differ in length",
                    literal.span,
                    "every row needs as many numbers as the first",
                )
            elif all(isinstance(n, int) for n in want) and have != want and have != [1]:
                shown = " x ".join(map(str, have)), " x ".join(map(str, want))
                self.found.add(
                    "SPK218",
                    f"{name!r} is {shown[0]} here, but the shape makes it {shown[1]}",
                    literal.span,
                    "change one of them",
                )

    def scalars(self, entry: Yaml) -> dict[str, Any]:
        inputs = entry.value.get("inputs") if isinstance(entry.value, dict) else None
        table = inputs.value if inputs is not None and isinstance(inputs.value, dict) else {}
        given = {name: value.value for name, value in table.items() if isinstance(value.value, int | float)}
        defaults = {
            name: p.default for name, p in self.params.items() if isinstance(p, Scalar) and p.default is not None
        }
        return defaults | given


def dimensions(value: Yaml) -> list[int] | None:
    """The shape of nested lists, None when they are ragged."""
    if not isinstance(value.value, list):
        return []
    inner = [dimensions(child) for child in value.value]
    if any(dims is None or dims != inner[0] for dims in inner):
        return None
    return [len(inner), *(inner[0] or [])] if inner else [0]
