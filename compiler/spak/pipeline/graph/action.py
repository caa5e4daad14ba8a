"""An action of the build graph, and the graph: plain data. Knows neither what stages do nor how actions are
executed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from spak.errors import Diagnostic

INLINE = frozenset({"codegen"})  # stages that run in the main process, as they ask and judge
CHEAP = frozenset({"parse", "request"})  # stages that `plan` may run aside, to see whether their outputs change


@dataclass(frozen=True, slots=True)
class Action:
    """One step: a stage applied to options. Paths are relative to the project's root; every field but `pool` is in the
    key.

    `inputs` must exist when the action runs, `optional` ones may be absent, which is a value of its own. `slices` are
    parts of a
    file: ("spak.lock", "unit.variant.dialect") is one entry of the lock. `values` are texts that matter and lie in no
    file.
    `after` names actions that must have succeeded first, besides those that make the inputs. `judges` names the actions
    that an
    inline stage may have executed to judge what it wrote. `tools` are names of `spak.pipeline.graph.tools`; `env` are
    environment
    variables that the stage may read. `pool` is "cores", "memory", "gpu" or "model".
    """

    name: str
    stage: str
    options: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    outputs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    pool: str = "cores"
    judges: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    slices: tuple[tuple[str, str], ...] = ()
    seconds: float = 900.0  # wall-clock limit
    memory: int = 0  # bytes of address space, 0 is no limit
    cheap: bool = False
    doc: str = ""

    @property
    def inline(self) -> bool:
        return self.stage in INLINE

    @property
    def foreseeable(self) -> bool:
        """Whether `plan` may run it aside."""
        return self.cheap or self.stage in CHEAP


@dataclass(frozen=True, slots=True)
class Graph:
    """Every action of a project. `groups` maps "build", "verify", "package" and unit names to action names; `watched`
    are the
    files and folders whose change means that the graph itself must be made anew.
    """

    actions: tuple[Action, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    watched: tuple[str, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


def to_json(graph: Graph) -> dict[str, Any]:
    """The graph as plain data; `from_json` reads it back."""
    names = Action.__dataclass_fields__
    return {
        "actions": [{name: getattr(action, name) for name in names} for action in graph.actions],
        "groups": {name: list(members) for name, members in graph.groups.items()},
        "watched": list(graph.watched),
    }


def from_json(data: Mapping[str, Any]) -> Graph:
    """The graph that `to_json` wrote."""
    groups = {name: tuple(members) for name, members in data["groups"].items()}
    return Graph(tuple(action_from(row) for row in data["actions"]), groups, tuple(data["watched"]))


def action_from(row: Mapping[str, Any]) -> Action:
    """An action from plain data, lists taken for tuples."""
    pairs = {key: tuple((str(a), str(b)) for a, b in row.get(key, ())) for key in ("values", "slices")}
    lists = {
        key: tuple(row.get(key, ())) for key in ("inputs", "outputs", "after", "judges", "tools", "env", "optional")
    }
    rest = {key: value for key, value in row.items() if key not in pairs and key not in lists}
    return Action(**{**rest, **pairs, **lists})


def names_of(actions: Iterable[Action]) -> tuple[str, ...]:
    """Their names, in their order."""
    return tuple(action.name for action in actions)
