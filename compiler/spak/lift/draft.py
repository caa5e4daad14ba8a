"""A reply read as knowledge: the text in it, what it declares, and everything that is wrong with it. Knows no trace.

What a model wrote is data: a domain may hold knowledge, and nothing that is ever executed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from spak.errors import Collector, Diagnostic, SpakError, Span
from spak.lang import tree
from spak.semantics.program import Program

#: Kinds that a lifted domain may hold.
KNOWLEDGE = ("axiom", "heuristic", "prediction", "type", "invariant", "fact", "rule", "hint")

MOST = 1 << 20  # characters of a reply

FENCE = re.compile(r"^(?P<mark>`{3,}|~{3,})[ \t]*(?P<tag>[\w-]*)[^\n]*\n(?P<text>.*?)^(?P=mark)[ \t]*$", re.M | re.S)
TAGS = ("spak", "spak-dsl", "dsl")


@dataclass(frozen=True, slots=True)
class Draft:
    """`text` is the domain alone; `program` what it means together with the traces' schema."""

    text: str
    name: str
    blocks: tuple[tree.Block, ...]
    program: Program


def text_of(reply: str) -> str:
    """The file in a reply: its one fenced block of the language, or the whole reply where nothing is fenced. Raises
    SpakError.
    """
    if len(reply) > MOST:
        raise _bad(f"the reply has {len(reply)} characters, where {MOST} are the limit", "give the file alone")
    found = list(FENCE.finditer(reply.replace("\r\n", "\n")))
    tagged = [one["text"] for one in found if one["tag"].lower() in TAGS] or [one["text"] for one in found]
    if len(tagged) > 1:
        raise _bad(
            f"the reply has {len(tagged)} fenced blocks, where one is needed", "put the whole file into one block"
        )
    text = tagged[0] if tagged else reply
    if not tagged and re.search(r"^(`{3,}|~{3,})", reply, re.M):
        raise _bad("a fenced block of the reply is never closed", "end it with the fence it was opened with")
    if not text.strip():
        raise _bad("the reply is empty", "answer with one fenced block that holds the whole file")
    return text if text.endswith("\n") else text + "\n"


def _bad(what: str, hint: str) -> SpakError:
    return SpakError(Diagnostic("SPK360", what, Span("reply"), hint))


def read_draft(text: str, name: str, schema: str, root: Path) -> Draft:
    """The domain `name` in a text, resolved strictly. Raises SpakError with everything that is wrong."""
    from spak.lang.syntax import parse_text
    from spak.semantics.resolve import resolve_text

    found = Collector()
    file = parse_text(text, "reply", found)
    if file.front:
        found.add(
            "SPK361", "the reply has front matter", Span("reply"), f"write `domain {name} {{ ... }}` and nothing else"
        )
    found.raise_if_any()
    domain = _domain(file, name, found)
    blocks = (
        tuple(one for one in domain.body if isinstance(one, tree.Block))
        if domain and isinstance(domain.body, tuple)
        else ()
    )
    for block in blocks:
        if block.kind not in KNOWLEDGE:
            found.add(
                "SPK361",
                f"a lifted domain has no place for `{block.kind}`",
                block.span,
                f"it may hold {', '.join(KNOWLEDGE)}",
            )
    found.raise_if_any()
    program = resolve_text(text + "\n" + schema, "reply", found)
    strict = [one for one in found.found if one.severity == "error" or one.code == "SPK203"]
    if strict:
        raise SpakError(*sorted(strict, key=lambda d: (d.span or Span(""), d.code)))
    return Draft(text, name, blocks, program)


def _domain(file: tree.File, name: str, found: Collector) -> tree.Block | None:
    """The one domain of a file that holds nothing else."""
    domains = [one for one in file.items if isinstance(one, tree.Block) and one.kind == "domain"]
    hint = f"write `domain {name} {{ ... }}` and nothing else"
    for item in file.items:
        if item not in domains:
            what = f"`{item.kind}`" if isinstance(item, tree.Block) else "this"
            found.add("SPK361", f"{what} stands outside the domain", item.span, hint)
    for extra in domains[1:]:
        found.add("SPK361", "a second domain", extra.span, hint)
    if not domains:
        found.add("SPK361", "the reply holds no domain", Span("reply"), hint)
        return None
    if domains[0].name != name:
        found.add(
            "SPK361",
            f"the domain is called {domains[0].name!r}",
            domains[0].name_span,
            f"call it `{name}`, as its file",
        )
    return domains[0]
