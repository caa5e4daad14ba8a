"""A new spec from the first question to the lock: who is asked, how answers are taken, judged, refused and repaired."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from realproject import Project
from scale import FOLDER, NAME, REPLY, SKIPS_THE_LAST, add_scale

pytestmark = pytest.mark.xdist_group("project")


@pytest.fixture
def asked(project: Project) -> Project:
    """The project with a spec that nobody has answered yet."""
    return add_scale(project)


def answer(project: Project, text: str, *argv: str, expect: int = 0) -> str:
    done = project.spak("answer", NAME, "-", *argv, stdin=text, expect=expect)
    return done.stdout + done.stderr


def test_new_spec_waits_and_others_build(asked: Project) -> None:
    """Exit code 3, three lines that say what to do, and everything else is built."""
    asked.edit("specs/saxpy/SPEC.saxpy.md", "factor: 2", "factor: 1.75")
    planned = asked.plan()
    assert planned.steps[f"codegen:{NAME}"]["what"] == "ask"
    built = asked.build(expect=3)
    assert built.having("waiting") == {f"codegen:{NAME}"}
    assert built.having("blocked") == {
        "check:scale.plain@cpu",
        "compile:scale.plain@cpu",
        "verify:scale.plain@cpu",
        "artifact:scale@cpu",
    }
    assert "verify:saxpy.flat@cpu" in built.ran and not built.having("failed")
    start = built.err.index("SPK330")
    lines = built.err[start:].splitlines()[:3]
    assert f"{NAME} waits for an answer" in lines[0]
    assert f"read    .spak/pending/{NAME}/request.md" in lines[1]
    assert f"answer  spak answer {NAME} FILE" in lines[2] and "run the same command again" in lines[2]
    assert asked.lock().keys() >= {"saxpy.flat.cpp"} and NAME not in asked.lock()
    page = asked.spak("answer", NAME).stdout
    assert "Multiplies every element by a number." in page and "alpha * x" in page


def test_doit_has_the_same_exit_codes(asked: Project) -> None:
    waits = asked.command("-m", "doit", "build", expect=3)
    assert "SPK330" in waits.stdout + waits.stderr
    answer(asked, REPLY)
    asked.command("-m", "doit", "build", expect=0)
    asked.command("-m", "doit", "build", expect=0)
    asked.put(f"{FOLDER}/kernel.cpp", asked.path(f"{FOLDER}/kernel.cpp").read_text() + "// mine\n")
    failed = asked.command("-m", "doit", "build", expect=1)
    assert "SPK320" in failed.stdout + failed.stderr


def test_answer_is_listed_refused_taken_and_judged(asked: Project) -> None:
    asked.build("scale", expect=3)
    (one,) = json.loads(asked.spak("answer", "--json").stdout)
    assert (one["name"], one["attempt"], one["answered"]) == (NAME, 1, False)
    refused = answer(asked, "I would rather not.\n", expect=1)
    assert "<stdin>:1:1: SPK306" in refused and "SPK307" in refused
    assert "<stdin>:12:9: SPK311" in answer(asked, REPLY.replace("[[launch]]", "[[launch"), expect=1)
    assert "SPK345" in asked.spak("answer", "scale.plain.cuda", "-", stdin=REPLY, expect=1).stderr
    assert not asked.path(f".spak/pending/{NAME}/answer.md").exists()
    assert "taken" in answer(asked, REPLY, "--by", "gpt-x")
    assert json.loads(asked.spak("answer", "--json").stdout)[0]["answered"]
    assert NAME not in asked.lock(), "nothing is locked before it is judged"
    built = asked.build("scale")
    assert built.answers == {f"codegen:{NAME}": "asked"}
    entry = asked.lock()[NAME]
    assert (entry["attempts"], entry["handler"], entry["by"]) == (1, "suspend", "gpt-x")
    assert entry["target"][0]["verdict"] == "passed"
    assert asked.path(f"{FOLDER}/reply.md").read_text() == REPLY
    assert not asked.path(f".spak/pending/{NAME}").exists()
    assert not asked.build("scale", "--frozen").ran


def test_answer_to_another_request_is_set_aside(asked: Project) -> None:
    """Between question and answer the spec was edited: the answer is kept, not taken."""
    asked.build("scale", expect=3)
    answer(asked, REPLY)
    asked.edit(
        "specs/scale/SPEC.scale.md", "Multiplies every element by a number.", "Multiplies each element by alpha."
    )
    built = asked.build("scale", expect=3)
    assert "SPK331" in built.err and "was to another request" in built.err
    kept = list(asked.path(f".spak/pending/{NAME}").glob("answer.for-*.md"))
    assert [one.read_text() for one in kept] == [REPLY]
    asked.spak("answer", NAME, str(kept[0]))
    assert asked.build("scale").answers == {f"codegen:{NAME}": "asked"}


def test_wrong_answer_is_sent_back_once_an_attempt(asked: Project) -> None:
    asked.build("scale", expect=3)
    answer(asked, SKIPS_THE_LAST)
    waits = asked.build("scale", expect=3)
    assert "attempt 2" in waits.err
    page = asked.path(f".spak/pending/{NAME}/request.md").read_text()
    assert "i < N - 1" in page, "the failed reply is in the conversation"
    assert "SPK6" in page and "y" in page, "and so is what is wrong with it"
    attempts = asked.path(f"{FOLDER}/attempts")
    assert attempts.joinpath("1.md").read_text() == SKIPS_THE_LAST
    assert not asked.path(f"{FOLDER}/kernel.cpp").exists(), "what failed does not lie where what is right belongs"
    assert NAME not in asked.lock()
    assert asked.build("scale", expect=3).err.count("SPK330") == 1, "asking again changes nothing"
    assert asked.path(f".spak/pending/{NAME}/request.md").read_text() == page
    answer(asked, REPLY)
    asked.build("scale")
    entry = asked.lock()[NAME]
    assert (entry["attempts"], entry["handler"], entry["by"]) == (2, "suspend", "hand")
    assert attempts.joinpath("1.md").read_text() == SKIPS_THE_LAST, "failed attempts are kept"
    assert not asked.build("scale").ran


def test_attempts_are_limited(asked: Project) -> None:
    asked.build("scale", expect=3)
    answer(asked, SKIPS_THE_LAST)
    asked.build("scale", expect=3)
    answer(asked, SKIPS_THE_LAST.replace("Here it is.", "Corrected."))
    failed = asked.build("scale", expect=1)
    assert "SPK322" in failed.err and "2 replies were checked" in failed.err
    assert {path.name for path in asked.path(f"{FOLDER}/attempts").glob("*.md")} == {"1.md", "2.md"}
    assert asked.build("scale", expect=1).having("failed") == {f"codegen:{NAME}"}


def test_hand_edit_is_named_and_kept(project: Project) -> None:
    file = "generated/vector_add/plain/cpp/kernel.cpp"
    edited = project.path(file).read_text().replace("a[i] + b[i]", "b[i] + a[i]")
    project.put(file, edited)
    for argv in ((), ("--frozen",), ("--refresh", "vector_add")):
        failed = project.build(*argv, expect=1)
        assert "SPK320" in failed.err and file in failed.err and "spak adopt vector_add.plain.cpp" in failed.err
        assert project.path(file).read_text() == edited
    project.spak("adopt", "vector_add.plain.cpp")
    assert project.build().answers["codegen:vector_add.plain.cpp"] == "adopted"
    entry = project.lock()["vector_add.plain.cpp"]
    assert (entry["handler"], entry["by"], entry["attempts"]) == ("adopt", "hand", 1)
    assert project.path(file).read_text() == edited
    assert not project.build("--frozen").ran


def test_adopted_edit_that_is_wrong(project: Project) -> None:
    """It is reported and left as it is; nothing of it is locked, and taking it back needs no question."""
    folder = "generated/vector_add/plain/cpp"
    good, before = project.path(f"{folder}/kernel.cpp").read_text(), project.lock()
    wrong = good.replace("a[i] + b[i]", "a[i] - b[i]")
    project.put(f"{folder}/kernel.cpp", wrong)
    project.spak("adopt", "vector_add.plain.cpp")
    failed = project.build(expect=1)
    assert "SPK329" in failed.err and "SPK6" in failed.err
    assert project.path(f"{folder}/kernel.cpp").read_text() == wrong
    assert project.lock() == before
    project.put(f"{folder}/kernel.cpp", good)
    project.build()
    assert project.lock() == before


def test_pinned_reply_that_fails_the_new_spec(project: Project) -> None:
    """The default asks, with the pinned reply and its findings in the request; frozen says why it can't."""
    spec, tests = "specs/saxpy/SPEC.saxpy.md", "specs/saxpy/tests.saxpy.yaml"
    pinned, before = project.lock()["saxpy.flat.cpp"], project.path(spec).read_text()
    source = project.path("generated/saxpy/flat/cpp/kernel.cpp").read_text()
    vectors = project.path(tests).read_text()
    project.edit(spec, 'reference: "alpha * x + y"', 'reference: "alpha * x - y"')
    project.put(tests, "shapes:" + vectors.partition("shapes:")[2])
    must_ask(project, "saxpy.flat.cpp", "_mm256_fmadd_ps")
    assert project.lock()["saxpy.flat.cpp"] == pinned
    assert project.path("generated/saxpy/flat/cpp/kernel.cpp").read_text() == source
    project.put(spec, before)
    project.put(tests, vectors)
    project.build("saxpy", "--targets", "cpu", "--frozen")
    assert project.lock()["saxpy.flat.cpp"] == pinned
    assert not project.path(".spak/pending/saxpy.flat.cpp").exists(), "the question is withdrawn"


def test_pinned_reply_that_fails_a_tighter_tolerance(tmp_path: Path, shared_cache: Path) -> None:
    """Two roundings are one too many."""
    Project(tmp_path, shared_cache).spak("init", "demo")
    demo = Project(tmp_path / "demo", shared_cache)
    demo.build()
    demo.edit("specs/axpby/SPEC.axpby.md", "  flops: 3 * N\n", "  tolerance: { factor: 0.001 }\n  flops: 3 * N\n")
    must_ask(demo, "axpby.simple.cpp", "std::fma")


def must_ask(project: Project, name: str, code: str) -> None:
    """`code` is of the pinned reply, which the request shows with what is wrong with it."""
    only = (name.partition(".")[0], "--targets", "cpu")
    frozen = project.build(*only, "--frozen", expect=1)
    assert "SPK332" in frozen.err and "the pinned source failed: " in frozen.err and "SPK6" in frozen.err
    assert not project.path(f".spak/pending/{name}").exists()
    waits = project.build(*only, expect=3)
    assert waits.having("waiting") == {f"codegen:{name}"}
    assert "SPK330" in waits.err and "the pinned source failed: " in waits.err
    page = project.path(f".spak/pending/{name}/request.md").read_text()
    assert code in page and "the accepted one, but the request has changed since" in page and "SPK6" in page
