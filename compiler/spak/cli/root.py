"""The root of the command line: lazy commands, and one way of showing errors. Knows no command."""

from __future__ import annotations

import importlib
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from spak.errors import Diagnostic

HERE = Path(__file__).parent
NOT_COMMANDS = {"__init__", "root"}
INTERNAL = 70  # EX_SOFTWARE: the exit code of an error of our own


class Commands(click.Group):
    """Commands are the files beside this one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(p.stem.replace("_", "-") for p in HERE.glob("*.py") if p.stem not in NOT_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"spak.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            near = get_close_matches(args[0], self.list_commands(ctx), 1)
            raise click.UsageError(f"{error.message}" + (f" Did you mean '{near[0]}'?" if near else ""), ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One line a command, from the file's docstring."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary(name)) for name in self.list_commands(ctx)])


def summary(name: str) -> str:
    """The first line of a command file's docstring, without importing the file: `` `spak x`: does this. `` -> `does this`."""
    first = (HERE / f"{name.replace('-', '_')}.py").read_text().split('"""')[1].split("\n")[0]
    return first.split(": ", 1)[-1].rstrip(".")


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="spak", message="spak %(version)s")
@click.option(
    "-C", "directory", type=click.Path(exists=True, file_okay=False), help="Run as if started in this directory."
)
def root(directory: str | None) -> None:
    """SPAK: compiles specs into verified native kernels; a language model is one of its compilers.

    \b
    Exit codes: 0 up to date or done, 1 failed, 2 work pending (plan) or wrong usage, 3 waiting for an answer.
    """
    if directory:
        os.chdir(directory)


def run() -> int:
    """Run the command line and return its exit code; an error is printed as its diagnostics, never as a traceback."""
    from spak.errors import SpakError

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # what a model wrote may hold halves of characters
    try:
        return int(root.main(standalone_mode=False) or 0)
    except SpakError as error:
        click.echo(str(error), err=True)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted: everything that was finished is kept", err=True)
        return 130
    except OSError as error:
        from spak.store.atomic import broken

        click.echo(str(broken("use", error.filename or "a file", error)), err=True)
        return 1
    except Exception as error:
        if os.environ.get("SPAK_TRACEBACK"):
            raise
        click.echo(str(unexpected(error)), err=True)
        return INTERNAL


def unexpected(error: Exception) -> Diagnostic:
    """What is said of an error that nobody foresaw."""
    from spak.errors import Diagnostic

    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f" ({Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno})" if place else ""
    what = f"an error of spak itself: {type(error).__name__}: {str(error)[:300]}{where}"
    hint = "nothing that was finished is lost; `SPAK_TRACEBACK=1` shows where it happened, for a report"
    return Diagnostic("SPK909", what, None, hint)
