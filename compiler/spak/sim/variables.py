"""Variables that live on the device: registered with the host runtime by name and size. Knows no kernel."""

from __future__ import annotations

from spak.sim.scopes import angle_end
from spak.sim.work import Work

_MEMORY = {"__constant__": "constant", "__managed__": "managed", "__device__": "device"}
_SKIPPED = ("__attribute__", "alignas", "__align__", "__builtin_align__", "decltype")


def register(work: Work, i: int) -> None:
    """After a variable's declaration at namespace scope: an object that makes it known. What is a function, a template, a
    member or only declared is left alone: its definition, or the first use of its address, makes it known.
    """
    start = work.shape.start[i]
    if work.macro or any(scope.kind != "namespace" for scope in work.shape.scopes[i]):
        return
    words = [work.at(j) for j in range(start, i)]
    if "template" in words or "=" in words or any(work.context.means(work.code[j], *_MEMORY) for j in range(start, i)):
        return  # the first of several specifiers speaks for all
    names, stop, initialised = _declarators(work, start)
    if not names or any(work.at(j) in ("typedef", "using") for j in range(start, stop)):
        return
    if not initialised and any(work.at(j) == "extern" for j in range(start, stop)):
        return
    said = {kind for j in range(start, stop) for kind in _MEMORY if work.context.means(work.code[j], kind)}
    kind = next(memory for specifier, memory in _MEMORY.items() if specifier in said)
    text = ""
    for name in names:
        own = name.replace("::", "_")
        text += (
            f" [[maybe_unused]] static const ::spak::sim::host::Global {own}__spak_global"
            f'{{"{name}", (void*)&{name}, sizeof({name}), ::spak::sim::host::Memory::{kind}}};'
        )
    work.insert(work.code[stop].end, text)


def _declarators(work: Work, start: int) -> tuple[list[str], int, bool]:
    """The names that the declaration at `start` declares, the index of its `;`, and whether one is initialised; no names
    when it declares a function."""
    names: list[str] = []
    name, named, initialised = "", False, False
    j = start
    while j < len(work.code):
        text, kind = work.at(j), work.code[j].kind
        if text in _SKIPPED and work.at(j + 1) == "(":
            j = work.closing(j + 1) + 1
            continue
        if text in (",", ";"):
            if name:
                names.append(name)
            if text == ";":
                return names, j, initialised
            name, named = "", False
        elif text == "(" and work.at(j + 1) == "*" and not named:  # a pointer to a function, or to an array
            first = next((k for k in range(j, work.closing(j)) if work.code[k].kind == "name"), j)
            name, named = work.at(first), True
            j = work.closing(j)
            if work.at(j + 1) == "(":
                j = work.closing(j + 1)
        elif text in ("(", ")", "operator"):
            return [], j, False
        elif text in ("=", "{") and not (text == "{" and _type_body(work, j, name)):
            named, initialised = True, True
            j = _initialiser(work, j)
            continue
        elif text in ("{", "["):
            named = named or text == "["
            j = work.closing(j)
        elif text == "<" and not named:
            j = angle_end(work.code, j, len(work.code))
            name = ""
        elif kind == "name" and not named and text not in work.context.aliases:
            name = f"{name}{text}" if work.at(j - 1) == "::" and name.endswith("::") else text
        elif text == "::" and name:
            name += "::"
        j += 1
    return [], len(work.code) - 1, False


def _type_body(work: Work, brace: int, name: str) -> bool:
    words = [work.at(j) for j in range(max(brace - 3, 0), brace)]
    return not {"struct", "union", "class", "enum"}.isdisjoint(words)


def _initialiser(work: Work, j: int) -> int:
    """Index of the `,` or `;` that ends an initialiser."""
    while j < len(work.code) and work.at(j) not in (",", ";"):
        j = work.closing(j) + 1 if work.at(j) in ("(", "[", "{") else j + 1
    return j
