"""`spak bench UNIT`: time a unit's verified kernels against each other."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click


@click.command()
@click.argument("unit")
@click.option(
    "--variant", default="", help="Only this variant, against the first of the ladder [default: all of them]."
)
@click.option("--target", default="", help="The target [default: the first that can be timed on this machine].")
@click.option("--shape", "shapes", multiple=True, metavar="M=64,N=64", help="A shape; may be given several times.")
@click.option(
    "--param", "params", multiple=True, metavar="NAME=VALUE", help="Another value of a parameter of the plan."
)
@click.option("--repeats", default=0, help="Rounds of measurement [default: by their length, more while too noisy].")
@click.option("--against", type=click.Path(dir_okay=False), help="A bench of earlier (--json) to compare with.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def command(
    unit: str,
    variant: str,
    target: str,
    shapes: tuple[str, ...],
    params: tuple[str, ...],
    repeats: int,
    against: str | None,
    as_json: bool,
) -> int:
    """Time the kernels of UNIT: medians, ratios to the first rung with 95 % intervals, and percent of this machine's peak.

    What is measured is built and verified first. Exits with 1 if a kernel has no figures.
    """
    from spak.pipeline.graph.root import find_root
    from spak.pipeline.measuring.benching import against as compared
    from spak.pipeline.measuring.benching import bench
    from spak.pipeline.measuring.loops import sizes as pairs

    earlier = _earlier(against) if against else None
    sizes = [pairs(shape) for shape in shapes]
    others = {name: value for one in params for name, value in pairs(one).items()}
    found = bench(find_root(Path.cwd()), unit, variant, target, sizes, others, repeats, say=_say)
    if earlier is not None:
        found["against"] = compared(found, earlier, str(against))
    if as_json:
        click.echo(json.dumps(found, indent=2, sort_keys=True))
    else:
        click.echo("\n".join(table(found)))
    return 0 if all(rung["ok"] for rung in found["rungs"]) else 1


def table(found: dict[str, Any]) -> list[str]:
    """For people: a line a shape and variant, and what it was measured on."""
    heads = ("shape", "variant", "time", "GFLOP/s", "GB/s", "of peak", "ratio", "95 % interval", "verdict")
    rows: list[tuple[str, ...]] = [heads]
    for index in range(len(found["rungs"][0]["shapes"])):
        for rung in found["rungs"]:
            rows.append(_row(rung, rung["shapes"][index]))
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    noise = max((rung["noise"] for rung in found["rungs"] if rung["ok"]), default=None)
    environment = found["environment"]
    lines += [
        "",
        f"noise floor (the first rung against itself): {noise:.1%}" if noise is not None else "nothing was measured",
    ]
    lines.append(
        f"on {environment['cpu']}, {environment['compiler']} {environment['flags']}, governor {environment['governor']}"
    )
    for one in found.get("against", ()):
        shape = " ".join(f"{k}={v}" for k, v in one["shape"].items())
        lines.append(f"against the earlier bench: {one['variant']} {shape}: ratio {one['ratio']:.3f}")
    return lines


def _row(rung: dict[str, Any], row: dict[str, Any]) -> tuple[str, ...]:
    shape = " ".join(f"{name}={size}" for name, size in row["shape"].items())
    if not row["ok"]:
        return (shape, rung["variant"], "not measured", "", "", "", "", "", row["why"])
    ratio = (
        (f"{row['ratio']:.3f}", f"{row['low']:.3f} to {row['high']:.3f}", row["verdict"])
        if "ratio" in row
        else ("1", "", "baseline")
    )
    known = (("gflops", "{:.2f}"), ("gbytes", "{:.2f}"), ("percent_of_peak", "{:.1f} %"))
    figures = (shown.format(row[name]) if name in row else "not stated" for name, shown in known)
    return (shape, rung["variant"], _time(row["seconds"]), *figures, *ratio)


def _time(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3f} {unit}"
    return f"{seconds / 1e-9:.0f} ns"


def _earlier(path: str) -> Any:
    from spak.errors import Diagnostic, SpakError, Span

    try:
        return json.loads(Path(path).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        hint = "write one with `spak bench UNIT --json`"
        why = error.strerror if isinstance(error, OSError) else "it is not JSON"
        raise SpakError(Diagnostic("SPK664", f"the earlier bench cannot be read: {why}", Span(path), hint)) from None


def _say(text: str) -> None:
    print(text, file=sys.stderr)
