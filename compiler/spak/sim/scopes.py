"""What each brace of CUDA source opens, and what each statement begins with. Knows no types and changes nothing.

Branches of the preprocessor are all read, each from the scopes that its `#if` was met in: a function with two heads has one body.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from spak.sim.tokens import Token

_OPENING = {"(": ")", "[": "]", "{": "}"}
_CLASSES = frozenset({"struct", "class", "union"})
_BEFORE_BLOCK = frozenset(
    {")", ";", "{", "}", "else", "do", "try", ":", "mutable", "noexcept", "const", "override", "final", "]"}
)
_WITH_ARGUMENTS = frozenset(
    {"__attribute__", "alignas", "__align__", "__launch_bounds__", "__cluster_dims__", "decltype", "requires"}
)
_LABELS = ("public", "private", "protected", "default")


@dataclass(frozen=True, slots=True)
class Scope:
    """`kind`: namespace, class, enum, function, block (in a function) or value (braces of an initialiser). `head` and
    `open` are indices of the first token of its statement and of its brace. `device` and `host`: where its code runs."""

    kind: str
    head: int
    open: int
    device: bool = False
    host: bool = True
    template: bool = False


@dataclass(slots=True)
class Shape:
    """For every token: the scopes it lies in (innermost last) and the first token of its statement; `partner` joins
    brackets, both ways."""

    scopes: list[tuple[Scope, ...]] = field(default_factory=list)
    start: list[int] = field(default_factory=list)
    partner: dict[int, int] = field(default_factory=dict)

    def function(self, i: int) -> Scope | None:
        """The outermost function body that a token lies in."""
        return next((scope for scope in self.scopes[i] if scope.kind == "function"), None)

    def runs_on_device(self, i: int) -> bool:
        """Whether it is code of the device alone."""
        inner = self._body(i)
        return inner is not None and inner.device and not inner.host

    def runs_on_both(self, i: int) -> bool:
        """Whether it is code of the host and of the device."""
        inner = self._body(i)
        return inner is not None and inner.device and inner.host

    def _body(self, i: int) -> Scope | None:
        bodies = (s for s in reversed(self.scopes[i]) if s.kind in ("function", "block") and (s.device or s.host))
        return next(bodies, None)


def shape(tokens: Sequence[Token], aliases: dict[str, frozenset[str]] | None = None) -> Shape:
    """The shape of `tokens`, directives included. `aliases`: macros that stand for specifiers such as __device__."""
    return _Walk(tokens, aliases or {}).walk()


class _Walk:
    def __init__(self, tokens: Sequence[Token], aliases: dict[str, frozenset[str]]) -> None:
        self.tokens, self.aliases = tokens, aliases
        self.out = Shape()
        self.stack: list[int] = []  # brackets that are open
        self.scopes: tuple[Scope, ...] = ()
        self.starts: list[int] = [0]  # of the statement at hand, by depth of braces
        self.saved: list[tuple[list[int], tuple[Scope, ...], list[int]]] = []

    def walk(self) -> Shape:
        for i, token in enumerate(self.tokens):
            self.out.scopes.append(self.scopes)
            self.out.start.append(self.starts[-1])
            if token.kind == "directive":
                self._directive(i, token.text.lstrip("# \t"))
            elif token.kind == "mark":
                self._mark(i, token.text)
        return self.out

    def _directive(self, i: int, text: str) -> None:
        if text.startswith("if"):
            self.saved.append((list(self.stack), self.scopes, list(self.starts)))
        elif text.startswith("el") and self.saved:
            stack, self.scopes, starts = self.saved[-1]
            self.stack, self.starts = list(stack), list(starts)
        elif text.startswith("endif") and self.saved:
            self.saved.pop()
        if self.starts[-1] == i:
            self.starts[-1] = i + 1

    def _mark(self, i: int, text: str) -> None:
        if text == "{":
            scope = self._scope(i)
            self.scopes = (*self.scopes, scope)
            self.stack.append(i)
            self.starts.append(i + 1)
        elif text in _OPENING:
            self.stack.append(i)
        elif text in (")", "]", "}"):
            self._close(i, text)
        elif (text == ";" and not self._inside_parens()) or (text == ":" and self.tokens[i - 1].text in _LABELS):
            self.starts[-1] = i + 1

    def _inside_parens(self) -> bool:
        return bool(self.stack) and self.tokens[self.stack[-1]].text != "{"

    def _close(self, i: int, text: str) -> None:
        if not self.stack or _OPENING[self.tokens[self.stack[-1]].text] != text:
            return  # unbalanced: the compiler will say so
        opened = self.stack.pop()
        self.out.partner[opened], self.out.partner[i] = i, opened
        if text == "}":
            closed, self.scopes = self.scopes[-1], self.scopes[:-1]
            if len(self.starts) > 1:
                self.starts.pop()
            in_class = closed.kind == "class" and self.tokens[min(i + 1, len(self.tokens) - 1)].kind == "name"
            if closed.kind not in ("value", "enum") and not self._inside_parens() and not in_class:
                self.starts[-1] = i + 1

    def _scope(self, i: int) -> Scope:
        start = self.starts[-1]
        before = self.tokens[i - 1].text if i else ";"
        outer = self.scopes[-1] if self.scopes else None
        if outer is not None and outer.kind == "value":
            return (
                Scope("value", start, i, outer.device, outer.host)
                if not self._lambda(i)
                else self._inner(i, start, outer)
            )
        if outer is not None and outer.kind in ("function", "block"):
            return self._inner(i, start, outer)
        head = self._head(start, i)
        words = [self.tokens[j].text for j in head]
        template = "template" in (self.tokens[j].text for j in range(start, i))
        if outer is not None and outer.kind == "enum":
            return Scope("value", start, i)
        if "namespace" in words or (words[:1] == ["extern"] and len(words) == 2):
            return Scope("namespace", start, i)
        if "enum" in words:
            return Scope("enum", start, i)
        if "=" in words and "operator" not in words:
            where = self._lambda(i)
            return Scope("function", start, i, *where) if where else Scope("value", start, i)
        if "(" in words or "operator" in words:
            if ":" in words and before not in (")", "}"):
                return Scope("value", start, i)  # a member's initialiser, before the constructor's body
            device, host = self._where(start, i)
            return Scope("function", start, i, device, host, template)
        if not _CLASSES.isdisjoint(words):
            return Scope("class", start, i, template=template)
        return Scope("value", start, i)

    def _inner(self, i: int, start: int, outer: Scope) -> Scope:
        """A brace in a function: a block, a lambda, a local class or a value; it runs where the function does."""
        where = self._lambda(i)
        if where:
            device, host = where
            said = device and not (outer.device and not outer.host)
            inherited = Scope("block", start, i, outer.device, outer.host)
            return replace(inherited, device=device, host=host) if said else inherited
        if self.tokens[i - 1].text in _BEFORE_BLOCK or self.tokens[i - 1].kind == "directive":
            return Scope("block", start, i, outer.device, outer.host)
        words = {self.tokens[j].text for j in range(start, i)}
        if not _CLASSES.isdisjoint(words) and "=" not in words and "(" not in words:
            return Scope("class", start, i, outer.device, outer.host)
        return Scope("value", start, i, outer.device, outer.host)

    def _lambda(self, i: int) -> tuple[bool, bool] | None:
        """(device, host) when the brace is a lambda's body: `[..] __device__ (..) mutable -> T {`."""
        j = i - 1
        words: set[str] = set()
        for _ in range(24):
            if j < 0:
                return None
            text = self.tokens[j].text
            if text in (")", "]") and j in self.out.partner:
                opened = self.out.partner[j]
                if text == "]":
                    before = self.tokens[opened - 1] if opened else None
                    plain = (
                        before is None or before.text in "(,={;}&|?:<" or before.text in ("return", "&&", "||", "<<")
                    )
                    return ("__device__" in words, "__device__" not in words or "__host__" in words) if plain else None
                j = opened
            elif text in ("{", "}", ";", "(", "=", ","):
                return None
            else:
                words |= self.aliases.get(text, frozenset({text}))
            j -= 1
        return None

    def _head(self, start: int, i: int) -> list[int]:
        """The tokens of a statement's head outside all brackets, a `(` for each pair; without template headers."""
        out, j = [], start
        while j < i:
            text = self.tokens[j].text
            if text == "template" and j + 1 < i and self.tokens[j + 1].text == "<":
                j = angle_end(self.tokens, j + 1, i) + 1
                continue
            if text in _WITH_ARGUMENTS and j + 1 < i and self.tokens[j + 1].text == "(":
                j = self.out.partner.get(j + 1, j + 1) + 1
                continue
            if self.tokens[j].kind != "directive":
                out.append(j)
            j = self.out.partner[j] + 1 if text in _OPENING and j in self.out.partner else j + 1
        return out

    def _where(self, start: int, i: int) -> tuple[bool, bool]:
        words: set[str] = set()
        for j in range(start, i):
            words |= self.aliases.get(self.tokens[j].text, frozenset({self.tokens[j].text}))
        device = not words.isdisjoint({"__device__", "__global__"})
        return device, not device or "__host__" in words


def angle_end(tokens: Sequence[Token], opening: int, limit: int) -> int:
    """Index of the `>` that closes the `<` at `opening`; brackets inside are skipped; `limit` if none does."""
    depth, round_, j = 0, 0, opening
    while j < limit:
        text = tokens[j].text
        round_ += (text in ("(", "[", "{")) - (text in (")", "]", "}"))
        if round_ == 0 and text in ("<", ">", ">>", ">>>"):
            depth += {"<": 1, ">": -1, ">>": -2, ">>>": -3}[text]
            if depth <= 0:
                return j
        if round_ < 0 or text == ";":
            return limit
        j += 1
    return limit


def angle_begin(tokens: Sequence[Token], closing: int) -> int:
    """Index of the `<` that the `>` (or `>>`, `>>>`) at `closing` ends; -1 if none does."""
    depth, round_ = 0, 0
    for j in range(closing, -1, -1):
        text = tokens[j].text
        round_ += (text in (")", "]", "}")) - (text in ("(", "[", "{"))
        if round_ < 0 or text == ";":
            return -1
        if round_ == 0 and text in ("<", ">", ">>", ">>>"):
            depth += {"<": -1, ">": 1, ">>": 2, ">>>": 3}[text]
            if depth <= 0:
                return j
    return -1
