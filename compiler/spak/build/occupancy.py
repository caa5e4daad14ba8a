"""How many blocks of a kernel fit on one multiprocessor, and what stops the next. Knows only numbers.

The formulas are those of NVIDIA's `cuda_occupancy.h` for compute capability 8.0 and later: registers are allocated to a
warp in units of 256, warps to one of four partitions, shared memory in units of 128 bytes.
"""

from __future__ import annotations

from spak.model.base import Model
from spak.model.target import Limits

_REGISTER_UNIT = 256
_SHARED_UNIT = 128
_PARTITIONS = 4


class Occupancy(Model):
    """`limiter` names the resource that is exhausted first: threads, blocks, registers or shared memory."""

    blocks_per_sm: int
    warps_per_sm: int
    max_warps_per_sm: int
    limiter: str

    @property
    def fraction(self) -> float:
        return self.warps_per_sm / self.max_warps_per_sm if self.max_warps_per_sm else 0.0


def occupancy(limits: Limits, *, registers: int, threads: int, shared_bytes: int) -> Occupancy:
    """Occupancy of a block of `threads` threads; `shared_bytes` is static plus dynamic, without the system's share."""
    warps = _up(threads, limits.warp) // limits.warp
    max_warps = limits.max_threads_per_sm // limits.warp
    per_warp = _up(max(registers, 1) * limits.warp, _REGISTER_UNIT)
    warps_by_registers = (limits.registers_per_sm // _PARTITIONS) // per_warp * _PARTITIONS
    shared = _up(shared_bytes + limits.reserved_shared_bytes, _SHARED_UNIT)
    bounds = {
        "threads": max_warps // max(warps, 1),
        "blocks": limits.max_blocks_per_sm,
        "registers": warps_by_registers // max(warps, 1),
        "shared memory": limits.shared_bytes_per_sm // shared if shared else limits.max_blocks_per_sm,
    }
    limiter = min(bounds, key=lambda name: bounds[name])
    blocks = bounds[limiter]
    return Occupancy(blocks_per_sm=blocks, warps_per_sm=blocks * warps, max_warps_per_sm=max_warps, limiter=limiter)


def _up(value: int, unit: int) -> int:
    return (value + unit - 1) // unit * unit
