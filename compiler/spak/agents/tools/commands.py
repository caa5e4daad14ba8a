"""Commands: how a text or a list becomes the arguments of a program. Knows no process.

A text is split before its holes are filled, so that whatever fills one, a model's words above all, is one argument or a
part of one, and never a second argument, another program, or anything that a shell would act on: there is no shell.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from spak.agents.policy import Policy
from spak.agents.tools.arguments import filled, place, shown
from spak.errors import Diagnostic, SpakError, Span
from spak.lang.expr import UNKNOWN
from spak.semantics.holes import HOLE
from spak.semantics.operand import render, text, value
from spak.semantics.program import Fields, Items, Operand, Template

SHELL = "/bin/sh"
OPTION = re.compile(r"--?[A-Za-z]")
SINGLE = re.compile(r"""\\.|'[^']*'""")
BARE = re.compile(r"""\\.|'[^']*'|"(?:\\.|[^"\\])*\"""", re.DOTALL)
SIGNS = re.compile(r"[;&|<>()*]+")
EXPANDED = re.compile(r"`|\$[A-Za-z_{(]")
DEFAULT = Policy()


def shell(operand: Operand, env: Mapping[str, Any], span: Span | None) -> list[str]:
    """The arguments that have a shell execute a text, holes spliced into it: it needs an approval of the very text."""
    if not isinstance(operand, Template):
        raise _wrong("SPK943", "`shell: true` needs one text", span, 'write `cmd: "..."`')
    return [SHELL, "-c", _plain(render(operand, env), span)]


def arguments(args: Fields, env: Mapping[str, Any], policy: Policy = DEFAULT) -> list[str]:
    """The arguments of `cmd`. Raises SpakError where the policy refuses what they would start or say."""
    operand = args.get("cmd")
    assert operand is not None, "the table says that cmd is needed"
    span = place(operand, args)
    words = _words(operand, span)
    argv = [_word(one, env, span) for one in words]
    if not argv or not argv[0]:
        raise _wrong("SPK943", "the command is empty", span, 'for example `cmd: ["python", "measure.py"]`')
    _program(argv[0], filled(words[0]), policy, span)
    for index, (word, one) in enumerate(zip(words, argv, strict=True)):
        if index and _begins_with_hole(word) and OPTION.match(one) and "--" not in argv[1:index]:
            what = f"argument {index} would be taken for an option: {shown(one[:60])!r}"
            hint = 'put "--" before it, write it as a part (`--text={{x}}`), or hand it over as `stdin`'
            raise _wrong("SPK946", what, span, hint)
    return argv


def _words(operand: Operand, span: Span | None) -> list[Operand]:
    """The parts of a command, each of which becomes one argument."""
    if isinstance(operand, Items):
        return list(operand.items)
    if isinstance(operand, Template):
        return [_template(one, operand) for one in split(operand.text, span)]
    hint = 'write the program down, and what varies as arguments: `cmd: ["python", "x.py", choice]`'
    raise _wrong("SPK944", "the whole command would come from a value", span, hint)


def split(text: str, span: Span | None) -> list[str]:
    """A text as a shell splits it, with nothing else of a shell's; holes stay whole."""
    whole = HOLE.sub(lambda match: f"{{{{{match[1]}}}}}", text).replace("\\\n", " ").strip()
    hint = "quote it if it is meant as it stands, use several steps, or say `shell: true`"
    if "\n" in BARE.sub("", whole):
        raise _wrong("SPK943", "a command of several lines is something for a shell", span, hint)
    if sign := SIGNS.search(BARE.sub("", whole)) or EXPANDED.search(SINGLE.sub("", whole)):
        raise _wrong("SPK943", f"{sign[0]!r} in a command means something to a shell alone", span, hint)
    try:
        return shlex.split(whole)
    except ValueError as error:
        raise _wrong("SPK943", f"the command cannot be split: {str(error).lower()}", span, "close the quote") from None


def _template(word: str, whole: Template) -> Template:
    return Template(word, tuple(match[1] for match in HOLE.finditer(word)), span=whole.span)


def _word(operand: Operand, env: Mapping[str, Any], span: Span | None) -> str:
    """One argument as text."""
    got = render(operand, env) if isinstance(operand, Template) else value(operand, env)
    if got is UNKNOWN:
        hint = "what it is computed from is missing, or divided by zero"
        raise _wrong("SPK941", "an argument of the command has no value", span, hint)
    if isinstance(got, list | Mapping):
        what = f"an argument of the command is a {'list' if isinstance(got, list) else 'map'}"
        raise _wrong("SPK941", what, span, 'make it text: `"{{name}}"` is its JSON')
    return _plain(text(got), span)


def _plain(one: str, span: Span | None) -> str:
    if "\0" in one:
        raise _wrong("SPK947", "an argument has a NUL character", span, "no program can be given one; use `stdin`")
    try:
        one.encode()
    except UnicodeEncodeError:
        hint = "leave them out: they are halves of characters"
        raise _wrong("SPK947", "an argument has characters without a UTF-8 form", span, hint) from None
    return one


def _program(name: str, open_: bool, policy: Policy, span: Span | None) -> None:
    """Whether a program may be started; one that a value names must be on the list."""
    if policy.programs is not None and name not in policy.programs:
        there = ", ".join(sorted(policy.programs)) or "none"
        raise _wrong(
            "SPK945", f"{shown(name[:60])!r} is not among the programs of this run", span, f"they are: {there}"
        )
    if open_ and policy.programs is None:
        hint = "write it down, or list in the contract what it may be: `programs: [...]`"
        raise _wrong("SPK944", f"a value would say what program is started: {shown(name[:60])!r}", span, hint)


def _begins_with_hole(operand: Operand) -> bool:
    """Whether the first characters of an argument come from a text that is known only at run time."""
    return bool(HOLE.match(operand.text)) if isinstance(operand, Template) else filled(operand)


def _wrong(code: str, what: str, span: Span | None, hint: str) -> SpakError:
    return SpakError(Diagnostic(code, what, span, hint))
