"""One module to build: what is compiled, against which interface, for which machine. Knows no compiler."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from spak.build import words
from spak.digest import sha256_bytes
from spak.errors import Diagnostic, SpakError, Span
from spak.lock.tomlspans import loads
from spak.lock.tuned import in_force
from spak.model.base import canonical_json
from spak.model.ir import Interface
from spak.model.plan import Plan
from spak.model.target import Target, read_target


@dataclass(frozen=True)
class Job:
    """`source` is the model's device code, read from `source_path`; paths are only for messages and digests."""

    interface: Interface
    variant: str
    target: Target
    plan: Plan
    source: str
    source_path: str
    plan_path: str
    digests: Mapping[str, str]

    @property
    def unit(self) -> str:
        return self.interface.name

    @property
    def module(self) -> str:
        return f"{self.unit}_{self.target.name}"

    @property
    def file_name(self) -> str:
        """What the source is called in compilers' messages: no path, so that no folder enters the module."""
        return "kernel.cpp" if self.target.dialect == "cpp" else "kernel.cu"

    @property
    def facts(self) -> str:
        """`__spak__`: who this module is, as JSON on one line."""
        facts = {
            "unit": self.unit,
            "spec_version": self.interface.version,
            "variant": self.variant,
            "target": self.target.name,
            "device": self.target.device,
            "signature": words.signature(self.interface),
            "digests": dict(self.digests),
        }
        return json.dumps(facts, sort_keys=True, ensure_ascii=False)


def read_job(interface: str, variant: str, target: str, source: str, plan: str, tuned: str = "") -> Job:
    """Read the files of a job. Raises as `make_job` does."""
    parsed = Interface.model_validate_json(Path(interface).read_bytes())
    return make_job(parsed, variant, read_target(target), source, plan, tuned=tuned)


def make_job(
    interface: Interface, variant: str, target: Target, source: str, plan: str, root: Path = Path(), tuned: str = ""
) -> Job:
    """A job from a reply's two files, and the target's tuned parameters where there are some.

    Raises SpakError: SPK511 for a plan that is none, as the check stage says in more words; SPK640, SPK641 for a tuned file.
    """
    raw_source, raw_plan = (root / source).read_bytes(), (root / plan).read_bytes()
    try:
        launch_plan = Plan.model_validate(loads(raw_plan.decode()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
        first = str(error).splitlines()[0]
        hint = "see docs/launch-plan.md"
        raise SpakError(Diagnostic("SPK511", f"not a launch plan: {first}", Span(plan), hint)) from None
    try:
        text = raw_source.decode()
    except UnicodeDecodeError as error:
        raise SpakError(Diagnostic("SPK511", f"not UTF-8: {error}", Span(source))) from None
    digests = {
        "interface": sha256_bytes(canonical_json(interface)),
        "source": sha256_bytes(raw_source),
        "plan": sha256_bytes(raw_plan),
        "target": sha256_bytes(canonical_json(target)),
    }
    wins = in_force(str(root / tuned) if tuned else "", raw_source, raw_plan, launch_plan).require()
    if wins.params:  # the parameters, not the file: the module must not depend on figures
        digests["params"] = sha256_bytes(canonical_json(wins.params))
    return Job(interface, variant, target, wins.apply(launch_plan), text, source, plan, digests)
