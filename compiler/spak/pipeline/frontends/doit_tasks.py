"""The build graph as doit tasks: a dodo.py imports `DOIT_CONFIG` and `task_spak` and is done. Knows nothing of what
actions do.

doit decides the order and runs the threads; whether an action is up to date, what it does and what is recorded are the
engine's, so
that `doit build` and `spak build` share one state. When the front door's manifest holds, tasks are declared up to date
as they are
made, and the engine is not even imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from doit.task import Task

from spak.errors import SpakError
from spak.pipeline.execution import frontdoor
from spak.pipeline.frontends.doit_glue import (
    Always,
    BuildAction,
    CommandAction,
    Host,
    JournalCodec,
    Reporter,
    UnitGroup,
)
from spak.pipeline.graph.action import Action, Graph
from spak.pipeline.graph.network import Network, connect
from spak.pipeline.graph.snapshot import load

EVERYTHING: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
ABOUT = {
    "build": "build and verify everything, or the units named",
    "verify": "check and verify everything, or the units named",
    "package": "gather what was built into a wheel",
}

#: Tasks that are commands: what is run, what about, and after which groups. `doit bench matmul` is `spak bench matmul`.
COMMANDS: dict[str, tuple[tuple[str, ...], str, tuple[str, ...]]] = {
    "bench": (("spak", "bench"), "time the kernels of a unit", ()),
    "tune": (("spak", "tune"), "search for a kernel's best parameters", ()),
    "report": (("spak", "report"), "report runs, or make a program's deliverables again", ()),
    "test": (("pytest",), "run pytest", ("build",)),
}


def configure(make: Callable[[Path], Graph] | None = None) -> tuple[dict[str, Any], Callable[[], Iterator[Task]]]:
    """(DOIT_CONFIG, task_spak) for a project whose graph is made by `make`; its own specs make it by default."""
    config: dict[str, Any] = {
        "default_tasks": ["build"],
        "continue": True,  # one unit's failure never stops the others
        "num_process": len(os.sched_getaffinity(0)),
        "par_type": "thread",  # doit's own processes survive SIGTERM, and actions are processes of ours anyway
        "verbosity": 0,
        "reporter": Reporter,
        "check_file_uptodate": Always,
        "backend": "json",
        "codec_cls": JournalCodec,
        "dep_file": os.devnull,  # the journal is the only state; see JournalCodec
    }

    def task_spak() -> Iterator[Task]:
        """The tasks of the project in the current directory."""
        try:
            yield from tasks(Path.cwd(), make)
        except SpakError as error:
            print(error, file=sys.stderr)
            raise SystemExit(error.exit_code) from None

    return config, task_spak


def tasks(root: Path, make: Callable[[Path], Graph] | None) -> Iterator[Task]:
    """Every action as a task, and a task for every group."""
    graph = load(root / ".spak" / "state" / "graph", lambda: _make(root, make)).graph
    network = connect(graph.actions)
    body = frontdoor.holds(str(root), EVERYTHING)
    settled = frozenset(body["names"]) if body else frozenset()
    host = Host(root, graph, network, settled, make)
    members = _members(graph, network)
    for name in network.order:
        yield _task(network.actions[name], network, host, name in settled)
    for group, names in members.items():
        if group not in network.actions:
            yield UnitGroup(group, names, host, doc=ABOUT.get(group, f"everything of {group}"))
    for name, (command, doc, after) in COMMANDS.items():
        if name in members or name in network.actions or (name == "test" and not (root / "tests").is_dir()):
            continue
        needs = [group for group in after if group in members]
        yield Task(
            name, [CommandAction(*command)], task_dep=needs, uptodate=[False], verbosity=2, pos_arg="arguments", doc=doc
        )


def _make(root: Path, make: Callable[[Path], Graph] | None) -> Graph:
    if make is not None:
        return make(root)
    from spak.pipeline.execution.session import make_graph

    return make_graph(root)


def _members(graph: Graph, network: Network) -> dict[str, list[str]]:
    """Groups of the graph and, for `doit list`, one for each kind of action."""
    members = {name: list(names) for name, names in graph.groups.items()}
    for name in network.order:
        kind, colon, _ = name.partition(":")
        if colon and name not in members.setdefault(kind, []):
            members[kind].append(name)
    return members


def _task(action: Action, network: Network, host: Host, settled: bool) -> Task:
    task = Task(
        action.name,
        [BuildAction(action, host)],
        targets=[] if action.inline else action.outputs,  # `doit clean` must not take what people own
        task_dep=network.needs[action.name],
        uptodate=[True if settled else host.check(action)],
        clean=[] if action.inline else True,
        doc=action.doc,
        meta={"stage": action.stage, "inputs": list(action.inputs), "options": dict(action.options)},
    )
    kind, colon, _ = action.name.partition(":")
    task.subtask_of = kind if colon else None
    return task


def __getattr__(name: str) -> Any:
    """`DOIT_CONFIG` and `task_spak`, made when a dodo.py asks for them, so that importing this module changes
    nothing.
    """
    if name in ("DOIT_CONFIG", "task_spak"):
        config, task_spak = configure()
        return config if name == "DOIT_CONFIG" else task_spak
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["configure", "tasks"]

sys.setrecursionlimit(max(sys.getrecursionlimit(), 20_000))  # `doit clean` walks dependencies recursively
