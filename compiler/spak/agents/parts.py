"""What the statements of a run work with, together. Knows none of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from spak.agents.answers import Answers
from spak.agents.journal import Journal
from spak.agents.policy import Policy
from spak.agents.scope import Scope
from spak.agents.spending import Spent
from spak.agents.tools import Context
from spak.knowledge.grounding import Grounding
from spak.semantics.program import Program


@dataclass(slots=True)
class Parts:
    """`say` tells people what goes on; `remember` keeps what knowledge says for whoever is asked next; `asked` counts
    the queries of each step.
    """

    program: Program
    journal: Journal
    scope: Scope
    grounding: Grounding
    policy: Policy
    context: Context
    answers: Answers
    spent: Spent
    say: Callable[[str], None]
    remember: Callable[[], object]
    asked: dict[str, int] = field(default_factory=dict)
