"""`spak lift`: draw knowledge from runs and reports, tested on their traces."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="RUN|REPORT...")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), metavar="FILE.dsl", help="The file to write."
)
@click.option("--attempts", default=3, type=click.IntRange(1, 20), help="Replies to ask for at most [default: 3].")
@click.option(
    "--handler", default="", help="Who answers: replay, suspend, live or frozen [default: the project's setting]."
)
@click.option("--force", is_flag=True, help="Replace the file if it is there and differs.")
@click.option("--json", "as_json", is_flag=True, help="Print the back-test as JSON.")
def command(sources: tuple[str, ...], output: Path, attempts: int, handler: str, force: bool, as_json: bool) -> int:
    """Ask for a domain of knowledge drawn from RUNs (by id) and REPORTs (files; a trace.jsonl is one run), and test it.

    Each fact must be true on the traces that it cites, each rule must cite traces from before and after it was followed. What
    fails is sent back with the reasons, and left out in the end. Exits with 3 while an answer is to come: `spak answer` takes
    it, and the same command goes on.
    """
    from spak.cli.step import where
    from spak.pipeline.runs.lifting import gather, lift, name_of, write

    root = where()
    name = name_of(output)
    lifted = lift(root, name, gather(root, sources), attempts=attempts, handler=handler)
    changed = write(output, lifted.text, force)
    if as_json:
        click.echo(json.dumps({**lifted.to_json(), "file": str(output), "changed": changed}, indent=2))
        return 0
    for verdict in lifted.verdicts:
        click.echo(verdict.line())
    for reason in lifted.dropped:
        click.echo(f"left out: {reason}")
    click.echo(f"{output}: {'written' if changed else 'unchanged'}", err=True)
    return 0
