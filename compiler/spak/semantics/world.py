"""Everything that a program declares, as its statements may refer to it. Knows names and types, not statements."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from spak.errors import Collector, Span
from spak.semantics.neighbours import Neighbours
from spak.semantics.program import Case, Component, Effect, Fact, Parameter, Sentence, State
from spak.semantics.spaces import TARGET_NAMES
from spak.semantics.suggest import near
from spak.semantics.types import Type
from spak.semantics.types_of import Types

#: Constants that every target may have: its file's, and the measured ones.
CONSTANTS = TARGET_NAMES | {
    "PEAK_GFLOPS",
    "PEAK_TFLOPS",
    "MAX_BW",
    "SM_COUNT",
    "CACHE_LINE",
    "VECTOR_BYTES",
    "CORES",
    "L1_BYTES",
    "L2_BYTES",
    "L3_BYTES",
}


@dataclass
class World:
    """`knowledge_only`: nothing here is executed, and no trace schema says what facts are about."""

    found: Collector
    types: Types
    root: Path | None = None
    cases: dict[str, Case] = field(default_factory=dict)
    states: dict[str, State] = field(default_factory=dict)
    facts: dict[str, Fact] = field(default_factory=dict)
    rules: set[str] = field(default_factory=set)
    effects: dict[str, Effect] = field(default_factory=dict)
    components: dict[str, Component] = field(default_factory=dict)
    sentences: tuple[Sentence, ...] = ()
    parameters: dict[str, Parameter] = field(default_factory=dict)
    choices: dict[str, tuple[object, ...]] = field(default_factory=dict)
    loops: set[str] = field(default_factory=set)
    knowledge_only: bool = False
    constants: set[str] = field(default_factory=lambda: set(CONSTANTS))
    targets_read: bool = False
    neighbours: Neighbours = field(init=False)

    def __post_init__(self) -> None:
        self.neighbours = Neighbours(self.root, self.found)

    def case(self, name: str, span: Span, doing: str = "there is no case") -> Case | None:
        """A case by its full name, or by its short one where only one has it. None after an error."""
        found = self.cases.get(name) or self.short(name)
        if found is None:
            self.found.add("SPK232", f"{doing} {name!r}", span, self.nearest(name))
        return found

    def nearest(self, name: str) -> str:
        """What a name of a case was meant to be: cases of one variant differ in their last part only."""
        if not self.cases:
            return "declare it: `trace_schema { variant T { case C { ... } } }`"
        last = name.rpartition(".")[2]
        close = [full for full in self.cases if near(last, [full.rpartition(".")[2]]).startswith("did you mean")]
        return f"did you mean {close[0]!r}?" if close else f"declared: {', '.join(sorted(self.cases)[:12])}"

    def short(self, name: str) -> Case | None:
        """The one case whose last part is `name`."""
        same = [case for full, case in self.cases.items() if full.rpartition(".")[2] == name]
        return same[0] if len(same) == 1 else None

    def constant(self, name: str) -> bool:
        """Whether a name is a constant of some target. Target files are read when a name is met that needs them."""
        if name not in self.constants and not self.targets_read and self.root is not None:
            self.targets_read = True
            for path in sorted((self.root / "targets").glob("*.toml")):
                try:
                    self.constants |= set(tomllib.loads(path.read_text()).get("constants", {}))
                except (OSError, ValueError):
                    continue  # a broken target is the business of whoever checks targets
        return name in self.constants

    def declare(self, kind: str, name: str, span: Span, taken: dict[str, Span]) -> bool:
        """Whether a name is still free among its kind; if not, an error with both places."""
        if name in taken:
            self.found.add("SPK222", f"{kind} {name!r} is named twice", span, f"the first is at {taken[name]}")
            return False
        taken[name] = span
        return True

    def state_type(self, name: str) -> Type | None:
        state = self.states.get(name)
        return state.type if state else None
