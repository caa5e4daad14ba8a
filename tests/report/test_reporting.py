"""`spak report` and deliverables: what is written, where, and what is refused."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from report.made import Trace, climb
from spak.cli.report import command
from spak.errors import SpakError
from spak.pipeline.runs.reporting import deliver
from spak.semantics.resolve import load_program
from spak.traces.folder import RunFolder

FILE = "specs/climb/climb.dsl"
SCHEMA = """trace_schema { variant TraceItem {
  case Performance { level: string  M: int  gflops: float }
  case Correctness { passed: boolean }
} }
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "dodo.py").write_text("")
    monkeypatch.chdir(tmp_path)
    put_run(tmp_path, climb(), "0001-aaaa")
    return tmp_path


def put_run(root: Path, trace: Trace, id: str) -> RunFolder:
    """A run's folder, as a run leaves it."""
    folder = RunFolder(root, id)
    folder.path.mkdir(parents=True)
    folder.trace.write_bytes(trace.bytes())
    start = {"program": FILE, "args": {"n": 3}, "constants": {"PEAK_GFLOPS": 97.8, "MAX_BW": 21.5e9}}
    folder.start.write_text(json.dumps(start))
    folder.metrics.write_text('{"score": 0.8}\n')
    return folder


def program(root: Path, artifacts: str) -> None:
    path = root / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{SCHEMA}task T {{ step a {{ tool.run {{ cmd: "true" }} }} }}\nbuild {{\n{artifacts}\n}}\n')


def spak_report(*args: str) -> str:
    result = CliRunner().invoke(command, args, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    assert result.return_value == 0
    return result.stdout


def made(root: Path, artifacts: str) -> dict[str, str]:
    """The deliverables of the newest run."""
    program(root, artifacts)
    done = deliver(root, RunFolder(root, "0001-aaaa"), load_program(root, FILE))
    return {one.file: (root / one.file).read_text() for one in done}


def test_the_newest_run_is_reported_on_standard_output(root: Path) -> None:
    put_run(root, Trace("later"), "0002-bbbb")
    assert spak_report().startswith("# Report of") and "Performance: not measured." in spak_report()
    assert "# Report of climb-0001\n" in spak_report("1")


def test_the_format_is_that_of_the_file(root: Path) -> None:
    spak_report("1", "-o", "r.html")
    spak_report("1", "-o", "out/r.md")
    assert (root / "r.html").read_text().startswith("<!DOCTYPE html>") and (root / "out/r.md").read_text().startswith(
        "# "
    )
    spak_report("1", "-o", "r.txt", "--format", "md")
    with pytest.raises(SpakError, match="SPK368"):
        spak_report("1", "-o", "r.pdf")


def test_the_same_run_gives_the_same_bytes_in_any_process(root: Path) -> None:
    digests = set()
    for seed in ("0", "1"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo" if seed == "1" else "UTC"}
        script = "from spak.cli.root import run; import sys; sys.exit(run())"
        done = subprocess.run(
            [sys.executable, "-c", script, "report", "1", "--format", "html"], capture_output=True, check=True, env=env
        )
        digests.add(hashlib.sha256(done.stdout).hexdigest())
    assert len(digests) == 1


def test_peaks_come_from_the_start_of_the_run_where_no_fact_names_them(root: Path) -> None:
    t = Trace()
    t.emit(level="a", gflops=48.9, gbytes=2.15)
    put_run(root, t, "0002-bbbb")
    text = spak_report("2")
    assert "reaches 50.0 % of the peak of 97.8 GFLOP/s" in text and "Bandwidth of memory: 21.5 GB/s." in text


@pytest.mark.parametrize(("name", "code"), [("9", "SPK923"), ("nowhere.dsl", "SPK923")])
def test_what_is_no_run_is_told(root: Path, name: str, code: str) -> None:
    with pytest.raises(SpakError, match=code):
        spak_report(name)


def test_a_damaged_trace_is_told_with_its_line(root: Path) -> None:
    path = RunFolder(root, "0001-aaaa").trace
    path.write_bytes(path.read_bytes().replace(b'"kind":"fact"', b'"kind":"fict"', 1))
    with pytest.raises(SpakError, match=r"\.spak/runs/0001-aaaa/trace\.jsonl:3:1: SPK925"):
        spak_report("1")


def test_artifacts_are_made_from_the_trace(root: Path) -> None:
    files = made(
        root,
        """
        artifact "Final_Report.md" { generator: report  input: trace.all }
        artifact "out/page.html" { generator: report }
        artifact "all.jsonl" { input: trace.all }
        artifact "perf.jsonl" { input: trace.Performance }
        artifact "metrics.json" { input: metrics }
        artifact "facts.jsonl" { input: facts }
        """,
    )
    assert "tuned" in files["Final_Report.md"] and files["out/page.html"].startswith("<!DOCTYPE html>")
    assert files["all.jsonl"].encode() == climb().bytes() and files["metrics.json"] == '{"score": 0.8}\n'
    rows = [json.loads(line) for line in files["perf.jsonl"].splitlines()]
    assert [row["fields"]["level"] for row in rows] == ["naive", "blocked", "tuned", "packed"]
    assert [json.loads(line)["value"] for line in files["facts.jsonl"].splitlines()] == [True, False]


def test_artifacts_are_made_again_from_the_newest_run_of_the_program(root: Path) -> None:
    program(root, 'artifact "r.md" { generator: report }')
    assert spak_report(FILE) == "r.md  written, from run 0001-aaaa\n"
    assert spak_report(FILE) == "r.md  unchanged, from run 0001-aaaa\n"
    other = root / "specs/other.dsl"
    other.write_text((root / FILE).read_text())
    with pytest.raises(SpakError, match=r"SPK371: there is no run of specs/other\.dsl"):
        spak_report("specs/other.dsl")


GENERATOR = """
import json, os, sys
events = [json.loads(line) for line in sys.stdin]
assert [json.loads(line) for line in open(os.environ["SPAK_TRACE"])] == events
print("traces:", sum(e["kind"] == "emit" for e in events), os.environ["SPAK_RUN"], *sys.argv[1:])
"""


def test_a_command_makes_an_artifact_from_its_input(root: Path) -> None:
    (root / "gen.py").write_text(GENERATOR)
    (root / "big.py").write_text("import os; open(os.environ['SPAK_ARTIFACT'], 'w').write('x' * 3_000_000)")
    python = sys.executable
    files = made(
        root,
        f"""
        artifact "printed.txt" {{ generator: "{python} gen.py {{{{run.id}}}}"  input: trace.all }}
        artifact "listed.txt" {{ generator: ["{python}", "gen.py", "a b"] }}
        artifact "file.bin" {{ generator: "{python} big.py" }}
        """,
    )
    assert files["printed.txt"] == "traces: 5 0001-aaaa 0001-aaaa\n" and files["listed.txt"].endswith("a b\n")
    assert files["file.bin"] == "x" * 3_000_000


@pytest.mark.parametrize(
    ("generator", "needle"),
    [
        ("\"PY -c 'import sys; print(1, file=sys.stderr); sys.exit(3)'\"", r"generator of r\.md failed: .*3"),
        ('"PY -c pass"', "made nothing"),
        ('"no-such-program-here"', "no-such-program-here"),
        ("nonsense", "SPK370: there is no generator `nonsense`"),
    ],
)
def test_a_generator_that_fails_leaves_what_is_there(root: Path, generator: str, needle: str) -> None:
    (root / "r.md").write_text("old")
    with pytest.raises(SpakError, match=needle):
        made(
            root,
            f'artifact "r.md" {{ generator: {generator.replace("PY", sys.executable)} }}\nartifact "m.json" {{ input: metrics }}',
        )
    assert (root / "r.md").read_text() == "old" and (root / "m.json").exists()


@pytest.mark.parametrize(
    "file",
    [
        ".spak/x.md",
        ".git/config",
        "sub/.git/hooks/post-checkout",
        "specs/climb/climb.dsl",
        "specs//climb/./climb.dsl",
        "specs",
        "link/x.md",
        "link2.md",
        "hooks/x.md",
        "dodo.py",
        "spak.lock",
        "generated/saxpy/evil.cpp",
        "targets/cpu.toml",
    ],
)
def test_artifacts_lie_where_nothing_is_lost(root: Path, file: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (root / "link").symlink_to(outside)
    (root / "link2.md").symlink_to(outside / "y.md")
    (root / ".git/hooks").mkdir(parents=True)
    (root / "hooks").symlink_to(".git/hooks")
    with pytest.raises(SpakError, match=r"climb\.dsl:\d+:\d+: SPK369"):
        made(root, f'artifact "{file}" {{ generator: report }}')
    assert not any(outside.iterdir()) and (root / FILE).read_text().startswith("trace_schema")
    assert not any((root / ".git/hooks").iterdir())
