"""Files of the language to programs: everything is read, checked and put in its place. Knows nothing of execution.

All that is wrong is reported at once, each at its place. What is not acted on is kept, with a warning.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from spak.errors import Collector, Diagnostic, SpakError, Span
from spak.lang import tree
from spak.lang.expr import Expr
from spak.lang.source import Source
from spak.semantics.contracts import read_contract
from spak.semantics.deliverables import read_deliverables
from spak.semantics.document import Document, read_document, split
from spak.semantics.effects import read_component, read_effect
from spak.semantics.facts import read_fact
from spak.semantics.headers import check_headers
from spak.semantics.identity import identity
from spak.semantics.laws import read_law
from spak.semantics.loops import read_loop
from spak.semantics.outline import PROCEDURES, Declared, Outline
from spak.semantics.procedures import read_procedure, read_service
from spak.semantics.program import EngineeringLoop, Invariant, Procedure, Program, Rule, Sentence, Service
from spak.semantics.rules import read_rule
from spak.semantics.schema import read_states, read_types
from spak.semantics.scope import Scope
from spak.semantics.searching import read_spaces
from spak.semantics.types_of import Types
from spak.semantics.using import Follower
from spak.semantics.world import World


def load_program(root: Path, file: str, found: Collector | None = None, beside: set[str] | None = None) -> Program:
    """Read `root/file` and all that it uses. Errors go to `found`, or are raised as one SpakError without it. `beside` gets
    what was only looked at: the specs of kernels that the program names.
    """
    collector = found if found is not None else Collector()
    document = read_document(root, file, collector)
    program = (
        resolve(document, collector, root, beside) if document is not None else Program(file, PurePosixPath(file).stem)
    )
    if found is None:
        raise_errors(collector)
    return program


def resolve_text(text: str, file: str, found: Collector | None = None, root: Path | None = None) -> Program:
    """A text in memory; without `root` nothing that it uses is read."""
    collector = found if found is not None else Collector()
    program = resolve(split(Source(file, text), collector), collector, root)
    if found is None:
        raise_errors(collector)
    return program


def raise_errors(found: Collector) -> None:
    errors: tuple[Diagnostic, ...] = found.errors
    if errors:
        raise SpakError(*sorted(errors, key=lambda d: (d.span or Span(""), d.code)))


def resolve(document: Document, found: Collector, root: Path | None, beside: set[str] | None = None) -> Program:
    """A document and what it uses, as a program."""
    follower = Follower(root, found) if root is not None else None
    taken = list(follower.follow(document)) if follower is not None else []
    outline = Outline(found)
    outline.add(document, own=True)
    check_headers(document.items, found)
    for other in taken:
        outline.add(other, own=False)
        check_headers(other.items, found)
    files = (document.file, *(follower.files if follower is not None else ()))
    resolver = Resolver(document, outline, found, root)
    if beside is not None:
        resolver.world.neighbours.looked = beside
    try:
        return resolver.program(files)
    except RecursionError:
        too_deep(document, found)
        return Program(document.file, PurePosixPath(document.file).stem, files, span=Span(document.file, 1, 1))


def too_deep(document: Document, found: Collector) -> None:
    found.add("SPK107", "this is nested too deeply", deepest(document.items), "name its parts, or group them evenly")


def deepest(items: tuple[tree.Item, ...]) -> Span:
    """The innermost statement on the way to the deepest node, found without recursion."""
    best, place = 0, items[0].span
    stack: list[tuple[Any, int, Span]] = [(item, 1, item.span) for item in items]
    while stack:
        node, depth, around = stack.pop()
        if depth > best:
            best, place = depth, around
        around = node.span if isinstance(node, tree.Block | tree.Attr | tree.If) and node.span.line else around
        for name in node.__dataclass_fields__:
            part = getattr(node, name)
            parts = part if isinstance(part, tuple) else (part,)
            stack += [(one, depth + 1, around) for one in parts if isinstance(one, tree.Node)]
    return place


def check_knowledge(document: Document, taken: list[Document], found: Collector, root: Path, beside: set[str]) -> None:
    """Check whatever a kernel's file and the documents that it takes in say beside the kernel: facts, rules, loops, effects.

    The kernel itself, its spaces, invariants and identity, and kinds that nobody knows, are the business of who reads it.
    `beside` gets what was looked at of other kernels.
    """
    aside = Collector()
    outline = Outline(aside)
    outline.add(document, own=True)
    for other in taken:
        outline.add(other, own=False)
    aside.found.clear()
    resolver = Resolver(document, outline, aside, root)
    resolver.world.neighbours.looked = beside
    read_spaces(spaces_of(outline), resolver.world)
    aside.found.clear()
    for one in (document, *taken):
        check_headers(one.items, aside)
    try:
        resolver.declare()
        resolver.knowledge()
        resolver.rules()
        resolver.interfaces()
        resolver.execute()
        read_deliverables(outline, resolver.world)
        read_contract(outline, aside)
    except RecursionError:
        too_deep(document, aside)
    found.found += aside.found


def spaces_of(outline: Outline) -> Outline:
    """The spaces of a file, those inside its kernel as well."""
    spaces = Outline(Collector())
    for declared in outline.of("design_space", "tuning_space"):
        spaces.blocks.setdefault(declared.block.kind, []).append(declared)
    for declared in outline.of("kernel"):
        for item in declared.block.body if isinstance(declared.block.body, tuple) else ():
            if isinstance(item, tree.Block) and item.kind in {"design_space", "tuning_space"}:
                spaces.blocks.setdefault(item.kind, []).append(replace(declared, block=item))
    return spaces


class Resolver:
    """One resolution: first what is declared, then what refers to it."""

    def __init__(self, document: Document, outline: Outline, found: Collector, root: Path | None) -> None:
        self.document = document
        self.outline = outline
        self.found = found
        self.world = World(found, Types(found), root)
        self.procedures: dict[str, Procedure] = {}
        self.services: dict[str, Service] = {}
        self.loops: dict[str, EngineeringLoop] = {}
        self.places: dict[str, Span] = {}

    def program(self, files: tuple[str, ...]) -> Program:
        world, outline = self.world, self.outline
        meta = identity(self.document, self.found)
        self.declare()
        constraints = self.spaces()
        self.knowledge()
        rules = self.rules()
        self.interfaces()
        self.execute()
        invariants = self.invariants()
        deliverables = read_deliverables(outline, world)
        stem = PurePosixPath(self.document.file).name.removeprefix("SPEC.").rpartition(".")[0]
        return Program(
            self.document.file,
            str(meta.get("name") or outline.system or stem),
            files,
            meta,
            world.sentences,
            dict(world.types.done),
            tuple(world.states.values()),
            world.cases,
            world.facts,
            rules,
            invariants,
            world.choices,
            tuple(world.parameters.values()),
            tuple(constraints),
            read_contract(outline, self.found),
            world.effects,
            world.components,
            self.procedures,
            self.services,
            self.loops,
            deliverables,
            tuple(declared.block.name or "" for declared in outline.of("kernel") if declared.own),
            tuple(outline.kept),
            span=Span(self.document.file, 1, 1),
        )

    # ---- what is declared ----

    def declare(self) -> None:
        """Sentences, types, cases, states, and the names of loops."""
        world, outline = self.world, self.outline
        counts: dict[str, int] = {}
        sentences = []
        for said in outline.sentences:
            counts[said.kind] = counts.get(said.kind, 0) + 1
            sentences.append(Sentence(said.kind, counts[said.kind], said.text, said.domain, span=said.span))
        world.sentences = tuple(sentences)
        acts = {"service_loop", "engineering_loop", *PROCEDURES}
        world.knowledge_only = not any(outline.blocks.get(kind) for kind in (*acts, "trace_schema"))
        read_types(outline, world)
        read_states(outline, world)
        world.loops = {declared.block.name for declared in outline.of("engineering_loop") if declared.block.name}
        for declared in outline.of("kernel"):
            world.constants |= axes(declared.block)

    def spaces(self) -> list[Expr]:
        """Design and tuning spaces. In a kernel's file they are read, with all that is wrong, by who reads the kernel."""
        if not any(self.outline.of("kernel")):
            return read_spaces(self.outline, self.world)
        before = len(self.found.found)
        constraints = read_spaces(spaces_of(self.outline), self.world)
        del self.found.found[before:]
        return constraints

    def knowledge(self) -> None:
        places: dict[str, Span] = {}
        for declared in self.outline.of("fact"):
            fact = read_fact(declared, self.world)
            if fact.name and self.world.declare("fact", fact.name, declared.block.name_span, places):
                self.world.facts[fact.name] = fact

    def rules(self) -> tuple[Rule, ...]:
        places: dict[str, Span] = {}
        rules = []
        declared = [*self.outline.of("rule", "hint")]
        order = {id(one.block): i for i, one in enumerate(declared)}
        for one in sorted(declared, key=lambda d: (not d.own, d.block.span.file, d.block.span, order[id(d.block)])):
            rule = read_rule(one, self.world)
            span = one.block.name_span if one.block.name else one.block.span
            if self.world.declare(rule.kind, rule.name, span, places):
                rules.append(rule)
        return tuple(rules)

    def interfaces(self) -> None:
        for declared in self.outline.of("effect"):
            if self.named(declared, "an effect"):
                self.world.effects[declared.block.name or ""] = read_effect(declared, self.world)
        for declared in self.outline.of("component"):
            if self.named(declared, "a component"):
                self.world.components[declared.block.name or ""] = read_component(declared, self.world)

    # ---- what is executed ----

    def execute(self) -> None:
        """Loops come with what is imported; procedures and services are the program's own."""
        for declared in self.outline.of("engineering_loop"):
            if self.named(declared, "an engineering_loop"):
                name = declared.block.name or ""
                self.loops[name] = read_loop(declared, self.world, name)
        for declared in self.own("service_loop"):
            if self.named(declared, "a service_loop"):
                name = declared.block.name or ""
                self.services[name] = read_service(declared, self.world, name)
        blocks = [*self.own(*sorted(PROCEDURES)), *self.workflows()]
        for declared in sorted(blocks, key=lambda one: one.block.span):
            name = declared.block.name or declared.block.kind
            if self.free(name, declared.block):
                self.procedures[name] = read_procedure(declared, self.world, name)

    def own(self, *kinds: str) -> list[Declared]:
        return [declared for declared in self.outline.of(*kinds) if declared.own]

    def workflows(self) -> list[Declared]:
        """Workflows inside components."""
        found = []
        for declared in self.own("component"):
            items = declared.block.body if isinstance(declared.block.body, tuple) else ()
            blocks = [one for one in items if isinstance(one, tree.Block) and one.kind == "workflow"]
            found += [replace(declared, block=block) for block in blocks]
        return found

    def named(self, declared: Declared, what: str) -> bool:
        block = declared.block
        if not block.name:
            self.found.add("SPK206", f"{what} needs a name", block.span, f"write `{block.kind} Name {{ ... }}`")
            return False
        return self.free(block.name, block)

    def free(self, name: str, block: tree.Block) -> bool:
        span = block.name_span if block.name else block.span
        return self.world.declare(block.kind, name, span, self.places)

    def invariants(self) -> tuple[Invariant, ...]:
        """Those of the program and of its components; a kernel's own are read with it."""
        if any(self.outline.of("kernel")):
            return ()
        metrics = {check.metric for one in self.procedures.values() for check in one.evaluation}
        scope = Scope(self.world, metrics=dict.fromkeys(metrics))  # type: ignore[arg-type]
        places: dict[str, Span] = {}
        laws: list[Any] = []
        for declared in [*self.outline.of("invariant"), *self.component_laws()]:
            law = read_law(declared, self.world, scope)
            span = declared.block.name_span if declared.block.name else declared.block.span
            if self.world.declare("invariant", law.name, span, places):
                laws.append(law)
        return tuple(laws)

    def component_laws(self) -> list[Declared]:
        found = []
        for declared in self.outline.of("component"):
            for item in declared.block.body if isinstance(declared.block.body, tuple) else ():
                if isinstance(item, tree.Attr) and item.key == "invariant":
                    block = tree.Block("invariant", annotation=item.value, span=item.span)
                    found.append(replace(declared, block=block))
                elif isinstance(item, tree.Block) and item.kind == "invariant":
                    found.append(replace(declared, block=item))
        return found


def axes(kernel: tree.Block) -> set[str]:
    """Names that a kernel's signature defines: its axes and parameters."""
    from spak.lang.expr import walk

    names: set[str] = set()
    for param in kernel.params or ():
        if isinstance(param, tree.Arg):
            names.add(param.name)
            dims = param.type.items if isinstance(param.type, tree.Index) else ()
            names |= {node.id for dim in dims for node in walk(dim) if isinstance(node, tree.Name)}
    return names
