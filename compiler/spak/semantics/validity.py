"""Where a fact or rule holds, and which traces it cites: `scope`, `evidence`. Knows how they are written, not who keeps them."""

from __future__ import annotations

import re

from spak.errors import Collector, SpakError
from spak.lang import tree
from spak.lang.expr import Expr, as_expr, parse_expr
from spak.semantics.program import Scope
from spak.semantics.reader import inside, literal, unknown

KEYS = ("target", "shapes", "date", "samples", "device")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
CITATION = re.compile(r"[\w.:/-]+#\d+\Z")


def read_scope(body: tree.MapLit | tree.Block, found: Collector) -> Scope:
    """`scope { target: cpu  shapes: ["M >= 256"]  date: "2026-11-01"  samples: 12 }`."""
    items = body.items if isinstance(body, tree.MapLit) else body.body if isinstance(body.body, tuple) else ()
    target, date, samples = "", "", 0
    shapes: list[Expr] = []
    for item in items:
        if not isinstance(item, tree.Attr) or item.key not in KEYS:
            unknown(item, "a scope", KEYS, found)
            continue
        key = item.key
        value = literal(item.value)
        if key in {"target", "device"}:
            target = str(value) if isinstance(value, str) else _wrong(item, "a target's name", "cpu", found)
        elif key == "date":
            date = (
                value
                if isinstance(value, str) and DATE.match(value)
                else _wrong(item, "a date in quotes", '"2026-11-01"', found)
            )
        elif key == "samples":
            if isinstance(value, int) and not isinstance(value, bool) and value > 0:
                samples = value
            else:
                _wrong(item, "a positive whole number", "12", found)
        else:
            shapes += read_shapes(item.value, found)
    return Scope(target, tuple(shapes), date, samples)


def _wrong(item: tree.Attr, needed: str, example: str, found: Collector) -> str:
    found.add("SPK205", f"{item.key} must be {needed}", item.value.span, f"for example `{item.key}: {example}`")
    return ""


def read_shapes(value: tree.Value, found: Collector) -> list[Expr]:
    """Conditions on axes, bare or in quotes."""
    made = []
    for one in value.items if isinstance(value, tree.ListLit) else (value,):
        if isinstance(one, tree.Str):
            try:
                made.append(parse_expr(one.value, inside(one)))
            except SpakError as error:
                found.found.extend(error.diagnostics)
        elif (expr := as_expr(one, found)) is not None:
            made.append(expr)
    return made


def read_evidence(value: tree.Value, found: Collector) -> tuple[str, ...]:
    """Traces by run and number: `["3f9a#12", "3f9a#40"]`."""
    cited = []
    for one in value.items if isinstance(value, tree.ListLit) else (value,):
        text = literal(one)
        if isinstance(text, str) and CITATION.match(text):
            cited.append(text)
        else:
            found.add(
                "SPK205",
                "evidence is a list of traces, each RUN#number",
                one.span,
                'for example `evidence: ["3f9a#12"]`',
            )
    return tuple(cited)
