"""`spak plan`: say what a build would do and why, and do nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from spak.pipeline.graph.action import Graph


@click.command()
@click.argument("units", nargs=-1)
@click.option("--targets", default="", help="Only these targets, separated by commas.")
@click.option("--all", "show_all", is_flag=True, help="Show what is up to date as well.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@click.option("--group", default="build", hidden=True)
@click.pass_obj
def command(
    make: Callable[[Path], Graph] | None,
    units: tuple[str, ...],
    targets: str,
    show_all: bool,
    as_json: bool,
    group: str,
) -> int:
    """Say for everything, or the UNITS named, what a build would do and why.

    Exits with 0 if everything is up to date, 2 if there is work, 1 if all that is left is known to fail.
    """
    from spak.pipeline.execution.session import Session, make_graph
    from spak.pipeline.frontends.foresight import Foresight, What, exit_code
    from spak.pipeline.graph.root import find_root
    from spak.pipeline.graph.selection import select

    session = Session(find_root(Path.cwd()), make=make or make_graph)
    chosen = tuple(one for one in targets.split(",") if one)
    steps = Foresight(session).look(select(session.graph, session.network, group, units, chosen))
    if as_json:
        click.echo(
            json.dumps(
                {"exit": exit_code(steps), "steps": [step.to_json() for step in steps]}, indent=2, sort_keys=True
            )
        )
        return exit_code(steps)
    for step in steps:
        if step.what is What.UP_TO_DATE and not show_all:
            continue
        unless = f" (unless {step.unless} comes out identical)" if step.unless else ""
        click.echo(f"{step.what.value:<10} {step.name}  {step.reason}{unless}".rstrip())
        for one in step.diagnostics:
            click.echo(f"    {one}")
    counts = {what: sum(step.what is what for step in steps) for what in What}
    click.echo(", ".join(f"{count} {what.value}" for what, count in counts.items() if count) or "nothing to do")
    return exit_code(steps)
