"""Calls of the host's library that do not exist on a device. Knows only names."""

from __future__ import annotations

from spak.sim.work import Work

CALLS = frozenset(
    {
        *("abort", "exit", "_exit", "quick_exit", "atexit", "getenv", "setenv", "putenv", "secure_getenv", "system"),
        *("popen", "fork", "vfork", "execl", "execlp", "execv", "execve", "execvp", "fopen", "freopen"),
        *("fclose", "fread", "fwrite", "fgets", "fputs", "fprintf", "fscanf", "scanf", "puts", "signal"),
        *("raise", "dlopen", "dlsym", "pthread_create", "rand", "srand", "time", "sleep", "usleep"),
        *("gettimeofday", "clock_gettime", "cudaMemcpy", "cudaMemcpyAsync", "cudaMalloc", "cudaMemset"),
    }
)
_ENDS = frozenset({"abort", "exit", "_exit", "quick_exit"})  # calls that end the program
_OBJECTS = frozenset({"thread", "jthread", "async", "mutex", "cout", "cerr", "ifstream", "ofstream", "fstream"})
# Names that are calls of the device too, or common names of a program's own functions, where no header declares the host's.
_LIKELY_OWN = frozenset({"time", "rand", "raise", "signal", "puts"})


def call(work: Work, i: int) -> None:
    """Report the name at `i` if device code calls a function of the host's by it."""
    name = work.at(i)
    if name in _OBJECTS and work.at(i - 1) == "::" and work.at(i - 2) == "std":
        if _on_device(work, i):
            _report(work, i, f"std::{name}")
        return
    if name not in CALLS or work.at(i + 1) != "(" or work.at(i - 1) in (".", "->"):
        return
    qualified = work.at(i - 1) == "::"
    if qualified and work.code[i - 2].kind == "name" and work.at(i - 2) not in ("std", "return"):
        return
    if not qualified and i and work.code[i - 1].kind == "name" and work.at(i - 1) not in ("return", "else", "do"):
        return  # a declaration: `int time(...)`
    if not qualified and name in _LIKELY_OWN and not work.context.foreign:
        return
    if _on_device(work, i):
        _report(work, i, name)
    elif name in _ENDS and work.context.foreign and work.shape.runs_on_both(i):
        _refuse_later(work, i, name)


def _on_device(work: Work, i: int) -> bool:
    return work.shape.runs_on_device(i)


def _refuse_later(work: Work, i: int, name: str) -> None:
    """The host may call it; when a thread of a kernel does, the launch ends with a finding rather than the program."""
    begin = i
    if work.at(i - 1) == "::":
        begin = i - 2 if work.at(i - 2) == "std" else i - 1
    said = f"device code calls `{name}`, which exists on the host only"
    stop = f'::spak::sim::fail("forbidden-call", "{said}", ::spak::sim::here())'
    work.edits.headers.add("spak/sim/engine.h")  # a file that is no CUDA may include this one
    work.insert(work.code[begin].begin, f"(::spak::sim::current ? {stop} : static_cast<void>(0), ")
    work.insert(work.code[i].end, ")")


def _report(work: Work, i: int, name: str) -> None:
    hint = "compute on the host what the kernel needs, and pass it"
    work.error("SPK573", f"device code calls `{name}`, which exists on the host only", work.code[i], hint)
