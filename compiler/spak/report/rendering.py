"""Pages as HTML and Markdown. Knows templates, not traces.

Everything that comes from a trace is escaped: HTML by the templates' autoescape, Markdown by `md`. A page loads nothing, runs
nothing, and forbids both in a policy of its own.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spak.report.figures import show
from spak.report.page import Page

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
FORMATS = ("md", "html")

_PLAIN = re.compile(r"[\w .,;:=+/%()'?\N{HORIZONTAL ELLIPSIS}-]*")


def render(page: Page, format: str) -> str:
    """The page as `md` or `html`. Same page, same text."""
    text = _environment(format).get_template(f"report.{format}.j2").render(page=page)
    return re.sub(r"[ \t]+\n", "\n", re.sub(r"\n{3,}", "\n\n", text)).strip() + "\n"


@cache
def _environment(format: str) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=format == "html",
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters |= {"figure": show, "md": md, "cell": cell, "prose": prose_html if format == "html" else prose_md}
    return found


def md(text: Any) -> str:
    """Text as Markdown shows it: nothing in it is markup."""
    found = str(text)
    if _PLAIN.fullmatch(found) and not re.search(r"(?<!\w)_|_(?!\w)|://|www\.", found):
        return found
    escaped = found.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    escaped = re.sub(r"([\\`*_{}\[\]()#+!|~$@-])", r"\\\1", escaped)
    return escaped.replace("://", ":\\//").replace("www.", "www\\.")


def cell(text: Any) -> str:
    """Text in a table's cell."""
    return md(text) or " "


def prose_md(text: str) -> str:
    """A sentence with names between backticks, which are the report's own; what they hold is a trace's."""
    return "".join(f"**{md(part)}**" if i % 2 else md(part) for i, part in enumerate(_parts(text)))


def prose_html(text: str) -> Any:
    from markupsafe import Markup, escape

    parts = (Markup("<code>{}</code>").format(part) if i % 2 else escape(part) for i, part in enumerate(_parts(text)))
    return Markup("").join(parts)


def _parts(text: str) -> list[str]:
    found = text.split("`")
    return found if len(found) % 2 else ["".join(found)]
