"""What the codegen stage does with a request: replay, keep, ask, repair; and that it finishes after any
interruption.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sample_project import KERNEL, PLAN, Project, reply_text, unit, wrong
from spak.codegen import run
from spak.digest import sha256_bytes, sha256_file
from spak.effects import Effects
from spak.effects.asking import digest_of
from spak.errors import Diagnostic, SpakError, Waiting
from spak.lock import remove
from spak.model.outcome import Outcome
from spak.model.request import Provenance, Reply, Request
from spak.store import atomic


def accept(project: Project, text: str | None = None, wants: str = "by * x[i]") -> None:
    """Have a first reply accepted and forget how."""
    assert run(project.options(), project.effects(text or reply_text(), wants=wants)).ok
    project.asked.clear()
    project.judged.clear()


def codes(outcome: Outcome) -> list[str]:
    return [one["code"] for one in outcome.diagnostics]


def test_first_reply_is_asked_judged_and_locked(project: Project) -> None:
    outcome = run(project.options(), project.effects(reply_text()))
    assert outcome.ok and outcome.summary["action"] == "asked" and outcome.summary["cost"] == 0.25
    assert project.kernel.read_text() == KERNEL and (project.folder / "plan.toml").read_text() == PLAN
    assert (project.folder / "reply.md").read_text() == reply_text()
    entry = project.entry()
    assert entry is not None
    assert entry.reply == sha256_file("generated/scale/plain/cpp/reply.md") and entry.source == sha256_bytes(
        KERNEL.encode()
    )
    assert (
        entry.request == entry.asked == sha256_file("build/request/scale.plain.cpp.json") == digest_of(project.asked[0])
    )
    assert entry.spec == sha256_file("build/ir/scale.json") and entry.attempts == 1
    assert entry.targets[0].verdict == "passed" and entry.provenance.tokens_out == 9
    assert sorted(project.tree()) == [
        "generated/scale/plain/cpp/" + n for n in ("kernel.cpp", "plan.toml", "reply.md")
    ] + ["spak.lock"]


def test_replay_asks_and_judges_nobody_and_touches_nothing(project: Project) -> None:
    accept(project)
    before = {path: path.stat().st_mtime_ns for path in project.root.rglob("*")}
    outcome = run(project.options(), Effects())
    assert outcome.ok and outcome.summary["action"] == "replayed"
    assert before == {path: path.stat().st_mtime_ns for path in project.root.rglob("*")}


def test_changed_request_keeps_a_source_that_still_passes(project: Project) -> None:
    accept(project)
    project.ask_for("Write scale, please.")
    outcome = run(project.options(), project.effects())
    assert outcome.summary["action"] == "kept" and project.asked == []
    entry = project.entry()
    assert entry and entry.request == sha256_file("build/request/scale.plain.cpp.json") != entry.asked
    assert run(project.options(), Effects()).summary["action"] == "replayed"


def test_changed_spec_with_the_same_request_is_judged_again(project: Project) -> None:
    accept(project)
    project.spec(unit(version=2))
    assert run(project.options(), project.effects()).summary["action"] == "kept" and len(project.judged) == 1
    entry = project.entry()
    assert entry and entry.spec == sha256_file("build/ir/scale.json")


def test_pinned_source_that_fails_is_sent_back_with_what_was_found(project: Project) -> None:
    accept(project, wrong(9).replace("x[i] /*", "by * x[i] /*"))
    project.ask_for("Write it without remarks.")
    outcome = run(project.options(), project.effects(reply_text(), wants="by * x[i];"))
    assert outcome.summary["action"] == "asked" and len(project.asked) == 1
    request = project.asked[0]
    assert request.attempt == 1 and [m.role for m in request.messages] == ["system", "user", "assistant", "user"]
    assert "wrong 9" in request.messages[2].content and "SPK601" in request.messages[3].content
    assert (
        "accepted one" in request.messages[3].content and "The line: `for (long long i" in request.messages[3].content
    )
    entry = project.entry()
    assert entry and entry.asked == digest_of(request) and entry.attempts == 1
    assert not (project.folder / "attempts").exists()


def test_failed_reply_is_sent_back_and_kept(project: Project) -> None:
    outcome = run(project.options(), project.effects(wrong(1), "no blocks at all", reply_text()))
    assert outcome.ok and outcome.summary["attempts"] == 3
    assert [request.attempt for request in project.asked] == [1, 2, 3]
    assert (
        "wrong 1" in project.asked[1].messages[2].content
        and "y[0] is 1, expected 2" in project.asked[1].messages[3].content
    )
    assert "SPK306" in project.asked[2].messages[5].content and "SPK307" in project.asked[2].messages[5].content
    assert (project.folder / "attempts/1.md").read_text() == wrong(1)
    assert (project.folder / "attempts/2.md").read_text() == "no blocks at all"
    record = json.loads((project.folder / "attempts/attempts.json").read_text())
    assert sorted(record) == ["1", "2"] and record["1"]["diagnostics"][0]["code"] == "SPK601"
    assert record["2"]["request"] == digest_of(project.asked[1])


def test_attempts_end_with_everything_found_at_places_that_exist(project: Project) -> None:
    outcome = run(project.options(), project.effects(wrong(1), wrong(2), wrong(3)))
    assert not outcome.ok and codes(outcome) == ["SPK322", "SPK601", "SPK601", "SPK601"]
    file, line, *_ = outcome.diagnostics[2]["span"]
    assert (
        file == "generated/scale/plain/cpp/attempts/2.md" and "wrong 2" in Path(file).read_text().splitlines()[line - 1]
    )
    assert not project.kernel.exists() and project.entry() is None
    again = run(project.options(), project.effects())
    assert codes(again) == codes(outcome) and len(project.asked) == 3


def test_raising_the_limit_goes_on_where_it_ended(project: Project) -> None:
    project.spec(unit(attempts=1))
    assert not run(project.options(), project.effects(wrong(1))).ok
    project.spec(unit(attempts=2))
    assert run(project.options(), project.effects(reply_text())).ok
    assert [request.attempt for request in project.asked] == [1, 2]


def test_edit_of_the_request_starts_over(project: Project) -> None:
    project.spec(unit(attempts=1))
    assert not run(project.options(), project.effects(wrong(1))).ok
    project.ask_for("Write it properly.")
    assert run(project.options(), project.effects(reply_text())).ok
    assert [request.attempt for request in project.asked] == [1, 1] and len(project.asked[1].messages) == 2


def test_failing_replies_leave_the_pinned_files_in_place(project: Project) -> None:
    accept(project)
    pinned = project.tree()
    project.ask_for("Something else.")
    outcome = run(project.options(), project.effects(wrong(1), wrong(2), wrong(3), wants="nothing has this"))
    assert not outcome.ok
    assert {name: data for name, data in project.tree().items() if "/attempts/" not in name} == pinned


def test_hand_edited_file_is_named_and_never_overwritten(project: Project) -> None:
    accept(project)
    project.kernel.write_text("// mine\n")
    for change in (lambda: None, lambda: project.ask_for("Something else.")):
        change()
        outcome = run(project.options(), project.effects())
        assert (
            codes(outcome) == ["SPK320"] and outcome.diagnostics[0]["span"][0] == "generated/scale/plain/cpp/kernel.cpp"
        )
        assert "spak adopt scale.plain.cpp" in outcome.diagnostics[0]["hint"]
        assert project.kernel.read_text() == "// mine\n" and project.asked == []


@pytest.mark.parametrize("gone", [("kernel.cpp",), ("plan.toml",), ("kernel.cpp", "plan.toml")])
def test_missing_files_are_extracted_again(project: Project, gone: tuple[str, ...]) -> None:
    accept(project)
    before = project.tree()
    for name in gone:
        (project.folder / name).unlink()
    assert run(project.options(), Effects()).summary["action"] == "replayed"
    assert project.tree() == before


def test_missing_reply_is_an_error(project: Project) -> None:
    accept(project)
    (project.folder / "reply.md").unlink()
    with pytest.raises(SpakError) as raised:
        run(project.options(), Effects())
    assert [d.code for d in raised.value.diagnostics] == ["SPK321"]


def test_lost_lock_entry_is_made_again_from_the_files_without_asking(project: Project) -> None:
    accept(project)
    remove("spak.lock", ("scale", "plain", "cpp"))
    outcome = run(project.options(), project.effects())
    assert outcome.ok and project.asked == [] and len(project.judged) == 1
    entry = project.entry()
    assert (
        entry
        and entry.provenance.handler == "replay"
        and entry.reply == sha256_file("generated/scale/plain/cpp/reply.md")
    )


def test_reply_without_a_lock_entry_is_judged_also_when_its_files_are_missing(project: Project) -> None:
    accept(project)
    (project.root / "spak.lock").unlink()
    project.kernel.unlink()
    assert run(project.options(), project.effects()).ok and project.kernel.read_text() == KERNEL


def test_files_of_unknown_origin_are_not_overwritten(project: Project) -> None:
    project.folder.mkdir(parents=True)
    project.kernel.write_text("// mine\n")
    outcome = run(project.options(), project.effects())
    assert codes(outcome) == ["SPK325"] and project.kernel.read_text() == "// mine\n"


@pytest.mark.parametrize(("finish", "code"), [("length", "SPK323"), ("content_filter", "SPK324")])
def test_incomplete_reply_is_never_taken_in(project: Project, finish: str, code: str) -> None:
    reply = Reply(text=reply_text(), provenance=Provenance(handler="live", finish=finish))
    with pytest.raises(SpakError) as raised:
        run(project.options(), Effects(asker=lambda request: reply, judger=project.judge))
    assert raised.value.diagnostics[0].code == code
    assert project.tree() == {}


def test_refresh_asks_for_another_sample_and_later_builds_replay_it(project: Project) -> None:
    accept(project)
    other = reply_text(words="Another one.")
    assert run(project.options(refresh=True), project.effects(other)).summary["action"] == "asked"
    assert project.asked[0].sample == 1 and len(project.asked[0].messages) == 2
    entry = project.entry()
    assert entry and entry.sample == 1 and entry.asked == digest_of(project.asked[0]) != entry.request
    assert run(project.options(), Effects()).summary["action"] == "replayed"
    assert run(project.options(refresh=True), project.effects(reply_text())).ok and project.asked[1].sample == 2


def test_refresh_that_fails_keeps_what_was_there(project: Project) -> None:
    accept(project)
    before = project.tree()
    assert not run(project.options(refresh=True), project.effects(wrong(1), wrong(2), wrong(3))).ok
    assert {name: data for name, data in project.tree().items() if "/attempts/" not in name} == before
    assert run(project.options(), Effects()).summary["action"] == "replayed"


def test_waiting_says_why_and_the_conversation_survives_the_process(project: Project) -> None:
    waiting = Waiting(Diagnostic("SPK330", "waits"))
    with pytest.raises(Waiting) as raised:
        run(project.options(), project.effects(wrong(1), waiting))
    assert "the last reply failed: " in raised.value.diagnostics[0].notes[-1]
    assert not project.kernel.exists()
    second = project.asked[-1]
    assert run(project.options(), project.effects(reply_text())).ok
    assert project.asked[-1] == second and second.attempt == 2


def test_waiting_for_a_repair_of_the_pinned_source_asks_the_same_again(project: Project) -> None:
    """Also when a finding differs in some detail from run to run: the answer being written must still fit."""
    accept(project)
    project.ask_for("Something else.")
    for run_number in range(2):
        found = Diagnostic("SPK601", f"worst error {run_number}.5")
        judged = Outcome(ok=False, diagnostics=(found.to_json(),))
        with pytest.raises(Waiting):
            run(project.options(), project.effects(Waiting(Diagnostic("SPK330", "waits")), judge=lambda j=judged: j))
    assert project.asked[0] == project.asked[1] and "worst error 0.5" in project.asked[0].messages[-1].content
    new = reply_text(KERNEL.replace("x[i];", "x[i] ;"))
    assert run(project.options(), project.effects(new, wants="by * x[i] ")).ok


def test_error_of_the_judge_leaves_the_reply_on_record(project: Project) -> None:
    def broken() -> Outcome:
        raise SpakError(Diagnostic("SPK501", "g++ is missing"))

    with pytest.raises(SpakError):
        run(project.options(), project.effects(reply_text(), judge=broken))
    assert run(project.options(), project.effects()).ok and len(project.asked) == 1


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


@dataclass
class Killer:
    """Ends the run before its n-th step, a step being a write or a judgement."""

    project: Project
    replies: list[str]
    at: int
    steps: int = 0
    write: Callable[..., None] = atomic.write

    def step(self) -> None:
        self.steps += 1
        if self.steps == self.at:
            raise Killed

    def counted(self, *args: Any, **options: Any) -> None:
        self.step()
        self.write(*args, **options)

    def judge(self) -> Outcome:
        self.step()
        return self.project.judge()

    def ask(self, request: Request) -> Reply:
        """The n-th different request gets the n-th reply, as often as it is asked."""
        self.project.asked.append(request)
        different = list(dict.fromkeys(digest_of(one) for one in self.project.asked))
        text = self.replies[different.index(digest_of(request))]
        return Reply(text=text, provenance=Provenance(handler="live", by="m"))


@pytest.mark.parametrize("story", ["first", "repair", "pinned", "refresh"])
def test_killed_after_any_step_the_same_command_finishes(
    project: Project, monkeypatch: pytest.MonkeyPatch, story: str
) -> None:
    """Stop before each write and judgement in turn; then run to the end. No reply on record is lost or asked for
    again.
    """
    replies = [wrong(1), wrong(2), reply_text()] if story == "repair" else [reply_text(words="new")]
    if story in ("pinned", "refresh"):
        accept(project, wrong(9) if story == "pinned" else None, wants="x[i]")
    if story == "pinned":
        project.ask_for("Something else.")
    options = project.options(refresh=story == "refresh")
    start = project.root.with_name(project.root.name + ".start")
    shutil.copytree(project.root, start)
    for at in range(1, 100):
        for path in project.root.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(start, project.root, dirs_exist_ok=True)
        project.asked.clear()
        killer = Killer(project, replies, at)
        with monkeypatch.context() as patch:
            patch.setattr(atomic, "write", killer.counted)
            try:
                assert run(options, Effects(asker=killer.ask, judger=killer.judge)).ok
                break  # there was no such step: every one has had its turn
            except Killed:
                pass
        assert run(options, Effects(asker=killer.ask, judger=project.judge)).ok
        entry = project.entry()
        assert entry and entry.source == sha256_file(project.kernel) == sha256_bytes(KERNEL.encode())
        assert entry.reply == sha256_file(project.folder / "reply.md") == sha256_bytes(replies[-1].encode())
        assert run(project.options(), Effects()).summary["action"] == "replayed"
        kept = project.folder / "attempts"
        assert sorted(path.name for path in kept.glob("*.md")) == [f"{n}.md" for n in range(1, len(replies))]
        # Only a reply that was just being recorded may be asked for again.
        assert len(project.asked) <= len(replies) + 1
    assert at > 5


def test_damaged_record_of_attempts_is_an_error(project: Project) -> None:
    (project.folder / "attempts").mkdir(parents=True)
    (project.folder / "attempts/attempts.json").write_text('{"1": ')
    with pytest.raises(SpakError) as raised:
        run(project.options(), project.effects())
    assert raised.value.diagnostics[0].code == "SPK328"


def test_long_conversations_drop_their_oldest_turns(project: Project) -> None:
    project.spec(unit(attempts=6))
    long = [wrong(n).replace("Here it is.", "x" * 150_000) for n in range(1, 6)]
    assert run(project.options(), project.effects(*long, reply_text())).ok
    last = project.asked[-1]
    assert sum(len(message.content) for message in last.messages) < 410_000
    assert "wrong 5" in str(last.messages) or "[cut here]" in str(last.messages)
    assert last.messages[:2] == project.asked[0].messages
