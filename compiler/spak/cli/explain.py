"""`spak explain`: say where a file came from and what it depends on; or, for a code such as SPK204, what it means."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from spak.pipeline.graph.action import Graph


@click.command()
@click.argument("subject")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def command(make: Callable[[Path], Graph] | None, subject: str, as_json: bool) -> int:
    """Explain SUBJECT: a file that was built, an action (`doit list --all`), or an error code."""
    if re.fullmatch(r"SPK\d{3}", subject):
        return _code(subject)
    from spak.pipeline.execution.session import Session, make_graph
    from spak.pipeline.frontends.explanation import explain
    from spak.pipeline.graph.root import find_root

    here = Path.cwd()
    root = find_root(here)
    session = Session(root, make=make or make_graph)
    path = (here / subject).resolve()
    inside = path.is_relative_to(root) and subject not in session.network.actions
    found = explain(session, path.relative_to(root).as_posix() if inside else subject)
    click.echo(json.dumps(found.to_json(), indent=2, sort_keys=True) if as_json else found.text())
    return 0


def _code(code: str) -> int:
    from spak.errors import Diagnostic, SpakError
    from spak.errors.catalogue import catalogue

    entry = catalogue().get(code)
    if entry is None:
        raise SpakError(Diagnostic("SPK714", f"there is no code {code}"))
    click.echo(f"{entry.code}: {entry.title}\n{entry.explain}")
    return 0
