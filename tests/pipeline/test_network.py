"""Edges and selections: who needs whom, cycles, names that mean nothing."""

from __future__ import annotations

import pytest
from spak.errors import SpakError
from spak.pipeline.graph.action import Action, Graph, from_json, to_json
from spak.pipeline.graph.network import connect
from spak.pipeline.graph.selection import select

ACTIONS = (
    Action("parse:u", "parse", inputs=("spec",), outputs=("ir",)),
    Action("codegen:u.v.d", "codegen", inputs=("ir",), outputs=("kernel",), judges=("check:u.v@sim", "check:u.v@cpu")),
    Action("check:u.v@sim", "check", inputs=("kernel",), outputs=("a",)),
    Action("check:u.v@cpu", "check", inputs=("kernel",), outputs=("b",)),
    Action("package", "package", optional=("a",), after=("check:u.v@cpu",), outputs=("wheel",)),
)
GRAPH = Graph(
    ACTIONS, {"build": tuple(a.name for a in ACTIONS[:4]), "u": tuple(a.name for a in ACTIONS[:4])}, ("spec",)
)


def test_edges() -> None:
    network = connect(ACTIONS)
    assert network.needs["package"] == ("check:u.v@cpu", "check:u.v@sim")
    assert network.closure(["check:u.v@sim"]) == {"check:u.v@sim", "codegen:u.v.d", "parse:u"}
    assert network.dependants("codegen:u.v.d") == {"check:u.v@sim", "check:u.v@cpu", "package"}
    assert network.order.index("parse:u") < network.order.index("codegen:u.v.d") < network.order.index("package")


@pytest.mark.parametrize(
    ("actions", "code", "words"),
    [
        ([Action("a", "s"), Action("a", "s")], "SPK710", "'a'"),
        ([Action("a", "s", outputs=("x",)), Action("b", "s", outputs=("x",))], "SPK710", "'x'"),
        ([Action("a", "s", after=("nobody",))], "SPK711", "'nobody'"),
        ([Action("a", "s", judges=("nobody",))], "SPK711", "'nobody'"),
        ([Action("a", "s", outputs=("../x",))], "SPK713", "'../x'"),
        ([Action("a", "s", outputs=("/x",))], "SPK713", "'/x'"),
        (
            [Action("a", "s", after=("b",)), Action("b", "s", after=("c",)), Action("c", "s", after=("b",))],
            "SPK712",
            "b -> c -> b",
        ),
    ],
)
def test_bad_graphs(actions: list[Action], code: str, words: str) -> None:
    with pytest.raises(SpakError) as caught:
        connect(actions)
    assert code in str(caught.value) and words in str(caught.value)


def test_selection() -> None:
    network = connect(ACTIONS)
    assert len(select(GRAPH, network, "build")) == 4
    assert select(GRAPH, network, "build", (), ("cpu",)) == ("check:u.v@cpu",)
    assert select(GRAPH, network, "build", ("kernel",)) == ("codegen:u.v.d",)
    assert select(GRAPH, network, "build", ("package",)) == ("package",)
    for only, targets in ((("v",), ()), ((), ("cpv",))):
        with pytest.raises(SpakError, match="SPK714"):
            select(GRAPH, network, "build", only, targets)


def test_a_graph_survives_json() -> None:
    assert from_json(to_json(GRAPH)) == GRAPH
