"""What a run's tools may touch: folders, variables, programs, shells. Knows no tool.

The command line allows, and the program's contract says what of it is used: a program only ever narrows. What nobody has
mentioned has the default of `Allowed`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from spak.errors import Diagnostic, SpakError, Span
from spak.semantics.program import Contract

#: Variables that a child always sees: without them hardly a program works, and none of them is a secret.
BASE = frozenset({
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TERM", "NO_COLOR", "VIRTUAL_ENV",
    "LD_LIBRARY_PATH", "PYTHONPATH", "SOURCE_DATE_EPOCH", "SPAK_CACHE", "LC_ALL", "LC_COLLATE", "LC_CTYPE", "LC_MESSAGES",
    "LC_MONETARY", "LC_NUMERIC", "LC_TIME",
})  # fmt: skip
#: Parts of names that look like a secret's: a contract alone cannot ask for them.
SECRETS = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "AUTH", "COOKIE", "SESSION")

SILENT = Contract()


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the command line allows. `roots` are folders beside the project, `env` names that a contract may then ask for
    though they look like secrets, `programs` the only ones that may be started (empty: any), `shell` that `shell: true`
    needs no approval.
    """

    roots: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    shell: bool = False


DEFAULT = Allowed()


@dataclass(frozen=True, slots=True)
class Policy:
    """`roots` are paths relative to the project ("." is all of it), or absolute where the command line names them.

    `project` is the project's absolute path. `env` are the names that reach a child; `programs` None is any. `shell`: whether
    a step may say `shell: true` at all; `allow_shell`: whether it then needs no approval. `timeout` (seconds) and
    `output_bytes` hold where a step says nothing.
    """

    roots: tuple[str, ...] = (".",)
    env: frozenset[str] = BASE
    programs: frozenset[str] | None = None
    shell: bool = True
    allow_shell: bool = False
    project: Path = Path()
    dry_run: bool = False
    timeout: float = 600.0
    output_bytes: int = 1 << 20

    def environment(self, all: Mapping[str, str]) -> dict[str, str]:
        """The variables that a child inherits."""
        return {name: all[name] for name in sorted(all) if name in self.env}


def secret(name: str) -> bool:
    """Whether a variable's name is like that of a secret."""
    return any(part in name.upper() for part in SECRETS)


def make(
    root: Path,
    contract: Contract = SILENT,
    allowed: Allowed = DEFAULT,
    *,
    span: Span | None = None,
    dry_run: bool = False,
) -> Policy:
    """The policy of a run. Raises SpakError with everything that the contract wants and the command line does not allow."""
    found: list[Diagnostic] = []
    roots = _roots(root, contract.roots, allowed.roots, span, found)
    asked = frozenset(contract.env)
    for name in sorted(one for one in asked if secret(one) and one not in allowed.env):
        what = f"the contract wants {name}, which looks like a secret"
        found.append(Diagnostic("SPK942", what, span, f"allow it where the run is started: `--env {name}`"))
    programs: frozenset[str] | None = frozenset(contract.programs) or None
    if allowed.programs:
        for name in sorted((programs or frozenset()) - set(allowed.programs)):
            what = f"the contract wants to start {name!r}"
            found.append(Diagnostic("SPK942", what, span, f"allow it where the run is started: `--program {name}`"))
        programs = frozenset(allowed.programs) if programs is None else programs & set(allowed.programs)
    if found:
        raise SpakError(*found)
    return Policy(
        roots=roots,
        env=BASE | asked,
        programs=programs,
        shell=contract.shell is not False,
        allow_shell=allowed.shell,
        project=root.resolve(),
        dry_run=dry_run,
    )


def _roots(
    root: Path, wanted: tuple[str, ...], allowed: Iterable[str], span: Span | None, found: list[Diagnostic]
) -> tuple[str, ...]:
    """The contract's roots, each of which must lie in the project or in a root of the command line."""
    outside = [Path(one).resolve() for one in allowed]
    if not wanted:
        return tuple(dict.fromkeys((".", *(str(one) for one in outside))))
    roots = []
    for one in wanted:
        path = Path(one)
        inside = not path.is_absolute() and ".." not in path.parts
        if inside or any(path.is_relative_to(there) and ".." not in path.parts for there in outside):
            roots.append(str(PurePosixPath(one)))
            continue
        what = f"the contract's root {one!r} lies outside of the project"
        found.append(Diagnostic("SPK942", what, span, f"allow it where the run is started: `--root {one}`"))
    return tuple(roots)
