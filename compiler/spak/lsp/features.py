"""What an editor asks about a place in a file, answered. Knows the analysis of a file, not how answers travel."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lsprotocol import types

from spak.errors import Diagnostic, SpakError, Span
from spak.errors.catalogue import catalogue
from spak.lang import tree
from spak.lsp.analysis import Analysis
from spak.lsp.context import Context, context
from spak.lsp.kinds import KINDS, Kind, kind, tools
from spak.lsp.positions import Lines, holds
from spak.lsp.symbols import GROUPS, Symbol
from spak.semantics.scope import ROOTS

ICONS = {
    "fact": types.SymbolKind.Boolean, "rule": types.SymbolKind.Event, "step": types.SymbolKind.Method,
    "value": types.SymbolKind.Variable, "type": types.SymbolKind.Struct, "case": types.SymbolKind.EnumMember,
    "loop": types.SymbolKind.Function, "domain": types.SymbolKind.Module, "invariant": types.SymbolKind.Constant,
    "effect": types.SymbolKind.Interface, "component": types.SymbolKind.Class, "operation": types.SymbolKind.Function,
    "kernel": types.SymbolKind.Function, "variant": types.SymbolKind.Enum, "system": types.SymbolKind.Namespace,
}  # fmt: skip
CHOICES = {
    "objective": ("maximize", "minimize"),
    "search": ("cartesian", "random", "tpe"),
    "strategy": ("cartesian", "random", "tpe"),
    "deterministic": ("true", "false"),
    "shell": ("true", "false"),
    "allow_failure": ("true", "false"),
    "write_back": ("true", "false"),
}
WORD = re.compile(r"[A-Za-z_][\w.]*")
CODE = re.compile(r"SPK\d{3}")
NAME = re.compile(r"[A-Za-z_]\w*\Z")
PLAIN = ("string", "int", "float", "boolean", "any", "List", "Map")


# ---- diagnostics ----


def diagnostics(analysis: Analysis, lines: Lines) -> list[types.Diagnostic]:
    """What is wrong, at its place; what is wrong in a file that this one takes in stands at the top."""
    return [_diagnostic(one, analysis, lines) for one in analysis.diagnostics]


def _diagnostic(one: Diagnostic, analysis: Analysis, lines: Lines) -> types.Diagnostic:
    here = one.span is not None and one.span.file == analysis.name
    text = one.message + (f"\nhint: {one.hint}" if one.hint else "") + "".join(f"\n{note}" for note in one.notes)
    place = lines.range(one.span) if here and one.span is not None else lines.range(Span(analysis.name, 1, 1))
    return types.Diagnostic(
        place,
        text if here else f"{one.span or 'elsewhere'}: {text}",
        types.DiagnosticSeverity.Warning if one.severity == "warning" else types.DiagnosticSeverity.Error,
        one.code,
        source="spak",
    )


# ---- hover and definition ----


def hover(analysis: Analysis, lines: Lines, position: types.Position) -> types.Hover | None:
    """What a word is: a symbol with its declaration, a kind with what it is for; and the errors that stand there."""
    line, col = lines.column(position)
    symbol, span = analysis.find(line, col)
    parts: list[str] = []
    if symbol is not None:
        parts.append(_shown(symbol, analysis))
    else:
        word, span = _word(analysis, line, col)
        known = kind(word)
        if known is not None:
            parts.append(_kind_text(word, known))
        else:
            span = None
    codes = {d.code for d in analysis.diagnostics if d.span is not None and _covers(d.span, analysis.name, line, col)}
    parts += [f"**{code}: {catalogue()[code].title}.** {catalogue()[code].explain}" for code in sorted(codes)]
    if not parts:
        return None
    text = types.MarkupContent(types.MarkupKind.Markdown, "\n\n".join(parts))
    return types.Hover(text, lines.range(span) if span is not None else None)


def _shown(symbol: Symbol, analysis: Analysis) -> str:
    where = "" if symbol.span.file == analysis.name else f" of `{symbol.span.file}`"
    text = f"```spak\n{symbol.text}\n```\n{symbol.kind} `{symbol.name}`{where}"
    if symbol.group == "value" and analysis.program is not None:
        state = next((s for s in analysis.program.states if s.name == symbol.name), None)
        if state is not None:
            from spak.semantics.types import words

            text += f": {words(state.type)}"
    about = KINDS.get(symbol.kind)
    return text + (f". {about.about}" if about is not None and symbol.kind != "parameter" else "")


def _kind_text(word: str, known: Kind) -> str:
    lines = [f"**{word}**: {known.about}"]
    if known.keys:
        lines.append("attributes: " + ", ".join(f"`{key}`" for key in known.keys))
    if known.inner:
        lines.append("inside: " + ", ".join(f"`{key}`" for key in known.inner))
    return "\n\n".join(lines)


def _word(analysis: Analysis, line: int, col: int) -> tuple[str, Span]:
    text = analysis.text.split("\n")[line - 1] if line <= analysis.text.count("\n") + 1 else ""
    for match in WORD.finditer(text):
        if match.start() <= col - 1 <= match.end():
            return match.group(), Span(analysis.name, line, match.start() + 1, line, match.end() + 1)
    return "", Span(analysis.name, line, col)


def _covers(span: Span, name: str, line: int, col: int) -> bool:
    if span.file != name:
        return False
    return holds(span, line, col) if span.end_line else span.line == line


def definition(analysis: Analysis, lines: Lines, position: types.Position) -> tuple[str, Span] | None:
    """The file and place where what a word names is declared."""
    line, col = lines.column(position)
    symbol, _ = analysis.find(line, col)
    return (symbol.span.file, symbol.span) if symbol is not None else None


# ---- rename ----


def can_rename(analysis: Analysis, lines: Lines, position: types.Position) -> types.Range | None:
    """The name that would be renamed."""
    line, col = lines.column(position)
    symbol, span = analysis.find(line, col)
    return lines.range(span) if symbol is not None and span is not None else None


def rename(analysis: Analysis, lines: Lines, position: types.Position, new: str) -> list[Span]:
    """Every place that has to be changed. Raises SpakError where the new name will not do."""
    line, col = lines.column(position)
    symbol, _ = analysis.find(line, col)
    here = Span(analysis.name, line, col)
    if symbol is None:
        raise SpakError(Diagnostic("SPK910", "there is no name here that can be changed", here, "point at a name"))
    if symbol.group in {"domain", "kernel"}:
        hint = "rename the file, and then what is in it"
        raise SpakError(Diagnostic("SPK910", f"the {symbol.kind} {symbol.name!r} is called after its file", here, hint))
    uses = analysis.uses(symbol)
    bare = len(uses) > 1 or not symbol.quoted
    if not new or "\n" in new or '"' in new or "\\" in new or (bare and not NAME.match(new)):
        hint = "use letters, digits and `_`"
        raise SpakError(Diagnostic("SPK910", f"{new!r} is no name", here, hint))
    taken = analysis.meaning(new, frozenset({symbol.group}), symbol.span)
    if taken is not None and taken != symbol:
        raise SpakError(
            Diagnostic("SPK910", f"there is a {taken.kind} {new!r} already", taken.span, "choose another name")
        )
    return uses


# ---- completion ----


def completion(analysis: Analysis, lines: Lines, position: types.Position) -> list[types.CompletionItem]:
    """What may be written at a place."""
    line, col = lines.column(position)
    where = context(lines.lines, line, col, fenced=_fenced(analysis))
    if where is None or where.inside_text:
        return []
    start = lines.position(line, col - len(where.word))
    place = types.Range(start, position)
    return [
        types.CompletionItem(label=label, kind=icon, detail=detail, text_edit=types.TextEdit(place, label))
        for label, (icon, detail) in sorted(_offers(analysis, where, line, col).items())
        if label.startswith(where.word.rpartition(".")[0])
    ]


def _fenced(analysis: Analysis) -> bool:
    from spak.parse.format import is_markdown

    return is_markdown(analysis.name, analysis.text)


Offers = dict[str, tuple[types.CompletionItemKind, str]]


def _offers(analysis: Analysis, where: Context, line: int, col: int) -> Offers:
    root, dot, _ = where.word.rpartition(".")
    here = Span(analysis.name, line, col)
    if dot:
        return _under(analysis, root, here)
    if where.before.strip() in {"use"}:
        folder = analysis.root / "specs" / "domains"
        return {path.stem: (types.CompletionItemKind.Module, "domain") for path in folder.glob("*.dsl")}
    if where.key in CHOICES:
        return {choice: (types.CompletionItemKind.EnumMember, where.key) for choice in CHOICES[where.key]}
    if where.key in {"when", "trigger"}:
        return _named(analysis, {"fact"}, here)
    if where.key in {"schema", "emits"} or where.before.rstrip().endswith("emit"):
        return _named(analysis, {"type", "case"}, here)
    if where.key and where.kind in {"type", "struct", "case", "state"}:
        return _named(analysis, {"type"}, here) | {p: (types.CompletionItemKind.Struct, "type") for p in PLAIN}
    if where.key or where.before.strip():
        offered = _named(analysis, {"value", "fact"}, here)
        offered |= {name: (types.CompletionItemKind.Variable, "of every run") for name in ROOTS}
        return offered | _tools()
    return _statements(where)


def _statements(where: Context) -> Offers:
    """Attributes and blocks that may begin a statement."""
    block = types.CompletionItemKind.Keyword
    known = kind(where.kind) if where.kind else None
    if known is None and where.kind:
        return {}
    if known is None or where.kind in {"system", "domain"}:
        return {name: (block, one.about) for name, one in KINDS.items() if "." not in name}
    offers: Offers = {key: (types.CompletionItemKind.Property, f"attribute of {where.kind}") for key in known.keys}
    return offers | {name: (block, one.about) for name in known.inner if (one := kind(name)) is not None}


def _under(analysis: Analysis, root: str, here: Span) -> Offers:
    """What may stand behind a dot."""
    if root == "tool":
        return _tools()
    if root == "llm":
        return {"llm.query": (types.CompletionItemKind.Function, KINDS["llm.query"].about)}
    groups = {"fact": "fact", "steps": "step", "trace": "case"}.get(root)
    if groups:
        return {f"{root}.{name}": offer for name, offer in _named(analysis, {groups}, here).items()}
    if root.startswith("steps."):
        return {
            f"{root}.{part}": (types.CompletionItemKind.Field, "of a step")
            for part in ("ok", "exit_code", "stdout", "stderr")
        }
    cases = analysis.program.cases if analysis.program is not None else {}
    found: Offers = {
        name: (types.CompletionItemKind.EnumMember, "case") for name in cases if name.startswith(f"{root}.")
    }
    typed = [m[1] for m in re.finditer(rf"\b{re.escape(root)}\s*:\s*([A-Za-z_][\w.]*)", _before(analysis, here))]
    if typed and typed[-1] in cases:  # `f(t: Case) { return t.`, which no tree has yet
        fields = cases[typed[-1]].type.fields
        found |= {f"{root}.{one.name}": (types.CompletionItemKind.Field, f"of {typed[-1]}") for one in fields}
    return found


def _before(analysis: Analysis, here: Span) -> str:
    lines = analysis.text.split("\n")
    return "\n".join([*lines[: here.line - 1], lines[here.line - 1][: here.col - 1]])


def _tools() -> Offers:
    offers: Offers = {name: (types.CompletionItemKind.Function, one.about) for name, one in tools().items()}
    offers["llm.query"] = (types.CompletionItemKind.Function, KINDS["llm.query"].about)
    return offers


def _named(analysis: Analysis, groups: Iterable[str], here: Span) -> Offers:
    """Names in scope."""
    wanted = set(groups)
    found: Offers = {}
    for one in analysis.indexes():
        for symbol in one.symbols:
            if symbol.group not in wanted or (
                symbol.within is not None and not holds(symbol.within, here.line, here.col)
            ):
                continue
            icon = types.CompletionItemKind.Variable if symbol.group == "value" else types.CompletionItemKind.Reference
            found.setdefault(symbol.name, (icon, symbol.kind))
    return found


# ---- outline ----


def symbols(analysis: Analysis, lines: Lines) -> list[types.DocumentSymbol]:
    """The blocks of a file, nested as they are."""
    return _outline(analysis.document.items, lines)


def _outline(items: Iterable[tree.Item], lines: Lines) -> list[types.DocumentSymbol]:
    found = []
    for item in items:
        if not isinstance(item, tree.Block) or not item.kind:
            continue
        inner = _outline(item.body, lines) if isinstance(item.body, tuple) else []
        if item.kind not in GROUPS and item.kind not in KINDS and not inner:
            continue
        whole = lines.range(item.span)
        span = item.name_span if item.name else Span(item.span.file, item.span.line, item.span.col)
        name = lines.range(span) if item.name else types.Range(whole.start, whole.start)
        icon = ICONS.get(GROUPS.get(item.kind, ""), types.SymbolKind.Object)
        found.append(types.DocumentSymbol(item.name or item.kind, icon, whole, name, item.kind, children=inner))
    return found
