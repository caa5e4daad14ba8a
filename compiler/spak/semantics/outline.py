"""A file's blocks sorted by kind, whatever containers they stand in. Knows where kinds may stand, not what they mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from spak.errors import Collector, Span
from spak.lang import tree
from spak.lang.printer import print_value
from spak.semantics.document import Document
from spak.semantics.suggest import near

#: Blocks that only hold other blocks.
CONTAINERS = frozenset({"system", "domain", "knowledge", "system_model", "model"})
TYPES = frozenset({"type", "struct", "enum"})
SENTENCES = ("axiom", "heuristic", "prediction")
PROCEDURES = frozenset({"task", "agent_loop", "workflow", "protocol"})
LOOPS = frozenset({"service_loop", "engineering_loop"})
KNOWLEDGE = frozenset(
    {"fact", "rule", "hint", "invariant", "state", "trace_schema", "design_space", "tuning_space", *TYPES}
)
OTHERS = frozenset({"meta", "contract", "effect", "component", "build", "artifact", "kernel", "use", "import"})

#: Everything that may stand at the top of a file, in a system or in a domain.
KINDS = CONTAINERS | KNOWLEDGE | PROCEDURES | LOOPS | OTHERS | frozenset(SENTENCES)

#: Parts, and what they are parts of.
PARTS = {
    "step": "a task, an agent_loop, a workflow or a protocol",
    "evaluation": "a task or a loop",
    "success": "a task or a loop",
    "check": "an evaluation",
    "on": "a service_loop",
    "measure": "an engineering_loop",
    "parameter": "an engineering_loop or a rule",
    "variant": "a trace_schema or a kernel",
    "case": "a variant of a trace_schema",
    "operation": "an effect",
    "function": "a component",
    "autonomy": "a contract",
    "emit": "a step",
    "loop": "a step",
}  # fmt: skip

#: Notes that any container may carry for its readers.
NOTES = frozenset(
    {
        "description",
        "title",
        "summary",
        "goal",
        "purpose",
        "source",
        "name",
        "version",
        "note",
        "notes",
        "status",
        "author",
    }
)


@dataclass(frozen=True, slots=True)
class Declared:
    """A block, the domain it stands in, and whether it is of the program's own file."""

    block: tree.Block
    domain: str
    own: bool


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence: an axiom, heuristic or prediction."""

    kind: str
    text: str
    domain: str
    span: Span


@dataclass
class Outline:
    """Blocks by kind, in order. `kept` are kinds that nobody acts on, as "kind name"."""

    found: Collector
    blocks: dict[str, list[Declared]] = field(default_factory=dict)
    sentences: list[Said] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    system: str = ""

    def of(self, *kinds: str) -> Iterator[Declared]:
        for kind in kinds:
            yield from self.blocks.get(kind, ())

    def add(self, document: Document, *, own: bool) -> None:
        """Sort the statements of one file."""
        for item in document.items:
            self.item(item, "", "", own)

    def item(self, item: tree.Item, container: str, domain: str, own: bool) -> None:
        if isinstance(item, tree.Attr):
            self.attribute(item, container, domain, own)
        elif not isinstance(item, tree.Block):
            self.stray(item, own)
        elif item.kind in CONTAINERS:
            self.container(item, domain, own)
        elif item.kind in SENTENCES:
            self.sentence(item, domain)
        elif item.kind in KINDS:
            self.blocks.setdefault(item.kind, []).append(Declared(item, domain, own))
        elif item.kind in PARTS and item.body is not None and own:
            what = f"{item.kind!r} has no place here: it is part of {PARTS[item.kind]}"
            self.found.add("SPK231", what, item.span, "move it inside")
        else:
            self.keep(item, own)

    def container(self, item: tree.Block, domain: str, own: bool) -> None:
        if item.kind == "domain" and not item.name:
            self.found.add("SPK206", "a domain needs a name", item.span, "write `domain Name { ... }`")
        if item.kind == "system" and own and not self.system:
            self.system = item.name or ""
        if not isinstance(item.body, tuple):
            return
        inner = item.name or domain if item.kind == "domain" else domain
        for child in item.body:
            self.item(child, item.kind, inner, own)

    def attribute(self, item: tree.Attr, container: str, domain: str, own: bool) -> None:
        if item.key in SENTENCES:
            values = item.value.items if isinstance(item.value, tree.ListLit) else (item.value,)
            for value in values:
                if not words(value):
                    self.found.add(
                        "SPK206", f"this {item.key} says nothing", value.span, f'write `{item.key}: "what holds"`'
                    )
                self.sentences.append(Said(item.key, words(value), domain, value.span))
            return
        if item.key in {"use", "import"}:
            self.found.add(
                "SPK231", f"{item.key!r} takes no colon", item.span, f"write `{item.key} {print_value(item.value)}`"
            )
            return
        if not own or item.key in NOTES:
            return
        if container == "system_model":
            hint = near(item.key, (*SENTENCES, *NOTES))
            if hint.startswith("did you mean"):
                self.found.add("SPK201", f"system_model has no attribute {item.key!r}", item.key_span, hint)
                return
        said = container not in {"", "system", "model"} and words(item.value) and not isinstance(item.value, tree.Num)
        if not said:  # a sentence about a domain is knowledge; a limit of a system that nobody keeps is a mistake
            where = f"in a {container}" if container else "outside a block"
            self.found.warn("SPK203", f"{item.key!r} has no meaning {where}", item.span, "it is kept as knowledge")
        self.kept.append(item.key)

    def sentence(self, item: tree.Block, domain: str) -> None:
        """`axiom "words"`, `axiom Name: "words"`, or `axiom Name { ... }`."""
        if item.annotation is not None:
            text = words(item.annotation)
        elif item.quoted:
            text = item.name or ""
        else:
            attributes = item.body if isinstance(item.body, tuple) else ()
            said = [one for one in attributes if isinstance(one, tree.Attr) and isinstance(one.value, tree.Str)]
            text = next((words(one.value) for one in said), "")
        if not text:
            self.found.add("SPK206", f"this {item.kind} says nothing", item.span, f'write `{item.kind}: "what holds"`')
            return
        self.sentences.append(Said(item.kind, text, domain, item.span))

    def stray(self, item: tree.Item, own: bool) -> None:
        if own:
            self.found.warn(
                "SPK203", "this statement has no meaning outside a step", item.span, "it is kept as knowledge"
            )
        self.kept.append("statement")

    def keep(self, item: tree.Block, own: bool) -> None:
        """A kind that nobody acts on: never lost, and never taken for one that somebody acts on."""
        if own:
            close = near(item.kind, KINDS | set(PARTS), cutoff=0.75)
            hint = (
                close if close.startswith("did you mean") else "it is kept as knowledge; `--strict` makes this an error"
            )
            self.found.warn("SPK203", f"{item.kind!r} is no kind that is known", item.span, hint)
        self.kept.append(" ".join(part for part in (item.kind, item.name or "") if part))


def words(value: tree.Value) -> str:
    """A value as a sentence, on one line unless it is code."""
    if isinstance(value, tree.Str):
        return value.value.strip() if value.long else " ".join(value.value.split())
    return value.text if isinstance(value, tree.Verbatim) else print_value(value)
