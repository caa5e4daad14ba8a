"""A filter of system calls for a process that will run foreign code. Knows numbers, not why any one is called.

What remains possible is computing in the memory that the process has, threads, and reading files. A call that the filter
forbids fails with EPERM; `clone3`, whose flags a filter cannot see, with ENOSYS, upon which libc falls back to `clone`.
"""

from __future__ import annotations

import ctypes
import platform
import struct

#: Numbers on x86-64.
_FORBIDDEN = {
    "programs and processes": (57, 58, 59, 322),  # fork vfork execve execveat
    "signals to others": (62, 129, 200, 297, 424, 434, 438),  # kill rt_sigqueueinfo tkill rt_tgsigqueueinfo pidfd_*
    "others' memory": (101, 310, 311, 312, 323, 440),  # ptrace process_vm_* kcmp userfaultfd process_madvise
    "sockets": (41, 42, 43, 44, 46, 49, 50, 53, 288),  # socket connect accept send* bind listen socketpair
    "shared memory and queues": (29, 30, 64, 68, 69, 71, 240),  # shmget shmat semget msgget msg* mq_open
    "limits and privileges": (105, 106, 117, 119, 126, 135, 160, 302, 272, 308, 161, 155, 165, 166, 428, 429, 442),
    "the kernel itself": (169, 175, 176, 246, 248, 249, 250, 298, 304, 313, 320, 321, 425, 426, 427),
}
_CLONE, _CLONE3 = 56, 435
_CLONE_THREAD = 0x00010000
_AUDIT_X86_64 = 0xC000003E
_ALLOW, _EPERM, _ENOSYS, _KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
_LOAD, _JEQ, _JGE, _JSET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NR, _ARCH, _ARG0 = 0, 4, 16
_PR_SET_SECCOMP, _FILTER = 22, 2
_X32 = 0x40000000


def forbid(libc: ctypes.CDLL) -> bool:
    """Install the filter for this process and all its threads to come. False where that cannot be done."""
    if platform.machine() != "x86_64":
        return False
    code = program()
    held = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("HxxxxxxQ", len(code) // 8, ctypes.addressof(held))
    return bool(libc.prctl(_PR_SET_SECCOMP, _FILTER, ctypes.c_char_p(header), 0, 0) == 0)


def program() -> bytes:
    """The filter: one test a number, in order, then what is allowed."""
    lines: list[tuple[int, int, int, int]] = [
        (_LOAD, 0, 0, _ARCH),
        (_JEQ, 1, 0, _AUDIT_X86_64),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NR),
        (_JGE, 0, 1, _X32),
        (_RETURN, 0, 0, _EPERM),
        (_JEQ, 0, 1, _CLONE3),
        (_RETURN, 0, 0, _ENOSYS),
        (_JEQ, 0, 4, _CLONE),
        (_LOAD, 0, 0, _ARG0),
        (_JSET, 1, 0, _CLONE_THREAD),
        (_RETURN, 0, 0, _EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]
    for number in sorted({number for numbers in _FORBIDDEN.values() for number in numbers}):
        lines += [(_JEQ, 0, 1, number), (_RETURN, 0, 0, _EPERM)]
    lines.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("HBBI", *line) for line in lines)
