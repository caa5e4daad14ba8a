"""Verification as a stage of the build: its options, and `run`. Knows files, but not how anything is verified."""

from __future__ import annotations

from typing import Literal

from spak.effects import Do
from spak.model.base import Model, canonical_json
from spak.model.outcome import Outcome


class Options(Model):
    """Everything a verification reads; paths are relative to the project root.

    `request` is only hashed into the evidence; `compile` is the compile stage's evidence, for the compiler's identity.
    `tuned` is the file of parameters tuned for the target, where there is one: rounds are shaped by them.
    `checked` is the simulator's second module, which tells of its accesses; "" for other targets.
    `mode` leaves all but one part out: "plain" (rounds and properties), "check" or "profile" (the simulator's); "" is everything.
    `call_seconds` is the CPU time that one call may take; its wall-clock limit is six times that.
    """

    unit: str
    variant: str
    ir: str
    target: str
    module: str
    source: str
    plan: str
    evidence: str
    request: str = ""
    reference: str = ""
    compile: str = ""
    tuned: str = ""
    checked: str = ""
    mode: Literal["", "plain", "check", "profile"] = ""
    call_seconds: float = 20.0


def run(options: Options, do: Do) -> Outcome:
    """Verify, write the evidence, and say whether it passed. Raises SpakError where verification itself is
    impossible.
    """
    from spak.store.atomic import write
    from spak.verify.verification import verify

    evidence = verify(options)
    write(options.evidence, canonical_json(evidence))
    counted = [c for c in evidence.checks if c.verdict in ("passed", "failed")]
    failed = [c.name for c in counted if c.verdict == "failed"]
    summary = {"checks": len(counted), "failed": failed[:20], "verdict": evidence.verdict}
    return Outcome(ok=evidence.verdict == "passed", diagnostics=evidence.diagnostics, summary=summary)
