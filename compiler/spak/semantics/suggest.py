"""Hints: the nearest known word, or the list of them. Knows nothing of what the words are."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

MOST = 20  # words that a hint lists; a longer list is the reference's business


def near(word: str, known: Iterable[str], what: str = "known", cutoff: float = 0.6) -> str:
    """`did you mean 'accumulate'?`, or `known: a, b, c`, or ''. `cutoff` is how alike a word must be, from 0 to 1."""
    words = sorted(set(known) - {""})
    lower = {w.lower(): w for w in words}
    close = get_close_matches(word, words, 1, cutoff)
    close = close or [lower[w] for w in get_close_matches(word.lower(), lower, 1, cutoff)]
    if close:
        return f"did you mean {close[0]!r}?"
    return f"{what}: {', '.join(words)}" if 0 < len(words) <= MOST else ""
