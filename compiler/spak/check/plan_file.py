"""Read a `plan.toml` and remember where everything stands. Knows TOML and the plan's shape, not whether a plan is
right.

`tomllib` reads values but drops positions, and position-keeping TOML libraries would be a dependency for the sake of
one column number; a scan of headers, keys and array elements gives the same for the subset that plans are written in.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

from spak.errors import Diagnostic, Span
from spak.lock.tomlspans import loads
from spak.lock.tuned import InForce
from spak.model.plan import Launch, Plan, TensorMap, Workspace

Path = tuple[str | int, ...]

_HEADER = re.compile(r"[ \t]*(\[\[?)[ \t]*([^\]\n]+?)[ \t]*\]\]?")
_KEY = re.compile(r"[ \t]*((?:[\w-]+|\"[^\"\n]*\"|'[^'\n]*')(?:[ \t]*\.[ \t]*(?:[\w-]+|\"[^\"\n]*\"))*)[ \t]*=[ \t]*")
_ATOM = re.compile(
    r"\"\"\".*?\"\"\"|'''.*?'''|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'|#[^\n]*|[\[\]{},\n]|[^\s\[\]{},#\"']+|[ \t\r]+|.",
    re.DOTALL,
)

_MODELS: dict[str, type[BaseModel]] = {"launch": Launch, "workspace": Workspace, "tensor_map": TensorMap}


@dataclass(frozen=True)
class PlanFile:
    """A plan and its places. `plan` is None when it is not one; `findings` then say why."""

    path: str
    text: str
    plan: Plan | None
    findings: tuple[Diagnostic, ...] = ()
    places: dict[Path, Span] = field(default_factory=dict)

    def span(self, *path: str | int) -> Span:
        """Where a value stands, or the nearest thing round it that has a place."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Span(self.path))

    def inside(self, *path: str | int) -> Span:
        """As `span`, but of the text inside a quoted string, for diagnostics about an expression."""
        place = self.span(*path)
        lines = self.text.split("\n")
        quoted = place.line <= len(lines) and lines[place.line - 1][place.col - 1 : place.col] in ('"', "'")
        return Span(place.file, place.line, place.col + quoted, place.end_line, place.end_col)


def read_plan(path: str, text: str) -> PlanFile:
    """Parse and validate; everything wrong with the shape is found at once."""
    try:
        data = loads(text)
    except tomllib.TOMLDecodeError as error:
        return PlanFile(path, text, None, (_syntax(path, text, error),))
    places = dict(_places(path, text))
    try:
        plan = Plan.model_validate(data)
    except ValidationError as error:
        file = PlanFile(path, text, None, (), places)
        return PlanFile(path, text, None, tuple(_schema(file, data, error)), places)
    file = PlanFile(path, text, plan, (), places)
    lenient = tuple(_not_integers(file, data))  # pydantic reads "64" as 64; a plan says what it means
    return PlanFile(path, text, None, lenient, places) if lenient else file


def tune(file: PlanFile, tuned: InForce) -> PlanFile:
    """The file with tuned parameters in the place of its own, each at its own place."""
    if file.plan is None or not tuned.params:
        return file
    own: dict[Path, Span] = {("params", name): span for name, span in tuned.spans.items()}
    places = {**file.places, **own}
    return replace(file, plan=tuned.apply(file.plan), places=places)


def _syntax(path: str, text: str, error: tomllib.TOMLDecodeError) -> Diagnostic:
    match = re.search(r"^(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)$", str(error))
    if not match:
        return Diagnostic("SPK450", f"not valid TOML: {error}", Span(path))
    lines = text.split("\n")
    line, column = (int(match[2]), int(match[3])) if match[2] else (len(lines), len(lines[-1]) + 1)
    hint = 'expressions are strings: grid = ["cdiv(N, 256)"]'
    return Diagnostic("SPK450", f"not valid TOML: {match[1]}", Span(path, line, column), hint)


def _not_integers(file: PlanFile, data: dict[str, Any]) -> Iterator[Diagnostic]:
    values: list[tuple[Path, Any]] = [(("params", name), value) for name, value in data.get("params", {}).items()]
    for at, launch in enumerate(data["launch"]):
        values += [(("launch", at, "cluster", i), value) for i, value in enumerate(launch.get("cluster", ()))]
    for path, value in values:
        if isinstance(value, bool) or not isinstance(value, int):
            what = ".".join(str(part) for part in path)
            yield Diagnostic("SPK451", f"{what}: must be an integer", file.span(*path), _shape_hint(path))


def _schema(file: PlanFile, data: dict[str, Any], error: ValidationError) -> Iterator[Diagnostic]:
    seen: set[tuple[Span, str]] = set()
    for item in error.errors():
        place = _place(item["loc"])
        if item["type"] == "too_short" and data.get(str(place[0])):
            continue  # pydantic's echo of an element that it has just complained about
        if item["type"] == "extra_forbidden":
            yield _unknown_key(file, place)
            continue
        span = file.span(*place)
        what = ".".join(f"[{part}]" if isinstance(part, int) else str(part) for part in place).replace(".[", "[")
        if (span, what) in seen:  # a union reports one error for each of its members
            continue
        seen.add((span, what))
        if item["type"] == "missing":
            owner = ".".join(str(part) for part in place[:-1] if isinstance(part, str)) or "the plan"
            hint = (
                "a plan launches at least one kernel: [[launch]] kernel = ..., args = [...]" if what == "launch" else ""
            )
            yield Diagnostic("SPK451", f"{owner} has no {place[-1]!r}", span, hint)
            continue
        yield Diagnostic("SPK451", f"{what}: {_expected(place, item)}", span, _shape_hint(place))


def _place(loc: tuple[str | int, ...]) -> Path:
    """Pydantic's location without the tags it adds for the members of a union."""
    return tuple(part for part in loc if part not in ("int", "str", "float", "bool") or len(loc) < 3)


def _expected(place: Path, item: Any) -> str:
    names = {"launch": "kernel launches", "workspace": "buffers", "tensor_map": "tensor maps"}
    if len(place) == 1 and place[0] in names and item["type"] in ("tuple_type", "list_type"):
        return f"must be a list of {names[str(place[0])]}, written [[{place[0]}]]"
    if (
        item["type"] in ("int_type", "int_from_float", "string_type")
        and place[0] in ("launch", "workspace", "tensor_map")
        and len(place) > 3
    ):
        return "must be an integer or an expression in a string"
    plain = {
        "tuple_type": "must be a list",
        "string_type": "must be a string",
        "int_type": "must be an integer",
        "too_short": "is empty",
    }
    return plain.get(item["type"], str(item["msg"][0].lower() + item["msg"][1:]))


def _shape_hint(place: Path) -> str:
    if place[0] == "params":
        return "[params] are integers, visible to the device code as constants"
    if place[-1] in ("grid", "block", "cluster", "args", "shape", "box"):
        return (
            f'{place[-1]} is a list, e.g. {place[-1]} = ["cdiv(N, 256)", 1, 1]'
            if place[-1] != "args"
            else 'args = ["a", "N"]'
        )
    return ""


def _unknown_key(file: PlanFile, place: Path) -> Diagnostic:
    model = _MODELS.get(str(place[0])) if len(place) > 1 else Plan
    fields = sorted(model.model_fields) if model else []
    owner = f"[[{place[0]}]]" if len(place) > 1 else "a plan"
    near = get_close_matches(str(place[-1]), fields, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(fields)}"
    key = file.places.get((*place, "#key")) or file.span(*place)
    return Diagnostic("SPK451", f"{owner} has no key {str(place[-1])!r}", key, hint)


def _places(path: str, text: str) -> Iterator[tuple[Path, Span]]:
    """(path, span) of every table, key (path + "#key"), value and array element. `text` is valid TOML."""
    counts: dict[Path, int] = {}
    table: Path = ()
    at = 0
    while at < len(text):
        if header := _HEADER.match(text, at):
            name: Path = tuple(_unquote(part) for part in header[2].split("."))
            if header[1] == "[[":
                counts[name] = counts.get(name, -1) + 1
                table = (*name, counts[name])
                yield name, _span(path, text, header.start(1), header.end())
            else:
                table = name
            yield table, _span(path, text, header.start(1), header.end())
            at = header.end()
        elif key := _KEY.match(text, at):
            full = (*table, *(_unquote(part) for part in key[1].split(".")))
            yield (*full, "#key"), _span(path, text, key.start(1), key.end(1))
            at = key.end()
            values, at = _value(path, text, at, full)
            yield from values
        newline = text.find("\n", at)
        at = len(text) if newline < 0 else newline + 1


def _value(path: str, text: str, at: int, full: Path) -> tuple[list[tuple[Path, Span]], int]:
    """The places of a value and, for an array, of its elements; and where the value ends."""
    found: list[tuple[Path, Span]] = []
    depth, index, start = 0, 0, at
    element = -1
    while match := _ATOM.match(text, at):
        atom = match.group()
        if not depth and (atom == "\n" or atom.startswith("#")):
            break
        at = match.end()
        if atom in "[{":
            if depth == 1 and element < 0:
                element = match.start()
            depth += 1
        elif depth == 1 and atom in (",", "]", "}"):
            if element >= 0:
                found.append(((*full, index), _span(path, text, element, match.start())))
            index, element = index + 1, -1
            depth -= atom != ","
        elif atom in "]}":
            depth -= 1
        elif depth == 1 and element < 0 and not atom.isspace() and not atom.startswith("#"):
            element = match.start()
    found.insert(0, (full, _span(path, text, start, at)))
    return found, at


def _span(path: str, text: str, start: int, end: int) -> Span:
    line, begin = text.count("\n", 0, start) + 1, text.rfind("\n", 0, start)
    last = text.rstrip()[:end].rstrip() if end > start else ""
    end = max(start, min(end, len(last))) if last else end
    return Span(path, line, start - begin, text.count("\n", 0, end) + 1, end - text.rfind("\n", 0, end))


def _unquote(part: str) -> str:
    return part.strip().strip("\"'")
