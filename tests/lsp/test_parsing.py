"""What is kept of the last parse while somebody types is what parsing everything gives: items, comments, diagnostics, places."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spak.lang.source import Source
from spak.lsp.parsing import parse

ROOT = Path(__file__).parent.parent.parent
CORPUS = sorted([*(ROOT / "tests" / "lang" / "corpus").glob("*.dsl"), *(ROOT / "specs").glob("**/*.dsl")])
TEXTS = [path.read_text() for path in CORPUS] + ["a: 1\nb: 2\nc {\n  d: 3\n}\ne: [\n  4\n]\n# f\ng: 5\n"]
TYPED = [
    "",
    "x",
    " ",
    "{",
    "}",
    "\n",
    "  ",
    '"',
    "/*",
    "# c",
    "+",
    ": ",
    "a: 1\n",
    "\n\n",
    "fact f(t: T) { return 1 }\n",
    "->",
    ",",
]


def plain(value: Any) -> Any:
    """A tree as plain data, places included."""
    if dataclasses.is_dataclass(value):
        return [type(value).__name__, *(plain(getattr(value, f.name)) for f in dataclasses.fields(value))]
    return [plain(one) for one in value] if isinstance(value, tuple) else value


@settings(max_examples=250, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_typing_is_parsing(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(TEXTS))
    last = parse(Source("t.dsl", text))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        gone = data.draw(st.sampled_from([0, 0, 0, 1, 2, 10]))
        text = text[:at] + data.draw(st.sampled_from(TYPED)) + text[at + gone :]
        now = parse(Source("t.dsl", text), last)
        whole = parse(Source("t.dsl", text))
        assert plain(now.document.items) == plain(whole.document.items)
        assert plain(now.document.comments) == plain(whole.document.comments)
        assert sorted(map(str, now.found)) == sorted(map(str, whole.found))
        assert now.document.readable == whole.document.readable
        last = now
