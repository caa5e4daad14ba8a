"""Every configuration, in the order of the file. Learns nothing from what it is sent."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spak.optimize.space import Space
    from spak.optimize.strategies import Objective, Search


def search(space: Space, seed: int, batch: int, better: Objective) -> Search:
    """Goes through the whole space."""
    every = space.every()
    while chunk := list(islice(every, batch)):
        yield chunk
