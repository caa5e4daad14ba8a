"""Evidence: what was checked, with which figures, on what, and what was not. Holds no times and no absolute paths."""

from __future__ import annotations

from typing import Any, Literal

from spak.model.base import Model

Verdict = Literal["passed", "failed", "unproved", "skipped"]


class Check(Model):
    """One check. `figures` are measured numbers; `replay` is the command that repeats exactly this check."""

    name: str
    verdict: Verdict
    detail: str = ""
    figures: dict[str, Any] = {}
    seed: int | None = None
    replay: str = ""


class Evidence(Model):
    """Written to `build/evidence/<unit>/<variant>/<target>/<stage>.json`; `verdict` is failed if any check failed.

    `subject` maps what was judged to sha256 digests: source, plan, module, spec, reference, ...
    """

    schema_version: int = 1
    stage: Literal["check", "compile", "verify"]
    unit: str
    variant: str
    target: str
    verdict: Literal["passed", "failed"]
    subject: dict[str, str]
    checks: tuple[Check, ...]
    not_checked: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    smallest_failure: dict[str, Any] | None = None
    diagnostics: tuple[dict[str, Any], ...] = ()
