"""The start of a run: what is to run, with which arguments, and the folder that holds all it needs. Executes nothing.

What a run needs is fixed here: copies of the sources, the flags, the target's constants. Every resume reads it from
the folder, so it goes on as it began whatever has become of the tree.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spak.agents.serving import bound
from spak.digest import digest_fields, sha256_bytes
from spak.errors import Diagnostic, SpakError, Span
from spak.knowledge.item import unrecordable
from spak.semantics.program import (
    EngineeringLoop,
    Fields,
    Limits,
    Procedure,
    Program,
    Service,
    Step,
    Template,
    ToolCall,
)
from spak.semantics.resolve import load_program
from spak.semantics.suggest import near
from spak.store import atomic
from spak.traces.folder import RunFolder, new_run

if TYPE_CHECKING:
    from spak.agents.services import Services

Part = Procedure | Service
PREFERRED = ("agent_loop", "task")  # what a file with several is about


@dataclass(frozen=True, slots=True)
class Order:
    """What a run is started with. Paths are relative to the project where they lie in it."""

    program: str
    name: str = ""
    args: Mapping[str, Any] = field(default_factory=dict)
    handler: str = "suspend"
    answers: str = ""
    target: str = "cpu"
    max_steps: int = 0
    allow_shell: bool = False
    roots: Sequence[str] = ()
    env: Sequence[str] = ()
    programs: Sequence[str] = ()
    events: Sequence[str] = ()
    trace_json: str = ""

    @property
    def flags(self) -> dict[str, Any]:
        """What the first event says of it."""
        return {
            "args": dict(self.args), "handler": self.handler, "target": self.target, "max_steps": self.max_steps,
            "allow_shell": self.allow_shell,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Started:
    """`start.json`: the order, and what was found out when the run started. `files` are digests of the copies."""

    order: Order
    constants: Mapping[str, Any]
    files: Mapping[str, str]

    @property
    def source(self) -> str:
        """The digest of everything that the program consists of."""
        return digest_fields(("file", name, digest) for name, digest in sorted(self.files.items()))

    def to_bytes(self) -> bytes:
        data = {**asdict(self.order), "constants": dict(self.constants), "files": dict(self.files)}
        return (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode()


def start(root: Path, order: Order, services: Services) -> RunFolder:
    """Make the folder of a run, ready to be executed. Raises SpakError, and there is no folder then."""
    program = load_program(root, order.program)
    part = choose(program, order.name)
    if order.events and not isinstance(part, Service):
        hint = "give what it is to work on with `--arg`"
        raise SpakError(Diagnostic("SPK921", f"{part.name} is no service_loop: it takes no events", None, hint))
    order = replace(order, name=part.name, args=arguments(part, order.args))
    sources = {name: (root / name).read_bytes() for name in files_of(root, program)}
    own = [sources[name] for name in program.files]
    constants = dict(services.constants(order.target, own)) if order.target else {}
    folder = new_run(root)
    digests = {name: sha256_bytes(data) for name, data in sources.items()}
    try:
        for name, data in sources.items():
            atomic.write(folder.program / name, data)
        atomic.write(folder.start, Started(order, constants, digests).to_bytes())
    except SpakError:
        shutil.rmtree(folder.path, ignore_errors=True)
        raise
    return folder


def files_of(root: Path, program: Program) -> list[str]:
    """What has to be there for a program to be read again: its files, and those of the targets that it may name."""
    targets = (path.relative_to(root).as_posix() for path in (root / "targets").glob("*.toml"))
    return sorted({*program.files, *targets})


def started(folder: RunFolder) -> Started:
    """What a run was started with. Raises SpakError where that is damaged, or where a copy is no longer what it was."""
    data = folder.read(folder.start)
    shown = f"{folder.shown}/start.json"
    try:
        order = Order(**{one.name: data[one.name] for one in fields(Order)})
        found = Started(order, data["constants"], data["files"])
        if wrong := next((name for name, holds in _holds(found) if not holds), ""):
            raise TypeError(f"{wrong!r} is not what it can be")
        for name, digest in found.files.items():
            copy = folder.program / name
            if not copy.is_file() or sha256_bytes(copy.read_bytes()) != digest:
                hint = "a run is executed as it was started: restore the file, or start another"
                what = f"the run's copy of {name} has been changed"
                raise SpakError(Diagnostic("SPK935", what, Span(f"{folder.shown}/program/{name}"), hint))
    except (KeyError, TypeError, AttributeError, OSError) as error:
        what = f"start.json is damaged: {f'it lacks {error}' if isinstance(error, KeyError) else error}"
        raise SpakError(Diagnostic("SPK935", what, Span(shown), "start another run with `spak run`")) from None
    return found


def _holds(begun: Started) -> Iterator[tuple[str, bool]]:
    """Whether each part of a start is of its type, and each path and digest one."""
    order = begun.order
    for name in ("program", "name", "handler", "answers", "target", "trace_json"):
        text = getattr(order, name)
        yield name, isinstance(text, str) and "\0" not in text
    for name in ("roots", "env", "programs", "events"):
        texts = getattr(order, name)
        yield name, isinstance(texts, list) and all(isinstance(one, str) and "\0" not in one for one in texts)
    yield "max_steps", type(order.max_steps) is int and 0 <= order.max_steps < 1 << 63
    yield "allow_shell", isinstance(order.allow_shell, bool)
    yield "args", isinstance(order.args, dict) and not unrecordable(order.args)
    numbers: Iterable[Any] = begun.constants.values() if isinstance(begun.constants, dict) else [None]
    yield "constants", all(type(one) in {int, float} and abs(one) < 1e300 for one in numbers)
    yield "files", isinstance(begun.files, dict) and order.program in begun.files


# ---- which part of the program ----


def choose(program: Program, name: str) -> Part:
    """The procedure, service or search called `name`; without one the only one there is, or the only agent_loop, or
    task.
    """
    parts: dict[str, Part] = {
        **program.procedures, **program.services, **{key: searching(one) for key, one in program.loops.items()},
    }  # fmt: skip
    place = Span(program.file)
    if name:
        if name in parts:
            return parts[name]
        raise SpakError(Diagnostic("SPK920", f"there is no {name!r} to run", place, near(name, parts, "there are")))
    if len(parts) == 1:
        return next(iter(parts.values()))
    for kind in PREFERRED:
        found = [one for one in program.procedures.values() if one.kind == kind]
        if len(found) == 1:
            return found[0]
        if found:
            break
    if not parts:
        what, hint = (
            "nothing here can be run",
            "write a `task`, `agent_loop`, `workflow`, `service_loop` or `engineering_loop`",
        )
    else:
        what, hint = f"which of {', '.join(parts)} is to run?", f"name it: spak run {program.file} {next(iter(parts))}"
    raise SpakError(Diagnostic("SPK920", what, place, hint))


def searching(loop: EngineeringLoop) -> Procedure:
    """A search that is run by itself: one step."""
    call = ToolCall("engineering_loop", Fields((("name", Template(loop.name)),)), loop.name, span=loop.span)
    return Procedure(
        "engineering_loop", loop.name, (Step(loop.name, loop.name, (call,), span=loop.span),), span=loop.span
    )


def limits_of(program: Program, part: Part, order: Order) -> list[Limits]:
    """Every limit that holds: the contract's, the part's own, the command line's."""
    return [program.contract.limits, part.limits, Limits(max_steps=order.max_steps)]


# ---- arguments ----


def arguments(part: Part, given: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments by name, each of its parameter's type. Raises SpakError with everything that is wrong with them."""
    params = part.params if isinstance(part, Procedure) else ()
    types = {one.name: one.type.kind for one in params}
    values = {name: read(one, types.get(name, "any")) for name, one in given.items()}
    return bound(params, values, {}, part.name, "SPK921")


def read(given: Any, kind: str) -> Any:
    """A value of the command line: text where text is declared, else the JSON that it is, else text."""
    if kind == "string" or not isinstance(given, str):
        return given
    try:
        return json.loads(given)
    except ValueError:
        return given
