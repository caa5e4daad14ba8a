"""Where a file came from: its action, what that read, and so on up to the lines of a spec. Knows nothing of how it
is printed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from spak.digest import Field, explain_fields
from spak.errors import Diagnostic, SpakError
from spak.pipeline.action import Action
from spak.pipeline.foresight import Foresight, Step
from spak.pipeline.keys import key_of
from spak.pipeline.session import Session


@dataclass(frozen=True, slots=True)
class Explanation:
    """`chain` are the actions above, nearest first, each with the inputs that no action makes and the place in a
    spec.
    """

    subject: str
    step: Step
    key: str
    recorded: str
    chain: tuple[tuple[str, tuple[str, ...], str], ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "subject": self.subject,
            "action": self.step.to_json(),
            "key": self.key,
            "recorded": self.recorded,
            "fields": [list(field) for field in self.step.fields],
            "chain": [
                {"action": name, "sources": list(sources), "place": place} for name, sources, place in self.chain
            ],
        }

    def text(self) -> str:
        """For people."""
        head = f"{self.subject} is made by {self.step.name}" if self.subject != self.step.name else self.subject
        why = f": {self.step.reason}" if self.step.reason else ""
        lines = [
            head,
            f"now      {self.step.what.value}{why}",
            f"key      {self.key}",
            f"recorded {self.recorded or 'nothing'}",
        ]
        lines += [str(one) for one in self.step.diagnostics]
        lines += [explain_fields(self.step.fields), "", "from"]
        for name, sources, place in self.chain:
            lines.append(f"  {name}" + (f"  {place}" if place else ""))
            lines += [f"    {path}" for path in sources]
        return "\n".join(lines)


def explain(session: Session, subject: str) -> Explanation:
    """Explain an action or a file. Raises SpakError (SPK714) for anything else."""
    network = session.network
    name = subject if subject in network.actions else network.maker.get(str(Path(subject)), "")
    if not name:
        near = get_close_matches(subject, [*network.actions, *network.maker], 1)
        hint = f"did you mean {near[0]!r}?" if near else "`doit list --all` shows the actions"
        raise SpakError(Diagnostic("SPK714", f"no action is called {subject!r} or makes it", None, hint))
    steps = {step.name: step for step in Foresight(session).look([name])}
    step = steps[name]
    record = session.journal.get(name)
    above = network.closure([name])
    chain = []
    for other in reversed(network.order):
        if other in above:
            action = network.actions[other]
            sources = tuple(path for path in sorted(action.inputs) if path not in network.maker)
            chain.append((other, sources, place_of(action)))
    fields: tuple[Field, ...] = step.fields
    return Explanation(
        subject,
        step,
        key_of(fields) if fields and not step.unless else "unknown",
        record["key"] if record else "",
        tuple(chain),
    )


def place_of(action: Action) -> str:
    """`specs/u/SPEC.u.md:12:1`, where the spec states what the action is about; '' where that is not known."""
    subject = action.name.partition(":")[2].partition("@")[0].split(".")
    ir, spans = Path(f"build/ir/{subject[0]}.json"), Path(f"build/ir/{subject[0]}.spans.json")
    try:
        places, unit = json.loads(spans.read_bytes()), json.loads(ir.read_bytes())
    except (OSError, ValueError):
        return ""
    pointers = [""]
    if len(subject) > 1:
        names = [variant.get("name") for variant in unit.get("variants", ())]
        pointers = [f"/variants/{names.index(subject[1])}", *pointers] if subject[1] in names else pointers
    for pointer in [*pointers, "/name", "/signature"]:
        if pointer in places:
            file, line, col = places[pointer][:3]
            return f"{file}:{line}:{col}"
    return ""
