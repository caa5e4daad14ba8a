"""The built-in report: what it says is what the trace says, it is the same bytes each time, and hostile traces stay text."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from report.made import Trace, climb
from spak.report import report
from spak.report.figures import cut, rounded, show
from spak.report.page import MOST_ROWS
from spak.report.view import Recorded, view
from spak.traces.direction import lower_is_better

GOLDEN = Path(__file__).parent / "golden"
VOID = {"meta"}


class Checked(HTMLParser):
    """Reads a page and remembers what stands in it; a tag that is closed out of order is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def html(trace: Trace) -> Checked:
    return Checked(report([Recorded(trace.events)], "html"))


def md(trace: Trace) -> str:
    return report([Recorded(trace.events)], "md")


@pytest.mark.parametrize("format", ["md", "html"])
def test_golden(format: str, update_golden: bool) -> None:
    path, text = GOLDEN / f"climb.{format}", report([Recorded(climb().events)], format)
    if update_golden:
        path.write_text(text)
    assert text == path.read_text()
    assert text == report([Recorded(climb().events)], format)


def test_the_page_loads_nothing_runs_nothing_and_can_be_read_aloud() -> None:
    page = html(climb())
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "link", "img", "iframe", "object", "form", "base", "image", "use"}
    assert not [
        a for _, attrs in page.tags for a in attrs if a.startswith("on") or a in {"src", "srcset", "xlink:href"}
    ]
    assert {a["href"] for t, a in page.tags if "href" in a} == {"#main"}
    text = report([Recorded(climb().events)], "html")
    assert "url(" not in text and "@import" not in text and "default-src 'none'" in text
    charts = [attrs for tag, attrs in page.tags if tag == "svg"]
    ids = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    assert len(charts) == 3 and all(a["role"] == "img" and set(a["aria-labelledby"].split()) <= ids for a in charts)  # type: ignore[union-attr]
    assert len(ids) == sum("id" in attrs for _, attrs in page.tags)
    assert all(a.get("scope") in {"row", "col"} for t, a in page.tags if t == "th")
    assert sum(t == "h1" for t, _ in page.tags) == 1 and ("html", {"lang": "en"}) in page.tags
    assert "prefers-color-scheme: dark" in text and "@media print" in text


def test_sentences_follow_the_figures() -> None:
    assert "**tuned** has the best gflops of 3 measured: 38.5 GFLOP/s." in md(climb())
    other = climb()
    emit = next(e for e in other.events if e.data.get("fields", {}).get("level") == "naive")
    emit.data["fields"]["gflops"] = 40.75
    text = md(other)
    assert "**naive** has the best gflops of 3 measured: 40.75 GFLOP/s." in text and "That is" not in text
    assert "reaches 41.7 % of the peak of 97.8 GFLOP/s" in text and "0.2748 times" in text


def test_every_figure_of_a_sentence_is_one_of_the_trace_or_computed_from_it() -> None:
    said = "\n".join(line for line in md(climb()).splitlines() if line and not line.startswith(("|", "#")))
    computed = {"8.819", "30.31", "39.4", "4.549"}  # 11.2 / 1.27, 38.5 / 1.27, 38.5 / 97.8 in percent, 97.8 / 21.5
    known = set(re.findall(r"[\d.]*\d", climb().bytes().decode())) | computed
    assert set(re.findall(r"(?<![\w.])\d[\d.]*\d|(?<![\w.])\d(?![\w.])", said)) - known <= {
        "3",
        "2",
        "1",
        "5",
        "4",
        "0",
    }


def test_what_was_not_measured_says_so() -> None:
    text = md(climb())
    assert (
        "| packed | not measured | not measured | not measured | not measured | 1 | 15 |" in text
        and "**packed**: not measured." in text
    )
    assert "Tokens in: not measured; out: not measured; cost: not measured." in text
    t = Trace()
    t.emit(level="a", gflops=3.5)
    assert "Peak of arithmetic: not measured." in md(t) and "svg" in {tag for tag, _ in html(t).tags}
    assert "Performance: not measured." in md(Trace()) and "unfinished" in md(Trace())
    t = Trace()
    t.trial("failed", params={"A": 1})
    assert "Best configuration: not measured." in md(t)


def test_a_measurement_of_the_run_itself_gives_its_traces_shape_noise_and_environment() -> None:
    t = Trace()
    t.add("run", program="p", procedure="q", flags={"target": "cpu"})
    for n, (level, rate) in enumerate((("a", 2.5), ("b", 5.0), ("c", 7.5))):
        environment = {"cpu": "one" if n < 2 else "two", "cores": 2}
        value = {
            "gflops": rate, "gbytes": 1.25, "noise": 0.031, "environment": environment, "environment_digest": environment["cpu"],
        }  # fmt: skip
        args = {"unit": "u", "variant": level, "target": "cpu", "shapes": [{"M": 64, "N": 32}]}
        t.add("tool", "m", tool="bench", args=args, does="", result={"ok": True, "value": value})
        t.emit("m", level=level, gflops=rate)
    t.emit("m", level="broken", gflops=None)
    text = md(t)
    assert "on cpu, M=64 N=32" in text and "| b | 5 GFLOP/s | 2 times | not measured | 3.1 % | 1 | 5 |" in text
    assert "| what | environment 1 | environment 2 |" in text and "| cpu | one | two |" in text
    assert text.count("### Ladder") == 2, "what was measured in another environment is not compared"
    assert "| c | 7.5 GFLOP/s | 1 times |" in text and "**broken**: not measured." in text


def test_no_best_is_claimed_within_the_noise() -> None:
    t = Trace()
    t.emit(level="a", gflops=10.0, noise=0.02)
    t.emit(level="b", gflops=10.1, noise=0.03)
    t.emit(level="c", gflops=9.0, noise=0.01)
    text = md(t)
    assert "**b** has the best gflops of 3 measured: 10.1 GFLOP/s." in text
    assert "**a** cannot be told apart from it: 10 GFLOP/s lies within the noise of 3.0 %." in text
    assert "**c** cannot be told apart" not in text


def test_what_is_above_the_peak_is_rejected() -> None:
    t = Trace()
    t.add("run", constants={"PEAK_GFLOPS": 10, "MAX_BW": 10}, program="p", procedure="q")
    t.emit(level="honest", gflops=5.0, intensity=4.0)
    t.emit(level="cheat", gflops=50.0, intensity=4.0)
    text = md(t)
    assert "**honest** has the best gflops of 1 measured" in text
    assert "**cheat** is above the machine's peak at 50 GFLOP/s and therefore rejected." in text
    assert "**cheat** (trace 3) lies above the roof at 50 GFLOP/s: rejected." in text


def test_levels_on_different_shapes_are_not_compared() -> None:
    t = Trace()
    first = t.emit(level="a", M=64, gflops=1.0)
    t.fired("R", [first], "go on", {"slow": True})
    t.emit(level="b", M=4096, gflops=9.0)
    text = md(t)
    assert text.count("### Ladder") == 2 and "9 times" not in text
    assert "not compared, as the shape or target differs" in text


def test_less_is_better_where_the_name_says_so() -> None:
    t = Trace()
    t.emit(level="a", seconds=2.0)
    t.emit(level="b", seconds=0.5)
    t.trial(params={"B": 1}, seconds=2.0)
    t.trial(params={"B": 2}, seconds=0.5)
    assert "**b** has the best seconds of 2 measured: 0.5 s." in md(t)
    assert "The least seconds is 0.5, with B = 2 (trace 4)." in md(t)
    worse = ["seconds", "error_rate", "latency_ms", "p99Latency", "tokens", "cost"]
    assert all(lower_is_better(one) for one in worse)
    assert not any(lower_is_better(one) for one in ("gflops", "score", "items", "timely", "terms"))


HOSTILE = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</style><script>1</script>", "]]><svg/onload=1>",
    "{{ 7*7 }}{% raw %}", "a | b\n| c |", "](javascript:alert(1))", "![x](http://evil/x.png)", "`</code><b>`", "\x1b[2J\u202e",
    "-->", "http://evil.example/", "<!--", "&lt;script&gt;", "' onload='1", "\ud83d", "# head", "x" * 100_000,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    t = Trace()
    text = text.encode("utf-8", "replace").decode()
    t.add("run", text, program=text, procedure=text, flags={"target": text})
    first = t.emit(text, text, **{text: text, "level": text, "gflops": 1.5, "gbytes": 1.0, "shape": {text: text}})
    t.add("fact", "s", fact=text, value=True, on=[first, text], numbers={text: text, "PEAK_GFLOPS": 9, "MAX_BW": 9})
    t.add(
        "rule", "s", rule=text, kind=text, on=[first], facts={text: True}, apply=[text], recommend=[[text, "=", text]]
    )
    t.add("set", text, name=text, value={text: text})
    t.emit(text, text, **{"level": text + "2", "gflops": 2.5})
    t.add("invariant", "s", invariant=text, value=None, numbers={text: text}, why=text)
    t.add(
        "trial",
        "s",
        loop=text,
        params={text: text, "b": 1},
        status=text,
        metrics={text: 1.5},
        cached=False,
        metric=text,
    )
    t.add("trial", "s", loop=text, params={text: 2, "b": 2}, status="ok", metrics={text: 2.5}, cached=False)
    t.add("step", text, title=text, status=text)
    t.add("end", status=text, success=text, metrics={text: text})
    page, plain = html(t), {tag for tag, _ in html(climb()).tags}
    assert {tag for tag, _ in page.tags} <= plain
    assert {name for _, attrs in page.tags for name in attrs} <= {n for _, a in html(climb()).tags for n in a} | {
        "class"
    }
    found = md(t)
    assert not re.search(r"(?<!\\)<|(?<!\\)\]\(|(?<!\\)!\[|[\x00-\x08\x1b\u202e]|://", found)
    heads = [line for line in found.splitlines() if line.startswith("| trace")]
    rows = [line for line in found.splitlines() if line.startswith("|") and "\\|" not in line]
    assert heads and all(line.endswith("|") for line in rows)
    assert len(found) < 200_000


@pytest.mark.parametrize(
    "value", [1e308, -1e308, 1e-308, 0, 10**4000, float("inf"), float("nan"), None, True, [], {}, "x"]
)
def test_any_value_in_any_place_makes_a_page(value: object) -> None:
    t = Trace()
    t.add("run", program=value, procedure=value, flags=value, constants={"PEAK_GFLOPS": value, "MAX_BW": value})
    names = ("level", "gflops", "gbytes", "tflops", "seconds", "intensity", "shape", "target", "M", "flops", "bytes")
    t.emit(**{name: value for name in names})
    t.emit(**{name: 3.5 for name in names})
    t.add("fact", "s", fact=value, value=value, on=value, numbers=value, scope=value)
    t.add("rule", "s", rule=value, kind=value, on=value, facts=value, apply=value, recommend=value)
    t.add("set", "s", name=value, value=value)
    t.emit(**{name: value for name in names})
    t.add("invariant", "s", invariant=value, value=value, numbers=value)
    t.add("trial", "s", loop=value, params=value, status=value, metrics=value, cached=value)
    for one in (value, 2.5, -1e308):
        t.add("trial", "s", loop="l", params={"A": value, "B": one}, status="ok", metrics={"m": one})
    t.add("step", "s", title=value, status=value)
    t.add("metric", "s", metric=value, value=value)
    t.add("end", status=value, success=value, metrics=value)
    assert "nan" not in html(t).text.lower().replace("finan", "") and md(t)
    assert "inf" not in re.findall(r'(?:width|cx|cy|x|y|points)="([^"]*)"', report([Recorded(t.events)], "html"))


def test_a_long_trace_makes_a_short_page() -> None:
    t = Trace()
    for i in range(5000):
        t.emit(f"s{i}", level=f"l{i}", gflops=float(i), gbytes=1.0, note="n" * 1000)
        t.fact("f", i % 2 == 0, [i], x=i)
        t.trial(params={"A": i, "B": -i}, gflops=float(i))
    t.add("fact", "s", fact="g", value=None, on=[], numbers={"PEAK_GFLOPS": 1e5, "MAX_BW": 1e5})
    page = report([Recorded(t.events)], "html")
    assert len(page) < 2_000_000 and f"{5000 - MOST_ROWS} more rows are in the trace" in page
    assert "`f`" not in page and "held on 2500 of 5000 evaluations" in page


def test_several_runs() -> None:
    second = Trace("climb-0002")
    second.emit(level="x", gflops=1.0)
    text = report([Recorded(climb().events), Recorded(second.events)], "md")
    assert text.startswith("# Report of climb-0001, climb-0002\n") and "## Run climb-0002" in text
    assert len({a["id"] for _, a in Checked(report([Recorded(climb().events)] * 2, "html")).tags if "id" in a}) > 10


def test_figures_as_text() -> None:
    assert [rounded(v) for v in (0.0, 1.0, 12.3456, 1234.56, 0.00123456, 1e-9, 1.5e12, -2.5)] == [
        "0", "1", "12.35", "1235", "0.001235", "1.000e-09", "1.500e+12", "-2.5",
    ]  # fmt: skip
    assert [show(v) for v in (None, True, 3, 2.50001, "a\nb", [1, "x"], float("nan"))] == [
        "not measured", "true", "3", "2.5", "a b", '[1, "x"]', "not measured",
    ]  # fmt: skip
    assert show(2.5, "GFLOP/s") == "2.5 GFLOP/s" and len(cut("y" * 10_000)) == 400


def test_the_view_of_a_trace_as_it_is_on_disk() -> None:
    events = [type(climb().events[0])(**json.loads(line)) for line in climb().bytes().splitlines()]
    assert view(Recorded(events)) == view(Recorded(climb().events))
