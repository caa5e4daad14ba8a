"""The reference of the headers that device code may include, from their comments. Knows no C++ beyond brackets.

A header opens with `// <spak/...>: one sentence`, and more `//` lines; every declaration that counts follows a `///`
comment (overloads of one name may share it). What has no such comment is not shown. A header without any `///` is read
by its `//` comments at the start of a line. Which GPUs have a function is what its body's SPAK_NEEDS_... says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDERS = {"cuda": "cuda", "cpp": "cpu", "cpu": "cpu"}
#: What generated code may not call, though the headers have it for other code: a kernel's result depends on no clock.
NOT_FOR_KERNELS = frozenset({"cycles", "nanoseconds"})
_NOISE = re.compile(r"\b(SPAK_DEVICE\w*|SPAK_AT_HERE\w*|SPAK_NEEDS_\w+|SPAK_INLINE|inline)\s*")
_NEEDS = re.compile(r"\bSPAK_NEEDS_(\w+)\(")
_SAID = re.compile(r"\bsm_(\d+a?)( and later)?\.$")
_OVERLOADS = 3  # of one name and comment, more are shown as the first and the last


@dataclass(frozen=True, slots=True)
class Entry:
    """Declarations that share a comment. `needs` is "" (every GPU), "90" (and later), "90a" (alone) or "specific"."""

    comment: str
    signatures: tuple[str, ...]
    needs: str

    def on(self, arch: str) -> bool:
        """Whether a GPU ("sm_80", "sm_90a") has these functions."""
        return _has(arch, self.needs)

    def name(self) -> str:
        """Of the first declaration, as far as it is a function."""
        found = re.search(r"([\w~]+)\(", self.signatures[0])
        return found[1] if found else ""

    def markdown(self) -> str:
        shown = list(self.signatures)
        if len(shown) > _OVERLOADS and all(re.search(rf"\b{re.escape(self.name())}\(", one) for one in shown):
            shown = [shown[0], "// ... and with more arguments, up to", shown[-1]]
        return "```c++\n" + "\n".join(shown) + "\n```\n" + self.comment + "\n"


@dataclass(frozen=True, slots=True)
class Header:
    """One header: `name` as one includes it, what it opens with, what it declares."""

    name: str
    intro: str
    entries: tuple[Entry, ...]

    def summary(self) -> str:
        """The first sentence."""
        return re.split(r"(?<=\.)\s", self.intro, maxsplit=1)[0].replace("\n", " ")

    def needs(self) -> str:
        """What most of its functions need; the rest is of no use without them."""
        wanted = [entry.needs for entry in self.entries]
        return max(sorted(set(wanted)), key=wanted.count) if wanted else ""

    def markdown(self, entries: Iterable[Entry], level: str = "##") -> str:
        out = [f"{level} `<{self.name}>`\n", _capital(self.intro) + "\n"]
        return "\n".join([*out, *(entry.markdown() for entry in entries)])


def _has(arch: str, needs: str) -> bool:
    number = int("".join(c for c in arch if c.isdigit()))
    specific = arch[-1:] in ("a", "f")
    if needs in ("90a", "specific"):
        return specific and (needs == "specific" or number == 90)
    return number >= int(needs or 0)


#: The needs that an `Entry` may have, the least demanding first, in words.
WORDS = {
    "": "every GPU",
    "89": "sm_89 and later",
    "90": "sm_90 and later",
    "specific": "sm_90a, sm_100a, ...",
    "90a": "sm_90a",
}


def headers(dialect: str, root: Path | None = None) -> list[Header]:
    """Every header of a dialect ("cuda", "cpp"), sorted by name, the aggregate `all.h` last.

    `root` is the folder that holds `spak/`; by default the headers that came with this package. Raises KeyError for
    an unknown dialect, OSError where the headers are missing.
    """
    folder = (root or Path(__file__).resolve().parents[1] / "include") / "spak" / FOLDERS[dialect]
    found = sorted(folder.glob("*.h"), key=lambda path: (path.name == "all.h", path.name))
    if not found:
        raise FileNotFoundError(f"no headers in {folder}")
    return [_header(path.read_text(), f"spak/{FOLDERS[dialect]}/{path.name}") for path in found]


def documentation(dialect: str, archs: Iterable[str] = (), root: Path | None = None) -> str:
    """Markdown for the headers of a dialect: what kernels may call that are compiled for each of `archs`. Raises as `headers`."""
    wanted = list(archs)
    out = []
    for header in headers(dialect, root):
        if not all(_has(arch, header.needs()) for arch in wanted):
            continue
        usable = [e for e in header.entries if all(e.on(arch) for arch in wanted) and e.name() not in NOT_FOR_KERNELS]
        if usable or not header.entries:
            out.append(header.markdown(usable, "###"))
    return "All names below are in namespace `spak`.\n\n" + "\n".join(out)


def _header(text: str, name: str) -> Header:
    intro = []
    for line in text.split("\n"):
        if not line.startswith("//"):
            break
        intro.append(line.removeprefix("//").removeprefix(" ").rstrip())
    summary = "\n".join(intro).strip().removeprefix(f"<{name}>:").strip()
    mark = "///" if "\n///" in text else "//"
    entries = tuple(_documented(text.split("\n")[len(intro) :], mark))
    return Header(name, _fenced(summary), entries)


def _fenced(text: str) -> str:
    """Indented lines as code, which Markdown would run together."""
    out: list[str] = []
    inside = False
    for line in text.split("\n"):
        code = line.startswith("  ")
        if code != inside:
            out.append("```")
            inside = code
        out.append(line)
    return "\n".join([*out, *(["```"] if inside else [])])


def _documented(lines: list[str], mark: str) -> Iterator[Entry]:
    """Each block of comments with its direct neighbours, as far as there is no blank line between."""
    i = 0
    while i < len(lines):
        if not lines[i].startswith(mark):
            i += 1
            continue
        comment = []
        while i < len(lines) and lines[i].startswith(mark):
            comment.append(lines[i].removeprefix(mark).removeprefix(" ").rstrip())
            i += 1
        signatures, begin = [], i
        while (
            i < len(lines) and lines[i].strip() and not lines[i].startswith((mark, "}  // namespace", "#if", "#undef"))
        ):
            signature, i = _declaration(lines, i)
            signatures.append(signature)
        if signatures:
            said = "\n".join(comment)
            yield Entry(_fenced(said), tuple(signatures), _needs("\n".join(lines[begin:i]), said))


def _needs(body: str, comment: str) -> str:
    """What the bodies ask for; what the comment ends with where they only call others."""
    asked: set[str] = {one.removeprefix("SM").lower() for one in _NEEDS.findall(body)}
    if asked:
        return max(asked, key=list(WORDS).index)
    said = _SAID.search(comment)
    return str(said[1]) if said and int(said[1].rstrip("a")) > 80 else ""


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
    head = _NOISE.sub("", re.sub(r"(?<=[(,])\n\s+", lambda at: " " if head[at.start() - 1] == "," else "", head))
    return re.sub(r"\s+([,)])", r"\1", head).rstrip(";").rstrip() + ";", end


def _members(lines: list[str]) -> str:
    """A struct's text with the bodies of its functions left out."""
    out, inside = [], False
    for line in re.sub(r"\n *static_assert\([^;]*;", "", "\n".join(lines)).split("\n"):
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


def _capital(text: str) -> str:
    """A sentence with its first letter large, unless that belongs to a name such as `f32` or `__half`."""
    first = text.split(maxsplit=1)[0] if text else ""
    return text if re.search(r"[\d_]", first) else text[:1].upper() + text[1:]


_INDEX = """# Device headers

What generated device code may include. All names are in namespace `spak`. Each primitive is one function with two bodies: PTX for
GPUs, and a model that the simulator runs. One that a GPU lacks says so in a sentence of its compiler, where it is called. A
request shows a model what all of its targets have.
"""

#: Where the pages lie in the repository.
FOLDER = Path("docs/device")


def pages() -> dict[str, str]:
    """The pages of `docs/device`, by file name: an index and one for each header."""
    note = "Generated from the headers by `python -m spak.codegen.headers`; do not edit.\n"
    every = [(header, f"{Path(header.name).stem}.md") for header in headers("cuda")]
    every += [(header, f"cpu-{Path(header.name).stem}.md") for header in headers("cpp")]
    rows = {file: f"| [`<{h.name}>`]({file}) | {WORDS[h.needs()]} | {_capital(h.summary())} |\n" for h, file in every}
    cuda = "".join(row for file, row in rows.items() if not file.startswith("cpu-"))
    cpp = "".join(row for file, row in rows.items() if file.startswith("cpu-")).replace(
        "| every GPU |", "| every CPU |"
    )
    table = "| header | on | what |\n|---|---|---|\n"
    made = {"README.md": f"{_INDEX}\n{note}\n## CUDA kernels\n\n{table}{cuda}\n## C++ kernels\n\n{table}{cpp}"}
    for header, file in every:
        made[file] = f"{header.markdown(map(_marked, header.entries), '#').rstrip()}\n\n---\n\n{note}"
    return made


def _marked(entry: Entry) -> Entry:
    """With what it needs in words, where its comment does not end with that."""
    if not entry.needs or _SAID.search(entry.comment):
        return entry
    return Entry(f"{entry.comment} *{WORDS[entry.needs]}.*", entry.signatures, entry.needs)


def write(folder: Path) -> None:
    """Make `folder` hold the pages and no other."""
    folder.mkdir(parents=True, exist_ok=True)
    made = pages()
    for stale in {path.name for path in folder.glob("*.md")} - set(made):
        (folder / stale).unlink()
    for name, text in made.items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    write(FOLDER)
