"""`spak build` and doit for a project whose graph is `graph.json`: everything but the making of the graph is the
real thing.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from spak.pipeline.execution import frontdoor


def make(root: Path):  # type: ignore[no-untyped-def]
    from spak.pipeline.graph.action import Graph, action_from

    rows = json.loads((root / "graph.json").read_text())
    actions = tuple(action_from(row) for row in rows)
    groups = {
        "build": tuple(a.name for a in actions),
        "verify": tuple(a.name for a in actions if a.name.startswith("verify:")),
    }
    for action in actions:
        unit = action.name.partition(":")[2].partition(".")[0].partition("@")[0]
        if unit.isidentifier() and unit not in ("build", "verify"):
            groups[unit] = (*groups.get(unit, ()), action.name)
    return Graph(actions, groups, ("graph.json",))


def __getattr__(name: str):  # type: ignore[no-untyped-def]
    if name in ("DOIT_CONFIG", "task_spak"):
        from spak.pipeline.frontends import doit_tasks

        config, task = doit_tasks.configure(make)
        return config if name == "DOIT_CONFIG" else task
    raise AttributeError(name)


def main() -> int:
    argv = sys.argv[2:]
    if sys.argv[1] == "build" and frontdoor.try_noop(argv):
        return 0
    import importlib

    import click
    from spak.errors import SpakError

    command = importlib.import_module(f"spak.cli.{sys.argv[1]}").command
    try:
        return int(command.main(argv, standalone_mode=False, obj=make) or 0)
    except SpakError as error:
        click.echo(str(error), err=True)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
