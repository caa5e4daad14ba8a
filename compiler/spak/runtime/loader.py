"""`spak.load`: find a built kernel and call the one that fits its arguments. Knows nothing of how it was built; stdlib only.

Kernels are looked for in, in this order: `$SPAK_KERNELS` (a directory of manifests), the project around the working directory
(`build/kernels`), and the installed package `spak_kernels`. This file and `module.py` are also what a kernels wheel carries.
"""

from __future__ import annotations

import importlib.util
import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Entry:
    """One built module, as a manifest lists it under `kernels`: `path` is relative to the manifest."""

    unit: str
    family: str
    variant: str
    target: str
    device: str
    preference: int
    dispatched: bool
    dtypes: tuple[str, ...]  # of the tensor parameters, in order
    path: str
    digest: str
    folder: str
    arch: str = ""  # sm_XX of machine code for CUDA devices
    ptx: str = ""  # compute_XX of the PTX beside it


class KernelNotFound(LookupError):
    """No built kernel fits: the message lists those that exist and says how to build more."""


def load(name: str, *, target: str | None = None, variant: str | None = None) -> Kernel:
    """The callable for a unit, or for a family of units that differ in dtype.

    `target` and `variant` pin one implementation; without them each call goes to the preferred target that fits the device
    of its arguments. Raises KernelNotFound (a LookupError) when nothing of that name was built.
    """
    entries = [e for folder in folders() for e in index(str(folder)) if name in (e.unit, e.family)]
    fitting = [
        e for e in entries if target in (None, e.target) and (e.dispatched if variant is None else e.variant == variant)
    ]
    if not fitting:
        raise KernelNotFound(explain_missing(name, target, variant, entries))
    first: dict[tuple[str, str], Entry] = {}
    for entry in sorted(fitting, key=lambda e: -e.preference):
        first.setdefault((entry.unit, entry.target), entry)
    return Kernel(name, tuple(first.values()))


class Kernel:
    """A kernel: call it with arrays. `k.entries` are the implementations it chooses from; `help(k)` shows the signature."""

    def __init__(self, name: str, entries: tuple[Entry, ...]) -> None:
        self.__name__ = name
        self.entries = entries
        self._direct = function(entries[0]) if len(entries) == 1 else None
        self._chosen: dict[Any, Any] = {}

    @property
    def __doc__(self) -> str:  # type: ignore[override]
        return "\n\n".join(dict.fromkeys(str(function(e).__doc__) for e in self.entries))

    def __repr__(self) -> str:
        places = ", ".join(f"{e.unit}.{e.variant}@{e.target}" for e in self.entries)
        return f"<spak kernel {self.__name__}: {places}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the kernel; see `help()` for parameters. `out=` takes the result(s), `stream=` a CUDA stream."""
        if self._direct is not None:
            return self._direct(*args, **kwargs)
        first = first_array((*args, *kwargs.values()))
        key = (type(first), str(getattr(first, "dtype", "")), str(getattr(first, "device", "")))
        chosen = self._chosen.get(key)
        if chosen is None:
            chosen = self._chosen[key] = function(self.choose(first))
        return chosen(*args, **kwargs)

    def choose(self, array: Any) -> Entry:
        """The entry that fits an array's device and dtype, by preference. Where no dtype fits, the preferred entry of the
        device is returned, so that its own argument check says what is wrong."""
        where = "cuda" if on_cuda(array) else "cpu"
        here = [e for e in self.entries if e.device == where and (where == "cpu" or suits(e, array))]
        if not here:
            built = ", ".join(sorted({e.target for e in self.entries}))
            raise KernelNotFound(f"{self.__name__}: no kernel for {described(array)} was built (built for: {built})")
        dtype = dtype_name(array)
        return next((e for e in here if e.dtypes and e.dtypes[0] == dtype), here[0])


def folders() -> list[Path]:
    """Where kernels may be, nearest first."""
    found = [Path(os.environ["SPAK_KERNELS"])] if os.environ.get("SPAK_KERNELS") else []
    here = Path.cwd()
    found += [p / "build" / "kernels" for p in (here, *here.parents) if (p / "dodo.py").exists()][:1]
    spec = importlib.util.find_spec("spak_kernels")
    found += [Path(p) for p in (spec.submodule_search_locations or ())] if spec else []
    return [p for p in found if p.is_dir()]


def index(folder: str) -> tuple[Entry, ...]:
    """The entries of every manifest (`<unit>.<target>.json`) of a folder."""
    rows = [row for path in sorted(Path(folder).glob("*.json")) for row in json.loads(path.read_text())["kernels"]]
    return tuple(Entry(**{**row, "dtypes": tuple(row["dtypes"]), "folder": folder}) for row in rows)


@cache
def _function(path: str, unit: str, target: str, digest: str) -> Any:
    from .module import load_module  # relative: a kernels wheel carries this file under another name

    return getattr(load_module(path, f"{unit}_{target}"), unit)


def function(entry: Entry) -> Any:
    """The native function of an entry, loaded once."""
    return _function(str(Path(entry.folder) / entry.path), entry.unit, entry.target, entry.digest)


def first_array(values: tuple[Any, ...]) -> Any:
    """The first argument that is an array rather than a number; without any, the first argument."""
    for value in values:
        if hasattr(value, "__dlpack_device__") or hasattr(value, "__cuda_array_interface__") or hasattr(value, "dtype"):
            return value
    return values[0] if values else None


def suits(entry: Entry, array: Any) -> bool:
    """Whether an entry's machine code runs on the CUDA device of an array; without a driver's word, it is assumed to."""
    from .devices import capability, runs

    device = capability(ordinal(array))
    return not entry.arch or device is None or runs(entry.arch, entry.ptx, device)


def ordinal(array: Any) -> int:
    """The number of an array's device; the first where only the CUDA array interface is there, which does not say."""
    device = getattr(array, "__dlpack_device__", None)
    return int(device()[1]) if device is not None else 0


def described(array: Any) -> str:
    """A kind of array in words, for the message that nothing fits it."""
    if not on_cuda(array):
        return "a cpu array"
    from .devices import capability

    device = capability(ordinal(array))
    return f"a cuda array on a device of compute capability {device[0]}.{device[1]}" if device else "a cuda array"


def on_cuda(array: Any) -> bool:
    """Whether an array lives on a CUDA device, by DLPack's device pair or the CUDA array interface."""
    device = getattr(array, "__dlpack_device__", None)
    if device is not None:
        return bool(device()[0] in (2, 13))  # kDLCUDA, kDLCUDAManaged
    return hasattr(array, "__cuda_array_interface__")


def dtype_name(array: Any) -> str:
    """An array's dtype in SPAK's words (`f32`, `bf16`, ...), '' when it has none that is known."""
    words = {
        "float64": "f64",
        "float32": "f32",
        "float16": "f16",
        "bfloat16": "bf16",
        "int32": "i32",
        "int8": "i8",
        "uint8": "u8",
    }
    return {**words, "bool": "bool"}.get(str(getattr(array, "dtype", "")).removeprefix("torch."), "")


def explain_missing(name: str, target: str | None, variant: str | None, entries: list[Entry]) -> str:
    """What was asked for, what there is, and how to get more."""
    wanted = name + (f".{variant}" if variant else "") + (f"@{target}" if target else "")
    if entries:
        there = ", ".join(sorted(f"{e.unit}.{e.variant}@{e.target}" for e in entries))
        return f"no kernel {wanted}; built: {there}"
    known = sorted({e.unit for folder in folders() for e in index(str(folder))})
    hint = f"built: {', '.join(known)}" if known else "nothing is built here: run `doit build`, or set SPAK_KERNELS"
    return f"no kernel named {wanted!r}; {hint}"
