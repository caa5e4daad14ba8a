"""Knowledge in force for a unit: rules, hints, axioms and the rest, from its own blocks and from domains it uses.

Knows how to find domains and to write a block down as text, not how a rule fires.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from spak.errors import Collector, Span
from spak.lang import tree
from spak.lang.printer import print_item, print_value
from spak.model.ir import Rule
from spak.semantics.document import Document
from spak.semantics.markdown import reflow
from spak.semantics.outline import KINDS
from spak.semantics.suggest import near
from spak.semantics.using import Follower

#: Kinds that hold knowledge for a prompt; each statement inside becomes a rule of its own.
CONTAINERS = frozenset({"system_model", "knowledge", "domain", "system"})
KNOWN = frozenset({"rule", "hint", "fact", "heuristic", "invariant", "axiom", "prediction", "type", "description"})

#: Kinds that are one sentence, with or without a colon before it.
SENTENCES = frozenset({"axiom", "heuristic", "prediction", "description"})

#: Kinds of the language that mean something elsewhere; in a kernel's spec they are knowledge, and not misspelt.
OTHER_WORDS = """
    task step evaluation check model state trace_schema variant case agent_loop service_loop on engineering_loop
    parameter measure build artifact protocol contract autonomy effect operation component function struct
    workflow dynamics baseline objective infrastructure training experiment procedure"""
OTHER_KINDS = frozenset(OTHER_WORDS.split())


@dataclass
class Knowledge:
    """What has been gathered; `places` maps a rule to where it stands, `files` are the domain files read."""

    rules: dict[tuple[str, str, str], Rule] = field(default_factory=dict)
    places: dict[tuple[str, str, str], Span] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    numbers: dict[tuple[str, str], int] = field(default_factory=dict)

    def sorted(self) -> list[tuple[Rule, Span]]:
        """Own rules first, then by domain, kind and name; numbered ones in their order."""
        keys = sorted(self.rules, key=lambda key: (key[0], key[1], _natural(key[2])))
        return [(self.rules[key], self.places[key]) for key in keys]


def _natural(name: str) -> tuple[str, int]:
    head, _, number = name.rpartition(".")
    return (head, int(number)) if number.isdigit() else (name, 0)


class Gatherer:
    """Reads a document's knowledge, and that of everything it uses, once each."""

    def __init__(self, root: Path, domains: str, found: Collector) -> None:
        self.follower = Follower(root, found, domains)
        self.found = found
        self.known = Knowledge()
        self.taken: list[Document] = []

    def document(self, document: Document, ignore: frozenset[str]) -> Knowledge:
        """The knowledge of a unit's own file. Kinds in `ignore` are somebody else's."""
        self.follow(document)
        for item in document.items:
            if isinstance(item, tree.Block) and (item.kind in ignore or item.kind in {"use", "import"}):
                continue
            self.item(item, "", ignore | KNOWN)
        return self.known

    def follow(self, document: Document) -> None:
        """Take in the knowledge of everything that a document uses."""
        for other in self.follower.follow(document):
            self.taken.append(other)
            for block in other.items:
                if isinstance(block, tree.Block) and block.kind in CONTAINERS | KNOWN:
                    self.item(block, "", KNOWN)
        self.known.files = self.follower.files

    # ---- statements to rules ----

    def item(self, item: tree.Item, domain: str, known: frozenset[str]) -> None:
        if isinstance(item, tree.Attr):
            self.numbered(item.key, item.value, item.span, domain)
        elif isinstance(item, tree.Block) and item.kind in SENTENCES and item.quoted and item.body is None:
            self.numbered(item.kind, tree.Str(item.name or ""), item.span, domain)
        elif isinstance(item, tree.Block) and item.kind in CONTAINERS and isinstance(item.body, tuple):
            inner = item.name or domain if item.kind == "domain" else domain
            for child in item.body:
                self.item(child, inner, known)
        elif isinstance(item, tree.Block):
            if item.kind not in known | KINDS:
                self.unknown(item, known)
            text = "\n".join(part for part in (_header(item), body_text(item)) if part)
            self.add(
                Rule(name=item.name or item.kind, domain=domain, kind=item.kind, text=text),
                item.name_span if item.name else item.span,
            )
        else:
            self.found.add(
                "SPK203",
                "this statement has no meaning here",
                item.span,
                "knowledge is written as `kind name { key: value }`",
            )

    def unknown(self, item: tree.Block, known: frozenset[str]) -> None:
        close = near(item.kind, known | CONTAINERS | KINDS)
        hint = (
            close
            if close.startswith("did you mean")
            else "it is kept as knowledge for the prompt; `--strict` makes this an error"
        )
        what = "has no meaning in a kernel's spec" if item.kind in OTHER_KINDS else "is no kind that is known"
        self.found.warn("SPK203", f"{item.kind!r} {what}", item.span, hint)

    def numbered(self, key: str, value: tree.Value, span: Span, domain: str) -> None:
        """`axiom: "..."` becomes the rule `axiom.1`, and so on."""
        number = self.known.numbers.get((domain, key), 0) + 1
        self.known.numbers[(domain, key)] = number
        text = reflow(value.value) if isinstance(value, tree.Str) else print_value(value)
        self.add(Rule(name=f"{key}.{number}", domain=domain, kind=key, text=text), span)

    def add(self, rule: Rule, span: Span) -> None:
        key = (rule.domain, rule.kind, rule.name)
        if key in self.known.rules:
            self.found.add(
                "SPK222", f"{rule.kind} {rule.name!r} is named twice", span, f"the first is at {self.known.places[key]}"
            )
            return
        self.known.rules[key] = rule
        self.known.places[key] = span


def _header(block: tree.Block) -> str:
    """Parameters and types, for blocks that have them: `is_slow(t: TraceItem.Performance)`."""
    if block.params is None and not block.words and block.annotation is None and block.result is None:
        return ""
    bare = tree.Block(
        block.kind,
        block.name,
        block.quoted,
        block.params,
        block.words,
        block.annotation,
        block.default,
        block.result_name,
        block.result,
    )
    return print_item(bare)


def body_text(block: tree.Block) -> str:
    """A block's statements as lines: attributes in an order of their own, as that of writing means nothing."""
    if isinstance(block.body, tree.Verbatim):
        return block.body.text
    items = block.body or ()
    attributes = sorted(
        (item for item in items if isinstance(item, tree.Attr)), key=lambda attr: ORDER.get(attr.key, (9, attr.key))
    )
    lines = [
        f"{attr.key}: {reflow(attr.value.value) if isinstance(attr.value, tree.Str) else print_value(attr.value)}"
        for attr in attributes
    ]
    return "\n".join([*lines, *(print_item(item) for item in items if not isinstance(item, tree.Attr))])


#: The order in which a reader wants a rule's parts.
ORDER = {
    key: (rank, key)
    for rank, key in enumerate(
        ("description", "when", "trigger", "apply", "recommend", "suggestion", "effect", "reason")
    )
}
