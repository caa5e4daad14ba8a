"""Calls in statements: `tool.NAME`, `llm.query` and `perform`. Knows arguments and their types, not who performs a call."""

from __future__ import annotations

from dataclasses import dataclass

from spak.errors import Span
from spak.lang import tree
from spak.semantics.infer import NAMES, family
from spak.semantics.neighbours import outside, word
from spak.semantics.operands_of import Operands, variable
from spak.semantics.program import Fields, Operand, Perform, Query, Statement, Template, ToolCall
from spak.semantics.reader import literal, twice
from spak.semantics.scope import ROOTS, Scope
from spak.semantics.suggest import near
from spak.semantics.toolbox import TOOLS, Argument, Tool
from spak.semantics.types import ANY, STRING, Type
from spak.semantics.values import misfit

QUERY_KEYS = ("prompt", "prompt_template", "role", "schema", "attempts")
ADVICE = {
    "number": "write a number without quotes",
    "boolean": "write true or false without quotes",
    "map": "write `{ NAME: value }`",
    "list": "write `[a, b]`",
    "": 'write a text, or a list of texts such as `["python", "x.py"]`',
}
MOST_ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class Written:
    """A call as it is written: `tool.run { key: value }`, `tool.read("x")`, `x = llm.query(...) -> emit C`."""

    name: str
    args: tuple[tuple[str, tree.Value, Span], ...]  # the key is '' where the argument has none
    span: Span
    output: str = ""
    output_span: Span = tree.NOWHERE
    emits: tree.Value | None = None

    def get(self, *keys: str) -> tree.Value | None:
        return next((value for key, value, _ in self.args if key in keys), None)


def arguments(block: tree.Block | tree.Call, found: object = None) -> tuple[tuple[str, tree.Value, Span], ...]:
    """The arguments of a call, in order."""
    written: list[tuple[str, tree.Value, Span]] = []
    for arg in (block.args if isinstance(block, tree.Call) else block.params) or ():
        if isinstance(arg, tree.Arg):
            value = arg.default if arg.default is not None else arg.type
            written += [(arg.name, value, arg.span)] if value is not None else []
        else:
            written.append(("", arg, arg.span))
    if isinstance(block, tree.Block):
        if block.quoted and block.name is not None:
            written.append(("", tree.Str(block.name, span=block.name_span), block.name_span))
        items = block.body if isinstance(block.body, tuple) else ()
        written += [(item.key, item.value, item.key_span) for item in items if isinstance(item, tree.Attr)]
    return tuple(written)


class Calls:
    """Reads calls under a scope. `no_llm` says why nothing may be asked here, '' where it may."""

    def __init__(self, scope: Scope, no_llm: str = "") -> None:
        self.scope = scope
        self.world = scope.world
        self.found = scope.world.found
        self.operands = Operands(scope)
        self.no_llm = no_llm

    def call(self, written: Written) -> Statement | None:
        """A tool call or a query, whichever it is."""
        if written.name.startswith("llm."):
            return self.query(written)
        return self.tool(written)

    # ---- tools ----

    def tool(self, written: Written) -> Statement | None:
        name = written.name.removeprefix("tool.")
        tool = TOOLS.get(name)
        if tool is None:
            self.found.add("SPK230", f"there is no tool {written.name!r}", written.span, near(name, TOOLS, "tools"))
            if written.output:
                self.scope.variables.setdefault(written.output, ANY)
            return None
        args = self.named(written, tuple(tool.args))
        place = args["output_var"][0].span if "output_var" in args else written.output_span
        output = self.output(written, args)
        emits = self.emits(written)
        fields: list[tuple[str, Operand]] = []
        for key, (value, _) in args.items():
            if key in tool.args and (operand := self.argument(f"tool.{name}", key, tool.args[key], value)) is not None:
                fields.append((key, operand))
        self.complete(name, tool, set(args), written.span)
        if name == "engineering_loop" and "name" in args:
            self.loop_exists(args["name"][0])
        if "unit" in tool.args:
            self.unit_exists({key: value for key, (value, _) in args.items()})
        if output:
            self.assigned(output, tool.result, place)
        return ToolCall(name, Fields(tuple(fields), span=written.span), output, emits, span=written.span)

    def complete(self, name: str, tool: Tool, given: set[str], span: Span) -> None:
        for key, argument in tool.args.items():
            if argument.needed and key not in given:
                self.found.add("SPK206", f"tool.{name} needs {key!r}", span, f"write `tool.{name} {{ {key}: ... }}`")

    def named(self, written: Written, keys: tuple[str, ...]) -> dict[str, tuple[tree.Value, Span]]:
        """Arguments by name; unknown and repeated ones are errors."""
        args: dict[str, tuple[tree.Value, Span]] = {}
        order = list(keys)
        known = (*keys, "output_var")
        for key, value, span in written.args:
            if not key:
                if not order:
                    self.found.add("SPK201", f"{written.name} takes no more arguments", span, "remove it")
                    continue
                key = order[0]
            elif key == "command" and "cmd" in keys:
                key = "cmd"
            if key in order:
                order.remove(key)
            if key not in known:
                self.found.add("SPK201", f"{written.name} has no argument {key!r}", span, near(key, known, "arguments"))
            elif key in args:
                twice(key, span, args[key][1], self.found)
            else:
                args[key] = (value, span)
        return args

    def argument(self, where: str, key: str, argument: Argument, value: tree.Value) -> Operand | None:
        """One argument as an operand, checked as far as it is known."""
        if argument.word and isinstance(value, tree.Name) and value.id not in self.scope.known():
            return Template(value.id, span=value.span)
        read = self.operands.read(value)
        if read is None:
            return None
        if why := misfit(key, argument.type, value, read[1]):
            self.found.add(
                "SPK205", f"{why} by {where}", value.span, ADVICE.get(family(argument.type), "put it in double quotes")
            )
            return None
        if argument.type.kind == "number" and isinstance(number := literal(value), int | float) and number < 0:
            self.found.add("SPK205", f"{key!r} of {where} cannot be negative", value.span, "give a positive number")
        return read[0]

    def loop_exists(self, value: tree.Value) -> None:
        name = literal(value)
        if (
            isinstance(name, str)
            and "{{" not in name
            and name not in self.world.loops
            and name not in self.scope.variables
        ):
            hint = (
                near(name, self.world.loops, "declared")
                if self.world.loops
                else "declare it: `engineering_loop Name { ... }`"
            )
            self.found.add("SPK240", f"there is no engineering_loop {name!r}", value.span, hint)

    def unit_exists(self, args: dict[str, tree.Value]) -> None:
        """Units, variants and targets that are written down are those of the project; so are a benchmark's parameters."""
        plain = {key: None if self.varies(value) else value for key, value in args.items()}
        known = self.world.neighbours.check(plain.get("unit"), plain.get("variant"), plain.get("target"))
        params = args.get("params")
        for item in params.items if isinstance(params, tree.MapLit) else ():
            if isinstance(item, tree.Attr) and isinstance(item.value, tree.Num):
                outside(word(plain.get("unit")), known, item.key, [(item.value.value, item.value)], self.found)

    def varies(self, value: tree.Value) -> bool:
        return isinstance(value, tree.Name) and value.id.partition(".")[0] in self.scope.known()

    # ---- queries ----

    def query(self, written: Written) -> Statement | None:
        if written.name != "llm.query":
            hint = near(written.name, ["llm.query"]) or "write `llm.query { prompt: ... }`"
            self.found.add("SPK230", f"there is no {written.name!r}", written.span, hint)
            return None
        if self.no_llm:
            hint = "ask in an agent_loop and hand the answer on in state, or make this loop an agent_loop"
            self.found.add("SPK237", f"`llm.query` in {self.no_llm}", written.span, hint)
        args = self.named(written, QUERY_KEYS)
        if "prompt" in args and "prompt_template" in args:
            self.found.add("SPK202", "a prompt and a prompt_template", args["prompt_template"][1], "keep one")
        prompt = self.wording(args.get("prompt") or args.get("prompt_template"))
        if prompt is None and not {"prompt", "prompt_template"} & set(args):
            self.found.add("SPK206", "llm.query needs a prompt", written.span, 'write `prompt: "..."`')
        role = self.wording(args.get("role"))
        emits = self.emits(written)
        schema = self.world.types.read(args["schema"][0]) if "schema" in args else None
        if isinstance(args.get("schema", (None,))[0], tree.Name) and schema is not None and schema.kind == "opaque":
            hint = (
                near(schema.name, [*self.world.types.blocks, *self.world.cases], "declared")
                or "declare it: `type T matches { ... }`"
            )
            self.found.add(
                "SPK241", f"there is no type {schema.name!r} that a reply could have", args["schema"][0].span, hint
            )
        if emits and schema is None:
            schema = self.world.cases[emits].type
        place = args["output_var"][0].span if "output_var" in args else written.output_span
        output = self.output(written, args)
        if output:
            self.assigned(output, schema or STRING, place)
        attempts = self.attempts(args)
        return Query(prompt or Template(""), role, schema, output, emits, attempts, span=written.span)

    def wording(self, arg: tuple[tree.Value, Span] | None) -> Template | None:
        """A prompt or role: text, or a variable that holds it."""
        if arg is None:
            return None
        value = arg[0]
        if isinstance(value, tree.Str | tree.Verbatim):
            return self.operands.text(value)
        if isinstance(value, tree.Name):
            self.scope.type_of(value)
            return Template(f"{{{{{value.id}}}}}", (value.id,), span=value.span)
        self.found.add(
            "SPK205", "text is needed here", value.span, "put it in double quotes, with `{{name}}` for what varies"
        )
        return None

    def attempts(self, args: dict[str, tuple[tree.Value, Span]]) -> int:
        if "attempts" not in args:
            return 3
        number = literal(args["attempts"][0])
        if isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= MOST_ATTEMPTS:
            return number
        self.found.add(
            "SPK205",
            f"attempts must be a whole number from 1 to {MOST_ATTEMPTS}",
            args["attempts"][0].span,
            "the default is 3",
        )
        return 3

    # ---- perform ----

    def perform(self, call: tree.Value, output: str, span: Span, output_span: Span) -> Statement | None:
        """`perform Effect.operation(args)`: only what is declared may be performed."""
        if output:
            self.scope.variables.setdefault(output, ANY)  # whatever is wrong with the call, its result has a name
        if not isinstance(call, tree.Call) or "." not in call.fn:
            self.found.add("SPK239", "perform needs an operation", span, "write `perform Effect.operation(args)`")
            return None
        effect, _, operation = call.fn.rpartition(".")
        declared = self.world.effects.get(effect) or self.world.components.get(effect)
        if declared is None:
            names = [*self.world.effects, *self.world.components]
            hint = near(effect, names, "declared") if names else "declare it: `effect E { operation op(a: T) -> U; }`"
            self.found.add("SPK239", f"there is no effect {effect!r}", call.span, hint)
            return None
        functions = getattr(declared, "functions", None)
        operations = {one.name: one for one in functions} if functions is not None else declared.operations  # type: ignore[union-attr]
        if operation not in operations:
            hint = near(operation, operations, "operations") or f"declare it in {effect}"
            self.found.add("SPK239", f"{effect} has no operation {operation!r}", call.span, hint)
            return None
        params = operations[operation].params
        fields: dict[str, Operand] = {}
        order = [param.name for param in params]
        types = {param.name: param.type for param in params}
        for key, value, place in arguments(call):
            key = key or (next((name for name in order if name not in fields), ""))
            if key not in types:
                hint = near(key, types, "it takes") if key else f"it takes {len(order)}"
                what = f"{call.fn} has no parameter {key!r}" if key else f"{call.fn} takes no more arguments"
                self.found.add("SPK239", what, place, hint)
                continue
            if key in fields:
                self.found.add("SPK202", f"{key!r} is given twice", place, "keep one")
            read = self.operands.read(value)
            if read is None:
                continue
            fields[key] = read[0]
            one, other = family(types[key]), family(read[1])
            if one and other and one != other:
                what = f"{key!r} of {call.fn} is {NAMES[one]}, and this is {NAMES[other]}"
                self.found.add("SPK205", what, value.span, "hand over what the operation declares")
        for param in params:
            given = param.name in fields or param.default is not None or param.type.kind == "optional"
            if not given and not any(key == param.name for key, _, _ in arguments(call)) and len(fields) < len(order):
                self.found.add("SPK239", f"{call.fn} needs {param.name!r}", call.span, f"it takes: {', '.join(order)}")
                break
        if output:
            self.assigned(output, operations[operation].result, output_span)
        return Perform(effect, operation, Fields(tuple(fields.items()), span=span), output, span=span)

    # ---- results ----

    def output(self, written: Written, args: dict[str, tuple[tree.Value, Span]]) -> str:
        """The variable that takes the result; `output_var` is taken out of the arguments."""
        value, _ = args.pop("output_var", (None, None))
        if value is None:
            return written.output
        name = literal(value)
        if not isinstance(name, str) or not name.replace("_", "a").replace(".", "a").isidentifier():
            self.found.add("SPK205", "output_var is the name of a variable", value.span, "write `output_var: answer`")
            return ""
        if written.output and written.output != name:
            self.found.add(
                "SPK202", "the result has two names", value.span, f"keep `{written.output} =` or `output_var`"
            )
        return variable(name)

    def assigned(self, name: str, type: Type, span: Span) -> None:
        """Take note that a variable has a value from here on."""
        if name in ROOTS:
            self.found.add("SPK221", f"{name!r} belongs to the run", span, "give the variable another name")
            return
        state = self.world.state_type(name)
        if state is not None:
            self.fits(name, state, type, span)
        else:
            self.scope.variables[name] = type

    def fits(self, name: str, declared: Type, actual: Type, span: Span) -> None:
        """Whether a value of a type may become that of a state, as far as families tell."""
        one, other = family(declared), family(actual)
        if one and other and one != other:
            what = f"the state {name!r} is {NAMES[one]}, and this is {NAMES[other]}"
            self.found.add("SPK238", what, span, "assign a value of the declared type")

    def emits(self, written: Written) -> str:
        return self.emitted(written.emits) if written.emits is not None else ""

    def emitted(self, value: tree.Value) -> str:
        """The full name of the case after `-> emit`."""
        if not isinstance(value, tree.Name):
            self.found.add("SPK232", "`-> emit` names a case", value.span, "write `-> emit TraceItem.Performance`")
            return ""
        case = self.world.case(value.id, value.span, "emit of an undeclared case")
        return case.name if case else ""
