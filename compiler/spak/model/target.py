"""A machine to build for, as `targets/<name>.toml` states it. Knows nothing of toolchains beyond their names."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import Field

from spak.model.base import Model
from spak.model.ir import DIALECTS  # noqa: F401  (re-exported: a target's dialect is one of these)


class Limits(Model):
    """Hardware limits a plan must respect. Bytes and counts; 0 where the notion does not apply."""

    max_threads_per_block: int = 0
    max_block: tuple[int, int, int] = (0, 0, 0)
    max_grid: tuple[int, int, int] = (0, 0, 0)
    max_shared_bytes: int = 0  # a block, opt-in maximum
    reserved_shared_bytes: int = 0  # taken by the system from every block
    shared_bytes_per_sm: int = 0
    max_registers_per_thread: int = 0
    registers_per_sm: int = 0
    max_threads_per_sm: int = 0
    max_blocks_per_sm: int = 0
    max_cluster: int = 1
    warp: int = 32


class Toolchain(Model):
    """How code for the target is compiled. `engine` names a module of `spak.build.engines`."""

    engine: Literal["host", "sim", "nvrtc"]
    compiler: str = "g++"
    arch: str = ""  # -march level, or sm_XX
    ptx: str = ""  # compute_XX: also embed PTX for newer devices
    flags: tuple[str, ...] = ()


class Target(Model):
    name: str
    title: str = ""
    dialect: Literal["cpp", "cuda"]
    device: Literal["cpu", "cuda"]  # where arguments live
    preference: int = 0  # among targets that fit the arguments, the highest loads
    verify: Literal["run", "device"] = "run"  # "device": only where such a device is present
    toolchain: Toolchain
    limits: Limits = Limits()
    constants: dict[str, float | int] = Field(default_factory=dict)  # SM_COUNT, MAX_BW (bytes/s), PEAK_TFLOPS, ...


def read_target(path: str | Path) -> Target:
    """Read a target from `targets/<name>.toml`, or from the canonical JSON that the graph makes of it.

    Meant for stages, whose input has been checked already: raises pydantic's or tomllib's own errors.
    """
    path = Path(path)
    if path.suffix == ".json":
        return Target.model_validate_json(path.read_bytes())
    return Target(name=path.stem, **tomllib.loads(path.read_text()))
