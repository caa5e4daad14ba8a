"""A whole verification: every round and property, the causes of what failed, and the evidence. Knows no files but
those given.

Failed rounds are run to the end, so that the evidence shows all of them; causes are sought for the most telling ones
only.
"""

from __future__ import annotations

import json
import platform
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from spak.digest import sha256_bytes, sha256_file
from spak.errors import Diagnostic, SpakError
from spak.lock.tuned import in_force
from spak.model.base import canonical_json
from spak.model.evidence import Check, Evidence
from spak.model.ir import Unit
from spak.model.target import Target, read_target
from spak.verify import checked, large, metamorphic, stated
from spak.verify.arena import bits
from spak.verify.attempt import REVERSE, SHUFFLED, Attempt, Setup, attempt
from spak.verify.diagnose import diagnose
from spak.verify.dtypes import Array
from spak.verify.hypotheses import Cause
from spak.verify.problem import Problem
from spak.verify.rig import FORWARD, Place, Rig
from spak.verify.rounds import Round, case_of, plan_rounds, seed_of, unmet
from spak.verify.shrink import report, shrink
from spak.verify.stage import Options

#: Fewer than this many rounds are no verification.
MINIMUM = 20
#: After so many crashes and hangs the rest is skipped: each costs a new process.
DEAD = 4
#: Operations and elements of a round, natively and in the simulator.
COST = {"host": 3e6, "sim": 4e5, "nvrtc": 3e6}
#: Kinds of rounds in the order in which they tell most about a cause.
TELLING = ("random", "odd", "exact", "spec", "vector", "structural", "adversarial")


@dataclass(slots=True)
class _Failed:
    round: Round
    tried: Attempt
    check: int


@dataclass(slots=True)
class _State:
    """What has been found so far."""

    checks: list[Check] = field(default_factory=list)
    failed: list[_Failed] = field(default_factory=list)
    dead: int = 0
    not_checked: list[str] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    found: list[Diagnostic] = field(default_factory=list)  # by the simulator itself
    seen: checked.Seen = field(default_factory=set)
    broken: bool = False  # something was found
    smallest: dict[str, Any] | None = None
    previous: dict[str, Array] = field(default_factory=dict)
    remembered: str = ""


def load_target(path: str) -> Target:
    """A target from its file; its name is the file's. Raises SpakError."""
    try:
        return read_target(path)
    except (OSError, ValueError) as error:
        raise SpakError(
            Diagnostic("SPK603", f"{path} cannot be read: {error}", hint="see docs for the form of a target")
        ) from None


def _problem(options: Options) -> Problem:
    try:
        unit = Unit.model_validate_json(Path(options.ir).read_bytes())
        plan = tomllib.loads(Path(options.plan).read_text("utf-8")) if options.plan else {}
    except (OSError, ValueError) as error:
        raise SpakError(
            Diagnostic("SPK603", f"an input of the verification cannot be read: {error}", hint="build it again")
        ) from None
    tuned = _tuned(options)
    params = sorted((k, v) for k, v in {**plan.get("params", {}), **tuned}.items() if isinstance(v, int))
    grids = tuple(tuple(map(str, launch["grid"])) for launch in plan.get("launch", ()) if "grid" in launch)
    launches = tuple((str(one.get("step", "")), str(one.get("when", "true"))) for one in plan.get("launch", ()))
    return Problem(unit, options.variant, tuple(params), grids, launches)


def _tuned(options: Options) -> dict[str, int]:
    """The parameters that take the place of the plan's. Raises SpakError for a file that is none."""
    if not options.tuned:
        return {}
    return (
        in_force(options.tuned, Path(options.source).read_bytes(), Path(options.plan).read_bytes(), None)
        .require()
        .params
    )


def verify(options: Options, only: str = "", seed: int | None = None) -> Evidence:
    """Run everything, or the one round (or property) called `only`, with `seed` in the place of its own. Raises
    SpakError.
    """
    problem, target = _problem(options), load_target(options.target)
    _need_device(target)
    subject = _subject(options)
    base = sha256_bytes((subject["source"] + subject["spec"]).encode())
    state = _State()
    rounds = plan_rounds(problem, base, limit=COST[target.toolchain.engine])
    with Rig(
        problem,
        options.module,
        device=target.device,
        call_seconds=options.call_seconds,
        reference_file=options.reference,
    ) as rig:
        plain = options.mode in ("", "plain")
        chosen = [r for r in rounds if only in ("", r.name) and plain]
        _rounds(rig, target, [replace(r, seed=r.seed if seed is None else seed) for r in chosen], options, state)
        if plain:
            _properties(rig, target, rounds, options, base, only, seed, state)
        _checked(rig, target, options, base, only, seed, state)
        if plain and not state.failed:
            _large(rig, target, options, base, only, seed, state)
        if only and not state.checks:
            known = [*rounds, *(checked.plan(problem, base) if options.checked else ())]
            raise _no_such_round(only, [r.name for r in known])
        if not only and len(rounds) < MINIMUM:
            _too_few(state, len(rounds))
        _explain(rig, options, state)
        state.diagnostics[:0] = state.found
        environment = _environment(options, target, rig.sandbox)
    _not_checked(problem, target, state)
    verdict = "failed" if any(c.verdict == "failed" for c in state.checks) else "passed"
    code = Path(options.source).read_text("utf-8", "replace")
    return Evidence(
        stage="verify", unit=options.unit, variant=options.variant, target=target.name,
        verdict="failed" if verdict == "failed" else "passed", subject=subject,
        checks=(*state.checks, *(_hygiene(state, target) if plain and not only else ())), not_checked=tuple(state.not_checked),
        environment=environment, smallest_failure=state.smallest,
        diagnostics=tuple(stated.leading(d, problem, code).to_json() for d in state.diagnostics),
    )  # fmt: skip


def _need_device(target: Target) -> None:
    if target.device != "cuda":
        return
    from spak.verify.gpu import missing

    why = missing()
    if why:
        hint = "verify the same source on the `sim` target, or run this where there is such a device"
        raise SpakError(
            Diagnostic("SPK601", f"target {target.name} needs a CUDA device to be verified on: {why}", hint=hint)
        )


def _subject(options: Options) -> dict[str, str]:
    """Digests of everything the verdict is about. Raises SpakError for what is missing."""
    named = {
        "spec": options.ir, "source": options.source, "plan": options.plan, "module": options.module,
        "target": options.target,
        "reference": options.reference, "request": options.request,
    }  # fmt: skip
    tuned = _tuned(options)
    extra = {"params": sha256_bytes(canonical_json(tuned))} if tuned else {}
    try:
        return {**{name: sha256_file(path) for name, path in sorted(named.items()) if path}, **extra}
    except OSError as error:
        message = f"an input of the verification cannot be read: {error}"
        raise SpakError(Diagnostic("SPK603", message, hint="build the module first: `doit build`")) from None


def _replay(options: Options, target: str, round_: str, seed: int) -> str:
    return f"spak verify {options.unit}.{options.variant}@{target} --round {round_} --seed {seed}"


def _setup(rig: Rig, target: Target, round_: Round, index: int) -> Setup:
    """Where and how often a round runs. Simulated code runs under several schedules, native code twice under the one
    there is.
    """
    telling = round_.kind in ("random", "odd", "exact")
    simulated = target.dialect == "cuda" and target.device == "cpu"
    schedules = (FORWARD, REVERSE, *(SHUFFLED if telling else ())) if simulated else (FORWARD, FORWARD)
    ends = round_.kind == "random" or index % 2 == 0
    return Setup(Place(ends=ends), schedules, moved=round_.kind == "random", exact=round_.exact)


def _rounds(rig: Rig, target: Target, rounds: list[Round], options: Options, state: _State) -> None:
    for index, round_ in enumerate(rounds):
        replay = _replay(options, target.name, round_.name, round_.seed)
        if state.dead >= DEAD:
            state.checks.append(
                Check(
                    name=f"round {round_.name}",
                    verdict="skipped",
                    detail="after repeated crashes",
                    seed=round_.seed,
                    replay=replay,
                )
            )
            continue
        try:
            case = case_of(rig.problem, round_)
        except ValueError as error:
            raise SpakError(
                Diagnostic("SPK605", f"unit {options.unit}: {error}", hint=f"correct tests.{options.unit}.yaml")
            ) from None
        tried = attempt(rig, case, _setup(rig, target, round_, index))
        _record(rig, round_, tried, replay, options, state)


def _record(rig: Rig, round_: Round, tried: Attempt, replay: str, options: Options, state: _State) -> None:
    figures = {name: j.figures for name, j in tried.judged.items()}
    detail = round_.words
    if round_.scalars:
        detail += "; " + ", ".join(f"{k}={v:g}" for k, v in round_.scalars.items())
    literal = _literals(rig, round_, tried)
    if round_.exact:
        detail += "; bit for bit" if tried.exact_held else "; not exact in the accumulator, judged by the bound"
    said = tried.ok and any(run.findings for run in tried.runs)  # a fault that ends a run is explained as its cause
    if said:
        found = checked.of_runs(tried.runs, tried.setup.schedules, "", options.source, state.seen)
        state.found += [*found][: checked.MOST - len(state.found)]
        state.broken = True
        detail += "; found by the simulator: see the diagnostics"
    verdict = "passed" if tried.ok and not literal and not said else "failed"
    if not tried.ok:
        detail += f"; {tried.worst}" + (f": {tried.runs[-1].how}" if tried.runs[-1].failure else "")
        state.failed.append(_Failed(round_, tried, len(state.checks)))
        state.dead += tried.worst in ("crashed", "hung", "load")
        if not state.remembered and _is_old(tried, state.previous):
            state.remembered = round_.name
    if literal:
        detail += f"; {literal}"
        hint = "correct `expect` of the vector, or the reference: the two disagree whatever the kernel does"
        state.diagnostics.append(Diagnostic("SPK627", f"test {round_.name}: {literal}", hint=hint))
    state.previous = tried.runs[0].outputs if tried.ok else {}
    state.checks.append(
        Check(
            name=f"round {round_.name}",
            verdict="passed" if verdict == "passed" else "failed",
            detail=detail,
            figures=figures,
            seed=round_.seed,
            replay=replay,
        )
    )


def _is_old(tried: Attempt, previous: dict[str, Array]) -> bool:
    """Whether a wrong result is, bit for bit, that of the call before."""
    if tried.worst not in ("value", "moved", "stale") or not previous:
        return False
    now = tried.runs[0].outputs
    if not all(np.isfinite(j.got).any() for j in tried.judged.values()):
        return False
    pairs = [(now[n], previous.get(n)) for n in now]
    return all(p is not None and p.shape == o.shape and o.any() and np.array_equal(bits(o), bits(p)) for o, p in pairs)


def _literals(rig: Rig, round_: Round, tried: Attempt) -> str:
    """Whether a vector's literal results agree with the oracle, to the digits that people write; '' if so."""
    for name, written in round_.expect.items():
        if name not in tried.expected:
            continue
        exact, bound = tried.expected[name].exact, tried.judged[name].bound
        try:
            values = np.asarray(written, dtype=np.float64)
        except (TypeError, ValueError):
            values = np.array([float(x) for x in np.asarray(written, dtype=object).ravel()]).reshape(np.shape(written))
        if values.shape != exact.shape and values.size != exact.size:
            return f"the expected {name} has the shape {list(values.shape)}, the result {list(exact.shape)}"
        values = values.reshape(exact.shape)
        with np.errstate(all="ignore"):
            near = np.abs(values - exact) <= 1e-5 * np.abs(exact) + 1e-6 + bound + 2.0**-8 * np.abs(exact) * _narrow(
                rig, name
            )
            same = near | (values == exact) | (np.isnan(values) & np.isnan(exact))
        if not same.all():
            index = tuple(int(i) for i in np.argwhere(~same)[0])
            return f"the expected {name}{list(index)} is {values[index]:.9g}, the reference gives {exact[index]:.9g}"
    return ""


def _narrow(rig: Rig, name: str) -> bool:
    """Whether literals of a result may have been rounded to a 16-bit format."""
    return any(r.name == name and r.dtype in ("f16", "bf16") for r in rig.problem.unit.signature.results)


def _properties(
    rig: Rig,
    target: Target,
    rounds: tuple[Round, ...],
    options: Options,
    base: str,
    only: str,
    seed: int | None,
    state: _State,
) -> None:
    shape = next((r for r in rounds if r.name == "normal"), None)
    for prop in metamorphic.properties(rig, rig.problem.unit.invariants):
        name = f"property-{prop.label}"
        if shape is None or only not in ("", name) or state.dead >= DEAD:
            continue
        round_ = replace(shape, name=name, seed=seed_of(base, name) if seed is None else seed)
        found = metamorphic.hold(rig, prop, round_, _setup(rig, target, round_, 0))
        replay = _replay(options, target.name, name, round_.seed)
        state.checks.append(
            Check(
                name=name,
                verdict="passed" if found.ok else "failed",
                detail=found.detail,
                seed=round_.seed,
                replay=replay,
            )
        )
        if not found.ok and not state.failed:  # a wrong kernel has no properties: its own diagnostic says more
            hint = "the property holds for the reference: see which work the kernel skips or does at lower precision"
            state.diagnostics.append(Diagnostic("SPK626", f"{prop.label} does not hold: {found.detail}", hint=hint))


def _large(rig: Rig, target: Target, options: Options, base: str, only: str, seed: int | None, state: _State) -> None:
    for i, axes in enumerate(rig.problem.unit.large):
        name = f"large-{i + 1}"
        if only not in ("", name):
            continue
        if target.dialect != "cuda" or target.device != "cpu":
            sizes = ", ".join(f"{k}={v}" for k, v in sorted(axes.items()))
            state.not_checked.append(f"{sizes}: sampled runs of large sizes need the simulator")
            continue
        round_seed = seed_of(base, name) if seed is None else seed
        found = large.check(rig, dict(axes), round_seed)
        replay = _replay(options, target.name, name, round_seed)
        state.checks.append(
            Check(
                name=f"round {name}",
                verdict=found.verdict,
                detail=found.detail,
                figures=found.figures,
                seed=round_seed,
                replay=replay,
            )
        )
        if found.verdict == "failed":
            hint = (
                "compute indices in 64 bits (`long long`): a product of two 32-bit numbers wraps before it is widened"
            )
            state.diagnostics.append(Diagnostic("SPK624", f"round {name}: {found.detail}", hint=hint))
        elif found.verdict != "passed":
            state.not_checked.append(f"{name}: {found.detail}")


def _checked(rig: Rig, target: Target, options: Options, base: str, only: str, seed: int | None, state: _State) -> None:
    """Check mode on the simulator's second module, and its counters on the round that does most."""
    if not options.checked or options.mode == "plain":
        return
    rounds = [r for r in checked.plan(rig.problem, base) if only in ("", r.name)]
    for index, round_ in enumerate(rounds if options.mode != "profile" else ()):
        chosen = replace(round_, seed=round_.seed if seed is None else seed)
        replay = _replay(options, target.name, chosen.name, chosen.seed)
        found = checked.run(
            rig, options.checked, chosen, replay, options.source, state.seen, every=index == 0, explain=not state.failed
        )
        state.checks.append(found.check)
        state.found += found.diagnostics[: checked.MOST - len(state.found)]
        state.broken = state.broken or found.check.verdict == "failed"
    if rounds and options.mode != "check" and not state.failed and not state.broken:
        largest = max(rounds, key=lambda one: rig.problem.cost(one.axes))
        figures = {"launches": checked.count(rig, options.checked, largest)}
        detail = f"counts of one run, no times; {largest.words}"
        state.checks.append(Check(name="counters", verdict="passed", detail=detail, figures=figures))


def _explain(rig: Rig, options: Options, state: _State) -> None:
    """Name the cause of the most telling failure, and make its input small."""
    if not state.failed:
        return
    ranked = sorted(state.failed, key=lambda f: (TELLING.index(f.round.kind), f.check))
    primary, cause = ranked[0], None
    for failed in ranked[:3]:
        found = (
            Cause(
                "SPK628",
                f"the result is that of the call before (round {failed.round.name}): it remembers",
                "keep no state between calls",
            )
            if state.remembered == failed.round.name
            else diagnose(rig, failed.tried)
        )
        if cause is None or (cause.code in _VAGUE and found.code not in _VAGUE):
            primary, cause = failed, found
        if cause.code not in _VAGUE:
            break
    assert cause is not None
    small_round, small = shrink(rig, primary.round, primary.tried)
    check = state.checks[primary.check]
    state.smallest = {**report(small_round, small, rig.problem, check.replay), "cause": cause.what, "code": cause.code}
    state.checks[primary.check] = check.model_copy(update={"detail": f"{check.detail}; {cause.what}"})
    names = ", ".join(f.round.name for f in state.failed[:12]) + (", ..." if len(state.failed) > 12 else "")
    notes = (
        f"failed rounds ({len(state.failed)} of {len(state.checks)}): {names}",
        f"smallest failing input: {_sizes(small)}",
        f"replay: {check.replay}",
    )
    who = f"{options.unit}.{options.variant}, round {primary.round.name}"
    state.diagnostics.insert(0, Diagnostic(cause.code, f"{who}: {cause.what}", hint=cause.hint, notes=notes))


_VAGUE = ("SPK610", "SPK623", "SPK625")


def _sizes(tried: Attempt) -> str:
    return ", ".join(f"{k}={v}" for k, v in tried.case.axes.items()) or "no axes"


def _too_few(state: _State, count: int) -> None:
    detail = f"only {count} rounds fit the spec's requires and the budget; {MINIMUM} are needed"
    state.checks.append(Check(name="number of rounds", verdict="failed", detail=detail))
    hint = "give shapes in tests.<unit>.yaml that `require` admits and that are small"
    state.diagnostics.append(Diagnostic("SPK606", detail, hint=hint))


def _no_such_round(name: str, rounds: list[str]) -> SpakError:
    hint = f"rounds are {', '.join(rounds)}" if rounds else "the unit has no rounds"
    return SpakError(Diagnostic("SPK607", f"there is no round {name}", hint=hint))


def _hygiene(state: _State, target: Target) -> Iterator[Check]:
    """What every round looked at, once each, so that evidence says it was looked at."""
    counted = len([c for c in state.checks if c.name.startswith("round ") and c.figures])
    seen = {s for f in state.failed for s in f.tried.symptoms}
    wording = {
        "redzone": "nothing written outside the arrays",
        "input": "inputs unchanged",
        "unwritten": "every element written",
        "repeat": "equal bit for bit on a second run",
        "moved": "right at another address",
        "stale": "right over an earlier result",
    }
    if target.dialect == "cuda" and target.device == "cpu":
        wording["schedule"] = "equal bit for bit under every order of blocks and threads tried"
    for symptom, words in wording.items():
        yield Check(
            name=f"hygiene {symptom}",
            verdict="failed" if symptom in seen else "passed" if counted else "skipped",
            detail=words,
            figures={"rounds": counted},
        )


def _environment(options: Options, target: Target, sandbox: str) -> dict[str, str]:
    found = {
        "cpu": _cpu(),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "sandbox": sandbox,
        "system": f"{platform.system()} {platform.machine()}",
    }
    if options.compile:
        try:
            compiled = json.loads(Path(options.compile).read_bytes()).get("environment", {})
        except (OSError, ValueError):
            compiled = {}
        found |= {f"build {k}" if k in found else k: v for k, v in sorted(compiled.items())}
    if target.device == "cuda":
        from spak.verify.gpu import describe

        found["device"] = describe()
    return found


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _not_checked(problem: Problem, target: Target, state: _State) -> None:
    """What a reader might take for granted and must not."""
    unit = problem.unit
    state.not_checked += [f"{name}: the variant's conditions exclude it" for name in unmet(problem)]
    state.not_checked += [f"invariant {i.name}: UNCHECKED (prose only)" for i in unit.invariants if not i.check]
    if target.device != "cuda":
        state.not_checked.append("not run on a GPU" if target.dialect == "cuda" else "sizes beyond those of the rounds")
    state.not_checked.append("timing")
    if not unit.large:
        state.not_checked.append("sizes of 2**31 elements and more: the tests name none under `large`")
    if not unit.deterministic:
        state.not_checked.append("bitwise repeatability: the spec does not promise it")
    state.not_checked.append("arrays whose data is aligned to less than 16 bytes")
    state.not_checked.append("axes of size 0")
    state.not_checked.sort()
