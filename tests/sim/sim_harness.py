"""Compile a .cu file for the simulator and call its kernels on NumPy arrays. Knows nothing of the build's launchers."""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from spak.sim import source as simsource

ROOT = Path(__file__).resolve().parents[2]
CSRC = ROOT / "csrc"
OPTIMISE = ("-O2", "-march=native" if os.uname().machine == "aarch64" else "-march=x86-64-v3", "-ffp-contract=off")
WARN = ("-Wall", "-Wextra", "-Werror")


class Fault(Exception):
    """A spak::sim::Fault: `rule`, and the message."""

    def __init__(self, rule: str, message: str) -> None:
        self.rule = rule
        super().__init__(message)


def toolkit() -> Path:
    """The header folder of the CUDA toolkit wheels."""
    import nvidia.cu13

    return Path(next(iter(nvidia.cu13.__path__))) / "include"


def compile_engine(out: Path, *flags: str) -> list[Path]:
    """Objects of the engine's sources, in `out`."""
    objects = []
    for name in (CSRC / "sim" / "sources.txt").read_text().split():
        objects.append(out / f"{name.replace('/', '.')}.o")
        command = ["g++", "-std=c++20", "-fPIC", *OPTIMISE, *WARN, *flags, "-I", str(CSRC / "include"), "-I", str(CSRC / "sim")]
        subprocess.run([*command, "-c", str(CSRC / "sim" / name), "-o", str(objects[-1])], check=True)
    return objects


def launchers(rewritten: str) -> str:
    """One `extern "C"` launcher for each `extern "C"` kernel in `rewritten`: errors come back as text."""
    out = ["\n#include <spak/sim/launch.h>\n#include <cstdio>\n"]
    for match in re.finditer(
        r'extern "C" __global__ void (?:__launch_bounds__\([^)]*\)\s*)?(\w+)\(([^)]*)\)', rewritten
    ):
        name, parameters = match.groups()
        names = [re.findall(r"\w+", parameter)[-1] for parameter in parameters.split(",") if parameter.strip()]
        out.append(
            f'extern "C" __attribute__((visibility("default"))) int run_{name}(const spak::sim::Config* config, '
            f"char* error, int size{''.join(', ' + p for p in parameters.split(',') if p.strip())}) {{\n"
            f"  try {{ spak::sim::launch(*config, [&] {{ {name}({', '.join(names)}); }}); return 0; }}\n"
            "  catch (const spak::sim::Fault& f) {\n"
            '    std::snprintf(error, size, "%s\\n%s", f.rule().c_str(), f.what());\n    return 1;\n  }\n}\n'
        )
    return "".join(out)


def build(source: Path, out: Path, objects: Sequence[Path], *flags: str) -> Kernels:
    """The kernels of one file, as a shared library."""
    rewritten = simsource.rewrite(source.read_text(), source.name)
    text = out / f"{source.stem}.sim.cpp"
    text.write_text(rewritten + launchers(rewritten))
    library = out / f"{source.stem}.so"
    command = ["g++", "-fPIC", "-shared", "-pthread", "-fvisibility=hidden", *simsource.FLAGS, *OPTIMISE, *WARN, *flags]
    include = ["-I", str(CSRC / "include"), "-isystem", str(toolkit())]
    subprocess.run([*command, *include, str(text), *map(str, objects), "-o", str(library)], check=True)
    return Kernels(library)


class Config(ctypes.Structure):
    _fields_ = [
        ("grid", ctypes.c_longlong * 3),
        ("block", ctypes.c_longlong * 3),
        ("smem_bytes", ctypes.c_longlong),
        ("name", ctypes.c_char_p),
    ]


def _triple(value: int | Sequence[int]) -> tuple[int, ...]:
    sizes = (value,) if isinstance(value, int) else tuple(value)
    return sizes + (1,) * (3 - len(sizes))


class Kernels:
    """`kernels.run("name", grid, block, *arguments, smem=0)`: arrays by address, int as long long, float as float."""

    def __init__(self, path: Path) -> None:
        self.library = ctypes.CDLL(str(path))

    def run(
        self,
        name: str,
        grid: int | Sequence[int],
        block: int | Sequence[int],
        *arguments: Any,
        smem: int = 0,
        **env: Any,
    ) -> None:
        config = Config(
            (ctypes.c_longlong * 3)(*_triple(grid)), (ctypes.c_longlong * 3)(*_triple(block)), smem, name.encode()
        )
        error = ctypes.create_string_buffer(1 << 16)
        with environment({f"SPAK_SIM_{key.upper()}": str(value) for key, value in env.items()}):
            failed = self.library[f"run_{name}"](ctypes.byref(config), error, len(error), *map(_argument, arguments))
        if failed:
            raise Fault(*error.value.decode().split("\n", 1))


def _argument(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return ctypes.c_void_p(value.ctypes.data)
    return ctypes.c_float(value) if isinstance(value, float) else ctypes.c_longlong(value)


@contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """os.environ reaches getenv in this process, so the engine sees it."""
    before = {key: os.environ.get(key) for key in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for key, old in before.items():
            if old is None:
                del os.environ[key]
            else:
                os.environ[key] = old
