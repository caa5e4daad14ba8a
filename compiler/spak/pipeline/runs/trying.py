"""A changed program, run in a copy of its project: the tree is never touched by what is only being tried. Knows neither what was
changed nor whether it is better.

A trial is a folder of `.spak/improve/`: the copy, and in the end the trace alone. Each call goes on where the last one was.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spak.effects import Completed, Limits, run
from spak.errors import Diagnostic, SpakError, Span, Waiting
from spak.store import atomic
from spak.store.treelock import TreeLock
from spak.traces.event import Event
from spak.traces.folder import RunFolder, ids
from spak.traces.reading import read_events

TRIALS = Path(".spak/improve")
LEFT_OUT = {
    ".git", ".spak", "build", "dist", "__pycache__", ".venv", "node_modules", ".mypy_cache", ".ruff_cache", ".pytest_cache",
}  # fmt: skip
SHARED = ("ac", "cas", "trials", "measure", "approvals")  # caches: what was built and measured counts in the copy, too
MOST_BYTES = 2 << 30


@dataclass
class Trial:
    """The trial called `key` of `file` with the content `text`."""

    root: Path
    key: str
    file: str
    text: str
    say: Callable[[str], None]

    @property
    def folder(self) -> Path:
        return self.root / TRIALS / self.key

    @property
    def tree(self) -> Path:
        return self.folder / "tree"

    @property
    def trace(self) -> Path:
        return self.folder / "trace.jsonl"

    def events(self, order: Mapping[str, Any], answers: Mapping[str, str], handler: str) -> list[Event]:
        """The trace of the program's run, which is made if it is not there: as the run was that `order` is of. `answers` are
        those on record, by the digest of their prompts. Raises Waiting where somebody has to answer.
        """
        lock = TreeLock(self.folder.with_suffix(".lock"), "tries the same change")
        lock.acquire(self.say)
        try:
            if not self.trace.exists():
                self._prepare()
                run = self._finished(order, answers, handler)
                atomic.write(self.trace, run.trace.read_bytes())
            for left in self.folder.glob("tree*"):
                shutil.rmtree(left, ignore_errors=True)
            (self.folder / "answer.txt").unlink(missing_ok=True)
        finally:
            lock.release()
        return read_events(self.trace, self.trace.relative_to(self.root).as_posix())

    # ---- the copy ----

    def _prepare(self) -> None:
        """Copy the project, all of it or nothing."""
        if self.tree.exists():
            return
        part = self.folder / f"tree.{os.getpid()}.part"
        for old in self.folder.glob("tree.*.part"):
            shutil.rmtree(old, ignore_errors=True)
        try:
            if _size(self.root) > MOST_BYTES:
                hint = "what is generated belongs into build/, which is not copied"
                raise SpakError(
                    Diagnostic("SPK377", f"the project has more than {MOST_BYTES >> 20} MiB to copy", None, hint)
                )
            _copy(self.root, part, ignore=shutil.ignore_patterns(*LEFT_OUT))
            for name in SHARED:
                if (self.root / ".spak" / name).is_dir():
                    _copy(self.root / ".spak" / name, part / ".spak" / name, copy_function=_link)
            atomic.write(part / self.file, self.text.encode())
            part.rename(self.tree)
        except (OSError, shutil.Error) as error:
            what = f"the project cannot be copied to try the change: {str(error)[:300]}"
            raise SpakError(
                Diagnostic("SPK377", what, Span(TRIALS.as_posix()), "check permissions and free space")
            ) from error

    # ---- the run ----

    def _finished(self, order: Mapping[str, Any], answers: Mapping[str, str], handler: str) -> RunFolder:
        """Start the run, or go on with it, until it has ended."""
        given: set[str] = set()
        while True:
            known = ids(self.tree)
            if not known:
                done = self._spak("run", self.file, *_flags(order, handler))
            else:
                folder = RunFolder(self.tree, known[-1])
                if folder.metrics.exists():
                    return folder
                if not folder.start.exists():  # killed while it began: nothing has happened in it
                    shutil.rmtree(folder.path)
                    continue
                done = self._go_on(folder, answers, given)
            if done.returncode in {0, 1, 3} and ids(self.tree):
                continue
            notes = tuple(done.stderr.decode("utf-8", "replace").strip().splitlines()[-8:])
            raise SpakError(
                Diagnostic("SPK378", f"the changed program did not run: {done.how}", Span(self.file), "", notes)
            )

    def _go_on(self, folder: RunFolder, answers: Mapping[str, str], given: set[str]) -> Completed:
        if not folder.request.exists():  # it was killed, or failed to go on for a reason that may be gone
            state = f"{folder.id} {folder.trace.stat().st_size if folder.trace.exists() else 0}"
            if state in given:
                raise SpakError(Diagnostic("SPK378", "the changed program's run does not go on", Span(folder.shown)))
            given.add(state)
            return self._spak("step", folder.id, "--resume")
        request = folder.read(folder.request)
        prompt = str(request.get("prompt", ""))
        if folder.response.exists() and prompt not in given:
            given.add(prompt)
            return self._spak("step", folder.id, "--resume")
        if prompt in answers and prompt not in given:
            given.add(prompt)
            answer = self.folder / "answer.txt"
            atomic.write(answer, answers[prompt].encode())
            self.say(f"step {request.get('step')}: the prompt is as it was, and so is the answer")
            return self._spak("step", folder.id, "--resume", "--answer", str(answer))
        place = self.tree.relative_to(self.root) / folder.shown
        notes = (
            f"read    {(place / folder.prompt.name).as_posix()}",
            f"answer  write it to {(place / folder.response.name).as_posix()}, then run the same command again",
        )
        what = f"the changed program waits for an answer at step {request.get('step')}"
        raise Waiting(Diagnostic("SPK376", what, None, "its prompt is not one that has been answered", notes))

    def _spak(self, *args: str) -> Completed:
        """A command of ours in the copy, in a process of its own. What it says goes to standard error."""
        here = str(Path(__file__).resolve().parents[3])
        paths = os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
        done = run(
            [sys.executable, "-m", "spak", *args],
            cwd=self.tree,
            env={**os.environ, "PYTHONPATH": paths},
            limits=Limits(wall_seconds=0),
        )
        for line in done.stderr.decode("utf-8", "replace").splitlines():
            if done.returncode == 3 and "SPK922" in line:
                break  # it says where its answer goes, as seen from the copy
            self.say(f"  {line}")
        return done


def _copy(source: Path, target: Path, **how: Any) -> None:
    """A folder as it is. What goes away meanwhile, as builds and editors have it, is not part of it."""
    try:
        shutil.copytree(source, target, symlinks=True, **how)
    except shutil.Error as error:
        if left := [one for one in error.args[0] if os.path.lexists(one[0])]:
            raise shutil.Error(left) from error


def _link(source: str, target: str) -> str:
    """A second name where that is possible: what lies in a cache is never changed in place."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)
    return target


def _size(root: Path) -> int:
    total = 0
    for folder, names, files in os.walk(root):
        names[:] = [name for name in names if name not in LEFT_OUT]
        for name in files:
            with suppress(FileNotFoundError):  # it has gone since
                total += os.lstat(Path(folder, name)).st_size
        if total > MOST_BYTES:
            break
    return total


def _flags(order: Mapping[str, Any], handler: str) -> list[str]:
    """The command line of a run that is as another was."""
    flags = [str(order["name"])] if order.get("name") else []
    for name, value in (order.get("args") or {}).items():
        flags += ["--arg", f"{name}={value if isinstance(value, str) else _json(value)}"]
    for key, option in (("roots", "--root"), ("env", "--env"), ("programs", "--program"), ("events", "--event")):
        for value in order.get(key) or ():
            flags += [option, str(value)]
    flags += ["--target", str(order["target"])] if order.get("target") else []
    flags += ["--max-steps", str(order["max_steps"])] if order.get("max_steps") else []
    flags += ["--allow-shell"] if order.get("allow_shell") else []
    return [*flags, "--handler", handler or "suspend"]


def _json(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)


def answers_of(runs: Sequence[Sequence[Event]]) -> dict[str, str]:
    """The accepted answers of some runs by the digest of the prompt they answer; of several, the latest."""
    return {
        event.inputs: str(event.data.get("text", ""))
        for events in runs
        for event in events
        if event.kind == "answer" and event.data.get("accepted") and event.inputs
    }
