"""Every planted defect is found with the rule and the lines that its page names; every repaired twin is clean and right."""

from __future__ import annotations

import functools

import pytest
import sim_harness
import sim_nvrtc
from defects import drive, table, verdict
from defects.drive import Run
from defects.page import COUNTER, FIXED
from spak.sim import rules

# One worker: the pages are one library, and the document needs all of them.
pytestmark = pytest.mark.xdist_group("defects")
PAGES = {page.name.removesuffix(".cu"): page for page in table.pages()}
# Rules that no kernel can break, or that only programs break.
ELSEWHERE = {"unsupported", "exception", "forbidden-call", "non-deterministic", "bad-api-call"}


@functools.cache
def driver() -> drive.Driver:
    return drive.Driver(list(PAGES.values()))


@functools.cache
def runs_of(name: str) -> dict[str, Run]:
    return driver().run_page(PAGES[name])


@pytest.mark.parametrize("name", PAGES)
def test_every_defect_of_the_page_is_found(name: str) -> None:
    runs = runs_of(name)
    exhibits = [(one, form) for one in PAGES[name].exhibits for form in one.forms]
    problems = {form.name: verdict.missed(one, form, runs[one.symbol(form.name)]) for one, form in exhibits}
    assert {key: value for key, value in problems.items() if value} == {}


@pytest.mark.parametrize("name", PAGES)
def test_every_repaired_twin_of_the_page_is_clean_and_right(name: str) -> None:
    runs = runs_of(name)
    problems = {one.name: verdict.unclean(one, runs[one.symbol(FIXED)]) for one in PAGES[name].exhibits}
    assert {key: value for key, value in problems.items() if value} == {}


def test_the_document_says_what_the_run_showed() -> None:
    runs: dict[str, Run] = {}
    for name in PAGES:
        runs |= runs_of(name)
    written = table.document(list(PAGES.values()), runs)
    assert table.DOCUMENT.read_text() == written, "run `python tests/sim/defects --write`"


def test_every_rule_has_its_defects() -> None:
    named = {form.rule for page in PAGES.values() for one in page.exhibits for form in one.forms}
    assert set(rules.CODES) - ELSEWHERE <= named
    assert named - {verdict.WRONG_VALUES, COUNTER} <= set(rules.CODES)


def test_the_big_kernels_have_eight_broken_forms_and_more() -> None:
    big = [one for page in PAGES.values() for one in page.exhibits if len(one.forms) > 1]
    assert {one.name for one in big} == {"gemm_wgmma", "gemm_cluster", "gemm_mma", "attention", "split_k"}
    assert all(len(one.forms) >= 8 for one in big)


@pytest.mark.skipif(sim_nvrtc.library(sim_harness.toolkit()) is None, reason="the NVRTC wheel is not installed")
@pytest.mark.parametrize("name", PAGES)
def test_the_page_compiles_for_its_gpu(name: str) -> None:
    page = PAGES[name]
    log = sim_nvrtc.compile_log(sim_harness.toolkit(), page.source(), page.arch, [sim_harness.CSRC / "include"])
    assert log == ""
