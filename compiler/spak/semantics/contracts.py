"""Contracts: scope, limits and policy of a program. Knows what they may say, not who keeps them."""

from __future__ import annotations

from spak.errors import Collector
from spak.lang import tree
from spak.semantics.limits import KEYS as LIMITS
from spak.semantics.limits import read_limits
from spak.semantics.outline import NOTES, Outline, words
from spak.semantics.program import Contract
from spak.semantics.reader import read_bool, twice, unknown

LISTS = ("supported_intents", "intents", "success_criteria", "roots", "env", "programs")
#: Said to people, and to nobody else.
READ = ("unsupported_intents", "constraints", "non_goals", "guarantees", "requires", "ensures", "mode")
KEYS = (*LISTS, *LIMITS, "shell", "autonomy", *READ, *sorted(NOTES))
GROUPS = ("autonomy", "budget", "limits", "policy")


def read_contract(outline: Outline, found: Collector) -> Contract:
    """The program's one contract."""
    blocks = [declared.block for declared in outline.of("contract") if declared.own]
    for extra in blocks[1:]:
        hint = f"the first is at line {blocks[0].span.line}; put everything into one"
        found.add("SPK202", "a second contract", extra.span, hint)
    if not blocks:
        return Contract()
    given: dict[str, tree.Attr] = {}
    gather(blocks[0], given, "contract", found)
    values = {key: attr.value for key, attr in given.items()}
    lists = {key: strings(values[key], key, found) for key in LISTS if key in values}
    return Contract(
        blocks[0].name or "",
        lists.get("supported_intents", ()) or lists.get("intents", ()),
        lists.get("success_criteria", ()),
        read_limits({key: value for key, value in values.items() if key in LIMITS}, found),
        tuple(inside(root, values["roots"], found) for root in lists.get("roots", ())),
        lists.get("env", ()),
        lists.get("programs", ()),
        read_bool(values["shell"], found, False) if "shell" in values else None,
        span=blocks[0].span,
    )


def gather(block: tree.Block | tree.Attr, given: dict[str, tree.Attr], where: str, found: Collector) -> None:
    """Attributes of the contract and of the groups in it, each key once."""
    body = block.body if isinstance(block, tree.Block) else getattr(block.value, "items", ())
    for item in body if isinstance(body, tuple) else ():
        group = isinstance(item, tree.Block) and item.kind in GROUPS and item.kind != "budget"
        if isinstance(item, tree.Block) and group:
            gather(item, given, item.kind, found)
        elif isinstance(item, tree.Attr) and item.key == "autonomy" and isinstance(item.value, tree.MapLit):
            gather(item, given, "autonomy", found)
        elif isinstance(item, tree.Block) and item.kind == "budget" and isinstance(item.body, tuple):
            value = tree.MapLit(item.body, span=item.span)
            given["budget"] = tree.Attr("budget", value, span=item.span, key_span=item.span)
        elif not isinstance(item, tree.Attr) or item.key not in KEYS:
            unknown(item, where, (*KEYS, *GROUPS), found)
        elif item.key in given:
            twice(item.key, item.key_span, given[item.key].key_span, found)
        else:
            given[item.key] = item


def strings(value: tree.Value, key: str, found: Collector) -> tuple[str, ...]:
    """A list of texts or names, or one alone."""
    made = []
    for one in value.items if isinstance(value, tree.ListLit) else (value,):
        if isinstance(one, tree.Str | tree.Name):
            made.append(words(one))
        else:
            found.add("SPK205", f"{key} is a list of texts", one.span, f'write `{key}: ["...", "..."]`')
    return tuple(made)


def inside(root: str, value: tree.Value, found: Collector) -> str:
    """A folder below the project; nothing outside it is ever touched."""
    if root.startswith("/") or ".." in root.split("/"):
        found.add(
            "SPK205",
            f"the root {root!r} lies outside the project",
            value.span,
            'name folders below it, such as "build/out"',
        )
    return root
