"""Which symbols a module may need, and which its device code may: everything else is refused by name. Knows no plan.

A kernel that calls a library, starts a thread or opens a file has to name a function to do so: the undefined symbols of
its object show it, whatever its source looked like. What it defines may not stand in for what the runtime calls, either.
"""

from __future__ import annotations

import re
from functools import cache

from spak.build.elf import Facts
from spak.errors import Diagnostic, Span
from spak.model.evidence import Check

# Patterns that a whole name must match, in groups by what they are for.
_ARITHMETIC = (
    "a?(sin|cos|tan)h?|atan2|sincos|exp(2|m1|10)?|log(2|10|1p|b)?|pow|sqrt|cbrt|hypot|erfc?|[lt]gamma",
    "ceil|floor|l?l?round|trunc|rint|l?l?rint|nearbyint|fmod|remainder|remquo|fma|fmax|fmin|fdim|fabs|copysign",
    "nextafter|scalbl?n|ldexp|frexp|modf|ilogb|nan",
)
_MATH = (rf"({'|'.join(_ARITHMETIC)})[fl]?", rf"(__)?({'|'.join(_ARITHMETIC)})[fl]?_finite")
_MEMORY = ("mem(cpy|set|move|cmp)",)
_COMPILER = ("_GLOBAL_OFFSET_TABLE_", "__stack_chk_fail", "_Unwind_Resume", "__gxx_personality_v0", r"__\w+[tsd]i[234]")
_OPENMP = (r"GOMP_\w+", r"omp_(get|in)_\w+")
_SIMULATOR = (r"_ZT?[HW]?N4spak3sim\w+", r"spak_sim_\w+")
_CPLUSPLUS = (r"_Z[NKTSdn]\w+", r"__cxa_\w+", r"__gxx_\w+", r"_Unwind_\w+", "__dynamic_cast", "__dso_handle")
_PYTHON = (r"_?Py\w+",)
_LIBC = (
    r"mem\w+|str\w+|bcmp|bsearch|qsort|abs|__isoc\w+|malloc|calloc|realloc|free|aligned_alloc|posix_memalign|abort",
    r"__\w+_chk|v?snprintf|v?asprintf|f?printf|fput[cs]|fwrite|fflush|stderr|stdout|__assert_fail|__errno_location",
    "dlopen|dlsym|dlerror|dl_iterate_phdr|getenv|__tls_get_addr|__libc_single_threaded|__gmon_start__",
)
#: What the simulator's own engine and C++'s threads need: stacks with guard pages, signals for faults, workers.
_THREADS = (
    r"mmap(64)?|munmap|mprotect|madvise|getpagesize|sysconf|syscall|(__)?sched_\w+|clock_gettime|nanosleep",
    r"sigaltstack|sigaction|sig\w+|raise|_?_?pthread_\w+|__once_proxy|timer_\w+|__libc_current_sigrtm\w+|gettid",
)
#: What the simulator's engine tells AddressSanitizer where that is loaded, and else finds missing.
_SANITIZER = (r"__asan_(un)?poison_memory_region|__sanitizer_(start|finish)_switch_fiber",)

#: What device code of an engine may call. CUDA code runs elsewhere, and has no object of its own.
_DEVICE = {
    "host": (*_MATH, *_MEMORY, *_COMPILER),
    "sim": (*_MATH, *_MEMORY, *_COMPILER, *_SIMULATOR, *_CPLUSPLUS, "__tls_get_addr", "abort", "__assert_fail"),
}
#: The same device code, compiled so that it tells the simulator's checkers of its accesses.
_DEVICE["checked"] = (*_DEVICE["sim"], r"__tsan_\w+", r"__ubsan_handle_\w+")
_MODULE = (*_MATH, *_MEMORY, *_COMPILER, *_OPENMP, *_CPLUSPLUS, *_PYTHON, *_LIBC, *_THREADS, *_SANITIZER, r"_ITM_\w+")
#: The same for definitions that give way to others, as inline functions do: the linker keeps whichever it meets first.
_STOLEN = ("main|_start|_init|_fini|environ", r"_Z\w*4spak(7runtime|4expr)\w*", r"_Zn[wa]\w+", r"_Zd[la]\w+")
#: Where the simulator's hooks begin and end: the linker makes them, protected, which gives way to no other module's.
_BOUNDS = frozenset({"__start_spak_sim_hooks", "__stop_spak_sim_hooks"})
#: Names that a definition in device code would take away from the runtime, or from Python.
_RESERVED = (*_MEMORY, *_PYTHON, *_LIBC, *_THREADS, *_OPENMP, r"__\w+", r"_ZN4spak3sim\w+", r"spak_sim_\w+", *_STOLEN)


def device_code(facts: Facts, engine: str, openmp: bool, source: str) -> tuple[Check, tuple[Diagnostic, ...]]:
    """The model's object file: what it may call and define, and that nothing of it runs when the module is loaded."""
    allowed = (*_DEVICE[engine], *(_OPENMP if openmp else ()))
    place, found = Span(source), []
    for name in _unmatched(facts.undefined, allowed):
        message = f"device code needs {name!r}, which is not among what kernels may call"
        found.append(Diagnostic("SPK508", message, place, "kernels compute; they call no library"))
    weak = (*_MEMORY, *_PYTHON, *_LIBC, *_THREADS, *_STOLEN)
    taken = {*facts.defined} - {*_unmatched(facts.defined, _RESERVED)} | {*facts.weak} - {*_unmatched(facts.weak, weak)}
    for name in sorted(taken):
        message = f"device code defines {name!r}, which would take the place of another function of that name"
        found.append(Diagnostic("SPK508", message, place, "choose another name"))
    if facts.constructors and engine == "host":
        message = f"device code has {facts.constructors} constructors that run when the module is loaded"
        found.append(Diagnostic("SPK509", message, place, "use constexpr for tables, and no objects with constructors"))
    if facts.writable and engine == "host":
        message = f"device code keeps state between calls, in {', '.join(facts.writable)}"
        found.append(
            Diagnostic("SPK508", message, place, "use locals, constexpr tables, or a [[workspace]] of the plan")
        )
    figures = {"undefined": list(facts.undefined), "constructors": facts.constructors}
    verdict = "failed" if found else "passed"
    return Check(name="symbols of the device code", verdict=verdict, figures=figures), tuple(found)


def module(facts: Facts, init: str, source: str) -> tuple[Check, tuple[Diagnostic, ...]]:
    """The finished module: what it may need, and that it exports its init function alone."""
    place, found = Span(source), []
    plain = tuple(name.partition("@")[0] for name in facts.undefined)
    for name in _unmatched(plain, _MODULE):
        message = f"the module needs {name!r}, which is not on the list of what modules may need"
        found.append(Diagnostic("SPK508", message, place))
    exported = tuple(name for name in facts.defined if name not in _BOUNDS)
    if exported != (init,):
        there = ", ".join(exported) or "nothing"
        found.append(Diagnostic("SPK508", f"the module exports {there} instead of {init} alone", place))
    figures = {"undefined": len(plain), "constructors": facts.constructors}
    verdict = "failed" if found else "passed"
    return Check(name="symbols of the module", verdict=verdict, figures=figures), tuple(found)


def _unmatched(names: tuple[str, ...], patterns: tuple[str, ...]) -> list[str]:
    matcher = _compiled(patterns)
    return [name for name in names if not matcher.fullmatch(name)]


@cache
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))
