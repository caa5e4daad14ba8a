"""The actions of one unit: what each of its stages reads and writes. Runs none of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spak.model.ir import DIALECTS, Unit, Variant
from spak.model.target import Target
from spak.pipeline.graph import native
from spak.pipeline.graph.action import Action
from spak.pipeline.graph.project import Project
from spak.pipeline.graph.targets import ProjectTargets
from spak.pipeline.graph.tuned import unfit
from spak.pipeline.graph.units import Found

SOURCE = {"cpp": "kernel.cpp", "cuda": "kernel.cu"}


@dataclass(frozen=True)
class UnitActions:
    """One unit of a project and its road from spec to artifact."""

    project: Project
    targets: ProjectTargets
    found: Found

    @property
    def name(self) -> str:
        return self.found.name

    @property
    def ir(self) -> str:
        return f"build/ir/{self.name}.json"

    @property
    def interface(self) -> str:
        return f"build/ir/{self.name}.interface.json"

    @property
    def behaviour(self) -> str:
        """The unit without its prose, rules and intents: what verification reads."""
        return f"build/ir/{self.name}.behaviour.json"

    @property
    def structure(self) -> str:
        """The unit without tolerance, reference and tests either: what static checks read."""
        return f"build/ir/{self.name}.structure.json"

    def actions(self) -> list[Action]:
        """Every action of the unit, producers before consumers."""
        if self.found.unit is None:
            return [self.parse()]
        rungs = [(v, d) for v in self.found.unit.variants for d in DIALECTS if self.targets_of(v, d)]
        made = [self.parse()]
        for variant, dialect in rungs:
            made += [self.request(variant, dialect), self.codegen(variant, dialect)]
            for target in self.targets_of(variant, dialect):
                made += self.judging(variant, target)
        made += [self.artifact(t) for t in self.targets.by_name.values() if self.rungs_on(t)]
        return made

    def unit(self) -> Unit:
        assert self.found.unit is not None
        return self.found.unit

    def targets_of(self, variant: Variant, dialect: str) -> tuple[Target, ...]:
        """The targets of a dialect that the unit and the variant are meant for."""
        meant = self.targets.of(dialect, self.unit().targets)
        return tuple(t for t in meant if not variant.targets or t.name in variant.targets)

    def rungs_on(self, target: Target) -> tuple[Variant, ...]:
        return tuple(v for v in self.unit().variants if target in self.targets_of(v, target.dialect))

    def parse(self) -> Action:
        stem = f"build/ir/{self.name}"
        return Action(
            name=f"parse:{self.name}",
            stage="parse",
            options={
                "unit": self.name,
                "folder": self.found.folder,
                "out_ir": self.ir,
                "out_interface": self.interface,
                "out_behaviour": self.behaviour,
                "out_structure": self.structure,
                "out_spans": f"{stem}.spans.json",
            },
            inputs=self.found.files,
            outputs=(self.ir, self.interface, self.behaviour, self.structure, f"{stem}.spans.json"),
            doc=f"read specs/{self.name}",
        )

    def request_file(self, variant: Variant, dialect: str) -> str:
        return f"build/request/{self.name}.{variant.name}.{dialect}.json"

    def generated(self, variant: Variant, dialect: str) -> str:
        return f"generated/{self.name}/{variant.name}/{dialect}"

    def request(self, variant: Variant, dialect: str) -> Action:
        from spak.codegen import request

        model = self.project.model
        options = request.Options(
            ir=self.ir,
            variant=variant.name,
            dialect=dialect,
            targets=tuple(self.targets.file(t.name) for t in self.targets_of(variant, dialect)),
            out=self.request_file(variant, dialect),
            templates="templates",
            model=model.name,
            endpoint=model.endpoint,
            sampling=model.sampling,
        )
        return Action(
            name=f"request:{self.name}.{variant.name}.{dialect}",
            stage="spak.codegen.request",
            options=options.model_dump(mode="json"),
            inputs=(self.ir, *options.targets),
            values=header_values(dialect),
            optional=project_templates(),
            outputs=(options.out,),
            cheap=True,
            doc="render what a model would be asked",
        )

    def codegen(self, variant: Variant, dialect: str) -> Action:
        name = f"{self.name}.{variant.name}.{dialect}"
        folder = self.generated(variant, dialect)
        files = tuple(f"{folder}/{f}" for f in (SOURCE[dialect], "plan.toml", "reply.md"))
        judges = [a.name for t in self.targets_of(variant, dialect) for a in self.judging(variant, t)]
        return Action(
            name=f"codegen:{name}",
            stage="codegen",
            options={
                "unit": self.name,
                "variant": variant.name,
                "dialect": dialect,
                "ir": self.ir,
                "request": self.request_file(variant, dialect),
                "generated": folder,
                "templates": "templates",
                "pending": f".spak/pending/{name}",
            },
            inputs=(self.ir, self.request_file(variant, dialect)),
            optional=project_templates(),
            slices=(("spak.lock", name),),
            outputs=files,
            judges=tuple(judges),
            pool="model",
            doc="replay the locked reply, or ask",
        )

    def judging(self, variant: Variant, target: Target) -> list[Action]:
        """check, compile and, where it can be run here, verify."""
        made = [self.check(variant, target), self.compile(variant, target)]
        return [*made, self.verify(variant, target)] if native.device_is_here(target) else made

    def evidence(self, variant: Variant, target: Target, stage: str) -> str:
        return f"build/evidence/{self.name}/{variant.name}/{target.name}/{stage}.json"

    def at(self, stage: str, variant: Variant, target: Target) -> str:
        return f"{stage}:{self.name}.{variant.name}@{target.name}"

    def files(self, variant: Variant, target: Target) -> dict[str, str]:
        folder = self.generated(variant, target.dialect)
        return {"source": f"{folder}/{SOURCE[target.dialect]}", "plan": f"{folder}/plan.toml"}

    def tuned_file(self, variant: Variant, target: Target) -> str:
        """Where parameters tuned for a target are kept; whether it is there is part of what the graph is made of."""
        return f"{self.generated(variant, target.dialect)}/tuned.{target.name}.toml"

    def tuned_files(self) -> tuple[str, ...]:
        """Every place where such a file may be."""
        if self.found.unit is None:
            return ()
        rungs = [(v, t) for v in self.found.unit.variants for d in DIALECTS for t in self.targets_of(v, d)]
        return tuple(self.tuned_file(v, t) for v, t in rungs)

    def tuned(self, variant: Variant, target: Target) -> dict[str, str]:
        """`{"tuned": path}` where there is such a file. Without one nothing of it is in any key."""
        path = self.project.root / self.tuned_file(variant, target)
        if not path.is_file() or unfit(path, self.unit()):
            return {}
        return {"tuned": self.tuned_file(variant, target)}

    def check(self, variant: Variant, target: Target) -> Action:
        path = self.tuned_file(variant, target)
        here = {"tuned": path} if (self.project.root / path).is_file() else {}  # as a check says what is wrong with it
        why = unfit(self.project.root / path, self.unit()) if here else ""
        files = {**self.files(variant, target), **here}
        out = self.evidence(variant, target, "check")
        return Action(
            name=self.at("check", variant, target),
            stage="check",
            options={
                "ir": self.structure,
                "interface": self.interface,
                "variant": variant.name,
                "dialect": target.dialect,
                "target": self.targets.file(target.name),
                "evidence": out,
                "z3_ms": self.project.settings.proof_ms,
                **files,
                **({"unfit": why} if why else {}),
            },
            inputs=(self.structure, self.interface, self.targets.file(target.name), *files.values()),
            outputs=(out,),
            tools=("pkg:z3-solver", "pkg:tree-sitter"),
            doc="prove what can be proved without running",
        )

    def compile(self, variant: Variant, target: Target) -> Action:
        from spak.build import Options

        module = self.module(variant, target)
        files = {**self.files(variant, target), **self.tuned(variant, target)}
        options = Options(
            interface=self.interface,
            unit=self.name,
            variant=variant.name,
            dialect=target.dialect,
            target=self.targets.file(target.name),
            runtime=native.runtime_library(target),
            sass=self.unit().sass,
            out=module,
            checked=self.checked(variant, target),
            manifest=str(Path(module).with_name("module.json")),
            evidence=self.evidence(variant, target, "compile"),
            **files,
        )
        return Action(
            name=self.at("compile", variant, target),
            stage="build",
            options=without_nothing(options.model_dump(mode="json")),
            inputs=(options.interface, options.target, options.runtime, *files.values()),
            values=native.module_values(target),
            outputs=(options.out, *filter(None, (options.checked,)), options.manifest, options.evidence),
            tools=native.tools(target),
            env=("CXX",),
            doc="compile the module",
        )

    def module(self, variant: Variant, target: Target) -> str:
        return f"build/native/{target.name}/{self.name}/{variant.name}/{self.name}_{target.name}.so"

    def checked(self, variant: Variant, target: Target) -> str:
        """The simulator's second module, for verification alone; "" for other engines."""
        if target.toolchain.engine != "sim":
            return ""
        return f"build/native/{target.name}/{self.name}/{variant.name}/checked/{self.name}_{target.name}.so"

    def verify(self, variant: Variant, target: Target) -> Action:
        files = {**self.files(variant, target), **self.tuned(variant, target)}
        out = self.evidence(variant, target, "verify")
        reference = self.unit().reference.file
        request = self.request_file(variant, target.dialect)
        checked = self.checked(variant, target)
        compiled = [self.module(variant, target), *filter(None, (checked,)), self.evidence(variant, target, "compile")]
        inputs = [self.behaviour, request, *compiled, self.targets.file(target.name), *files.values()]
        return Action(
            name=self.at("verify", variant, target),
            stage="verify",
            options={
                "unit": self.name,
                "variant": variant.name,
                "ir": self.behaviour,
                "request": request,
                "compile": self.evidence(variant, target, "compile"),
                "module": self.module(variant, target),
                **({"checked": checked} if checked else {}),
                "target": self.targets.file(target.name),
                "reference": reference,
                "evidence": out,
                **files,
            },
            inputs=(*inputs, *([reference] if reference else [])),
            outputs=(out,),
            tools=("python", "pkg:numpy"),
            pool="gpu" if target.device == "cuda" else "cores",
            doc="run it against the oracle",
        )

    def artifact(self, target: Target) -> Action:
        from spak.package.artifact import Options, Rung

        rungs = []
        for variant in self.rungs_on(target):
            folder = self.generated(variant, target.dialect)
            stages = [a.stage for a in self.judging(variant, target)]
            names = ["check", "compile", *(["verify"] if "verify" in stages else [])]
            rungs.append(
                Rung(
                    variant=variant.name,
                    dialect=target.dialect,
                    request=self.request_file(variant, target.dialect),
                    reply=f"{folder}/reply.md",
                    module=self.module(variant, target),
                    evidence=tuple(self.evidence(variant, target, s) for s in names),
                    **self.files(variant, target),
                    **self.tuned(variant, target),
                )
            )
        manifest = f"build/kernels/{self.name}.{target.name}.json"
        options = Options(
            ir=self.behaviour,
            target_file=self.targets.file(target.name),
            target=target.name,
            rungs=tuple(rungs),
            out="build/kernels",
            manifest=manifest,
        )
        read = [f for r in rungs for f in (r.request, r.source, r.plan, r.reply, r.module, *r.evidence)]
        read += [r.tuned for r in rungs if r.tuned]
        plain = options.model_dump(mode="json")
        modules = [f"build/kernels/{self.name}/{target.name}/{r.variant}/{Path(r.module).name}" for r in rungs]
        return Action(
            name=f"artifact:{self.name}@{target.name}",
            stage="spak.package.artifact",
            options={**plain, "rungs": [without_nothing(rung) for rung in plain["rungs"]]},
            inputs=(self.behaviour, options.target_file, *read),
            outputs=(manifest, *modules),
            doc="gather the modules and write the manifest",
        )


def without_nothing(options: dict[str, Any]) -> dict[str, Any]:
    """Options without files that are not there, so that their absence has no part in a key."""
    return {name: value for name, value in options.items() if name not in ("tuned", "checked") or value}


def project_templates() -> tuple[str, ...]:
    """Where a project may lay templates of its own in place of the shipped ones."""
    from spak.codegen.prompt import SHIPPED

    return tuple(f"templates/{path.name}" for path in sorted(SHIPPED.glob("*.j2")))


def header_values(dialect: str) -> tuple[tuple[str, str], ...]:
    """The digest of the device headers that a request documents."""
    return (("headers", native.headers_digest("cpu" if dialect == "cpp" else "cuda")),)
