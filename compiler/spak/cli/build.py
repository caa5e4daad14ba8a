"""`spak build`: build and verify, doing only what has to be done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from spak.pipeline.graph.action import Graph


@click.command()
@click.argument("units", nargs=-1)
@click.option("--targets", default="", help="Only these targets, separated by commas.")
@click.option("-j", "--jobs", default=0, help="Actions at once [default: the cores of this machine].")
@click.option(
    "--handler", default="", help="Who answers: replay, suspend, live or frozen [default: the project's setting]."
)
@click.option("--frozen", is_flag=True, help="Nobody may be asked: the same as --handler frozen.")
@click.option("--refresh", is_flag=True, help="Ask anew although the lock has answers.")
@click.option("--strict", is_flag=True, help="Run stages in a sandbox that shows them their declared inputs only.")
@click.option("--events", default="", metavar="FILE", help="Write events as NDJSON; - is standard output.")
@click.option("--trace", default="", metavar="FILE", help="Write a Chrome trace with the critical path.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@click.option("--no-wait", is_flag=True, help="Fail if another build works in this tree.")
@click.option("--group", default="build", hidden=True)
@click.pass_obj
def command(
    make: Callable[[Path], Graph] | None,
    units: tuple[str, ...],
    targets: str,
    jobs: int,
    handler: str,
    frozen: bool,
    refresh: bool,
    strict: bool,
    events: str,
    trace: str,
    as_json: bool,
    no_wait: bool,
    group: str,
) -> int:
    """Build and verify everything, or the UNITS (also groups, actions and files) named.

    Exits with 0 if all is done, 1 if something failed, 3 if something waits for an answer.
    """
    from spak.pipeline.execution.session import Mode, make_graph
    from spak.pipeline.frontends.command import Build, run
    from spak.pipeline.graph.root import find_root

    mode = Mode(jobs, "frozen" if frozen else handler, refresh, strict, not no_wait)
    chosen = tuple(one for one in targets.split(",") if one)
    return run(find_root(Path.cwd()), Build(units, chosen, group, mode, events, trace, as_json), make or make_graph)
