"""The artifact of one unit on one target: its modules and the manifest that says where every bit of them came from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from spak.digest import sha256_file
from spak.effects import Do
from spak.lock.tuned import in_force, read
from spak.model.base import Model, canonical_json
from spak.model.ir import Tensor, Unit
from spak.model.outcome import Outcome
from spak.model.target import Target, read_target
from spak.store import atomic


class Rung(Model):
    """The files of one variant on the target. `evidence` are the evidence files in the order of the stages.

    `tuned` is the file of parameters tuned for the target, where there is one.
    """

    variant: str
    dialect: str
    request: str
    source: str
    plan: str
    reply: str
    module: str
    evidence: tuple[str, ...]
    tuned: str = ""


class Options(Model):
    """`rungs` in the spec's order; `out` is the folder of manifests, which also receives the modules."""

    ir: str
    target_file: str
    target: str
    rungs: tuple[Rung, ...]
    out: str
    manifest: str


def run(options: Options, do: Do) -> Outcome:
    """Copy the modules under `out/<unit>/<target>/<variant>/` and write `out/<unit>.<target>.json`."""
    unit = Unit.model_validate_json(Path(options.ir).read_bytes())
    target = read_target(options.target_file)
    chosen = options.rungs[-1].variant
    kernels = [place(unit, target, rung, options, dispatched=rung.variant == chosen) for rung in options.rungs]
    atomic.write(
        options.manifest,
        canonical_json(
            {
                "schema_version": 1,
                "unit": unit.name,
                "spec_version": unit.version,
                "license": unit.license,
                "target": target.name,
                "dispatched": {"variant": chosen, "reason": "the last rung of the ladder; speed: not measured"},
                "kernels": kernels,
                "provenance": {rung.variant: provenance(options, rung) for rung in options.rungs},
            }
        ),
    )
    return Outcome(summary={"dispatched": chosen})


def place(unit: Unit, target: Target, rung: Rung, options: Options, *, dispatched: bool) -> dict[str, Any]:
    """Copy a module to its place and return the entry that `spak.load` reads."""
    made = entry(unit, target, rung.variant, sha256_file(rung.module), dispatched=dispatched)
    atomic.write(f"{options.out}/{made['path']}", Path(rung.module).read_bytes(), 0o755)
    return made


def entry(unit: Unit, target: Target, variant: str, digest: str, *, dispatched: bool) -> dict[str, Any]:
    """A module as a manifest lists it: `spak.runtime.loader.Entry`."""
    return {
        "unit": unit.name,
        "family": unit.family or unit.name,
        "variant": variant,
        "target": target.name,
        "device": target.device,
        "arch": target.toolchain.arch if target.device == "cuda" else "",
        "ptx": target.toolchain.ptx,
        "preference": target.preference,
        "dispatched": dispatched,
        "dtypes": [p.dtype for p in unit.signature.params if isinstance(p, Tensor)],
        "path": f"{unit.name}/{target.name}/{variant}/{unit.name}_{target.name}.so",
        "digest": digest,
    }


def provenance(options: Options, rung: Rung) -> dict[str, Any]:
    """Every digest from the spec to the machine code, and the evidence itself."""
    return {
        "spec": sha256_file(options.ir),
        "target": sha256_file(options.target_file),
        "request": sha256_file(rung.request),
        "reply": sha256_file(rung.reply),
        "source": sha256_file(rung.source),
        "plan": sha256_file(rung.plan),
        **tuned(rung),
        "module": sha256_file(rung.module),
        "evidence": [{"sha256": sha256_file(path), **json.loads(Path(path).read_bytes())} for path in rung.evidence],
    }


def tuned(rung: Rung) -> dict[str, Any]:
    """The parameters in force for the target and what they rest on; nothing where the plan's own are."""
    source, plan = Path(rung.source).read_bytes(), Path(rung.plan).read_bytes()
    params = in_force(rung.tuned, source, plan, None).require().params
    if not params:
        return {}
    return {"tuned": {"sha256": sha256_file(rung.tuned), "params": params, "evidence": read(rung.tuned).evidence}}
