"""The graph of a project: which actions there are, what each reads and writes, and which follow which. Runs none of them.

For a unit `u`, a variant `v`, a target `t` and its dialect `d`:

    parse:u -> request:u.v.d -> codegen:u.v.d -> check:u.v@t -> compile:u.v@t -> verify:u.v@t -> artifact:u@t -> package
"""

from __future__ import annotations

from pathlib import Path

from spak.digest import digest_fields, sha256_file
from spak.package.wheel import LOADER
from spak.pipeline.graph.action import Action, Graph
from spak.pipeline.graph.native import runtime_actions
from spak.pipeline.graph.project import Project, load_project
from spak.pipeline.graph.targets import read_targets
from spak.pipeline.graph.unit_actions import UnitActions
from spak.pipeline.graph.units import Found, find_units
from spak.store.digests import Digests

PROVING = ("target:", "parse:", "check:", "verify:")


def load(root: Path) -> Graph:
    """Lay out the actions. A unit that cannot be read keeps its `parse` action alone, which says why when it runs."""
    project = load_project(root)
    targets = read_targets(project)
    found = find_units(root, Digests(root / ".spak" / "state" / "digests"))
    laid = [UnitActions(project, targets, one) for one in found]
    units = {one.name: one.actions() for one in laid}
    shared = [*targets.actions(), *runtime_actions(targets)]
    wheel = package(project, [a for actions in units.values() for a in actions if a.name.startswith("artifact:")])
    groups = {name: names(actions) for name, actions in units.items()}
    made = [n for actions in units.values() for n in names(actions)]
    groups["build"] = (*names(shared), *made) if made else ()
    groups["verify"] = tuple(n for n in groups["build"] if n.startswith(PROVING))
    groups["package"] = names(wheel)
    everything = (*shared, *(a for actions in units.values() for a in actions), *wheel)
    return Graph(
        actions=everything,
        groups=groups,
        watched=watched(project, found, [f for one in laid for f in one.tuned_files()]),
    )


def names(actions: list[Action]) -> tuple[str, ...]:
    return tuple(action.name for action in actions)


def package(project: Project, artifacts: list[Action]) -> list[Action]:
    """The wheel of every artifact, if there is one."""
    if not artifacts:
        return []
    name = project.settings.package
    manifests = tuple(action.outputs[0] for action in artifacts)
    record = f"build/package/{name}.json"
    return [
        Action(
            name="package:wheel",
            stage="spak.package.wheel",
            options={"package": name, "manifests": list(manifests), "folder": "dist", "record": record},
            inputs=tuple(output for action in artifacts for output in action.outputs),
            values=(("loader", digest_fields(("file", path.name, sha256_file(path)) for path in LOADER)),),
            outputs=(record,),
            tools=("python",),
            doc=f"make the {name} wheel in dist/",
        )
    ]


def watched(project: Project, found: tuple[Found, ...], tuned: list[str]) -> tuple[str, ...]:
    """The files and folders from which this graph was made: a change in one of them makes another graph."""
    files = {f for one in found for f in one.files} | {f"targets/{t}.toml" for t in project.targets}
    return tuple(sorted({*files, "specs", "specs/domains", *tuned, *(one.folder for one in found)}))
