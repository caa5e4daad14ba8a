"""One open file as the compiler sees it: its tree, its diagnostics, its names and those it takes in. Knows no protocol."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from spak.errors import Collector, Diagnostic, SpakError, Span
from spak.lang import tree
from spak.lang.source import Source
from spak.lsp.parsing import UNBALANCED, Parsed, parse
from spak.lsp.symbols import Index, Symbol, index
from spak.parse.files import spec_paths
from spak.parse.load import DOMAINS, Loader
from spak.parse.programs import KERNEL
from spak.semantics.document import Document
from spak.semantics.program import Program
from spak.semantics.resolve import resolve


@dataclass
class Analysis:
    """`root` is the project folder, `name` the path of the file in it. While brackets do not match there is no tree: `before` is
    the last analysis that had one. Names are gathered when somebody asks: most keys are followed by another one.
    """

    root: Path
    name: str
    text: str
    parsed: Parsed
    diagnostics: tuple[Diagnostic, ...]
    resolved: Program | None = None
    before: Analysis | None = None
    known: dict[str, Known] = field(default_factory=dict)  # files on disk

    @property
    def program(self) -> Program | None:
        return self.resolved if self.before is None else self.before.program

    @cached_property
    def own(self) -> Index:
        """The names of this file."""
        return index(self.name, self.document.items) if self.before is None else self.before.own

    @cached_property
    def others(self) -> tuple[Index, ...]:
        """The names of the files that it takes in, and of those that they take in."""
        used = _used(self.document if self.before is None else self.before.document)
        return tuple(one for one in self.taken(used) if one.file != self.name)

    def taken(self, files: list[str]) -> tuple[Index, ...]:
        """The names of some files and of all that they take in; this one is as it is here, not as on disk."""
        found: dict[str, Index] = {}
        while files:
            file, files = files[0], files[1:]
            if file in found:
                continue
            if file == self.name:
                found[file] = self.own
            elif (read := _other(self.root, file, self.known)) is not None:
                found[file] = read.index
                files = [*files, *read.used]
        return tuple(found.values())

    @property
    def document(self) -> Document:
        return self.parsed.document

    def indexes(self) -> tuple[Index, ...]:
        return (self.own, *self.others)

    def find(self, line: int, col: int) -> tuple[Symbol | None, Span | None]:
        """What is named at a place, and the span of the name there."""
        here = Span(self.name, line, col)
        for symbol in self.own.symbols:
            if _at(symbol.span, line, col):
                return symbol, symbol.span
        for ref in self.own.refs:
            found = self.meaning(ref.name, ref.groups, here) if _at(ref.span, line, col) else None
            if found is not None:
                return found, ref.span
        return None, None

    def meaning(self, name: str, groups: frozenset[str], at: Span) -> Symbol | None:
        return meaning(self.indexes(), name, groups, at)

    def uses(self, symbol: Symbol) -> list[Span]:
        """Every place of the project where a symbol is named: its declaration and all uses."""
        found = {symbol.span, *uses(self.indexes(), symbol)}
        if symbol.within is None:
            for path in spec_paths(self.root):
                taken = self.taken([path.relative_to(self.root).as_posix()])
                if any(one.file == symbol.span.file for one in taken):
                    found |= uses(taken, symbol)
        return sorted(found)


@dataclass(frozen=True)
class Known:
    """The names of a file on disk, and what it takes in; `when` is its stat."""

    when: tuple[int, int]
    index: Index
    used: tuple[str, ...]


def meaning(indexes: Iterable[Index], name: str, groups: frozenset[str], at: Span) -> Symbol | None:
    """What a name means, looked for in one file after another."""
    return next((symbol for one in indexes if (symbol := one.visible(name, groups, at)) is not None), None)


def uses(indexes: tuple[Index, ...], symbol: Symbol) -> set[Span]:
    """The places in a file, and in what it takes in, that mean a symbol."""
    found: set[Span] = set()
    for one in indexes:
        for ref in one.refs:
            if ref.name == symbol.name and symbol.group in ref.groups:
                target = meaning((one, *indexes), ref.name, ref.groups, ref.span)
                found |= {ref.span} if target == symbol else set()
    return found


def _at(span: Span, line: int, col: int) -> bool:
    return span.line == line and span.col <= col <= span.end_col


def analyse(root: Path, name: str, text: str, last: Analysis | None = None) -> Analysis:
    """Read a text that stands in for the file `name` of a project."""
    source = Source(name, text)
    last = last if last is not None and last.name == name else None
    good = last if last is None or last.before is None else last.before
    parsed = parse(source, good.parsed if good is not None else None)
    balanced = not any(d.code in UNBALANCED for d in parsed.found)
    found = Collector(list(parsed.found))
    program: Program | None = None
    try:
        if _is_unit(name, text):
            _Open(root, name, parsed, found).load()
        else:
            program = resolve(parsed.document, found, root)
    except SpakError as error:
        found.found.extend(error.diagnostics)
    diagnostics = tuple(sorted(dict.fromkeys(found.found), key=lambda d: (d.span or Span(""), d.code)))
    before = None if balanced or parsed.document.items else good
    return Analysis(root, name, text, parsed, diagnostics, program, before, good.known if good is not None else {})


def _is_unit(name: str, text: str) -> bool:
    """Whether a text is the spec of a kernel: these are read as units, with their tests."""
    folder, _, _ = name.rpartition("/")
    return folder.startswith("specs/") and folder != DOMAINS and bool(KERNEL.search(text))


class _Open(Loader):
    """A unit whose spec is in memory; everything else of it is read from its folder."""

    def __init__(self, root: Path, name: str, parsed: Parsed, found: Collector) -> None:
        super().__init__(root, name.rpartition("/")[0], DOMAINS, "", found, set())
        self.parsed = parsed

    def document(self) -> Document | None:
        self.files.append(self.parsed.document.file)
        return self.parsed.document


def _used(document: Document) -> list[str]:
    """The files that a document takes in by `use` and `import`."""
    here = posixpath.dirname(document.file)
    return [
        f"{DOMAINS}/{item.name}.dsl" if item.kind == "use" else posixpath.normpath(posixpath.join(here, item.name))
        for item in document.items
        if isinstance(item, tree.Block) and item.kind in {"use", "import"} and item.name
    ]


def _other(root: Path, file: str, known: dict[str, Known]) -> Known | None:
    """The names of a file on disk; what has not changed since is not read again."""
    try:
        stat = (root / file).stat()
        when = (stat.st_mtime_ns, stat.st_size)
        if file in known and known[file].when == when:
            return known[file]
        text = (root / file).read_text(encoding="utf-8-sig")
    except (OSError, ValueError):
        return None
    document = parse(Source(file, text)).document
    known[file] = Known(when, index(file, document.items), tuple(_used(document)))
    return known[file]
