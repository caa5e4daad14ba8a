"""Where a file came from: its action, what that read, and so on up to the lines of a spec. Knows nothing of how it
is printed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from spak.digest import Field, explain_fields
from spak.errors import Diagnostic, SpakError
from spak.pipeline.action import Action
from spak.pipeline.executor import found_by
from spak.pipeline.foresight import Foresight, Step
from spak.pipeline.keys import key_of
from spak.pipeline.places import Places
from spak.pipeline.session import Session


@dataclass(frozen=True, slots=True)
class Explanation:
    """`found` is what the action, or those that judge what it writes, found wrong when they last ran. `chain` are the actions
    above, nearest first, each with the inputs that no action makes and the place in a spec.
    """

    subject: str
    step: Step
    key: str
    recorded: str
    found: tuple[tuple[str, tuple[Diagnostic, ...]], ...]
    chain: tuple[tuple[str, tuple[str, ...], str], ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "subject": self.subject,
            "action": self.step.to_json(),
            "key": self.key,
            "recorded": self.recorded,
            "found": [{"action": name, "diagnostics": [one.to_json() for one in found]} for name, found in self.found],
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
        for name, found in self.found:
            lines += [
                f"found by {name} when it last ran",
                *(f"  {line}" for one in found for line in str(one).split("\n")),
            ]
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
        tuple(one for one in _found(session, [name, *network.actions[name].judges]) if one != (name, step.diagnostics)),
        tuple(chain),
    )


def _found(session: Session, names: Iterable[str]) -> Iterator[tuple[str, tuple[Diagnostic, ...]]]:
    """What the last runs of actions found wrong."""
    for name in names:
        record = session.journal.get(name)
        if record and (found := found_by(session.network.actions[name], record["outcome"])):
            yield name, found


def place_of(action: Action) -> str:
    """`specs/u/SPEC.u.md:12:1`, where the spec states what the action is about; '' where that is not known."""
    unit, _, rest = action.name.partition(":")[2].partition("@")[0].partition(".")
    span = Places.of(unit).find(f"/variants/{rest.partition('.')[0]}" if rest else "")
    return str(span) if span else ""
