"""`spak fmt`: put specs into canonical layout, comments kept."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
@click.argument("files", nargs=-1)
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 if a file is not in canonical layout.")
@click.option("--diff", is_flag=True, help="Change nothing; print what would change.")
@click.option("--name", default="stdin.dsl", show_default=True, help="With `-`: the name of the text, for its kind.")
def command(files: tuple[str, ...], check: bool, diff: bool, name: str) -> int:
    """Format FILES, folders of them, or all specs of the project. `-` formats standard input to standard output.

    Of a Markdown file only the spak blocks are formatted. A file with a syntax error is left alone and reported, and so
    is what its formatting would change in meaning. Exits with 1 after an error, or if --check finds something to do.
    """
    from spak.errors import SpakError
    from spak.parse.format import format_bytes
    from spak.store import atomic

    if files == ("-",):
        data = sys.stdin.buffer.read()
        changed = format_bytes(data, name)
        _show(diff, data, changed, name) if diff or check else click.echo(changed, nl=False)
        return int(check and changed != data)
    status = pending = 0
    for path, shown in subjects(files):
        try:
            data = read(path, shown)
            changed = format_bytes(data, shown)
            if changed == data:
                continue
            pending += 1
            if diff:
                _show(diff, data, changed, shown)
            if not (diff or check):
                atomic.write(path.resolve(), changed, path.stat().st_mode & 0o777)
            click.echo(f"{'would format' if diff or check else 'formatted'} {shown}", err=True)
        except SpakError as error:
            status = 1
            for diagnostic in error.diagnostics:
                click.echo(str(diagnostic), err=True)
    click.echo(f"{pending} file{'' if pending == 1 else 's'} {'to format' if diff or check else 'formatted'}", err=True)
    return 1 if status or (check and pending) else 0


def subjects(files: tuple[str, ...]) -> list[tuple[Path, str]]:
    """The files to format, each with its name in messages."""
    from spak.parse.files import spec_paths
    from spak.pipeline.graph.root import find_root

    here = Path.cwd()
    if not files:
        root = find_root(here)
        return [(path, path.relative_to(root).as_posix()) for path in spec_paths(root / "specs")]
    found: dict[Path, str] = {}
    for file in files:
        path = here / file
        for one in spec_paths(path) if path.is_dir() else [path]:
            found.setdefault(one, one.relative_to(here).as_posix() if one.is_relative_to(here) else one.as_posix())
    return list(found.items())


def read(path: Path, name: str) -> bytes:
    from spak.errors import Diagnostic, SpakError, Span

    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise SpakError(Diagnostic("SPK110", "there is no such file", Span(name), "check its name")) from None
    except OSError as error:
        why = f"the file cannot be read: {error.strerror}"
        raise SpakError(Diagnostic("SPK110", why, Span(name), "check its permissions and kind")) from None


def _show(diff: bool, data: bytes, changed: bytes, name: str) -> None:
    from spak.parse.files import unified

    if diff:
        click.echo(unified(data.decode("utf-8", "replace"), changed.decode(), name), nl=False)
