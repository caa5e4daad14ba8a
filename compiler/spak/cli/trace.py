"""`spak trace`: show, replay or compare the events of runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from spak.traces.event import Event
    from spak.traces.folder import RunFolder


@click.command()
@click.argument("words", nargs=-1, metavar="[RUN] [show|replay|diff OTHER]")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Only events of this kind.")
@click.option("--step", "steps", multiple=True, metavar="STEP", help="Only events of this step.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: events one a line, anything else as one value.")
def command(words: tuple[str, ...], kinds: tuple[str, ...], steps: tuple[str, ...], as_json: bool) -> int:
    """Print the events of RUN (an id, its number or its beginning; without one, the newest).

    `replay` executes the run again with the replies, results and times on record, and exits with 1 where it does not
    give the same events, byte for byte. `diff` prints what differs between two runs, times aside, and exits with 1 if
    anything does.
    """
    from spak.cli.step import where
    from spak.traces.folder import find_run

    runs, does = sort(words)
    folders = [find_run(where(), run) for run in runs or [""]]
    if does == "replay":
        return replay(folders[0], as_json)
    if does == "diff":
        return diff(folders[0], folders[1], as_json)
    return show(folders[0], kinds, steps, as_json)


def sort(words: tuple[str, ...]) -> tuple[list[str], str]:
    """The runs that are named, and what is to be done; the word may stand first or after the run."""
    verbs = [word for word in words if word in {"show", "replay", "diff"}]
    runs = [word for word in words if word not in verbs]
    does = verbs[0] if verbs else "show"
    if len(verbs) > 1 or len(runs) > (2 if does == "diff" else 1):
        raise click.UsageError("name one run, and one of show, replay, diff OTHER")
    if does == "diff" and len(runs) != 2:
        raise click.UsageError("diff needs two runs: spak trace RUN diff OTHER")
    return runs, does


def events_of(folder: RunFolder) -> list[Event]:
    from spak.traces.reading import read_events

    return read_events(folder.trace, f"{folder.shown}/trace.jsonl")


def show(folder: RunFolder, kinds: tuple[str, ...], steps: tuple[str, ...], as_json: bool) -> int:
    from spak.traces.choosing import choose
    from spak.traces.showing import line

    events = choose(events_of(folder), kinds, steps)
    for event in events:
        click.echo(event.to_line().decode() if as_json else line(event), nl=not as_json)
    click.echo(f"run {folder.id}: {len(events)} events", err=True)
    return 0


def replay(folder: RunFolder, as_json: bool) -> int:
    from spak.errors import SpakError
    from spak.pipeline.runs.running import replay as again

    try:
        same, missing = again(folder)
    except SpakError as error:
        if as_json:
            why = [one.to_json() for one in error.diagnostics]
            click.echo(json.dumps({"run": folder.id, "same": False, "why": why}, ensure_ascii=False))
        raise
    if as_json:
        click.echo(json.dumps({"run": folder.id, "events": same, "same": True, "ended": not missing}))
    else:
        click.echo(f"run {folder.id}: {same} events, the same byte for byte" + (f" ({missing})" if missing else ""))
    return 0


def diff(one: RunFolder, other: RunFolder, as_json: bool) -> int:
    from spak.traces.comparing import compare
    from spak.traces.showing import difference

    found = compare(events_of(one), events_of(other))
    if as_json:
        rows = [
            {
                "sign": each.sign, "old": each.old.seq if each.old else None, "new": each.new.seq if each.new else None,
                "parts": [list(part) for part in each.parts],
            }
            for each in found
        ]  # fmt: skip
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        for each in found:
            click.echo("\n".join(difference(each)))
    click.echo(
        f"{len(found)} differences between {one.id} and {other.id}" if found else "the same, times aside", err=True
    )
    return 1 if found else 0
