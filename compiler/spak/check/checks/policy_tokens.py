"""What device code may not say, judged by its tokens: includes, macros, tricks, forbidden names. Knows no grammar.

Tokens, not syntax, because a macro's body or a branch under `#if` is opaque to the parser. Without token pasting, line
splices and the like, which are refused, a forbidden name must stand in the text to be used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from spak.check.subject import Finding, Subject
from spak.check.tokens import Token
from spak.errors import Diagnostic

NAME = "policy: text"
NEEDS = frozenset({"text"})

_CPP_HEADERS = ("cstdint", "cstddef", "cmath", "algorithm", "limits", "immintrin.h")

#: Name -> why. Matched anywhere outside comments and strings, macro bodies included.
_FORBIDDEN_BY_REASON = {
    "prints": "printf fprintf sprintf snprintf vprintf puts putchar fputs fwrite write",
    "allocates memory": "malloc calloc realloc free alloca aligned_alloc posix_memalign _mm_malloc _mm_free",
    "reaches the operating system": """system fork vfork popen execve execv execl kill exit _exit abort atexit raise
        signal syscall""",
    "reaches the loader or the page tables": "dlopen dlsym mmap mprotect munmap",
    "reads or writes files or the environment": "fopen fclose fread open ifstream ofstream fstream getenv setenv",
    "leaves the kernel's own control flow": "pthread_create thread_local setjmp longjmp ptrace",
    "needs a run-time that kernels have not": "throw try catch co_await co_yield co_return typeid dynamic_cast",
}
_FORBIDDEN = {name: reason for reason, names in _FORBIDDEN_BY_REASON.items() for name in names.split()}

_CLOCKS = frozenset(
    ("cycles", "nanoseconds", "clock", "clock64", "globaltimer", "__globaltimer", "gettimeofday", "clock_gettime", "time",
     "__rdtsc", "_rdtsc", "__rdtscp",
     "rdtsc", "chrono", "steady_clock", "system_clock", "high_resolution_clock", "__builtin_ia32_rdtsc",
     "__builtin_ia32_rdtscp")
)  # fmt: skip

#: Members of std that allocate, start threads, print or keep state; headers drag in more than their names say.
_STD_FORBIDDEN = frozenset(
    ("thread", "jthread", "async", "function", "bind", "mutex", "future", "promise", "packaged_task", "vector",
    "string", "list",
     "map", "unordered_map", "set", "deque", "unique_ptr", "shared_ptr", "make_unique", "make_shared", "allocator",
     "cout", "cerr", "ofstream", "ifstream", "filesystem", "stable_sort", "stable_partition", "inplace_merge",
     "get_temporary_buffer",
     "invoke", "random_device", "mt19937", "call_once", "condition_variable", "this_thread", "execution")
)  # fmt: skip

#: Ordinary words that are only forbidden when called: `int free = ...` is no allocation, and `time` may be a variable.
_ONLY_CALLED = frozenset(
    (
        "write",
        "free",
        "open",
        "kill",
        "exit",
        "system",
        "raise",
        "signal",
        "abort",
        "clock",
        "cycles",
        "nanoseconds",
        "time",
        "puts",
        "fork",
    )
)

_ATOMICS = re.compile(r"^(?:atomic[A-Z]\w*|__sync_\w+|__atomic_\w+|atomic_ref|atomic|red_\w+|(?:bulk|tma)_reduce_\w+)$")
_HOST_API = re.compile(r"^(?:cuda[A-Z]\w*|cu[A-Z]\w*|nvrtc[A-Z]\w*|cublas\w*|cudnn\w*)$")
_MACHINE = re.compile(
    r"^(?:SPAK_\w+|__SPAK\w+|__CUDACC__|__CUDACC_RTC__|__NVCC__|__GNUC__|__clang__|__host__|_WIN32|__linux__|__OPTIMIZE__|NDEBUG|__has_include"
    r"|__CUDACC_VER_\w+|__cplusplus|__SANITIZE_\w+)$"
)
_CACHE_CONTROL = re.compile(
    r"createpolicy|evict_last|evict_first|L2::cache_hint|prefetch\.global\.L2::evict|applypriority|discard\.global"
)
_TIMER_TEXT = re.compile(r"globaltimer|%clock")
_KEYWORD_LIST = (
    "alignas asm auto bool break case catch char class const continue default delete do double else enum "
    "extern false float for goto if int long namespace new operator private public return short signed sizeof "
    "static struct switch template this throw true try typedef typename union unsigned using virtual void "
    "volatile while constexpr inline"
)
_KEYWORDS = frozenset(_KEYWORD_LIST.split())
_NOT_IN_MACROS = frozenset(
    (
        "static",
        "extern",
        "goto",
        "volatile",
        "namespace",
        "template",
        "using",
        "operator",
        "__global__",
        "return",
        "typedef",
    )
)


def check(subject: Subject) -> Iterable[Finding]:
    source = subject.source
    tokens = [token for token in source.tokens if token.kind != "comment"]
    yield from _tricks(subject)
    yield from _directives(subject, tokens)
    yield from _names(subject, tokens)
    yield from _strings(subject, tokens)


def _found(subject: Subject, code: str, token: Token, message: str, hint: str = "") -> Diagnostic:
    length = len(token.text.split("\n")[0])
    return Diagnostic(code, message, subject.source.at(token.line, token.col, length), hint)


def _tricks(subject: Subject) -> Iterator[Diagnostic]:
    """What makes source text read differently from what it says."""
    tokens = subject.source.tokens
    for at, token in enumerate(tokens):
        if token.kind == "splice" and not _harmless_splice(tokens, at):
            yield _found(
                subject,
                "SPK426",
                token,
                "a line ends in a backslash outside a macro's definition",
                "join the two lines",
            )
        elif token.kind == "comment" and token.text.startswith("//") and "\n" in token.text:
            yield _found(
                subject,
                "SPK426",
                token,
                "a comment ends in a backslash, which makes the next line a comment",
                "remove the backslash",
            )
        elif token.kind == "punct" and token.text in ("<%", "%>", "<:", ":>", "%:"):
            yield _found(
                subject, "SPK426", token, f"the digraph {token.text!r} hides a bracket", "write the bracket itself"
            )
        elif token.kind == "punct" and not token.text.isascii():
            yield _found(
                subject,
                "SPK426",
                token,
                f"{token.text!r} is not ASCII and may look like another character",
                "use ASCII outside comments and strings",
            )
        elif token.kind == "punct" and token.text == "\\":
            yield _found(subject, "SPK426", token, "a stray backslash", "universal character names are not allowed")
        elif token.kind == "punct" and token.text == "?" and _trigraph(tokens, at):
            yield _found(subject, "SPK426", token, "a trigraph hides another character", "write the character itself")
        elif token.kind == "name" and "$" in token.text:
            yield _found(
                subject, "SPK426", token, f"{token.text!r} has a dollar sign", "use letters, digits and underscores"
            )


def _harmless_splice(tokens: list[Token], at: int) -> bool:
    """A splice that continues a macro's definition between two tokens, as everyone writes them."""
    token = tokens[at]
    before = tokens[at - 1] if at else None
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    glued_before = before is not None and before.line == token.line and before.col + len(before.text) == token.col
    glued_after = after is not None and after.line == token.line + 1 and after.col == 1
    return token.directive == "define" and not (glued_before and glued_after)


def _trigraph(tokens: list[Token], at: int) -> bool:
    three = tokens[at : at + 3]
    together = len(three) == 3 and three[2].col == three[0].col + 2 and three[2].line == three[0].line
    return together and three[1].text == "?" and three[2].text[0] in "=/'()!<>-"


def _directives(subject: Subject, tokens: list[Token]) -> Iterator[Diagnostic]:
    """Every preprocessor line: what it is and what it holds."""
    at = 0
    while at < len(tokens):
        if tokens[at].directive != "#":
            at += 1
            continue
        end = at + 1
        while end < len(tokens) and tokens[end].directive not in ("", "#"):
            end += 1
        yield from _directive(subject, tokens[at], tokens[at + 1 : end])
        at = end


def _directive(subject: Subject, hash_: Token, rest: list[Token]) -> Iterator[Diagnostic]:
    name = rest[0].text if rest else ""
    body = [token for token in rest[1:] if token.kind != "splice"]
    if name == "include":
        yield from _include(subject, hash_, body)
    elif name == "define":
        yield from _define(subject, hash_, body)
    elif name == "pragma":
        yield from _pragma(subject, hash_, body)
    elif name in ("if", "ifdef", "ifndef", "elif", "elifdef", "elifndef"):
        yield from _condition(subject, hash_, body)
    elif name not in ("else", "endif", "undef", "error", ""):
        yield _found(
            subject,
            "SPK426",
            hash_,
            f"#{name} is not allowed",
            "allowed are include, define, undef, pragma, if, else, endif",
        )


def _include(subject: Subject, hash_: Token, body: list[Token]) -> Iterator[Diagnostic]:
    dialect = subject.source.dialect
    path = "".join(token.text for token in body)
    allowed = f"<spak/{'cuda' if dialect == 'cuda' else 'cpu'}/...>"
    if dialect == "cpp":
        allowed += ", " + ", ".join(f"<{header}>" for header in _CPP_HEADERS)
    inner = path[1:-1]
    own = re.fullmatch(rf"spak/{'cuda' if dialect == 'cuda' else 'cpu'}/[\w/]+\.h", inner)
    if path[:1] == "<" and path[-1:] == ">" and (own or (dialect == "cpp" and inner in _CPP_HEADERS)):
        return
    yield _found(subject, "SPK420", hash_, f"#include {path} is not allowed", f"allowed are {allowed}")


def _define(subject: Subject, hash_: Token, body: list[Token]) -> Iterator[Diagnostic]:
    if not body:
        return
    name = body[0]
    if name.text in _KEYWORDS or name.text.startswith("__") or re.match(r"_[A-Z]|SPAK_|spak", name.text):
        yield _found(
            subject,
            "SPK426",
            name,
            f"the macro {name.text!r} redefines a keyword or a reserved name",
            "choose another name",
        )
    if name.text in _plan_names(subject):
        yield _found(
            subject,
            "SPK426",
            name,
            f"the macro {name.text!r} hides the plan's parameter of that name",
            "use the plan's value",
        )
    for token in body[1:]:
        if token.text in ("#", "##"):
            yield _found(
                subject,
                "SPK426",
                token,
                f"the macro {name.text!r} builds tokens with {token.text}",
                "write a __device__ function or a template",
            )
        elif token.text in _NOT_IN_MACROS or token.text in ("{", "}", ";"):
            hint = "a macro may be an expression; write a function or a template for more"
            yield _found(subject, "SPK426", token, f"the macro {name.text!r} hides {token.text!r}", hint)
            return


def _plan_names(subject: Subject) -> set[str]:
    return set(subject.file.plan.params) if subject.file.plan else set()


def _pragma(subject: Subject, hash_: Token, body: list[Token]) -> Iterator[Diagnostic]:
    words = [token.text for token in body]
    if words[:1] == ["unroll"] or words[:2] in (["GCC", "ivdep"], ["GCC", "unroll"]):
        return
    if words[:1] == ["omp"]:
        if subject.source.dialect != "cpp" or not subject.interface.openmp:
            hint = (
                "the spec does not say openmp: true"
                if subject.source.dialect == "cpp"
                else "OpenMP is for the cpp dialect"
            )
            yield _found(subject, "SPK427", hash_, "#pragma omp is not allowed here", hint)
        elif bad := sorted({"threadprivate", "target", "task", "taskloop", "declare", "requires"} & set(words)):
            yield _found(
                subject,
                "SPK427",
                hash_,
                f"#pragma omp {bad[0]} is not allowed",
                "allowed are parallel, for, simd, reduction and their clauses",
            )
        return
    hint = "allowed are unroll, GCC ivdep, GCC unroll, and omp where the spec says openmp: true"
    yield _found(subject, "SPK427", hash_, f"#pragma {' '.join(words[:3])} is not allowed", hint)


def _condition(subject: Subject, hash_: Token, body: list[Token]) -> Iterator[Diagnostic]:
    """A condition on the machine in any dialect; any condition at all in CUDA code, of which there is one source for all."""
    one = "what is verified must be what is shipped: write one source for all"
    machine = [token for token in body if token.kind == "name" and _MACHINE.match(token.text)]
    for token in machine:
        yield _found(
            subject, "SPK435", token, f"a condition on {token.text} tells the simulator or the compiler apart", one
        )
    for token in body:
        if token.text.startswith("__CUDA_ARCH"):
            hint = f"{one}; a variant that needs an instruction is for the `targets` that have it"
            yield _found(subject, "SPK435", token, f"a condition on {token.text} splits the source", hint)
            return
    if subject.source.dialect == "cuda" and not machine:
        hint = "use `if constexpr` on the plan's parameters, and remove what is never compiled"
        yield _found(subject, "SPK435", hash_, "conditional compilation makes several sources of one", hint)


def _names(subject: Subject, tokens: list[Token]) -> Iterator[Diagnostic]:
    for at, token in enumerate(tokens):
        if token.text == "<<<" and token.kind == "punct":
            yield _found(subject, "SPK430", token, "a kernel may not launch a kernel", "add a [[launch]] to the plan")
        elif token.kind == "name" and token.directive not in ("include", "pragma"):
            yield from _name(subject, tokens, at)


def _name(subject: Subject, tokens: list[Token], at: int) -> Iterator[Diagnostic]:
    token = tokens[at]
    name = token.text
    before = tokens[at - 1].text if at else ""
    called = at + 1 < len(tokens) and tokens[at + 1].text == "("
    member = before in (".", "->")
    base = name.removeprefix("__builtin_")
    in_std = before == "::" and at >= 2 and tokens[at - 2].text == "std"
    grants = subject.unit.grants
    if name in ("asm", "__asm__", "__asm"):
        if "inline_ptx" not in grants or subject.source.dialect != "cuda":
            hint = (
                "use the headers under <spak/cuda/>, or grants: [inline_ptx] in the spec"
                if subject.source.dialect == "cuda"
                else "use <immintrin.h>"
            )
            yield _found(subject, "SPK421", token, "inline assembly is not granted", hint)
    elif (name == "new" or (name == "delete" and before != "=")) and before != "operator":
        yield _found(subject, "SPK422", token, f"{name!r} allocates memory", "declare a [[workspace]] in the plan")
    elif base in _CLOCKS and (called or base not in _ONLY_CALLED) and not member:
        yield _found(
            subject,
            "SPK431",
            token,
            f"{name!r} reads a clock or a timer",
            "a kernel's result and its work may not depend on time",
        )
    elif base in _FORBIDDEN and (called or base not in _ONLY_CALLED) and not member:
        yield _found(
            subject,
            "SPK422",
            token,
            f"{name!r} {_FORBIDDEN[base]}",
            "a kernel computes its results from its arguments, and does nothing else",
        )
    elif name == "const_cast":
        yield _found(
            subject,
            "SPK436",
            token,
            "const_cast writes to an input, or is not needed",
            "inputs are read-only: keep intermediates in registers, in the result or in a workspace",
        )
    elif in_std and name in _STD_FORBIDDEN:
        yield _found(
            subject, "SPK422", token, f"std::{name} allocates, keeps state or starts work", "use plain arrays and loops"
        )
    elif (name == "std" and before == "namespace") or (
        name == "std" and before == "=" and at >= 3 and tokens[at - 3].text == "namespace"
    ):
        yield _found(subject, "SPK426", token, "the namespace std is opened or renamed", "write std:: at each use")
    elif _ATOMICS.match(name) and not member and "atomics" not in grants:
        yield _found(
            subject,
            "SPK433",
            token,
            f"{name!r}: atomics are not granted",
            "grants: [atomics] in the spec, or reduce in a fixed order",
        )
    elif _HOST_API.match(name) and name != "CUtensorMap" and not member:
        yield _found(
            subject,
            "SPK422",
            token,
            f"{name!r} belongs to the host's interface",
            "the launcher is written by the compiler",
        )
    elif name == "virtual":
        yield _found(subject, "SPK425", token, "virtual functions are called through pointers", "use templates")
    elif name in (
        "_Pragma",
        "__pragma",
        "__FILE__",
        "__DATE__",
        "__TIME__",
        "__TIMESTAMP__",
        "__COUNTER__",
        "__LINE__",
        "__VA_OPT__",
    ):
        yield _found(
            subject, "SPK426", token, f"{name} is not allowed", "the same source must always give the same code"
        )
    elif name == "__managed__":
        yield _found(
            subject, "SPK423", token, "__managed__ memory outlives the launch", "declare a [[workspace]] in the plan"
        )
    elif name.startswith("omp_") and called and not subject.interface.openmp:
        yield _found(subject, "SPK422", token, f"{name!r} needs OpenMP", "the spec does not say openmp: true")


def _strings(subject: Subject, tokens: list[Token]) -> Iterator[Diagnostic]:
    for token in tokens:
        if token.kind != "string":
            continue
        if match := _CACHE_CONTROL.search(token.text):
            yield _found(
                subject,
                "SPK432",
                token,
                f"{match.group()!r} changes the cache for others",
                "leave the caches as they are",
            )
        if match := _TIMER_TEXT.search(token.text):
            yield _found(
                subject,
                "SPK431",
                token,
                f"{match.group()!r} reads a timer",
                "a kernel's result and its work may not depend on time",
            )
