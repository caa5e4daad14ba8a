"""Cut C++ source into tokens with places. Knows the lexical rules, not the grammar, and expands nothing.

Policy looks at tokens rather than at the syntax tree where hiding is a danger: what stands in a macro's body, or
under an `#if`, is a token here, while the parser sees only opaque text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\f\v\r]+)
  | (?P<newline>\n)
  | (?P<splice>\\\r?\n)
  | (?P<comment>//(?:[^\\\n]|\\(?!\r?\n))*(?:\\\r?\n(?:[^\\\n]|\\(?!\r?\n))*)*|/\*.*?(?:\*/|\Z))
  | (?P<string>(?:u8|[uUL])?R"(?P<delim>[^()\\\s]{0,16})\(.*?(?:\)(?P=delim)"|\Z)|(?:u8|[uUL])?"(?:[^"\\\n]|\\.)*")
  | (?P<char>(?:u8|[uUL])?'(?:[^'\\\n]|\\.)+')
  | (?P<number>\.?\d(?:[eEpP][+-]|'?[\w.])*)
  | (?P<name>[A-Za-z_$][\w$]*)
  | (?P<punct><<<|>>>|<<=|>>=|\.\.\.|->\*|<=>|::|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|\#\#
      |%:|<%|%>|<:(?!:)|:>|[^\s])
""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is name, number, string, char, punct, splice or comment; `line` and `col` count from 1.

    `directive` is the preprocessor directive the token belongs to ("define", "if", ...), '' for ordinary code.
    """

    kind: str
    text: str
    line: int
    col: int
    directive: str = ""


def tokenize(text: str) -> list[Token]:
    """Every token of `text` but white space, comments included. An unterminated literal comes out as punctuation,
    but for comments and raw strings, which reach to the end: nothing can follow them."""
    found: list[Token] = []
    line, start = 1, 0
    directive, fresh = "", True  # fresh: nothing but white space and comments on this line so far
    awaiting = False  # a `#` has opened a directive whose name comes next
    for match in _TOKEN.finditer(text):
        kind, value = match.lastgroup or "punct", match.group()
        if kind == "delim":
            kind = "string"
        if kind not in ("space", "newline"):
            if kind == "punct" and value == "#" and fresh:
                awaiting, directive = True, "#"
            elif awaiting and kind == "name":
                awaiting, directive = False, value
            found.append(Token(kind, value, line, match.start() - start + 1, directive))
            fresh = fresh and kind == "comment"
        if kind == "newline":
            directive, fresh, awaiting = "", True, False
        if breaks := value.count("\n"):
            line += breaks
            start = match.start() + value.rindex("\n") + 1
    return found
