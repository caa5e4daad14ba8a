"""`__shared__` declarations: typedefs, and references into the block's arena, on the same lines. Knows no kernel."""

from __future__ import annotations

from spak.sim.work import SharedVariable, Work

_ALIGNERS = ("__align__", "alignas", "__attribute__", "__builtin_align__")
_DROPPED = ("__shared__", "extern", "static", "__device__")


def rewrite(work: Work, i: int) -> int:
    """Rewrite the declaration that the specifier at `i` belongs to; returns the index after it."""
    code, token = work.code, work.code[i]
    stop = i
    while stop < len(code) and code[stop].text != ";":
        stop = work.closing(stop) + 1 if code[stop].text in "([{" else stop + 1
    if stop >= len(code) and not work.macro:
        work.error("SPK590", "a __shared__ declaration without an end", token, "end it with `;`")
        return len(code)
    first = work.shape.start[i]
    for j in range(first, i):  # a label, or the head of a control statement, is not part of it
        if (code[j].text in (":", ")") and work.context.foreign) or code[j].text == ":":
            first = j + 1
    outside = not work.macro and not any(s.kind in ("function", "block") for s in work.shape.scopes[i])
    in_class = bool(work.shape.scopes[i]) and work.shape.scopes[i][-1].kind == "class"
    if outside and (not work.context.foreign or in_class):
        hint = "declare it inside the kernel and pass a pointer to the functions that need it"
        work.error("SPK595", "a __shared__ variable outside a function cannot be simulated", token, hint)
        return stop
    _declaration(work, first, stop, outside)
    return stop


def _declaration(work: Work, first: int, stop: int, outside: bool) -> None:
    """`__shared__ T a[N], b;` becomes typedefs, a constant that identifies each, and references."""
    code = work.code
    align, names, name, depth = "0", [], None, 0  # depth: of template brackets
    pieces: list[tuple[int, int, str]] = []
    named = False  # past the name of the declarator at hand
    last = min(stop, len(code) - 1)
    j = first
    while j <= stop:
        at_end = j >= len(code)  # of a macro's text
        part, end = code[min(j, last)], j
        if at_end or (not depth and part.text in (",", ";")):
            if name is None:
                work.error("SPK590", "a __shared__ declaration without a name", part, "write `__shared__ T name[N];`")
                return
            names.append(name)
            name, named = None, False
        elif part.text in _ALIGNERS and work.at(j + 1) == "(":
            end = work.closing(j + 1)
            if part.text != "__attribute__":
                align = work.source[code[j + 1].begin : code[end].end]
            pieces.append((part.begin, code[end].end, ""))
        elif part.text in _DROPPED:
            pieces.append((part.begin, part.end, ""))
        elif part.text in work.context.aliases:
            pass  # the macro's own text has been freed of specifiers
        elif part.text in ("(", "[", "{") and (depth or part.text == "[" or _belongs_to_type(work, j)):
            end = work.closing(j)
            named = named or (not depth and part.text == "[")
            name = None if part.text != "[" else name  # what came before was the type's own name
        elif not depth and part.text in ("=", "(", "{"):
            hint = "declare it plainly and assign to its elements"
            work.error("SPK596", "a __shared__ variable cannot be initialised", part, hint)
            return
        elif part.text in ("<", ">", ">>") and not named:
            depth += {"<": 1, ">": -1, ">>": -2}[part.text]
        elif not depth and part.kind == "name" and not named:
            name = part
        j = end + 1
    dynamic = any(_says_extern(work, j) for j in range(first, min(stop, len(code))))
    kind = "dynamic" if dynamic else "shared"
    work.insert(code[first].begin, "typedef ")
    for begin, finish, new in pieces:
        work.replace(begin, finish, new)
    for one in names:
        work.replace(one.begin, one.end, work.joined(one.text, "__spak_type"))
    after = code[stop].end if stop < len(code) else code[-1].end
    if outside:
        work.insert(after, "".join(_site(work, one.text, "inline ") for one in names))
        work.context.shared.update({one.text: SharedVariable(one.text, kind, align) for one in names})
        return
    text = "".join(_site(work, one.text) + reference(work, one.text, kind, align) for one in names)
    work.insert(after, text if stop < len(code) else f";{text.rstrip(';')}")


def _says_extern(work: Work, j: int) -> bool:
    return work.context.means(work.code[j], "extern")


def _belongs_to_type(work: Work, bracket: int) -> bool:
    """Whether this bracket is part of a type: a struct's members, or what decltype looks at."""
    before = [token.text for token in work.code[max(bracket - 2, 0) : bracket]]
    if work.code[bracket].text == "(":
        return before[-1:] == ["decltype"]
    return work.code[bracket].text == "{" and not {"struct", "union", "class"}.isdisjoint(before)


def _site(work: Work, name: str, inline: str = "static ") -> str:
    """What identifies the variable: the address of its site."""
    own = work.joined(name, "__spak_site")
    return f" {inline}constexpr ::spak::sim::SharedSite {own}{{{work.quoted(name)}, ::spak::sim::here()}};"


def reference(work: Work, name: str, kind: str, align: str) -> str:
    """The declaration of a shared variable as a reference into the arena."""
    own, site = work.joined(name, "__spak_type"), work.joined(name, "__spak_site")
    return f" [[maybe_unused]] {own}& {name} = ::spak::sim::{kind}<{own}>({site}, {align});"


def hand_out(work: Work) -> None:
    """Give each function that names a shared variable of namespace scope a reference to it."""
    known = work.context.shared
    if not known:
        return
    for opening, scope in work.opened.items():
        if scope.kind != "function" or any(s.kind in ("function", "block") for s in work.shape.scopes[opening]):
            continue
        named = _named(work, opening, work.closing(opening))
        head = {token.text for token in work.code[work.shape.start[opening] : opening]}
        text = "".join(reference(work, v.name, v.kind, v.align) for name, v in known.items() if name in named - head)
        if text:
            work.insert(work.code[opening].end, text)


def _named(work: Work, begin: int, end: int) -> set[str]:
    """The shared variables that tokens in between name, directly or through a macro, and do not declare themselves."""
    named: set[str] = set()
    for j in range(begin, end):
        token = work.code[j]
        if token.kind == "name" and work.at(j - 1) not in (".", "->"):
            if token.text in work.context.macros:
                named |= _through(work, token.text, set())
            if token.text in work.context.shared and not _declared(work, j):
                named.add(token.text)
    return named - {work.at(j) for j in range(begin, end) if work.at(j) in work.context.shared and _declared(work, j)}


def _through(work: Work, macro: str, seen: set[str]) -> set[str]:
    """The shared variables that a macro names, itself or through others."""
    if macro in seen:
        return set()
    words = work.context.macros.get(macro, frozenset())
    found = {word for word in words if word in work.context.shared}
    return found.union(*(_through(work, word, seen | {macro}) for word in words if word in work.context.macros))


def _declared(work: Work, j: int) -> bool:
    start = work.shape.start[j]
    return any(work.context.means(token, "__shared__") for token in work.code[start:j])
