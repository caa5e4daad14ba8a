"""Run every static check over one subject and write the evidence. Knows the protocol of a check, and no check by
name.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

import spak.check.checks
from spak.check.plan_file import PlanFile, read_plan, tune
from spak.check.source import Source
from spak.check.subject import CheckModule, Subject
from spak.digest import sha256_bytes
from spak.errors import Diagnostic, SpakError, Span
from spak.lock.tuned import InForce, in_force
from spak.model.base import Model, canonical_json
from spak.model.evidence import Check, Evidence, Verdict
from spak.model.ir import Interface, Unit
from spak.model.outcome import Outcome
from spak.model.target import Target, read_target
from spak.store import atomic

if TYPE_CHECKING:
    from spak.check import Options

#: More than any device code needs. Some checks look at a line, or at the functions, again and again: hostile text is bounded.
_LARGEST, _LONGEST = 1 << 18, 1 << 12

_LACKING = {
    "text": "the source is not text",
    "plan text": "the plan is not text",
    "tree": "the source does not parse",
    "plan": "the plan is not valid",
    "values": "an expression of the plan has no value",
}

M = TypeVar("M", bound=Model)


def judge(options: Options) -> Outcome:
    """All checks over the subject that the options name. Raises SpakError when an input cannot be read at all."""
    unit = _load(options.ir, Unit)
    variant = next((v for v in unit.variants if v.name == options.variant), None)
    if variant is None:
        raise SpakError(
            Diagnostic("SPK400", f"unit {unit.name!r} has no variant {options.variant!r}", Span(options.ir))
        )
    target = _load_target(options.target)
    source_text, source_findings = _text(options.source)
    plan_text, plan_findings = _text(options.plan)
    file = PlanFile(options.plan, plan_text, None) if plan_findings else read_plan(options.plan, plan_text)
    tuned = _tuned(options, file)
    subject = Subject(
        unit=unit,
        interface=_load(options.interface, Interface),
        variant=variant,
        target=target,
        source=Source(options.source, source_text, options.dialect),
        file=tune(file, tuned),
        z3_ms=options.z3_ms,
    )
    checks, found = examine(subject, source_findings, plan_findings)
    if tuned.findings:
        found = [*tuned.findings, *found]
    failed = any(d.severity == "error" for d in found) or any(c.verdict == "failed" for c in checks)
    evidence = Evidence(
        stage="check",
        unit=unit.name,
        variant=variant.name,
        target=target.name,
        verdict="failed" if failed else "passed",
        subject={
            "interface": sha256_bytes(canonical_json(subject.interface)),
            "plan": sha256_bytes(Path(options.plan).read_bytes()),
            "source": sha256_bytes(Path(options.source).read_bytes()),
            "spec": sha256_bytes(canonical_json(unit)),
            **({"params": sha256_bytes(canonical_json(tuned.params))} if tuned.params else {}),
        },
        checks=tuple(checks),
        not_checked=tuple(sorted(f"{c.name}: {c.detail}" for c in checks if c.verdict in ("skipped", "unproved"))),
        environment=_versions(),
        diagnostics=tuple(d.to_json() for d in found),
    )
    Path(options.evidence).parent.mkdir(parents=True, exist_ok=True)
    atomic.write(options.evidence, canonical_json(evidence))
    tally = {
        verdict: sum(c.verdict == verdict for c in checks) for verdict in ("passed", "failed", "unproved", "skipped")
    }
    return Outcome(ok=not failed, diagnostics=evidence.diagnostics, summary={k: v for k, v in tally.items() if v})


def _tuned(options: Options, file: PlanFile) -> InForce:
    """The parameters that take the place of the plan's. Raises SpakError for a file that is none: no reply is to blame for it."""
    if options.unfit:
        what = f"these parameters are passed over: {options.unfit}"
        hint = "`spak tune` finds them anew; or remove the file"
        return InForce(findings=(Diagnostic("SPK643", what, Span(options.tuned), hint, severity="warning"),))
    source, plan = Path(options.source).read_bytes(), Path(options.plan).read_bytes()
    return in_force(options.tuned, source, plan, file.plan).require()


def examine(
    subject: Subject, source_findings: list[Diagnostic], plan_findings: list[Diagnostic]
) -> tuple[list[Check], list[Diagnostic]]:
    """Every check's verdict, and every finding in source order."""
    usable = {name for name, wrong in (("text", source_findings), ("plan text", plan_findings)) if not wrong}
    if "text" in usable and not subject.source.root.has_error:
        usable.add("tree")
    if subject.file.plan is not None:
        usable.add("plan")
        if not subject.value_problems:
            usable.add("values")
    found = [*source_findings, *plan_findings]
    checks: list[Check] = []
    if found:
        checks.append(Check(name="readable", verdict="failed", detail=f"{len(found)} found"))
    for module in modules():
        if lacking := module.NEEDS - usable:
            detail = "; ".join(_LACKING[name] for name in sorted(lacking))
            checks.append(Check(name=module.NAME, verdict="skipped", detail=detail))
            continue
        _run_one(module, subject, checks, found)
    order = {"error": 0, "warning": 1}
    return checks, sorted(set(found), key=lambda d: (d.span or Span(""), order.get(d.severity, 2), d.code, d.message))


def modules() -> Iterator[CheckModule]:
    """The checks, by file name."""
    for info in sorted(pkgutil.iter_modules(spak.check.checks.__path__), key=lambda info: info.name):
        yield importlib.import_module(f"spak.check.checks.{info.name}")


def _run_one(module: CheckModule, subject: Subject, checks: list[Check], found: list[Diagnostic]) -> None:
    verdicts, errors = 0, 0
    for finding in module.check(subject):
        if isinstance(finding, Check):
            checks.append(finding)
            verdicts += 1
        else:
            found.append(finding)
            errors += finding.severity == "error"
    if not verdicts:
        verdict: Verdict = "failed" if errors else "passed"
        checks.append(Check(name=module.NAME, verdict=verdict, detail=f"{errors} found" if errors else ""))


def _text(path: str) -> tuple[str, list[Diagnostic]]:
    """A file as text; what is wrong with its bytes is a finding about the reply, not an error of the build."""
    data = Path(path).read_bytes()
    if len(data) > _LARGEST:
        hint = "tables that large belong into the code that computes them"
        return "", [
            Diagnostic("SPK400", f"{len(data)} bytes are more than the {_LARGEST} a file may have", Span(path), hint)
        ]
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        return "", [
            Diagnostic(
                "SPK400",
                f"byte 0x{data[error.start]:02x} is not UTF-8",
                Span(path, line, column),
                "save the file as UTF-8",
            )
        ]
    lines = text.split("\n")
    if longest := next((at for at, line in enumerate(lines, 1) if len(line) > _LONGEST), 0):
        message = f"the line has {len(lines[longest - 1])} characters; {_LONGEST} are the most"
        return "", [Diagnostic("SPK400", message, Span(path, longest), "break it")]
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        return "", [Diagnostic("SPK400", "a NUL character is not allowed in source text", Span(path, line))]
    return text, []


def _load(path: str, model: type[M]) -> M:
    try:
        return model.model_validate_json(Path(path).read_bytes())
    except OSError as error:
        raise SpakError(Diagnostic("SPK400", f"cannot read: {error.strerror}", Span(path))) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SpakError(
            Diagnostic("SPK400", f"not a {model.__name__.lower()}: {where}: {first['msg']}", Span(path))
        ) from None


def _load_target(path: str) -> Target:
    """A target, as its TOML or in canonical JSON."""
    try:
        return read_target(path)
    except (OSError, ValueError) as error:
        raise SpakError(Diagnostic("SPK400", f"not a target: {str(error).splitlines()[0]}", Span(path))) from None


def _versions() -> dict[str, str]:
    """Versions of what the verdicts rest on."""
    from importlib.metadata import version

    return {name: version(name) for name in ("tree-sitter", "tree-sitter-cpp", "tree-sitter-cuda", "z3-solver")}
