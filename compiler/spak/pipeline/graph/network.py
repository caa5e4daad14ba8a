"""The edges between actions: who makes what, who waits for whom, in which order. Knows nothing of files' contents."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from spak.errors import Diagnostic, SpakError
from spak.pipeline.graph.action import Action


@dataclass(frozen=True, slots=True)
class Network:
    """Actions by name, the maker of each output, and what each action needs and is needed by. `order` is
    topological.
    """

    actions: dict[str, Action]
    maker: dict[str, str]
    needs: dict[str, tuple[str, ...]]
    needed_by: dict[str, tuple[str, ...]]
    order: tuple[str, ...]

    def closure(self, names: Iterable[str]) -> set[str]:
        """The actions named and all that they need."""
        found: set[str] = set()
        todo = list(names)
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo.extend(self.needs[name])
        return found

    def dependants(self, name: str) -> set[str]:
        """All that need an action, directly or not; without it."""
        found: set[str] = set()
        todo = list(self.needed_by[name])
        while todo:
            one = todo.pop()
            if one not in found:
                found.add(one)
                todo.extend(self.needed_by[one])
        return found


def connect(actions: Iterable[Action]) -> Network:
    """Derive the edges. Raises SpakError: a name or an output claimed twice (SPK710), an unknown `after` or judge
    (SPK711), a cycle
    with its whole path (SPK712), an output outside of the tree (SPK713).
    """
    by_name: dict[str, Action] = {}
    maker: dict[str, str] = {}
    problems: list[Diagnostic] = []
    for action in actions:
        if action.name in by_name:
            problems.append(
                Diagnostic("SPK710", f"two actions are called {action.name!r}", None, "rename a unit or a variant")
            )
        by_name[action.name] = action
        for path in action.outputs:
            if path.startswith("/") or ".." in path.split("/"):
                problems.append(
                    Diagnostic("SPK713", f"{action.name} would write {path!r}, outside of the project", None)
                )
            if path in maker:
                problems.append(Diagnostic("SPK710", f"{maker[path]} and {action.name} both make {path!r}", None))
            maker[path] = action.name
    needs: dict[str, tuple[str, ...]] = {}
    for name, action in by_name.items():
        unknown = [other for other in (*action.after, *action.judges) if other not in by_name]
        problems += [Diagnostic("SPK711", f"{name} refers to {other!r}, which is no action", None) for other in unknown]
        wanted = dict.fromkeys(other for other in action.after if other in by_name)
        for path in (*action.inputs, *action.optional):
            if path in maker and maker[path] != name:
                wanted[maker[path]] = None
        needs[name] = tuple(wanted)
    if problems:
        raise SpakError(*problems)
    needed_by: dict[str, list[str]] = {name: [] for name in by_name}
    for name, wanted_names in needs.items():
        for other in wanted_names:
            needed_by[other].append(name)
    return Network(by_name, maker, needs, {n: tuple(d) for n, d in needed_by.items()}, _order(needs, needed_by))


def _order(needs: dict[str, tuple[str, ...]], needed_by: dict[str, list[str]]) -> tuple[str, ...]:
    """Kahn's algorithm; stable in the order of definition. Iterative: chains may be thousands deep."""
    missing = {name: len(wanted) for name, wanted in needs.items()}
    ready = [name for name, count in missing.items() if count == 0]
    order: list[str] = []
    for name in ready:
        order.append(name)
        for other in needed_by[name]:
            missing[other] -= 1
            if missing[other] == 0:
                ready.append(other)
    if len(order) != len(needs):
        raise SpakError(_cycle({name: wanted for name, wanted in needs.items() if missing[name]}))
    return tuple(order)


def _cycle(needs: dict[str, tuple[str, ...]]) -> Diagnostic:
    path = [next(iter(needs))]
    while path.count(path[-1]) == 1:
        path.append(next(other for other in needs[path[-1]] if other in needs))
    loop = path[path.index(path[-1]) :]
    return Diagnostic("SPK712", f"actions need each other in a circle: {' -> '.join(loop)}", None)
