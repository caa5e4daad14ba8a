"""From a tested draft to the file that is kept: what failed is cut out, scopes are filled in, the table is put above.

Knows text and places in it, not why anything failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from spak.errors import Collector, Diagnostic
from spak.lang import tree
from spak.lift.backtest import Verdict
from spak.lift.draft import Draft
from spak.lift.material import Material, shape_of
from spak.semantics.program import Fact, Rule


def without(text: str, blocks: Iterable[tree.Block]) -> str:
    """A text without some blocks, and without the comments that stand right above them."""
    lines = text.split("\n")
    for block in sorted(blocks, key=lambda one: one.span, reverse=True):
        start, end = (
            _offset(text, block.span.line, block.span.col),
            _offset(text, block.span.end_line, block.span.end_col),
        )
        line = block.span.line - 1
        while line > 0 and lines[line - 1].strip().startswith(("//", "#")):
            line -= 1
        if line < block.span.line - 1:
            start = _offset(text, line + 1, 1)
        text = text[:start] + text[end:]
    return text


def _offset(text: str, line: int, col: int) -> int:
    at = 0
    for _ in range(line - 1):
        at = text.index("\n", at) + 1
    return at + col - 1


def block_of(draft: Draft, verdict: Verdict) -> tree.Block | None:
    """The block that a verdict is about."""
    return next((one for one in draft.blocks if one.kind == verdict.kind and one.name == verdict.name), None)


def broken(text: str, name: str, diagnostics: Iterable[Diagnostic]) -> list[tree.Block]:
    """The blocks of a domain's text that errors lie in."""
    from spak.lang.syntax import parse_text

    file = parse_text(text, "reply", Collector())
    domain = next((one for one in file.items if isinstance(one, tree.Block) and one.name == name), None)
    places = [(d.span.line, d.span.col) for d in diagnostics if d.span is not None]
    return [
        block
        for block in (_items(domain) if domain is not None else ())
        if isinstance(block, tree.Block)
        and any((block.span.line, block.span.col) <= at < (block.span.end_line, block.span.end_col) for at in places)
    ]


def scoped(draft: Draft, verdicts: Sequence[Verdict], material: Material) -> str:
    """The draft's text, where each fact and rule says on what it stands: target, shapes, date and number of traces."""
    meant: dict[tuple[str, str], Fact | Rule] = {("fact", name): fact for name, fact in draft.program.facts.items()}
    meant |= {(rule.kind, rule.name): rule for rule in draft.program.rules}
    edits: list[tuple[int, str]] = []
    for verdict in verdicts:
        block, node = block_of(draft, verdict), meant.get((verdict.kind, verdict.name))
        if block is None or node is None or not verdict.cited:
            continue
        missing = _missing(node, verdict, material)
        inner = next((one for one in _items(block) if _is_scope(one)), None)
        holder = inner.value.span if isinstance(inner, tree.Attr) else inner.span if inner is not None else block.span
        at = _offset(draft.text, holder.end_line, holder.end_col) - 1
        if missing and draft.text[at] == "}":
            attributes = "\n".join(missing)
            edits.append((at, f"\n{attributes}\n" if inner is not None else f"\nscope {{\n{attributes}\n}}\n"))
    text = draft.text
    for at, added in sorted(edits, reverse=True):
        text = text[:at] + added + text[at:]
    return text


def _items(block: tree.Block) -> tuple[tree.Item, ...]:
    return block.body if isinstance(block.body, tuple) else ()


def _is_scope(item: tree.Item) -> bool:
    return (isinstance(item, tree.Block) and item.kind == "scope") or (
        isinstance(item, tree.Attr) and item.key == "scope"
    )


def _missing(node: Fact | Rule, verdict: Verdict, material: Material) -> list[str]:
    """The parts of a scope that its evidence has and it does not state."""
    cited = [found for one in verdict.cited if not isinstance(found := material.cited(one), str)]
    targets = {item.target or run.target for run, item in cited}
    dates = [day for run, item in cited if (day := run.date(item.seq))]
    parts = []
    if not node.scope.target and len(targets) == 1 and (target := targets.pop()).isidentifier():
        parts.append(f"target: {target}")
    if not node.scope.shapes and (conditions := _conditions([shape_of(item) for _, item in cited])):
        parts.append(f"shapes: [{', '.join(conditions)}]")
    if not node.scope.date and dates:
        parts.append(f'date: "{max(dates)}"')
    if not node.scope.samples:
        parts.append(f"samples: {len(cited)}")
    return parts


def _conditions(shapes: list[dict[str, int]]) -> list[str]:
    """Conditions that hold on each of these shapes, as tight as ranges are; only axes that all of them have."""
    axes = sorted(set.intersection(*(set(shape) for shape in shapes))) if shapes else []
    found = []
    for axis in axes:
        low, high = min(shape[axis] for shape in shapes), max(shape[axis] for shape in shapes)
        found += [f'"{axis} == {low}"'] if low == high else [f'"{axis} >= {low}"', f'"{axis} <= {high}"']
    return found


def finished(text: str, lines: Sequence[str]) -> str:
    """The file: the table as comments, then the domain in its canonical form."""
    from spak.lang.printer import print_file
    from spak.lang.syntax import parse_text

    found = Collector()
    head = "".join(f"// {line}\n" if line else "//\n" for line in lines)
    file = parse_text(f"{head}\n{text}", "domain", found)
    found.raise_if_any()
    return print_file(file)
