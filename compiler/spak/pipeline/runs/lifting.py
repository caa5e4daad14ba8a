"""`spak lift`: knowledge drawn from runs and reports, asked for, back-tested and written. Knows the order of things, not how
anything is judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spak.errors import Collector, Diagnostic, SpakError, Span

if TYPE_CHECKING:
    from spak.lift.backtest import Verdict
    from spak.lift.draft import Draft
    from spak.lift.material import Material, RunTraces
    from spak.traces.event import Event

MOST_REPORT = 4 << 20  # bytes of one report
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


@dataclass(frozen=True, slots=True)
class Lifted:
    """What a lift came to: the file, its facts and rules as they were judged, and what was left out with the reasons."""

    name: str
    text: str
    attempts: int
    verdicts: tuple[Verdict, ...] = ()
    dropped: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The whole table: every trace on which a fact is false, too."""
        rows = [
            {
                "kind": one.kind, "name": one.name, "tested": one.tested, "cited": list(one.cited),
                "true": one.true, "false_on": list(one.false_on), "unknown": one.unknown, "change": one.change,
            }
            for one in self.verdicts
        ]  # fmt: skip
        return {"name": self.name, "attempts": self.attempts, "kept": rows, "dropped": list(self.dropped)}


@dataclass
class _Trial:
    """What one reply came to: its draft, if it can be read at all, and how it stood its test."""

    draft: Draft | None = None
    verdicts: list[Verdict] = field(default_factory=list)


def name_of(output: Path) -> str:
    """The domain's name: its file's, so that `use NAME` finds it. Raises SpakError."""
    stem = output.stem
    if output.suffix != ".dsl" or not NAME.match(stem):
        hint = "the name is the domain's: letters, digits and _, as in specs/domains/matmul_lessons.dsl"
        raise SpakError(Diagnostic("SPK362", f"{output.name!r} is no name of a domain's file", None, hint))
    return stem


def gather(root: Path, sources: Iterable[str], here: Path | None = None) -> Material:
    """Runs by id or prefix, reports and single traces by path. Raises SpakError with everything that cannot be read."""
    from spak.lift.material import Material

    runs: dict[str, RunTraces] = {}
    reports: list[tuple[str, str]] = []
    found = Collector()
    for source in dict.fromkeys(sources):
        path = (here or Path.cwd()) / source
        try:
            if not path.is_file():
                run = read_run(root, source)
                runs[run.id] = run
            elif path.suffix == ".jsonl":
                run = read_trace(path, source)
                runs[run.id] = run
            else:
                reports.append((source, _report(path, source)))
        except SpakError as error:
            found.found.extend(error.diagnostics)
    found.raise_if_any()
    return Material(runs, tuple(reports))


def read_run(root: Path, name: str) -> RunTraces:
    """A run of the project with everything that its traces need to be understood."""
    from spak.lift.material import RunTraces
    from spak.semantics.resolve import load_program
    from spak.traces.folder import find_run
    from spak.traces.reading import read_events

    folder = find_run(root, name)
    events = read_events(folder.trace, f"{folder.shown}/trace.jsonl")
    start = folder.read(folder.start) if folder.start.exists() else {}
    file, target = str(start.get("program") or ""), str(start.get("target") or "")
    constants = start.get("constants")
    cases = {}
    if file and (folder.program / file).is_file():
        quiet = Collector()  # what is wrong with a program that ran once is not of interest here
        cases = dict(load_program(folder.program, file, quiet).cases)
    constants = {**(constants if isinstance(constants, dict) else {}), **constants_of(events)}
    return RunTraces(folder.id, events, target, constants, cases, file)


def read_trace(path: Path, shown: str) -> RunTraces:
    """A trace file on its own."""
    from spak.lift.material import RunTraces
    from spak.traces.reading import read_events

    events = read_events(path, shown)
    about: dict[str, Any] = events[0].data if events and events[0].kind == "run" else {}
    id = events[0].run if events else path.stem
    return RunTraces(id, events, target_of(about), constants_of(events), {}, str(about.get("program") or ""))


def target_of(about: dict[str, Any]) -> str:
    """The target of a run, as its first event says."""
    flags = about.get("flags")
    found = about.get("target") or (flags.get("target") if isinstance(flags, dict) else "")
    return found if isinstance(found, str) else ""


def constants_of(events: Sequence[Event]) -> dict[str, Any]:
    """The constants that facts were evaluated with when the run was made."""
    found: dict[str, Any] = {}
    for event in events:
        numbers = event.data.get("numbers") if event.kind == "fact" else None
        for name, value in numbers.items() if isinstance(numbers, dict) else ():
            plain = name.removeprefix("target.")
            if plain.isupper() and isinstance(value, int | float) and not isinstance(value, bool):
                found[plain] = value
    return found


def _report(path: Path, shown: str) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_REPORT + 1)
    except OSError as error:
        raise SpakError(Diagnostic("SPK363", f"the report cannot be read: {error.strerror}", Span(shown))) from None
    if len(data) > MOST_REPORT:
        hint = "give the part that matters"
        raise SpakError(Diagnostic("SPK363", f"the report has more than {MOST_REPORT} bytes", Span(shown), hint))
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line, col = data.count(b"\n", 0, error.start) + 1, error.start - data.rfind(b"\n", 0, error.start)
        what = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise SpakError(
            Diagnostic("SPK363", what, Span(shown, line, col), "reports are text: Markdown, or a page's source")
        ) from None


def lift(root: Path, name: str, material: Material, *, attempts: int = 3, handler: str = "") -> Lifted:
    """Ask for the domain `name`, test it, and have it mended or cut until all of it stands. Raises Waiting while an answer is
    to come, and SpakError where nothing stands in the end.
    """
    from spak.lift.asking import lift_question
    from spak.lift.conversation import Judged, converse
    from spak.lift.material import schema_text
    from spak.pipeline.runs.asking import Asker

    if not material.traces and not material.reports:
        raise SpakError(
            Diagnostic(
                "SPK364", "there is nothing to learn from: these runs hold no trace", None, "see `spak trace RUN`"
            )
        )
    asker, schema = Asker(root, handler), schema_text(material.runs.values())

    def judge(reply: str) -> Judged[_Trial]:
        trial = _Trial()
        try:
            trial = _tested(_drafted(reply, name, schema, root), material)
        except SpakError as error:
            return Judged(trial, [str(one) for one in error.diagnostics])
        return Judged(trial, [f"{one.title}: {'; '.join(one.reasons)}" for one in trial.verdicts if not one.ok])

    judged, _, number = converse(lift_question(name, material, asker.to), asker, judge, attempts)
    if judged.value.draft is None:
        hint = "delete the last answers in .spak/asked, or give other runs, and lift again"
        what = f"no reply of {number} can be read as a domain"
        raise SpakError(Diagnostic("SPK365", what, None, hint, judged.reasons[:20]))
    return _settled(judged.value, name, material, schema, root, number)


def _drafted(reply: str, name: str, schema: str, root: Path) -> Draft:
    from spak.lift.draft import read_draft, text_of

    return read_draft(text_of(reply), name, schema, root)


def _tested(draft: Draft, material: Material) -> _Trial:
    from spak.lift.backtest import backtest

    return _Trial(draft, backtest(draft.program, material))


def _settled(trial: _Trial, name: str, material: Material, schema: str, root: Path, attempts: int) -> Lifted:
    """Cut out what failed, and what cannot be without it, until the rest stands; then write it down."""
    from spak.lift.backtest import Verdict
    from spak.lift.draft import read_draft
    from spak.lift.settle import block_of, broken, finished, scoped, without

    dropped: list[str] = []
    draft, verdicts = trial.draft, trial.verdicts
    assert draft is not None
    while bad := [one for one in verdicts if not one.ok]:
        dropped += [one.line() for one in bad]
        text = without(draft.text, [block for one in bad if (block := block_of(draft, one)) is not None])
        while True:
            try:
                draft = read_draft(text, name, schema, root)
                break
            except SpakError as error:
                cut = broken(text, name, error.diagnostics)
                if not cut:
                    raise
                titles = [Verdict(one.kind, one.name or "").title for one in cut]
                dropped += [f"{title}: DROPPED, it cannot be without what was dropped" for title in titles]
                text = without(text, cut)
        verdicts = _tested(draft, material).verdicts
    if not draft.blocks or (not any(one.cited or not one.tested for one in verdicts) and not draft.program.sentences):
        hint = "give more runs, or other ones; what was refused is listed"
        raise SpakError(Diagnostic("SPK366", "nothing of the domain stands its test", None, hint, tuple(dropped[:40])))
    lines = [
        _made_of(material, attempts),
        "",
        *(one.line() for one in verdicts),
        *(f"Left out: {one}" for one in dropped),
    ]
    text = finished(scoped(draft, verdicts, material), [one.rstrip() for one in lines])
    read_draft(text, name, schema, root)  # what is written must read as what was tested
    return Lifted(name, text, attempts, tuple(verdicts), tuple(dropped))


def _made_of(material: Material, attempts: int) -> str:
    runs = ", ".join(material.runs) or "no run"
    reports = f" and {', '.join(Path(name).name for name, _ in material.reports)}" if material.reports else ""
    return f"Drawn from {runs}{reports}; tested on {material.traces} traces."


def write(path: Path, text: str, force: bool = False) -> bool:
    """Write the file, atomically; whether it changed. Raises SpakError rather than replace what somebody may have edited."""
    from spak.store import atomic

    data = text.encode()
    if path.is_file() and path.read_bytes() == data:
        return False
    if (path.exists() or path.is_symlink()) and not force:
        what = f"{path.name} is there already, and differs"
        raise SpakError(Diagnostic("SPK367", what, Span(path.name), "`--force` replaces it; or write to another file"))
    atomic.write(path, data)
    return True
