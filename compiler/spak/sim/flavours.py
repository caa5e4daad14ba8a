"""How a kernel's translation unit is compiled for each mode of the simulator. Knows no compiler's path and no file.

The engine is the same for all flavours: it is never instrumented itself. The hooks that instrumented code calls are its
own (csrc/sim/check); the sanitizers' run-time libraries are never linked, except for `ASAN`.
"""

from __future__ import annotations

# Device code is written for a compiler that does not assume strict aliasing; a stack that grows must touch each page on its
# way, or a large local array would jump over the guard page.
_COMMON = ("-std=c++20", "-fno-strict-aliasing", "-fstack-clash-protection")

#: Mode plain. An index that overflows must be seen to wrap, as it does on a GPU, and not be assumed away.
PLAIN: tuple[str, ...] = (*_COMMON, "-fwrapv")

#: Modes check and profile: every access and every overflow calls the engine; line tables name the places.
CHECKED: tuple[str, ...] = (
    *_COMMON,
    "-g1",
    "-DSPAK_SIM_INSTRUMENTED",
    "-fsanitize=thread",
    "--param=tsan-instrument-func-entry-exit=0",
    "-fsanitize=signed-integer-overflow,integer-divide-by-zero,bounds",
)

#: Mode asan: the compiler's own AddressSanitizer, which has to be loaded first.
ASAN: tuple[str, ...] = (*_COMMON, "-fwrapv", "-g1", "-fsanitize=address")
