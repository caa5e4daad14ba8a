"""What native code is built with and from: tools, headers, runtime libraries, devices. Knows no unit and runs nothing."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from spak.digest import digest_fields, sha256_file
from spak.model.target import Target
from spak.pipeline.graph.action import Action
from spak.pipeline.graph.targets import ProjectTargets

INCLUDE = Path(__file__).parents[2] / "include"

#: The toolkit's headers.
TOOLKIT = ("pkg:nvidia-cuda-runtime", "pkg:nvidia-cuda-crt", "pkg:nvidia-cuda-cccl")

#: What each engine builds with besides the compiler, as `spak.pipeline.graph.tools` names it.
TOOLS = {
    "host": ("cmake", "ninja", "python", "pkg:pybind11"),
    "sim": ("cmake", "ninja", "python", "pkg:pybind11", *TOOLKIT),
    "nvrtc": ("cmake", "ninja", "python", "pkg:pybind11", *TOOLKIT, "nvrtc", "nvdisasm"),
}

#: The folders of `include/spak` that an engine's modules, and its runtime library, include from.
HEADERS = {"host": ("cpu", "runtime"), "sim": ("cuda", "runtime", "sim"), "nvrtc": ("cpu", "cuda", "runtime", "sim")}
RUNTIME_HEADERS = {"host": ("runtime",), "sim": ("runtime", "sim"), "nvrtc": ("runtime",)}


def runtime_library(target: Target) -> str:
    """The runtime library of an engine: targets that differ in their kernels' flags alone share it."""
    return f"build/runtime/{target.toolchain.engine}-{target.toolchain.compiler}/libspak_runtime.a"


def tools(target: Target) -> tuple[str, ...]:
    """What a target's modules are made with."""
    return (f"cxx:{target.toolchain.compiler}", *TOOLS[target.toolchain.engine])


def runtime_actions(targets: ProjectTargets) -> list[Action]:
    """`runtime:<engine>` each: what modules have in common, compiled once."""
    first = {runtime_library(target): target for target in reversed(targets.by_name.values())}
    return [runtime_action(target) for target in reversed(first.values())]


def runtime_action(target: Target) -> Action:
    from spak.build.runtimelib import Options

    out = runtime_library(target)
    engine, compiler = target.toolchain.engine, target.toolchain.compiler
    options = Options(engine=engine, compiler=compiler, out=out)
    return Action(
        name=f"runtime:{Path(out).parent.name}",
        stage="spak.build.runtimelib",
        options=options.model_dump(mode="json"),
        values=(
            ("cmake", cmake_digest()),
            ("headers", headers_digest(*RUNTIME_HEADERS[engine])),
            ("sources", sources_digest(engine)),
        ),
        outputs=(out,),
        tools=tools(target),
        env=("CXX",),
        doc="compile what the modules of an engine share",
    )


def module_values(target: Target) -> tuple[tuple[str, str], ...]:
    """What a target's modules are made of beside their own files."""
    return (("cmake", cmake_digest()), ("headers", headers_digest(*HEADERS[target.toolchain.engine])))


@cache
def cmake_digest() -> str:
    """One digest over the CMake functions that every module and runtime library is built with."""
    from spak.build.places import CMAKE

    return digest_fields(("file", path.name, sha256_file(path)) for path in sorted(CMAKE.iterdir()))


@cache
def sources_digest(engine: str) -> str:
    """One digest over the runtime's C++ sources for an engine."""
    from spak.build.places import runtime_sources

    return digest_fields(("file", path.name, sha256_file(path)) for path in runtime_sources(engine))


@cache
def headers_digest(*folders: str) -> str:
    """One digest over the C++ headers below folders of `include/spak`."""
    found = [one for folder in folders for one in header_files(f"spak/{folder}")]
    return digest_fields(("file", name, sha256_file(path)) for name, path in found)


def header_files(folder: str) -> list[tuple[str, str]]:
    """(name below include, path) of every header of a folder, sorted."""
    found = []
    for place, _, names in os.walk(INCLUDE / folder, followlinks=True):
        if "/sim/host" not in place:  # what whole programs include, and kernels never do
            found += [Path(place) / name for name in names]
    return [(path.relative_to(INCLUDE).as_posix(), str(path)) for path in sorted(found)]


@cache
def devices_here() -> frozenset[str]:
    """The compute capabilities of this machine's CUDA devices, as `90`; empty where there is no driver."""
    from spak.runtime.cuda import CudaError, Driver

    try:
        driver = Driver()
        return frozenset("".join(map(str, driver.capability(n))) for n in range(driver.device_count()))
    except CudaError:
        return frozenset()


def device_is_here(target: Target) -> bool:
    """Whether the target's modules can run on this machine: everything for the CPU can."""
    if target.device == "cpu":
        return True
    return "".join(c for c in target.toolchain.arch if c.isdigit()) in devices_here()
