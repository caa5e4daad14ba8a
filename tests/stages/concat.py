"""A stage for tests: joins its inputs, and misbehaves on request."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

from spak.errors import Diagnostic, SpakError
from spak.model.base import Model
from spak.model.outcome import Outcome
from spak.store import atomic

if TYPE_CHECKING:
    from spak.effects import Do


class Options(Model):
    """`log`, outside of the tree, gets one line a run: it is how tests count. `how` names the misbehaviour.
    It ends when the file `gate` is there.
    """

    inputs: tuple[str, ...] = ()
    out: str
    text: str = ""
    log: str = ""
    how: str = ""
    sleep: float = 0.0
    gate: str = ""
    variable: str = ""
    undeclared: str = ""


def run(options: Options, do: Do) -> Outcome:
    if options.log:
        with Path(options.log).open("a") as file:
            file.write(options.out.replace("\n", "?") + "\n")
    if options.how == "raise":
        raise SpakError(Diagnostic("SPK704", "the stage is broken"))
    if options.how == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if options.how == "silent":
        return Outcome()
    parts = [options.text, *(Path(path).read_text() for path in options.inputs)]
    if options.variable:
        parts.append(os.environ.get(options.variable, "unset"))
    if options.undeclared:
        parts.append(Path(options.undeclared).read_text())
    if options.how == "partial":
        Path(options.out).write_text("half")
    time.sleep(options.sleep)
    while options.gate and not Path(options.gate).exists():
        time.sleep(0.01)
    if options.how == "strip":
        parts = [line.partition("#")[0].rstrip() + "\n" for line in "".join(parts).splitlines()]
    atomic.write(options.out, "".join(parts).encode(), durable=False)
    if options.how == "write-then-raise":
        raise SpakError(Diagnostic("SPK704", "the stage broke after it had written"))
    if options.how == "extra":
        Path(options.out + ".extra").write_text("nobody declared this")
    if options.how == "fail":
        return Outcome(ok=False, diagnostics=(Diagnostic("SPK704", "the subject is bad").to_json(),))
    return Outcome(summary={"bytes": sum(map(len, parts))})
