"""From a job to a module on disk with its evidence. Knows no engine by name: the target says which one."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from spak.build import cmake, elf, gcc, nvrtc_checks, symbols
from spak.build.job import Job, read_job
from spak.build.parts import Parts
from spak.build.render import plain
from spak.digest import sha256_bytes, sha256_file
from spak.effects import Do
from spak.errors import Diagnostic, SpakError, Span
from spak.model.base import canonical_json
from spak.model.evidence import Check, Evidence
from spak.model.outcome import Outcome
from spak.store import atomic

if TYPE_CHECKING:
    from spak.build import Options


def build_module(options: Options, do: Do) -> Outcome:
    """See `spak.build.run`."""
    job = read_job(options.interface, options.variant, options.target, options.source, options.plan, options.tuned)
    compiler, version = gcc.find(job.target.toolchain.compiler, do)
    environment = {
        "compiler": f"{Path(compiler).name} {version}",
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "machine": platform.machine(),
    }
    # Messages of the templates' own making are the plan's fault: they are findings like those of a compiler.
    try:
        parts: Parts = import_module(f"spak.build.engines.{job.target.toolchain.engine}").build(job, do)
    except SpakError as error:
        if not all(d.code in _FINDINGS for d in error.diagnostics):
            raise
        parts = Parts(ok=False, diagnostics=error.diagnostics)
    environment |= parts.environment
    checks: list[Check] = []
    found = list(parts.diagnostics)
    if parts.nvrtc is not None:
        more, findings = nvrtc_checks.facts(
            parts.nvrtc, job.plan, job.target, options.sass, do=do, source=options.source
        )
        checks += more
        found += findings
    images: dict[str, bytes] = {}
    if parts.ok:
        images = _compile(job, parts, options, compiler, do, checks, found)
    elif parts.nvrtc is None:
        checks.append(Check(name="compile", verdict="failed", detail=_count(found)))
    return _record(options, job, images, checks, found, environment)


_FINDINGS = frozenset({"SPK510", "SPK511", "SPK512", "SPK513"})


def _compile(
    job: Job, parts: Parts, options: Options, compiler: str, do: Do, checks: list[Check], found: list[Diagnostic]
) -> dict[str, bytes]:
    """Compile and link the parts; the modules by where they go, {} where that failed. Adds what it checks and finds."""
    checked = bool(options.checked and parts.checked)
    files = {**parts.files, "CMakeLists.txt": plain("CMakeLists.txt.j2", module=job.module, checked=checked)}
    files |= {"checked.cpp": parts.checked} if checked else {}
    defines = {
        "SPAK_RUNTIME": str(Path(options.runtime).resolve()),
        "SPAK_TOOLKIT_INCLUDES": ";".join(parts.toolkit_includes),
    }
    own_code = "kernel.cpp" in parts.files
    with cmake.workshop(options.out) as folder:
        built = cmake.build(folder, files, defines, compiler, do)
        messages = gcc.messages(built.log, job.file_name, options.source)
        found += messages
        if not built.ok:
            if not any(d.severity == "error" for d in messages):
                tail = " ".join(built.log.strip().splitlines()[-3:])[-400:]
                found.append(Diagnostic("SPK503", f"the compiler failed: {tail}", Span(options.source)))
            checks.append(Check(name="compile", verdict="failed", detail=_count(found)))
            return {}
        module = built.folder / f"{job.module}.so"
        made = {options.out: module.read_bytes()}
        if own_code:
            checks.append(
                Check(name="compile", verdict="passed", detail=f"for {job.target.toolchain.arch or 'the host'}")
            )
            _symbols("kernel.cpp", job.target.toolchain.engine, built.folder, module, job, checks, found)
        else:
            _symbols("", "", built.folder, module, job, checks, found)
        if checked:
            second = built.folder / "checked" / module.name
            made[options.checked] = second.read_bytes()
            _symbols("checked.cpp", "checked", built.folder, second, job, checks, found)
        return made


def _symbols(
    unit: str, kind: str, folder: Path, module: Path, job: Job, checks: list[Check], found: list[Diagnostic]
) -> None:
    """What the device code of translation unit `unit` and the module that it is in need from elsewhere."""
    of = f" ({kind})" if kind == "checked" else ""
    if unit:
        (item,) = sorted(folder.glob(f"CMakeFiles/*.dir/**/{unit}.o"))
        check, findings = symbols.device_code(elf.read(item), kind, job.interface.openmp, job.source_path)
        checks.append(check.model_copy(update={"name": check.name + of}))
        found += findings
    check, findings = symbols.module(elf.read(module), f"PyInit_{job.module}", job.source_path)
    if all(c.verdict != "failed" for c in checks):  # else the device code's own finding says it better
        found += findings
    checks.append(check.model_copy(update={"name": check.name + of}))


def _count(found: Sequence[Diagnostic]) -> str:
    errors = sum(d.severity == "error" for d in found)
    return f"{errors} error{'s' if errors != 1 else ''}"


def _record(
    options: Options,
    job: Job,
    images: dict[str, bytes],
    checks: list[Check],
    found: list[Diagnostic],
    environment: dict[str, str],
) -> Outcome:
    """Write what there is: the modules only when everything passed, the evidence always."""
    ok = bool(images) and not any(d.severity == "error" for d in found) and all(c.verdict != "failed" for c in checks)
    subject = {**job.digests, "runtime": sha256_file(options.runtime)}
    if ok:
        subject["module"] = sha256_bytes(images[options.out])
        if options.checked in images:
            subject["checked module"] = sha256_bytes(images[options.checked])
    evidence = Evidence(
        stage="compile",
        unit=options.unit,
        variant=options.variant,
        target=job.target.name,
        verdict="passed" if ok else "failed",
        subject=subject,
        checks=tuple(checks),
        environment=environment,
        diagnostics=tuple(d.to_json() for d in found),
    )
    if ok:
        for path, image in images.items():
            atomic.write(path, image, 0o755)
        manifest = {
            "module": job.module,
            "unit": job.unit,
            "variant": job.variant,
            "target": job.target.name,
            "digests": subject,
        }
        atomic.write(options.manifest, canonical_json(manifest))
    else:
        for stale in filter(None, (options.out, options.checked, options.manifest)):
            Path(stale).unlink(missing_ok=True)
    atomic.write(options.evidence, canonical_json(evidence))
    return Outcome(ok=ok, diagnostics=evidence.diagnostics, summary={"bytes": len(images[options.out])} if ok else {})
