"""Ways round the other rules: reserved names, comments that end where they seem not to, state inside constants, fixed
addresses. Knows no grammar.

Reserved names of C++ kernels are an allow-list: compilers and their headers define thousands, among them the ones that
read the thread's own storage, the stack, clocks, random numbers and the rounding mode.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from spak.check.subject import Finding, Subject
from spak.check.tokens import Token
from spak.errors import Diagnostic

NAME = "policy: evasion"
NEEDS = frozenset({"text"})

_MATH = (
    "sqrt|cbrt|fabs|fma|fmin|fmax|exp|exp2|exp10|expm1|log|log2|log10|log1p|pow|a?sinh?|a?cosh?|a?tanh?|atan2|floor|ceil|trunc|"
    "l?l?round|l?l?rint|roundeven|nearbyint|copysign|ldexp|frexp|erfc?|[lt]gamma|hypot|fmod|inf|nan|huge_val"
)
_BUILTINS = re.compile(
    rf"__builtin_(?:(?:{_MATH})[fl]?|expect|expect_with_probability|assume|assume_aligned|prefetch|unreachable|bit_cast"
    r"|is_constant_evaluated|constant_p|shuffle|shufflevector|convertvector|mem(?:cpy|move|set|cmp)|abs|l?labs"
    r"|(?:clz|ctz|popcount|ffs|parity|clrsb)l{0,2}|bswap(?:16|32|64)|(?:add|sub|mul)_overflow"
    r"|is(?:nan|inf|finite|normal|inf_sign|less|greater|lessequal|greaterequal|unordered)|signbit[fl]?)"
)
#: Names with an underscore in front that C++ kernels may use.
_ALLOWED = re.compile(
    r"_mm(?:256|512)?_\w+|_k\w+_mask\w+|_MM_(?:SHUFFLE\w*|FROUND_\w+|HINT_\w+|PERM_\w+|TRANSPOSE4_PS)|_CMP_\w+"
    r"|_(?:pext|pdep|tzcnt|lzcnt|popcnt|bzhi|bextr|blsr|blsi|blsmsk|andn|mulx|rotl|rotr|bit_scan_\w+)\w*|_bswap(?:64)?"
    r"|__m\d+[idh]?(?:_u)?|__m\d+bh|__mmask\d+|__u?int128(?:_t)?|_Float\d+|__float128|__bf16|__restrict(?:__)?|__inline(?:__)?"
    r"|__attribute(?:__)?|__extension__|__alignof__|__typeof__|__func__|__VA_ARGS__|_OPENMP|__(?:AVX|SSE|FMA|F16C|BMI)\w*"
    r"|__(?:BYTE_ORDER__|ORDER_\w+_ENDIAN__|CHAR_BIT__|SIZEOF_\w+__)|_"
)
#: Of those, the ones that read or change what outlives a call, or another's caches.
_DENIED = re.compile(
    r"_mm(?:256|512)?_(?:[sg]etcsr|clflush\w*|clwb|cldemote|u?monitorx?|u?mwaitx?|tpause|malloc|free|pause_?\w+)|_MM_SET_\w+|_MM_GET_\w+"
)
#: Those of the C library, which `policy: text` knows by their plain names.
_LIBRARY = re.compile(r"__builtin_(?:v?[fs]?n?printf|puts|putchar|.*alloc\w*|free|abort|exit|_exit|(?:set|long)jmp)")
_ADDS = "keep to arithmetic intrinsics (_mm*_...) and the common builtins"

#: Names by which a source could tell one compiler, or the simulator, from another.
_TELLING = re.compile(
    r"SPAK_\w+|__SPAK\w*|__cplusplus|__CUDACC\w*|__NVCC\w*|__GNU[CG]\w*|__clang\w*|__OPTIMIZE\w*__|NDEBUG|__SANITIZE_\w+|__VERSION__"
    r"|__has_\w+|__cpp_\w+|__STDC\w*|__EDG\w*|__EXCEPTIONS|__GXX\w*|__GLIBC\w*|__NVPTX__|__ELF__|__FAST_MATH__"
    r"|__?(?:linux|unix|x86_64|amd64|aarch64|i386)(?:__)?|__(?:AVX|SSE|FMA)\w*__|_WIN32"
)
_IN_CONDITIONS = frozenset(("if", "ifdef", "ifndef", "elif", "elifdef", "elifndef"))  # judged by policy: text

#: Of std, what CUDA sources can have: their compiler brings no standard library.
_CUDA_STD = re.compile(
    r"move|forward|initializer_list|u?int\d+_t|u?intptr_t|size_t|ptrdiff_t|nullptr_t|is_constant_evaluated|bit_cast"
)
_PARTS = frozenset(("sim", "runtime", "expr"))  # of the namespace spak: the compiler's own


def check(subject: Subject) -> Iterable[Finding]:
    tokens = subject.source.tokens
    yield from _comments(subject)
    code = [token for token in tokens if token.kind != "comment"]
    for at, token in enumerate(code):
        if token.kind == "name":
            yield from _name(subject, code, at)
        elif token.kind == "number" and _is_address(code, at):
            message = f"{token.text} is used as an address"
            yield _found(subject, "SPK422", token, message, "a kernel reads and writes its arguments only")


def _found(subject: Subject, code: str, token: Token, message: str, hint: str) -> Diagnostic:
    return Diagnostic(code, message, subject.source.at(token.line, token.col, len(token.text.split("\n")[0])), hint)


def _comments(subject: Subject) -> Iterator[Diagnostic]:
    """Compilers join lines before they look for comments, and let blanks follow the backslash."""
    for token in subject.source.tokens:
        if token.kind != "comment":
            continue
        if token.text.startswith("/*") and re.search(r"\*(?:\\[ \t\f\v\r]*\n)+/", token.text):
            yield _found(subject, "SPK426", token, "a comment's end is split over two lines", "write */ in one piece")
        elif token.text.startswith("//") and re.search(r"\\[ \t\f\v\r]+$", token.text):
            message = "a comment ends in a backslash, which makes the next line a comment"
            yield _found(subject, "SPK426", token, message, "remove the backslash")


def _name(subject: Subject, code: list[Token], at: int) -> Iterator[Diagnostic]:
    token, name = code[at], code[at].text
    before = code[at - 1].text if at else ""
    after = code[at + 1].text if at + 1 < len(code) else ""
    cuda = subject.source.dialect == "cuda"
    if token.directive in ("include", "pragma"):
        return
    if name == "mutable" and before != ")":
        message = "a mutable member can change inside a constant, and so keeps state between launches"
        yield _found(subject, "SPK423", token, message, "drop mutable")
    elif name == "spak" and before == "namespace" and after != "::":
        yield _found(subject, "SPK426", token, "the namespace spak is opened", "define your own names outside it")
    elif name in _PARTS and before == "::" and code[at - 2].text == "spak":
        yield _found(
            subject, "SPK422", token, f"spak::{name} is the compiler's own", "kernels use <spak/cuda/> or <spak/cpu/>"
        )
    elif cuda and before == "::" and code[at - 2].text == "std" and not _CUDA_STD.fullmatch(name):
        hint = "CUDA sources have no standard library: use the headers under <spak/cuda/>"
        yield _found(subject, "SPK422", token, f"std::{name} is not there for device code", hint)
    elif _telling(name, cuda) and token.directive not in _IN_CONDITIONS:
        hint = "what is verified must be what is shipped: write one source for all"
        yield _found(subject, "SPK435", token, f"{name} tells the simulator or the compiler apart", hint)
    elif name.startswith("__builtin_") and not (_BUILTINS.fullmatch(name) or _LIBRARY.fullmatch(name)):
        yield _found(subject, "SPK422", token, f"{name!r} is not among the builtins that kernels may use", _ADDS)
    elif not cuda and name.startswith("_") and _reserved(subject, name, after):
        yield _found(subject, "SPK422", token, f"{name!r} is not among the reserved names that kernels may use", _ADDS)


def _telling(name: str, cuda: bool) -> bool:
    return bool(_TELLING.fullmatch(name)) and (cuda or not _ALLOWED.fullmatch(name))


def _reserved(subject: Subject, name: str, after: str) -> bool:
    """Whether a name with an underscore in front is the compiler's, and not one that kernels may use."""
    if _DENIED.fullmatch(name):
        return True
    if _ALLOWED.fullmatch(name) or name.startswith("__builtin_"):
        return False
    # `_x` is the source's own, as a rule; called, it is one of the headers' unless the source defines it.
    own = not re.match(r"__|_[A-Z]", name)
    return not own or (after == "(" and name not in subject.source.function_names)


def _is_address(code: list[Token], at: int) -> bool:
    """`(T*)0x1234` and `reinterpret_cast<T*>(0x1234)`; zero is a null pointer."""
    if not re.search(r"[1-9a-fA-F]", code[at].text.removeprefix("0x")):
        return False
    before = [token.text for token in code[max(0, at - 12) : at]]
    if before[-2:] == ["*", ")"]:
        return True
    if before[-1:] != ["("] or "reinterpret_cast" not in before:
        return False
    start = len(before) - 1 - before[::-1].index("reinterpret_cast")
    return before[-2:-1] == [">"] and "*" in before[start:] and "(" not in before[start:-1]
