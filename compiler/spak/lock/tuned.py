"""The tuned parameters of a plan on one target, `generated/<unit>/<variant>/<dialect>/tuned.<target>.toml`.

Knows neither how they were found nor what they mean.

They are in force for the very source and plan that were measured. For any other they are passed over with a warning: a new reply
must not be judged by parameters that were found for an old one.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from spak.digest import sha256_bytes
from spak.errors import Diagnostic, SpakError, Span
from spak.lock.tomlspans import loads, place, places, syntax_error
from spak.model.base import Model
from spak.model.plan import Plan

HEAD = """\
# Parameters for this target, found by `spak tune` and verified. They take the place of the plan's defaults for the source and the
# plan named below, and for no other. Remove this file to go back to the defaults.
"""


class Subject(Model):
    """What was measured: digests of the source and of the plan as the reply has it."""

    source: str
    plan: str


class Tuned(Model):
    """`evidence` is what the choice rests on: figures, what they were compared with, and on what they were measured."""

    params: dict[str, int]
    subject: Subject
    evidence: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class InForce:
    """`params` is empty where there is nothing tuned; `spans` says where each stands. `findings` are warnings and errors."""

    params: dict[str, int] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)
    findings: tuple[Diagnostic, ...] = ()

    def apply(self, plan: Plan) -> Plan:
        """The plan with these parameters in the place of its own."""
        return plan.model_copy(update={"params": {**plan.params, **self.params}}) if self.params else plan

    def require(self) -> InForce:
        """Itself; raises SpakError where there is an error among the findings."""
        wrong = [one for one in self.findings if one.severity == "error"]
        if wrong:
            raise SpakError(*wrong)
        return self


NOTHING = InForce()


def in_force(path: str, source: bytes, plan: bytes, known: Plan | None) -> InForce:
    """What a tuned file says of a source and a plan. `path` is '' where there is none, `known` the plan, as far as it is one."""
    if not path:
        return NOTHING
    raw = Path(path).read_bytes()
    try:
        tuned, where = _read(path, raw)
    except SpakError as error:
        return InForce(findings=error.diagnostics)
    if (tuned.subject.source, tuned.subject.plan) != (sha256_bytes(source), sha256_bytes(plan)):
        what = "these parameters were measured for another source or plan, and are passed over"
        hint = "`spak tune` finds them anew; or remove the file"
        return InForce(findings=(Diagnostic("SPK642", what, Span(path), hint, severity="warning"),))
    strange = sorted(set(tuned.params) - set(known.params)) if known is not None else []
    if strange:
        hint = f"the plan's are: {', '.join(sorted(known.params)) or 'none'}" if known else ""
        wrong = tuple(
            Diagnostic("SPK641", f"the plan has no parameter {name!r}", where[name], hint) for name in strange
        )
        return InForce(findings=wrong)
    return InForce(tuned.params, where)


def read(path: str) -> Tuned:
    """The file as it is. Raises SpakError (SPK640) with the place of what is wrong."""
    return _read(path, Path(path).read_bytes())[0]


def text(tuned: Tuned) -> str:
    """The file's text: same parameters and evidence, same bytes."""
    lines = [HEAD, "[params]", *(f"{name} = {value}" for name, value in sorted(tuned.params.items())), ""]
    lines += ["[subject]", *(f"{name} = {_toml(value)}" for name, value in tuned.subject.model_dump().items())]
    lines += _table(("evidence",), tuned.evidence)
    return "\n".join(lines) + "\n"


def _read(path: str, raw: bytes) -> tuple[Tuned, dict[str, Span]]:
    try:
        said = raw.decode()
        data = loads(said)
    except UnicodeDecodeError:
        raise SpakError(Diagnostic("SPK640", "the file is not UTF-8", Span(path), _AGAIN)) from None
    except tomllib.TOMLDecodeError as error:
        what, (line, column) = syntax_error(error, said)
        raise SpakError(Diagnostic("SPK640", f"not valid TOML: {what}", Span(path, line, column), _AGAIN)) from None
    found = places(said)
    try:
        tuned = Tuned.model_validate(data)
    except ValidationError as error:
        raise SpakError(*(_wrong(path, found, one) for one in error.errors())) from None
    bools = [name for name in tuned.params if isinstance(data["params"][name], bool | str | float)]
    if bools:
        spans = [Span(path, *place(found, ("params", name))) for name in bools]
        raise SpakError(
            *(
                Diagnostic("SPK640", f"params.{name} must be an integer", span, _AGAIN)
                for name, span in zip(bools, spans, strict=True)
            )
        )
    return tuned, {name: Span(path, *place(found, ("params", name))) for name in tuned.params}


_AGAIN = "`spak tune` writes this file; remove it to go back to the plan's defaults"


def _wrong(path: str, found: dict[tuple[str | int, ...], tuple[int, int]], error: Any) -> Diagnostic:
    what = ".".join(map(str, error["loc"]))
    said = {"missing": f"{what} is missing", "extra_forbidden": f"{what} means nothing here"}
    message = said.get(error["type"], f"{what}: {error['msg']}")
    return Diagnostic("SPK640", message, Span(path, *place(found, error["loc"])), _AGAIN)


def _table(name: tuple[str, ...], table: dict[str, Any]) -> list[str]:
    if not table:
        return []
    plain = {key: value for key, value in table.items() if not isinstance(value, dict)}
    lines = ["", f"[{'.'.join(map(_key, name))}]"]
    lines += [f"{_key(key)} = {_toml(value)}" for key, value in sorted(plain.items())]
    for key, value in sorted(table.items()):
        if isinstance(value, dict):
            lines += _table((*name, key), value)
    return lines


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else json.dumps(name)


def _toml(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, dict):
        inner = ", ".join(f"{_key(key)} = {_toml(one)}" for key, one in sorted(value.items()))
        return "{" + inner + "}"
    return json.dumps(value)  # strings, integers, floats and booleans are written alike
