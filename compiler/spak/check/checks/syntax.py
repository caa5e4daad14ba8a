"""The device code parses, and every kernel that the plan launches is defined once, in the right form. Knows no
parameter.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from spak.check.source import Function, text_of, walk
from spak.check.subject import Finding, Subject
from spak.errors import Diagnostic, Span

NAME = "syntax"
NEEDS = frozenset({"text"})

_MOST = 20  # one missing brace makes the parser complain about everything after it


def check(subject: Subject) -> Iterable[Finding]:
    """Raises nothing: every finding is a diagnostic in the source."""
    source = subject.source
    if source.root.has_error:
        yield from _errors(subject)
        return
    if subject.file.plan is None:
        return
    kernels = dict.fromkeys((launch.kernel, index) for index, launch in enumerate(subject.plan.launch))
    seen: set[str] = set()
    for name, index in kernels:
        if name in seen:
            continue
        seen.add(name)
        found = source.entries(name)
        if not found:
            names = sorted(f.name for f in source.functions if f.extern_c)
            near = get_close_matches(name, names, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"the source defines: {', '.join(names) or 'no kernel'}"
            yield Diagnostic(
                "SPK402", f"kernel {name!r} is not in the source", subject.file.inside("launch", index, "kernel"), hint
            )
        for again in found[1:]:
            place = source.at(again.line, again.col, len(name))
            yield Diagnostic("SPK403", f"{name!r} is defined a second time", place, f"first on line {found[0].line}")
        if found:
            yield from _form(subject, found[0])


def _errors(subject: Subject) -> Iterable[Diagnostic]:
    count = 0
    last_line = -1
    for node in walk(subject.source.root):
        if not (node.is_error or node.is_missing):
            continue
        span = subject.source.span(node)
        if span.line == last_line or count == _MOST:
            continue
        last_line, count = span.line, count + 1
        if node.is_missing:
            yield Diagnostic("SPK401", f"{node.type!r} is missing", _end_of_text_before(subject, node.start_byte))
        else:
            quoted = " ".join(text_of(node).split())
            yield Diagnostic(
                "SPK401",
                f"cannot parse {quoted[:60]!r}{'...' if len(quoted) > 60 else ''}",
                span,
                "a bracket or a semicolon may be missing just before",
            )


def _end_of_text_before(subject: Subject, offset: int) -> Span:
    """What is missing belongs after what stands before it, not before what comes next, which may be lines below."""
    before = subject.source.blanked[:offset].rstrip()
    line_start = before.rfind(b"\n") + 1
    return subject.source.at(before.count(b"\n") + 1, len(before[line_start:].decode(errors="replace")) + 1)


def _form(subject: Subject, function: Function) -> Iterable[Diagnostic]:
    source = subject.source
    cuda = source.dialect == "cuda"
    wanted = f'extern "C" {"__global__ " if cuda else ""}void {function.name}(...)'
    place = source.at(function.line, function.col, len(function.name))
    if not function.extern_c:
        yield Diagnostic("SPK404", f'kernel {function.name!r} is not extern "C"', place, f"write {wanted}")
    if cuda and "__global__" not in function.markers:
        yield Diagnostic("SPK405", f"kernel {function.name!r} is not __global__", place, f"write {wanted}")
    if function.returns != "void":
        yield Diagnostic(
            "SPK405",
            f"kernel {function.name!r} returns {function.returns or 'nothing known'}",
            place,
            f"write {wanted}",
        )
    for marker in sorted({"template", "static", "inline"} & function.markers):
        hint = f"write {wanted}; a __device__ function may be {marker}"
        yield Diagnostic("SPK405", f"kernel {function.name!r} is {marker}, so the launcher cannot name it", place, hint)
