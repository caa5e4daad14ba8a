"""`spak improve`: have a program improved by what its runs show, and compare before anything is changed."""

from __future__ import annotations

import json

import click


@click.command()
@click.argument("file")
@click.option(
    "--runs", "-r", multiple=True, required=True, metavar="RUN", help="A run of it, by id; several are its noise."
)
@click.argument("more", nargs=-1, metavar="[RUN...]")
@click.option("--attempts", default=3, type=click.IntRange(1, 20), help="Replies to ask for at most [default: 3].")
@click.option(
    "--handler", default="", help="Who answers: replay, suspend, live or frozen [default: the project's setting]."
)
@click.option("--approve", default="", metavar="DIGEST", help="Let this very version be tried, new commands and all.")
@click.option(
    "--apply", is_flag=True, help="Write FILE if the new version is not worse. It is never written otherwise."
)
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
def command(
    file: str,
    runs: tuple[str, ...],
    more: tuple[str, ...],
    attempts: int,
    handler: str,
    approve: str,
    apply: bool,
    as_json: bool,
) -> int:
    """Ask for a better version of FILE, show it as a diff, and run it in a copy of the project as RUN was run.

    It is accepted if no metric of its evaluation is worse and nothing that passed fails. Exits with 0 if it is, 1 if it is
    refused, and 3 while an answer or an approval is to come: the same command goes on then.
    """
    from spak.cli.run import place
    from spak.lift.comparing import table
    from spak.pipeline.runs.improving import Wanted, improve

    root, program = place(file)
    shown = (lambda text: None) if as_json else click.echo
    wanted = Wanted(attempts, handler, approve, apply)
    improved = improve(root, program, [*runs, *more], wanted, lambda text: click.echo(text, err=True), shown)
    if as_json:
        click.echo(json.dumps(improved.to_json(), indent=2, ensure_ascii=False))
        return 0 if improved.accepted else 1
    click.echo("")
    for line in table(improved.rows):
        click.echo(line)
    if not improved.accepted:
        click.echo(f"\nrefused: {program} stays as it is")
        return 1
    click.echo(f"\naccepted: {program} {'written' if improved.applied else 'stays as it is without --apply'}")
    return 0
