"""Device code that takes memory from its heap: malloc, free and new. Knows only names; `delete` needs no rewriting."""

from __future__ import annotations

from spak.sim.work import Work

CALLS = {"malloc": "heap_malloc", "free": "heap_free"}


def use(work: Work, i: int) -> None:
    """Hand the call, or the `new`, at `i` to the simulator's heap if device code may run it."""
    name, before = work.at(i), work.at(i - 1)
    if name != "new" and name not in CALLS:
        return
    if not (work.shape.runs_on_device(i) or work.shape.runs_on_both(i) or _initialises(work, i)):
        return
    if name == "new" and before != "operator" and work.at(i + 1) not in ("(", ")", ",", ";"):
        work.insert(work.code[i].end, " (::spak::sim::host::OnHeap{::spak::sim::here()})")
    elif name in CALLS and work.at(i + 1) == "(" and before not in (".", "->", "::") and not _declared(work, i):
        work.replace(work.code[i].begin, work.code[i].end, f"::spak::sim::host::{CALLS[name]}")


def _declared(work: Work, i: int) -> bool:
    return work.code[i - 1].kind == "name" and work.at(i - 1) not in ("return", "else", "do")


def _initialises(work: Work, i: int) -> bool:
    """Whether it stands between the head and the body of a constructor of the device."""
    if any(scope.kind == "function" for scope in work.shape.scopes[i]):
        return False
    return any(work.context.means(token, "__device__") for token in work.code[work.shape.start[i] : i])
