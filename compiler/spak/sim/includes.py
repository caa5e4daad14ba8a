"""The files of a foreign program: its sources, and its own headers that hold CUDA. Knows no compiler.

A header that needs rewriting is copied, rewritten, and its includes lead to the copies; what needs none stays in place.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from spak.errors import Collector, Diagnostic, SpakError, Span
from spak.sim.source import rewrite_file
from spak.sim.tokens import location
from spak.sim.work import Context

_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*(?P<name>\"[^\"\n]+\"|<[^>\n]+>)", re.MULTILINE)
_CUDA = re.compile(
    r"__(?:global|device|shared|constant|managed|host)__|<<[ \t]*<|\basm\b|__asm|#\s*pragma\s+unroll|__noinline__"
)
# Libraries of the toolkit that run on a GPU only; named, so that the message is not "no such file".
_ELSEWHERE = re.compile(
    r"^(?:cublas|cudnn|cufft|cusparse|cusolver|curand|cutensor|nccl|nvml|npp|thrust/|cub/|nvToolsExt|nvtx3/|optix|cutlass/|cute/)"
)


# What the toolkit's compiler defines and programs look at; the headers that the simulator provides are compiled without.
DEVICE_MACROS = {"__CUDACC__": "1", "__CUDACC_VER_MAJOR__": "13", "__CUDACC_VER_MINOR__": "0"}


@dataclass
class Program:
    """Rewrites into `folder`. `shown` maps every file of the user's own to the name that people know it by."""

    folder: Path
    include_dirs: Sequence[Path]
    provided: Sequence[Path]  # folders of headers that the simulator provides
    arch: int
    context: Context = field(default_factory=lambda: Context(foreign=True))
    found: Collector = field(default_factory=Collector)
    shown: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)  # rewritten text by shown name
    _copies: dict[Path, str] = field(default_factory=dict)

    def source(self, path: Path, name: str) -> tuple[Path, bool]:
        """The rewritten copy of one source file, and whether it is CUDA: by its name, or by what it holds. Raises SpakError
        when it cannot be read.
        """
        cuda = path.suffix.lower() in (".cu", ".cuh") or bool(_CUDA.search(read(path, name)))
        return self._rewritten(path, name, "cu.cpp" if cuda else path.suffix.lstrip(".")), cuda

    def _rewritten(self, path: Path, name: str, suffix: str) -> Path:
        text = read(path, name)
        self.shown[str(path.resolve())] = self.shown[name] = name
        includes = self._includes(path, name, text)
        edits = rewrite_file(text, name, self.context)
        self.found.found += edits.found.found
        for begin, end, new in includes:
            edits.replace(begin, end, new)
        copy = self.folder / f"{len(self.texts)}_{re.sub(r'[^A-Za-z0-9_.]', '_', path.name)}.{suffix}"
        rewritten = edits.text()
        self.texts[name] = rewritten
        once = (
            "#pragma once\n"
            if suffix == "h" and re.search(r"^[ \t]*#[ \t]*pragma[ \t]+once", text, re.MULTILINE)
            else ""
        )
        macros = {**DEVICE_MACROS, "__CUDA_ARCH__": str(self.arch)}
        arch = "".join(f"#undef {macro}\n#define {macro} {value}\n" for macro, value in macros.items())
        head = once + self._models(edits.headers) + (arch if suffix == "cu.cpp" else "")
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        copy.write_text(f'{head}#line 1 "{quoted}"\n{rewritten}', errors="surrogateescape")
        return copy

    def _models(self, headers: set[str]) -> str:
        return "".join(f'#include "{self._guarded(header)}"\n' for header in sorted(headers))

    def _guarded(self, header: str) -> str:
        """A header that includes one of ours as the host compiler is to see it: device macros are for the user's code."""
        copy = self.folder / f"guarded_{re.sub(r'[^A-Za-z0-9]', '_', header)}.h"
        if not copy.exists():
            names = (*DEVICE_MACROS, "__CUDA_ARCH__")
            push = "".join(f'#pragma push_macro("{name}")\n#undef {name}\n' for name in names)
            pop = "".join(f'#pragma pop_macro("{name}")\n' for name in names)
            copy.write_text(f"#pragma once\n{push}#include <{header}>\n{pop}")
        return str(copy)

    def _includes(self, path: Path, name: str, text: str) -> list[tuple[int, int, str]]:
        """The edits to a file's includes; its headers are rewritten first, so that what they declare is known."""
        out = []
        for match in _INCLUDE.finditer(text):
            wanted = match["name"][1:-1]
            new = ""
            if wanted.startswith("spak/"):
                new = self._guarded(wanted)
            elif target := self._find(path, wanted, match["name"][0] == '"'):
                new = self._header(target, wanted, name)
            elif _ELSEWHERE.match(wanted) and not any((folder / wanted).is_file() for folder in self.provided):
                line, column = location(text, match.start("name"))
                what = f"the simulator does not provide <{wanted}>"
                hint = "simulate the program's own kernels, without the library"
                self.found.add("SPK587", what, Span(name, line, column), hint)
            if new:
                out.append((match.start("name"), match.end("name"), f'"{new}"'))
        return out

    def _find(self, path: Path, wanted: str, quoted: bool) -> Path | None:
        folders = [path.parent, *self.include_dirs] if quoted else list(self.include_dirs)
        return next((folder / wanted for folder in folders if (folder / wanted).is_file()), None)

    def _header(self, path: Path, wanted: str, includer: str) -> str:
        """What to include in its place: the copy of a header that holds CUDA, itself or in what it includes."""
        real = path.resolve()
        if real in self._copies:
            return self._copies[real]
        if not self._holds_cuda(real, set()):
            self.shown[str(real)] = _shown(path)
            self._copies[real] = str(real)
            return str(real)
        self._copies[real] = str(real)  # of a header that includes itself, the plain one is taken
        copy = self._rewritten(path, _shown(path), "h")
        self._copies[real] = str(copy)
        return str(copy)

    def _holds_cuda(self, path: Path, seen: set[Path]) -> bool:
        if path in seen:
            return False
        seen.add(path)
        text = path.read_text(errors="replace")
        if _CUDA.search(text):
            return True
        for match in _INCLUDE.finditer(text):
            target = self._find(path, match["name"][1:-1], match["name"][0] == '"')
            if target is not None and self._holds_cuda(target.resolve(), seen):
                return True
        return False


def _shown(path: Path) -> str:
    """Relative to where one is, if it is below."""
    real, here = path.resolve(), Path.cwd()
    return real.relative_to(here).as_posix() if real.is_relative_to(here) else str(real)


def read(path: Path, name: str) -> str:
    """A source file's text. Raises SpakError (SPK580)."""
    try:
        content = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    except OSError as error:
        what = f"the file cannot be read: {error.strerror}"
        raise SpakError(Diagnostic("SPK580", what, Span(name), "check its name and permissions")) from None
    if b"\0" in content:
        line = content.count(b"\n", 0, content.index(b"\0")) + 1
        hint = "save it as UTF-8" if content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "name a source file"
        raise SpakError(Diagnostic("SPK580", "the file is no text in UTF-8", Span(name, line), hint))
    return content.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
