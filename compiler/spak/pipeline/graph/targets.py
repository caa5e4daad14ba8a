"""The targets of a project as the graph needs them. Knows nothing of units."""

from __future__ import annotations

from dataclasses import dataclass

from spak.errors import Diagnostic, SpakError
from spak.model.target import Target
from spak.pipeline.graph.action import Action
from spak.pipeline.graph.project import Project


@dataclass(frozen=True)
class ProjectTargets:
    """`by_name` in the project's order."""

    by_name: dict[str, Target]

    @staticmethod
    def file(name: str) -> str:
        """The canonical form, which stages read."""
        return f"build/targets/{name}.json"

    def of(self, dialect: str, names: tuple[str, ...]) -> tuple[Target, ...]:
        """The targets of a dialect among `names`; all of them when `names` is empty."""
        return tuple(t for t in self.by_name.values() if t.dialect == dialect and (not names or t.name in names))

    def actions(self) -> tuple[Action, ...]:
        """`target:<t>` each."""
        return tuple(
            Action(
                name=f"target:{name}",
                stage="spak.parse.target",
                options={"file": f"targets/{name}.toml", "out": self.file(name)},
                inputs=(f"targets/{name}.toml",),
                outputs=(self.file(name),),
                cheap=True,
                doc="read the target",
            )
            for name in self.by_name
        )


def read_targets(project: Project) -> ProjectTargets:
    """Read and check the targets. Raises SpakError with all that is wrong in all of them."""
    from spak.parse.targets import load_target

    found: dict[str, Target] = {}
    wrong: list[Diagnostic] = []
    for name in project.targets:
        try:
            found[name] = load_target(project.root / "targets" / f"{name}.toml")
        except SpakError as error:
            wrong += error.diagnostics
    if wrong:
        raise SpakError(*wrong)
    return ProjectTargets(found)
