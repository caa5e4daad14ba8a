"""A unit on a target, built and at hand to be measured: as its plan says, or with other parameters. Knows no measurement.

Modules with other parameters are built by the very actions of the graph, redirected to `build/tune/<digest>/` and given a
tuned file of their own there: they are checked, compiled and cached as everything else is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from spak.digest import sha256_bytes, sha256_file
from spak.errors import Diagnostic, SpakError, Waiting
from spak.lock.tuned import Subject, Tuned, text
from spak.model.base import canonical_json
from spak.model.ir import Unit, Variant
from spak.model.plan import Plan
from spak.model.target import Target
from spak.pipeline.execution.events import Events
from spak.pipeline.execution.result import Result, Status
from spak.pipeline.execution.session import Mode, Session
from spak.pipeline.graph.action import Action
from spak.pipeline.graph.project import load_project
from spak.pipeline.graph.targets import read_targets
from spak.pipeline.graph.unit_actions import UnitActions
from spak.pipeline.graph.units import find_units
from spak.semantics.suggest import near
from spak.store import atomic

STAGES = ("check", "compile", "verify")


@dataclass(frozen=True, slots=True)
class Built:
    """A module with the parameters it was built with; `why` says why there is none. `digest` is the module's, or else of all that
    was to make it.
    """

    variant: str
    params: Mapping[str, int]
    module: str
    digest: str
    why: str = ""
    folder: str = ""


class Bed:
    """Open while things are built; close it in any case. Holds the tree, as a build does."""

    def __init__(self, root: Path, unit: str, target: str, say: Callable[[str], None] = lambda text: None) -> None:
        self.root, self.say = root, say
        self._open(unit, target)

    def _open(self, unit: str, target: str) -> None:
        self.session = Session(self.root, Mode(), Events(self._listen))
        self.session.open()
        try:
            self._lay_out(unit, target)
        except BaseException:
            self.session.close()
            raise

    def reopen(self) -> None:
        """Make the graph anew: a tuned file has come, gone or changed."""
        self.session.close()
        self._open(self.unit.name, self.target.name)

    def __enter__(self) -> Bed:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def _lay_out(self, unit: str, target: str) -> None:
        project = load_project(self.root)
        targets = read_targets(project)
        units = {one.name: one for one in find_units(self.root, self.session.keys.digests)}
        if unit not in units:
            raise unknown("unit", unit, list(units))
        if units[unit].unit is None:
            raise SpakError(*units[unit].diagnostics)
        if target and target not in targets.by_name:
            raise unknown("target", target, list(targets.by_name))
        timed = [one.name for one in targets.by_name.values() if one.device == "cpu" and one.toolchain.engine == "host"]
        target = target or next(iter(timed), next(iter(targets.by_name), ""))
        self.actions = UnitActions(project, targets, units[unit])
        self.target: Target = targets.by_name[target]
        if self.target.device != "cpu" or self.target.toolchain.engine != "host":
            what = f"target {target} cannot be timed: its kernels do not run on this machine's processor"
            raise SpakError(Diagnostic("SPK660", what, None, "times are measured on targets whose engine is `host`"))
        if not self.actions.rungs_on(self.target):
            raise SpakError(
                Diagnostic("SPK660", f"unit {unit} is not meant for target {target}", None, "name another target")
            )

    @property
    def unit(self) -> Unit:
        return self.actions.unit()

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants meant for the target, in the spec's order."""
        return tuple(one.name for one in self.actions.rungs_on(self.target))

    def variant(self, name: str) -> Variant:
        """A variant by name. Raises SpakError."""
        for one in self.actions.rungs_on(self.target):
            if one.name == name:
                return one
        raise unknown("variant", name, list(self.variants))

    def plan(self, variant: str) -> Plan:
        """The plan as the reply has it, without tuned parameters; the reply must be there."""
        from spak.lock.tomlspans import loads

        return Plan.model_validate(loads(Path(self.files(variant)["plan"]).read_text()))

    def files(self, variant: str) -> dict[str, str]:
        """Paths of the source and of the plan."""
        return self.actions.files(self.variant(variant), self.target)

    def build(self, variants: Sequence[str]) -> list[Built]:
        """Variants as they are in the tree, verified. Raises SpakError for one that is not, Waiting where a reply is missing."""
        rungs = [self.variant(name) for name in variants]
        names = [self.actions.at("verify", rung, self.target) for rung in rungs]
        self.require(self.session.build(names))
        made = []
        for rung in rungs:
            module = self.actions.module(rung, self.target)
            params = dict(self.plan(rung.name).params)
            wired = self.actions.tuned(rung, self.target)
            if wired:
                from spak.lock.tuned import in_force

                files = self.files(rung.name)
                params |= in_force(
                    wired["tuned"], Path(files["source"]).read_bytes(), Path(files["plan"]).read_bytes(), None
                ).params
            made.append(Built(rung.name, params, module, sha256_file(module)))
        return made

    def require(self, results: Sequence[Result]) -> None:
        """Raise what keeps any of these from being there: SpakError, or Waiting."""
        waiting = [d for one in results if one.status is Status.WAITING for d in one.diagnostics]
        failed = [d for one in results if one.status is Status.FAILED for d in one.diagnostics if d.severity == "error"]
        if failed or any(one.status is Status.FAILED for one in results):
            names = ", ".join(one.name for one in results if one.status is Status.FAILED)
            what = f"only what is verified is measured, and this fails: {names}"
            raise SpakError(Diagnostic("SPK661", what, None, "see `spak build`"), *failed)
        if waiting:
            raise Waiting(*waiting)

    # -- other parameters ---------------------------------------------------------------------------------------------

    def redirected(self, variant: str, params: Mapping[str, int], stages: Sequence[str] = STAGES) -> list[Action]:
        """The actions that check, compile and verify a variant with other parameters, in a folder of their own."""
        rung = self.variant(variant)
        folder = self.folder(variant, params)
        made = {"check": self.actions.check, "compile": self.actions.compile, "verify": self.actions.verify}
        return [
            redirect(made[stage](rung, self.target), stage, folder, self.moved(rung, folder), self.wired(rung))
            for stage in stages
        ]

    def folder(self, variant: str, params: Mapping[str, int]) -> str:
        files = self.files(variant)
        about = {
            "unit": self.unit.name,
            "variant": variant,
            "target": self.target.name,
            "params": dict(params),
            "source": sha256_file(files["source"]),
            "plan": sha256_file(files["plan"]),
        }
        return f"build/tune/{sha256_bytes(canonical_json(about)).removeprefix('sha256:')[:24]}"

    def moved(self, rung: Variant, folder: str) -> dict[str, str]:
        """Outputs of the graph's actions, and where they lie instead."""
        module = self.actions.module(rung, self.target)
        here = {self.actions.evidence(rung, self.target, stage): f"{folder}/{stage}.json" for stage in STAGES}
        manifest = str(Path(module).with_name("module.json"))
        return {**here, module: f"{folder}/{Path(module).name}", manifest: f"{folder}/module.json"}

    def wired(self, rung: Variant) -> str:
        """The tuned file that the graph's own actions read, '' for none."""
        path = self.actions.tuned_file(rung, self.target)
        return path if (self.root / path).is_file() else ""

    def write_tuned(self, variant: str, params: Mapping[str, int]) -> str:
        """The tuned file in the folder of these parameters; returns the folder."""
        folder = self.folder(variant, params)
        path = Path(folder) / "tuned.toml"
        said = text(Tuned(params=dict(params), subject=self.subject(variant))).encode()
        if not path.is_file() or path.read_bytes() != said:
            atomic.write(path, said, durable=False)
        return folder

    def subject(self, variant: str) -> Subject:
        files = self.files(variant)
        return Subject(source=sha256_file(files["source"]), plan=sha256_file(files["plan"]))

    def built_with(self, variant: str, configs: Sequence[Mapping[str, int]]) -> list[Built]:
        """Variants with other parameters, checked and compiled side by side. One that cannot be built says why."""
        if not configs:
            return []
        self.session.workers.start()
        with ThreadPoolExecutor(max_workers=max(1, len(os.sched_getaffinity(0)))) as pool:
            return list(pool.map(lambda params: self._build_one(variant, params), configs))

    def verified(self, variant: str, params: Mapping[str, int]) -> str:
        """Verify a variant with other parameters; '' if it passes, else why not."""
        self.write_tuned(variant, params)
        return self._run(self.redirected(variant, params))

    def _build_one(self, variant: str, params: Mapping[str, int]) -> Built:
        folder = self.write_tuned(variant, params)
        actions = self.redirected(variant, params, ("check", "compile"))
        why = self._run(actions)
        module = next(path for path in actions[-1].outputs if path.endswith(".so"))
        if why:
            return Built(variant, dict(params), module, sha256_bytes(folder.encode()), why, folder)
        return Built(variant, dict(params), module, sha256_file(module), "", folder)

    def _run(self, actions: Sequence[Action]) -> str:
        """Why the first of the actions that fails does; '' if none does. Raises SpakError where one could not do its work."""
        for action in actions:
            result = self.session.executor.look(action) or self.session.executor.execute(action)
            if result.broken:
                raise SpakError(*result.diagnostics)
            if not result.status.good:
                first = next((one.message for one in result.diagnostics if one.severity == "error"), result.reason)
                return f"{action.name.partition(':')[0]} fails: {first}"
        return ""

    def _listen(self, event: dict[str, Any]) -> None:
        if event["event"] == "notice":
            self.say(event["text"])


def redirect(action: Action, stage: str, folder: str, moved: Mapping[str, str], wired: str) -> Action:
    """An action of the graph that writes to a folder of its own and reads the tuned file there."""
    tuned = f"{folder}/tuned.toml"
    options = {
        name: moved.get(value, value) if isinstance(value, str) else value for name, value in action.options.items()
    }
    options.pop("unfit", None)
    inputs = tuple(moved.get(path, path) for path in action.inputs if path != wired)
    return replace(
        action,
        name=f"{stage}:{Path(folder).name}",
        options={**options, "tuned": tuned},
        inputs=(*inputs, tuned),
        outputs=tuple(moved[path] for path in action.outputs),
    )


def unknown(kind: str, name: str, known: Sequence[str]) -> SpakError:
    """A unit, variant or target that is not there."""
    hint = near(name, known, "there are") or "`spak plan` shows what there is"
    return SpakError(Diagnostic("SPK662", f"there is no {kind} {name!r}", None, hint))
