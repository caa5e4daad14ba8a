"""`spak check`: show everything that is wrong in specs, tests, domains and targets."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("files", nargs=-1, type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print the diagnostics as JSON.")
@click.option("--strict", is_flag=True, help="Count warnings as errors.")
@click.option("--fresh", is_flag=True, help="Check everything again, whatever has been checked before.")
def command(files: tuple[str, ...], as_json: bool, strict: bool, fresh: bool) -> int:
    """Read FILES, or all inputs of the project, and print every diagnostic of every file at once.

    FILES are specs, folders of units, tests, domains, targets, or any file of the language. What has not changed since it was
    last checked is not checked again. Exits with 1 after an error.
    """
    from spak.errors import SpakError
    from spak.pipeline.graph.checking import check
    from spak.pipeline.graph.root import find_root

    here = Path.cwd()
    try:
        root = find_root(here)
    except SpakError:
        if not files:
            raise
        root = here
    names = [relative(root, here / file) for file in files]
    found = check(root, names, fresh=fresh)
    errors = [d for d in found if strict or d.severity == "error"]
    if as_json:
        click.echo(json.dumps([d.to_json() for d in found], indent=2, sort_keys=True))
    else:
        for diagnostic in found:
            click.echo(str(diagnostic))
        click.echo(
            f"{len(errors)} errors, {len(found) - len(errors)} warnings" if found else "nothing is wrong", err=True
        )
    return 1 if errors else 0


def relative(root: Path, path: Path) -> str:
    """A path as messages show it: relative to the project where it lies inside."""
    resolved = path.resolve()
    return (
        resolved.relative_to(root.resolve()).as_posix()
        if resolved.is_relative_to(root.resolve())
        else resolved.as_posix()
    )
