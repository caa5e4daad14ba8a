"""Writing back what a sweep found: verified first, then a tuned file, then the rebuild of what it concerns. Knows no search."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spak.errors import Diagnostic, SpakError, Span
from spak.lock.tuned import Tuned, in_force, text
from spak.measure.environment import Environment
from spak.optimize.choose import choose
from spak.optimize.space import text_of
from spak.optimize.trial import Trial
from spak.pipeline.graph.tuned import unfit
from spak.pipeline.measuring.bed import Bed
from spak.semantics.program import EngineeringLoop
from spak.store import atomic

if TYPE_CHECKING:
    from spak.optimize.sweep import Swept

DIGITS = 5


def current(bed: Bed, variant: str, own: Mapping[str, int]) -> dict[str, int]:
    """The parameters in force: the plan's own, or tuned ones where there are some."""
    path = bed.actions.tuned_file(bed.variant(variant), bed.target)
    if not (bed.root / path).is_file() or unfit(bed.root / path, bed.unit):
        return dict(own)
    files = bed.files(variant)
    wins = in_force(
        path, Path(files["source"]).read_bytes(), Path(files["plan"]).read_bytes(), bed.plan(variant)
    ).params
    return {**own, **{name: value for name, value in wins.items() if name in own}}


def write_back(
    bed: Bed,
    loop: EngineeringLoop,
    environment: Environment,
    now: Mapping[str, int],
    own: Mapping[str, int],
    swept: Swept,
) -> dict[str, Any]:
    """{written | removed | kept, rejected, rebuilt}. Nothing is written that has not passed check, compile and verify.

    Parameters change only for a reason: while those in force are statistically as good as the best they stay.
    """
    rejected: list[dict[str, Any]] = []
    left = list(swept.trials)
    while True:
        best, tied = choose(left, loop.measure.objective, now)
        if best is None:
            return {"kept": "nothing that was measured passes verification", "rejected": rejected}
        params = {name: int(value) for name, value in best.config.items()}
        if params == dict(now):
            return {"kept": "the parameters in force are as good as any", "rejected": rejected}
        if params == dict(own):
            return {**_remove(bed, loop), "rejected": rejected}
        if best.figures.get("verdict") != "faster":
            return {"kept": f"{text_of(params)} is not faster than the plan's own parameters", "rejected": rejected}
        why = bed.verified(loop.measure.variant, params)
        if not why:
            return {**_write(bed, loop, environment, best, swept, len(tied)), "rejected": rejected}
        rejected.append({"params": params, "why": why})
        left.remove(best)


def _write(
    bed: Bed, loop: EngineeringLoop, environment: Environment, best: Trial, swept: Swept, tied: int
) -> dict[str, Any]:
    variant = bed.variant(loop.measure.variant)
    path = bed.actions.tuned_file(variant, bed.target)
    subject = bed.subject(variant.name)
    tuned = Tuned(
        params={name: int(value) for name, value in best.config.items()},
        subject=subject,
        evidence=_evidence(loop, environment, best, swept, tied),
    )
    before = Path(path).read_bytes() if Path(path).is_file() else None
    atomic.write(path, text(tuned).encode())
    try:
        rebuilt = _rebuild(bed, variant.name)
    except BaseException:
        if before is None:
            Path(path).unlink(missing_ok=True)
        else:
            atomic.write(path, before)
        raise
    return {"written": path, "rebuilt": rebuilt}


def _remove(bed: Bed, loop: EngineeringLoop) -> dict[str, Any]:
    path = bed.actions.tuned_file(bed.variant(loop.measure.variant), bed.target)
    Path(path).unlink(missing_ok=True)
    return {"removed": path, "rebuilt": _rebuild(bed, loop.measure.variant)}


def _rebuild(bed: Bed, variant: str) -> list[str]:
    """Bring what the file concerns up to date: check, compile, verify and the artifact on this target. The names of what changed.

    The graph is made of the file's being there, so the session is opened anew. Raises SpakError (SPK666) where something fails.
    """
    bed.reopen()
    rung = bed.variant(variant)
    names = [bed.actions.at(stage, rung, bed.target) for stage in ("check", "compile", "verify")]
    results = bed.session.build([*names, f"artifact:{bed.unit.name}@{bed.target.name}"])
    wrong = [one for one in results if not one.status.good]
    mine = [one for one in wrong if one.name in names]
    if mine:
        span = Span(bed.actions.tuned_file(rung, bed.target))
        what = f"{mine[0].name} fails with the parameters that the sweep found; they are not written back"
        raise SpakError(Diagnostic("SPK666", what, span, "see its diagnostics"), *mine[0].diagnostics)
    return [one.name for one in results if (one.status.good and not one.served) or one.status.value == "restored"]


def _evidence(loop: EngineeringLoop, environment: Environment, best: Trial, swept: Swept, tied: int) -> dict[str, Any]:
    """What the choice rests on, to so many digits as the measurement has."""
    figures = best.figures
    kept = ("seconds", "gflops", "gbytes", "percent_of_peak", "ratio", "low", "high", "noise")
    return {
        "loop": loop.name,
        "metric": loop.measure.metric,
        "objective": loop.measure.objective,
        "strategy": loop.strategy,
        "seed": loop.seed,
        "trials": len(swept.trials),
        "failed": swept.count("failed"),
        "noisy": swept.count("noisy"),
        "tied": tied,
        "shapes": [" ".join(f"{k}={v}" for k, v in one["shape"].items()) for one in figures["shapes"]],
        "module": best.subject,
        "environment_digest": environment.digest,
        "environment": environment.to_json(),
        "figures": {name: float(f"{float(figures[name]):.{DIGITS}g}") for name in kept if name in figures},
    }
