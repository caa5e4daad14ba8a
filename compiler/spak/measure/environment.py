"""What a measurement was made on: the machine, the compiler, the versions. Knows nothing of what is measured.

Figures of two environments are never compared: `require_same` refuses.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spak.digest import sha256_bytes
from spak.errors import Diagnostic, SpakError
from spak.model.base import canonical_json
from spak.model.target import Target

_CPU = Path("/sys/devices/system/cpu")


@dataclass(frozen=True, slots=True)
class Environment:
    """Names and values, sorted; `digest` names it."""

    values: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Environment:
        return cls(tuple(sorted(values.items())))

    @property
    def digest(self) -> str:
        return sha256_bytes(canonical_json(dict(self.values)))

    def to_json(self) -> dict[str, str]:
        return dict(self.values)


def here(target: Target, compiler: str, version: str) -> Environment:
    """The environment of modules built for a target on this machine, by a compiler of a version."""
    tools = target.toolchain
    built = {
        "target": target.name,
        "compiler": f"{Path(compiler).name} {version}",
        "flags": " ".join([f"-march={tools.arch}" if tools.arch else "", *tools.flags]).strip(),
    }
    return Environment.of({**machine(), **built})


def machine() -> dict[str, str]:
    """What is known of this machine, whatever runs on it; how many threads the user allows, where that is said."""
    threads = os.environ.get("OMP_NUM_THREADS", "")
    return {
        **({"threads": threads} if threads else {}),
        "cpu": cpu_model(),
        "cores": str(len(os.sched_getaffinity(0))),
        "caches": caches(),
        "governor": governor(),
        "boost": boost(),
        "hypervisor": "yes" if "hypervisor" in cpu_flags() else "no",
        "kernel": platform.release(),
        "libc": " ".join(platform.libc_ver()),
        "python": platform.python_version(),
    }


def require_same(a: Environment, b: Environment, what: str = "these measurements") -> None:
    """Raise SpakError (SPK655) unless both are of one environment, saying in what they differ."""
    if a.digest == b.digest:
        return
    one, other = dict(a.values), dict(b.values)
    notes = [f"{name}: {one.get(name, 'nothing')} | {other.get(name, 'nothing')}" for name in sorted({*one, *other})
             if one.get(name) != other.get(name)]  # fmt: skip
    hint = "measure both on one machine, with one compiler"
    raise SpakError(
        Diagnostic(
            "SPK655", f"{what} were made in different environments and cannot be compared", None, hint, tuple(notes)
        )
    )


def cpu_model() -> str:
    """As the kernel names it, with family, model and stepping: hypervisors often hide the rest of the name."""
    said = _cpuinfo()
    numbers = "/".join(said.get(name, "?") for name in ("cpu family", "model", "stepping"))
    return f"{said.get('model name', platform.machine())} ({numbers})"


def cpu_flags() -> frozenset[str]:
    return frozenset(_cpuinfo().get("flags", "").split())


def governor() -> str:
    """The frequency governors in force, 'not stated' where the kernel does not say."""
    found = {_text(path) for path in sorted(_CPU.glob("cpu[0-9]*/cpufreq/scaling_governor"))}
    return ", ".join(sorted(found - {""})) or "not stated"


def boost() -> str:
    """Whether clocks may rise above their base, 'not stated' where the kernel does not say."""
    if said := _text(_CPU / "cpufreq" / "boost"):
        return "on" if said == "1" else "off"
    if said := _text(_CPU / "intel_pstate" / "no_turbo"):
        return "off" if said == "1" else "on"
    return "not stated"


def caches() -> str:
    """`L1 32K, L2 1024K, L3 32768K` of the first core, without instruction caches."""
    found = []
    for folder in sorted((_CPU / "cpu0" / "cache").glob("index[0-9]*")):
        if _text(folder / "type") != "Instruction":
            found.append(f"L{_text(folder / 'level')} {_text(folder / 'size')}")
    return ", ".join(found) or "not stated"


def _cpuinfo() -> dict[str, str]:
    """The first processor's entries."""
    found: dict[str, str] = {}
    for line in _text(Path("/proc/cpuinfo")).split("\n\n")[0].splitlines():
        name, _, value = line.partition(":")
        found[name.strip()] = value.strip()
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""
