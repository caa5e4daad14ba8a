"""Which CUDA device an array lies on, and what code runs there. Knows nothing of kernels; stdlib only."""

from __future__ import annotations

import ctypes
import re
from functools import cache

MAJOR, MINOR = 75, 76  # the driver's numbers of the two attributes


@cache
def capability(ordinal: int) -> tuple[int, int] | None:
    """A device's compute capability, (9, 0) for an H100; None where the driver does not say."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    device, major, minor = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
    if driver.cuInit(0) or driver.cuDeviceGet(ctypes.byref(device), ordinal):
        return None
    for which, value in ((MAJOR, major), (MINOR, minor)):
        if driver.cuDeviceGetAttribute(ctypes.byref(value), which, device):
            return None
    return major.value, minor.value


def runs(arch: str, ptx: str, device: tuple[int, int]) -> bool:
    """Whether code for `sm_90a`, with PTX for `compute_90` perhaps, runs on a device: machine code on later ones of the
    same generation, on that one alone with a suffix; PTX on all later ones.
    """
    made = re.fullmatch(r"sm_(\d+)(\d)([a-z]?)", arch)
    if made:
        built = (int(made[1]), int(made[2]))
        if device == built or (not made[3] and device[0] == built[0] and device[1] > built[1]):
            return True
    least = re.fullmatch(r"compute_(\d+)(\d)", ptx)
    return least is not None and device >= (int(least[1]), int(least[2]))
