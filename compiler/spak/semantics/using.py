"""What a file takes in: `use NAME` and `import "file"`, followed to the end. Knows where files lie, not what they say."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from spak.errors import Collector
from spak.lang import tree
from spak.semantics.document import Document, read_document
from spak.semantics.suggest import near

DOMAINS = "specs/domains"


@dataclass
class Follower:
    """Reads each file once. Cycles, missing files and files outside the project are errors in `found`."""

    root: Path
    found: Collector
    domains: str = DOMAINS
    files: list[str] = field(default_factory=list)  # in the order in which they were read
    done: set[str] = field(default_factory=set)

    def follow(self, document: Document, path: list[str] | None = None) -> Iterator[Document]:
        """Every document that this one takes in; what a document needs comes before it."""
        path = path or [document.file]
        for item in document.items:
            if not isinstance(item, tree.Block) or item.kind not in {"use", "import"}:
                continue
            if item.name is None or item.words or item.body is not None or item.annotation is not None:
                hint = 'write `use cpu_kernels` or `import "other.dsl"`'
                self.found.add("SPK210", f"{item.kind} takes one name", item.span, hint)
                continue
            file = f"{self.domains}/{item.name}.dsl"
            if item.kind == "import":
                file = posixpath.normpath(posixpath.join(posixpath.dirname(document.file), item.name))
            yield from self.load(file, item, path)

    def load(self, file: str, item: tree.Block, path: list[str]) -> Iterator[Document]:
        if file in path:
            circle = path[path.index(file) :]
            start = circle.index(min(circle))  # the same circle reads the same from wherever it was entered
            cycle = " -> ".join([*circle[start:], *circle[:start], circle[start]])
            self.found.add(
                "SPK209", f"a cycle of {item.kind}: {cycle}", item.span, "move what both need into a domain of its own"
            )
            return
        if file in self.done:
            return
        self.done.add(file)
        if file.startswith(("../", "/")):
            self.found.add(
                "SPK210", f"{item.name!r} lies outside the project", item.name_span, "copy it into specs/domains"
            )
            return
        if not (self.root / file).is_file():
            self.missing(file, item)
            return
        self.files.append(file)
        before = len(self.found.errors)
        document = read_document(self.root, file, self.found)
        if document is None or len(self.found.errors) > before:
            return
        yield from self.follow(document, [*path, file])
        names = [block.name for block in document.items if isinstance(block, tree.Block) and block.kind == "domain"]
        if item.kind == "use" and item.name not in names:
            hint = near(item.name or "", [n for n in names if n], "it holds")
            self.found.add("SPK210", f"{file} holds no domain {item.name!r}", item.name_span, hint)
        yield document

    def missing(self, file: str, item: tree.Block) -> None:
        if item.kind == "import":
            hint = "the path starts at the importing file's folder"
            self.found.add("SPK210", f"there is no file {file}", item.name_span, hint)
            return
        names = [p.stem for p in (self.root / self.domains).glob("*.dsl")]
        hint = near(item.name or "", names, "domains") or f"add {file}"
        self.found.add("SPK210", f"there is no domain {item.name!r}", item.name_span, hint)
