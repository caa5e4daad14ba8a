"""What the compiled machine code says about a reply: registers, spills, shared memory, occupancy, contracts.

Knows a result of `nvrtc.compile`, a plan's constant block sizes and a target; nothing of specs or shapes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from spak.build import sass
from spak.build.cubin import KernelFacts, sections
from spak.build.nvrtc import NvrtcResult
from spak.build.occupancy import occupancy
from spak.effects import Do
from spak.errors import Diagnostic, Span
from spak.lang.expr import evaluate, parse_expr
from spak.model.evidence import Check
from spak.model.plan import Expr, Launch, Plan
from spak.model.target import Target


def facts(
    result: NvrtcResult, plan: Plan, target: Target, contracts: Sequence[str], *, do: Do, source: str = ""
) -> tuple[list[Check], list[Diagnostic]]:
    """Checks for the compile evidence, and the findings that make them fail; `result.diagnostics` are not repeated.

    `source` is the path shown with findings. A result that did not compile has one failed check and nothing else.
    """
    place = Span(source) if source else None
    if not result.ok:
        errors = sum(d.severity == "error" for d in result.diagnostics)
        return [Check(name="compile", verdict="failed", detail=f"{errors} errors for {target.toolchain.arch}")], []
    checks = [
        Check(
            name="compile",
            verdict="passed",
            detail=f"NVRTC {result.version} for {target.toolchain.arch}",
            figures={"cubin_bytes": len(result.cubin)},
        )
    ]
    if target.toolchain.ptx and not result.ptx:
        checks.append(
            Check(name="portable PTX", verdict="skipped", detail=f"does not compile for {target.toolchain.ptx}")
        )
    found: list[Diagnostic] = []
    kept = [s.name for s in sections(result.cubin) if s.name == ".nv.global" and s.size]
    if kept:
        hint = "use locals, constexpr tables, or a [[workspace]] of the plan"
        found.append(Diagnostic("SPK423", "device code keeps state between launches, in global memory", place, hint))
    detail = "variables in global memory" if kept else ""
    checks.append(Check(name="no state", verdict="failed" if kept else "passed", detail=detail))
    serialised = any(d.code == "SPK484" for d in result.diagnostics)
    checks.append(
        Check(
            name="wgmma asynchronous",
            verdict="failed" if serialised else "passed",
            detail="C7510" if serialised else "",
        )
    )
    for name in sorted({launch.kernel for launch in plan.launch}):
        if name in result.kernels:
            launches = [launch for launch in plan.launch if launch.kernel == name]
            _kernel(name, result.kernels[name], launches, plan, target, place, checks, found)
    _contracts(result, contracts, do, place, checks, found)
    return checks, found


def _kernel(
    name: str, kernel: KernelFacts, launches: list[Launch], plan: Plan, target: Target, place: Span | None,
    checks: list[Check], found: list[Diagnostic],
) -> None:  # fmt: skip
    limits = target.limits
    env = {**{k: v for k, v in target.constants.items() if isinstance(v, int)}, **plan.params}
    threads = max((count for launch in launches if (count := _threads(launch, env))), default=0)
    dynamic = max((size for launch in launches if (size := _value(launch.smem, env)) is not None), default=None)
    figures = {
        "registers": kernel.registers, "static_smem": kernel.static_smem, "stack_bytes": kernel.stack_bytes,
        "spill_stores": kernel.spill_stores, "spill_loads": kernel.spill_loads,
    }  # fmt: skip
    problems = list(_excess(name, kernel, threads, dynamic or 0, target))
    found += [Diagnostic("SPK487", message, place, hint) for message, hint in problems]
    detail = "; ".join(message for message, _ in problems)
    checks.append(
        Check(name=f"resources of {name}", verdict="failed" if problems else "passed", detail=detail, figures=figures)
    )
    if not threads or dynamic is None:
        detail = "the block's size or shared memory depends on the shape"
        checks.append(Check(name=f"occupancy of {name}", verdict="skipped", detail=detail))
    elif limits.registers_per_sm:
        got = occupancy(limits, registers=kernel.registers, threads=threads, shared_bytes=kernel.static_smem + dynamic)
        figures = {
            "blocks_per_sm": got.blocks_per_sm,
            "warps_per_sm": got.warps_per_sm,
            "max_warps_per_sm": got.max_warps_per_sm,
            "threads": threads,
        }
        checks.append(
            Check(name=f"occupancy of {name}", verdict="passed", detail=f"limited by {got.limiter}", figures=figures)
        )


def _excess(name: str, kernel: KernelFacts, threads: int, dynamic: int, target: Target) -> Iterable[tuple[str, str]]:
    limits = target.limits
    shared = kernel.static_smem + dynamic
    if limits.max_shared_bytes and shared > limits.max_shared_bytes:
        detail = f"{kernel.static_smem} static and {dynamic} dynamic"
        yield (
            f"{name} needs {shared} bytes of shared memory ({detail}); {target.name} has {limits.max_shared_bytes}",
            "smaller tiles or fewer stages",
        )
    if limits.registers_per_sm and threads:
        got = occupancy(limits, registers=kernel.registers, threads=threads, shared_bytes=0)
        if not got.blocks_per_sm:
            message = (
                f"{name} uses {kernel.registers} registers a thread; {threads} threads exceed {limits.registers_per_sm}"
            )
            yield message, f"__launch_bounds__({threads}) lets the compiler hold the limit"
    bounds = kernel.required_block or kernel.max_block
    if bounds and threads > bounds[0] * bounds[1] * bounds[2]:
        allowed = bounds[0] * bounds[1] * bounds[2]
        yield (
            f"{name} is compiled for at most {allowed} threads a block, but is launched with {threads}",
            "make __launch_bounds__ and the plan's block agree",
        )


def _contracts(
    result: NvrtcResult,
    contracts: Sequence[str],
    do: Do,
    place: Span | None,
    checks: list[Check],
    found: list[Diagnostic],
) -> None:
    parsed = [(text, sass.parse(text)) for text in contracts]
    tool = sass.disassembler()
    code = None
    if tool and any(contract and sass.needs_code(contract) for _, contract in parsed):
        code = sass.disassemble(result.cubin, do, tool)
    for text, contract in parsed:
        if contract is None:
            hint = "no local memory, no spills, no atomics, must contain X, must not contain X, registers <= N"
            found.append(Diagnostic("SPK488", f"the contract {text!r} is not understood", None, hint))
            checks.append(Check(name=f"sass: {text}", verdict="failed", detail="not understood"))
        elif sass.needs_code(contract) and code is None:
            why = (
                "nvdisasm cannot read this cubin"
                if tool
                else "nvdisasm is not installed (pip install nvidia-cuda-nvdisasm)"
            )
            checks.append(Check(name=f"sass: {text}", verdict="skipped", detail=why))
        else:
            broken = [v for v in sass.judge(contract, code or {}, result.kernels) if not v.holds]
            found += [Diagnostic("SPK486", _broken(v), place, "the contract is the spec's: " + text) for v in broken]
            detail = "; ".join(f"{v.kernel}: {v.detail}".lstrip(": ") for v in broken)
            checks.append(Check(name=f"sass: {text}", verdict="failed" if broken else "passed", detail=detail))


def _broken(verdict: sass.Verdict) -> str:
    where = f"{verdict.kernel}: " if verdict.kernel else ""
    return f"{where}the machine code breaks {verdict.contract.text!r} ({verdict.detail})"


def _threads(launch: Launch, env: dict[str, int]) -> int:
    count = 1
    for dim in launch.block:
        value = _value(dim, env)
        if value is None:
            return 0
        count *= value
    return count


def _value(expr: Expr, env: dict[str, int]) -> int | None:
    """The value of an expression that needs no shape; None when it does."""
    if isinstance(expr, int):
        return expr
    value = evaluate(parse_expr(expr), env)
    return value if isinstance(value, int) else None
