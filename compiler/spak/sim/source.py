"""CUDA source to C++ that runs on the simulator, token by token, line by line. Knows no types and compiles nothing.

A compiler's front end would do this better, and is not there: the host compiler has no CUDA mode, and clang cannot be
relied on. What tokens cannot decide is refused with a place, never guessed.
"""

from __future__ import annotations

import re

from spak.errors import Collector, Diagnostic, SpakError, Span
from spak.sim.tokens import Token, closing, location, tokenize

# Added to the target's flags when rewritten source is compiled. Device code is written for a compiler that assumes
# neither strict aliasing nor, for an index that must be seen to wrap, that signed overflow cannot happen; a stack that
# grows must touch each page on its way, or a large local array would jump over the guard page.
FLAGS: tuple[str, ...] = ("-std=c++20", "-fno-strict-aliasing", "-fwrapv", "-fstack-clash-protection")

_ALIGNERS = ("__align__", "alignas", "__attribute__", "__builtin_align__")
_ATTRIBUTES = ("__launch_bounds__", "__maxnreg__", "__attribute__", "__block_size__", "alignas", "__align__")
_HIDDEN = frozenset({"__shared__", "__global__", "asm", "__asm__"})
_DROPPED = ("__shared__", "extern", "static", "__device__")


def rewrite(source: str, filename: str) -> str:
    """`source` for the host compiler: the same lines, after a `#include` and a `#line 1 "filename"`.

    Compile it with `csrc/include` and the CUDA toolkit's headers on the include path, and `FLAGS`; link the sources of
    `csrc/sim/sources.txt`. Raises SpakError with every construct that cannot be simulated, each at its place.
    """
    work = _Rewriter(source, filename)
    work.run()
    work.found.raise_if_any()
    return f'#include <spak/sim/builtins.h>\n#line 1 "{filename}"\n{work.text()}'


class _Rewriter:
    """Edits are kept by offset and applied at the end, so that positions in messages stay those of the source."""

    def __init__(self, source: str, filename: str) -> None:
        self.source, self.filename = source, filename
        self.found = Collector()
        self.edits: list[tuple[int, int, str]] = []
        try:
            self.tokens = tokenize(source)
        except ValueError as error:
            offset, what = error.args
            raise SpakError(Diagnostic("SPK590", what, self._span(offset, offset + 1))) from None
        self.code = [token for token in self.tokens if token.kind != "directive"]

    def run(self) -> None:
        for token in self.tokens:
            if token.kind == "directive":
                self._directive(token)
        scopes: list[str] = []
        start = 0  # index of the first token of the statement at hand
        skip_to = 0
        for i, token in enumerate(self.code):
            if token.text == "{":
                scopes.append(self._scope(start, i, scopes))
                start = i + 1
            elif token.text == "}":
                if scopes:
                    scopes.pop()
                start = i + 1
            elif token.text == ";":
                start = i + 1
            elif i >= skip_to:
                skip_to = self._token(i, start, scopes)

    def text(self) -> str:
        """The source with all edits made. Each keeps the number of lines."""
        out, at = [], 0
        for begin, end, new in sorted(self.edits):
            out.append(self.source[at:begin])
            out.append(new)
            out.append("\n" * (self.source.count("\n", begin, end) - new.count("\n")))
            at = end
        return "".join([*out, self.source[at:]])

    def _span(self, begin: int, end: int) -> Span:
        return Span(self.filename, *location(self.source, begin), *location(self.source, end))

    def _error(self, code: str, message: str, token: Token, hint: str) -> None:
        self.found.add(code, message, self._span(token.begin, token.end), hint)

    def _directive(self, token: Token) -> None:
        words = re.findall(r"\w+", token.text)
        if words[:1] == ["pragma"] and words[1:2] in (["unroll"], ["nv_diag_suppress"]):
            self.edits.append((token.begin, token.end, ""))
        if words[:1] == ["define"] and not _HIDDEN.isdisjoint(words):
            self._error(
                "SPK592",
                "a macro that contains __shared__, __global__ or asm cannot be simulated",
                token,
                "write the declaration out where the macro is used",
            )

    def _scope(self, start: int, brace: int, scopes: list[str]) -> str:
        """'function' for a body (or any block inside one), else 'outer': a namespace, a linkage block, a class."""
        if "function" in scopes:
            return "function"
        head = [token.text for token in self.code[start:brace]]
        return "function" if "(" in head and "=" not in head[: head.index("(")] else "outer"

    def _token(self, i: int, start: int, scopes: list[str]) -> int:
        """Handle one token that begins something; returns the index of the next token to look at."""
        token = self.code[i]
        if token.text in ("asm", "__asm__", "__asm"):
            self._error(
                "SPK591",
                "the simulator cannot model inline PTX outside the project's headers",
                token,
                "use a function of <spak/cuda/...>, or leave the sim target out of the variant's targets",
            )
        elif token.text == "<<<":
            hint = "describe launches in the plan; the launcher is generated"
            self._error("SPK593", "a kernel launch in device code", token, hint)
        elif token.text in ("__cluster_dims__", "__cluster__"):
            hint = "leave the sim target out of the variant's targets"
            self._error("SPK594", "the simulator does not model thread block clusters", token, hint)
        elif token.text == "__global__":
            self._kernel(i)
        elif token.text == "__noinline__" and self.code[i - 1].text != "(":
            # Not a macro of the headers: the host's own headers use this name inside __attribute__.
            self.edits.append((token.begin, token.end, "__attribute__((noinline))"))
        elif token.text == "__shared__":
            return self._shared(i, start, "function" in scopes)
        return i + 1

    def _kernel(self, i: int) -> None:
        """Insert the entry hook after the kernel's opening brace; a declaration without body needs none."""
        bounds, at = "0", i + 1
        while at < len(self.code) and self.code[at].text not in ("(", ";", "{"):
            if self.code[at].text in _ATTRIBUTES and at + 1 < len(self.code) and self.code[at + 1].text == "(":
                end = closing(self.code, at + 1)
                if self.code[at].text == "__launch_bounds__":
                    bounds = self._first_argument(at + 1, end)
                at = end
            at += 1
        if at >= len(self.code) or self.code[at].text != "(":
            return
        after = closing(self.code, at) + 1
        if after < len(self.code) and self.code[after].text == "{":
            end = self.code[after].end
            self.edits.append((end, end, f" ::spak::sim::enter({bounds}, ::spak::sim::here());"))

    def _first_argument(self, opening: int, end: int) -> str:
        depth = 0
        for i in range(opening + 1, end):
            depth += (self.code[i].text in "([{") - (self.code[i].text in ")]}")
            if depth == 0 and self.code[i].text == ",":
                end = i
                break
        return "(" + self.source[self.code[opening].end : self.code[end].begin].strip() + ")"

    def _shared(self, i: int, start: int, in_function: bool) -> int:
        """Rewrite one declaration statement; returns the index after it."""
        token = self.code[i]
        stop = i
        while stop < len(self.code) and self.code[stop].text != ";":
            stop = closing(self.code, stop) + 1 if self.code[stop].text in "([{" else stop + 1
        if stop >= len(self.code):
            self._error("SPK590", "a __shared__ declaration without an end", token, "end it with `;`")
            return len(self.code)
        first = start
        for j in range(start, i):  # a label, or the head of a control statement, is not part of it
            if self.code[j].text == ":":
                first = j + 1
        if not in_function:
            self._error(
                "SPK595",
                "a __shared__ variable outside a function cannot be simulated",
                token,
                "declare it inside the kernel and pass a pointer to the functions that need it",
            )
            return stop
        self._declaration(first, stop, token)
        return stop

    def _declaration(self, first: int, stop: int, token: Token) -> None:
        """`__shared__ T a[N], b;` becomes typedefs and references into the block's arena, on the same lines."""
        align, names, name, depth = "0", [], None, 0  # depth: of template brackets
        pieces: list[tuple[int, int, str]] = []
        named = False  # past the name of the declarator at hand
        j = first
        while j <= stop:
            part, end = self.code[j], j
            if part.text in _ALIGNERS and self.code[j + 1].text == "(":
                end = closing(self.code, j + 1)
                if part.text != "__attribute__":
                    align = self.source[self.code[j + 1].begin : self.code[end].end]
                pieces.append((part.begin, self.code[end].end, ""))
            elif part.text in _DROPPED:
                pieces.append((part.begin, part.end, ""))
            elif part.text in ("(", "[", "{") and (depth or part.text == "[" or self._belongs_to_type(j)):
                end = closing(self.code, j)
                named = named or (not depth and part.text == "[")
                name = None if part.text != "[" else name  # what came before was the type's own name
            elif not depth and part.text in ("=", "(", "{"):
                hint = "declare it plainly and assign to its elements"
                self._error("SPK596", "a __shared__ variable cannot be initialised", part, hint)
                return
            elif part.text in ("<", ">", ">>") and not named:
                depth += {"<": 1, ">": -1, ">>": -2}[part.text]
            elif not depth and part.text in (",", ";"):
                if name is None:
                    hint = "write `__shared__ T name[N];`"
                    self._error("SPK590", "a __shared__ declaration without a name", part, hint)
                    return
                names.append(name)
                name, named = None, False
            elif not depth and part.kind == "name" and not named:
                name = part
            j = end + 1
        kind = "dynamic" if any(self.code[j].text == "extern" for j in range(first, stop)) else "shared"
        self.edits.append((self.code[first].begin, self.code[first].begin, "typedef "))
        self.edits.extend([*pieces, *((name.begin, name.end, f"{name.text}__spak_type") for name in names)])
        references = "".join(_reference(name.text, kind, align) for name in names)
        self.edits.append((self.code[stop].end, self.code[stop].end, references))

    def _belongs_to_type(self, bracket: int) -> bool:
        """Whether this bracket is part of a type: a struct's members, or what decltype looks at."""
        before = [token.text for token in self.code[max(bracket - 2, 0) : bracket]]
        if self.code[bracket].text == "(":
            return before[-1:] == ["decltype"]
        return self.code[bracket].text == "{" and not {"struct", "union", "class"}.isdisjoint(before)


def _reference(name: str, kind: str, align: str) -> str:
    """The declaration of a shared variable as a reference into the arena; its site's address is its identity."""
    return (
        f' static constexpr ::spak::sim::SharedSite {name}__spak_site{{"{name}", ::spak::sim::here()}};'
        f" [[maybe_unused]] {name}__spak_type& {name} ="
        f" ::spak::sim::{kind}<{name}__spak_type>({name}__spak_site, {align});"
    )
