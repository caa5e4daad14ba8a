"""`spak init`: make a new project that builds offline."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

TEMPLATE = Path(__file__).parent.parent / "template"


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
def command(folder: Path) -> None:
    """Make a project in FOLDER: a dodo.py, a spec with its tests, a target, and the locked reply that it builds from.

    FOLDER must not exist, or be empty.
    """
    from spak.errors import Diagnostic, SpakError

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SpakError(Diagnostic("SPK905", f"{folder} exists and is not empty", None, "choose another name"))
    shutil.copytree(
        TEMPLATE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("build", ".spak", "dist", "__pycache__")
    )
    (folder / "gitignore").rename(folder / ".gitignore")
    click.echo(f"made {folder}: one unit, axpby, for this machine's CPU.")
    click.echo(f"next: cd {folder} && doit build")
    click.echo("then: copy specs/axpby to a name of your own, edit it, and `doit build` will say how to answer.")
