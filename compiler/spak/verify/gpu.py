"""A candidate's arrays in device memory: regions with red zones go up, the call runs, regions come back. Knows no
verdicts.

The parent prepares and inspects the same host regions as for a host target, so that every check is the same one.
"""

from __future__ import annotations

from typing import Any


def missing() -> str:
    """Why no CUDA device can be used, or ''."""
    from spak.runtime.cuda import CudaError, Driver

    try:
        return "" if Driver().device_count() else "the driver finds no device"
    except (CudaError, OSError) as error:
        return str(error)


def describe() -> str:
    """The device's name and architecture, and the driver's CUDA version, for the evidence."""
    from spak.runtime.cuda import Driver

    device = Driver().device()
    return f"{device.name} ({device.arch}), CUDA driver {device.driver_version()}"


def call_on_device(function: Any, job: dict[str, Any], base: int) -> None:
    """Do a candidate's job on device 0. Raises what the module or the driver raises; a sticky error is the call's
    own.
    """
    from spak.runtime.cuda import Driver

    device = Driver().device()
    buffers = []

    def tensor(arg: dict[str, Any]) -> Any:
        # cudaMalloc aligns to 256 bytes; the array keeps the offset that the parent chose within its region.
        buffer = device.allocate(arg["end"] - arg["begin"])
        buffer.copy_in(base + arg["begin"], buffer.nbytes)
        buffers.append((arg, buffer))
        return buffer.tensor(
            tuple(arg["shape"]), arg["dtype"], offset=arg["at"] - arg["begin"], strides=tuple(arg["strides"])
        )

    try:
        values = [tensor(arg) if "at" in arg else arg["value"] for arg in job["params"]]
        outs = tuple(tensor(arg) for arg in job["results"])
        function(*values, out=outs if len(outs) > 1 else outs[0])
        device.synchronize()
        for arg, buffer in buffers:
            buffer.copy_out(base + arg["begin"], buffer.nbytes)
    finally:
        for _, buffer in buffers:
            buffer.free()
