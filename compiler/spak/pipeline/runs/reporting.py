"""Reports of runs and the deliverables of programs, made of traces. Knows where things lie, not what a report says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from spak.agents.tools.paths import HIDDEN, KEPT
from spak.effects import files
from spak.errors import Diagnostic, SpakError, Span
from spak.semantics.suggest import near
from spak.store import atomic

if TYPE_CHECKING:
    from spak.report.view import Recorded
    from spak.semantics.program import Deliverable, Operand, Program
    from spak.traces.event import Event
    from spak.traces.folder import RunFolder

FORMATS = {".md": "md", ".markdown": "md", ".html": "html", ".htm": "html"}
BUILTIN = ("report",)
MOST_BYTES = 256 << 20  # of an artifact
MOST_PRINTED = 16 << 20  # of one that is printed: as much as `tool.run` takes


@dataclass(frozen=True, slots=True)
class Delivered:
    """One artifact: its path in the project, and whether its content changed."""

    file: str
    changed: bool


def recorded(folder: RunFolder) -> Recorded:
    """A run's trace, with the constants of its machine that it was started with."""
    from spak.report.view import Recorded
    from spak.traces.reading import read_events

    events = read_events(folder.trace, f"{folder.shown}/trace.jsonl")
    constants = _start(folder).get("constants")
    return Recorded(events, constants if isinstance(constants, dict) else {})


def report(root: Path, names: Sequence[str], format: str) -> str:
    """The built-in report of some runs, by id or prefix; the newest if none is named. Raises SpakError."""
    from spak.report import report as made
    from spak.traces.folder import find_run

    folders = {folder.id: folder for folder in (find_run(root, name) for name in names or [""])}
    return made([recorded(folder) for folder in folders.values()], format)


def format_of(output: str, stated: str = "") -> str:
    """The format of a report's file, as stated or by its suffix. Raises SpakError."""
    if stated or not output:
        return stated or "md"
    suffix = PurePosixPath(output).suffix.lower()
    if suffix not in FORMATS:
        hint = "end the name in .md or .html, or state `--format`"
        raise SpakError(Diagnostic("SPK368", f"a report cannot be a {suffix or 'nameless'} file", Span(output), hint))
    return FORMATS[suffix]


def rebuild(root: Path, file: str) -> tuple[str, list[Delivered]]:
    """The deliverables of a program as it is now, of its newest run: that run's id, and what was made."""
    from spak.semantics.resolve import load_program

    program = load_program(root, file)
    folder = newest(root, program.file)
    return folder.id, deliver(root, folder, program)


def newest(root: Path, file: str) -> RunFolder:
    """The newest run of a program. Raises SpakError."""
    from spak.traces.folder import RunFolder, ids

    for id in reversed(ids(root)):
        folder = RunFolder(root, id)
        if _start(folder).get("program") == file:
            return folder
    raise SpakError(Diagnostic("SPK371", f"there is no run of {file}", None, f"`spak run {file}` makes one"))


def _start(folder: RunFolder) -> dict[str, Any]:
    """What a run was started with; nothing where that is not there."""
    return folder.read(folder.start) if folder.start.exists() else {}


# ---- deliverables ----


def deliver(root: Path, folder: RunFolder, program: Program) -> list[Delivered]:
    """Make every artifact of a program from the trace of one of its runs; each is written atomically, and the same trace gives
    the same file. Raises SpakError with all that failed, after the others have been made.
    """
    made: list[Delivered] = []
    failed: list[Diagnostic] = []
    for number, one in enumerate(program.deliverables, 1):
        try:
            target = _place(root, one, program)
            data = _content(root, folder, program, one, number)
            changed = not target.is_file() or target.read_bytes() != data
            if changed:
                _write(root, one, data)
            made.append(Delivered(one.file, changed))
        except SpakError as error:
            failed += error.diagnostics
    if failed:
        raise SpakError(*failed)
    return made


def _place(root: Path, one: Deliverable, program: Program) -> Path:
    """Where an artifact goes. Raises SpakError where nothing generated may be."""
    parts = PurePosixPath(one.file).parts
    target = root / one.file
    why = ""
    if not parts or PurePosixPath(one.file).is_absolute() or ".." in parts:
        why = "it lies outside the project"
    elif kept := HIDDEN.intersection(parts) or KEPT.intersection(parts[:1]):
        why = f"{min(kept)} is not for deliverables"
    elif "/".join(parts) in program.files:
        why = "it is a source of the program"
    elif target.is_dir():
        why = "a folder is in its place"
    if why:
        what = f"the artifact {one.file!r} cannot be written: {why}"
        raise SpakError(Diagnostic("SPK369", what, _spot(one), "name another file"))
    return target


def _write(root: Path, one: Deliverable, data: bytes) -> None:
    """Replace the file; a link on the way is met as one, whenever it was put there."""
    try:
        files.write(root, PurePosixPath(one.file).parts, data)
    except files.Crossing as error:
        what = f"the artifact {one.file!r} cannot be written: {error.filename!r} is a symbolic link"
        raise SpakError(Diagnostic("SPK369", what, _spot(one), "name another file")) from None
    except files.Odd:
        what = f"the artifact {one.file!r} cannot be written: what is there is no plain file"
        raise SpakError(Diagnostic("SPK369", what, _spot(one), "name another file")) from None
    except OSError as error:
        raise atomic.broken("write", one.file, error) from error


def _spot(one: Deliverable) -> Span | None:
    return one.span if one.span.file else None


def _content(root: Path, folder: RunFolder, program: Program, one: Deliverable, number: int) -> bytes:
    if one.builtin:
        return _builtin(folder, one)
    data = _input(root, folder, one)
    return data if one.generator is None else _generated(root, folder, program, one, number, data)


def _builtin(folder: RunFolder, one: Deliverable) -> bytes:
    from spak.report import report as made
    from spak.report.view import Recorded

    if one.builtin not in BUILTIN:
        hint = near(one.builtin, BUILTIN, "there is")
        what = f"there is no generator `{one.builtin}`"
        raise SpakError(Diagnostic("SPK370", what, _spot(one), f"{hint}; a command stands in quotes"))
    run = recorded(folder)
    wanted = one.input.removeprefix("trace.")
    if one.input.startswith("trace.") and wanted != "all":
        kept = [event for event in run.events if event.kind != "emit" or _of_case(event, wanted)]
        run = Recorded(kept, run.constants)
    return made([run], format_of(one.file)).encode()


def _of_case(event: Event, name: str) -> bool:
    case = str(event.data.get("case", ""))
    return name == case or name == case.rpartition(".")[2]


def _input(root: Path, folder: RunFolder, one: Deliverable) -> bytes:
    """What an artifact is made of: the trace, some of it as lines of JSON, the run's metrics, or a file of the project."""
    from spak.traces.reading import read_events, read_trace

    shown, name = f"{folder.shown}/trace.jsonl", one.input or "trace.all"
    if name == "trace.all":
        _, size = read_trace(folder.trace, shown)
        return folder.trace.read_bytes()[:size]
    if name == "metrics":
        return folder.metrics.read_bytes() if folder.metrics.exists() else b"{}\n"
    events = read_events(folder.trace, shown)
    if name == "facts":
        return b"".join(_line({"seq": event.seq, **event.data}) for event in events if event.kind == "fact")
    case = name.removeprefix("trace.")
    found = [event for event in events if event.kind == "emit" and _of_case(event, case)]
    path = root / name
    if not found and path.is_file():
        real = path.resolve()
        inside = real.is_relative_to(root.resolve()) and not HIDDEN.intersection(real.relative_to(root.resolve()).parts)
        if not inside or path.stat().st_size > MOST_BYTES:
            what = f"the input {name!r} is too large, or not the project's to show"
            raise SpakError(Diagnostic("SPK369", what, _spot(one), "name a file of the project"))
        return path.read_bytes()
    return b"".join(_line({"seq": event.seq, "step": event.step, **event.data}) for event in found)


def _line(data: dict[str, Any]) -> bytes:
    return (json.dumps(data, ensure_ascii=False) + "\n").encode()


def _generated(root: Path, folder: RunFolder, program: Program, one: Deliverable, number: int, data: bytes) -> bytes:
    """What a command makes of its input: the file that it writes to $SPAK_ARTIFACT, else what it prints.

    It is run as `tool.run` runs commands, under the policy of the run; the input is its standard input, and $SPAK_TRACE names
    the whole trace.
    """
    from spak.agents import tools
    from spak.agents.policy import Allowed, make
    from spak.agents.tools import Context
    from spak.pipeline.measuring.services import Services

    order = _start(folder)
    names = {key: tuple(order.get(key) or ()) for key in ("roots", "env", "programs")}
    allowed = Allowed(**names, shell=order.get("allow_shell") is True)
    policy = make(root, program.contract, allowed, span=_spot(one))
    beside = folder.path / "artifacts" / f"{number}.part"
    beside.parent.mkdir(exist_ok=True)
    beside.unlink(missing_ok=True)
    args = _arguments(one, folder, beside.relative_to(root).as_posix(), data)
    env = {"run": {"id": folder.id}, "args": order.get("args") or {}}
    result = tools.perform(
        tools.plan("run", args, env, policy), Context(root, policy, Services(root), folder.path, program.loops)
    )
    if not result.ok:
        what = f"the generator of {one.file} failed: {result.why or f'exit code {result.exit_code}'}"
        notes = tuple(result.stderr.strip().splitlines()[-5:])
        raise SpakError(
            Diagnostic("SPK372", what, _spot(one), "run it by hand: its input is the run's trace.jsonl", notes)
        )
    if beside.is_file() and not beside.is_symlink():
        found = _limited(beside, one)
        beside.unlink()
        return found
    if not result.stdout:
        what = f"the generator of {one.file} made nothing"
        hint = "let it print the artifact, or write it to the file that $SPAK_ARTIFACT names"
        raise SpakError(Diagnostic("SPK372", what, _spot(one), hint))
    return result.stdout.encode()


def _arguments(one: Deliverable, folder: RunFolder, artifact: str, data: bytes) -> Any:
    """The call of `tool.run`; a generator that is a map says more than the command."""
    from spak.lang.expr import Num
    from spak.semantics.program import Fields, Template

    assert one.generator is not None
    given = one.generator.fields if isinstance(one.generator, Fields) else (("cmd", one.generator),)
    env = [("SPAK_TRACE", f"{folder.shown}/trace.jsonl"), ("SPAK_ARTIFACT", artifact), ("SPAK_RUN", folder.id)]
    own: list[tuple[str, Operand]] = [
        (key, operand) for key, operand in given if key not in {"stdin", "env", "allow_failure"}
    ]
    stated = next((operand for key, operand in given if key == "env" and isinstance(operand, Fields)), None)
    variables = [*(stated.fields if stated else ()), *((name, Template(text)) for name, text in env)]
    stdin = Template(data.decode("utf-8", "replace"))
    own += [] if any(key == "output_limit" for key, _ in own) else [("output_limit", Num(MOST_PRINTED))]
    return Fields((*own, ("env", Fields(tuple(variables))), ("stdin", stdin)), span=one.span)


def _limited(path: Path, one: Deliverable) -> bytes:
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise SpakError(
            Diagnostic("SPK372", f"the generator of {one.file} made more than {MOST_BYTES} bytes", _spot(one))
        )
    return data
