"""What the fuzzers run: any bytes are read to a tree, printed, formatted, and resolved, and end in diagnostics or a result."""

from __future__ import annotations

from spak.errors import Collector, SpakError
from spak.lang.printer import print_file
from spak.lang.source import decode
from spak.lang.syntax import parse_text
from spak.parse.format import format_text
from spak.semantics.resolve import resolve_text


def words(comments: tuple[object, ...]) -> list[str]:
    return [" ".join(str(getattr(comment, "text", "")).split()) for comment in comments]


def one(data: bytes, name: str = "f.dsl") -> None:
    """Raise for anything but a diagnostic: a crash, a lost comment, a text that does not survive printing."""
    found = Collector()
    source = decode(data, name, found)
    if source is None:
        assert found.errors
        return
    text(source.text, name)


def text(value: str, name: str = "f.dsl") -> None:
    """As `one`, for what is already text, lone surrogates included."""
    found = Collector()
    file = parse_text(value, name, found)
    lines = value.count("\n") + 1
    for diagnostic in found.found:
        assert diagnostic.code.startswith("SPK1")
        assert diagnostic.hint or diagnostic.severity == "warning", diagnostic
        assert diagnostic.span is None or 1 <= diagnostic.span.line <= lines
        str(diagnostic)
    if not found.errors:
        again = parse_text(print_file(file), name, found)
        assert not found.errors, [str(d) for d in found.errors]
        assert again == file
        assert words(again.comments) == words(file.comments)
        assert print_file(again) == print_file(file)
    for use in (lambda: format_text(value, name), lambda: resolve_text(value, name, Collector())):
        try:
            use()
        except SpakError as error:
            assert all(d.code != "SPK114" for d in error.diagnostics), "formatting would have lost something"
