"""Read a page of defects: CUDA source whose `//@` comments say what is broken, how to run it and what must be found. Knows
nothing of compilers, nor of what is found.

A page is a preamble (title, includes, helpers) and exhibits. An exhibit is a head of `//@` lines and the code after it, in
which both the right version and the broken ones stand:

    //@ kernel NAME              only where an exhibit has several defects: its name, and prose
    //@ defect NAME: RULE        one broken form, and in the lines after it, indented by three, what is wrong with it;
                                 `wrong-values` is the rule of what only a comparison with the reference shows,
                                 `counter NAME 64 -> 16` that of what costs: counted in the broken and the right form
    //@ also RULE, ...           what else may be reported, in consequence
    //@ run grid=2 block=(16, 8) smem=4096 cluster=2 seconds=1
    //@ in x = f32(arange(64))                 an argument that is only read: array or int
    //@ out y: f32[64] = 2 * x                 written; what must be in it; `~=` where rounding differs
    //@ inout y: f32[4] = zeros(4) -> x[:4]    what is in it, and what must be in it afterwards
    //@ scratch w: f32[64]                     written and read, by nobody else
    //@ map tiles = x box=(8, 8) swizzle=128   a tensor map of an argument; the box innermost first
    //@ freed x                                 an argument that is given back before the launch

`//@ run[broken] ...` holds for the broken form alone (or `[NAME]` where there are several). At the end of a line of code:

    //@ fixed        not in the broken form            //@ not A, B     not in the forms A and B
    //@ broken       only in the broken form           //@ only A, B    only in these
    //@ writes       a line that the finding must name; the word is in the role that the report gives it, `here` in any
    //@ A: writes    the same, for form A              clauses are separated by `;`
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

FIXED = "fixed"
COUNTER = "counter"
FOLDER = "tests/sim/defects/"  # as reports name the pages
_DIRECTIVES = ("kernel", "defect", "also", "run", "in", "out", "inout", "scratch", "map", "freed", "arch")
_KERNEL = re.compile(r'extern "C" __global__ void (?:__\w+__\([^)]*\) )*(\w+)\(([^)]*)\)')


class PageError(Exception):
    """A page that cannot be read, with the line."""


@dataclass(frozen=True)
class Form:
    """One defect: what is wrong, which rule must report it, and the lines with the words of their roles."""

    name: str
    rule: str
    sentence: str
    also: tuple[str, ...]
    places: tuple[tuple[int, str], ...]
    line: int
    counts: tuple[str, int, int] | None = None  # a counter, its value in the broken form and in the right one


@dataclass(frozen=True)
class Directive:
    """A `//@` line of the head: its word, the form that it is for ('' for all), the rest."""

    word: str
    form: str
    rest: str
    line: int


@dataclass(frozen=True)
class Exhibit:
    """A kernel with its defects. `parameters` are (type, name)."""

    page: str
    name: str
    prose: str
    line: int
    forms: tuple[Form, ...]
    directives: tuple[Directive, ...]
    parameters: tuple[tuple[str, str], ...]
    code: tuple[tuple[int, str, tuple[str, ...]], ...] = field(repr=False)  # number, text, clauses

    def versions(self) -> tuple[str, ...]:
        return (FIXED, *(form.name for form in self.forms))

    def directives_of(self, word: str, version: str) -> list[Directive]:
        """Those of a version: its own take the place of the general ones of the same argument."""
        chosen: dict[str, Directive] = {}
        for one in self.directives:
            if one.word == word and one.form in ("", version):
                chosen[re.split(r"[ :=]", one.rest)[0] if word not in ("run", "also") else word] = one
        return list(chosen.values())

    def symbol(self, version: str) -> str:
        return f"{self.name}__{'broken' if len(self.forms) == 1 and version != FIXED else version}"

    def source(self, version: str) -> str:
        """The code of a version in a namespace of its own, each line where it is on the page."""
        lines = [text if _kept(clauses, version) else "" for _, text, clauses in self.code]
        text = re.sub(rf"\b{self.name}(?=\()", self.symbol(version), "\n".join(lines))
        return f'namespace in_{self.symbol(version)} {{\n#line {self.code[0][0]} "{FOLDER}{self.page}"\n{text}\n}}\n'


@dataclass(frozen=True)
class Page:
    name: str
    title: str
    arch: str
    preamble: str
    exhibits: tuple[Exhibit, ...]

    @property
    def space(self) -> str:
        """The namespace of everything on the page."""
        return f"page_{Path(self.name).stem}"

    def source(self) -> str:
        """All versions of all kernels in one translation unit, whose names, kernels apart, are its own."""
        lines = self.preamble.split("\n")
        last = max(i for i, line in enumerate(lines) if line.startswith("#include")) + 1
        head, helpers = "\n".join(lines[:last]), "\n".join(lines[last:])
        versions = [(one, version) for one in self.exhibits for version in one.versions()]
        bodies = "".join(one.source(version) for one, version in versions)
        names = [f"in_{one.symbol(version)}::{one.symbol(version)}" for one, version in versions]
        uses = "".join(f"using {self.space}::{name};\n" for name in names)
        return (
            f'#line 1 "{FOLDER}{self.name}"\n{head}\nnamespace {self.space} {{\n#line {last + 1} "{FOLDER}{self.name}"\n'
            f"{helpers}\n{bodies}}}\n{uses}"
        )


def _kept(clauses: tuple[str, ...], version: str) -> bool:
    for clause in clauses:
        word, _, names = clause.partition(" ")
        if word == "not" and version in names.replace(",", " ").split():
            return False
        if word == "only" and version not in names.replace(",", " ").split():
            return False
    return True


def read(path: Path) -> Page:
    """The page in a file. Raises PageError."""
    lines = path.read_text().split("\n")
    starts = [i for i, line in enumerate(lines) if _starts(lines, i)]
    preamble = lines[: starts[0]] if starts else lines
    arch = [line.split()[2] for line in preamble if line.startswith("//@ arch ")]
    if not arch or not lines[0].startswith("// "):
        raise PageError(f"{path.name}:1: a page begins with a title, `// ...`, and says `//@ arch sm_..`")
    exhibits = [_exhibit(path.name, lines, a, b) for a, b in zip(starts, [*starts[1:], len(lines)], strict=True)]
    title = " ".join(line[3:] for line in preamble[: [line[:3] == "// " for line in preamble].index(False)])
    return Page(path.name, title, arch[0], "\n".join(preamble), tuple(exhibits))


def _starts(lines: list[str], i: int) -> bool:
    """Whether an exhibit's head begins at this line: a `kernel` or `defect` that no head line precedes."""
    return bool(re.match(r"//@ (kernel|defect) ", lines[i])) and not (i and lines[i - 1].startswith("//@ "))


def _exhibit(page: str, lines: list[str], begin: int, end: int) -> Exhibit:
    head: list[Directive] = []
    at = begin
    while at < end and lines[at].startswith("//@ "):
        text = lines[at][4:]
        if text.startswith("  "):
            last = head[-1]
            head[-1] = Directive(last.word, last.form, f"{last.rest}\n{text.strip()}", last.line)
        else:
            match = re.match(r"(\w+)(?:\[(\w+)\])?(?: +(.*))?$", text)
            if not match or match[1] not in _DIRECTIVES:
                raise PageError(f"{page}:{at + 1}: unknown directive: {text}")
            head.append(Directive(match[1], match[2] or "", match[3] or "", at + 1))
        at += 1
    defects = [one for one in head if one.word == "defect"]
    names = [one.rest.split(":")[0] for one in defects]
    single = len(defects) == 1 and head[0].word == "defect"
    code = tuple(
        (number + 1, *_clauses(lines[number], names if not single else [names[0]], single)) for number in range(at, end)
    )
    while code and not code[-1][1].strip():
        code = code[:-1]
    text = "\n".join(line for _, line, _ in code)
    title = head[0].rest.split("\n")
    name = names[0] if single else title[0]
    kernel = next((one for one in _KERNEL.finditer(text) if one[1] == name), None)
    if kernel is None:
        raise PageError(f'{page}:{begin + 1}: no `extern "C" __global__ void {name}(...)` follows')
    parameters = tuple(_parameter(one) for one in kernel[2].split(",") if one.strip())
    forms = []
    for one, form in zip(defects, names, strict=True):
        first, *prose = one.rest.split("\n")
        also = [d.rest for d in head if d.word == "also" and d.form in ("", form, "broken" if single else form)]
        places = [(number, role) for number, _, clauses in code for role in _roles(clauses, form)]
        rules = tuple(word for text in also for word in re.findall(r"[\w-]+", text))
        rule, counts = first.split(":")[1].strip(), None
        if match := re.fullmatch(r"counter (\w+) (\d+) -> (\d+)", rule):
            rule, counts = COUNTER, (match[1], int(match[2]), int(match[3]))
        forms.append(Form(form, rule, " ".join(prose), rules, tuple(places), one.line, counts))
    known = {*names, "broken"} if single else set(names)
    for number, _, clauses in code:
        for clause in clauses:
            _known(re.split(r": ", re.sub(r"^(not|only) ", "", clause))[0], known, f"{page}:{number}", name)
    for one in head:
        _known(one.form, known, f"{page}:{one.line}", name)
    directives = tuple(
        Directive(one.word, names[0] if single and one.form == "broken" else one.form, one.rest, one.line)
        for one in head
    )
    prose = " ".join(title[1:]) if not single else ""
    return Exhibit(page, name, prose, begin + 1, tuple(forms), directives, parameters, code)


def _known(text: str, known: set[str], where: str, kernel: str) -> None:
    for word in text.replace(",", " ").split():
        if word not in known:
            raise PageError(f"{where}: `{word}` is no form of `{kernel}`")


def _clauses(line: str, forms: list[str], single: bool) -> tuple[str, tuple[str, ...]]:
    """The code of a line, and the clauses of its comment, with the words of exhibits of one defect spelt out."""
    text, mark, comment = line.partition("//@")
    if not mark:
        return line, ()
    clauses = []
    for clause in (one.strip() for one in comment.split(";")):
        if single:
            short = {"fixed": f"not {forms[0]}", "broken": f"only {forms[0]}"}
            clause = short.get(clause, clause if ": " in clause else f"{forms[0]}: {clause}")
        clauses.append(clause)
    return text.rstrip(), tuple(clauses)


def _roles(clauses: tuple[str, ...], form: str) -> list[str]:
    return [
        clause.partition(": ")[2]
        for clause in clauses
        if form in clause.partition(": ")[0].replace(",", " ").split() and ": " in clause
    ]


def _parameter(text: str) -> tuple[str, str]:
    kind, name = re.match(r"\s*(.*?)(\w+)\s*$", text, re.S).groups()  # type: ignore[union-attr]
    kind = kind.replace("__grid_constant__", "").replace("__restrict__", "").strip()
    return ("CUtensorMap" if "CUtensorMap" in kind else kind), name
