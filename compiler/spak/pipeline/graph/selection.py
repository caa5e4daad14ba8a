"""Which actions a command means: groups, units and targets by name. Knows nothing of what actions do."""

from __future__ import annotations

from collections.abc import Sequence

from spak.errors import Diagnostic, SpakError
from spak.pipeline.graph.action import Graph
from spak.pipeline.graph.network import Network
from spak.semantics.suggest import near


def select(
    graph: Graph, network: Network, group: str, only: Sequence[str] = (), targets: Sequence[str] = ()
) -> tuple[str, ...]:
    """The actions of a group, restricted to the units (or other groups, or actions) named and to some targets.

    Raises SpakError (SPK714) for a name that means nothing, with the nearest that does.
    """
    names = list(graph.groups.get(group, ())) if group in graph.groups else list(network.order)
    if only:
        wanted = {name for one in only for name in _meant(one, graph, network)}
        chosen = [name for name in names if name in wanted]
        names = chosen or [
            name for name in network.order if name in wanted
        ]  # `spak build package` is in no group but its own
    if targets:
        known = {target for name in network.order if (target := target_of(name))}
        for target in targets:
            if target not in known:
                raise _unknown("target", target, sorted(known))
        aimed = [name for name in names if target_of(name) in targets]
        names = aimed or names  # what they need comes with them, and nobody is asked for another target's sake
    return tuple(dict.fromkeys(names))


def target_of(name: str) -> str:
    """`sim` of `check:matmul.tiled@sim`, '' for actions of no target."""
    return name.rpartition("@")[2] if "@" in name else ""


def _meant(one: str, graph: Graph, network: Network) -> tuple[str, ...]:
    if one in graph.groups:
        return tuple(graph.groups[one])
    if one in network.actions:
        return (one,)
    if one in network.maker:
        return (network.maker[one],)
    raise _unknown("unit, group or action", one, sorted({*graph.groups, *network.actions}))


def _unknown(kind: str, name: str, known: list[str]) -> SpakError:
    hint = near(name, known, "there are") or "`spak plan` shows what there is"
    return SpakError(Diagnostic("SPK714", f"there is no {kind} called {name!r}", None, hint))
