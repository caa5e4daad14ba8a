"""`spak run`: execute a task, loop or workflow step by step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from spak.pipeline.runs.running import Ended
    from spak.pipeline.runs.starting import Order
    from spak.traces.folder import RunFolder

FOLDER = click.Path(exists=True, file_okay=False)


@click.command()
@click.argument("file")
@click.argument("name", required=False, default="")
@click.option("--arg", "args", multiple=True, metavar="K=V", help="An argument of what is run.")
@click.option(
    "--answers", metavar="DIR", type=FOLDER, help="Answers: DIR/STEP.N.md is the one to the N-th query of STEP."
)
@click.option(
    "--handler", type=click.Choice(["suspend", "live", "frozen"]), default="suspend", show_default=True,
    help="Who answers what is asked: somebody later, a model now, or nobody.",
)  # fmt: skip
@click.option("--event", "events", multiple=True, metavar="'NAME {JSON}'", help="An event for a service_loop.")
@click.option(
    "--target", default="", metavar="T", help="The machine whose constants facts read [default: cpu, if there is one]."
)
@click.option("--max-steps", type=click.IntRange(0), default=0, help="Fail after this many steps.")
@click.option("--allow-shell", is_flag=True, help="Let steps that say `shell: true` use one without asking.")
@click.option(
    "--root", "roots", multiple=True, metavar="DIR", type=FOLDER, help="A folder outside the project that tools may touch."
)  # fmt: skip
@click.option(
    "--env", "env", multiple=True, metavar="NAME", help="A variable that tools may see though it looks like a secret."
)
@click.option("--program", "programs", multiple=True, metavar="NAME", help="The only programs that may be started.")
@click.option("--dry-run", is_flag=True, help="Print what would be performed, and perform nothing.")
@click.option(
    "--trace-json", metavar="FILE", default="", type=click.Path(dir_okay=False), help="Also write the trace as one JSON list."
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(
    file: str, name: str, args: tuple[str, ...], answers: str | None, handler: str, events: tuple[str, ...], target: str,
    max_steps: int, allow_shell: bool, roots: tuple[str, ...], env: tuple[str, ...], programs: tuple[str, ...], dry_run: bool,
    trace_json: str, as_json: bool,
) -> int:  # fmt: skip
    """Execute NAME of FILE, or the only thing in it that can be run.

    Exits with 3 where an answer is needed, saying where it goes; `spak step --resume` goes on then.
    """
    from spak.pipeline.runs.starting import Order

    readable(file, name, *args, answers or "", *events, target, *roots, *env, *programs, trace_json)
    root, program = place(file)

    def inside(path: str | None) -> str:
        full = Path(path).resolve() if path else None
        return "" if full is None else full.relative_to(root).as_posix() if full.is_relative_to(root) else str(full)

    order = Order(
        program, name, pairs(args), handler, inside(answers), chosen(root, target), max_steps, allow_shell,
        [str(Path(one).resolve()) for one in roots], env, programs, events, inside(trace_json),
    )  # fmt: skip
    return rehearse(root, order, as_json) if dry_run else execute(root, order, as_json)


def execute(root: Path, order: Order, as_json: bool) -> int:
    from spak.pipeline.runs.running import begin

    return go(begin(root, order, progress), as_json)


def go(folder: RunFolder, as_json: bool, answer: tuple[bytes, str] | None = None) -> int:
    """Execute a run to its end; the exit code. Raises what keeps it from its end, which programs are told as well."""
    from spak.agents.journal import Halt
    from spak.errors import SpakError, Waiting
    from spak.pipeline.runs.running import proceed

    try:
        return report(proceed(folder, progress, answer), as_json)
    except SpakError as error:
        waits = isinstance(error, Waiting)
        if as_json:
            state = {
                "run": folder.id, "folder": folder.shown, "status": "waiting" if waits else "stopped",
                "why": [one.to_json() for one in error.diagnostics],
            }  # fmt: skip
            click.echo(json.dumps(state, indent=2, ensure_ascii=False))
        if isinstance(error, Halt):
            progress(
                f"run {folder.id} stops here; with that put right, `spak step --resume {folder.id}` goes on with it"
            )
        raise


def rehearse(root: Path, order: Order, as_json: bool) -> int:
    from spak.pipeline.runs.running import rehearsed

    lines = rehearsed(root, order)
    click.echo(json.dumps({"would": lines}, indent=2, ensure_ascii=False) if as_json else "\n".join(lines))
    click.echo("nothing was performed", err=True)
    return 0


def progress(text: str) -> None:
    from spak.errors.plain import plain

    click.echo(plain(text), err=True)


def report(ended: Ended, as_json: bool) -> int:
    """Print how a run ended; the exit code."""
    from spak.errors.plain import plain

    for one in ended.verdict.why:
        click.echo(str(one), err=True)
    if as_json:
        click.echo(json.dumps(ended.to_json(), indent=2, ensure_ascii=False))
    else:
        click.echo(f"run {ended.folder.id} {ended.verdict.status}")
        for name, value in ended.verdict.metrics.items():
            click.echo(plain(f"  {name} = {json.dumps(value, ensure_ascii=False)}"))
    return 0 if ended.verdict.succeeded else 1


def place(file: str) -> tuple[Path, str]:
    """The root of the project that a file is in, and the file's path there. Without a project, the folder one stands
    in or the file's own.
    """
    from spak.errors import Diagnostic, SpakError, Span
    from spak.pipeline.graph.root import find_root

    path = Path(file).resolve()
    if not path.is_file():
        hint = "name a file of the language, such as specs/greeting/greeting.dsl"
        raise SpakError(Diagnostic("SPK920", f"there is no file {file}", Span(file), hint))
    try:
        root = find_root(path.parent)
    except SpakError:
        here = Path.cwd().resolve()
        root = here if path.is_relative_to(here) else path.parent
    return root, path.relative_to(root).as_posix()


def readable(*words: str) -> None:
    """Raises SpakError for a word of the command line that no file of the run could hold."""
    from spak.errors import Diagnostic, SpakError

    for one in words:
        if any("\ud800" <= char <= "\udfff" for char in one):
            raise SpakError(Diagnostic("SPK921", f"{one!r} is not UTF-8", None, "give text in UTF-8"))


def pairs(args: tuple[str, ...]) -> dict[str, str]:
    """`k=v` arguments by name."""
    from spak.errors import Diagnostic, SpakError

    found: dict[str, str] = {}
    for one in args:
        name, sign, value = one.partition("=")
        if not sign or not name:
            raise SpakError(Diagnostic("SPK921", f"{one!r} is no argument", None, "write `--arg name=value`"))
        if name in found:
            raise SpakError(Diagnostic("SPK921", f"the argument {name!r} is given twice", None, "keep one"))
        found[name] = value
    return found


def chosen(root: Path, target: str) -> str:
    """The target whose constants are in scope. Raises SpakError for one that has no file."""
    from spak.errors import Diagnostic, SpakError

    present = sorted(path.stem for path in (root / "targets").glob("*.toml"))
    if not target:
        return "cpu" if "cpu" in present else ""
    if target not in present:
        from spak.semantics.suggest import near

        raise SpakError(
            Diagnostic("SPK903", f"target {target!r} has no file", None, near(target, present, "there are"))
        )
    return target
