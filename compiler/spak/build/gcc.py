"""The host compiler: whether it is there and new enough, who it is, and what its messages mean. Knows no kernel."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from spak.effects import Do
from spak.errors import Diagnostic, SpakError, Span

OLDEST = 11  # the first with what the headers use of C++20

_MESSAGE = re.compile(
    r"^(?P<file>[^\s:][^:\n]*):(?P<line>\d+):(?:(?P<col>\d+):)? (?P<kind>fatal error|error|warning): (?P<text>.*)$"
)
_OPTION = re.compile(r" \[-W[\w=+-]+\]$")
_LINK = re.compile(r"(?P<text>undefined reference to .*|multiple definition of .*)$")
MOST = 20  # messages of one compile that are worth showing


def find(compiler: str, do: Do) -> tuple[str, str]:
    """The path and version of $CXX, else of the target's compiler. Raises SpakError (SPK501, SPK502) when it is missing or too
    old."""
    compiler = os.environ.get("CXX") or compiler
    path = shutil.which(compiler)
    if path is None:
        hint = "install it (Debian: apt install g++; Fedora: dnf install gcc-c++), or name another under [toolchain] compiler"
        raise SpakError(Diagnostic("SPK501", f"the compiler {compiler!r} is not on the PATH", None, hint))
    said = do.run([path, "-dumpfullversion", "-dumpversion"])
    version = said.stdout.decode(errors="replace").strip()
    if not said.ok or not version.split(".")[0].isdigit():
        why = said.stderr.decode(errors="replace").strip().splitlines()
        message = f"{compiler!r} does not say its version: {why[-1] if why else said.how}"
        raise SpakError(Diagnostic("SPK502", message, None, f"g++ {OLDEST} or later is needed"))
    if int(version.split(".")[0]) < OLDEST:
        message = f"{compiler!r} is version {version}"
        raise SpakError(Diagnostic("SPK502", message, None, f"g++ {OLDEST} or later is needed"))
    return path, version


def messages(log: str, name: str, path: str) -> tuple[Diagnostic, ...]:
    """Errors and warnings of a compile, once each; those in `name`, the model's own file, are placed in `path`.

    What lies in a header is reported there, by the header's own name; the first errors are the ones that matter.
    """
    found = list(dict.fromkeys([*_compile_messages(log, name, path), *_link_messages(log, path)]))
    errors = [d for d in found if d.severity == "error"]
    warnings = [d for d in found if d.severity != "error"]
    if len(errors) > MOST:
        rest = Diagnostic("SPK503", f"{len(errors) - MOST} more errors of the compiler", Span(path))
        errors = [*errors[:MOST], rest]
    return (*errors, *warnings[:MOST])


def _compile_messages(log: str, name: str, path: str) -> Iterable[Diagnostic]:
    for line in log.splitlines():
        match = _MESSAGE.match(line)
        if match is None:
            continue
        own = match["file"] == name
        place = Span(path if own else Path(match["file"]).name, int(match["line"]), int(match["col"] or 1))
        text = _OPTION.sub("", match["text"])
        if match["kind"] == "warning":
            if own:
                yield Diagnostic("SPK504", f"compiler: {text}", place, severity="warning")
            continue
        note = () if own else (f"in a header, while compiling {path}",)
        yield Diagnostic("SPK503", f"compiler: {text}", place, notes=note)


def _link_messages(log: str, path: str) -> Iterable[Diagnostic]:
    for line in log.splitlines():
        if match := _LINK.search(line):
            yield Diagnostic(
                "SPK505", f"linker: {match['text']}", Span(path), "device code must define every function that it calls"
            )
