"""`spak adopt`: take hand-edited files of generated/ in as a reply of their own."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(name: str, as_json: bool) -> int:
    """Take the edited kernel and plan of NAME (unit.variant.dialect) in; the next build judges them and locks what
    passes.
    """
    from spak.codegen.adopting import adopt
    from spak.pipeline.graph.root import find_root

    number, folder = adopt(find_root(Path.cwd()), name)
    if as_json:
        click.echo(json.dumps({"name": name, "stored": f"{folder}/attempts/{number}.md"}))
        return 0
    click.echo(f"{name}: taken in as a reply of its own; run `spak build` to have it judged and locked")
    return 0
