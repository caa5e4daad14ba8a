"""The ways in which simulated device code is compiled, and the modes that they serve. Knows no compiler's path.

One engine serves all flavours and is itself never instrumented. The sanitizers' hooks lead to the simulator's own runtime
(csrc/sim/check), never to libtsan or libubsan: the instrumentation is wanted, their findings are not.
"""

from __future__ import annotations

# Device code is written for a compiler that assumes neither strict aliasing nor, for an index that must be seen to wrap,
# that signed overflow cannot happen; a stack that grows must touch each page on its way, or a large local array would
# jump over the guard page.
COMMON: tuple[str, ...] = ("-std=c++20", "-fno-strict-aliasing", "-fstack-clash-protection")
MODES: tuple[str, ...] = ("plain", "check", "asan", "profile")
_INSTRUMENTED = (
    "-g1",
    "-gdwarf-4",  # of version 5, addr2line takes the file that a table begins with for the one that was compiled
    "-DSPAK_SIM_INSTRUMENTED",
    "-fsanitize=thread",
    "--param=tsan-instrument-func-entry-exit=0",  # in one word each: CMake drops a word that it has seen before
    "--param=tsan-distinguish-volatile=1",
    "-fsanitize=signed-integer-overflow,integer-divide-by-zero,bounds,alignment",
    "-fno-tree-sra",  # else a float4 is loaded as four floats: its alignment is not seen, and four requests are counted
)
_FLAGS: dict[str, tuple[str, ...]] = {
    "plain": (*COMMON, "-fwrapv"),
    "check": (*COMMON, *_INSTRUMENTED),
    "profile": (*COMMON, *_INSTRUMENTED),
    "asan": (*COMMON, "-fwrapv", "-g1", "-fsanitize=address"),
}
_LINK: dict[str, tuple[str, ...]] = {"asan": ("-fsanitize=address",)}


def flags(mode: str) -> tuple[str, ...]:
    """What is added to the target's flags when rewritten source is compiled for a mode."""
    return _FLAGS[mode]


def link_flags(mode: str) -> tuple[str, ...]:
    """What is added when such objects are linked."""
    return _LINK.get(mode, ())
