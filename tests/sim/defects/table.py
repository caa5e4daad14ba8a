"""docs/simulator-defects.md, written from a run of the whole suite. Knows nothing of how defects are found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from spak.sim import rules
from spak.sim.findings import Finding

from defects import page, verdict
from defects.drive import Run
from defects.page import FIXED, Exhibit, Form, Page

FOLDER = Path(__file__).resolve().parent
DOCUMENT = FOLDER.parents[2] / "docs" / "simulator-defects.md"
# From what is simple to what is built of it.
ORDER = (
    "memory", "races", "blocks", "barriers", "copies", "mbarriers", "clusters", "tensor_maps", "tensor_cores", "hardware",
    "subtle", "idioms", "counters", "split_k", "gemm_mma", "gemm_wgmma", "gemm_cluster", "attention",
)  # fmt: skip
_CLASSES = {verdict.WRONG_VALUES: "values", page.COUNTER: "counters"}

_HEAD = """# What the simulator finds: the planted defects

<!-- Written by `python tests/sim/defects --write` from a run; do not edit. -->

{defects} defects in {broken} kernels, each with its repaired twin, and {idioms} kernels that look wrong and are right. In
this run {found} of the {defects} defects were found with the rule and the lines that their pages name, and {clean} of the
{right} right kernels were clean and gave right results. Each kernel ran in check mode under the two schedules that are the
default: asynchronous operations complete as late as is legal and threads run in order; they complete at once and threads
run in the order of seed 1. In the column of lines the offender's comes first.

The pages are in [tests/sim/defects](../tests/sim/defects): each kernel stands there once, with the lines that only the
broken or only the right version has marked at their ends, so that they may be read as a course in what goes wrong.
`python tests/sim/defects races read_before_barrier` prints the whole report of one kernel.
"""


def pages() -> list[Page]:
    return [page.read(FOLDER / f"{name}.cu") for name in ORDER]


def document(pages: Sequence[Page], runs: Mapping[str, Run]) -> str:
    """The text of the document; every number in it is counted."""
    exhibits = [one for each in pages for one in each.exhibits]
    forms = [(one, form) for one in exhibits for form in one.forms]
    found = sum(not verdict.missed(one, form, runs[one.symbol(form.name)]) for one, form in forms)
    clean = sum(not verdict.unclean(one, runs[one.symbol(FIXED)]) for one in exhibits)
    broken = sum(bool(one.forms) for one in exhibits)
    head = _HEAD.format(
        defects=len(forms), broken=broken, idioms=len(exhibits) - broken, right=len(exhibits), found=found, clean=clean
    )
    return "\n".join([head, *(_section(each, runs) for each in pages)])


def _section(each: Page, runs: Mapping[str, Run]) -> str:
    out = [f"## {each.title}", ""]
    right = [one for one in each.exhibits if not one.forms]
    if right:
        out += ["| right code | lines | found |", "|---|---|---|"]
        out += [_right(one, runs[one.symbol(FIXED)]) for one in right] + [""]
    forms = [(one, form) for one in each.exhibits for form in one.forms]
    if forms:
        out += [f"{one.prose}\n" for one in each.exhibits if one.forms and one.prose]
        out += ["| defect | class | what the simulator says | lines | twin |", "|---|---|---|---|---|"]
        out += [*(_row(one, form, runs) for one, form in forms), ""]
    return "\n".join(out)


def _cells(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _right(one: Exhibit, run: Run) -> str:
    where = f"[{one.page}](../tests/sim/defects/{one.page}#L{one.line})"
    return _cells(f"`{one.name}`: {one.prose}", where, "**not clean**" if verdict.unclean(one, run) else "nothing")


def _row(one: Exhibit, form: Form, runs: Mapping[str, Run]) -> str:
    run = runs[one.symbol(form.name)]
    found = verdict.match(one, form, run)
    where = f"[{one.page}](../tests/sim/defects/{one.page}#L{one.line if len(one.forms) == 1 else form.line})"
    kind = _CLASSES.get(form.rule) or rules.class_of(form.rule)
    if verdict.missed(one, form, run):
        says = "**not found**"
    elif form.counts:
        name, twin = form.counts[0], runs[one.symbol(FIXED)]
        says = f"`{name}`: {run.counters[name]}; of the twin: {twin.counters[name]}"
    elif found:
        says = f"`{found.rule}`: {found.sentence}"
    else:
        says = f"nothing; {', '.join(f'`{name}`' for name in run.wrong)} differs from the reference"
    repaired = "not clean" if verdict.unclean(one, runs[one.symbol(FIXED)]) else "clean"
    return _cells(f"`{form.name}`: {form.sentence}", kind, says, f"{where} {_lines(found)}".strip(), repaired)


def _lines(found: Finding | None) -> str:
    if not found:
        return ""
    lines = [party.place.span.line for party in found.parties if party.place and party.place.span.file.endswith(".cu")]
    return ", ".join(map(str, dict.fromkeys(lines)))
