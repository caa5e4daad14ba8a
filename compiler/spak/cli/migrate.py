"""`spak migrate`: rewrite specs of an older edition or dialect in today's spelling."""

from __future__ import annotations

import click


@click.command()
@click.argument("files", nargs=-1)
@click.option("--write", is_flag=True, help="Change the files; without it, only the difference is shown.")
def command(files: tuple[str, ...], write: bool) -> int:
    """Show how FILES, folders of them, or all specs of the project are written today; --write writes them so.

    Layout and comments stay. A file whose meaning would change is left alone and reported. Exits with 1 after an error.
    """
    from spak.cli.fmt import read, subjects
    from spak.errors import SpakError
    from spak.parse.files import unified
    from spak.parse.migrate import migrate_bytes
    from spak.store import atomic

    status = count = 0
    for path, shown in subjects(files):
        try:
            data = read(path, shown)
            changed, edits = migrate_bytes(data, shown)
            if not edits:
                continue
            count += 1
            click.echo(unified(data.decode("utf-8-sig"), changed.decode("utf-8-sig"), shown), nl=False)
            for edit in edits:
                click.echo(f"{edit.span}: {edit.why}", err=True)
            if write:
                atomic.write(path.resolve(), changed, path.stat().st_mode & 0o777)
        except SpakError as error:
            status = 1
            for diagnostic in error.diagnostics:
                click.echo(str(diagnostic), err=True)
    what = "migrated" if write else "to migrate; --write does it" if count else "to migrate"
    click.echo(f"{count} files {what}", err=True)
    return status
