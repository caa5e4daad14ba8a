"""Shut a child in: no network, no writes, no signals or ptrace outside. Knows nothing of what the child runs.

bubblewrap where it is installed and allowed; else the child confines itself before it loads anything foreign, with
what the kernel offers: a network namespace of its own, Landlock, and a filter of system calls. `confine` returns which, in
words, for the evidence.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from spak.effects.seccomp import forbid

_SYS_LANDLOCK_CREATE, _SYS_LANDLOCK_ADD, _SYS_LANDLOCK_RESTRICT = 444, 445, 446  # the same on every architecture
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_NO_NEW_PRIVS, _PR_SET_DUMPABLE = 38, 4
_FS_WRITE_FILE, _FS_REFER, _FS_TRUNCATE = 1 << 1, 1 << 13, 1 << 14
_FS_CHANGES = sum(1 << bit for bit in range(4, 13))  # remove and make, of every kind


def wrap(argv: Sequence[str], *, readable: Sequence[str] = (), devices: bool = False) -> tuple[list[str], bool]:
    """The command line that runs `argv` inside bubblewrap, and whether it does; unchanged where bubblewrap cannot be
    used.

    Everything is read-only; /tmp is empty but for the working directory, the interpreter and `readable`.
    """
    program = _bubblewrap()
    if not program:
        return list(argv), False
    package = str(Path(__file__).resolve().parents[2])
    shown = {str(Path.cwd()), sys.prefix, sys.base_prefix, package, *readable}
    binds = [part for path in sorted(shown) if Path(path).exists() for part in ("--ro-bind", path, path)]
    device = ["--dev-bind", "/dev", "/dev"] if devices else ["--dev", "/dev"]
    return [program, *_BASE, *device, "--tmpfs", "/tmp", *binds, "--chdir", str(Path.cwd()), *argv], True


_BASE = ("--ro-bind", "/", "/", "--unshare-all", "--die-with-parent", "--proc", "/proc")


@lru_cache(maxsize=1)
def _bubblewrap() -> str:
    """The path of a bubblewrap that works here, or ''. Containers often forbid the namespaces it needs."""
    program = shutil.which("bwrap")
    if not program:
        return ""
    try:
        done = subprocess.run([program, *_BASE, "--dev", "/dev", "true"], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return program if done.returncode == 0 else ""


def confine(*, inside_bubblewrap: bool = False, devices: bool = False) -> str:
    """Called by the child itself, before it loads anything foreign: give up what it will not need.

    Each layer is tried; the answer names those that held, so that evidence never claims one that was missing.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    held = ["bubblewrap"] if inside_bubblewrap else []
    if not inside_bubblewrap and _leave_network(libc):
        held.append("own network namespace")
    abi = _landlock(libc, devices)
    if abi:
        held.append("landlock")
    if not devices:
        _drop_capabilities(libc)
    if not devices and forbid(libc):
        held.append("seccomp")
    return " + ".join([*held, "rlimits"])


def _leave_network(libc: ctypes.CDLL) -> bool:
    if libc.unshare(_CLONE_NEWNET) == 0:
        return True
    return bool(libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0)


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    """Keep only the right to read what belongs to others: a root's process could look into its parent's environment."""
    version, read_search = 0x20080522, 1 << 2
    header = (ctypes.c_uint32 * 2)(version, 0)
    held = (ctypes.c_uint32 * 6)()
    if libc.capget(header, held) == 0:
        kept = held[1] & read_search
        libc.capset(header, (ctypes.c_uint32 * 6)(kept, kept, 0, 0, 0, 0))


class _Ruleset(ctypes.Structure):
    _fields_ = [("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def _landlock(libc: ctypes.CDLL, devices: bool) -> int:
    """Forbid every change of the file system, TCP, and signals to processes outside; the ABI version, 0 if there is
    none.
    """
    abi = int(libc.syscall(_SYS_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1))
    if abi < 1:
        return 0
    changes = _FS_WRITE_FILE | _FS_CHANGES
    changes |= _FS_REFER if abi >= 2 else 0
    changes |= _FS_TRUNCATE if abi >= 3 else 0
    rules = _Ruleset(changes, 0b11 if abi >= 4 else 0, 0b11 if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    handle = libc.syscall(_SYS_LANDLOCK_CREATE, ctypes.byref(rules), ctypes.c_size_t(size), 0)
    if handle < 0:
        return 0
    if devices:
        folder = os.open("/dev", os.O_PATH | os.O_CLOEXEC)
        beneath = _PathBeneath(_FS_WRITE_FILE, folder)
        libc.syscall(_SYS_LANDLOCK_ADD, handle, 1, ctypes.byref(beneath), 0)
        os.close(folder)
    restricted = libc.syscall(_SYS_LANDLOCK_RESTRICT, handle, 0)
    os.close(handle)
    return abi if restricted == 0 else 0
