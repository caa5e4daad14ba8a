"""Which symbols a module may need, and which its device code may: everything else is refused by name. Knows no plan.

A kernel that calls a library, starts a thread or opens a file has to name a function to do so: the undefined symbols of its
object show it, whatever its source looked like.
"""

from __future__ import annotations

import re

from spak.build.elf import Facts
from spak.errors import Diagnostic, Span
from spak.model.evidence import Check

_MATH = (
    "a?(sin|cos|tan)h?|atan2|exp(2|m1|10)?|log(2|10|1p|b)?|pow|sqrt|cbrt|hypot|erfc?|[lt]gamma|ceil|floor|l?l?round|trunc|rint|l?l?rint"
    "|nearbyint|fmod|remainder|remquo|fma|fmax|fmin|fdim|fabs|copysign|nextafter|scalbl?n|ldexp|frexp|modf|ilogb|nan|sincos"
)
_PLAIN = rf"({_MATH})[fl]?|(__)?({_MATH})[fl]?_finite|mem(cpy|set|move|cmp)|_GLOBAL_OFFSET_TABLE_|__stack_chk_fail|_Unwind_Resume|__gxx_personality_v0"
_OPENMP = r"GOMP_\w+|omp_(get|in)_\w+"

#: What device code of an engine may call, beside arithmetic. The rewritten source of the simulator calls the simulator.
_DEVICE = {
    "host": _PLAIN,
    "sim": rf"{_PLAIN}|_ZN4spak3sim\w+|_ZTI\w*|_ZTVN\w*|_ZNK?St\w+|_ZSt\w+|__cxa_\w+|_Z[dn][la]\w*|__tls_get_addr|abort|__assert_fail|_ZT[HW]\w*N4spak3sim\w+",
}

#: What any finished module may need: Python, the C++ and C libraries' harmless part, the dynamic loader.
_LIBC = (
    r"mem\w+|str\w+|malloc|calloc|realloc|free|aligned_alloc|posix_memalign|abort|__stack_chk_fail|__\w+_chk|v?snprintf|v?asprintf|f?printf|fput[cs]|fwrite|fflush|stderr|stdout"
    r"|dlopen|dlsym|dlerror|dl_iterate_phdr|getenv|__errno_location|__assert_fail|__tls_get_addr|sysconf|(__)?sched_\w+|__\w+ti[34]|syscall|bcmp|bsearch|qsort|abs|strto\w+|__isoc\w+"
    r"|mmap64|mmap|munmap|mprotect|madvise|getpagesize|sigaltstack|sigaction|sigemptyset|sig\w+|raise|pthread_\w+|__pthread\w+|clock_gettime|nanosleep|std\w+"
)
_MODULE = rf"_?Py\w+|_Z[NKTSdn]\w+|__cxa_\w+|__gxx_\w+|_Unwind_\w+|__gmon_start__|__dynamic_cast|__libc_single_threaded|_ITM_\w+|__dso_handle|{_LIBC}|({_MATH})[fl]?|__\w+_finite|{_OPENMP}"


def device_code(facts: Facts, engine: str, openmp: bool, source: str) -> tuple[Check, tuple[Diagnostic, ...]]:
    """The model's object file: what it may call, and that nothing of it runs when the module is loaded."""
    allowed = re.compile(f"{_DEVICE[engine]}|{_OPENMP}" if openmp else _DEVICE[engine])
    foreign = [name for name in facts.undefined if not allowed.fullmatch(name)]
    found = [
        Diagnostic(
            "SPK508",
            f"device code needs {name!r}, which is not among what kernels may call",
            Span(source),
            "kernels compute; they call no library",
        )
        for name in foreign
    ]
    if facts.constructors and engine == "host":
        message = f"device code has {facts.constructors} constructors that run when the module is loaded"
        found.append(
            Diagnostic("SPK509", message, Span(source), "use constexpr for tables, and no objects with constructors")
        )
    figures = {"undefined": list(facts.undefined), "constructors": facts.constructors}
    return Check(name="symbols of the device code", verdict="failed" if found else "passed", figures=figures), tuple(
        found
    )


def module(facts: Facts, init: str, source: str) -> tuple[Check, tuple[Diagnostic, ...]]:
    """The finished module: what it may need, and that it exports its init function alone."""
    allowed = re.compile(_MODULE)
    plain = [name.partition("@")[0] for name in facts.undefined]
    found = [
        Diagnostic(
            "SPK508", f"the module needs {name!r}, which is not on the list of what modules may need", Span(source)
        )
        for name in plain
        if not allowed.fullmatch(name)
    ]
    if facts.exported != (init,):
        found.append(
            Diagnostic(
                "SPK508", f"the module exports {', '.join(facts.exported) or 'nothing'} instead of {init}", Span(source)
            )
        )
    figures = {"undefined": len(plain), "constructors": facts.constructors}
    return Check(name="symbols of the module", verdict="failed" if found else "passed", figures=figures), tuple(found)
