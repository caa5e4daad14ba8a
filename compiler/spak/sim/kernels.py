"""Kernels and their launches: where a body begins, what `<<<>>>` becomes. Knows nothing of shared memory.

A kernel of a foreign program keeps its name and becomes its own stub, as nvcc's host code has it: called on the host it
queues itself with copies of its arguments. So overloads, templates, defaults and conversions mean what C++ says they mean.
"""

from __future__ import annotations

from spak.sim.scopes import angle_begin, angle_end
from spak.sim.work import Work

_ATTRIBUTES = (
    "__launch_bounds__", "__maxnreg__", "__attribute__", "__block_size__", "alignas", "__align__", "__cluster_dims__",
)  # fmt: skip


def learn(work: Work) -> None:
    """Remember the names of kernels, declared or defined."""
    for i, token in enumerate(work.code):
        if work.context.means(token, "__global__"):
            at, _, _ = _parameters(work, i)
            if at is None:
                continue
            name = _name(work, at)
            if name in work.parameters:
                work.context.kernel_macros[work.macro] = work.parameters.index(name)
            else:
                work.context.kernels.add(name)
        elif token.text in work.context.kernel_macros and work.at(i + 1) == "(":
            given = arguments(work, i + 1)
            work.context.kernels.update(given[work.context.kernel_macros[token.text] :][:1])


def body(work: Work, i: int) -> None:
    """Insert the entry hook after the opening brace of the kernel whose specifier is at `i`; a declaration needs none."""
    at, bounds, cluster = _parameters(work, i)
    if at is None:
        return
    after = work.closing(at) + 1
    while work.at(after) in ("noexcept", "->", "void", "__attribute__"):
        after = work.closing(after + 1) + 1 if work.at(after + 1) == "(" else after + 1
    if work.at(after) != "{":
        return
    enter = f" ::spak::sim::enter({bounds}, ::spak::sim::here());"
    end = work.code[after].end
    if not work.context.foreign:
        work.insert(end, enter)
        return
    name = _name(work, at)
    x, y, z = cluster
    known = f"{work.quoted(name)}, {bounds}, {x}, {y}, {z}"
    work.insert(end, f" ::spak::sim::host::kernel({known}, [=]() mutable {{{enter}")
    work.insert(work.code[work.closing(after)].begin, "}); ")


def _parameters(work: Work, i: int) -> tuple[int | None, str, tuple[str, str, str]]:
    """Where a kernel's parameters begin (None: nowhere), its launch bounds and its cluster's dimensions."""
    bounds, cluster = "0", ("0", "0", "0")
    at = i + 1
    for j in range(work.shape.start[i], i):  # attributes may stand before the specifier
        if work.at(j) in _ATTRIBUTES and work.at(j + 1) == "(":
            bounds, cluster = _attribute(work, j, bounds, cluster)
    while at < len(work.code) and work.at(at) not in ("(", ";", "{"):
        if work.at(at) in _ATTRIBUTES and work.at(at + 1) == "(":
            bounds, cluster = _attribute(work, at, bounds, cluster)
            at = work.closing(at + 1)
        elif work.at(at) in work.context.aliases and work.at(at + 1) == "(":
            at = work.closing(at + 1)
        at += 1
    return (at if work.at(at) == "(" else None), bounds, cluster


def _attribute(work: Work, at: int, bounds: str, cluster: tuple[str, str, str]) -> tuple[str, tuple[str, str, str]]:
    parts = arguments(work, at + 1)
    if work.at(at) == "__launch_bounds__" and parts:
        return f"({parts[0]})", cluster
    if work.at(at) == "__cluster_dims__":
        x, y, z = [f"({part})" for part in parts[:3]] + ["1"] * (3 - len(parts[:3]))
        return bounds, (x, y, z)
    return bounds, cluster


def arguments(work: Work, opening: int) -> list[str]:
    """The text between the commas of a bracket."""
    end = work.closing(opening)
    out, begin, j = [], opening + 1, opening + 1
    while j <= end:
        if j == end or work.at(j) == ",":
            if j > begin:
                out.append(work.text(begin, j))
            begin = j + 1
        j = work.closing(j) + 1 if work.at(j) in ("(", "[", "{") else j + 1
    return out


def _name(work: Work, parameters: int) -> str:
    """The name before the parameters; that of a specialisation stands before its template arguments."""
    j = parameters - 1
    if work.at(j) in (">", ">>"):
        j = angle_begin(work.code, j) - 1
    return work.at(j)


def launch(work: Work, i: int) -> None:
    """`k<T><<<grid, block, bytes, stream>>>(x)` becomes `(configure(grid, block, bytes, stream), k<T>(x))`."""
    token = work.code[i]
    if not work.context.foreign:
        work.error(
            "SPK593",
            "a kernel launch in device code",
            token,
            "describe launches in the plan; the launcher is generated",
        )
        return
    if work.shape.runs_on_device(i):
        around = work.shape.scopes[i]
        unclosed = [at for at, scope in work.opened.items() if scope in around and at not in work.shape.partner]
        if unclosed:
            hint = "end the body with `}`; what follows is read as part of it"
            work.error("SPK590", "a `{` without its `}`", work.code[min(unclosed)], hint)
            return
        hint = "launch the second kernel from the host"
        work.error("SPK593", "a kernel launched by device code cannot be simulated", token, hint)
        return
    end = next((j for j in range(i + 1, len(work.code)) if work.at(j) == ">>>" and _level(work, i, j)), None)
    if end is None:
        work.error("SPK590", "a launch without `>>>`", token, "close the launch's configuration")
        return
    if work.at(end + 1) != "(":
        code, what = ("SPK590", "a launch without arguments")
        if work.macro:
            code, what = ("SPK592", "a macro that launches with arguments of its user's")
        work.error(
            code, what + " cannot be rewritten", work.code[end], "write `kernel<<<grid, block>>>(arguments)` out"
        )
        return
    begin = callee(work, i)
    called = work.text(begin, i)
    # What is called moves behind the configuration, whose lines and directives stay where they are.
    work.replace(work.code[begin].begin, token.end, "(::spak::sim::host::configure(")
    work.replace(work.code[end].begin, work.code[end].end, f"), {called}")
    work.insert(work.code[work.closing(end + 1)].end, ")")


def _level(work: Work, i: int, j: int) -> bool:
    """Whether no bracket that opens after `i` is still open at `j`."""
    depth = 0
    for k in range(i + 1, j):
        depth += (work.at(k) in ("(", "[", "{")) - (work.at(k) in (")", "]", "}"))
    return depth == 0


def callee(work: Work, i: int) -> int:
    """Index of the first token of the expression that is launched, which ends before `i`."""
    j = i - 1
    while j >= 0:
        text = work.at(j)
        if text in (">", ">>", ">>>"):
            j = angle_begin(work.code, j) - 1
            continue
        if text in (")", "]"):
            j = work.shape.partner.get(j, j)
            if text == ")" and not (work.code[j - 1].kind == "name" or work.at(j - 1) in (")", "]", ">")):
                return j
            j -= 1
            continue
        if work.at(j - 1) == "template":
            j -= 1
        if work.at(j - 1) in ("::", ".", "->"):
            j -= 1
            if work.at(j) == "::" and work.code[j - 1].kind != "name" and work.at(j - 1) not in (">", ">>"):
                return j  # `::k`
            if work.at(j) == "::" and work.at(j - 1) in ("return", "else", "do"):
                return j
            j -= 1
            continue
        return j
    return i - 1


def address(work: Work, i: int) -> None:
    """`(void*)k<T>` and its kin, of a kernel `k`, become `address_of(k<T>)`, which remembers the parameters."""
    if work.at(i) not in work.context.kernels or work.at(i - 1) in (".", "->"):
        return
    begin = i
    while work.at(begin - 1) == "::":
        begin -= 2 if begin > 1 and work.code[begin - 2].kind == "name" else 1
    if work.at(begin - 1) == "&":
        begin -= 1
    end = i
    if work.at(i + 1) == "<":
        end = angle_end(work.code, i + 1, len(work.code))
    after = work.at(end + 1)
    opening = work.shape.partner.get(begin - 1) if work.at(begin - 1) == ")" else None
    if opening is not None and _void_pointer(work, opening + 1, begin - 1) and after in (",", ")", ";", "}"):
        if work.at(opening - 1) == ">":  # reinterpret_cast<void*>(k) has its `(` after the type
            return
        work.replace(work.code[opening].begin, work.code[begin - 1].end, "::spak::sim::host::address_of(")
        work.insert(work.code[end].end, ")")
    elif work.at(begin - 1) == "(" and after == ")" and work.at(begin - 2) == ">":
        angle = angle_begin(work.code, begin - 2)
        if work.at(angle - 1) in ("reinterpret_cast", "static_cast") and _void_pointer(work, angle + 1, begin - 2):
            work.replace(work.code[angle - 1].begin, work.code[begin - 2].end, "::spak::sim::host::address_of")


def _void_pointer(work: Work, begin: int, end: int) -> bool:
    return sorted(work.at(j) for j in range(begin, end) if work.at(j) != "const") == ["*", "void"]
