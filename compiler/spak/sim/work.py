"""One piece of source under rewriting: its tokens, their shape, edits and findings. Knows no construct of CUDA.

Edits are kept by offset and applied at the end, so that positions in messages stay those of the source.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from spak.errors import Collector, Diagnostic, Span
from spak.sim.scopes import Shape, shape
from spak.sim.tokens import Token, location

SPECIFIERS = frozenset(
    {"__global__", "__device__", "__host__", "__shared__", "__constant__", "__managed__", "__forceinline__", "extern"}
)


@dataclass(frozen=True, slots=True)
class SharedVariable:
    """A `__shared__` variable of namespace scope, which functions that name it get a reference to."""

    name: str
    kind: str  # "shared" | "dynamic"
    align: str


@dataclass(slots=True)
class Context:
    """What all files of a program have in common. `foreign`: a whole program, launches and all, rather than the device
    code of a unit. `aliases`: macros that stand for specifiers. `names` counts what needs a name of its own."""

    foreign: bool = False
    kernels: set[str] = field(default_factory=set)
    aliases: dict[str, frozenset[str]] = field(default_factory=dict)
    shared: dict[str, SharedVariable] = field(default_factory=dict)
    kernel_macros: dict[str, int] = field(
        default_factory=dict
    )  # macros that define the kernel which that argument names
    macros: dict[str, frozenset[str]] = field(default_factory=dict)  # the names in each macro's text
    strings: dict[str, str] = field(default_factory=dict)  # macros that stand for string literals
    refused: list[Diagnostic] = field(default_factory=list)  # what is wrong only where it is compiled

    def means(self, token: Token, *specifiers: str) -> bool:
        """Whether a token is one of these specifiers, or a macro for one."""
        return token.text in specifiers or not self.aliases.get(token.text, frozenset()).isdisjoint(specifiers)


class Edits:
    """The changes to one file, in any order."""

    def __init__(self, source: str, filename: str) -> None:
        self.source, self.filename = source, filename
        self.found = Collector()
        self.headers: set[str] = set()  # of models that the new text calls
        self._edits: list[tuple[int, int, int, str, bool]] = []

    def replace(self, begin: int, end: int, new: str, in_directive: bool = False) -> None:
        """`new` in place of [begin, end); insertions at one offset stay in the order they were made."""
        self._edits.append((begin, end, len(self._edits), new, in_directive))

    def text(self) -> str:
        """The source with all edits made. Each keeps the number of lines."""
        out, at = [], 0
        for begin, end, _, new, in_directive in sorted(self._edits):
            if begin < at:
                continue  # inside what another edit has replaced as a whole
            out.append(self.source[at:begin])
            out.append(new)
            lines = self.source.count("\n", begin, end) - new.count("\n")
            out.append(("\\\n" if in_directive else "\n") * lines)
            at = end
        return "".join([*out, self.source[at:]])

    def models(self) -> str:
        """The lines that include what the new text needs."""
        return "".join(f"#include <{name}>\n" for name in sorted(self.headers))

    def span(self, begin: int, end: int) -> Span:
        return Span(self.filename, *location(self.source, begin), *location(self.source, end))


class Work:
    """A run of tokens of a file: the file itself without its directives' insides, or the body of one macro,
    which `macro` names."""

    def __init__(
        self,
        edits: Edits,
        tokens: Sequence[Token],
        context: Context,
        macro: str = "",
        parameters: tuple[str, ...] = (),
    ) -> None:
        self.edits, self.context, self.macro, self.parameters = edits, context, macro, parameters
        self.source = edits.source
        self.shape: Shape = shape(tokens, context.aliases)
        keep = [i for i, token in enumerate(tokens) if token.kind != "directive"]
        self.code = [tokens[i] for i in keep]
        new = {old: i for i, old in enumerate(keep)}
        later = [0] * (len(tokens) + 1)  # index in `code` of the first token from here on
        count = len(keep)
        for i in range(len(tokens), -1, -1):
            count = new.get(i, count)
            later[i] = count
        self.shape = Shape(
            [self.shape.scopes[i] for i in keep],
            [later[self.shape.start[i]] for i in keep],
            {new[a]: new[b] for a, b in self.shape.partner.items()},
        )
        self.opened = {new[scope.open]: scope for scopes in self.shape.scopes for scope in scopes if scope.open in new}
        self.later = later

    def error(self, code: str, message: str, token: Token, hint: str) -> None:
        self.edits.found.add(code, message, self.edits.span(token.begin, token.end), hint)

    def refuse(self, code: str, message: str, token: Token, hint: str) -> str:
        """An expression that does not compile, for a statement of a foreign program that the preprocessor may yet remove."""
        self.context.refused.append(Diagnostic(code, message, self.edits.span(token.begin, token.end), hint))
        return f"::spak::sim::refused_{len(self.context.refused) - 1}()"

    def replace(self, begin: int, end: int, new: str) -> None:
        self.edits.replace(begin, end, new, bool(self.macro))

    def insert(self, at: int, new: str) -> None:
        self.edits.replace(at, at, new, bool(self.macro))

    def joined(self, name: str, suffix: str) -> str:
        """A name made from one of the source's; a macro's parameter is pasted."""
        return f"{name}##{suffix}" if name in self.parameters else f"{name}{suffix}"

    def quoted(self, name: str) -> str:
        """A name of the source's as a string."""
        return f"#{name}" if name in self.parameters else f'"{name}"'

    def closing(self, opening: int) -> int:
        """Index of the partner of the bracket there, or of the last token."""
        return self.shape.partner.get(opening, len(self.code) - 1)

    def text(self, begin: int, end: int) -> str:
        """Tokens [begin, end) on one line, without comments."""
        out: list[str] = []
        for j in range(begin, end):
            if j > begin and self.code[j].begin > self.code[j - 1].end:
                out.append(" ")
            out.append(self.code[j].text.replace("\\\n", ""))
        return "".join(out)

    def at(self, i: int) -> str:
        """The text of a token, "" beyond the ends."""
        return self.code[i].text if 0 <= i < len(self.code) else ""
