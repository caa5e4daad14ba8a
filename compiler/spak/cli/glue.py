"""`spak glue`: render a kernel's host code for CMake, as spak_add_kernel() has it done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spak.build.job import Job
    from spak.build.parts import Parts
    from spak.model.ir import Unit
    from spak.model.target import Target


@click.command()
@click.argument("unit", required=False)
@click.argument("target", required=False)
@click.option("--variant", help="The variant; by default the last one that is meant for the target.")
@click.option("--package", help="Render the kernels of every unit instead, with the files of a package of this name.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The folder to write to.")
def command(unit: str | None, target: str | None, variant: str | None, package: str | None, out: Path) -> None:
    """Write the generated C++ of UNIT for TARGET, and what CMake must know about it, to a folder.

    The reply must be in generated/: `doit build` puts it there.
    """
    root = Path.cwd()
    if package:
        render_package(root, package, out)
        return
    if not unit or not target:
        raise click.UsageError("UNIT and TARGET are needed, or --package")
    render_kernel(root, load(root, unit), read(root, target), variant, out)


def load(root: Path, name: str) -> Unit:
    """A unit from its spec. Raises SpakError."""
    from spak.parse.load import load_unit

    return load_unit(root, f"specs/{name}").unit


def read(root: Path, name: str) -> Target:
    """A target from its file. Raises SpakError."""
    from spak.parse.targets import load_target

    return load_target(root / f"targets/{name}.toml")


def variants_on(unit: Unit, target: Target) -> list[str]:
    """The variants meant for a target, in the spec's order."""
    if unit.targets and target.name not in unit.targets:
        return []
    return [v.name for v in unit.variants if not v.targets or target.name in v.targets]


def reply(unit: str, variant: str, target: Target) -> tuple[str, str]:
    """The source and the plan of a reply, relative to the project."""
    folder = f"generated/{unit}/{variant}/{target.dialect}"
    return f"{folder}/kernel.{'cpp' if target.dialect == 'cpp' else 'cu'}", f"{folder}/plan.toml"


def render_kernel(root: Path, unit: Unit, target: Target, variant: str | None, out: Path) -> Job:
    """Render one kernel into a folder. Raises SpakError where there is no reply, or none that compiles."""
    from importlib import import_module

    from spak.build.job import make_job
    from spak.effects import Effects
    from spak.errors import Diagnostic, SpakError
    from spak.model.ir import interface

    meant = variants_on(unit, target)
    chosen = variant or (meant[-1] if meant else "")
    if chosen not in meant:
        there = f"variants for {target.name}: {', '.join(meant) or 'none'}"
        raise SpakError(
            Diagnostic("SPK515", f"unit {unit.name} has no variant {chosen!r} for {target.name}", None, there)
        )
    source, plan = reply(unit.name, chosen, target)
    missing = [path for path in (source, plan) if not (root / path).is_file()]
    if missing:
        raise SpakError(Diagnostic("SPK516", f"{missing[0]} is not there", None, "`doit build` makes the replies"))
    tuned = f"{Path(source).parent}/tuned.{target.name}.toml"
    wins = [tuned] if (root / tuned).is_file() else []
    job = make_job(interface(unit), chosen, target, source, plan, root, *wins)
    parts: Parts = import_module(f"spak.build.engines.{target.toolchain.engine}").build(job, Effects())
    if not parts.ok:
        raise SpakError(*parts.diagnostics)
    spec = sorted(p.relative_to(root).as_posix() for p in (root / "specs" / unit.name).iterdir() if p.is_file())
    write(out, parts, [*spec, source, plan, *wins, f"targets/{target.name}.toml"])
    return job


def write(out: Path, parts: Parts, inputs: Iterable[str]) -> None:
    """Write the files, leaving alone those that are the same: CMake compiles by time stamps."""
    lines = [
        f'set(SPAK_INPUTS "{";".join(inputs)}")',
        f'set(SPAK_TOOLKIT_INCLUDES "{";".join(parts.toolkit_includes)}")',
    ]
    files = {**parts.files, "inputs.cmake": ("\n".join(lines) + "\n").encode()}
    for name, data in files.items():
        put(out / name, data)


def put(path: Path, data: bytes) -> None:
    from spak.store import atomic

    if not path.is_file() or path.read_bytes() != data:
        atomic.write(path, data)


def render_package(root: Path, name: str, out: Path) -> None:
    """Every unit's dispatched kernel on the CPU, and on CUDA targets where NVRTC is here; manifests; the loader.

    The manifests say that nothing was verified by this build: `doit package` makes the wheel that carries evidence.
    """
    from spak.model.base import canonical_json
    from spak.package.wheel import INIT, LOADER

    rows, versions = [], 0
    for unit, target in kernels(root):
        variant = variants_on(unit, target)[-1]
        glue = f"{unit.name}.{target.name}"
        job = render_kernel(root, unit, target, variant, out / glue)
        rows.append(f"{glue} {unit.name}/{target.name}/{variant}")
        put(out / "package" / f"{unit.name}.{target.name}.json", canonical_json(manifest(unit, target, job)))
        versions += unit.version
    files = {f"_runtime/{path.name}": path.read_bytes() for path in LOADER}
    files["_runtime/__init__.py"] = b'"""Finds and loads the modules of this package."""\n'
    files["__init__.py"] = INIT.format(version=f"1.{versions}").encode()
    for path, data in files.items():
        put(out / "package" / path, data)
    put(out / "kernels.txt", ("\n".join(rows) + "\n").encode())
    click.echo(f"{name}: {len(rows)} kernels", err=True)


def kernels(root: Path) -> Iterable[tuple[Unit, Target]]:
    """What a package is made of: units whose replies are here, on targets that can be compiled for here and run natively."""
    targets = [read(root, path.stem) for path in sorted((root / "targets").glob("*.toml"))]
    from spak.parse.programs import program_file

    usable = [t for t in targets if t.toolchain.engine != "sim" and (t.device == "cpu" or nvrtc_is_here())]
    for folder in sorted(p for p in (root / "specs").iterdir() if p.is_dir() and p.name != "domains"):
        if program_file(root, f"specs/{folder.name}"):
            continue
        unit = load(root, folder.name)
        for target in usable:
            meant = variants_on(unit, target)
            if meant and all((root / path).is_file() for path in reply(unit.name, meant[-1], target)):
                yield unit, target


def nvrtc_is_here() -> bool:
    from spak.build import nvrtc
    from spak.errors import SpakError

    try:
        nvrtc.locate()
    except SpakError:
        return False
    return True


def manifest(unit: Unit, target: Target, job: Job) -> dict[str, object]:
    """What the loader reads, with the digests of the inputs."""
    from spak.package.artifact import entry

    return {
        "schema_version": 1,
        "unit": unit.name,
        "spec_version": unit.version,
        "license": unit.license,
        "target": target.name,
        "evidence": "not recorded: this wheel was built from source; `doit package` makes the one that carries evidence",
        "kernels": [entry(unit, target, job.variant, job.digests["source"], dispatched=True)],
        "provenance": {job.variant: dict(job.digests)},
    }
