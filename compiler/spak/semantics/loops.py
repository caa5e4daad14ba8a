"""Engineering loops: what is varied, what is measured, and when it is enough. Knows no search strategy and no clock."""

from __future__ import annotations

from typing import Any

from spak.errors import Span
from spak.lang import tree
from spak.semantics.limits import duration
from spak.semantics.neighbours import outside
from spak.semantics.operands_of import Operands
from spak.semantics.outline import NOTES, Declared, words
from spak.semantics.program import EngineeringLoop, Measure, Operand, Parameter
from spak.semantics.ranges import read_values
from spak.semantics.reader import literal, read_bool, twice, unknown
from spak.semantics.scope import Scope
from spak.semantics.searching import empty_space, read_constraint, space_type
from spak.semantics.statements import is_call
from spak.semantics.suggest import near
from spak.semantics.types import Type
from spak.semantics.world import World

STRATEGIES = ("cartesian", "random", "tpe")
KEYS = ("constraint", "search", "strategy", "trials", "seconds", "seed", "write_back", "budget", *sorted(NOTES))
COMMAND = ("cmd", "command", "timeout", "repeats", "emits", "metric", "objective")
KERNEL = ("kernel", "unit", "variant", "target", "shapes", "repeats", "timeout", "emits", "metric", "objective")
FIGURES = ("seconds", "gflops", "gbytes")
OBJECTIVES = ("maximize", "minimize")
MOST_TRIALS = 1_000_000


def read_loop(declared: Declared, world: World, name: str) -> EngineeringLoop:
    """An `engineering_loop`."""
    return _Loop(declared.block, world, name).read()


class _Loop:
    def __init__(self, block: tree.Block, world: World, name: str) -> None:
        self.block = block
        self.world = world
        self.found = world.found
        self.name = name
        self.parameters: dict[str, Parameter] = {}
        self.written: dict[str, tree.Value] = {}
        self.constraints: list[tree.Value] = []
        self.attributes: dict[str, tree.Attr] = {}
        self.measures: list[tree.Block] = []

    def read(self) -> EngineeringLoop:
        for item in self.block.body if isinstance(self.block.body, tuple) else ():
            self.item(item)
        if not self.parameters:
            hint = "write `parameter BM: [32, 64]`"
            self.found.add("SPK206", f"engineering_loop {self.name!r} varies nothing", self.block.span, hint)
        kinds = {name: space_type(one.values) for name, one in self.parameters.items()}
        read = [read_constraint(value, kinds, self.world) for value in self.constraints]
        constraints = tuple(expr for expr in read if expr is not None)
        if self.parameters and empty_space(tuple(self.parameters.values()), constraints):
            place = self.constraints[0].span
            self.found.add("SPK236", "no configuration satisfies the constraints", place, "relax one, or add values")
        measure = self.measured()
        return EngineeringLoop(
            self.name, tuple(self.parameters.values()), constraints, measure, self.strategy(),
            self.whole("trials", 0, MOST_TRIALS), self.seconds(), self.whole("seed", 0, 2**63 - 1),
            self.flag("write_back"), span=self.block.span,
        )  # fmt: skip

    def item(self, item: tree.Item) -> None:
        if isinstance(item, tree.Block) and item.kind == "parameter":
            self.parameter(item)
        elif isinstance(item, tree.Block) and item.kind == "measure":
            self.measures.append(item)
        elif isinstance(item, tree.Attr) and item.key in KEYS and not is_call(item.key):
            self.attribute(item)
        elif self.asks(item):
            return
        else:
            unknown(item, f"engineering_loop {self.name}", ("parameter", "measure", *KEYS), self.found)

    def asks(self, item: tree.Item) -> bool:
        """Whether something in an item asks a model, which a sweep may not; that is then an error."""
        places = list(queries(item))
        for place in places:
            what = f"`llm.query` in engineering_loop {self.name!r}, whose trials are mechanical"
            self.found.add("SPK237", what, place, "ask in an agent_loop, before or after `tool.engineering_loop`")
        return bool(places)

    def attribute(self, item: tree.Attr) -> None:
        if item.key == "constraint":
            self.constraints += item.value.items if isinstance(item.value, tree.ListLit) else (item.value,)
        elif item.key == "budget" and isinstance(item.value, tree.MapLit):
            for inner in item.value.items:
                if isinstance(inner, tree.Attr) and inner.key in {"trials", "seconds"}:
                    self.attribute(inner)
                else:
                    unknown(inner, "a sweep's budget", ("trials", "seconds"), self.found)
        elif item.key in self.attributes:
            twice(item.key, item.key_span, self.attributes[item.key].key_span, self.found)
        else:
            self.attributes[item.key] = item

    def parameter(self, block: tree.Block) -> None:
        value = block.annotation if block.annotation is not None else block.default
        if not block.name or value is None:
            self.found.add(
                "SPK215", "a parameter needs a name and values", block.span, "write `parameter BM: [32, 64]`"
            )
            return
        if block.name in self.parameters:
            first = self.parameters[block.name].span
            self.found.add(
                "SPK222", f"the parameter {block.name!r} is named twice", block.name_span, f"the first is at {first}"
            )
            return
        values = read_values(value, block.name, self.found)
        self.inside(block.name, values, value)
        if values:
            self.parameters[block.name] = Parameter(block.name, values, span=block.span)
            self.written[block.name] = value

    def inside(self, name: str, values: tuple[Any, ...], written: tree.Value) -> None:
        """Every value lies in the program's space of that name."""
        space = self.world.parameters[name].values if name in self.world.parameters else self.world.choices.get(name)
        if space is None:
            return
        items = written.items if isinstance(written, tree.ListLit) else (written,) * len(values)
        for value, item in zip(values, items, strict=False):
            if value not in space:
                shown = ", ".join(map(str, space[:12])) + (", ..." if len(space) > 12 else "")
                what = f"{name} = {value} lies outside its tuning space"
                self.found.add("SPK236", what, item.span, f"{name} may be: {shown}")

    # ---- what is measured ----

    def measured(self) -> Measure:
        for extra in self.measures[1:]:
            hint = f"the first is at line {self.measures[0].span.line}"
            self.found.add("SPK202", "a second measure", extra.span, hint)
        if not self.measures:
            hint = 'write `measure { cmd: "..." metric: tflops }`'
            self.found.add("SPK206", f"engineering_loop {self.name!r} measures nothing", self.block.span, hint)
            return Measure("")
        block = self.measures[0]
        given = self.sorted(block)
        native = "kernel" in given or "unit" in given
        if native:
            self.fits(given)
        emits = self.emits(given)
        metric = self.word(given, "metric")
        if not metric and "metric" not in given:
            self.found.add("SPK206", "this measure has no metric", block.span, "write `metric: tflops`")
        elif metric:
            self.metric(metric, given["metric"].value.span, native, emits)
        if not native and not {"cmd", "command"} & set(given):
            self.found.add("SPK206", "this measure does nothing", block.span, 'write `cmd: "..."` or `kernel: matmul`')
        return Measure(
            metric, self.objective(given), None if native else self.command(given),
            self.word(given, "kernel") or self.word(given, "unit"), self.word(given, "variant"),
            self.word(given, "target"), self.shapes(given), self.count(given), self.timeout(given), emits, span=block.span,
        )  # fmt: skip

    def sorted(self, block: tree.Block) -> dict[str, tree.Attr]:
        given: dict[str, tree.Attr] = {}
        items = block.body if isinstance(block.body, tuple) else ()
        native = any(isinstance(item, tree.Attr) and item.key in {"kernel", "unit"} for item in items)
        for item in items:
            known = KERNEL if native else (*COMMAND, "kernel")
            if (
                isinstance(item, tree.Block)
                and item.kind in {"kernel", "variant", "target"}
                and item.name
                and item.body is None
            ):
                value = tree.Name(item.name, span=item.name_span)  # `kernel matmul`, without a colon
                item = tree.Attr(item.kind, value, span=item.span, key_span=item.span)
                known = KERNEL
            if isinstance(item, tree.Attr) and item.key in known and item.key not in given:
                given[item.key] = item
            elif not self.asks(item):
                if isinstance(item, tree.Attr) and item.key in given:
                    self.found.add("SPK202", f"{item.key!r} stands twice", item.key_span, "keep one")
                else:
                    unknown(item, "a measure of a kernel" if native else "a measure of a command", known, self.found)
        return given

    def fits(self, given: dict[str, tree.Attr]) -> None:
        """The kernel is there, has the variant, and its tuning space has every value that is tried."""
        values = {key: attr.value for key, attr in given.items()}
        unit = values.get("kernel") or values.get("unit")
        known = self.world.neighbours.check(unit, values.get("variant"), values.get("target"))
        for name, parameter in self.parameters.items():
            if name in self.world.parameters:
                continue  # the file's own space has been looked at
            written = self.written[name]
            items = written.items if isinstance(written, tree.ListLit) else (written,) * len(parameter.values)
            outside(
                words(unit) if unit is not None else "",
                known,
                name,
                zip(parameter.values, items, strict=False),
                self.found,
            )

    def command(self, given: dict[str, tree.Attr]) -> Operand | None:
        attr = given.get("cmd") or given.get("command")
        if attr is None:
            return None
        variables = {name: space_type(one.values) for name, one in self.parameters.items()}
        scope = Scope(
            self.world, variables={name: Type("any") if not one.args else one for name, one in variables.items()}
        )
        read = Operands(scope).read(attr.value)
        return read[0] if read else None

    def metric(self, metric: str, span: Span, native: bool, emits: str) -> None:
        """A metric is a field of the trace that a trial becomes, or a measured figure."""
        if native or not self.world.cases:
            if native and metric not in FIGURES:
                self.found.add(
                    "SPK240", f"a kernel is not measured in {metric!r}", span, near(metric, FIGURES, "figures")
                )
            return
        cases = [self.world.cases[emits]] if emits else list(self.world.cases.values())
        fields = {field.name for case in cases for field in case.type.fields}
        if metric not in fields and metric not in FIGURES:
            where = emits or "any case of traces"
            self.found.add(
                "SPK240", f"{metric!r} is no field of {where}", span, near(metric, {*fields, *FIGURES}, "fields")
            )

    def emits(self, given: dict[str, tree.Attr]) -> str:
        name = self.word(given, "emits")
        if not name:
            block = self.measures[0]
            if not isinstance(block.emits, tree.Name):
                return ""
            name, place = block.emits.id, block.emits.span
        else:
            place = given["emits"].value.span
        case = self.world.case(name, place, "emit of an undeclared case")
        return case.name if case else ""

    def objective(self, given: dict[str, tree.Attr]) -> str:
        word = {"maximise": "maximize", "minimise": "minimize"}.get(found := self.word(given, "objective"), found)
        if word and word not in OBJECTIVES:
            self.found.add(
                "SPK205",
                f"there is no objective {word!r}",
                given["objective"].value.span,
                near(word, OBJECTIVES, "objectives"),
            )
            return "maximize"
        if not word and self.word(given, "metric") == "seconds":
            return "minimize"
        return word or "maximize"

    def shapes(self, given: dict[str, tree.Attr]) -> tuple[dict[str, int], ...]:
        attr = given.get("shapes")
        if attr is None:
            return ()
        shapes: list[dict[str, int]] = []
        for one in attr.value.items if isinstance(attr.value, tree.ListLit) else (attr.value,):
            sizes = (
                {i.key: literal(i.value) for i in one.items if isinstance(i, tree.Attr)}
                if isinstance(one, tree.MapLit)
                else {}
            )
            if not sizes or not all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in sizes.values()):
                self.found.add(
                    "SPK205", "a shape gives axes their sizes", one.span, "write `shapes: [{ M: 512, N: 512 }]`"
                )
                continue
            shapes.append(sizes)
        return tuple(shapes)

    def word(self, given: dict[str, tree.Attr], key: str) -> str:
        attr = given.get(key)
        if attr is None:
            return ""
        if isinstance(attr.value, tree.Name | tree.Str):
            return words(attr.value)
        self.found.add("SPK205", f"{key} must be a name", attr.value.span, f"write `{key}: name`")
        return ""

    def count(self, given: dict[str, tree.Attr]) -> int:
        attr = given.get("repeats")
        return self.number(attr, 1, 1, 10_000) if attr else 1

    def timeout(self, given: dict[str, tree.Attr]) -> float:
        attr = given.get("timeout")
        return duration(attr.value, self.found) if attr else 60.0

    # ---- how long ----

    def strategy(self) -> str:
        both = [key for key in ("search", "strategy") if key in self.attributes]
        if len(both) == 2:
            self.found.add(
                "SPK202",
                "a search and a strategy",
                self.attributes["strategy"].key_span,
                "they mean the same; keep one",
            )
        if not both:
            return "cartesian"
        value = self.attributes[both[0]].value
        word = {"grid": "cartesian", "optuna": "tpe"}.get(w := words(value), w)
        if word not in STRATEGIES:
            self.found.add("SPK205", f"there is no search {word!r}", value.span, near(word, STRATEGIES, "searches"))
            return "cartesian"
        return word

    def seconds(self) -> float:
        attr = self.attributes.get("seconds")
        return duration(attr.value, self.found) if attr else 0.0

    def whole(self, key: str, default: int, most: int) -> int:
        attr = self.attributes.get(key)
        return self.number(attr, default, 0 if key == "seed" else 1, most) if attr else default

    def number(self, attr: tree.Attr, default: int, least: int, most: int) -> int:
        number = literal(attr.value)
        if isinstance(number, int) and not isinstance(number, bool) and least <= number <= most:
            return number
        self.found.add(
            "SPK205",
            f"{attr.key} must be a whole number from {least} to {most}",
            attr.value.span,
            f"write `{attr.key}: {max(least, 20)}`",
        )
        return default

    def flag(self, key: str) -> bool:
        attr = self.attributes.get(key)
        return read_bool(attr.value if attr else None, self.found, False)


def queries(item: tree.Item) -> list[Span]:
    """Where something asks a model, at any depth."""
    places: list[Span] = []
    stack: list[Any] = [item]
    while stack:
        node = stack.pop()
        called = node.kind if isinstance(node, tree.Block) else node.key if isinstance(node, tree.Attr) else ""
        called = node.fn if isinstance(node, tree.Call) else node.id if isinstance(node, tree.Name) else called
        if called.startswith("llm."):
            places.append(node.span)
            continue
        for part in ("body", "then", "otherwise", "params", "args", "items"):
            inner = getattr(node, part, None)
            stack += [one for one in inner if isinstance(one, tree.Node)] if isinstance(inner, tuple) else []
        for part in ("value", "annotation", "default", "operand"):
            inner = getattr(node, part, None)
            stack += [inner] if isinstance(inner, tree.Node) else []
    return sorted(places)
