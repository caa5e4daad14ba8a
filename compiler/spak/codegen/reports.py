"""What the codegen stage reports: outcomes, and errors that say what led to them. Knows nothing of the order of its
steps.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from spak.codegen.repair import Failed
from spak.errors import Diagnostic, SpakError, Waiting
from spak.lock import Entry, TargetEvidence
from spak.model.outcome import Outcome
from spak.model.request import Provenance


def moved(one: dict[str, Any], file: str, starts: dict[str, int]) -> dict[str, Any]:
    """A diagnostic with its places in files that are gone made places in the reply they came from."""
    related = [{**other, "span": _moved(other.get("span"), file, starts)} for other in one.get("related", ())]
    return {**one, "span": _moved(one.get("span"), file, starts), "related": related}


def _moved(span: list[Any] | None, file: str, starts: dict[str, int]) -> list[Any] | None:
    if not span or span[0] not in starts:
        return span
    _, line, col, end_line, end_col = span
    down = starts[span[0]] - 1
    return [file, line + down, col, end_line + down if end_line else 0, end_col]


def refuse_incomplete(provenance: Provenance, name: str) -> None:
    """A cut or refused reply is never taken in, whoever it came from."""
    if provenance.finish == "length":
        what = f"the reply for {name} was cut short at the model's output limit"
        raise SpakError(Diagnostic("SPK323", what, hint="raise `max_tokens` under [model.sampling]"))
    if provenance.finish not in ("stop", ""):
        what = f"the model gave no reply for {name}: {provenance.finish}"
        raise SpakError(Diagnostic("SPK324", what, hint="reword the spec or choose another model"))


def with_reason(error: SpakError, failures: list[Failed]) -> SpakError:
    """The same error, saying also what made asking necessary."""
    if not failures or not failures[0].diagnostics or not error.diagnostics:
        return error
    first, *rest = (Diagnostic.from_json(one) for one in failures[0].diagnostics)
    whose = "the pinned source" if failures[0].pinned else "the last reply"
    more = f" (and {len(rest)} more)" if rest else ""
    head, *others = error.diagnostics
    noted = replace(head, notes=(*head.notes, f"{whose} failed: {first}{more}"))
    return (Waiting if isinstance(error, Waiting) else SpakError)(noted, *others)


def evidence(judged: Outcome) -> tuple[TargetEvidence, ...]:
    known = TargetEvidence.model_fields
    return tuple(
        TargetEvidence(**{k: v for k, v in one.items() if k in known}) for one in judged.summary.get("targets", ())
    )


def done(action: str, entry: Entry, judged: Outcome | None = None) -> Outcome:
    provenance = entry.provenance
    spent = {
        k: v for k, v in provenance.model_dump().items() if k in ("tokens_in", "tokens_out", "cost") and v is not None
    }
    summary = {"action": action, "reply": entry.reply, "attempts": entry.attempts, "by": provenance.by, **spent}
    return Outcome(diagnostics=judged.diagnostics if judged else (), summary=summary)


def failed(problems: list[Diagnostic], action: str) -> Outcome:
    return Outcome(ok=False, diagnostics=tuple(d.to_json() for d in problems), summary={"action": action})
