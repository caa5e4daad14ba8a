"""Text that a terminal only shows. Knows nothing of where text comes from.

A model's words, a child's output and the names of files end up in messages. What would move a cursor, set a colour or a window's
title, or turn the direction of reading is shown as the escape that Python writes for it; ends of lines and tabs stay.
"""

from __future__ import annotations

import re

ACTIVE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]",
)


def plain(text: str) -> str:
    """The text, with nothing in it that acts on a terminal or has no form in UTF-8."""
    return ACTIVE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
