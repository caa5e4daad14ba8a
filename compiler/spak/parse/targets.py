"""`targets/<name>.toml` with errors that point into the file. Knows the schema, not toolchains."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from spak.errors import Collector, Diagnostic, SpakError, Span
from spak.lang.source import decode
from spak.model.target import Limits, Target, Toolchain
from spak.semantics.suggest import near

TABLES = {"toolchain": Toolchain.model_fields, "limits": Limits.model_fields, "": Target.model_fields}
TOML_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)")


def load_target(path: Path, shown: str = "") -> Target:
    """Read a target. `shown` is its path in messages, `targets/<file>`. Raises SpakError with all errors."""
    name = shown or f"{path.parent.name}/{path.name}"
    found = Collector()
    try:
        source = decode(path.read_bytes(), name, found)
    except OSError as error:
        raise SpakError(
            Diagnostic("SPK110", f"the target cannot be read: {error.strerror}", Span(name), "check its name")
        ) from None
    if source is None:
        raise SpakError(*found.errors)
    try:
        data = tomllib.loads(source.text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SpakError(toml_error(str(error), name, source.text)) from None
    if "name" in data:
        place = locate(source.text, ("name",), name)
        raise SpakError(Diagnostic("SPK219", "a target is called as its file is", place, "remove `name`"))
    try:
        return Target.model_validate({"name": path.stem, **data})
    except ValidationError as error:
        wrong = [explain(e, source.text, name) for e in error.errors()]
        raise SpakError(*sorted(wrong, key=lambda d: (d.span or Span(""), d.code))) from None


def toml_error(message: str, name: str, text: str) -> Diagnostic:
    match = TOML_PLACE.search(message)
    end = max(1, len(text.rstrip("\n").split("\n")))
    span = Span(name, int(match[1]), int(match[2])) if match else Span(name, end)
    return Diagnostic(
        "SPK219",
        f"not valid TOML: {message.split(' (at')[0][:1].lower()}{message.split(' (at')[0][1:]}",
        span,
        "see toml.io",
    )


def explain(error: Any, text: str, name: str) -> Diagnostic:
    """One pydantic error as a diagnostic at its key, or at the table that should have the key."""
    path = tuple(str(part) for part in error["loc"] if not isinstance(part, int))
    table = path[0] if len(path) > 1 else ""
    fields = [key for key in TABLES.get(table, Target.model_fields) if key != "name"]
    where = f"[{table}]" if table else "a target"
    if error["type"] == "extra_forbidden":
        return Diagnostic(
            "SPK201", f"{where} has no key {path[-1]!r}", locate(text, path, name), near(path[-1], fields, "keys")
        )
    if error["type"] == "missing" and isinstance(error["loc"][-1], int):
        return Diagnostic(
            "SPK219",
            f"{'.'.join(path)} is too short",
            locate(text, path, name),
            "block and grid limits have three numbers",
        )
    if error["type"] == "missing":
        engine = "add a table [toolchain] with its engine" if path[-1] == "toolchain" else f'add `{path[-1]} = "..."`'
        return Diagnostic("SPK206", f"{where} has no {path[-1]!r}", locate(text, path[:-1], name), engine)
    said = error["msg"][:1].lower() + error["msg"][1:]
    hint = (
        near(str(error.get("input")), [w.strip("' ") for w in re.findall(r"'[^']*'", error["msg"])])
        if error["type"] == "literal_error"
        else ""
    )
    return Diagnostic(
        "SPK219", f"{'.'.join(path)}: {said}", locate(text, path, name), hint or "see targets/cpu.toml for an example"
    )


def locate(text: str, path: tuple[str, ...], name: str) -> Span:
    """The line of a key inside its table; the table's own line, or the file's first, when there is none."""
    table, key = (path[0], path[-1]) if len(path) > 1 else ("", path[0] if path else "")
    here, fallback = "", Span(name, 1, 1)
    for number, line in enumerate(text.split("\n"), 1):
        header = re.match(r"\s*\[+\s*([\w.\"-]+)\s*\]+", line)
        if header:
            here = header[1].strip('"')
            if here == (table or key):
                fallback = Span(name, number, 1)
                if not table:
                    return fallback
            continue
        assignment = re.match(r"(\s*)\"?([\w.-]+)\"?\s*=", line)
        if assignment and here == table and assignment[2] == key:
            return Span(name, number, len(assignment[1]) + 1)
    return fallback
