"""Diagnostics: what went wrong, where, and what to do. Knows nothing of who reports it or how it is shown.

A *failure* (a kernel that does not compile, a reply that breaks the rules) is a value: a `Diagnostic` inside an
outcome. An *error* (a missing compiler, a read-only tree, a malformed spec) is a `SpakError` that carries them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from spak.errors.plain import plain


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a source file. Lines and columns count from 1; `end_*` is one past the last character."""

    file: str
    line: int = 1
    col: int = 1
    end_line: int = 0
    end_col: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.col}"


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that a diagnostic leads to, and what is there: the other side of a race, the line of a spec.

    `subject` names what a unit's spec states there: `/signature/params/x`, `/variants/tiled`. Such a place is looked up when the
    diagnostic is shown, as text moves within a spec while a result stands; what is recorded has the name alone.
    """

    what: str
    span: Span | None = None
    subject: str = ""

    def __str__(self) -> str:
        return f"{self.span}: {self.what}" if self.span else self.what

    def to_json(self) -> dict[str, Any]:
        return {"what": self.what, "span": _span_data(self.span), "subject": self.subject}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Related:
        return cls(data["what"], _span_of(data.get("span")), data.get("subject", ""))


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding, printed as `file:line:col: SPKnnn: what. hint: what to do`.

    `code` is a stable key of the catalogue in `errors/codes/*.toml`; `related` and `notes` are further lines, shown indented.
    """

    code: str
    message: str
    span: Span | None = None
    hint: str = ""
    notes: tuple[str, ...] = ()
    severity: str = "error"  # "error" | "warning"
    related: tuple[Related, ...] = ()

    def __str__(self) -> str:
        place = f"{self.span}: " if self.span else ""
        kind = "warning: " if self.severity == "warning" else ""
        what = self.message if self.message.endswith((".", "?", "!")) else self.message + "."
        hint = f" hint: {self.hint}" if self.hint else ""
        return plain("\n    ".join([f"{place}{self.code}: {kind}{what}{hint}", *map(str, self.related), *self.notes]))

    def to_json(self) -> dict[str, Any]:
        """The plain form used in evidence, NDJSON events and `--json`; `from_json` reads it back."""
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "notes": list(self.notes),
            "severity": self.severity,
            "span": _span_data(self.span),
            "related": [one.to_json() for one in self.related],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Diagnostic:
        return cls(
            code=data["code"],
            message=data["message"],
            span=_span_of(data.get("span")),
            hint=data.get("hint", ""),
            notes=tuple(data.get("notes", ())),
            severity=data.get("severity", "error"),
            related=tuple(Related.from_json(one) for one in data.get("related", ())),
        )


def _span_data(span: Span | None) -> list[Any] | None:
    return [span.file, span.line, span.col, span.end_line, span.end_col] if span else None


def _span_of(data: list[Any] | None) -> Span | None:
    return Span(*data) if data else None


class SpakError(Exception):
    """One or more diagnostics that stop the work at hand. `exit_code` is what the command line returns."""

    exit_code = 1

    def __init__(self, *diagnostics: Diagnostic) -> None:
        self.diagnostics = diagnostics
        super().__init__("\n".join(str(d) for d in diagnostics))


class Waiting(SpakError):
    """The work waits for an answer or an approval from outside: exit code 3, and nothing is wrong."""

    exit_code = 3


@dataclass(slots=True)
class Collector:
    """Gathers every diagnostic of a stage, so that all that is wrong is reported at once."""

    found: list[Diagnostic] = field(default_factory=list)

    def add(self, code: str, message: str, span: Span | None = None, hint: str = "", *notes: str) -> None:
        """Record an error."""
        self.found.append(Diagnostic(code, message, span, hint, notes))

    def warn(self, code: str, message: str, span: Span | None = None, hint: str = "", *notes: str) -> None:
        """Record a warning."""
        self.found.append(Diagnostic(code, message, span, hint, notes, "warning"))

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(d for d in self.found if d.severity == "error")

    def raise_if_any(self) -> None:
        """Raise one SpakError with everything found, in source order, if there is an error among it."""
        if self.errors:
            raise SpakError(*sorted(self.errors, key=lambda d: (d.span or Span(""), d.code)))
