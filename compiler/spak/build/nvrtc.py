"""Compile CUDA device code with NVRTC in a child process: no GPU, no driver, no nvcc. Knows nothing of plans or units.

The library comes from `SPAK_NVRTC` (a path), else from the `nvidia-cuda-nvrtc` wheel, else from a CUDA toolkit. It is
found by looking at paths only: importing anything of NVIDIA's would load what no one asked for.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import Field

from spak.build import cubin
from spak.build.cubin import KernelFacts
from spak.digest import sha256_file
from spak.effects import Do, Limits
from spak.errors import Diagnostic, SpakError, Span
from spak.model.base import Model

_CHILD = Path(__file__).with_name("nvrtc_child.py")
_LIMITS = Limits(wall_seconds=300, cpu_seconds=240, output_bytes=256 << 20)


class Nvrtc(Model):
    """Where NVRTC is: the library, and the toolkit headers that belong to it."""

    library: str
    include_dirs: tuple[str, ...]

    def identity(self) -> dict[str, str]:
        """What belongs in the cache key of anything it compiles: the digest, not the place."""
        return {"nvrtc": sha256_file(self.library)}


class NvrtcResult(Model):
    """`ok` False is a source that does not compile: a value. `ptx` is empty when none was asked for or possible."""

    ok: bool
    cubin: bytes = b""
    ptx: bytes = b""
    log: str = ""
    version: str = ""
    options: tuple[str, ...] = ()
    kernels: dict[str, KernelFacts] = Field(default_factory=dict)
    findings: tuple[dict[str, object], ...] = ()

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        return tuple(Diagnostic.from_json(finding) for finding in self.findings)


def locate() -> Nvrtc:
    """Find NVRTC and its headers. Raises SpakError (SPK480) naming where it looked."""
    stated = os.environ.get("SPAK_NVRTC")
    roots = _roots()
    for library in [stated] if stated else _libraries(roots):
        if Path(library).is_file():
            root = next((r for r in roots if Path(library).is_relative_to(r)), None)
            return Nvrtc(library=str(library), include_dirs=tuple(_headers(([root] if root else []) + roots)))
    looked = (
        [f"SPAK_NVRTC={stated}"] if stated else [str(root) for root in roots] or ["no NVIDIA wheel, no CUDA toolkit"]
    )
    hint = "pip install 'nvidia-cuda-nvrtc>=13,<14' 'nvidia-cuda-runtime>=13,<14' 'nvidia-cuda-crt>=13,<14'"
    raise SpakError(Diagnostic("SPK480", f"NVRTC was not found (looked at {', '.join(looked)})", None, hint))


def compile(
    source: str,
    *,
    name: str,
    arch: str,
    do: Do,
    ptx: str = "",
    include_dirs: Sequence[str] = (),
    prelude: str = "",
    path: str = "",
    where: Nvrtc | None = None,
) -> NvrtcResult:
    """Compile `source` for `arch` ("sm_90a") to a cubin, and for `ptx` ("compute_90") to PTX when that is given.

    `name` is the file name in the compiler's messages and `path` the one shown to people. `prelude` is text put
    before the source, whose lines are not counted. Raises SpakError when NVRTC is missing or its process dies.
    """
    nvrtc = where or locate()
    text = f'{prelude.rstrip()}\n#line 1 "{name}"\n{source}' if prelude.strip() else source
    includes = [f"--include-path={folder}" for folder in (*include_dirs, *nvrtc.include_dirs)]
    common = ["-std=c++20", "--ptxas-options=-v", *includes]
    answer = _call(nvrtc, name, text, [f"--gpu-architecture={arch}", *common], do)
    log = _TIMES.sub("", answer["log"])
    found = list(messages(log, name, path or name))
    shown = (f"--gpu-architecture={arch}", "-std=c++20", "--ptxas-options=-v")
    if answer["code"]:
        if not any(d.severity == "error" for d in found):
            found.append(Diagnostic("SPK481", f"NVRTC failed for {arch}: {answer['error']} {log.strip()[-400:]}", None))
        return NvrtcResult(ok=False, log=log, version=answer["version"], options=shown, findings=_plain(found))
    image = base64.b64decode(answer["cubin"])
    text_ptx = b""
    if ptx:
        # For the real architecture of that name: NVRTC then assembles the PTX it returns, where for the virtual one
        # inline PTX that no such machine has would pass here and fail on the user's.
        real = ptx.replace("compute_", "sm_")
        second = _call(nvrtc, name, text, [f"--gpu-architecture={real}", *common], do)
        text_ptx = b"" if second["code"] else base64.b64decode(second["ptx"])
        if second["code"]:
            found.append(_no_ptx(second["log"], ptx, arch, name, path or name))
    return NvrtcResult(
        ok=True, cubin=image, ptx=text_ptx, log=log, version=answer["version"], options=shown,
        kernels=cubin.facts(image, log), findings=_plain(found),
    )  # fmt: skip


_TIMES = re.compile(r"^ptxas info\s*: Compile time = .*\n", re.MULTILINE)  # the same source must give the same log


def _no_ptx(log: str, ptx: str, arch: str, name: str, path: str) -> Diagnostic:
    """Code for `sm_90a` may use what `compute_90` has not; then the module carries the cubin alone, and says so."""
    first = next((d for d in messages(log, name, path) if d.severity == "error"), None)
    why = f": {first.message}" if first else ""
    message = f"no PTX for {ptx}: the source compiles for {arch} only{why}"
    return Diagnostic("SPK483", message, first.span if first else None, severity="warning")


def _call(nvrtc: Nvrtc, name: str, source: str, options: list[str], do: Do) -> dict[str, str]:
    request = {"library": nvrtc.library, "name": name, "source": source, "options": options}
    # By path and isolated (-I): the child must not pick up modules from the project, and needs none of ours.
    argv = [sys.executable, "-I", str(_CHILD)]
    completed = do.run(argv, stdin=json.dumps(request).encode(), limits=_LIMITS)
    try:
        answer: dict[str, str] = json.loads(completed.stdout)
    except ValueError:
        said = completed.stderr.decode(errors="replace").strip().splitlines()
        message = f"NVRTC's process ended with {completed.how}{': ' + said[-1] if said else ''}"
        hint = f"is {nvrtc.library} a working NVRTC for this machine? set SPAK_NVRTC to another"
        raise SpakError(Diagnostic("SPK482", message, None, hint)) from None
    return answer


_MESSAGE = re.compile(
    r"^(?P<file>[^\s(][^(\n]*)\((?P<line>\d+)\): (?P<kind>catastrophic error|error|warning)(?: #[\w-]+)?: (?P<text>.*)$"
)
_PTXAS = re.compile(r"^ptxas (?P<file>[^,]*, line \d+; )?\s*(?P<kind>error|fatal)\s*: (?P<text>.*)$")
_SERIALISED = re.compile(r"C7510\)?:?\s*(?P<text>.*)")


def messages(log: str, name: str, path: str) -> Iterable[Diagnostic]:
    """NVRTC's and ptxas's messages as diagnostics; those in `name` are placed in `path`, with a column where one is
    known.
    """
    lines = log.splitlines()
    for at, line in enumerate(lines):
        if match := _MESSAGE.match(line):
            yield _message(match, lines[at + 1 : at + 4], name, path)
        elif match := _PTXAS.match(line):
            yield Diagnostic("SPK481", f"ptxas: {match['text']}", Span(path))
        elif "C7510" in line and (match := _SERIALISED.search(line)):
            hint = "do not touch the accumulator between wgmma instructions; fence and wait once for the group"
            yield Diagnostic("SPK484", f"wgmma is serialised (C7510): {match['text']}", Span(path), hint)


def _message(match: re.Match[str], following: list[str], name: str, path: str) -> Diagnostic:
    error = match["kind"] != "warning"
    place = path if match["file"] == name else Path(match["file"]).name
    caret = next((line for line in following if line.strip() == "^"), "")
    column = max(caret.find("^") - 1, 1)  # the quoted source is indented by two
    return Diagnostic(
        "SPK481" if error else "SPK485",
        f"NVRTC: {match['text']}",
        Span(place, int(match["line"]), column),
        severity="error" if error else "warning",
    )


def _plain(found: Iterable[Diagnostic]) -> tuple[dict[str, object], ...]:
    return tuple(diagnostic.to_json() for diagnostic in found)


def _roots() -> list[Path]:
    """Wheel folders in import order, then toolkits: each has `lib*/` and `include/`."""
    wheels = [root for entry in sys.path if entry for root in sorted(Path(entry).glob("nvidia/cu1[2-9]"), reverse=True)]
    old_wheels = [root for entry in sys.path if entry for root in Path(entry).glob("nvidia/cuda_nvrtc")]
    stated = [Path(os.environ[key]) for key in ("CUDA_HOME", "CUDA_PATH") if os.environ.get(key)]
    nvcc = shutil.which("nvcc")
    beside = [Path(nvcc).resolve().parent.parent] if nvcc else []
    standard = [Path("/usr/local/cuda"), *sorted(Path("/usr/local").glob("cuda-*"), reverse=True)]
    return [root for root in dict.fromkeys([*wheels, *old_wheels, *stated, *beside, *standard]) if root.is_dir()]


def _libraries(roots: Iterable[Path]) -> Iterable[str]:
    for root in roots:
        for folder in ("lib", "lib64", "targets/x86_64-linux/lib"):
            # `libnvrtc-builtins` lies beside it and is not it; the unversioned name is absent from the wheels.
            yield from (str(p) for p in sorted((root / folder).glob("libnvrtc.so*"), key=lambda p: len(p.name)))


def _headers(roots: Iterable[Path]) -> list[str]:
    """Folders with the toolkit's headers: of the library's own root if it has them, else of the first that does."""
    for root in roots:
        candidates = [root / "include", root / "targets/x86_64-linux/include", root.parent / "cuda_runtime/include"]
        for include in candidates:
            if (include / "cuda_fp16.h").is_file():
                return [str(folder) for folder in (include, include / "cccl") if folder.is_dir()]
    return []
