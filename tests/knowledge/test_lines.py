"""Trace lines in a child's output: every form that is taken, and a diagnostic for every line that is not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from knowledge.sample import CASES, CORRECTNESS, PERFORMANCE, case
from spak.errors.catalogue import catalogue
from spak.knowledge.item import check_item
from spak.knowledge.lines import MARKER, Line, parse
from spak.semantics.types import STRING

GOOD = {"level": "tiled", "tflops": 3.5}


def one(text: str | bytes) -> tuple[str, str, str]:
    """Code, place and message of the only diagnostic, the only line being refused."""
    found = parse(text, CASES, "out")
    assert not found.found and not found.ok, found
    (bad,) = found.diagnostics
    assert bad.code in catalogue() and bad.hint
    return bad.code, str(bad.span), f"{bad.message}. {bad.hint}"


@pytest.mark.parametrize(
    "value",
    [
        {"case": PERFORMANCE, "fields": GOOD},
        {"case": "Performance", "fields": GOOD},
        {"type": "Performance", **GOOD},
        {"kind": PERFORMANCE, **GOOD},
        {"case": "Performance", **GOOD},
        {"type": "Performance", "fields": GOOD},
    ],
)
def test_forms(value: dict[str, Any]) -> None:
    found = parse(f"hello\n{MARKER} {json.dumps(value)}\r\nbye\n", CASES, "out")
    assert found.found == (Line(PERFORMANCE, GOOD, 2),) and found.ok and not found.diagnostics


def test_other_output_is_passed_over_and_lines_are_counted() -> None:
    first = f'{MARKER}{{"type": "Correctness", "passed": true, "error": 0}}'
    last = f'{MARKER} {{"type": "Performance", "level": "x", "tflops": 1}}'
    text = f"a\n\n{first}\nb\n{last}"
    found = parse(text.encode(), CASES, "out")
    assert [(line.case, line.line) for line in found.found] == [(CORRECTNESS, 3), (PERFORMANCE, 5)]
    assert parse("", CASES, "out").ok and not parse("only text\n", CASES, "out").found


@pytest.mark.parametrize(
    ("line", "code", "what"),
    [
        ("", "SPK272", "nothing stands after"),
        (" {", "SPK272", "cut short"),
        (' {"case": "Performance", "fie', "SPK272", "cut short|not JSON"),
        (" tflops=3", "SPK272", "not JSON"),
        (" [1, 2]", "SPK273", "a list, where an object"),
        (" 7", "SPK273", "a number, where"),
        (' {"tflops": 1}', "SPK273", "names no case"),
        (' {"case": 3}', "SPK273", "a number, where its name"),
        (' {"case": "Performance", "fields": [1]}', "SPK273", "`fields` is a list"),
        (' {"case": "Performance", "fields": {}, "tflops": 1}', "SPK273", "'tflops' stands beside"),
        (' {"case": "Performance", "tflops": 1, "tflops": 2, "level": "x"}', "SPK273", "'tflops' stands twice"),
        (' {"case": "Performence"}', "SPK274", "did you mean 'Performance'"),
        (' {"case": "Performance", "level": "x"}', "SPK275", "tflops is missing"),
        (' {"case": "Performance", "level": 1, "tflops": 1}', "SPK275", "level is the number 1, where a string"),
        (' {"case": "Performance", "level": "x", "tflops": "3.5"}', "SPK275", "the string '3.5', where a float"),
        (' {"case": "Performance", "level": "x", "tflops": true}', "SPK275", "tflops is true"),
        (' {"case": "Performance", "level": "x", "tflops": 1, "speed": 2}', "SPK275", "speed is no field"),
        (' {"case": "Performance", "level": "x", "tflops": NaN}', "SPK276", "NaN is no JSON number"),
        (' {"case": "Performance", "level": "x", "tflops": -Infinity}', "SPK276", "-Infinity"),
        (' {"case": "Performance", "level": "x", "tflops": 1e999}', "SPK276", "tflops is inf"),
        (' {"case": "Performance", "level": "x", "tflops": ' + "9" * 2000 + "}", "SPK276", "4096 bits"),
        (' {"case": "Performance", "level": "x", "tflops": ' + "9" * 5000 + "}", "SPK276", "too large"),
        (' {"case": "Performance", "level": "\\ud800", "tflops": 1}', "SPK276", "no UTF-8 form"),
        (' {"case": "Performance", "\\ud800": "x"}', "SPK276", "a key that is not text"),
        (" " + "[" * 100_000, "SPK276", "nested too deeply"),
        (' {"case": "Performance", "level": ' + "[" * 60 + "]" * 60 + "}", "SPK276", "32 levels"),
        (" " + "x" * (1 << 20), "SPK270", "1048577 bytes"),
    ],
)
def test_what_cannot_be_taken_is_told(line: str, code: str, what: str) -> None:
    found, place, message = one(f"first\n{MARKER}{line}")
    assert found == code and place.startswith("out:2:")
    assert any(part in message for part in what.split("|")), message
    assert len(message) < 400


def test_bytes_that_are_not_utf8() -> None:
    code, place, message = one(MARKER.encode() + b' {"case": "\xff"}\n')
    assert (code, place) == ("SPK271", "out:1:26") and "0xff" in message


def test_text_decoded_by_the_caller_keeps_its_bytes() -> None:
    text = (MARKER.encode() + b' {"case": "\xff"}').decode("utf-8", "surrogateescape")
    assert one(text)[0] == "SPK271"


def test_a_complete_line_in_the_middle_is_not_called_cut() -> None:
    found = parse(f"{MARKER} {{\nmore\n", CASES, "out")
    assert "cut" not in found.diagnostics[0].message


def test_output_that_ends_inside_the_marker() -> None:
    assert one("text\n__SPAK_TR")[0] == "SPK272"
    assert parse("text\n_", CASES, "out").ok


def test_marker_inside_a_line_is_a_warning() -> None:
    found = parse(f'50%{MARKER} {{"type": "Performance"}}\n', CASES, "out")
    (told,) = found.diagnostics
    assert found.ok and (told.code, told.severity, str(told.span)) == ("SPK277", "warning", "out:1:4")


def test_good_lines_beside_bad_ones_and_all_bad_ones_are_told() -> None:
    good = f'{MARKER} {{"type": "Correctness", "passed": true, "error": 1}}'
    found = parse(f"{MARKER} x\n{good}\n{MARKER} y\n", CASES, "out")
    assert len(found.found) == 1 and [one.span.line for one in found.diagnostics if one.span] == [1, 3]


def test_a_short_name_that_two_cases_share() -> None:
    cases = {**CASES, "Other.Performance": case("Other.Performance", level=STRING)}
    (bad,) = parse(f'{MARKER} {{"case": "Performance"}}', cases, "out").diagnostics
    assert bad.code == "SPK274" and "TraceItem.Performance or Other.Performance" in bad.hint


def test_items_are_checked_against_their_case() -> None:
    assert check_item(CASES, PERFORMANCE, GOOD) == ""
    assert check_item(CASES, "Performance", GOOD) == ""
    assert "did you mean" in check_item(CASES, "TraceItem.Performanc", GOOD)
    assert (
        check_item(CASES, PERFORMANCE, {**GOOD, "tflops": "x"}) == "tflops is the string 'x', where a float is needed"
    )
    assert "which no trace may hold" in check_item(CASES, PERFORMANCE, {**GOOD, "tflops": float("nan")})
    assert "declare it" in check_item({}, "X", {})
    assert "which JSON does not have" in check_item(CASES, PERFORMANCE, {**GOOD, "note": object()})


pieces = st.lists(
    st.one_of(
        st.binary(max_size=12),
        st.sampled_from(
            [
                MARKER.encode(),
                b"\n",
                b'{"case":"Performance","fields":{"level":"a","tflops":1}}',
                b"{",
                b'"',
                b"\\u",
                b"1e999",
            ]
        ),
    ),
    max_size=12,
)


@settings(max_examples=300, deadline=None)
@given(pieces)
def test_no_output_breaks_the_parser_and_nothing_is_lost(parts: list[bytes]) -> None:
    """Each line that begins with the marker is a trace that its case admits, or a diagnostic that names it."""
    data = b"".join(parts)
    found = parse(data, CASES, "out")
    marked = [n for n, row in enumerate(data.split(b"\n"), 1) if row.startswith(MARKER.encode())]
    told = [one.span.line for one in found.diagnostics if one.span and one.severity == "error"]
    assert sorted({line.line for line in found.found} | set(told)) in (marked, [*marked, data.count(b"\n") + 1])
    for line in found.found:
        assert check_item(CASES, line.case, line.fields) == ""
