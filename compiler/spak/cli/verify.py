"""`spak verify UNIT.VARIANT@TARGET`: verifies a built module directly, printing each check; `--round` repeats one."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spak.errors import Diagnostic, SpakError

if TYPE_CHECKING:
    from spak.verify import Options


@click.command()
@click.argument("name", metavar="UNIT.VARIANT@TARGET")
@click.option(
    "--round", "round_", default="", help="Run this round only, as the evidence names it: odd-tile+1, exact-1, ..."
)
@click.option(
    "--seed", type=int, default=None, help="Use this seed, as the evidence has it, in the place of the derived one."
)
@click.option(
    "--mode",
    type=click.Choice(["plain", "check", "profile"]),
    default=None,
    help="Only that part: the rounds, the simulator's check mode, or its counters. Without it, everything.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the evidence as JSON.")
@click.option("--sarif", "as_sarif", is_flag=True, help="Print what was found as SARIF 2.1.0, for code review.")
def command(name: str, round_: str, seed: int | None, mode: str | None, as_json: bool, as_sarif: bool) -> None:
    """Verify a built module directly: every round, or exactly one of them again.

    The module must have been built (`doit build`). Nothing is written; the recorded evidence stays as it is.
    """
    from spak.errors.sarif import Result, log
    from spak.model.base import canonical_json
    from spak.pipeline.places import led
    from spak.verify.verification import verify

    options = options_of(name)
    if mode in ("check", "profile") and not options.checked:
        hint = "check mode and counters are the simulator's: `doit build`, then verify on `sim`"
        raise SpakError(Diagnostic("SPK608", f"{name} has no module for mode {mode}", hint=hint))
    evidence = verify(options.model_copy(update={"mode": mode or ""}), round_, seed)
    found = led((Diagnostic.from_json(one) for one in evidence.diagnostics), options.unit)
    status = 0 if evidence.verdict == "passed" else 1
    if as_sarif:
        sys.stdout.write(log("spak verify", map(Result, found), {"subject": name, "verdict": evidence.verdict}, status))
    elif as_json:
        evidence = evidence.model_copy(update={"diagnostics": tuple(one.to_json() for one in found)})
        sys.stdout.write(canonical_json(evidence).decode())
    else:
        for check in evidence.checks:
            click.echo(f"{check.verdict:8} {check.name:24} {check.detail}")
            for result, figures in check.figures.items() if round_ or mode == "profile" else ():
                click.echo(f"         {result}: {json.dumps(figures, sort_keys=True)}")
        for diagnostic in found:
            click.echo(str(diagnostic), err=True)
        if round_ and evidence.smallest_failure:
            click.echo(f"smallest failing input: {json.dumps(evidence.smallest_failure, sort_keys=True)}")
        click.echo(f"{evidence.verdict}: {len(evidence.checks)} checks, sandbox: {evidence.environment['sandbox']}")
    sys.exit(status)


def options_of(name: str) -> Options:
    """The verification's options by the project's own file names. Raises SpakError for a name of another form."""
    from spak.verify import Options

    match = re.fullmatch(r"([A-Za-z_]\w*)\.([A-Za-z_]\w*)@([\w.-]+)", name)
    if not match:
        hint = "for example `spak verify matmul.tiled@cpu`"
        raise SpakError(Diagnostic("SPK608", f"{name!r} is not of the form UNIT.VARIANT@TARGET", hint=hint))
    unit, variant, target = match.groups()
    target_file = f"targets/{target}.toml"
    if not Path(target_file).is_file():
        hint = f"targets are {', '.join(sorted(p.stem for p in Path('targets').glob('*.toml'))) or 'none here'}"
        raise SpakError(Diagnostic("SPK608", f"there is no target {target} here", hint=hint))
    from spak.verify.verification import load_target

    dialect = load_target(target_file).dialect
    source = f"generated/{unit}/{variant}/{dialect}"
    ir = f"build/ir/{unit}.json"
    if not Path(ir).is_file():
        raise SpakError(Diagnostic("SPK608", f"{ir} is not there", hint=f"build first: `doit build {unit}`"))
    reference = json.loads(Path(ir).read_bytes()).get("reference", {}).get("file", "")
    request = f"build/request/{unit}.{variant}.{dialect}.json"
    tuned = f"{source}/tuned.{target}.toml"
    compiled = f"build/evidence/{unit}/{variant}/{target}/compile.json"
    checked = f"build/native/{target}/{unit}/{variant}/checked/{unit}_{target}.so"
    return Options(
        unit=unit,
        variant=variant,
        ir=ir,
        target=target_file,
        module=f"build/native/{target}/{unit}/{variant}/{unit}_{target}.so",
        source=f"{source}/kernel.{'cpp' if dialect == 'cpp' else 'cu'}",
        plan=f"{source}/plan.toml",
        evidence=f"build/evidence/{unit}/{variant}/{target}/verify.json",
        request=request if Path(request).is_file() else "",
        reference=reference,
        compile=compiled if Path(compiled).is_file() else "",
        tuned=tuned if Path(tuned).is_file() else "",
        checked=checked if Path(checked).is_file() else "",
    )
