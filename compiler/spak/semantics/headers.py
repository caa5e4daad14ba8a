"""Headers of blocks: what may stand between a kind and its braces. Knows the parts of a header, not what any of them means.

The syntax lets every block have every part. What a kind's reader does not look at would be lost, so it is an error here.
"""

from __future__ import annotations

from collections.abc import Sequence

from spak.errors import Collector, Span
from spak.lang import tree
from spak.lang.printer import print_value
from spak.semantics.numbered import plain
from spak.semantics.outline import CONTAINERS
from spak.semantics.reader import twice

#: The parts of a header that a kind's reader looks at, beside the name. Kinds that are not listed may say anything.
PARTS = {
    **dict.fromkeys(sorted(CONTAINERS), ""),
    **dict.fromkeys(("meta", "trace_schema", "design_space", "tuning_space", "contract", "effect", "component"), ""),
    **dict.fromkeys(("build", "artifact", "service_loop", "engineering_loop", "evaluation", "measure"), ""),
    **dict.fromkeys(("variant", "case", "scope", "autonomy"), ""),
    **dict.fromkeys(("task", "agent_loop", "protocol"), "params"),
    "workflow": "params result",
    "fact": "params annotation default result",
    "rule": "annotation",
    "hint": "annotation",
    "invariant": "annotation",
    "state": "annotation default",
    "parameter": "annotation default",
    "on": "params",
    "operation": "params result",
    "function": "params result",
    "step": "words annotation emits",
    "check": "annotation result emits",
    "loop": "params",
}
#: Kinds whose bodies are looked into; what stands in the others is their own.
_OPEN = """
    system domain knowledge system_model model trace_schema contract effect component build service_loop engineering_loop
    evaluation task agent_loop protocol workflow variant on step check loop"""
OPEN = frozenset(_OPEN.split())
#: Kinds whose attributes may stand once, but for those that may be said again; of a step it is only its condition.
ONCE = frozenset({"rule", "hint", "fact", "artifact", "operation", "component", "service_loop", "step"})
AGAIN = frozenset({"when", "trigger", "condition", "apply", "suggestion", "action", "recommend", "effect", "invariant"})
CALLS = ("tool.", "llm.")
BOOLEANS = frozenset({"bool", "boolean"})
ADVICE = {
    "rule": "write `when: condition` inside the braces",
    "hint": "write `trigger: condition` inside the braces",
    "agent_loop": "write `repeat: n` or `until: condition` inside the braces",
    "case": "write `case Name { field: type }`",
    "invariant": "write `check: condition` inside the braces",
    "on": "write `on event(param: type) { ... }`",
    "loop": "write `loop 5 { ... }`, with a condition and `break` inside",
    "step": "write `step id { ... }`; parameters are the procedure's",
    "fact": "write `return condition` inside the braces",
}


def check_headers(items: Sequence[tree.Item], found: Collector) -> None:
    """Report what stands in a header or among the arguments of a call and means nothing there, and what stands twice."""
    stack = list(items)
    while stack:
        item = plain(stack.pop(0))
        if isinstance(item, tree.If):
            for part in (item.then, item.otherwise):
                stack += part if isinstance(part, tuple) else ()
        if not isinstance(item, tree.Block):
            continue
        called = call(item)
        if called:
            check_call(item, called, found)
        elif item.kind in PARTS:
            check_header(item, found)
            if item.kind in ONCE and isinstance(item.body, tuple):
                check_once(item.kind, item.body, found)
            stack += item.body if item.kind in OPEN and isinstance(item.body, tuple) else ()


def check_once(kind: str, body: Sequence[tree.Item], found: Collector) -> None:
    """Report an attribute that stands twice where only one of the two would be read."""
    first: dict[str, Span] = {}
    for item in body:
        key, place = "", item.span
        if isinstance(item, tree.Attr) and item.op == ":":
            key, place = item.key, item.key_span
        elif isinstance(item, tree.Block) and item.kind == "scope":
            key = item.kind
        if not key or (key != "when" if kind == "step" else key in AGAIN):
            continue
        if key in first:
            twice(key, place, first[key], found)
        first.setdefault(key, place)


def call(block: tree.Block) -> str:
    """The tool or query that a block is a call of: `tool.x { }`, `y = tool.x { }`, `step id: tool.x { }`."""
    for value in (block.default, block.annotation, tree.Name(block.kind)):
        name = value.id if isinstance(value, tree.Name) else value.fn if isinstance(value, tree.Call) else ""
        if name.startswith(CALLS):
            return name
    return ""


def check_header(block: tree.Block, found: Collector) -> None:
    known = PARTS[block.kind].split()
    what = f"{block.kind} {block.name}" if block.name else block.kind
    hint = ADVICE.get(block.kind, "write it inside the braces")
    for text, place in stray(block, known):
        found.add("SPK231", f"`{text}` means nothing before the braces of {what}", place, hint)
    if block.kind in {"rule", "hint"} and block.annotation is not None and block.body is not None:
        text = print_value(block.annotation)[:40]
        found.add("SPK231", f"`{text}` means nothing before the braces of {what}", block.annotation.span, hint)
    if block.kind == "fact" and block.result is not None and print_value(block.result).lower() not in BOOLEANS:
        found.add("SPK231", f"fact {block.name} is true or false, and nothing else", block.result.span, "drop the type")
    if block.kind in CONTAINERS and not isinstance(block.body, tuple):
        found.add("SPK206", f"{what} holds nothing", block.span, f"write `{block.kind} Name {{ ... }}`")


def check_call(block: tree.Block, called: str, found: Collector) -> None:
    """A call's header, and the arguments between its braces."""
    plain = block.kind == called
    if plain and block.name is not None and not block.quoted:
        found.add(
            "SPK231", f"`{block.name}` is no argument of {called}", block.name_span, "write `key: value` in braces"
        )
    known = ["params", "default", "annotation", "emits", *{"check": ["result"], "step": ["words"]}.get(block.kind, [])]
    for text, place in stray(block, known):
        hint = f"write `x = {called} ...`" if block.result is not None else "write `key: value` in braces"
        found.add("SPK231", f"`{text}` means nothing beside {called}", place, hint)
    for item in block.body if isinstance(block.body, tuple) else ():
        if isinstance(item, tree.Attr):
            continue
        name = item.kind if isinstance(item, tree.Block) else ""
        bare = name and isinstance(item, tree.Block) and item.annotation is None and item.default is None
        hint = f"write `{name}: {{ ... }}`" if bare else "write `key: value`, one argument a line"
        found.add("SPK231", f"this is no argument of {called}", item.span, hint)


def stray(block: tree.Block, known: Sequence[str]) -> list[tuple[str, Span]]:
    """The parts of a header that are not known, as written, with their places."""
    parts: list[tuple[str, Span]] = []
    if "params" not in known and block.params is not None:
        inner = ", ".join(print_value(one) for one in block.params)
        parts.append((f"({inner})"[:40], block.params[0].span if block.params else block.span))
    if "words" not in known and block.words:
        parts.append((" ".join(print_value(one) for one in block.words)[:40], block.words[0].span))
    for name in ("annotation", "default", "result", "emits"):
        value = getattr(block, name)
        if name not in known and value is not None:
            mark = {"annotation": ": ", "default": "= ", "result": "-> ", "emits": "-> emit "}[name]
            parts.append((f"{mark}{print_value(value)}"[:40], value.span))
    return parts
