"""`spak sim FILE.cu`: run a CUDA program on the CPU, and say what its kernels do wrong."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from spak.sim.findings import Finding
    from spak.sim.report import About


@click.command(context_settings={"ignore_unknown_options": False})
@click.argument("files", nargs=-1, required=True, metavar="FILE.cu [MORE.cu|.cpp] [-- ARGUMENTS]")
@click.option(
    "--mode",
    type=click.Choice(["check", "plain", "asan", "profile"]),
    default="plain",
    show_default=True,
    help="check: find races, wrong accesses, hazards of asynchronous copies (some 20 times slower: use small problems). "
    "plain: results, fast; deadlocks and divergent barriers are found too. asan: AddressSanitizer for host and device "
    "code. profile: count what kernels do.",
)
@click.option("-I", "include_dirs", multiple=True, metavar="DIR", help="Look here for the program's own headers.")
@click.option("-D", "defines", multiple=True, metavar="NAME[=VALUE]", help="Define a macro.")
@click.option(
    "-O", "optimise", type=click.Choice(["0", "1", "2", "3", "s"]), default="2", show_default=True, help="Optimise."
)
@click.option("--device", default="h200", show_default=True, help="The device that the program is told it runs on.")
@click.option("--seed", type=int, default=None, help="The seed of everything that is drawn [default: the engine's].")
@click.option(
    "--order",
    type=click.Choice(["forward", "reverse", "random"]),
    default=None,
    help="The order of blocks and threads [default: forward; random with --seed].",
)
@click.option(
    "--completion",
    type=click.Choice(["eager", "lazy", "random"]),
    default=None,
    help="When asynchronous copies complete: at once, at the last moment, or at random ones [default: lazy].",
)
@click.option(
    "--threads", type=click.IntRange(1), default=None, help="OS threads that run blocks [default: all cores]."
)
@click.option(
    "--sample-blocks",
    type=click.IntRange(1),
    default=None,
    help="Of each grid, run the first block, the last, and so many others [default: all].",
)
@click.option(
    "--seconds",
    type=click.IntRange(1),
    default=None,
    help="End a launch after so many seconds of CPU time [default: 300], and the program if it then goes on.",
)
@click.option("--report", "form", type=click.Choice(["text", "json", "sarif"]), default="text", show_default=True)
@click.option(
    "--max-findings",
    "most",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="Report at most so many, the first by place.",
)
@click.option("-o", "output", type=click.Path(dir_okay=False), help="Write the report to a file.")
@click.option("--keep", type=click.Path(dir_okay=False), help="Keep the compiled program under this name.")
@click.pass_context
def command(
    ctx: click.Context,
    files: tuple[str, ...],
    mode: str,
    include_dirs: tuple[str, ...],
    defines: tuple[str, ...],
    optimise: str,
    device: str,
    seed: int | None,
    order: str | None,
    completion: str | None,
    threads: int | None,
    sample_blocks: int | None,
    seconds: int | None,
    form: str,
    most: int,
    output: str | None,
    keep: str | None,
) -> int:
    """Compile a CUDA program for the CPU as it stands, run it, and report what the simulator found.

    The program has the terminal to itself while it runs. What comes after `--` goes to it. The report follows on
    standard error, or goes to the file that -o names. JSON and SARIF go to standard output, and what the program prints to
    standard error: there is one whatever happens, of a program that does not compile too.

    \b
    Examples:
      spak sim --mode check reduce.cu                   races, accesses, barriers, each with its lines
      spak sim matmul.cu util.cpp -I include -- 512     results only, on all cores; 512 goes to the program
      spak sim --mode check --seed 7 --completion lazy pipeline.cu
      spak sim --mode check --report sarif -o findings.sarif scan.cu

    \b
    Exits with the program's own status; with 1 if that is 0 and there are findings; with 2 if the program does not
    compile or an option is wrong; with 128 and the signal's number if a signal ended it.
    """
    import tempfile

    from spak.errors import SpakError
    from spak.sim import program, report

    sources, arguments = split(files)
    if not sources:
        raise click.UsageError("Name a source file before `--`.", ctx)
    for path in filter(None, (output, keep)):
        if not Path(path).absolute().parent.is_dir():
            raise click.UsageError(f"The folder of {path!r} is not there: make it first.", ctx)
    given = {"seed": seed, "order": order, "completion": completion, "threads": threads}
    given |= {"sample_blocks": sample_blocks}
    settings = program.Settings(
        mode=mode,
        device=device,
        optimise=optimise,
        include_dirs=tuple(Path(path) for path in include_dirs),
        defines=defines,
        options={key: str(value) for key, value in given.items() if value is not None},
        seconds=seconds or 0,
    )
    with tempfile.TemporaryDirectory(prefix="spak-sim-") as name:
        folder = Path(name)
        printed = sys.stderr if form != "text" and not output else None
        try:
            made, names = program.build(sources, settings, folder, tell)
            if keep:
                program.keep(made, Path(keep))
            done = program.run(made, arguments, settings, names, folder, tell, printed)
        except SpakError as error:
            _say(form, output, (), report.About(diagnostics=error.diagnostics, status=2))
            return 2
    status = 128 - done.status if done.status < 0 else done.status or int(bool(done.found))
    found = report.ordered(done.found)
    ended = (done.ended,) if done.ended else ()
    _say(form, output, found[:most], report.About(done.ran, ended, status, done.profiles, len(found[most:])))
    return status


def tell(what: str) -> None:
    """Say what takes long."""
    click.echo(f"spak sim: {what}", err=True)


def split(words: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Sources first, then what goes to the program: everything after `--`, which click has taken out."""
    after = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    return list(words[: len(words) - len(after)]), list(words[len(words) - len(after) :])


def _say(form: str, output: str | None, found: tuple[Finding, ...], about: About) -> None:
    from spak.sim import report

    said = {
        "text": lambda: report.text(found, about=about),
        "json": lambda: report.json(found, about),
        "sarif": lambda: report.sarif(found, about),
    }[form]()
    if output:
        Path(output).write_text(said)
    else:
        click.echo(said, err=form == "text", nl=False)
