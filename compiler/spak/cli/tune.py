"""`spak tune UNIT | FILE.dsl [LOOP]`: search a unit's tuning space, or an engineering loop, and write the best back."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click


@click.command()
@click.argument("subject", metavar="UNIT|FILE.dsl")
@click.argument("name", metavar="[LOOP]", required=False, default="")
@click.option("--variant", default="", help="The variant of a unit [default: the last that has parameters].")
@click.option(
    "--target", default="", help="The target of a unit [default: the first that can be timed on this machine]."
)
@click.option("--shape", "shapes", multiple=True, metavar="M=64,N=64", help="A shape; may be given several times.")
@click.option(
    "--metric", default="", help="seconds, gflops or gbytes [default: gflops, seconds where none are stated]."
)
@click.option(
    "--strategy", default="", help="cartesian, random or tpe [default: the loop's; for a unit, by the space's size]."
)
@click.option("--trials", type=click.IntRange(0), default=None, help="At most so many trials; 0 is no limit.")
@click.option(
    "--seconds", type=click.FloatRange(0), default=None, help="At most so many seconds of trials; 0 is no limit."
)
@click.option("--seed", type=int, default=None, help="The seed of strategies that draw.")
@click.option(
    "--again", is_flag=True, help="Measure anew what was tried earlier and has no figure: it was noisy, or failed."
)
@click.option("--simulate", type=click.Path(dir_okay=False), help="Replay a recorded sweep instead of measuring.")
@click.option(
    "--apply/--no-apply", default=None, help="Write the best back [default: a loop's write_back; for a unit, no]."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(
    subject: str,
    name: str,
    variant: str,
    target: str,
    shapes: tuple[str, ...],
    metric: str,
    strategy: str,
    trials: int | None,
    seconds: float | None,
    seed: int | None,
    again: bool,
    simulate: str | None,
    apply: bool | None,
    as_json: bool,
) -> int:
    """Search for the best parameters of a kernel's plan, or run an engineering loop of a program.

    Every trial is kept as it ends: the same command goes on where it was stopped, and measures nothing twice. What is
    written back is verified first. Exits with 1 if nothing could be measured.
    """
    from dataclasses import replace

    from spak.optimize.record import read
    from spak.pipeline.graph.root import find_root
    from spak.pipeline.measuring.loops import loop_of
    from spak.pipeline.measuring.sweeping import sweep

    root = find_root(Path.cwd())
    record = read(Path(simulate), simulate) if simulate else None
    loop = loop_of(root, subject, name, variant=variant, target=target, shapes=shapes, metric=metric, say=_say)
    changes: dict[str, Any] = {"strategy": strategy or None, "trials": trials, "seconds": seconds, "seed": seed}
    loop = replace(loop, **{key: value for key, value in changes.items() if value is not None})
    found = sweep(root, loop, _trial, simulate=record, apply=apply, again=again, say=_say)
    if as_json:
        click.echo(json.dumps(found, indent=2, sort_keys=True))
    else:
        click.echo("\n".join(lines(found)))
    return 0 if found["ok"] else 1


def lines(found: dict[str, Any]) -> list[str]:
    """For people."""
    head = f"{found['loop']}: {found['objective']} {found['metric']} by {found['strategy']} search, {found['ended']}"
    counts = ", ".join(f"{found[name]} {name}" for name in ("measured", "noisy", "failed", "cached"))
    said = [head, f"{found['trials']} trials: {counts}"]
    if found["noisy"]:
        said.append("what was noisy has no figure; `--again` measures that anew")
    if not found["best"]:
        return [*said, found["why"]]
    best = found["best"]
    said.append(f"best: {_text(best['params'])}: {found['metric']} = {best['value']:.5g}{_beside(best)}")
    said += [f"tied: {_text(params)}" for params in found["tied"][:8]]
    if found["default"]:
        said.append(f"in force: {_text(found['default'])}")
    if found["written"]:
        said.append(f"written: {found['written']}; rebuilt: {', '.join(found['rebuilt']) or 'nothing'}")
    elif found.get("removed"):
        said.append(f"removed: {found['removed']}: the plan's own parameters are as good as any")
    elif found.get("kept"):
        said.append(f"kept: {found['kept']}")
    said += [f"refused: {_text(one['params'])}: {one['why']}" for one in found.get("rejected", ())]
    if found.get("simulated"):
        said.append(f"replayed from {found['simulated']}: nothing was measured")
    if found.get("record"):
        said.append(f"record: {found['record']}")
    return said


def _beside(best: dict[str, Any]) -> str:
    """What stands beside a kernel's figure."""
    if "ratio" not in best:
        return ""
    ratio = f"{best['ratio']:.3f} ({best['low']:.3f} to {best['high']:.3f}) times the plan's own parameters"
    return f"{_of_peak(best)}, {ratio}, {best['verdict']}"


def _of_peak(figures: dict[str, Any]) -> str:
    return f", {figures['percent_of_peak']:.1f} % of peak" if "percent_of_peak" in figures else ""


def _trial(trial: dict[str, Any]) -> None:
    """One trial as it ends, on standard error."""
    value = trial["metrics"].get(trial["metric"])
    shown = f"{trial['metric']} = {value:.5g}" if isinstance(value, int | float) else trial["status"]
    ratio = trial["metrics"].get("ratio")
    beside = f"{_of_peak(trial['metrics'])}, ratio {ratio:.3f}" if ratio is not None else ""
    notes = "; ".join(filter(None, ["cached" if trial["cached"] else "", trial["why"]]))
    _say(f"[{trial['number']}] {_text(trial['params'])}: {shown}{beside}" + (f" ({notes})" if notes else ""))


def _text(params: dict[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in params.items())


def _say(text: str) -> None:
    print(text, file=sys.stderr)
