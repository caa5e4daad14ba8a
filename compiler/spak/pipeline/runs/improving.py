"""`spak improve`: a better version of a program, asked for, tried in a copy of the project and compared. Knows the order of
things, not what makes a version better.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spak.digest import digest_fields, sha256_bytes
from spak.errors import Diagnostic, SpakError, Span, Waiting
from spak.store import atomic

if TYPE_CHECKING:
    from spak.lift.comparing import Row
    from spak.lift.material import RunTraces
    from spak.lift.proposal import Proposal
    from spak.semantics.program import Program

APPROVED = Path(".spak/improve/approved")


@dataclass(frozen=True, slots=True)
class Improved:
    """What came of it: the change, how the two versions compare, and whether the file was written."""

    file: str
    diff: str
    digest: str
    rows: tuple[Row, ...]
    applied: bool = False

    @property
    def accepted(self) -> bool:
        return not any(row.refuses for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        rows = [
            {"what": r.what, "name": r.name, "before": r.before, "after": r.after, "verdict": r.verdict}
            for r in self.rows
        ]
        return {
            "file": self.file, "accepted": self.accepted, "applied": self.applied, "digest": self.digest,
            "comparison": rows, "diff": self.diff,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """How it is done. `approve` is the digest of a version whose new commands somebody has read and allows."""

    attempts: int = 3
    handler: str = ""
    approve: str = ""
    apply: bool = False


def improve(
    root: Path, file: str, runs: Sequence[str], wanted: Wanted, say: Callable[[str], None], show: Callable[[str], None]
) -> Improved:
    """Ask, try, compare, and write the file if that is wanted and the new version stands. `show` is given the change before it is
    tried. Raises Waiting while an answer or an approval is to come, and SpakError where there is nothing to compare.
    """
    from spak.lift.comparing import compare, outcome
    from spak.lift.proposal import diff
    from spak.pipeline.runs.lifting import gather
    from spak.pipeline.runs.trying import Trial, answers_of
    from spak.semantics.resolve import load_program

    program = load_program(root, file)
    source = (root / file).read_text(encoding="utf-8")
    material = gather(root, runs, root / ".spak" / "no-files-here")
    before = _before(root, file, source, list(material.runs.values()))
    proposal = _proposed(root, file, source, program, list(material.runs.values()), wanted)
    change, digest = diff(file, source, proposal.text), sha256_bytes(proposal.text.encode())
    show(change)
    _consent(root, file, proposal, digest, wanted.approve)
    ids = [run.id for run in before]
    key = digest_fields([("file", file, digest), *(("run", id, "") for id in ids)]).removeprefix("sha256:")[:16]
    order = _start(root, ids[-1])
    handler = wanted.handler if wanted.handler in {"live", "frozen"} else "suspend"
    answers = answers_of([run.events for run in before])
    events = Trial(root, key, file, proposal.text, say).events(order, answers, handler)
    rows = tuple(compare([outcome(run.events) for run in before], outcome(events)))
    improved = Improved(file, change, digest, rows)
    if not (wanted.apply and improved.accepted):
        return improved
    if (root / file).read_text(encoding="utf-8") != source:
        raise SpakError(
            Diagnostic(
                "SPK379", f"{file} was changed meanwhile", Span(file), "nothing was written; improve it as it is now"
            )
        )
    atomic.write(root / file, proposal.text.encode(), (root / file).stat().st_mode & 0o777)
    return Improved(file, change, digest, rows, applied=True)


def _before(root: Path, file: str, source: str, runs: list[RunTraces]) -> list[RunTraces]:
    """The runs of the program as it is, oldest first: what a new version is held against."""
    digest = sha256_bytes(source.encode())
    found = []
    for run in runs:
        start = _start(root, run.id)
        files = start.get("files")
        if start.get("program") == file and isinstance(files, dict) and files.get(file) == digest:
            found.append(run)
    ended = sorted((run for run in found if run.events and run.events[-1].kind == "end"), key=lambda run: run.id)
    if not ended:
        what = f"none of these runs is of {file} as it is now, and has ended" if runs else "no run was given"
        hint = f"`spak run {file}` makes one to compare with; runs of other versions may be given beside it"
        raise SpakError(Diagnostic("SPK373", what, Span(file), hint))
    last = _start(root, ended[-1].id)
    same = ("name", "args", "target", "max_steps", "events")
    return [run for run in ended if all(_start(root, run.id).get(key) == last.get(key) for key in same)]


def _start(root: Path, id: str) -> dict[str, Any]:
    """What a run was started with."""
    from spak.traces.folder import RunFolder

    folder = RunFolder(root, id)
    return folder.read(folder.start) if folder.start.exists() else {}


def _proposed(root: Path, file: str, source: str, program: Program, runs: list[RunTraces], wanted: Wanted) -> Proposal:
    """Ask until a reply is a valid file that leaves the measure alone."""
    from spak.lift.asking import improve_question
    from spak.lift.conversation import Judged, converse
    from spak.lift.proposal import read_proposal
    from spak.pipeline.runs.asking import Asker

    asker = Asker(root, wanted.handler)

    def judge(reply: str) -> Judged[Proposal | None]:
        try:
            return Judged(read_proposal(reply, file, source, program, root))
        except SpakError as error:
            return Judged(None, [str(one) for one in error.diagnostics])

    judged, _, number = converse(improve_question(file, source, runs, asker.to), asker, judge, wanted.attempts)
    if judged.value is None:
        hint = "delete the last answers in .spak/asked, or give other runs, and ask again"
        raise SpakError(
            Diagnostic("SPK365", f"no reply of {number} is a valid version of {file}", None, hint, judged.reasons[:20])
        )
    return judged.value


def _consent(root: Path, file: str, proposal: Proposal, digest: str, approve: str) -> None:
    """What a model wrote is executed only as far as the program did the same before, or somebody approved this very version."""
    if not proposal.acts:
        return
    path = root / APPROVED / digest.removeprefix("sha256:")
    if approve and digest.removeprefix("sha256:").startswith(approve.removeprefix("sha256:")) and len(approve) >= 12:
        atomic.write(path, b"")
    if path.exists():
        return
    notes = tuple("new     " + "".join(c if c.isprintable() else " " for c in act)[:300] for act in proposal.acts[:20])
    hint = f"read them, and say `--approve {digest.removeprefix('sha256:')[:16]}` to have them tried in a copy of the project"
    raise Waiting(Diagnostic("SPK380", f"the new version of {file} does what the old one does not", None, hint, notes))
