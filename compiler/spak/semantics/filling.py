"""Expressions with names filled in by what they stand for. Knows trees, not what a name means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from spak.lang import tree
from spak.lang.expr import Expr, Name


def filled(expr: Expr, bound: Mapping[str, Expr]) -> Expr:
    """An expression with names replaced by what they stand for."""
    if not bound:
        return expr
    if isinstance(expr, Name):
        found = bound.get(expr.id)
        return expr if found is None else replace(found, span=expr.span)
    changes: dict[str, Any] = {}
    for part in ("operand", "left", "right", "target"):
        inner = getattr(expr, part, None)
        if isinstance(inner, tree.Node):
            changes[part] = filled(inner, bound)  # type: ignore[arg-type]
    for part in ("args", "items"):
        inners = getattr(expr, part, None)
        if isinstance(inners, tuple):
            changes[part] = tuple(filled(inner, bound) for inner in inners)
    return replace(expr, **changes) if changes else expr
