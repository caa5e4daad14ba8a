"""Words for which elements are wrong: how many, the first, and what shape they make. Knows no causes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]


def describe(wrong: Mask, axes: Sequence[str], tiles: Sequence[int] = ()) -> str:
    """A clause for the wrong elements of an array whose dimensions are called `axes`; `tiles` are sizes worth
    naming.
    """
    count, total = int(wrong.sum()), wrong.size
    if not count:
        return "no element"
    first = tuple(int(i) for i in np.argwhere(wrong)[0])
    where = f"[{', '.join(map(str, first))}]"
    if count == total:
        return f"all {total} elements" if total > 1 else f"the only element {where}"
    shape = _tail(wrong, axes, tiles) or _line(wrong, axes) or _stripe(wrong, axes)
    head = f"{count} of {total} elements, the first at {where}"
    return f"{head}: {shape}" if shape else head


def tail_of(wrong: Mask, tiles: Sequence[int] = ()) -> tuple[int, int, int] | None:
    """(dimension, first wrong index, tile) when the wrong elements are those from an index on; tile 0 if it is no
    multiple.
    """
    for dimension, size in enumerate(wrong.shape):
        per_index = np.asarray(wrong.any(axis=tuple(d for d in range(wrong.ndim) if d != dimension)))
        start = int(np.argmax(per_index))
        if size > 1 and start > 0 and per_index[start:].all():
            full = np.take(wrong, range(start, size), axis=dimension).mean()
            if full >= 0.9:
                return dimension, start, tile_of(start, size, tiles)
    return None


def tile_of(start: int, size: int, tiles: Sequence[int] = ()) -> int:
    """The largest tile of which `start` is the last multiple within `size`; 0 if there is none."""
    known = sorted({t for t in (*tiles, 4, 8, 16, 32, 64, 128, 256, 512, 1024) if t > 1}, reverse=True)
    return next((t for t in known if start % t == 0 and size // t * t == start), 0)


def _tail(wrong: Mask, axes: Sequence[str], tiles: Sequence[int]) -> str:
    found = tail_of(wrong, tiles)
    if not found:
        return ""
    dimension, start, tile = found
    size = wrong.shape[dimension]
    beyond = f", beyond the last multiple of {tile}" if tile else ""
    return f"only the last {size - start} of {size} along {axes[dimension]}{beyond}"


def _line(wrong: Mask, axes: Sequence[str]) -> str:
    for dimension, size in enumerate(wrong.shape):
        per_index = np.asarray(wrong.any(axis=tuple(d for d in range(wrong.ndim) if d != dimension)))
        if size > 1 and per_index.sum() == 1 and wrong.ndim > 1:
            return f"only index {int(np.argmax(per_index))} of {axes[dimension]}"
    return ""


def _stripe(wrong: Mask, axes: Sequence[str]) -> str:
    for dimension, size in enumerate(wrong.shape):
        per_index = np.flatnonzero(wrong.any(axis=tuple(d for d in range(wrong.ndim) if d != dimension)))
        steps = np.diff(per_index)
        if size > 4 and len(steps) > 1 and (steps == steps[0]).all() and steps[0] > 1:
            return f"every {int(steps[0])}th index of {axes[dimension]}, from {int(per_index[0])}"
    return ""
