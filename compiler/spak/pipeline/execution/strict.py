"""Strict execution: the stage sees its declared inputs and nothing else of the project, and no network. Knows only
bubblewrap.

The project's folder is replaced by an empty one in which the declared inputs are bound read-only; what the stage writes
lies in a
staging folder and is moved out of it if it was declared. Anything else that it wrote is reported.
"""

# ruff: noqa: PTH100, PTH109, PTH118
# Paths are plain strings here: they are keys, and a no-op looks at thousands of them.

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from spak.errors import Diagnostic, SpakError
from spak.pipeline.execution.workers import Done, Workers
from spak.pipeline.graph.action import Action
from spak.pipeline.graph.stages import PACKAGE
from spak.store import atomic


def run(action: Action, job: dict[str, Any], workers: Workers) -> Done:
    """Run a job in a sandbox. Raises SpakError: SPK715 without bubblewrap, SPK716 for files that were not declared."""
    wrapper = shutil.which("bwrap")
    if wrapper is None:
        raise SpakError(
            Diagnostic("SPK715", "strict builds need bubblewrap", None, "install bubblewrap, or leave out --strict")
        )
    root = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="spak-strict-") as staging:
        argv = [
            wrapper,
            "--ro-bind",
            "/",
            "/",
            "--unshare-all",
            "--die-with-parent",
            "--proc",
            "/proc",
            "--dev",
            "/dev",
        ]
        argv += ["--tmpfs", "/tmp", "--bind", staging, root]
        package = str(PACKAGE.parent)
        bound = [path for path in (*action.inputs, *action.optional) if os.path.lexists(path)]
        for path in bound:
            argv += ["--ro-bind", os.path.join(root, path), os.path.join(root, path)]
        for path in {package, *os.environ.get("PYTHONPATH", "").split(":")} - {""}:
            argv += ["--ro-bind", os.path.abspath(path), os.path.abspath(path)]
        if sys.prefix.startswith(("/tmp/", root + os.sep)):
            argv += ["--ro-bind", sys.prefix, sys.prefix]
        for path in action.outputs:
            (Path(staging) / path).parent.mkdir(parents=True, exist_ok=True)
        for name, value in job["env"].items():
            argv += ["--setenv", name, value]
        argv += ["--chdir", root, sys.executable, "-m", "spak.pipeline.execution.worker"]
        done = workers.run(job, seconds=action.seconds, argv=tuple(argv))
        _collect(action, done, Path(staging), bound)
    return done


def _collect(action: Action, done: Done, staging: Path, bound: list[str]) -> None:
    declared = {*action.outputs, *(done.outcome["outputs"] if done.outcome else ())}
    undeclared = []
    for folder, _, names in os.walk(staging):
        for name in names:
            path = str((Path(folder) / name).relative_to(staging))
            if path in declared:
                source = Path(folder) / name
                atomic.write(path, source.read_bytes(), source.stat().st_mode & 0o777, durable=False)
            elif path not in bound and "__pycache__" not in path:
                undeclared.append(path)
    if undeclared:
        what = f"{action.name} wrote files that it does not declare: {', '.join(sorted(undeclared))}"
        raise SpakError(Diagnostic("SPK716", what, None, "declare them as outputs"))
