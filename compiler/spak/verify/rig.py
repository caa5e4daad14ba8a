"""The two children of a verification and the memory they work in. Knows how to run a case and ask the oracle, not
what is right.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from spak.effects.run import Limits
from spak.effects.sandbox import wrap
from spak.effects.service import Answer, Service
from spak.errors import Diagnostic, SpakError
from spak.model.ir import Scalar, Tensor
from spak.verify.arena import Arena, Damage, guards, name_offsets, place
from spak.verify.dtypes import F64, Array
from spak.verify.problem import Layout, Problem

FORWARD = {"SPAK_SIM_ORDER": "forward", "SPAK_SIM_SEED": "0", "SPAK_SIM_COMPLETION": "eager"}
#: What malloc is told: it fills with the complement, bytes 0x49 and 0xC9, which are large numbers in every format.
PERTURB = (0xB6, 0x36)
SIM_ENV = ("SPAK_SIM_ORDER", "SPAK_SIM_SEED", "SPAK_SIM_COMPLETION", "SPAK_SIM_MODE", "SPAK_SIM_SAMPLE_BLOCKS")


@dataclass(frozen=True, slots=True)
class Place:
    """How a case's arrays are laid out, and what surrounds them."""

    ends: bool = True
    align: int = 16
    margin: int = 0
    guarded: tuple[str, ...] | None = None  # arrays with guard pages; None: all
    zeroed: bool = False


HERE = Place()


@dataclass(frozen=True, slots=True)
class Case:
    """A problem of one size with its inputs: what the candidate is run on and the oracle asked about."""

    axes: dict[str, int]
    scalars: dict[str, Any]
    inputs: dict[str, Array]


@dataclass(frozen=True, slots=True)
class Ran:
    """What one call left behind. `failure` is '' when it returned: else "crashed", "hung", "raised" or "load".

    `findings` and `counters` are what the simulator says of the call, as JSON; '' where it says nothing. The candidate is
    not trusted: they can be missing, but what is found counts.
    """

    outputs: dict[str, Array] = field(default_factory=dict)
    damage: tuple[Damage, ...] = ()
    changed: dict[str, int] = field(default_factory=dict)
    failure: str = ""
    how: str = ""
    findings: str = ""
    counters: str = ""


@dataclass(frozen=True, slots=True)
class Expected:
    """One result as the oracle has it: fp64 value, the plain evaluation in two orders, the error bound, all fp64."""

    exact: F64
    plain: tuple[F64, F64]
    error: F64
    coarse: str = ""


class Rig:
    """Starts children when they are needed, and again when they died. Close it."""

    def __init__(
        self, problem: Problem, module: str, *, device: str, call_seconds: float, reference_file: str = ""
    ) -> None:
        self.problem, self.module, self.device = problem, module, device
        self.call_seconds, self.reference_file = call_seconds, reference_file
        self.arena, self.library = Arena(), Arena()
        self.sandbox = ""
        self._candidate: Service | None = None
        self._oracle: Service | None = None
        self.starts = 0

    def close(self) -> None:
        for service in (self._candidate, self._oracle):
            if service:
                service.__exit__()
        self.arena.close()
        self.library.close()

    def __enter__(self) -> Rig:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- the candidate ------------------------------------------------------------------------------------------

    def run(
        self,
        case: Case,
        *,
        at: Place = HERE,
        run: int = 0,
        env: Mapping[str, str] = FORWARD,
        stale: Mapping[str, Array] | None = None,
    ) -> Ran:
        """Call the module once. `run` picks the poison, and what uninitialised workspaces hold; `stale` are results to
        overwrite."""
        layouts = self.problem.layouts(case.axes, case.scalars)
        count = len(self.problem.tensors)
        slots = place(layouts, count, ends=at.ends, align=at.align, margin=at.margin)
        self.arena.prepare(slots, case.inputs, run, at.zeroed, stale)
        fenced = slots if at.guarded is None else [s for s in slots if s.layout.name in at.guarded]
        position = {slot.layout.name: slot for slot in slots}

        def tensor(layout: Layout) -> dict[str, Any]:
            slot = position[layout.name]
            return {
                "name": layout.name, "at": slot.at, "begin": slot.begin, "end": slot.end,
                "dtype": layout.dtype, "shape": layout.shape, "strides": layout.strides,
            }  # fmt: skip

        by_name = {layout.name: layout for layout in layouts}
        params = [
            {"name": p.name, "value": case.scalars[p.name]} if isinstance(p, Scalar) else tensor(by_name[p.name])
            for p in self.problem.unit.signature.params
        ]
        job = {
            "module": self.module, "unit": self.problem.unit.name, "device": self.device, "params": params,
            "results": [tensor(layout) for layout in layouts[count:]], "perturb": PERTURB[run % 2],
            "guards": guards(fenced), "env": dict(env), "unset": [name for name in SIM_ENV if name not in env],
        }  # fmt: skip
        answer = self._ask_candidate(job)
        failure, how = _failure(answer)
        return Ran(
            outputs=self.arena.outputs(slots),
            damage=tuple(self.arena.damage(slots)),
            changed=self.arena.changed_inputs(slots, case.inputs),
            failure=failure,
            how=name_offsets(how, slots),
            findings=name_offsets(str(answer.data.get("findings", "")), slots),
            counters=str(answer.data.get("counters", "")),
        )

    def _ask_candidate(self, job: dict[str, Any]) -> Answer:
        if self._candidate and self._candidate.cpu() + self.call_seconds > _LIFE_SECONDS / 2:
            self._candidate.__exit__()
            self._candidate = None
        if self._candidate is None:
            self._candidate, self.sandbox = self._start("spak.verify.candidate", self.arena.fd, self.device == "cuda")
            self.starts += 1
        answer = self._candidate.call(job, wall_seconds=6 * self.call_seconds, cpu_seconds=self.call_seconds)
        if answer.state != "ok":
            self._candidate.__exit__()
            self._candidate = None
        return answer

    def run_large(self, job: dict[str, Any], results: int, watch: Callable[[], bool]) -> Answer:
        """One call with results in the sparse file `results`, in a process of its own; `watch` says whether to let
        it go on.
        """
        service, _ = self._start("spak.verify.candidate", self.arena.fd, results=results)
        with service:
            return service.call(job, wall_seconds=6 * self.call_seconds, cpu_seconds=self.call_seconds, watch=watch)

    def _start(self, module: str, fd: int, devices: bool = False, results: int = -1) -> tuple[Service, str]:
        """Start a child and wait until it has shut itself in. Raises SpakError when it cannot be started."""
        argv = [sys.executable, "-P", "-m", module, str(fd), *(["--results", str(results)] if results >= 0 else [])]
        package = str(Path(__file__).resolve().parents[2])
        wrapped, inside = wrap([*argv, "--bubblewrap"], readable=[package, *self._folders()], devices=devices)
        argv = wrapped if inside else argv
        argv = [*argv, "--cuda"] if devices else argv
        service = Service(
            argv,
            env=_environment(package),
            fds=[fd, results] if results >= 0 else [fd],
            limits=_LIMITS if results < 0 else _SPARSE_LIMITS,
        )
        answer = service.hello(wall_seconds=300, cpu_seconds=30)
        if answer.state == "ok":
            return service, str(answer.data.get("sandbox", ""))
        service.__exit__()
        hint = "see whether the Python environment is complete"
        raise SpakError(
            Diagnostic("SPK602", f"the process {module} does not start: {answer.how}. {answer.said}", hint=hint)
        )

    def _folders(self) -> list[str]:
        """Folders outside the project that children must see: those of the module and the reference."""
        return [str(Path(path).resolve().parent) for path in (self.module, self.reference_file) if path]

    # -- the oracle ---------------------------------------------------------------------------------------------

    def expect(
        self, case: Case, *, accumulate: str = "", layouts: Sequence[Layout] | None = None
    ) -> dict[str, Expected]:
        """The results of a case. `accumulate` asks what another accumulator would do. Raises SpakError for a bad
        reference.
        """
        unit = self.problem.unit
        layouts = layouts or self.problem.layouts(case.axes, case.scalars)
        inputs = {layout.name: layout for layout in layouts[: len(self.problem.tensors)]}
        cursor, params = 0, []
        for param in unit.signature.params:
            if isinstance(param, Tensor):
                values = np.ascontiguousarray(case.inputs[param.name])
                self.library.bytes[cursor : cursor + values.nbytes] = values.reshape(-1).view(np.uint8)
                params.append(
                    {"name": param.name, "dtype": param.dtype, "offset": cursor, "shape": inputs[param.name].shape}
                )
                cursor += -(-values.nbytes // 64) * 64
            else:
                params.append({"name": param.name, "dtype": param.dtype, "value": case.scalars[param.name]})
        results: list[dict[str, Any]] = []
        for layout in layouts[len(inputs) :]:
            offsets = [cursor + i * layout.count * 8 for i in range(4)]
            results.append({"name": layout.name, "shape": layout.shape, "offsets": offsets})
            cursor += 4 * layout.count * 8
        answer = self._ask_oracle({
            "kind": unit.reference.kind, "expr": unit.reference.expr, "function": unit.reference.function,
            "file": self.reference_file or unit.reference.file, "axes": case.axes,
            "accumulate": accumulate or unit.accumulate,
            "params": params, "results": results,
        })  # fmt: skip
        return {r["name"]: self._expected(r, answer.data.get("coarse", "")) for r in results}

    def _expected(self, result: dict[str, Any], coarse: str) -> Expected:
        count = int(np.prod(result["shape"], dtype=np.int64))
        parts = [
            self.library.bytes[o : o + 8 * count].view(np.float64).reshape(result["shape"]).copy()
            for o in result["offsets"]
        ]
        return Expected(parts[0], (parts[1], parts[2]), parts[3], coarse)

    def _ask_oracle(self, job: dict[str, Any]) -> Answer:
        if self._oracle and self._oracle.cpu() > _LIFE_SECONDS / 2:
            self._oracle.__exit__()
            self._oracle = None
        if self._oracle is None:
            self._oracle, _ = self._start("spak.verify.oracle", self.library.fd)
        answer = self._oracle.call(job, wall_seconds=300, cpu_seconds=60)
        if answer.state == "ok" and answer.data.get("ok"):
            return answer
        self._oracle.__exit__()
        self._oracle = None
        what = answer.data.get("bad_reference") or f"evaluating the reference {answer.how}: {answer.said}"
        hint = "the reference is NumPy over the parameters, in fp64, and returns each result with its declared shape"
        raise SpakError(Diagnostic("SPK604", f"unit {self.problem.unit.name}: {what}", hint=hint))


# Of CPU time, which the kernel holds a child to. It gets no call that it may not live to answer: however slow the machine is,
# and however many calls a verification makes, each has its time.
_LIFE_SECONDS = 600
_LIMITS = Limits(wall_seconds=0, cpu_seconds=_LIFE_SECONDS, memory_bytes=64 << 30, output_bytes=16 << 20)
_SPARSE_LIMITS = Limits(wall_seconds=0, cpu_seconds=_LIFE_SECONDS, output_bytes=16 << 20)


def _environment(package: str) -> dict[str, str]:
    """What children see of the environment: enough to find Python and libraries, one thread for the oracle's BLAS."""
    kept = {
        name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES") if name in os.environ
    }
    path = os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH", "")])])
    return {
        **kept, "PYTHONPATH": path, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8",
        "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "2",
        # One thread: which of several faults is reported must not depend on how the host schedules threads.
        "SPAK_SIM_THREADS": "1",
        # Without a cache in front of it, malloc fills what it hands out, as `mallopt(M_PERTURB)` in the candidate asks.
        "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0",
    }  # fmt: skip


def _failure(answer: Answer) -> tuple[str, str]:
    if answer.state == "died":
        said = answer.said if answer.how == "signal SIGABRT" else ""
        return "crashed", f"{answer.how}{': ' if said else ''}{said}"
    if answer.state == "hung":
        return "hung", answer.how
    for kind in ("load", "raised"):
        if kind in answer.data:
            return kind, str(answer.data[kind])
    return "", ""
