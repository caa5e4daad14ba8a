"""`spak report`: report runs from their traces, or make a program's deliverables again."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("subjects", nargs=-1, metavar="[RUN...|FILE]")
@click.option("-o", "--output", default="", metavar="FILE", help="Write to FILE instead of standard output.")
@click.option(
    "--format",
    "stated",
    type=click.Choice(["md", "html"]),
    default=None,
    help="The format [default: by FILE's name, else md].",
)
def command(subjects: tuple[str, ...], output: str, stated: str | None) -> int:
    """Report RUNs (ids, or what they begin with; the newest if none is named) from their traces alone.

    With FILE, a program, make its deliverables (`build { artifact ... }`) again from its newest run. A page stands alone: it
    loads nothing and runs nothing. The same traces give the same bytes.
    """
    from spak.cli.step import where

    root = where()
    path = Path.cwd() / subjects[0] if len(subjects) == 1 else root
    if path.is_file() and path.suffix in {".dsl", ".md"}:
        if output or stated:
            raise click.UsageError("a program says itself where its deliverables go: leave out -o and --format")
        return _rebuild(root, path)
    from spak.pipeline.runs.reporting import format_of, report
    from spak.store import atomic

    format = format_of(output, stated or "")
    text = report(root, subjects, format)
    if not output or output == "-":
        click.echo(text, nl=False)
        return 0
    atomic.write(output, text.encode())
    click.echo(f"{output}: written", err=True)
    return 0


def _rebuild(root: Path, path: Path) -> int:
    from spak.errors import Diagnostic, SpakError
    from spak.pipeline.runs.reporting import rebuild

    if not path.resolve().is_relative_to(root.resolve()):
        raise SpakError(
            Diagnostic("SPK371", f"{path.name} is no program of this project", None, "name a file below it")
        )
    id, made = rebuild(root, path.resolve().relative_to(root.resolve()).as_posix())
    if not made:
        click.echo(f"{path.name} declares no artifact", err=True)
    for one in made:
        click.echo(f"{one.file}  {'written' if one.changed else 'unchanged'}, from run {id}")
    return 0
