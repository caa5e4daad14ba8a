"""YAML to plain data with the place of every key and value. Knows YAML 1.2, not what a file is for.

The composer's nodes are read directly rather than through a constructor: duplicate keys are reported with both places,
and aliases, whose expansion has no bound, are refused.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

from spak.errors import Collector, Span

MAX_DEPTH = 32
TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Yaml:
    """A value: a scalar, a list of Yaml, or a dict from text to Yaml. `keys` has the place of each key."""

    value: Any
    span: Span
    keys: dict[str, Span] = field(default_factory=dict)

    def plain(self) -> Any:
        """The value as JSON data; what JSON has not (infinities, NaN) as the words `inf`, `-inf`, `nan`."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        if isinstance(self.value, float) and not math.isfinite(self.value):
            return "nan" if math.isnan(self.value) else "inf" if self.value > 0 else "-inf"
        return self.value


def read_yaml(text: str, file: str, found: Collector, first_line: int = 1) -> Yaml | None:
    """Parse one document. None for an empty one, or after an error, which goes to `found`."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    deep = too_deep(text)
    if deep:
        found.add(
            "SPK106", f"YAML nested deeper than {MAX_DEPTH} levels", Span(file, deep + first_line - 1), "flatten it"
        )
        return None
    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except RecursionError:
        found.add("SPK106", "the YAML is nested too deeply", Span(file, first_line), "flatten it")
        return None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        span = Span(file, mark.line + first_line, mark.column + 1) if mark else Span(file, first_line)
        found.add(
            "SPK217",
            f"not valid YAML: {error.problem or error.context}",
            span,
            "quote text that holds `: `, `#` or `{`",
        )
        return None
    except (YAMLError, ValueError) as error:
        found.add(
            "SPK217",
            f"not valid YAML: {str(error).splitlines()[0]}",
            Span(file, first_line),
            "check for control characters",
        )
        return None
    return None if node is None else _Reader(file, first_line, found).read(node, 1)


def too_deep(text: str) -> int:
    """The line on which brackets outside quotes nest beyond the limit, or 0: the composer would recurse that far."""
    depth = 0
    for match in re.finditer(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'|#[^\n]*|[\[\]{}]', text):
        depth += (match[0] in "[{") - (match[0] in "]}") if len(match[0]) == 1 else 0
        if depth > MAX_DEPTH:
            return text.count("\n", 0, match.start()) + 1
    return 0


class _Reader:
    def __init__(self, file: str, first_line: int, found: Collector) -> None:
        self.file = file
        self.first_line = first_line
        self.found = found
        self.seen: set[int] = set()

    def span(self, node: Any) -> Span:
        start, end = node.start_mark, node.end_mark
        return Span(
            self.file, start.line + self.first_line, start.column + 1, end.line + self.first_line, end.column + 1
        )

    def read(self, node: Any, depth: int) -> Yaml:
        from ruamel.yaml.nodes import MappingNode, SequenceNode

        span = self.span(node)
        if depth > MAX_DEPTH:
            self.found.add("SPK106", f"YAML nested deeper than {MAX_DEPTH} levels", span, "flatten it")
            return Yaml(None, span)
        if id(node) in self.seen:
            self.found.add("SPK217", "YAML aliases (`*name`) are not supported", span, "write the value out")
            return Yaml(None, span)
        if isinstance(node, MappingNode):
            self.seen.add(id(node))
            return self.mapping(node, span, depth)
        if isinstance(node, SequenceNode):
            self.seen.add(id(node))
            return Yaml([self.read(child, depth + 1) for child in node.value], span)
        return Yaml(self.scalar(node, span), span)

    def mapping(self, node: Any, span: Span, depth: int) -> Yaml:
        values: dict[str, Yaml] = {}
        keys: dict[str, Span] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node.value, str) else None
            place = self.span(key_node)
            if key is None:
                self.found.add("SPK217", "a key must be a plain word", place, "write `name: value`")
            elif key in values:
                self.found.add(
                    "SPK202", f"{key!r} stands twice", place, f"the first is at line {keys[key].line}; keep one"
                )
            else:
                values[key], keys[key] = self.read(value_node, depth + 1), place
        return Yaml(values, span, keys)

    def scalar(self, node: Any, span: Span) -> Any:
        text, tag = node.value, node.tag.removeprefix(TAG)
        try:
            if tag == "int":
                return int(
                    text.replace("_", ""),
                    0 if not text.lstrip("+-").startswith("0") or text[:2] in {"0x", "0o"} else 10,
                )
            if tag == "float":
                return _float(text)
        except ValueError:
            self.found.add("SPK217", f"{text[:40]!r} is not a number", span, "quote it if it is text")
            return None
        if tag == "bool":
            return text.lower() == "true"
        return None if tag == "null" else text


def _float(text: str) -> float:
    word = text.lower().replace("_", "")
    special = {".inf": math.inf, "+.inf": math.inf, "-.inf": -math.inf, ".nan": math.nan}
    return special[word] if word in special else float(word)
