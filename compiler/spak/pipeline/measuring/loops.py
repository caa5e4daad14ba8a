"""Which loop `spak tune` searches: one of a program, or one made of a unit's tuning space. Knows no search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from spak.errors import Diagnostic, SpakError, Span
from spak.semantics.program import EngineeringLoop, Measure, Parameter
from spak.semantics.suggest import near

if TYPE_CHECKING:
    from spak.pipeline.measuring.bed import Bed

#: Spaces up to this size are searched whole; of larger ones so many trials are made.
WHOLE = 64


def loop_of(
    root: Path,
    subject: str,
    name: str = "",
    *,
    variant: str = "",
    target: str = "",
    shapes: Sequence[str] = (),
    metric: str = "",
    say: Callable[[str], None] = lambda text: None,
) -> EngineeringLoop:
    """A loop of a program's file, or a unit's own. Raises SpakError for what is not there."""
    if Path(subject).suffix in {".dsl", ".md"}:
        if variant or target or shapes or metric:
            what = "--variant, --target, --shape and --metric are for units; a program's loop says these itself"
            raise SpakError(Diagnostic("SPK668", what, None, f"change them in {subject}"))
        return of_program(root, subject, name)
    if name:
        raise SpakError(
            Diagnostic("SPK668", f"a unit has no loops: {name!r}", None, "name a file: spak tune FILE.dsl LOOP")
        )
    return of_unit(root, subject, variant, target, [sizes(one) for one in shapes], metric, say)


def of_program(root: Path, subject: str, name: str) -> EngineeringLoop:
    """The loop of a name, or the only one."""
    from spak.semantics.resolve import load_program

    path = Path(subject)
    if path.is_absolute() or not (root / path).is_file():
        path = (
            Path(subject).resolve().relative_to(root.resolve())
            if Path(subject).resolve().is_relative_to(root.resolve())
            else path
        )
    loops = load_program(root, path.as_posix()).loops
    if not name and len(loops) == 1:
        return next(iter(loops.values()))
    if name in loops:
        return loops[name]
    hint = near(name, loops, "there are") or "name one that the file declares"
    what = f"there is no engineering_loop {name!r}" if name else f"{len(loops)} engineering loops are here: name one"
    raise SpakError(Diagnostic("SPK668", what, Span(path.as_posix()), hint))


def of_unit(
    root: Path,
    unit: str,
    variant: str,
    target: str,
    shapes: Sequence[dict[str, int]],
    metric: str,
    say: Callable[[str], None],
) -> EngineeringLoop:
    """The parameters of the unit's tuning space that the variant's plan has. Raises SpakError (SPK665) where there is none."""
    from spak.pipeline.measuring.bed import Bed
    from spak.pipeline.measuring.kernel_trials import tunable

    with Bed(root, unit, target, say) as bed:
        variant = variant or (tunable(bed) if _here(bed) else bed.variants[-1])
        bed.build([variant])
        own = bed.plan(variant).params
        space = bed.unit.tuning_space
        parameters = tuple(Parameter(one.name, one.values) for one in space.parameters if one.name in own)
        if not parameters:
            hint = f"its tuning space has: {', '.join(one.name for one in space.parameters) or 'nothing'}"
            what = f"the plan of {unit}.{variant} has no parameter of a tuning space"
            raise SpakError(Diagnostic("SPK665", what, None, hint))
        metric = metric or ("gflops" if bed.unit.flops != "0" else "gbytes" if bed.unit.bytes != "0" else "seconds")
        objective = "minimize" if metric == "seconds" else "maximize"
        measure = Measure(metric, objective, None, unit, variant, bed.target.name, tuple(shapes), 1, 60.0)
    size = 1
    for one in parameters:
        size *= len(one.values)
    strategy, trials = ("cartesian", 0) if size <= WHOLE else ("tpe", WHOLE)
    return EngineeringLoop(f"{unit}.{variant}", parameters, (), measure, strategy, trials)


def _here(bed: Bed) -> bool:
    """Whether any reply is in the tree yet, so that plans can be looked at."""
    return any(Path(bed.files(name)["plan"]).is_file() for name in bed.variants)


def sizes(text: str) -> dict[str, int]:
    """`M=64,N=64` as a map. Raises SpakError (SPK663)."""
    found = {}
    for part in text.split(","):
        name, _, value = part.partition("=")
        try:
            found[name.strip()] = int(value)
        except ValueError:
            hint = "write NAME=INTEGER, separated by commas: M=64,N=64"
            raise SpakError(Diagnostic("SPK663", f"{part!r} is not of the form NAME=INTEGER", None, hint)) from None
    return found
