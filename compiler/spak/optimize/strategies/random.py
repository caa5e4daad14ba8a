"""Configurations at random, none twice. Learns nothing from what it is sent."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spak.optimize.space import Config, Space
    from spak.optimize.strategies import Objective, Search

#: Spaces up to this size are shuffled whole; from larger ones numbers are drawn.
SHUFFLED = 200_000


def search(space: Space, seed: int, batch: int, better: Objective) -> Search:
    """Draws without replacement; the same seed draws the same."""
    drawn = _shuffled(space, seed) if space.size <= SHUFFLED else _drawn(space, seed)
    chunk: list[Config] = []
    for config in drawn:
        chunk.append(config)
        if len(chunk) == batch:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _shuffled(space: Space, seed: int) -> Iterator[Config]:
    every = list(space.every())
    Random(seed).shuffle(every)
    yield from every


def _drawn(space: Space, seed: int) -> Iterator[Config]:
    """Ends after many misses in a row: what is left then is hardly there."""
    random, seen, misses = Random(seed), set[int](), 0
    while misses < SHUFFLED:
        index = random.randrange(space.size)
        misses += 1
        if index in seen:
            continue
        seen.add(index)
        config = space.at(index)
        if space.admits(config):
            misses = 0
            yield config
