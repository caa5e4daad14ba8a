"""Text to the grammar's terminals. Knows what may stand beside what, not what any word means.

Lark's own lexer looks at one token at a time; this language needs its surroundings. Each decision is made here once:

* inside braces a line end, `;` or `,` separates statements (_SEP), in parentheses and brackets a line end is a comma;
  a line that begins or ends with an operator, or begins with `->` or `else`, continues the statement;
* a word before `:` or `=` is a KEY; one that follows a finished value starts a new statement (`{ a: 1 b: 2 }`);
* `{` after `:`, an operator or a comma is a map, else a body; `(` and `[` after an operand are a call and an index;
* `<` is a type bracket only in `Name<...>` written without a space and followed by what cannot follow a comparison;
* when `:` ends a line, and the next line is indented deeper and opens no string, list or map, then the indented lines
  are one VERBATIM text; the braces of `procedure`, `pseudocode`, `template` and `code` hold verbatim text too, but not
  where such a name is assigned to;
* `1.` and `1)` before a statement are a word of it, and so is `50%`; `key: |` takes the indented lines below as a string, and
  `#fff` alone after a colon is a colour, not a comment;
* comments are set aside. In expressions alone there are none, and `//` is floor division.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field

from spak.errors import Collector, Span
from spak.lang.tree import Comment
from spak.lang.verbatim import SCALAR, closing_brace, columns, dedent, indented, line_of

MAX_DEPTH = 64
MAX_ERRORS = 20  # a text: what follows is most likely an echo
VERBATIM_KINDS = frozenset({"procedure", "pseudocode", "template", "code"})

#: Kinds whose braces may hold another language: read as statements where that works, and else kept as text.
FOREIGN = """
    css style styles stylesheet html markup svg script javascript python shell bash sql yaml json toml algorithm equations
    math latex text snippet example"""
FOREIGN_KINDS = frozenset(FOREIGN.split())

#: Terminals given by a regular expression, in the order in which they are tried; fixed texts follow, longest first.
PATTERNS = ("TEXT", "STRING", "FUNCREF", "COMMENT", "NAME", "DIGITNAME", "NUMBER")

CLOSES = {"RBRACE": "{", "RPAR": "(", "RBRACK": "[", "RTYPE": "<"}
_OPERATORS = "AND OR COMPARE BAR PLUS MINUS STAR SLASH FLOORDIV PERCENT LANGLE RANGLE DOTS IN FAT"
OPERATORS = frozenset(_OPERATORS.split())
ENDS_OPERAND = frozenset(
    {"NAME", "DIGITNAME", "NUMBER", "STRING", "TEXT", "RPAR", "RBRACK", "RTYPE", "RBRACE", "QUESTION", "JUMP"}
)
JOINS_BACK = (OPERATORS - {"MINUS"}) | {"ARROW", "ELSE", "EQ", "LBRACE"}
CHARACTER_HINTS = {
    "'": 'strings are written in double quotes: "..."',
    "@": 'put a NumPy expression in quotes: "a @ b"',
    "`": "put the text in double quotes",
    "\\": "put the text in double quotes",
    "&": "write `&&`",
}
KEYWORDS = {"if": "IF", "emit": "EMIT", "return": "RETURN", "break": "JUMP", "continue": "JUMP"}

KEY_AHEAD = re.compile(r"(?:[ \t]|/\*(?s:.*?)\*/)*(?::|=(?![=>]))")
WORD_AHEAD = re.compile(r"""(?:[ \t]|/\*(?s:.*?)\*/)+[\w(]|(?:[ \t]|/\*(?s:.*?)\*/)*(?:"|!(?!=))""")
REST_BLANK = re.compile(r"[ \t]*(?://[^\n]*|#[^\n]*)?(?=\n)")
AFTER_GENERIC = re.compile(r"[ \t]*(?:$|[;:,)\]}{\n>|?#]|->|//|/\*|=>)|[ \t]+(?:=|\w+[ \t]*:)")
NUMBERED = re.compile(r'[.)](?=[ \t]+["\w])')
PERCENTAGE = re.compile(r"%(?=[ \t]*(?:;|,|//|#)|\s*(?:[)\]}]|\Z)|[ \t]*\n\s*\w+[ \t]*(?::|=(?![=>])))")
COLOUR = re.compile(r"#(?:[0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})(?=[ \t]*(?:[;,}\n]|//|/\*|\Z))")


class Tok(str):
    """A terminal of the grammar: its text, its type and its place. `start_pos` is an offset into the text."""

    __slots__ = ("span", "start_pos", "type")
    span: Span
    start_pos: int
    type: str

    def __new__(cls, value: str, kind: str, span: Span, start_pos: int = 0) -> Tok:
        self = str.__new__(cls, value)
        self.type = kind
        self.span = span
        self.start_pos = start_pos
        return self


@dataclass
class Scanned:
    tokens: list[Tok]
    comments: tuple[Comment, ...]
    balanced: bool


@dataclass
class Statement:
    """What is known of the statement being read at one level of brackets."""

    first: Tok | None = None
    bound: bool = False  # a `:` or `=` has been seen
    assigns: bool = False  # an `=` has
    indent: int = 0


@dataclass
class Level:
    bracket: str
    opener: Tok | None
    statement: Statement = field(default_factory=Statement)


def master_pattern(patterns: dict[str, str], comments: bool) -> re.Pattern[str]:
    """One regular expression out of the grammar's terminals."""
    order = [name for name in PATTERNS if comments or name != "COMMENT"]
    order += sorted((name for name in patterns if name not in PATTERNS), key=lambda name: (-len(patterns[name]), name))
    return re.compile("|".join(f"(?P<{name}>{patterns[name]})" for name in order))


class Scanner:
    """One pass over one text. `statements` False reads an expression alone; `foreign` says of the text between braces of a
    foreign kind whether it is to be kept as it stands.
    """

    def __init__(
        self,
        text: str,
        file: str,
        master: re.Pattern[str],
        found: Collector,
        *,
        statements: bool = True,
        foreign: Callable[[str], bool] | None = None,
    ) -> None:
        self.text = text
        self.file = file
        self.master = master
        self.found = found
        self.statements = statements
        self.foreign = foreign
        self.starts = [0, *(m.end() for m in re.finditer("\n", text))]
        self.tokens: list[Tok] = []
        self.comments: list[Comment] = []
        self.levels = [Level("{" if statements else "(", None)]
        self.pending = ""  # "line" after a line end, "mark" after `;` or `,`
        self.balanced = True
        self.errors = 0
        self.suspect: Tok | None = None

    # ---- helpers ----

    def report(self, code: str, message: str, span: Span, hint: str) -> None:
        """Record an error; beyond a number that anyone reads, give up."""
        self.errors += 1
        if self.errors <= MAX_ERRORS:
            self.found.add(code, message, span, hint)
        else:
            self.balanced = False

    def at(self, start: int, end: int) -> Span:
        line = bisect_right(self.starts, start)
        last = bisect_right(self.starts, end)
        return Span(self.file, line, start - self.starts[line - 1] + 1, last, end - self.starts[last - 1] + 1)

    def indent(self, pos: int) -> int:
        """The indentation, in columns, of the line that holds a position."""
        start = self.starts[bisect_right(self.starts, pos) - 1]
        return columns(self.text[start : start + 1000])

    @property
    def level(self) -> Level:
        return self.levels[-1]

    @property
    def previous(self) -> str:
        return self.tokens[-1].type if self.tokens else ""

    @property
    def at_start(self) -> bool:
        """Whether the next token begins a statement."""
        return self.level.bracket == "{" and self.level.statement.first is None

    def emit(self, kind: str, value: str, start: int, end: int) -> Tok:
        token = Tok(value, kind, self.at(start, end), start)
        self.tokens.append(token)
        statement = self.level.statement
        if kind == "_SEP":
            self.level.statement = Statement()
        elif statement.first is None:
            statement.first = token
            statement.indent = self.indent(start)
        if kind in {"COLON", "EQ", "OPEQ"}:
            statement.bound = True
            statement.assigns |= kind != "COLON"
        return token

    # ---- the pass ----

    def run(self) -> Scanned:
        text, pos = self.text, 0
        size = len(text)
        while pos < size and self.errors <= MAX_ERRORS:
            char = text[pos]
            if char == "\n":
                self.pending = self.pending or "line"
                pos += 1
            elif char.isspace():
                pos += 1
            else:
                open_comment = (
                    char == "/" and self.statements and text.startswith("/*", pos) and text.find("*/", pos + 2) < 0
                )
                match = None if open_comment else self.master.match(text, pos)
                pos = (
                    self.unknown(pos)
                    if match is None
                    else self.token(str(match.lastgroup), match.group(), pos, match.end())
                )
            if len(self.levels) > MAX_DEPTH:
                self.report(
                    "SPK106",
                    f"brackets are nested deeper than {MAX_DEPTH} levels",
                    self.tokens[-1].span,
                    "split the block into named ones",
                )
                return Scanned([], (), False)
        self.unclosed()
        return Scanned(self.tokens, tuple(self.comments), self.balanced)

    def unknown(self, pos: int) -> int:
        char = self.text[pos]
        line_end = self.text.find("\n", pos)
        line_end = len(self.text) if line_end < 0 else line_end
        if char == "/":
            self.report("SPK102", "this comment is never closed", self.at(pos, pos + 2), "close it with */")
            self.balanced = False
            return len(self.text)
        if char == '"':
            long = self.text.startswith('"""', pos)
            end = len(self.text) if long else line_end
            hint = 'close it with """' if long else 'close it on the same line, or write """..."""'
            self.report("SPK102", "this string is never closed", self.at(pos, pos + (3 if long else 1)), hint)
            self.balanced = False
            return end
        end = pos + len(self.text[pos:line_end]) - len(self.text[pos:line_end].lstrip(char))
        hint = CHARACTER_HINTS.get(char, "put text that is not code in double quotes")
        self.report("SPK101", f"unexpected character {char!r}", self.at(pos, end), hint)
        self.separate("UNKNOWN", pos)
        self.emit("UNKNOWN", char, pos, end)
        return end

    def token(self, kind: str, value: str, start: int, end: int) -> int:
        """Take one token of the text; return the position after what it used up."""
        if kind == "COMMENT":
            colour = self.colour(start)
            if not colour:
                return self.comment(value, start, end)
            kind, value, end = "DIGITNAME", colour, start + len(colour)
        if kind == "NUMBER" and (mark := self.mark(value, end)):
            kind, value, end = "DIGITNAME", value + mark, end + 1
        if kind == "SEMICOLON" or (kind == "COMMA" and self.level.bracket == "{"):
            self.pending = "mark"
            return end
        if kind == "FUNCREF":
            kind = "NAME"
        if kind in {"NAME", "DIGITNAME", "NUMBER", "STRING"}:
            kind = self.word(kind, value, end)
        self.separate(kind, start)
        if kind in {"IF", "EMIT", "RETURN", "JUMP", "PERFORM"} and not self.keyword_stands(value, end):
            kind = "NAME"
        return self.punctuation(kind, value, start, end)

    def comment(self, value: str, start: int, end: int) -> int:
        line_start = self.starts[bisect_right(self.starts, start) - 1]
        alone = not self.text[line_start:start].strip()
        self.comments.append(Comment(value.rstrip(), alone, span=self.at(start, end)))
        if "\n" in value:
            self.pending = self.pending or "line"
        return end

    def colour(self, start: int) -> str:
        """`#fff` where it is all that follows a colon; such a key would have no value."""
        if self.previous not in {"COLON", "EQ"} or self.pending or not self.statements:
            return ""
        match = COLOUR.match(self.text, start)
        if match is None:
            return ""
        below = indented(self.text, self.starts, bisect_right(self.starts, start), self.level.statement.indent)
        return "" if below else match.group()

    def mark(self, value: str, end: int) -> str:
        """What makes a number a word: the `.` or `)` of a numbered statement, the sign of a percentage."""
        if not self.statements:
            return ""
        starts = self.at_start or (self.level.bracket == "{" and bool(self.pending))
        match = NUMBERED.match(self.text, end) if starts and value.isdigit() else PERCENTAGE.match(self.text, end)
        return match.group() if match else ""

    def word(self, kind: str, value: str, end: int) -> str:
        """KEY, an operator in words, or a keyword; else the word as it is."""
        operand_before = self.previous in ENDS_OPERAND and not self.pending
        starts = self.at_start or (self.level.bracket == "{" and bool(self.pending))
        if self.statements and KEY_AHEAD.match(self.text, end) and self.key_may_stand(starts, operand_before):
            return "KEY"
        if kind != "NAME":
            return kind
        if value in {"and", "or", "in"} and self.previous in ENDS_OPERAND:
            return value.upper()
        if value == "not" and not operand_before:
            return "NOT"
        if value == "else" and self.previous == "RBRACE":
            return "ELSE"
        if value == "perform":
            return "PERFORM"
        after_condition = (
            self.previous == "RPAR"
            and self.level.statement.first is not None
            and self.level.statement.first.type == "IF"
        )
        if (
            starts
            or self.previous in {"ARROW", "ELSE"}
            or after_condition
            or (self.previous == "RBRACE" and not self.pending)
        ):
            return KEYWORDS.get(value, kind)
        return kind

    def key_may_stand(self, starts: bool, operand_before: bool) -> bool:
        bracket = self.level.bracket
        if bracket == "(":
            return self.previous in {"LCALL", "LPAR", "COMMA"} or bool(self.pending)
        if bracket != "{":
            return False
        first = self.level.statement.first
        if first is not None and first.type == "IF" and not starts:
            return False
        return starts or operand_before or self.previous == "ARROW"

    def keyword_stands(self, value: str, end: int) -> bool:
        """`emit`, `perform` and `if` need something after them on the line; else they are plain names."""
        if not self.statements:
            return False
        return value in {"return", "break", "continue"} or bool(WORD_AHEAD.match(self.text, end))

    def separate(self, kind: str, start: int) -> None:
        """Emit the separator that is due before a token, if any."""
        pending, self.pending = self.pending, ""
        if (kind in CLOSES and kind != "RTYPE") or not self.tokens:
            return
        if self.level.bracket != "{":
            continues = kind in OPERATORS or kind == "COMMA" or self.previous not in ENDS_OPERAND
            if pending and not continues and self.statements:
                self.emit("COMMA", ",", start, start)
            return
        if self.at_start:
            return
        if pending == "line" and self.continues_line(kind, start):
            return
        after_body = self.previous == "RBRACE" and kind not in JOINS_BACK | {"MINUS", "DOT", "COLON", "QUESTION"}
        new_key = kind == "KEY" and self.level.statement.bound and self.previous in ENDS_OPERAND
        if pending or after_body or new_key:
            self.emit("_SEP", "", start, start)

    def continues_line(self, kind: str, start: int) -> bool:
        if kind in JOINS_BACK:
            return self.previous != "VERBATIM"
        if self.previous in {"COLON", "EQ"}:
            deeper = self.indent(start) > self.level.statement.indent
            return deeper and (self.previous == "EQ" or kind in {"STRING", "TEXT", "LBRACK", "LBRACE"})
        return self.previous in OPERATORS or self.previous == "NOT"

    def punctuation(self, kind: str, value: str, start: int, end: int) -> int:
        operand_before = self.previous in ENDS_OPERAND and not self.at_start
        if kind == "LBRACE":
            body = operand_before or self.previous in {"ELSE", "KEY"} or self.at_start
            return self.open("LBODY" if body and self.level.bracket == "{" else "LMAP", "{", value, start, end)
        if kind == "LPAR":
            after_if = self.tokens and self.previous == "IF"
            return self.open("LCALL" if operand_before and not after_if else "LPAR", "(", value, start, end)
        if kind == "LBRACK":
            index = operand_before and self.previous not in {"STRING", "TEXT", "NUMBER"}
            return self.open("LINDEX" if index else "LBRACK", "[", value, start, end)
        if kind == "LANGLE" and self.is_generic(start):
            return self.open("LTYPE", "<", value, start, end)
        if kind == "RANGLE" and self.level.bracket == "<":
            return self.close("RTYPE", value, start, end)
        if kind in CLOSES:
            return self.close(kind, value, start, end)
        self.emit(kind, value, start, end)
        if kind == "COLON" and self.statements and self.level.bracket == "{":
            if REST_BLANK.match(self.text, end):
                return self.verbatim_lines(end)
            if SCALAR.match(self.text, end):
                return self.scalar(end)
        return end

    def is_generic(self, start: int) -> bool:
        if self.previous != "NAME" or not self.statements or self.text[start - 1].isspace():
            return False
        depth = 0
        for pos in range(start, min(start + 200, len(self.text))):
            char = self.text[pos]
            depth += (char == "<") - (char == ">")
            if depth == 0:
                return bool(AFTER_GENERIC.match(self.text, pos + 1))
            if not (char.isalnum() or char in "_<>.,[]|? \t"):
                return False
        return False

    # ---- brackets ----

    def open(self, kind: str, bracket: str, value: str, start: int, end: int) -> int:
        statement = self.level.statement
        word = "" if statement.first is None or statement.assigns else str(statement.first)
        token = self.emit(kind, value, start, end)
        self.levels.append(Level(bracket, token))
        if kind == "LBODY" and (word in VERBATIM_KINDS or self.is_foreign(word, end)):
            return self.verbatim_braces(end)
        return end

    def is_foreign(self, kind: str, pos: int) -> bool:
        if self.foreign is None or kind not in FOREIGN_KINDS:
            return False
        end = closing_brace(self.text, pos)
        return end is not None and self.foreign(self.text[pos:end])

    def close(self, kind: str, value: str, start: int, end: int) -> int:
        bracket = CLOSES[kind]
        while (
            len(self.levels) > 1
            and self.level.bracket != bracket
            and any(lv.bracket == bracket for lv in self.levels[1:])
        ):
            self.not_closed(self.levels.pop().opener)
        if len(self.levels) == 1 or self.level.bracket != bracket:
            self.report(
                "SPK103", f"{value!r} closes nothing", self.at(start, end), "remove it, or open what it should close"
            )
            self.balanced = False
            return end
        opener = self.level.opener
        if opener is not None and kind == "RBRACE" and self.suspect is None:
            first_on_line = self.indent(start) == self.at(start, end).col - 1
            if (
                first_on_line
                and self.at(start, end).line > opener.span.line
                and self.indent(start) < self.indent(int(opener.start_pos or 0))
            ):
                self.suspect = opener
        self.levels.pop()
        self.emit(kind, value, start, end)
        return end

    def not_closed(self, opener: Tok | None) -> None:
        if opener is not None:
            self.report("SPK103", f"{str(opener)!r} is never closed", opener.span, "add what closes it")
        self.balanced = False

    def unclosed(self) -> None:
        """Report what is still open at the end. Which brace it was, indentation tells best."""
        left = [level.opener for level in self.levels[1:]]
        if left and self.suspect is not None and all(opener is not None and opener == "{" for opener in left):
            left = [self.suspect]
        for opener in left:
            self.not_closed(opener)

    # ---- text that is not of this language ----

    def verbatim_lines(self, pos: int) -> int:
        """Take the lines below that are indented deeper than this statement as one text, if they are not a value."""
        line = bisect_right(self.starts, pos)
        code = indented(self.text, self.starts, line, self.level.statement.indent)
        if not code:
            return pos
        first, *others = (line_of(self.text, self.starts, number)[:200].lstrip()[0] for number in code[:2])
        if first in "[{" or (first == '"' and others != ['"']):
            return pos
        begin, stop = self.starts[line], self.line_end(code[-1])
        rest = self.text[pos : begin - 1].strip()
        if rest:
            where = self.text.index(rest, pos)
            self.comments.append(Comment(rest, False, span=self.at(where, where + len(rest))))
        self.emit("VERBATIM", dedent(self.text[begin:stop]), begin, stop)
        self.pending = "line"
        return stop

    def scalar(self, pos: int) -> int:
        """A YAML block scalar: the indented lines below `key: |` are one string."""
        line = bisect_right(self.starts, pos)
        code = indented(self.text, self.starts, line, self.level.statement.indent)
        if not code:
            return pos
        begin, stop = self.starts[line], self.line_end(code[-1])
        self.emit("TEXT", f'"""{dedent(self.text[begin:stop])}"""', begin, stop)
        self.pending = "line"
        return stop

    def line_end(self, line: int) -> int:
        """Where a line, counted from 0, ends."""
        return self.starts[line + 1] - 1 if line + 1 < len(self.starts) else len(self.text)

    def verbatim_braces(self, pos: int) -> int:
        end = closing_brace(self.text, pos)
        if end is None:
            return pos
        self.emit("VERBATIM", dedent(self.text[pos:end]), pos, end)
        self.pending = ""
        return end
