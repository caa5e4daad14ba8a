"""An `asm` statement of CUDA source as data: its PTX, instruction by instruction, and its operands. Knows no instruction."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field

from spak.sim.tokens import Token
from spak.sim.work import Work

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_CONSTRAINT = re.compile(r"^[=+]?&?(?P<kind>[rlhfdnqCi])$")
_PIECE = re.compile(
    r"\s*(?:(?P<brace>[{}])|(?P<label>[A-Za-z_$%][\w$%=]*)\s*:(?!:)|(?P<instruction>[^;{}]*?(?:\{[^{}]*\}[^;{}]*?)*);)"
)
_BITS = {"r": 32, "l": 64, "h": 16, "f": 32, "d": 64, "n": 0, "i": 0}


@dataclass(frozen=True, slots=True)
class Operand:
    """`bits` 0 is a constant. `text` is the C++ expression that it is bound to."""

    name: str
    text: str
    bits: int
    read: bool
    written: bool
    floating: bool = False


@dataclass(frozen=True, slots=True)
class Instruction:
    """`op` as written, without its predicate; `guard` is "p", "!p" or ""; `at` an offset into the template."""

    op: str
    operands: tuple[str, ...]
    guard: str
    at: int

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.op.split("."))


@dataclass(slots=True)
class Statement:
    """`lines` holds instructions and labels in order; `registers` the declared ones with their bits, 1 for a predicate."""

    operands: list[Operand] = field(default_factory=list)
    lines: list[Instruction | str] = field(default_factory=list)
    registers: dict[str, int] = field(default_factory=dict)
    text: str = ""
    places: list[tuple[int, Token]] = field(default_factory=list)  # where each literal begins in `text`

    def token(self, at: int) -> Token:
        """The string literal that an offset into the template lies in."""
        return next((token for begin, token in reversed(self.places) if begin <= at), self.places[0][1])


class Unreadable(Exception):
    """What is wrong, and the offset into the template (-1: the statement as a whole)."""

    def __init__(self, what: str, at: int = -1) -> None:
        self.what, self.at = what, at
        super().__init__(what)


def read(out: Statement, work: Work, opening: int, closing: int) -> None:
    """Fill `out` with the statement between two parentheses. Raises Unreadable."""
    sections = _split(work, opening + 1, closing, (":",))
    begin, end = sections[0]
    for j in range(begin, end):
        token = work.code[j]
        literal = token.text if token.kind == "string" else work.context.strings.get(token.text)
        if not literal:
            raise Unreadable("the text of an asm statement is not a plain string")
        out.places.append((len(out.text), token))
        out.text += _decoded(literal)
    if not out.places:
        raise Unreadable("an asm statement without text")
    for number, (begin, end) in enumerate(sections[1:3]):
        for first, last in _split(work, begin, end, (",",)):
            if last > first:
                out.operands.append(_operand(work, first, last, written=number == 0))
    extended = len(sections) > 1
    _instructions(out, _COMMENT.sub(lambda m: " " * len(m[0]), out.text), extended)


def _split(work: Work, begin: int, end: int, separators: tuple[str, ...]) -> list[tuple[int, int]]:
    """Runs of tokens between separators outside brackets; `::` is two empty sections between."""
    out, first, j = [], begin, begin
    while j < end:
        text = work.at(j)
        if text in ("(", "[", "{"):
            j = work.closing(j) + 1
            continue
        if text in separators or (text == "::" and ":" in separators):
            out.append((first, j))
            if text == "::":
                out.append((j, j))
            first = j + 1
        j += 1
    return [*out, (first, end)]


def _decoded(literal: str) -> str:
    raw = re.fullmatch(r'R"([^(]*)\((.*)\)\1"', literal, re.DOTALL)
    if raw:
        return raw[2]
    return str(ast.literal_eval(literal.replace("\\\n", "").replace("\\$", "$")))


def _operand(work: Work, first: int, last: int, written: bool) -> Operand:
    """`[name] "=r"(expression)`."""
    name = ""
    if work.at(first) == "[":
        name = work.at(first + 1)
        first = work.closing(first) + 1
    constraint = _decoded(work.at(first)) if work.code[first].kind == "string" else ""
    match = _CONSTRAINT.match(constraint.strip())
    if match is None or match["kind"] not in _BITS or work.at(first + 1) != "(":
        raise Unreadable(f"an operand with the constraint {work.at(first)} cannot be followed")
    text = work.text(first + 2, work.closing(first + 1))
    read = not written or constraint.strip().startswith("+")
    return Operand(name, text, _BITS[match["kind"]], read, written, match["kind"] in "fd")


def _instructions(out: Statement, text: str, extended: bool) -> None:
    """Fill `lines` and `registers`."""
    names = {f"%[{operand.name}]": f"%{i}" for i, operand in enumerate(out.operands) if operand.name}
    at = 0
    while text[at:].strip():
        match = _PIECE.match(text, at)
        if match is None:
            match = re.compile(r"\s*(?P<instruction>[^;]+)").match(text, at)  # the last one may lack its `;`
            assert match is not None
        start = at + len(match[0]) - len(match[0].lstrip())
        found = match.groupdict()
        if found.get("label"):
            out.lines.append(_plain(found["label"]))
        elif found.get("instruction", "") and found["instruction"].strip():
            said = found["instruction"].strip()
            for name, number in names.items():
                said = said.replace(name, number)
            said = said.replace("%=", "_").replace("%%", "\0") if extended else said.replace("%", "\0")
            if said.startswith(".reg"):
                _register(out, said, start)
            elif not said.startswith((".pragma", ".loc")):
                out.lines.append(_instruction(said, start))
        at = match.end()


def _register(out: Statement, said: str, at: int) -> None:
    match = re.fullmatch(r"\.reg\s+\.(?P<type>\w+)\s+(?P<names>.*)", said, re.DOTALL)
    if match is None or match["type"][-3:] == "128":
        raise Unreadable(f"`{said}` cannot be followed", at)
    digits = re.sub(r"\D", "", match["type"].replace("x2", ""))
    bits = 1 if match["type"] == "pred" else int(digits or 0) * (2 if match["type"].endswith("x2") else 1)
    for name in (part.strip() for part in match["names"].split(",")):
        many = re.fullmatch(r"(\S+)<(\d+)>", name)
        for one in [f"{many[1]}{i}" for i in range(int(many[2]))] if many else [name]:
            out.registers[_plain(one)] = bits


def _instruction(said: str, at: int) -> Instruction:
    match = re.match(r"(?:@(?P<guard>!?\s*[^\s]+)\s+)?(?P<op>[A-Za-z][\w.:]*)\s*(?P<rest>.*)$", said, re.DOTALL)
    if match is None:
        raise Unreadable(f"`{said}` is no instruction", at)
    operands, depth, part = [], 0, ""
    for character in match["rest"] + ",":
        depth += (character in "[{(") - (character in "]})")
        if character == "," and depth == 0:
            operands.append(" ".join(part.split()))
            part = ""
        else:
            part += character
    guard = re.sub(r"\s", "", match["guard"] or "")
    return Instruction(match["op"], tuple(o for o in operands if o), guard, at)


def _plain(name: str) -> str:
    """A register's or label's name without what C++ does not take; `\\0` marks a PTX register's percent sign."""
    return re.sub(r"[%\0$]", "", name.replace("%=", "_"))
