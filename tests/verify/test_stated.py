"""What of a spec a diagnostic leads to, by name."""

from __future__ import annotations

import pytest
from spak.errors import Diagnostic, Related
from spak.verify.problem import Problem
from spak.verify.stated import leading
from support import MATMUL

PROBLEM = Problem(MATMUL, "v")
VARIANT = "/variants/v"


@pytest.mark.parametrize(
    ("message", "others", "subjects"),
    [
        ("`a` is an input, and is written", (), ["/signature/params/a"]),
        ("too far", ("reads 4 bytes of `b` at byte 8",), ["/signature/params/b"]),
        ("`c` and `a` and `alpha`", (), ["/signature/params/a", "/signature/params/alpha", "/signature/results/c"]),
        ("a and `other` are no arguments", (), []),
        ("`tile` and `b_tile`", (), []),
    ],
)
def test_arguments_that_are_named_are_led_to_and_then_the_variant(
    message: str, others: tuple[str, ...], subjects: list[str]
) -> None:
    found = Diagnostic("SPK530", message, related=tuple(map(Related, others)))
    led = leading(found, PROBLEM, "")
    assert [one.subject for one in led.related] == ["" for _ in others] + [*subjects, VARIANT]
    assert led.related[: len(others)] == found.related


def test_a_shared_variable_of_the_same_name_leads_nowhere() -> None:
    """The simulator calls both by their names: which is meant is not known, and a wrong line would mislead."""
    found = Diagnostic("SPK533", "read that nobody has written: `a`")
    for source in ("__shared__ float a[32];", "extern __shared__ __align__(16) float\n  a[];"):
        assert [one.subject for one in leading(found, PROBLEM, source).related] == [VARIANT]
    assert len(leading(found, PROBLEM, "__shared__ float aa[32]; use(a);").related) == 2
