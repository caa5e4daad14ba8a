"""An editor, as the language server sees one: messages over the standard streams of a child process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from queue import Queue
from typing import Any


class Editor:
    """`units` are the position encodings that this editor offers; none is what most editors do."""

    def __init__(self, folder: Path, units: Sequence[str] = ()) -> None:
        self.folder = folder
        self.child = subprocess.Popen(
            [sys.executable, "-m", "spak", "lsp"],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )
        self.number = 0
        self.versions: dict[str, int] = {}
        self.inbox: Queue[dict[str, Any]] = Queue()
        self.notes: list[dict[str, Any]] = []
        threading.Thread(target=self._listen, daemon=True).start()
        general = {"general": {"positionEncodings": list(units)}} if units else {}
        self.server = self.request("initialize", processId=os.getpid(), rootUri=folder.as_uri(), capabilities=general)
        self.notify("initialized")

    def _listen(self) -> None:
        stream = self.child.stdout
        assert stream is not None
        while True:
            size = 0
            while line := stream.readline().strip():
                name, _, value = line.partition(b":")
                size = int(value) if name.lower() == b"content-length" else size
            if not size:
                self.inbox.put({"end": True})
                return
            self.inbox.put(json.loads(stream.read(size)))

    def send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.child.stdin is not None
        self.child.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.child.stdin.flush()

    def notify(self, method: str, **params: Any) -> None:
        self.send({"method": method, "params": params})

    def reply(self, method: str, **params: Any) -> dict[str, Any]:
        """The whole answer to a request; notifications that come before it are kept."""
        self.number += 1
        self.send({"id": self.number, "method": method, "params": params})
        while True:
            message = self.inbox.get(timeout=120)
            assert "end" not in message, "the server has ended"
            if message.get("id") == self.number:
                return message
            self.notes.append(message)

    def request(self, method: str, **params: Any) -> Any:
        answer = self.reply(method, **params)
        assert "error" not in answer, answer
        return answer["result"]

    # ---- documents ----

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    def open(self, name: str, text: str) -> list[dict[str, Any]]:
        """Open a file and return its diagnostics."""
        self.versions[name] = 1
        document = {"uri": self.uri(name), "languageId": "spak", "version": 1, "text": text}
        self.notify("textDocument/didOpen", textDocument=document)
        return self.diagnostics(name)

    def change(self, name: str, text: str) -> list[dict[str, Any]]:
        self.type(name, text)
        return self.diagnostics(name)

    def type(self, name: str, text: str) -> None:
        """Change a file without waiting."""
        self.versions[name] += 1
        document = {"uri": self.uri(name), "version": self.versions[name]}
        self.notify("textDocument/didChange", textDocument=document, contentChanges=[{"text": text}])

    def diagnostics(self, name: str) -> list[dict[str, Any]]:
        """What the server says of the version that was sent last."""
        while True:
            message = self.notes.pop(0) if self.notes else self.inbox.get(timeout=120)
            assert "end" not in message, "the server has ended"
            params = message.get("params", {})
            published = message.get("method") == "textDocument/publishDiagnostics"
            if published and (params["uri"], params.get("version")) == (self.uri(name), self.versions[name]):
                return list(params["diagnostics"])

    def at(self, name: str, line: int, character: int, method: str, **more: Any) -> Any:
        """Ask about a place, counted from 0 as editors do."""
        position = {"line": line, "character": character}
        return self.request(f"textDocument/{method}", textDocument={"uri": self.uri(name)}, position=position, **more)

    def close(self) -> int:
        self.request("shutdown")
        self.notify("exit")
        code = self.child.wait(timeout=120)
        for stream in (self.child.stdin, self.child.stdout):
            if stream is not None:
                stream.close()
        return code
