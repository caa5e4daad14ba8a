"""`spak step`: go on with a run that waits or was cut off."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from spak.traces.folder import RunFolder


@click.command()
@click.argument("run", required=False, default="")
@click.option("--resume", is_flag=True, help="Go on with the run.")
@click.option("--answer", metavar="FILE|-", default="", help="The answer to the query that waits; - is standard input.")
@click.option("--approve", metavar="DIGEST", default="", help="Approve the command that has this digest, and no other.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(run: str, resume: bool, answer: str, approve: str, as_json: bool) -> int:
    """Go on with RUN (an id, its number or its beginning), or with the newest run that has not ended.

    It goes on with the flags that it was started with. The answer to a query lies in the run's response.txt, or is
    given here.
    """
    root = where()
    if approve:
        from spak.agents.tools.approvals import approve as record

        click.echo(f"approved\n{record(root, approve)}", err=True)
    if not (resume or answer):
        if approve:
            return 0
        raise click.UsageError("say what to do: --resume, --answer or --approve")
    from spak.cli.run import go

    given = read(answer) if answer else None
    return go(pick(root, run), as_json, given)


def where() -> Path:
    """The project, or the folder one stands in."""
    from spak.errors import SpakError
    from spak.pipeline.graph.root import find_root

    try:
        return find_root(Path.cwd())
    except SpakError:
        return Path.cwd()


def pick(root: Path, run: str) -> RunFolder:
    """The run that is meant: without a name the newest that has not ended."""
    from spak.traces.folder import RunFolder, find_run, ids

    if not run:
        for id in reversed(ids(root)):
            folder = RunFolder(root, id)
            if folder.start.exists() and not folder.metrics.exists():  # a kill may leave a folder without a start
                return folder
    return find_run(root, run)


def read(file: str) -> tuple[bytes, str]:
    """The bytes of an answer, and where they are from."""
    from spak.errors import Diagnostic, SpakError, Span

    if file == "-":
        return sys.stdin.buffer.read(), "<stdin>"
    try:
        return Path(file).read_bytes(), file
    except OSError as error:
        what = f"the answer cannot be read: {error.strerror}"
        raise SpakError(
            Diagnostic("SPK928", what, Span(file), "name a file that holds it, or - for standard input")
        ) from None
