"""The reference text of the headers that device code may include, from their comments. Knows no C++ beyond brackets.

A header opens with `// <spak/...>: one sentence`, and more `//` lines; every declaration that counts follows a `///`
comment (overloads of one name may share it). What has no such comment is not shown. A header without any `///` is read
by its `//` comments at the start of a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

FOLDERS = {"cuda": "cuda", "cpp": "cpu", "cpu": "cpu"}
_NOISE = re.compile(r"\b(SPAK_DEVICE\w*|SPAK_AT_HERE\w*|SPAK_NEEDS_\w+|SPAK_INLINE|inline|static_assert\b.*)\s*")


def documentation(dialect: str, root: Path | None = None) -> str:
    """Markdown for every header of a dialect ("cuda", "cpp"), sorted by name, the aggregate `all.h` last.

    `root` is the folder that holds `spak/`; by default the headers that came with this package. Raises KeyError for
    an unknown dialect, OSError where the headers are missing.
    """
    folder = (root or Path(__file__).resolve().parents[1] / "include") / "spak" / FOLDERS[dialect]
    headers = sorted(folder.glob("*.h"), key=lambda path: (path.name == "all.h", path.name))
    if not headers:
        raise FileNotFoundError(f"no headers in {folder}")
    return "All names below are in namespace `spak`.\n\n" + "\n".join(
        _header(path.read_text(), f"spak/{FOLDERS[dialect]}/{path.name}") for path in headers
    )


def _header(text: str, name: str) -> str:
    intro = []
    for line in text.split("\n"):
        if not line.startswith("//"):
            break
        intro.append(line.removeprefix("//").strip())
    summary = "\n".join(intro).strip().removeprefix(f"<{name}>:").strip()
    out = [f"### `<{name}>`\n", summary[:1].upper() + summary[1:] + "\n"]
    mark = "///" if "\n///" in text else "//"
    for comment, declarations in _documented(text.split("\n")[len(intro) :], mark):
        out.append("```c++\n" + "\n".join(declarations) + "\n```")
        out.append(comment + "\n")
    return "\n".join(out)


def _documented(lines: list[str], mark: str) -> Iterator[tuple[str, list[str]]]:
    """(comment, signatures) of each block of comments, its direct neighbours without a blank line included."""
    i = 0
    while i < len(lines):
        if not lines[i].startswith(mark):
            i += 1
            continue
        comment = []
        while i < len(lines) and lines[i].startswith(mark):
            comment.append(lines[i].removeprefix(mark).strip())
            i += 1
        signatures = []
        while i < len(lines) and lines[i].strip() and not lines[i].startswith((mark, "}  // namespace")):
            signature, i = _declaration(lines, i)
            signatures.append(signature)
        if signatures:
            yield "\n".join(comment), signatures


def _declaration(lines: list[str], i: int) -> tuple[str, int]:
    """One declaration without its body, and the index of the line after it. A struct keeps its members' signatures."""
    if lines[i].startswith("#define"):
        end = i
        while lines[end].endswith("\\"):
            end += 1
        return lines[i].rstrip("\\ "), end + 1
    taken, depth, end = [], 0, i
    while end < len(lines):
        line = lines[end]
        taken.append(line)
        depth += line.count("{") - line.count("}")
        end += 1
        if depth <= 0 and line.rstrip().endswith((";", "}")):
            break
    text = "\n".join(taken)
    if re.match(r"(template <.*>\n)?(struct|class|enum)\b", text):
        return _members(taken), end
    head = re.sub(r"\s*\{.*", ";", text, count=1, flags=re.DOTALL) if "= {" not in text else text
    head = _NOISE.sub("", head)
    return re.sub(r"\s+([,)])", r"\1", head).rstrip(";").rstrip() + ";", end


def _members(lines: list[str]) -> str:
    """A struct's text with the bodies of its functions left out."""
    out, inside = [], False
    for line in lines:
        if inside:
            inside = line != "  }"
            continue
        if re.match(r"  \S.*\)( const)?( :.*)? \{", line):
            inside = not line.rstrip().endswith("}")
            line = re.sub(r"( :[^:].*)? \{.*", ";", line)
        line = _NOISE.sub("", line)
        if line.strip():
            out.append(line)
    return "\n".join(out)


def page() -> str:
    """The whole of `docs/device-headers.md`."""
    return (
        "# Device headers\n\n"
        "What generated device code may include. Generated from the headers by `python -m spak.codegen.headers`; "
        "do not edit.\n\n"
        f"## CUDA kernels\n\n{documentation('cuda')}\n## C++ kernels\n\n{documentation('cpp')}"
    )


if __name__ == "__main__":
    print(page(), end="")
