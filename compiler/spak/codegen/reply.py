"""Takes a reply apart: device code and launch plan, every mistake at its line of the reply. Knows nothing of who wrote
it.
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from spak.errors import Collector, Span
from spak.lock.tomlspans import Path, Place, loads, place, places, syntax_error
from spak.model.plan import Launch, Plan, TensorMap, Workspace

#: Dialect -> the tags that may stand on its code block; the first is the one to write.
TAGS = {"cuda": ("cuda", "cu"), "cpp": ("cpp", "c++")}
MAX_BYTES = 1 << 20

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})([^`]*)$")
_TABLES: dict[str, type[BaseModel]] = {"workspace": Workspace, "tensor_map": TensorMap, "launch": Launch}


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its tag, the line of its opening fence, and its text with `\\n` line ends."""

    tag: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Extracted:
    """What a reply holds. `*_line` is the reply's line on which the text's first line stands."""

    kernel: str
    kernel_line: int
    plan_text: str
    plan_line: int
    plan: Plan


def extract(data: bytes, dialect: str, file: str) -> Extracted:
    """Split a reply into device code and plan. Raises SpakError with everything that is wrong with it."""
    found = Collector()
    text = _decode(data, file, found)
    blocks = list(_blocks(text, file, found))
    code = _choose(blocks, TAGS[dialect], "device code", ("SPK306", "SPK308"), file, found)
    toml = _choose(blocks, ("toml",), "launch plan", ("SPK307", "SPK309"), file, found)
    if code is None or toml is None:
        _explain_tags(blocks, dialect, code, toml, file, found)
    plan = parse_plan(toml.text, file, found, toml.line) if toml else None
    found.raise_if_any()
    assert code and toml and plan
    return Extracted(code.text, code.line + 1, toml.text, toml.line + 1, plan)


def compose(kernel: str, plan_text: str, dialect: str) -> bytes:
    """A reply that holds these two texts: the inverse of `extract`."""
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall(r"^ {0,3}(`{3,})", kernel + plan_text, re.M))])
    parts = [
        f"{fence}{TAGS[dialect][0]}",
        kernel.rstrip("\n"),
        fence,
        "",
        f"{fence}toml",
        plan_text.rstrip("\n"),
        fence,
        "",
    ]
    return "\n".join(parts).encode()


def parse_plan(text: str, file: str, found: Collector, before: int = 0) -> Plan | None:
    """Read a plan whose first line is line `before + 1` of `file`, adding to `found` what is wrong with it."""
    try:
        tree = loads(text)
    except tomllib.TOMLDecodeError as error:
        message, (line, col) = syntax_error(error, text)
        hint = "strings and expressions need quotes; a key stands once in its table"
        found.add("SPK311", f"the launch plan is not valid TOML: {message}", Span(file, before + line, col), hint)
        return None
    try:
        # Through JSON, as only there strict means "no coercion" and still takes arrays for tuples.
        return Plan.model_validate_json(json.dumps(tree, default=str), strict=True)
    except ValidationError as error:
        where = places(text)
        seen: set[tuple[Path, str]] = set()
        for one in error.errors():
            _report(one, tree, where, Span(file, before), found, seen)
        return None


def _decode(data: bytes, file: str, found: Collector) -> str:
    """The reply's text; what makes it unreadable is raised at once, as nothing after it would make sense."""
    if len(data) > MAX_BYTES:
        what = f"the reply has {len(data)} bytes; at most {MAX_BYTES} are accepted"
        found.add("SPK304", what, Span(file), "answer with the two blocks only")
        found.raise_if_any()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, col = _position(data, error.start)
        found.add(
            "SPK302", f"byte 0x{data[error.start]:02x} is not UTF-8", Span(file, line, col), "save the answer as UTF-8"
        )
        found.raise_if_any()
        raise  # not reached: the line above raises
    if (at := data.find(b"\0")) >= 0:
        line, col = _position(data, at)
        found.add("SPK303", "the reply has a NUL byte", Span(file, line, col), "give a text file as the answer")
        found.raise_if_any()
    if not text.strip():
        found.add(
            "SPK301", "the reply is empty", Span(file), "answer with two fenced blocks: device code, then the plan"
        )
        found.raise_if_any()
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _position(data: bytes, at: int) -> Place:
    return data.count(b"\n", 0, at) + 1, at - data.rfind(b"\n", 0, at)


def _blocks(text: str, file: str, found: Collector) -> Iterator[Block]:
    """Fenced blocks as CommonMark defines them: closed by the same character, at least as often, and nothing else."""
    fence, tag, opened = "", "", 0
    body: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not fence:
            if start := _FENCE.match(line):
                word = start[2].split(maxsplit=1)[:1]
                fence, tag, opened, body = start[1], "".join(word).strip("{}.").lower(), number, []
            continue
        closing = line.strip()
        if len(line) - len(line.lstrip(" ")) <= 3 and len(closing) >= len(fence) and set(closing) == {fence[0]}:
            yield Block(tag, opened, "\n".join([*body, ""]) if body else "")
            fence = ""
            continue
        body.append(line)
    if fence:
        hint = "close it with the same fence; the reply may be cut short"
        found.add("SPK305", "the block opened here is never closed", Span(file, opened, 1), hint)
        yield Block(tag, opened, "\n".join([*body, ""]))


def _choose(
    blocks: list[Block], tags: tuple[str, ...], what: str, codes: tuple[str, str], file: str, found: Collector
) -> Block | None:
    """The one block with one of the tags; several are an error at the second, none at all at the reply's end."""
    fitting = [block for block in blocks if block.tag in tags]
    if not fitting:
        hint = f"add a fenced block that opens with ```{tags[0]}"
        found.add(codes[0], f"the reply has no {what}", Span(file), hint)
        return None
    for extra in fitting[1:]:
        hint = f"the first block opens on line {fitting[0].line}; put everything into one"
        found.add(codes[1], f"the reply has {what} twice", Span(file, extra.line, 1), hint)
    if not fitting[0].text.strip():
        found.add("SPK314", f"the block of {what} is empty", Span(file, fitting[0].line, 1), "")
    return fitting[0]


def _explain_tags(
    blocks: list[Block], dialect: str, code: Block | None, toml: Block | None, file: str, found: Collector
) -> None:
    """Where a half is missing, a block with another tag is most likely it."""
    wanted = [f"`{TAGS[dialect][0]}` for the device code"] if code is None else []
    wanted += ["`toml` for the launch plan"] if toml is None else []
    for block in blocks:
        if block.tag not in (*TAGS[dialect], "toml"):
            shown = f"the tag `{block.tag}`" if block.tag else "no language tag"
            found.add("SPK310", f"this block has {shown}", Span(file, block.line, 1), "tag it " + " or ".join(wanted))


def _report(
    one: Any, tree: dict[str, Any], where: dict[Path, Place], start: Span, found: Collector, seen: set[tuple[Path, str]]
) -> None:
    """One schema error at its place. Pydantic names every member of a union that failed: those are one error."""
    path = _real(one["loc"], tree)
    extra = one["type"] == "extra_forbidden"
    kind = "missing" if one["type"] == "missing" else "extra" if extra else "value"
    if (path, kind) in seen:
        return
    seen.add((path, kind))
    line, col = place(where, path)
    span = Span(start.file, start.line + line, col)
    if extra:
        found.add("SPK312", f"unknown key `{path[-1]}`{_inside(path[:-1])}", span, _near(path))
    elif kind == "missing":
        hint = "" if path else "every plan needs at least one [[launch]]"
        found.add("SPK313", f"`{one['loc'][-1]}` is missing{_inside(path)}", span, hint)
    elif one["type"] != "too_short" or not one["input"]:  # members that failed do not count for pydantic
        found.add("SPK313", f"`{_dotted(path)}` {_must_be(one, path)}", span)


def _must_be(one: Any, path: Path) -> str:
    if path != tuple(one["loc"]):
        return "must be an integer or an expression in quotes"
    if one["type"] == "too_short":
        return "must not be empty"
    message = (
        str(one["msg"])
        .replace("valid array", "list")
        .replace("a valid integer", "an integer")
        .replace("valid ", "")
        .replace("object", "table")
    )
    return message.removesuffix(" or an instance of").replace("Input should be", "must be")


def _real(loc: tuple[str | int, ...], tree: Any) -> Path:
    """The part of an error's location that exists in the plan: beyond it come only names of union members."""
    path: Path = ()
    for part in loc:
        try:
            tree = tree[part]
        except (KeyError, IndexError, TypeError):
            break
        path += (part,)
    return path


def _near(path: Path) -> str:
    table = _TABLES.get(str(path[0]), Plan) if len(path) > 1 else Plan
    known = list(table.model_fields)
    close = difflib.get_close_matches(str(path[-1]), known, 1)
    return f"did you mean `{close[0]}`?" if close else "known keys: " + ", ".join(f"`{name}`" for name in known)


def _inside(path: Path) -> str:
    return f" in `{_dotted(path)}`" if path else ""


def _dotted(path: Path) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
