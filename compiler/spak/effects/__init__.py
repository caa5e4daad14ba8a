"""Effects: the only way a stage touches the world beyond the files it was given. Knows no stage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from spak.effects.run import Completed, Limits, run

if TYPE_CHECKING:  # a sandboxed child imports this package too, and need not wait for the models
    from spak.model.outcome import Outcome
    from spak.model.request import Reply, Request

__all__ = ["Completed", "Do", "Effects", "Limits", "run"]


class Do(Protocol):
    """What a stage may perform."""

    def run(self, argv: Sequence[str], **options: object) -> Completed:
        """Run a program under limits; see `spak.effects.run.run`."""

    def ask(self, request: Request) -> Reply:
        """Have the handler answer a request. Raises Waiting when the answer comes from outside later."""

    def judge(self) -> Outcome:
        """Check, compile and verify what the codegen stage has just written, on every target of its dialect."""


@dataclass(frozen=True)
class Effects:
    """The standard `Do`; `asker` and `judger` are absent where a stage has no business with them."""

    asker: Callable[[Request], Reply] | None = None
    judger: Callable[[], Outcome] | None = None

    def run(self, argv: Sequence[str], **options: object) -> Completed:
        return run(argv, **options)  # type: ignore[arg-type]

    def ask(self, request: Request) -> Reply:
        assert self.asker is not None, "this stage may not ask"
        return self.asker(request)

    def judge(self) -> Outcome:
        assert self.judger is not None, "this stage may not judge"
        return self.judger()
