"""Kernels of the simulator's tests on a real GPU: compiled with NVRTC, launched through the driver with ctypes. Knows nothing of
what they should compute."""

from __future__ import annotations

import copy
import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import sim_nvrtc
from spak.runtime.cuda import Device, DeviceBuffer

MAX_DYNAMIC_SHARED = 8  # CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
NON_PORTABLE_CLUSTER = 14  # CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED
CLUSTER_DIMENSION = 4  # CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION


class LaunchAttribute(ctypes.Structure):
    """CUlaunchAttribute; of its values only the cluster's dimensions."""

    _fields_ = [
        ("id", ctypes.c_int),
        ("pad", ctypes.c_char * 4),
        ("cluster", ctypes.c_uint * 3),
        ("rest", ctypes.c_char * 52),
    ]


class LaunchConfig(ctypes.Structure):
    """CUlaunchConfig."""

    _fields_ = [
        ("grid", ctypes.c_uint * 3),
        ("block", ctypes.c_uint * 3),
        ("shared", ctypes.c_uint),
        ("stream", ctypes.c_void_p),
        ("attributes", ctypes.POINTER(LaunchAttribute)),
        ("count", ctypes.c_uint),
    ]


class TensorMap:
    """What is told to cuTensorMapEncodeTiled, and the host bytes that the map covers."""

    def __init__(
        self,
        type_: int,
        base: int,
        dims: Sequence[int],
        strides: Sequence[int],
        box: Sequence[int],
        steps: Sequence[int],
        item: int,
        interleave: int,
        swizzle: int,
        l2: int,
        fill: int,
    ) -> None:
        self.type, self.base, self.dims, self.strides, self.box, self.steps = type_, base, dims, strides, box, steps
        self.interleave, self.swizzle, self.l2, self.fill = interleave, swizzle, l2, fill
        self.kept = b""
        self.nbytes = sum((d - 1) * s for d, s in zip(dims, (item, *strides), strict=True)) + item

    def host(self) -> np.ndarray[Any, Any]:
        """The covered bytes: as they are now, or as they were when it was frozen."""
        return np.frombuffer(self.kept or ctypes.string_at(self.base, self.nbytes), np.uint8).copy()

    def frozen(self) -> TensorMap:
        """The same map of the bytes as they are now."""
        other = copy.copy(self)
        other.kept = self.host().tobytes()
        return other

    def encode(self, device: Device, address: int) -> Any:
        """The 128 bytes for the same tensor at a device address, aligned to 64."""
        raw = (ctypes.c_char * 192)()
        at = -ctypes.addressof(raw) % 64
        place = ctypes.addressof(raw) + at

        def array(kind: Any, values: Sequence[int]) -> Any:
            return (kind * max(len(values), 1))(*values)

        device.driver.call(
            "cuTensorMapEncodeTiled", ctypes.c_void_p(place), self.type, len(self.dims), ctypes.c_void_p(address),
            array(ctypes.c_uint64, self.dims), array(ctypes.c_uint64, self.strides), array(ctypes.c_uint32, self.box),
            array(ctypes.c_uint32, self.steps), self.interleave, self.swizzle, self.l2, self.fill,
        )  # fmt: skip
        view = (ctypes.c_char * 128).from_buffer(raw, at)
        return view


def architecture(device: Device) -> str:
    """What to compile for: with the architecture's own features where it has some."""
    return device.arch + ("a" if device.capability[0] >= 9 else "")


class Module:
    """The kernels of one file on a device."""

    def __init__(self, device: Device, source: Path, toolkit: Path, include: list[Path]) -> None:
        self.device = device
        image = sim_nvrtc.compile_cubin(toolkit, source.read_text(), architecture(device), include)
        self.handle = ctypes.c_void_p()
        device.driver.call("cuModuleLoadDataEx", ctypes.byref(self.handle), image, 0, None, None)

    def has(self, name: str) -> bool:
        """Whether this architecture's module has the kernel."""
        function = ctypes.c_void_p()
        return not self.device.driver.library.cuModuleGetFunction(ctypes.byref(function), self.handle, name.encode())

    def run(self, name: str, grid: Sequence[int], block: Sequence[int], arguments: Sequence[Any], shared: int = 0,
            cluster: Sequence[int] = (1, 1, 1), nonportable: bool = False) -> list[Any]:  # fmt: skip
        """The arrays (and covered bytes of tensor maps) after the kernel; None for other arguments. Nothing passed is changed."""
        function = ctypes.c_void_p()
        call = self.device.driver.call
        call("cuModuleGetFunction", ctypes.byref(function), self.handle, name.encode())
        if shared > 48 << 10:
            call("cuFuncSetAttribute", function, MAX_DYNAMIC_SHARED, shared)
        if nonportable:
            call("cuFuncSetAttribute", function, NON_PORTABLE_CLUSTER, 1)
        buffers: list[tuple[DeviceBuffer, Any] | None] = []
        cells: list[Any] = []
        for value in arguments:
            before = value.host() if isinstance(value, TensorMap) else value if isinstance(value, np.ndarray) else None
            if before is None:
                buffers.append(None)
                cells.append(_cell(value))
                continue
            buffer = self.device.allocate(before.nbytes)
            buffer.copy_in(before.ctypes.data, before.nbytes)
            buffers.append((buffer, np.empty_like(before)))
            is_map = isinstance(value, TensorMap)
            cells.append(value.encode(self.device, buffer.address) if is_map else ctypes.c_uint64(buffer.address))
        parameters = (ctypes.c_void_p * max(len(cells), 1))(*[ctypes.addressof(cell) for cell in cells])
        attribute = LaunchAttribute(CLUSTER_DIMENSION, b"", (ctypes.c_uint * 3)(*cluster))
        clustered = tuple(cluster) != (1, 1, 1)
        config = LaunchConfig(
            (ctypes.c_uint * 3)(*grid),
            (ctypes.c_uint * 3)(*block),
            shared,
            None,
            ctypes.pointer(attribute),
            int(clustered),
        )
        call("cuLaunchKernelEx", ctypes.byref(config), function, parameters, None)
        self.device.synchronize()
        for entry in buffers:
            if entry is not None:
                entry[0].copy_out(entry[1].ctypes.data, entry[1].nbytes)
                entry[0].free()
        return [None if entry is None else entry[1] for entry in buffers]


def _cell(value: Any) -> Any:
    """What the driver copies a parameter from: it takes as many bytes as the kernel's parameter has."""
    if isinstance(value, ctypes.Structure):
        return value
    if isinstance(value, bytes | bytearray):
        return ctypes.create_string_buffer(bytes(value), len(value))
    return ctypes.c_float(value) if isinstance(value, float) else ctypes.c_int64(int(value))
