"""Settles on a reply: replay, keep, judge, ask, repair. Knows neither who answers nor how a reply is judged.

Every step leaves the tree in a state from which the same command goes on. The order of writes is the argument for it:

    a reply is on record (attempts/<n>.md, then attempts.json)   before anything is done with it
    the pinned reply is on record (attempts/0.md)                before another reply's files take its place
    the lock has the reply                                       before its record is dropped
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spak.codegen import observed
from spak.codegen.attempts import PINNED, Attempt, Attempts
from spak.codegen.generated import Digests, Generated, digests_of
from spak.codegen.repair import Failed, repair_request
from spak.codegen.reply import Extracted, extract
from spak.codegen.reports import done, evidence, failed, moved, refuse_incomplete, with_reason
from spak.digest import sha256_bytes, sha256_file
from spak.effects.asking import digest_of
from spak.errors import Diagnostic, SpakError, Span
from spak.lock import Entry, Lock, update
from spak.model.ir import Unit
from spak.model.outcome import Outcome
from spak.model.request import Provenance, Request

if TYPE_CHECKING:
    from spak.codegen import Options
    from spak.effects import Do

ADOPT_HINT = "take the edit in with `spak adopt {name}`, or undo it with `git checkout {file}`"


def settle(options: Options, do: Do) -> Outcome:
    """See `spak.codegen.run`."""
    return _Settling.begin(options, do).outcome()


@dataclass(slots=True)
class _Settling:
    """One run of the stage: what it was given, and what the disk says."""

    options: Options
    do: Do
    request: Request
    today: str  # digest of the request as rendered
    base: str  # the same, refreshes counted: what attempts belong to
    spec: str
    limit: int
    entry: Entry | None
    files: Generated
    log: Attempts
    known: dict[int, Attempt] = field(default_factory=dict)

    @classmethod
    def begin(cls, options: Options, do: Do) -> _Settling:
        unit = Unit(**json.loads(Path(options.ir).read_bytes()))
        folder = Path(options.generated)
        entry = Lock.load(options.lock).get(options.unit, options.variant, options.dialect)
        log = Attempts(folder / "attempts")
        request = Request(**json.loads(Path(options.request).read_bytes()))
        files = Generated(folder, options.dialect)
        today = digest_of(request)
        return cls(
            options, do, request, today, today, sha256_file(options.ir), max(1, unit.attempts), entry, files, log
        )

    @property
    def name(self) -> str:
        return f"{self.options.unit}.{self.options.variant}.{self.options.dialect}"

    def outcome(self) -> Outcome:
        self.known = self.log.load()
        finished = self._forget_accepted()
        refresh = self.options.refresh and not finished
        if refresh:
            self._count_refresh()
        number = self._unfinished()
        if number is None and self.entry is None:
            number = self._unlocked_reply()
        if problems := self._edited(number):
            return failed(problems, "edited")
        if number is not None:
            return self._until_one_passes(number)
        if self.entry is None:
            self.files.clear()  # at most what a failed attempt left behind
            return self._until_one_passes(None)
        self._restore(self.entry)
        if refresh:
            return self._until_one_passes(None)
        if self._pinned_stands(self.entry):
            self._close_mailbox()
            return done("replayed", self.entry)
        return self._judge_pinned(self.entry)

    # -- the state of the tree
    # ------------------------------------------------------------------------------------------

    def _forget_accepted(self) -> bool:
        """Drop the record of a reply that the lock has: a build was killed between the two. Whether there was one."""
        entry = self.entry
        if entry is None:
            return False
        accepted = [n for n, one in self.known.items() if one.state == "received" and one.reply == entry.reply]
        if not accepted:
            return False
        self.log.drop(*accepted, PINNED)
        self.known = self.log.load()
        return True

    def _put_back(self, entry: Entry) -> None:
        """Write the pinned files from whichever copy of the reply is on record."""
        for number, one in self.known.items():
            reply = self.log.text(number)
            if one.reply == entry.reply and sha256_bytes(reply) == entry.reply:
                self.files.write(reply, extract(reply, self.options.dialect, str(self.log.file(number))))
                return

    def _count_refresh(self) -> None:
        """A refresh is another sample of the same request; one whose attempts are used up makes room for the next."""
        sample = self.request.sample + (self.entry.sample + 1 if self.entry else 0)
        while True:
            request = self.request.model_copy(update={"sample": sample})
            if len(self._of(digest_of(request))) < self.limit or self._open(digest_of(request)):
                break
            sample += 1
        self.request, self.base = request, digest_of(request)

    def _of(self, base: str) -> list[int]:
        return [n for n, one in sorted(self.known.items()) if one.base == base and n != PINNED]

    def _open(self, base: str) -> list[int]:
        return [n for n in self._of(base) if self.known[n].state == "received"]

    def _unfinished(self) -> int | None:
        """A reply that was taken in and not yet judged: adopted edits first, as they are what lies in the folder."""
        adopted = [n for n in self._of("") if self.known[n].state == "received"]
        return next(iter([*adopted[-1:], *self._open(self.base)[-1:]]), None)

    def _unlocked_reply(self) -> int | None:
        """Files without an entry that belong to the reply beside them: a merge took the other side's lock. They are
        judged.
        """
        wanted, there = self._beside(), self.files.digests()
        if wanted is None or there.source not in ("", wanted.source) or there.plan not in ("", wanted.plan):
            return None
        if wanted.reply in self._on_record():
            return None
        number = self.log.receive(self.files.reply.read_bytes(), self.base, "", Provenance(handler="replay"))
        self.known = self.log.load()
        return number

    def _beside(self) -> Digests | None:
        """The digests of what the reply that lies in the folder consists of."""
        try:
            reply = self.files.reply.read_bytes()
            return digests_of(reply, extract(reply, self.options.dialect, str(self.files.reply)))
        except (FileNotFoundError, SpakError):
            return None

    def _edited(self, number: int | None) -> list[Diagnostic]:
        """Files that are neither what the lock pins nor what a reply on record consists of.

        The reply of an adopted edit is composed from the files, so the `reply.md` beside them is still the one before
        it.
        """
        there = self.files.digests()
        known = self._on_record()
        adopted = number is not None and self.known[number].provenance.handler == "adopt"
        if self.entry:
            known |= {self.entry.reply, self.entry.source, self.entry.plan}
            code, what = "SPK320", "this file was edited by hand: it differs from what the lock pins"
        else:
            code, what = "SPK325", "no lock entry covers this file, and it is not part of the reply beside it"
            if beside := self._beside():
                known |= {beside.reply, beside.source, beside.plan}
        checked = [(there.source, self.files.source), (there.plan, self.files.plan)]
        checked += [] if adopted else [(there.reply, self.files.reply)]
        return [self._edit(code, what, path) for is_now, path in checked if is_now and is_now not in known]

    def _edit(self, code: str, what: str, path: Path) -> Diagnostic:
        return Diagnostic(code, what, Span(str(path)), ADOPT_HINT.format(name=self.name, file=path))

    def _on_record(self) -> set[str]:
        """Digests of all files that replies on record consist of; an adopted edit that failed is the user's again."""
        found: set[str] = set()
        for number, attempt in self.known.items():
            if attempt.provenance.handler == "adopt" and attempt.state == "failed":
                continue
            reply = self.log.text(number)
            try:
                one = digests_of(reply, extract(reply, self.options.dialect, ""))
            except SpakError:
                continue
            found |= {one.reply, one.source, one.plan}
        return found

    def _restore(self, entry: Entry) -> None:
        """Make the folder hold the pinned files: those that are missing, or left over from an attempt, come from the
        reply.
        """
        pinned = Digests(entry.reply, entry.source, entry.plan)
        if self.files.digests() == pinned:
            return
        self._put_back(entry)
        if self.files.digests().reply == entry.reply:
            reply = self.files.reply.read_bytes()
            self.files.write(reply, extract(reply, self.options.dialect, str(self.files.reply)))
        there = self.files.digests()
        if there == pinned:
            return
        wrong = {self.files.reply: there.reply != pinned.reply, self.files.source: there.source != pinned.source}
        wrong[self.files.plan] = there.plan != pinned.plan
        again = f"spak build --refresh {self.options.unit}"
        hint = f"restore it with `git checkout {self.files.folder}`, or ask again with `{again}`"
        what = "the lock pins this file, and it can be neither found nor extracted from the reply"
        raise SpakError(*(Diagnostic("SPK321", what, Span(str(path)), hint) for path, bad in wrong.items() if bad))

    def _pinned_stands(self, entry: Entry) -> bool:
        changed = entry.request != self.today or entry.spec != self.spec
        return not (changed or self.options.recheck)

    # -- judging and asking
    # ---------------------------------------------------------------------------------------------

    def _judge_pinned(self, entry: Entry) -> Outcome:
        """What is pinned is judged against what has changed; if it passes, nobody is asked."""
        judged = self.do.judge()
        if judged.ok:
            kept = entry.model_copy(
                update={"request": self.today, "spec": self.spec, "targets": evidence(judged) or entry.targets}
            )
            update(self.options.lock, kept)
            self.log.drop(PINNED)
            self._close_mailbox()
            return done("kept", kept, judged)
        earlier = self.known.get(PINNED)
        if earlier is None or (earlier.base, earlier.reply) != (self.base, entry.reply):
            # Recorded once: were the findings to differ in some detail on the next run, the answer being waited for
            # would not fit.
            self.log.set_pinned(self.files.reply.read_bytes(), self.base, entry.provenance, judged.diagnostics)
            self.known = self.log.load()
        return self._until_one_passes(None)

    def _close_mailbox(self) -> None:
        """Nothing is waited for any more. An answer that was written meanwhile is somebody's work and stays."""
        box = Path(self.options.pending)
        if self.options.pending and box.is_dir() and not (box / "answer.md").exists():
            shutil.rmtree(box, ignore_errors=True)

    def _until_one_passes(self, number: int | None) -> Outcome:
        while True:
            if number is None:
                if len(self._of(self.base)) >= self.limit:
                    return self._exhausted()
                number = self._ask()
            accepted = self._try(number)
            if accepted is not None:
                return accepted
            number = None

    def _ask(self) -> int:
        failed = self._failures()
        tried = len(self._of(self.base))
        plain = repair_request(self.request, failed, tried + 1, self.options.templates)
        rules = observed.to_tell(self.options, self.name, plain)
        request = observed.told(plain, rules, self.options.templates)
        try:
            reply = self.do.ask(request)
        except SpakError as error:
            raise with_reason(error, failed[-1:]) from None
        refuse_incomplete(reply.provenance, self.name)
        number = self.log.receive(
            reply.text.encode(), self.base, digest_of(request), reply.provenance, tuple(one.name for one in rules)
        )
        self.known = self.log.load()
        return number

    def _failures(self) -> list[Failed]:
        """The conversation so far: the pinned reply if it failed this request, then the failed attempts."""
        pinned = self.known.get(PINNED)
        numbers = [PINNED] if pinned and pinned.base == self.base and pinned.diagnostics else []
        return [
            Failed(self.log.text(n), self.known[n].diagnostics, n == PINNED) for n in [*numbers, *self._of(self.base)]
        ]

    def _try(self, number: int) -> Outcome | None:
        """Judge a reply on record. None means that it failed and another may be asked for."""
        one, reply = self.known[number], self.log.text(number)
        adopted = one.provenance.handler == "adopt"
        if self.options.pending:
            shutil.rmtree(self.options.pending, ignore_errors=True)  # its answer is on record
        try:
            extracted = extract(reply, self.options.dialect, str(self.log.file(number)))
        except SpakError as error:
            return self._fail(number, tuple(d.to_json() for d in error.diagnostics), adopted)
        self._save_pinned()
        # The reply of an adopted edit is composed; until it is accepted, the one before it stays beside the files.
        self.files.write(None if adopted else reply, extracted)
        judged = self.do.judge()
        if judged.ok:
            return self._accept(number, reply, extracted, judged)
        return self._fail(number, judged.diagnostics, adopted)

    def _save_pinned(self) -> None:
        """Keep the pinned reply before its files are replaced."""
        if self.entry is None or self.files.digests().reply != self.entry.reply:
            return
        saved = self.known.get(PINNED)
        if saved is None or saved.reply != self.entry.reply:
            self.log.set_pinned(self.files.reply.read_bytes(), self.base, self.entry.provenance, ())
            self.known = self.log.load()

    def _accept(self, number: int, reply: bytes, extracted: Extracted, judged: Outcome) -> Outcome:
        one, digests = self.known[number], digests_of(reply, extracted)
        adopted = one.provenance.handler == "adopt"
        self.files.write(reply, extracted)
        sample = self.request.sample if not adopted else self.entry.sample if self.entry else 0
        entry = Entry(
            unit=self.options.unit,
            variant=self.options.variant,
            dialect=self.options.dialect,
            spec=self.spec,
            request=self.today,
            asked=one.request,
            reply=digests.reply,
            source=digests.source,
            plan=digests.plan,
            attempts=1 if adopted else len(self._of(self.base)),
            sample=sample,
            observed=one.observed,
            provenance=one.provenance,
            targets=evidence(judged),
        )
        update(self.options.lock, entry)
        self.log.drop(number, PINNED)
        return done("adopted" if adopted else "asked", entry, judged)

    def _fail(self, number: int, diagnostics: tuple[dict[str, Any], ...], adopted: bool) -> Outcome | None:
        """Record why, and put the pinned files back. An adopted edit stays where it is: it is the user's."""
        self.log.fail(number, diagnostics)
        self.known = self.log.load()
        if adopted:
            what = f"the adopted files of {self.name} did not pass; they are left as they are"
            hint = f"correct them and run `spak adopt {self.name}` again, or `git checkout {self.files.folder}`"
            head = Diagnostic("SPK329", what, Span(str(self.files.source)), hint)
            return Outcome(ok=False, diagnostics=(head.to_json(), *diagnostics), summary={"action": "failed"})
        if self.entry:
            self._restore(self.entry)
        else:
            self.files.clear()
        return None

    def _exhausted(self) -> Outcome:
        tried = self._of(self.base)
        count = f"{len(tried)} replies were" if len(tried) > 1 else "the one reply was"
        what = f"{count} checked for {self.name} and none passed; they are kept in {self.log.folder}"
        hint = (
            f"say more in the spec, raise its `attempts`, or start over with `spak build --refresh {self.options.unit}`"
        )
        head = Diagnostic("SPK322", what, Span(str(self.log.file(tried[-1]))), hint)
        found = [one for n in tried for one in self._relocated(n)]
        return Outcome(
            ok=False, diagnostics=(head.to_json(), *found), summary={"action": "failed", "attempts": len(tried)}
        )

    def _relocated(self, number: int) -> list[dict[str, Any]]:
        """An attempt's findings with their places in the kept reply, as the files they were found in are gone."""
        try:
            extracted = extract(self.log.text(number), self.options.dialect, "")
        except SpakError:
            return list(self.known[number].diagnostics)
        starts = {str(self.files.source): extracted.kernel_line, str(self.files.plan): extracted.plan_line}
        return [moved(one, str(self.log.file(number)), starts) for one in self.known[number].diagnostics]
