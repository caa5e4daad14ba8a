"""The questions of learning: what a model is shown of traces, reports and programs. Knows wording and bounds, not answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spak.lift.material import Material, RunTraces, schema_text
from spak.model.request import Message, Question
from spak.traces.event import Event

TEMPLATES = Path(__file__).parent / "templates"

MOST_LINES = 600  # of traces in all
MOST_LINE = 2000  # characters
MOST_REPORT = 40_000

#: What is told of a run to draw knowledge from it, and beside that to improve its program.
TOLD = ("emit", "fact", "rule", "invariant", "trial", "set", "step", "metric", "end")
ALL_TOLD = (*TOLD, "event", "tool", "query", "answer")


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom to ask and how, as the project says."""

    model: str = ""
    endpoint: str = ""
    sampling: Mapping[str, Any] | None = None


def lift_question(name: str, material: Material, to: Asked) -> Question:
    """Ask for the domain `name`."""
    shown, left_out = _shown(list(material.runs.values()))
    first = next((f"{run.id}#{item.seq}" for run in material.runs.values() for item in run.items), "RUN#number")
    reports = [(one, _cut(text, MOST_REPORT)) for one, text in material.reports]
    schema = schema_text(material.runs.values())
    context = {
        "name": name,
        "example": first,
        "runs": shown,
        "left_out": left_out,
        "schema": schema,
        "reports": reports,
    }
    return _question(f"lift.{name}", "lift.md.j2", context, to)


def improve_question(file: str, source: str, runs: Sequence[RunTraces], to: Asked) -> Question:
    """Ask for a better version of a program."""
    shown, left_out = _shown(list(runs), ALL_TOLD)
    context = {"file": file, "source": source, "runs": shown, "left_out": left_out}
    return _question(f"improve.{Path(file).stem}", "improve.md.j2", context, to)


def _question(name: str, template: str, context: Mapping[str, Any], to: Asked) -> Question:
    messages = (
        Message(role="system", content=_render("system.md.j2", {})),
        Message(role="user", content=_render(template, context)),
    )
    return Question(
        name=name, messages=messages, model=to.model, endpoint=to.endpoint, sampling=dict(to.sampling or {})
    )


def _render(name: str, context: Mapping[str, Any]) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # the output is Markdown for a model, not HTML
    )
    return env.get_template(name).render(context).strip() + "\n"


def _shown(runs: Sequence[RunTraces], kinds: Sequence[str] = TOLD) -> tuple[list[dict[str, Any]], int]:
    """Runs as lines of text, the same number for each; and how many events are left out."""
    each = max(1, MOST_LINES // max(1, len(runs)))
    found, left_out = [], 0
    for run in runs:
        told = [event for event in run.events if event.kind in kinds]
        kept = _kept(told, each)
        left_out += len(told) - len(kept)
        lines = [_line(run.id, event) for event in kept]
        constants = ", ".join(f"{name} = {value}" for name, value in sorted(run.constants.items()))
        found.append(
            {"id": run.id, "program": run.program, "target": run.target, "constants": constants, "lines": lines}
        )
    return found, left_out


def _kept(events: list[Event], most: int) -> list[Event]:
    """All of them, or evenly many from the whole length: a run's end is worth as much as its beginning."""
    if len(events) <= most:
        return events
    if most == 1:
        return events[-1:]
    return [events[round(i * (len(events) - 1) / (most - 1))] for i in range(most)]


def _line(run: str, event: Event) -> str:
    """`RUN#12 emit TraceItem.Performance {"gflops": 1.5}`: on one line, and never the end of the block it stands in."""
    data = event.data
    if event.kind == "emit":
        said = f"{data.get('case')} {_json(data.get('fields'))}"
    else:
        step = f" {event.step}" if event.step else ""
        said = f"{step} {_json({key: value for key, value in data.items() if key not in {'title'}})}".strip()
    return _cut(f"{run}#{event.seq} {event.kind} {said}".replace("```", "'''"), MOST_LINE)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 20] + " ... (cut short)"
