"""Tokens of C++ and CUDA source with their offsets. Knows no grammar: brackets can be matched, nothing more."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?P<space>\s+|\\\n)
  | (?P<comment>//(?:\\\n|[^\n])*|/\*.*?\*/)
  | (?P<raw>(?:u8|u|U|L)?R"(?P<fence>[^()\\\s]{0,16})\(.*?\)(?P=fence)")
  | (?P<string>(?:u8|u|U|L)?"(?:\\.|[^"\\\n])*"|(?:u8|u|U|L)?'(?:\\.|[^'\\\n])*')
  | (?P<name>[^\W\d]\w*)
  | (?P<number>\.?\d(?:[eEpP][+-]|'?\w|\.)*)
  | (?P<open><<[ \t]*<|>>[ \t]*>)
  | (?P<mark>::|->|<<=|>>=|<=|>=|==|!=|&&|\|\||<<|>>|\+\+|--|[-+*/%&|^]=|[^\w\s])
    """,
    re.VERBOSE | re.DOTALL,
)
_DIRECTIVE = re.compile(r'#(?:\\\n|//(?:\\\n|[^\n])*|"(?:\\.|[^"\\\n])*"|/\*.*?\*/|[^\n])*', re.DOTALL)
_PAIRS = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is name, number, string, mark or directive (a whole preprocessor line, continuations included)."""

    kind: str
    text: str
    begin: int
    end: int


def tokenize(source: str) -> list[Token]:
    """The tokens of `source` without comments and white space. Raises ValueError(offset, what) where none begins."""
    tokens: list[Token] = []
    at, line_start = 0, True
    while at < len(source):
        if line_start and source[at] == "#":
            match = _DIRECTIVE.match(source, at)
            assert match is not None
            tokens.append(Token("directive", match.group(), at, match.end()))
            at = match.end()
            continue
        match = _TOKEN.match(source, at)
        if match is None or match.lastgroup is None or (source.startswith("/*", at) and match.group("comment") is None):
            if source.startswith("/*", at):
                raise ValueError(at, "a comment that does not end")
            raise ValueError(at, f"the character {source[at]!r}, which no C++ token begins with")
        kind = match.lastgroup if match.group("raw") is None else "string"
        if kind == "mark" and match.group() in "\"'":
            raise ValueError(at, "a string or character that does not end")
        if kind == "open":  # formatters take `<<<` apart, and CUDA's compiler takes it so
            tokens.append(Token("mark", 3 * match.group()[0], at, match.end()))
            line_start = False
        elif kind not in ("space", "comment"):
            tokens.append(Token(kind, match.group(), at, match.end()))
            line_start = False
        elif kind == "space" and "\n" in match.group():
            line_start = True
        at = match.end()
    return tokens


def closing(tokens: Sequence[Token], opening: int) -> int:
    """Index of the token that closes the bracket at `opening`, or of the last token if none does."""
    stack: list[str] = []
    for i in range(opening, len(tokens)):
        text = tokens[i].text
        if tokens[i].kind == "mark" and text in _PAIRS:
            stack.append(_PAIRS[text])
        elif stack and tokens[i].kind == "mark" and text == stack[-1]:
            stack.pop()
            if not stack:
                return i
    return len(tokens) - 1


def location(source: str, offset: int) -> tuple[int, int]:
    """Line and column of an offset, both from 1."""
    line = source.count("\n", 0, offset)
    return line + 1, offset - (source.rfind("\n", 0, offset) + 1) + 1
