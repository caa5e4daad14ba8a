"""What a unit's spec states that a diagnostic is about: the variant, and the arguments that it names. Knows no spec's lines.

Evidence has the names alone, as a spec's text moves while what was verified stands; who shows a diagnostic looks the lines up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from spak.errors import Diagnostic, Related
from spak.verify.problem import Problem

_NAMED = re.compile(r"`(\w+)`")


def leading(found: Diagnostic, problem: Problem, source: str) -> Diagnostic:
    """A diagnostic that leads into the spec as well. `source` is the device code."""
    return replace(found, related=(*found.related, *_stated(found, problem, source)))


def _stated(found: Diagnostic, problem: Problem, source: str) -> Iterator[Related]:
    named = set(_NAMED.findall(" ".join([found.message, *(one.what for one in found.related)])))
    signature = problem.unit.signature
    for kind, params in (("params", signature.params), ("results", signature.results)):
        for param in params:
            if param.name in named and not _is_shared(param.name, source):
                yield Related(f"`{param.name}` is declared here", subject=f"/signature/{kind}/{param.name}")
    yield Related(f"variant `{problem.variant}` is stated here", subject=f"/variants/{problem.variant}")


def _is_shared(name: str, source: str) -> bool:
    """Whether device code calls a shared variable by the name: then the simulator's words do not say which is meant."""
    return re.search(rf"__shared__[^;]*\b{name}\b", source) is not None
