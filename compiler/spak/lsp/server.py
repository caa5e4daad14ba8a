"""The language server: an editor's messages to questions about a file, and answers back. Knows the protocol, not the language.

Every change is analysed at once; when keys come faster than that, only the last version is. A fault in one request is reported to
the editor and ends nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.uris import from_fs_path, to_fs_path

from spak.errors import SpakError
from spak.lsp import features
from spak.lsp.analysis import Analysis, analyse
from spak.lsp.positions import Lines, normal

T = TypeVar("T")
Asked = types.HoverParams | types.CompletionParams | types.PrepareRenameParams


@dataclass
class Opened:
    """An open file: its text as it is, and what the last analysis made of it."""

    uri: str
    version: int | None
    text: str
    analysis: Analysis | None = None


class Server:
    """The state of one session with an editor."""

    def __init__(self, version: str) -> None:
        self.language = LanguageServer("spak", version, text_document_sync_kind=types.TextDocumentSyncKind.Full)
        self.files: dict[str, Opened] = {}
        _register(self)

    # ---- files ----

    def changed(self, uri: str, version: int | None, text: str) -> None:
        last = self.files.get(uri)
        self.files[uri] = Opened(uri, version, text, last.analysis if last else None)

    async def publish(self, uri: str) -> None:
        """Analyse and show, unless a newer version has come in the meantime."""
        opened = self.files.get(uri)
        await asyncio.sleep(0)  # what else has arrived is taken first
        if opened is None or self.files.get(uri) is not opened:
            return
        analysis, lines = self.of(uri)
        self.language.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri, features.diagnostics(analysis, lines), opened.version)
        )

    def of(self, uri: str) -> tuple[Analysis, Lines]:
        """The analysis of a file as it is now."""
        opened = self.files.get(uri) or Opened(uri, None, _read(uri))
        text = normal(opened.text)
        if opened.analysis is None or opened.analysis.text != text:
            root, name = place(uri)
            opened.analysis = analyse(root, name, text, opened.analysis)
        return opened.analysis, Lines.of(text, str(getattr(self.units, "value", self.units)))

    @property
    def units(self) -> Any:
        return self.language.workspace.position_encoding or "utf-16"

    def other(self, analysis: Analysis, file: str) -> tuple[str, Lines]:
        """The address and lines of a file of the same project, open or not."""
        uri = from_fs_path(str(analysis.root / file)) or ""
        text = self.files[uri].text if uri in self.files else _read(uri)
        return uri, Lines.of(normal(text), str(getattr(self.units, "value", self.units)))

    def ask(self, position: Asked, question: Callable[[Analysis, Lines, types.Position], T]) -> T:
        analysis, lines = self.of(position.text_document.uri)
        return question(analysis, lines, position.position)


def place(uri: str) -> tuple[Path, str]:
    """The project that a file belongs to (the nearest folder with a `dodo.py`, else its own), and its path there."""
    path = Path(to_fs_path(uri) or uri.rpartition(":")[2].lstrip("/") or "untitled.dsl")
    for folder in path.parents:
        if (folder / "dodo.py").is_file():
            return folder, path.relative_to(folder).as_posix()
    return path.parent, path.name


def _read(uri: str) -> str:
    try:
        return Path(to_fs_path(uri) or "").read_text(encoding="utf-8-sig")
    except (OSError, ValueError):
        return ""


def _register(server: Server) -> None:
    """Tie each message to its answer."""
    feature = server.language.feature

    @feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def opened(params: types.DidOpenTextDocumentParams) -> None:
        document = params.text_document
        server.changed(document.uri, document.version, document.text)
        await server.publish(document.uri)

    @feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: types.DidChangeTextDocumentParams) -> None:
        document = params.text_document
        server.changed(document.uri, document.version, params.content_changes[-1].text)
        await server.publish(document.uri)

    @feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        server.files.pop(uri, None)
        server.language.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

    @feature(types.TEXT_DOCUMENT_HOVER)
    def hover(params: types.HoverParams) -> types.Hover | None:
        return server.ask(params, features.hover)

    @feature(types.TEXT_DOCUMENT_DEFINITION)
    def definition(params: types.DefinitionParams) -> types.Location | None:
        analysis, lines = server.of(params.text_document.uri)
        found = features.definition(analysis, lines, params.position)
        if found is None:
            return None
        file, span = found
        if file == analysis.name:
            return types.Location(params.text_document.uri, lines.range(span))
        uri, others = server.other(analysis, file)
        return types.Location(uri, others.range(span))

    @feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=["."]))
    def completion(params: types.CompletionParams) -> list[types.CompletionItem]:
        return server.ask(params, features.completion)

    @feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    def prepare(params: types.PrepareRenameParams) -> types.Range | None:
        return server.ask(params, features.can_rename)

    @feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    def rename(params: types.RenameParams) -> types.WorkspaceEdit:
        analysis, lines = server.of(params.text_document.uri)
        try:
            spans = features.rename(analysis, lines, params.position, params.new_name)
        except SpakError as error:
            raise JsonRpcInvalidParams(message="; ".join(str(d) for d in error.diagnostics)) from None
        changes: dict[str, list[types.TextEdit]] = {}
        for span in spans:
            own = span.file == analysis.name
            uri, where = (params.text_document.uri, lines) if own else server.other(analysis, span.file)
            changes.setdefault(uri, []).append(types.TextEdit(where.range(span), params.new_name))
        return types.WorkspaceEdit(changes=changes)

    @feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def outline(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        return features.symbols(*server.of(params.text_document.uri))

    @feature(types.TEXT_DOCUMENT_FORMATTING)
    def formatting(params: types.DocumentFormattingParams) -> list[types.TextEdit]:
        from spak.parse.format import format_text

        analysis, lines = server.of(params.text_document.uri)
        try:
            text = format_text(analysis.text, analysis.name)
        except SpakError:
            return []  # its errors are shown already, and a file that cannot be read is not changed
        if text == analysis.text:
            return []
        return [types.TextEdit(types.Range(types.Position(0, 0), lines.end()), text)]
