"""Holes of a text: `{{name}}`. Knows how they are written, not what fills them.

Braces round anything that does not begin like a name (`{{}}`, `{{"a": 1}}`) are text as it stands.
"""

from __future__ import annotations

import re

from spak.errors import Collector, Span
from spak.semantics.program import Template

HOLE = re.compile(r"\{\{\s*([^\W\d]\w*(?:\.\w+)*)\s*\}\}")
ALMOST = re.compile(r"\{\{(\s*[^\W\d][^{}\n]*)\}\}")


def template(text: str, span: Span, found: Collector) -> Template:
    """A text with its holes. What looks like a hole and is none (`{{x | upper}}`) is an error."""
    if "{{" not in text:
        return Template(text, span=span)
    for match in ALMOST.finditer(text):
        if not HOLE.fullmatch(match[0]):
            found.add(
                "SPK246",
                f"{{{{{match[1].strip()[:40]}}}}} is no name",
                span,
                "a hole holds one name, as in `{{best.tflops}}`: assign what you need to a variable first",
            )
    return Template(text, tuple(match[1] for match in HOLE.finditer(text)), span=span)
