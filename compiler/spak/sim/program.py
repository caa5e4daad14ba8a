"""A foreign CUDA program on the simulator: rewritten, compiled, run, its findings read. Knows no terminal.

What the program prints, reads and returns is its own: it is given the streams of whoever calls.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from spak.effects.patience import Patience
from spak.errors import Collector, Diagnostic, SpakError, Span
from spak.errors.plain import plain
from spak.sim import asan, findings, flavours, library, profile
from spak.sim.findings import Finding
from spak.sim.includes import Program
from spak.sim.profile import Profile
from spak.sim.ran import SCHEDULE, Ran, shapes

SUFFIXES = (".cu", ".cuh", ".cpp", ".cc", ".cxx", ".c++", ".c")
_MESSAGE = re.compile(r"^(?P<file>[^\s:][^:\n]*):(?P<line>\d+):(?:(?P<col>\d+):)? (?:fatal )?error: (?P<text>.*)$")
_THROUGH = re.compile(
    r"^(?P<file>[^\s:][^:\n]*):(?P<line>\d+):\d+:\s+required from|^(?:In file included |\s+)from (?P<includer>[^:]+):(?P<at>\d+)"
)
_LINK = re.compile(
    r"(?:(?P<file>/[^:\n]+):(?P<line>\d+): )?(?P<text>undefined reference to .*|multiple definition of [^;]*)"
    r"(?:; .*?\.o:(?P<first>/[^:\n]+:\d+): first defined here)?$"
)
_REFUSED = re.compile(r"'refused_(?P<number>\d+)' is not a member of 'spak::sim'")
_CHARACTER = re.compile(r"\\U([0-9a-f]{8})")
_NOT_THERE = re.compile(r"'(?P<name>\w+)' (?:was not declared|does not name a (?:type|template)|has not been declared)")
# Names of parts of CUDA that the simulator has no model of, and what to say of them.
_UNMODELLED = (
    (
        re.compile(r"tex[123C]|texture|surf(?:[123C]|ace)|cudaTexture|cudaSurface"),
        "textures and surfaces are not modelled",
    ),
    (
        re.compile(r"cudaGraph\w*Device|cudaStream(?:FireAndForget|TailLaunch)"),
        "kernels launched by device code are not modelled",
    ),
)
# What compilers for compute capability 7.0 and later no longer have.
_WITHOUT_MASK = re.compile(r"__(?:shfl(?:_up|_down|_xor)?|any|all|ballot)")
_SAMPLES = re.compile(r"(?P<name>helper_\w+\.h|exception\.h|nvrtc_helper\.h)$")
_MISSING_FILE = re.compile(r": No such file or directory$")
_INTERNAL = (("__spak_type", ""), ("__spak_site", ""), ("spak::sim::host::", ""))
_MOST = 20
_BAD_ACCESS = "its host code used memory that is not there, or recursed without end: `--mode asan` shows the line"
_SIGNALS = {
    "SIGABRT": "it called abort(), failed an assertion or threw what nobody caught: see what it printed",
    "SIGKILL": "it may have asked for more memory than there is",
    "SIGSEGV": _BAD_ACCESS,
    "SIGBUS": _BAD_ACCESS,
}
_LONG = 60  # seconds after which one is told that a program without a limit still runs
_GRACE = 10  # seconds beyond --seconds for the program to end by itself
_STEP = 0.5  # seconds between two looks


@dataclass(frozen=True, slots=True)
class Settings:
    """How to compile and run. `order`, `completion` and `threads` empty: the engine's defaults."""

    mode: str = "plain"
    device: str = "h200"
    optimise: str = "2"
    include_dirs: tuple[Path, ...] = ()
    defines: tuple[str, ...] = ()
    options: dict[str, str] = field(default_factory=dict)  # SPAK_SIM_<key>
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """How a run ended. `status` is what the program returned, negative for a signal; `ended` says what ended it instead."""

    status: int
    found: tuple[Finding, ...]
    ran: Ran
    profiles: tuple[Profile, ...] = ()
    ended: Diagnostic | None = None


def build(
    sources: Sequence[str], settings: Settings, folder: Path, tell: library.Tell = lambda _: None
) -> tuple[Path, dict[str, str]]:
    """The program, and the names of its files as its line table has them. Raises SpakError with all that is wrong.

    Everything is written below `folder`. `tell` is told of what takes long.
    """
    known = library.devices()
    if settings.device not in known:
        raise SpakError(
            Diagnostic("SPK583", f"there is no device {settings.device!r}", None, f"there are {', '.join(known)}")
        )
    tools = library.toolchain()
    for name in sources:
        if Path(name).suffix.lower() not in SUFFIXES:
            what = f"{name} is neither CUDA nor C++ by its name"
            raise SpakError(Diagnostic("SPK580", what, Span(name), f"name it {', '.join(SUFFIXES)}"))
    program = Program(folder, settings.include_dirs, (library.HOST,), known[settings.device])
    copies = [program.source(Path(name), name) for name in sources]
    program.found.raise_if_any()
    flags = library.compile_flags(tools, settings.mode, settings.optimise)
    prelude = library.prelude(tools, flags, tell)
    own = [f"-D{define}" for define in settings.defines] + [f"-I{path}" for path in settings.include_dirs]
    found, objects = Collector(), []
    for name, (copy, cuda) in zip(sources, copies, strict=True):
        objects.append(copy.with_suffix(".o"))
        # What is not CUDA is compiled as the toolkit's compiler has it: by the host compiler, with nothing included before.
        begin = ["-include", str(prelude)] if cuda else ["-x", "c"] if copy.suffix == ".c" else []
        beside = [f"-I{Path(name).resolve().parent}"]
        command = [tools.compiler, *flags, *own, *beside, *begin, "-c", str(copy), "-o", str(objects[-1])]
        done = subprocess.run(command, capture_output=True, env=library.environment())
        if done.returncode:
            found.found += _messages(done.stderr.decode(errors="replace"), program, name)
    found.raise_if_any()
    archive = library.library(tools, tell=tell)  # last: it takes a minute the first time, and a typing error should not
    made = folder / "program"
    link = [f"-Wl,-T,{library.SCRIPT}", "-pthread", "-ldl", "-rdynamic", *flavours.link_flags(settings.mode)]
    done = subprocess.run(
        [tools.compiler, *map(str, objects), str(archive), *link, "-o", str(made)],
        capture_output=True,
        env=library.environment(),
    )
    if done.returncode:
        raise SpakError(*_link_messages(done.stderr.decode(errors="replace"), program, sources[0]))
    here = Path.cwd()
    names = {**program.shown, **{str(here / shown): shown for shown in program.shown.values()}}
    return made, names


def run(
    made: Path,
    arguments: Sequence[str],
    settings: Settings,
    names: dict[str, str],
    folder: Path,
    tell: library.Tell = lambda _: None,
    output: IO[str] | None = None,
) -> Run:
    """Run the program to its end, then read what was found. It has the caller's streams, but prints to `output` where that is
    given. `tell` is told when it takes long.
    """
    report, counters, launches = (folder / f"{name}.jsonl" for name in ("findings", "counters", "launches"))
    settled = {f"SPAK_SIM_{key.upper()}": value for key, value in settings.options.items() if value}
    settled |= {
        "SPAK_SIM_MODE": settings.mode if settings.mode != "asan" else "plain",
        "SPAK_SIM_DEVICE": settings.device,
    }
    given = {
        key: settled.get(f"SPAK_SIM_{key.upper()}", os.environ.get(f"SPAK_SIM_{key.upper()}", "")) for key in SCHEDULE
    }
    settled |= {"SPAK_SIM_REPORT": str(report), "SPAK_SIM_COUNTERS": str(counters), "SPAK_SIM_LAUNCHES": str(launches)}
    if settings.seconds:
        settled["SPAK_SIM_SECONDS"] = str(settings.seconds)
    if settings.mode == "asan":
        own = f"detect_leaks=0:log_path={folder / 'asan'}"
        settled["ASAN_OPTIONS"] = ":".join(filter(None, [own, os.environ.get("ASAN_OPTIONS", "")]))
    status, ended = _wait([str(made), *arguments], os.environ | settled, settings.seconds, tell, output)
    text = _text(report)
    for log in sorted(folder.glob("asan.*")):
        text += json.dumps(asan.rows(log.read_text(errors="replace"))) + "\n"
    found = findings.read(text, made, names)
    ran = Ran(settings.mode, settings.device, given, shapes(_text(launches)))
    return Run(status, found, ran, profile.read(_text(counters), made, names), ended)


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""


def _wait(
    command: Sequence[str],
    environment: dict[str, str],
    seconds: int,
    tell: library.Tell = lambda _: None,
    output: IO[str] | None = None,
) -> tuple[int, Diagnostic | None]:
    with subprocess.Popen(command, env=environment, stdout=output) as child, _told_to_end(child.terminate):
        interrupted, told, patience = False, False, Patience()
        while True:
            try:
                status = child.wait(timeout=None if told else _STEP)
                break
            except subprocess.TimeoutExpired:
                spent = patience.spent()
                if not seconds:
                    if spent > _LONG:
                        tell(f"the program has run for {_LONG} s and goes on; Ctrl-C ends it, --seconds N would")
                        told = True
                    continue
                if spent - _queued(child.pid) <= seconds + _GRACE:
                    continue
                child.kill()
                child.wait()
                hint = "give it more with --seconds, or a smaller problem"
                what = f"the program was ended after {seconds + _GRACE} s, {_GRACE} more than --seconds allows"
                return -signal.SIGKILL, Diagnostic("SPK585", what, None, hint)
            except KeyboardInterrupt:  # the terminal has told the program as well
                if interrupted:
                    child.kill()
                interrupted = True
    if status < 0:
        name = next((one.name for one in signal.Signals if one == -status), f"signal {-status}")
        return status, Diagnostic("SPK585", f"the program was ended by {name}", None, _SIGNALS.get(name, ""))
    return status, None


def _queued(pid: int) -> float:
    """Seconds that a process has waited for a processor which others had; 0 where the kernel does not say."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text("ascii").split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


@contextmanager
def _told_to_end(end: Callable[[], None]) -> Iterator[None]:
    """Who ends this process means the program as well, which would run on for itself."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: end())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def keep(made: Path, place: Path) -> None:
    """A copy of the program that runs without `spak sim`."""
    shutil.copy2(made, place)


def _messages(log: str, program: Program, name: str) -> Iterable[Diagnostic]:
    """The compiler's errors, in the user's own files; an error in a header of ours is placed where it was called from."""
    found: dict[tuple[str, int, str], Diagnostic] = {}
    required = None
    for line in log.splitlines():
        if match := _THROUGH.match(line):
            file, number = match["file"] or match["includer"], int(match["line"] or match["at"])
            required = (file, number) if file in program.texts else required
        match = _MESSAGE.match(line)
        if match is None:
            continue
        if refused := _REFUSED.search(match["text"]):
            one = program.context.refused[int(refused["number"])]
            found.setdefault((str(one.span), 0, one.message), one)
            required = None
            continue
        text = plain(_CHARACTER.sub(lambda found: chr(int(found[1], 16)), match["text"]))
        for internal, shown in _INTERNAL:
            text = text.replace(internal, shown)
        file, number, column = match["file"], int(match["line"]), int(match["col"] or 1)
        notes: tuple[str, ...] = ()
        if file not in program.texts and file not in program.shown and required:
            notes = (f"in {Path(file).name}:{number}",)
            file, number, column = *required, 1
        shown_file = program.shown.get(file, file)
        if _changed(program, shown_file, number):
            column = 1
        one = Diagnostic("SPK581", text, Span(shown_file, number, column), _advice(text), notes)
        found.setdefault((shown_file, number, text), one)
        required = None
    if not found:
        lines = [line for line in log.splitlines() if line.strip()]
        return [Diagnostic("SPK581", lines[-1] if lines else "the compiler failed and said nothing", Span(name))]
    several = list(found.values())
    if len(several) > _MOST:
        several = [
            *several[:_MOST],
            Diagnostic("SPK581", f"{len(several) - _MOST} more errors of the compiler", Span(name)),
        ]
    return several


def _changed(program: Program, file: str, line: int) -> bool:
    """Whether a line of the user's is not what the compiler saw."""
    try:
        before = Path(file).read_text(errors="replace").split("\n")[line - 1]
        return program.texts[file].split("\n")[line - 1] != before
    except (OSError, KeyError, IndexError):
        return False


def _advice(text: str) -> str:
    """What to do about a message of the compiler, where there is more to say than it does."""
    if missing := _MISSING_FILE.search(text):
        if _SAMPLES.search(text[: missing.start()]):
            return "it belongs to NVIDIA's CUDA samples: name their folder Common with -I"
        return "name the folder of the program's own headers with -I"
    name = _NOT_THERE.search(text)
    if name and _WITHOUT_MASK.fullmatch(name["name"]):
        return f"devices of today have only {name['name']}_sync, whose first argument is the mask of the lanes"
    said = (said for pattern, said in _UNMODELLED if name and pattern.match(name["name"]))
    return next(said, "")


def _link_messages(log: str, program: Program, name: str) -> list[Diagnostic]:
    found: dict[tuple[str, Span], Diagnostic] = {}
    for match in filter(None, map(_LINK.search, log.splitlines())):
        text, file = plain(match["text"]), program.shown.get(match["file"] or "", "")
        place = Span(file, int(match["line"])) if file else Span(name)
        hint = "name every source file of the program; libraries of the toolkit are not there"
        notes: tuple[str, ...] = ()
        if text == "undefined reference to `main'":
            text, hint = "the program has no main()", "`spak sim` runs whole programs: name the file with main() too"
        elif match["first"]:
            first, line = match["first"].rsplit(":", 1)
            notes = (f"first defined at {program.shown.get(first, first)}:{line}",)
            hint = "name each file once, and only those of one program"
        found.setdefault((text, place), Diagnostic("SPK581", f"linker: {text}", place, hint, notes))
    lines = [line for line in log.splitlines() if line.strip()]
    nothing = Diagnostic("SPK581", f"linker: {plain(lines[-1]) if lines else 'it said nothing'}", Span(name))
    return list(found.values())[:_MOST] or [nothing]
