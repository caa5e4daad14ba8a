"""`tool.run { cmd: }`: starts a program, waits for it, keeps its exit code and what it said. Knows nothing of the program."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spak.agents.policy import Policy
from spak.agents.said import untraced, value_of
from spak.agents.tools import approvals, commands, paths
from spak.agents.tools.arguments import filled, place, read, shown
from spak.agents.tools.base import Context, Planned, Result
from spak.effects import Completed, Limits, files, run
from spak.errors import Diagnostic, SpakError, Span
from spak.semantics.operand import text
from spak.semantics.program import Fields, Operand

MOST_SECONDS = 86400.0
MOST_BYTES = 16 << 20  # an event holds it twice, and six bytes for some: the trace must stay readable
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: Variables that say what is executed: a value that is known only at run time may not be one of theirs.
STEERING = re.compile(r"PATH|ENV|IFS|SHELLOPTS|BASH_\w+|LD_\w+|(PYTHON|PERL|RUBY|NODE|GIT|JAVA|_JAVA)\w*")


def plan(args: Fields, env: Mapping[str, Any], policy: Policy) -> Planned:
    """The very arguments, folder, variables and limits."""
    values = read("run", args, env, leave=("cmd",))
    span = place(args.get("cmd"), args)
    by_shell = bool(values.get("shell", False))
    if by_shell and not policy.shell:
        what, hint = "the contract forbids shells", "give the arguments as a list, or say `shell: true` in the contract"
        raise SpakError(Diagnostic("SPK948", what, span, hint))
    operand = args.get("cmd")
    assert operand is not None, "the table says that cmd is needed"
    argv = commands.shell(operand, env, span) if by_shell else commands.arguments(args, env, policy)
    cwd = paths.locate(values.get("cwd", "."), policy, place(args.get("cwd"), args), folder=True)
    data = {
        "argv": argv,
        **cwd.to_json(),
        "env": _variables(values.get("env", {}), args.get("env"), place(args.get("env"), args)),
        "stdin": _stdin(values.get("stdin", ""), place(args.get("stdin"), args)),
        "timeout": _limit(values.get("timeout", policy.timeout), MOST_SECONDS, "timeout", "seconds", args),
        "output_limit": int(
            _limit(values.get("output_limit", policy.output_bytes), MOST_BYTES, "output_limit", "bytes", args)
        ),
        "allow_failure": bool(values.get("allow_failure", False)),
        "shell": by_shell,
    }
    return Planned(
        "run", data, f"$ {shown(shlex.join(argv))}" + (f"  (in {shown(str(cwd))})" if cwd.path != "." else ""), span
    )


def perform(planned: Planned, context: Context) -> Result:
    """Start it and wait. A failure of the program is a result; what cannot be started raises SpakError."""
    data = planned.data
    if data["shell"] and not context.policy.allow_shell:
        approvals.require(context.root, planned)
    cwd = paths.at(data)
    limits = Limits(wall_seconds=data["timeout"], output_bytes=data["output_limit"])
    environment = _environment(context.policy) | data["env"]
    stdin = data["stdin"].encode()
    try:
        with files.folder(cwd.base(context.root), cwd.parts) as handle:
            # By its descriptor: a link that takes the folder's place meanwhile leads nowhere.
            folder = f"/proc/self/fd/{handle}"
            try:
                done = run(data["argv"], cwd=folder, env=environment, stdin=stdin, limits=limits, contained=True)
            except OSError as error:
                raise _not_started(data["argv"][0], error, planned.span) from None
    except OSError as error:
        raise paths.broken("work in", cwd, error, planned.span) from None
    return _result(done, data, planned.span)


def _environment(policy: Policy) -> dict[str, str]:
    """What a child inherits. The Python that runs us comes first on its PATH, as in an activated environment."""
    inherited = policy.environment(os.environ)
    own = str(Path(sys.executable).parent)
    return inherited | {"PATH": os.pathsep.join([own, *filter(None, [inherited.get("PATH", os.defpath)])])}


def _result(done: Completed, data: dict[str, Any], span: Span | None) -> Result:
    found: list[Diagnostic] = []
    stdout, stderr = (
        _decoded(one, name, span, found) for one, name in ((done.stdout, "output"), (done.stderr, "stderr"))
    )
    why = "" if done.ok else done.how
    if done.timed_out:
        why = f"timed out after {data['timeout']:g} seconds"
        found.append(Diagnostic("SPK952", f"the command {why}", span, "raise `timeout`, or have it do less"))
    elif done.flooded:
        why = f"it said more than {data['output_limit']} bytes"
        hint = "raise `output_limit`, or write to a file instead"
        found.append(Diagnostic("SPK953", f"the command was ended: {why}", span, hint))
    ok = done.ok and not done.timed_out and not done.flooded
    return Result(ok, value_of(untraced(stdout)), done.returncode, why, stdout, stderr, tuple(found))


def _decoded(data: bytes, name: str, span: Span | None, found: list[Diagnostic]) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        what = f"the command's {name} is not UTF-8 text: byte 0x{data[error.start]:02x} at {error.start}"
        hint = r"such bytes are kept as \xNN; print UTF-8, or write to a file"
        found.append(Diagnostic("SPK954", what, span, hint, severity="warning"))
        return data.decode(errors="backslashreplace")


def _variables(values: Mapping[str, Any], operand: Operand | None, span: Span | None) -> dict[str, str]:
    """The step's own variables, as text."""
    for name in values:
        if not NAME.fullmatch(name):
            raise SpakError(
                Diagnostic("SPK941", f"{name!r} cannot be the name of a variable", span, "use letters, digits and _")
            )
        inner = operand.get(name) if isinstance(operand, Fields) else operand
        if STEERING.fullmatch(name) and inner is not None and filled(inner):
            hint = "write its value down: it decides what is executed"
            raise SpakError(Diagnostic("SPK944", f"a value would become {name}", span, hint))
    made = {name: text(value) for name, value in sorted(values.items())}
    for name, one in made.items():
        if "\0" in one:
            raise SpakError(
                Diagnostic("SPK947", f"the variable {name} has a NUL character", span, "use `stdin` instead")
            )
    return made


def _stdin(value: Any, span: Span | None) -> str:
    made = text(value)
    try:
        made.encode()
    except UnicodeEncodeError:
        what = "stdin has characters without a UTF-8 form"
        raise SpakError(Diagnostic("SPK947", what, span, "leave them out: they are halves of characters")) from None
    return made


def _limit(value: float, most: float, name: str, unit: str, args: Fields) -> float:
    if 0 < value <= most:
        return value
    what = f"{name} is {value:g}"
    raise SpakError(
        Diagnostic("SPK941", what, place(args.get(name), args), f"give at most {most:g} {unit}, and more than 0")
    )


def _not_started(program: str, error: OSError, span: Span | None) -> SpakError:
    if isinstance(error, FileNotFoundError):
        why, hint = "there is no such program", "give its path, or put its folder on the PATH"
    elif error.errno == 7:
        why, hint = "its arguments are too long", "hand long text over as `stdin`, or in a file"
    else:
        why, hint = (error.strerror or str(error)).lower(), "check that it is a program, and may be executed"
    return SpakError(Diagnostic("SPK950", f"{shown(program[:80])!r} cannot be started: {why}", span, hint))
