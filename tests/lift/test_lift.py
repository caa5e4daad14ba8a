"""Lifting: a domain is drawn from runs, and only what its own evidence bears out is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from lift.lessons import FILE, GOOD, PROGRAM, domain, events, project, put_run
from spak.cli.answer import command as answer_command
from spak.cli.lift import command
from spak.errors import SpakError, Waiting
from spak.handlers.mailbox import Mailbox, waiting
from spak.semantics.resolve import resolve_text

OUT = "lessons.dsl"
TRUE = 'fact f(t: TraceItem.Performance) { return t.gflops < 5; evidence: ["0001-ab12#2"] }'


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(project(tmp_path))
    return tmp_path


def spak_lift(*args: str, out: str = OUT) -> Result:
    result = CliRunner().invoke(command, [*(args or ("1",)), "-o", out], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result


def answer(text: str) -> None:
    (box,) = waiting(Path.cwd())
    result = CliRunner().invoke(answer_command, [box.name, "-"], input=text, standalone_mode=False)
    assert result.return_value == 0, result.exception


def lifted(*replies: str, args: tuple[str, ...] = ("1",), out: str = OUT) -> Result:
    """Run the same command again and again, answering what it asks."""
    for reply in replies:
        with pytest.raises(Waiting, match=r"SPK330: lift\."):
            spak_lift(*args, out=out)
        answer(reply)
    return spak_lift(*args, out=out)


def test_a_domain_is_asked_for_tested_and_written_with_its_table(root: Path) -> None:
    result = lifted(GOOD)
    assert result.return_value == 0
    text = (root / OUT).read_text()
    head = [line for line in text.splitlines() if line.startswith("//")]
    assert head[0] == "// Drawn from 0001-ab12; tested on 4 traces."
    told = "fact is_slow: true on all 2 cited (0001-ab12#2, 0001-ab12#3); of its case's traces true on 2, "
    told += "false on 1 (0001-ab12#5), unknown on 0"
    assert f"// {told}" in head and told in result.stdout
    assert (
        '// rule "Block": cites 0001-ab12#3, 0001-ab12#5; 0001-ab12#3 to #5: level naive then blocked, gflops 1.5 then 12'
        in head
    )
    assert "  // slow is below a tenth of what was reached" in text
    program = resolve_text(text, OUT)
    fact, rule = program.facts["is_slow"], program.rules[0]
    assert (fact.scope.target, fact.scope.date, fact.scope.samples) == ("cpu", "2026-11-21", 2)
    assert '"M >= 256", "M <= 512"' in text and "M == 512" in text and len(fact.scope.shapes) == 2
    assert rule.scope.samples == 2 and fact.evidence == ("0001-ab12#2", "0001-ab12#3")
    from spak.errors import Collector
    from spak.lang.printer import print_file
    from spak.lang.syntax import parse_text

    assert print_file(parse_text(text, OUT, Collector())) == text
    assert waiting(root) == []


def test_the_same_command_again_asks_nobody_and_changes_nothing(root: Path) -> None:
    lifted(GOOD)
    before = (root / OUT).read_bytes()
    assert "unchanged" in spak_lift().stderr and (root / OUT).read_bytes() == before


def test_an_edited_file_is_not_replaced_without_force(root: Path) -> None:
    (root / OUT).write_text("// mine\n")
    with pytest.raises(SpakError, match="SPK367"):
        lifted(GOOD)
    assert (root / OUT).read_text() == "// mine\n"
    assert spak_lift("1", "--force").return_value == 0 and "is_slow" in (root / OUT).read_text()


def test_the_question_holds_the_traces_their_cases_and_the_reports(root: Path) -> None:
    (root / "report.md").write_text("Blocking gave 8 times.\n")
    with pytest.raises(Waiting):
        spak_lift("0001", "report.md")
    (box,) = waiting(root)
    page = (box.folder / "request.md").read_text()
    assert '0001-ab12#5 emit TraceItem.Performance {"level": "blocked", "M": 512, "gflops": 12.0}' in page
    assert "case Performance { M: int  gflops: float  level: string }" in page and "Blocking gave 8 times." in page
    assert "domain `" not in page and "`domain` of engineering knowledge named `lessons`" in page
    assert page.count("```") % 2 == 0 and "'''\\n# ignore" in page


def refused(reply: str, *needles: str) -> None:
    """A reply that is sent back with these reasons."""
    with pytest.raises(Waiting):
        spak_lift()
    answer(reply)
    with pytest.raises(Waiting) as raised:
        spak_lift()
    assert "(attempt 2)" in str(raised.value)
    (box,) = waiting(Path.cwd())
    asked = box.request()
    assert asked is not None and asked.messages[-2].content == reply
    for needle in needles:
        assert needle in asked.messages[-1].content, asked.messages[-1].content


@pytest.mark.parametrize(
    ("body", "needles"),
    [
        (TRUE.replace("< 5", "> 5"), ["on 0001-ab12#2, which it cites, it is false (t.gflops = 1.25)"]),
        (TRUE.replace("#2", "#4"), ["0001-ab12#4 is a trace of TraceItem.Note, and the fact is about TraceItem.Performance"]),
        (TRUE.replace("#2", "#77"), ["0001-ab12#77 is no trace of that run"]),
        (TRUE.replace("0001-ab12", "0009-ffff"), ["0009-ffff#2 is of no run that was given"]),
        (TRUE.replace('evidence: ["0001-ab12#2"]', ""), ["fact f: it cites no trace"]),
        (TRUE.replace("< 5", "< 5 / (t.M - 256)"), ["it is unknown: it cannot be computed"]),
        (TRUE.replace("}", "\nscope { target: sm_80 } }"), ["out of scope, it holds on sm_80, and this is cpu"]),
        (TRUE.replace("}", "\nscope { samples: 12 } }"), ["its scope says 12 samples, and it cites 1 traces"]),
        (TRUE.replace("}", '\nscope { date: "2020-01-01" } }'), ["says 2020-01-01, and its latest trace is of 2026-11-21"]),
        (TRUE.replace("gflops", "tflops"), ["reply:2:", "tflops"]),
        (TRUE.replace("< 5", '== "fast"'), ["reply:2:"]),
        ("fact f(t: TraceItem.Performance) { return", ["reply:", "SPK1"]),
        (f'{TRUE}\nrule "R" {{ when: f  apply: "x"  evidence: ["0001-ab12#3"] }}', ['rule "R": it cites no two traces']),
        (f'{TRUE}\nrule "R" {{ when: f  apply: "x" }}', ['rule "R": it cites no trace']),
        (f'{TRUE}\nrule "R" {{ when: !f  apply: "x"  evidence: ["0001-ab12#3", "0001-ab12#5"] }}',
         ["its condition `!f` does not hold before it was followed, on 0001-ab12#3"]),
        (f'{TRUE}\nrule "R" {{ when: g  apply: "x"  evidence: ["0001-ab12#3", "0001-ab12#5"] }}', ["reply:3:18: SPK234", "g"]),
        (f'{TRUE}\ntask T {{ step a {{ tool.run {{ cmd: "rm -rf /" }} }} }}', ["SPK361: a lifted domain has no place for"]),
        (f'{TRUE}\nuse other', ["SPK361: a lifted domain has no place for `use`"]),
        (f'{TRUE}\nfrobnicate X {{ a: 1 }}', ["SPK361"]),
    ],
)  # fmt: skip
def test_what_the_traces_do_not_bear_out_is_sent_back_with_the_reasons(
    root: Path, body: str, needles: list[str]
) -> None:
    refused(domain(body), *needles)
    assert not (root / OUT).exists()


@pytest.mark.parametrize(
    ("reply", "needle"),
    [
        ("I cannot.", "SPK"),
        ("```spak\n```\n", "SPK360: the reply is empty"),
        ("```spak\ndomain lessons {", "SPK360: a fenced block of the reply is never closed"),
        (domain(TRUE) + domain(TRUE), "SPK360: the reply has 2 fenced blocks"),
        (domain(TRUE, "other"), "reply:1:8: SPK361: the domain is called 'other'"),
        (domain(TRUE) .replace("```\n", "task T { step a { x = 1 } }\n```\n", 1).replace("```spak\n", "```spak\n"), "SPK"),
        ("```spak\nimport \"x.dsl\"\n" + domain(TRUE)[8:], "SPK361: `import` stands outside the domain"),
        ("---\nname: x\n---\n" + domain(TRUE)[8:-4], "SPK361: the reply has front matter"),
    ],
)  # fmt: skip
def test_a_reply_that_is_no_domain_is_sent_back(root: Path, reply: str, needle: str) -> None:
    refused(reply, needle)


def test_a_mended_reply_is_taken(root: Path) -> None:
    result = lifted(domain(TRUE.replace("< 5", "> 5")), domain(TRUE))
    assert (
        result.return_value == 0 and "fact f: true on all 1 cited" in result.stdout and "left out" not in result.stdout
    )


def test_what_still_fails_in_the_end_is_left_out_with_the_reason(root: Path) -> None:
    body = f"""{TRUE}
    // this one is wrong
    fact wrong(t: TraceItem.Performance) {{ return t.gflops > 5; evidence: ["0001-ab12#2"] }}
    rule "On it" {{ when: wrong  apply: "x"  evidence: ["0001-ab12#3", "0001-ab12#5"] }}
    rule "Good" {{ when: f  apply: "x"  evidence: ["0001-ab12#3", "0001-ab12#5"] }}
    """
    result = lifted(domain(body), domain(body), args=("1", "--attempts", "2"))
    text = (root / OUT).read_text()
    program = resolve_text(text, OUT)
    assert list(program.facts) == ["f"] and [one.name for one in program.rules] == ["Good"]
    assert "// Left out: fact wrong: DROPPED, on 0001-ab12#2, which it cites, it is false (t.gflops = 1.25)" in text
    assert '// Left out: rule "On it": DROPPED' in text and "this one is wrong" not in text
    assert "left out: fact wrong" in result.stdout
    data = json.loads(spak_lift("1", "--attempts", "2", "--json").stdout)
    assert (
        [one["name"] for one in data["kept"]] == ["f", "Good"] and len(data["dropped"]) == 2 and data["attempts"] == 2
    )
    assert data["kept"][0]["false_on"] == ["0001-ab12#5"]


def test_a_rule_that_cannot_be_without_a_dropped_fact_goes_with_it(root: Path) -> None:
    body = f"""{TRUE}
    fact wrong(t: TraceItem.Performance) {{ return t.gflops > 5; evidence: ["0001-ab12#2"] }}
    rule "Uses both" {{ when: f || wrong  apply: "x"  evidence: ["0001-ab12#3", "0001-ab12#5"] }}
    """
    lifted(domain(body), args=("1", "--attempts", "1"))
    text = (root / OUT).read_text()
    assert '// Left out: rule "Uses both": DROPPED, it cannot be without what was dropped' in text
    assert not resolve_text(text, OUT).rules


def test_nothing_that_stands_is_an_error_and_no_file(root: Path) -> None:
    with pytest.raises(SpakError, match=r"SPK366.*(?s:.)*fact f: DROPPED"):
        lifted(domain(TRUE.replace("< 5", "> 5")), args=("1", "--attempts", "1"))
    with pytest.raises(SpakError, match="SPK365"):
        lifted("no", args=("1", "--attempts", "1"), out="other.dsl")
    assert not (root / OUT).exists() and not (root / "other.dsl").exists()


def test_facts_over_two_traces_and_hints(root: Path) -> None:
    body = """
    fact faster(now: TraceItem.Performance, before: TraceItem.Performance) {
      return now.gflops > 2 * before.gflops; evidence: ["0001-ab12#5"]
    }
    fact slow(t: TraceItem.Performance) { return t.gflops < 5; evidence: ["0001-ab12#3"] }
    hint "Go on" { trigger: slow  suggestion: "block"  evidence: ["0001-ab12#3", "0001-ab12#5"] }
    """
    text = lifted(domain(body)).stdout
    assert "fact faster: true on all 1 cited (0001-ab12#5); of its case's traces true on 1, false on 1" in text
    assert 'hint "Go on": cites' in text


def test_a_rule_in_prose_needs_its_two_traces_too(root: Path) -> None:
    body = f"""{TRUE}
    rule "Prose" {{ when: "an operand is read more than once"  apply: "pack it"  evidence: ["0001-ab12#2", "0001-ab12#5"] }}
    """
    assert 'rule "Prose": cites 0001-ab12#2, 0001-ab12#5' in lifted(domain(body)).stdout


def test_constants_are_those_of_the_run(root: Path) -> None:
    found = events("0002-cd34")
    numbers = {"PEAK_GFLOPS": 100.0, "t.gflops": 1.0}
    data = {"fact": "x", "value": True, "on": [2], "numbers": numbers, "scope": "", "why": ""}
    found.append(type(found[0])(6, "fact", "0002-cd34", "one", "", data=data))
    put_run(root, found)
    body = 'fact f(t: TraceItem.Performance) { return t.gflops < 0.05 * PEAK_GFLOPS; evidence: ["0002-cd34#2"] }'
    assert "true on 2, false on 1" in lifted(domain(body), args=("2",)).stdout


def test_several_runs_and_a_trace_file_alone(root: Path) -> None:
    put_run(root, events("0002-cd34"))
    (root / "kept.jsonl").write_bytes(b"".join(event.to_line() for event in events("0003-ee55")))
    body = TRUE.replace('"0001-ab12#2"', '"0001-ab12#2", "0002#3", "0003-ee55#2"')
    text = lifted(domain(body), args=("1", "2", "kept.jsonl")).stdout
    assert "true on all 3 cited (0001-ab12#2, 0002-cd34#3, 0003-ee55#2)" in text and "true on 6, false on 3" in text
    assert "samples: 3" in (root / OUT).read_text()


def test_reports_alone_make_knowledge_that_is_called_unchecked(root: Path) -> None:
    (root / "report.md").write_text("Tiles of 64 were best.\n")
    body = 'fact tiles { description: "tiles of 64 were best"  source: "report.md"\n scope { target: cpu } }'
    assert "fact tiles: UNCHECKED, nothing in it can be evaluated" in lifted(domain(body), args=("report.md",)).stdout


@pytest.mark.parametrize(
    ("make", "args", "code"),
    [
        (lambda root: None, ("7",), "SPK923"),
        (lambda root: (root / "bad.md").write_bytes(b"ok\n\xff"), ("bad.md",), r"bad\.md:2:1: SPK363"),
        (lambda root: (root / "bad.jsonl").write_text("{}\n"), ("bad.jsonl",), r"bad\.jsonl:1:1: SPK925"),
        (lambda root: (root / "empty.jsonl").write_text(""), ("empty.jsonl",), "SPK364"),
        (lambda root: (root / ".spak/runs/0001-ab12/trace.jsonl").write_bytes(b"\xff\n"), ("1",), "SPK925"),
    ],
)  # fmt: skip
def test_bad_sources_are_told_at_once(root: Path, make: object, args: tuple[str, ...], code: str) -> None:
    make(root)  # type: ignore[operator]
    with pytest.raises(SpakError, match=code) as raised:
        spak_lift(*args)
    assert raised.value.exit_code == 1 and waiting(root) == []


@pytest.mark.parametrize("out", ["my lessons.dsl", "lessons.md", "9.dsl", "a-b.dsl"])
def test_the_file_must_be_able_to_name_a_domain(root: Path, out: str) -> None:
    with pytest.raises(SpakError, match="SPK362"):
        spak_lift("1", out=out)


def test_nobody_may_be_asked(root: Path) -> None:
    with pytest.raises(SpakError, match=r"SPK332: lift\.lessons"):
        spak_lift("1", "--handler", "frozen")


def test_a_hostile_reason_stays_in_its_comment(root: Path) -> None:
    body = f'{TRUE}\nrule "a\\n}}\\ntask T {{ step x {{ }} }}" {{ when: f  apply: "x" }}'
    lifted(domain(body), args=("1", "--attempts", "1"))
    program = resolve_text((root / OUT).read_text(), OUT)
    assert not program.procedures and not program.rules and list(program.facts) == ["f"]


def test_an_answer_that_is_on_record_survives_a_kill(root: Path) -> None:
    with pytest.raises(Waiting):
        spak_lift()
    answer(domain(TRUE.replace("< 5", "> 5")))
    with pytest.raises(Waiting):
        spak_lift()
    Mailbox(root, "lift.lessons").close()  # a kill between the record of one answer and the next question
    with pytest.raises(Waiting, match=r"\(attempt 2\)"):
        spak_lift()
    for path in (root / ".spak/asked").iterdir():
        path.write_text("{ torn")  # and a torn record is asked for again
    with pytest.raises(Waiting) as raised:
        spak_lift()
    assert "(attempt 2)" not in str(raised.value).split("\n")[0]


def test_a_program_can_use_what_was_lifted_and_it_is_out_of_scope_elsewhere(root: Path) -> None:
    from spak.knowledge.grounding import Grounding
    from spak.knowledge.item import Item
    from spak.semantics.resolve import load_program

    lifted(GOOD, out="specs/domains/lessons.dsl")
    (root / FILE).parent.mkdir(parents=True)
    (root / FILE).write_text(f"use lessons\n{PROGRAM}")
    program = load_program(root, FILE)

    def value(size: int, target: str) -> bool | None:
        grounding = Grounding(program, {}, target)
        grounding.arrive(Item("TraceItem.Performance", {"level": "x", "M": size, "gflops": 1.0}, 1))
        return grounding.facts["is_slow"].value

    assert [value(300, "cpu"), value(1024, "cpu"), value(300, "sm_80")] == [True, None, None]
