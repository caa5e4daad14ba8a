"""A small project for fault tests: a graph from `graph.json`, built by real processes. Knows nothing of the faults."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REPO = Path(__file__).parent.parent.parent
STAGE = "tests.stages.concat"
DODO = "from tests.faults.drive import DOIT_CONFIG, task_spak  # noqa: F401\n"


@dataclass
class Tree:
    """One project. `log` lies outside of it and gets the name of each output that a stage really made."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def log(self) -> Path:
        return self.root.parent / f"{self.root.name}.log"

    def action(self, out: str, inputs: tuple[str, ...] = (), name: str = "", **more: Any) -> str:
        """Add an action that joins `inputs` into `out`; keywords that Action has go there, the others are stage
        options.
        """
        fields = {"values", "after", "pool", "tools", "env", "optional", "seconds", "slices", "cheap"}
        own = {key: more.pop(key) for key in list(more) if key in fields}
        outputs = more.pop("outputs", (out,))
        options = {"inputs": inputs, "out": out, "log": str(self.log), **more}
        row = {
            "name": name or f"make:{out}",
            "stage": STAGE,
            "options": options,
            "inputs": more.get("declared", inputs),
            **own,
        }
        options.pop("declared", None)
        self.rows.append({**row, "outputs": outputs})
        return str(row["name"])

    def write(self) -> Tree:
        """Write the graph and make sure that there is a dodo.py."""
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / "graph.json").write_text(json.dumps(self.rows))
        (self.root / "dodo.py").write_text(DODO)
        return self

    def put(self, path: str, text: str) -> Path:
        """Write a source file."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return target

    def start(self, *argv: str, program: tuple[str, ...] = (), **more: Any) -> subprocess.Popen[str]:
        """Start a build in a process group of its own."""
        command = program or (sys.executable, "-m", "tests.faults.drive", "build")
        path = f"{REPO / 'compiler'}:{REPO}"
        env = {**os.environ, "PYTHONPATH": path, "NO_COLOR": "1", **self.env}
        out = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
        return subprocess.Popen([*command, *argv], cwd=self.root, env=env, text=True, start_new_session=True, **out)

    def reached(self, child: subprocess.Popen[str], out: str = "", path: Path | None = None) -> None:
        """Return when a build has begun to make an output (any, by default), or a file is there."""
        while not (path.exists() if path else self.log.exists() and out in self.log.read_text()):
            assert child.poll() is None, "the build has ended"
            time.sleep(0.01)

    def build(self, *argv: str, expect: int | None = 0, **more: Any) -> subprocess.CompletedProcess[str]:
        """Build to the end; `expect` is the exit code, None for any."""
        child = self.start(*argv, **more)
        try:
            out, err = child.communicate(timeout=400)
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
        done = subprocess.CompletedProcess(child.args, child.returncode, out, err)
        assert expect is None or done.returncode == expect, f"exit {done.returncode}\n{out}\n{err}"
        return done

    def doit(self, *argv: str, expect: int | None = 0) -> subprocess.CompletedProcess[str]:
        """The same through plain doit."""
        return self.build(*argv, expect=expect, program=(sys.executable, "-m", "doit"))

    def ran(self) -> list[str]:
        """The outputs made since this was last asked, sorted."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.write_text("")
        return sorted(lines)

    def read(self, path: str) -> str:
        return (self.root / path).read_text()

    def assert_settled(self) -> None:
        """The next no-op runs nothing, by the front door, the long way and doit."""
        self.ran()
        first = self.build()
        assert self.ran() == [], "a no-op ran something"
        again = self.build()
        assert self.ran() == []
        assert again.stdout.startswith("up to date"), f"the front door did not answer: {first.stdout} {again.stdout}"


def chain(root: Path, length: int = 3, **more: Any) -> Tree:
    """in.txt -> out/0 -> out/1 -> ... and a sibling that depends on other.txt alone."""
    tree = Tree(root)
    before = "in.txt"
    for number in range(length):
        tree.action(f"out/{number}", (before,), text=f"{number}:", **more)
        before = f"out/{number}"
    tree.action("out/other", ("other.txt",), text="other:")
    tree.put("in.txt", "one\n")
    tree.put("other.txt", "x\n")
    return tree.write()
