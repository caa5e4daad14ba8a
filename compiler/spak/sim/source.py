"""CUDA source to C++ that runs on the simulator, token by token, line by line. Knows no types and compiles nothing.

A compiler's front end would do this better, and is not there: the host compiler has no CUDA mode, and clang cannot be
relied on. What tokens cannot decide is refused with a place, never guessed.
"""

from __future__ import annotations

import re

from spak.errors import Diagnostic, SpakError
from spak.sim import flavours, forbidden, heap, kernels, ptx, shared, variables
from spak.sim.tokens import Token, tokenize
from spak.sim.work import SPECIFIERS, Context, Edits, Work

FLAGS = flavours.flags("plain")  # added to the target's flags when rewritten source is compiled for mode plain

_MACRO = re.compile(r"#\s*define\s+(?P<name>\w+)(?P<parameters>\([^)]*\))?(?P<body>.*)", re.DOTALL)
_REWRITTEN = frozenset(
    {"__shared__", "__global__", "asm", "__asm__", "__asm", "<<<", "__constant__", "__device__", "__managed__"}
)
_ASM = ("asm", "__asm__", "__asm")


def rewrite(source: str, filename: str) -> str:
    """`source` for the host compiler: the same lines, after a `#include` and a `#line 1 "filename"`.

    Compile it with `csrc/include` and the CUDA toolkit's headers on the include path, and `FLAGS`; link the sources of
    `csrc/sim/sources.txt`. Raises SpakError with every construct that cannot be simulated, each at its place.
    """
    edits = rewrite_file(source, filename, Context())
    edits.found.raise_if_any()
    return f'#include <spak/sim/builtins.h>\n{edits.models()}#line 1 "{filename}"\n{edits.text()}'


def rewrite_file(source: str, filename: str, context: Context) -> Edits:
    """The edits of one file, with what was found wrong. `context` learns what other files of the program need to know.
    Raises SpakError (SPK590) for what is not even tokens.
    """
    edits = Edits(source, filename)
    try:
        tokens = tokenize(_without_dead_branches(source) if context.foreign else source)
    except ValueError as error:
        offset, what = error.args
        hint = "close it, or take it out; the place is where it begins"
        raise SpakError(Diagnostic("SPK590", what, edits.span(offset, offset + 1), hint)) from None
    for token in tokens:
        if token.kind == "directive":
            _alias(token, context)
    for token in tokens:
        if token.kind == "directive":
            _directive(edits, token, context)
    _Rewriter(Work(edits, tokens, context)).run()
    return edits


class _Rewriter:
    """Walks one run of tokens and hands each construct to who knows it."""

    def __init__(self, work: Work) -> None:
        self.work = work

    def run(self) -> None:
        i = 0
        if self.work.context.foreign:
            kernels.learn(self.work)
        while i < len(self.work.code):
            i = max(self._token(i), i + 1)
        if self.work.context.foreign:
            shared.hand_out(self.work)

    def _token(self, i: int) -> int:
        """Handle one token that begins something; returns the index of the next token to look at."""
        work, token = self.work, self.work.code[i]
        context = work.context
        if token.text in _ASM:
            return ptx.statement(work, i)
        if token.text == "<<<":
            kernels.launch(work, i)
        elif token.text in ("__cluster_dims__", "__block_size__") and context.foreign:
            work.replace(token.begin, work.code[work.closing(i + 1)].end, "")
        elif token.text in ("__cluster_dims__", "__cluster__"):
            hint = "state the cluster's dimensions in the launch plan"
            work.error("SPK594", "cluster dimensions in device code", token, hint)
        elif context.means(token, "__global__"):
            kernels.body(work, i)
        elif token.text == "__noinline__" and work.at(i - 1) != "(":
            # Not a macro of the headers: the host's own headers use this name inside __attribute__.
            work.replace(token.begin, token.end, "__attribute__((noinline))")
        elif context.means(token, "__shared__"):
            return shared.rewrite(work, i)
        elif context.foreign and context.means(token, "__device__", "__constant__", "__managed__"):
            variables.register(work, i)
        elif token.kind == "name":
            forbidden.call(work, i)
            if context.foreign:
                kernels.address(work, i)
                heap.use(work, i)
        return i + 1


def _without_dead_branches(source: str) -> str:
    """The source with what stands in `#if 0` blanked out: it need not be tokens at all."""
    out, dead, depth = [], 0, 0
    for line in source.split("\n"):
        text = line.lstrip()
        opens = bool(re.match(r"#\s*if", text))
        if dead:
            depth += opens
            if re.match(r"#\s*endif", text):
                depth -= 1
            dead = 0 if depth == 0 or (depth == 1 and re.match(r"#\s*el", text)) else 1
            out.append(line if dead == 0 else " " * len(line))
            continue
        if re.match(r"#\s*if\s+0\s*(//.*|/\*.*)?$", text):
            dead, depth = 1, 1
        out.append(line)
    return "\n".join(out)


def _alias(token: Token, context: Context) -> None:
    """A macro for specifiers, such as `#define KERNEL extern "C" __global__ void`."""
    macro = _MACRO.match(token.text)
    if macro is None:
        return
    words = frozenset(re.findall(r"\w+", macro["body"]))
    plain = not re.search(r"[{;\[<]|\basm\b|__asm", macro["body"])
    inherited = frozenset(one for word in words for one in context.aliases.get(word, ()))
    meant = (words & SPECIFIERS) | inherited
    if plain and meant and (context.foreign or "__shared__" not in meant):
        context.aliases[macro["name"]] = context.aliases.get(macro["name"], frozenset()) | meant


def _directive(edits: Edits, token: Token, context: Context) -> None:
    words = re.findall(r"\w+", token.text)
    if words[:1] == ["pragma"] and words[1:2] in (["unroll"], ["nv_diag_suppress"], ["nounroll"], ["nv_diag_default"]):
        edits.replace(token.begin, token.end, "", True)
    if words[:1] != ["define"]:
        return
    macro = _MACRO.match(token.text)
    if macro is None:
        return
    context.macros[macro["name"]] = frozenset(re.findall(r"\w+", macro["body"]))
    if re.fullmatch(r'"(?:\\.|[^"\\])*"', body := macro["body"].strip()):
        known = context.strings.setdefault(macro["name"], body)
        if known != body:
            context.strings[macro["name"]] = ""  # which of its texts counts, only the preprocessor knows
    hidden = not _REWRITTEN.isdisjoint(re.findall(r"\w+|<<<", re.sub(r"<<[ \t]*<", "<<<", macro["body"])))
    if not hidden:
        return
    if not context.foreign and {"__shared__", "__global__"} & set(words):
        what = "a macro that contains __shared__ or __global__ cannot be simulated"
        hint = "write the declaration out where the macro is used"
        edits.found.add("SPK592", what, edits.span(token.begin, token.end), hint)
        return
    offset = token.begin + macro.start("body")
    try:
        body = [Token(t.kind, t.text, t.begin + offset, t.end + offset) for t in tokenize(macro["body"])]
    except ValueError:
        what = "a macro whose text is no row of tokens cannot be rewritten"
        edits.found.add("SPK592", what, edits.span(token.begin, token.end), "write it out where the macro is used")
        return
    if macro["name"] in context.aliases:
        for part in body:
            if part.text in ("__shared__", "extern") and "__shared__" in context.aliases[macro["name"]]:
                edits.replace(part.begin, part.end, "", True)
        return
    parameters = tuple(re.findall(r"\w+", macro["parameters"] or ""))
    # A `#` at the beginning of a line of a macro's text is no directive; that form of # is left to the compiler.
    code = [part for part in body if part.kind != "directive"]
    _Rewriter(Work(edits, code, context, macro=macro["name"], parameters=parameters)).run()
