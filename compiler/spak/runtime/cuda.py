"""The CUDA driver through ctypes: devices, memory, copies. Knows nothing of kernels; stdlib only.

For verification on a machine with a GPU and no framework. Modules of kernels load the driver themselves.
"""

from __future__ import annotations

import ctypes
from typing import Any

from .dlpack import CUDA
from .raw import RawTensor


class CudaError(RuntimeError):
    """A driver call failed; the message has the call's name and the driver's own words."""


class Driver:
    """The driver library, initialised. Raises CudaError where there is none, or none that works."""

    def __init__(self) -> None:
        try:
            self.library = ctypes.CDLL("libcuda.so.1")
        except OSError as error:
            raise CudaError(f"no CUDA driver on this machine: {error}") from None
        self.call("cuInit", 0)

    def call(self, name: str, *args: Any) -> None:
        """Call a driver function and raise CudaError unless it returns success."""
        code = getattr(self.library, name)(*args)
        if code:
            words = ctypes.c_char_p()
            self.library.cuGetErrorString(code, ctypes.byref(words))
            said = (words.value or b"unknown error").decode()
            raise CudaError(f"{name}: {said} ({code})")

    def device_count(self) -> int:
        count = ctypes.c_int()
        self.call("cuDeviceGetCount", ctypes.byref(count))
        return count.value

    def capability(self, ordinal: int) -> tuple[int, int]:
        """A device's compute capability, (9, 0) for an H100; makes no context."""
        handle = ctypes.c_int()
        self.call("cuDeviceGet", ctypes.byref(handle), ordinal)
        return self.attribute(handle, 75), self.attribute(handle, 76)

    def attribute(self, handle: ctypes.c_int, which: int) -> int:
        """A device attribute, by the driver's number."""
        value = ctypes.c_int()
        self.call("cuDeviceGetAttribute", ctypes.byref(value), which, handle)
        return value.value

    def device(self, ordinal: int = 0) -> Device:
        """A device with its primary context, which frameworks share."""
        return Device(self, ordinal)


class Device:
    """A device whose primary context is retained and current in this thread; `arch` is "sm_90" and the like."""

    def __init__(self, driver: Driver, ordinal: int) -> None:
        self.driver, self.ordinal = driver, ordinal
        handle, context = ctypes.c_int(), ctypes.c_void_p()
        driver.call("cuDeviceGet", ctypes.byref(handle), ordinal)
        name = ctypes.create_string_buffer(256)
        driver.call("cuDeviceGetName", name, len(name), handle)
        self.name = name.value.decode()
        self.capability = driver.capability(ordinal)
        driver.call("cuDevicePrimaryCtxRetain", ctypes.byref(context), handle)
        self._context = context
        driver.call("cuCtxSetCurrent", context)

    @property
    def arch(self) -> str:
        return f"sm_{self.capability[0]}{self.capability[1]}"

    def driver_version(self) -> int:
        """The CUDA version that the driver supports, as 13000 for 13.0."""
        version = ctypes.c_int()
        self.driver.call("cuDriverGetVersion", ctypes.byref(version))
        return version.value

    def allocate(self, nbytes: int) -> DeviceBuffer:
        return DeviceBuffer(self, nbytes)

    def synchronize(self) -> None:
        """Wait for everything on the device; an asynchronous fault of an earlier launch is raised here."""
        self.driver.call("cuCtxSynchronize")


class DeviceBuffer:
    """Bytes on a device, freed with the object. `tensor` gives views that keep it alive."""

    def __init__(self, device: Device, nbytes: int) -> None:
        self.device, self.nbytes = device, nbytes
        address = ctypes.c_uint64()
        device.driver.call("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(max(nbytes, 1)))
        self.address = address.value

    def fill(self, byte: int, offset: int = 0, nbytes: int | None = None) -> None:
        count = self.nbytes - offset if nbytes is None else nbytes
        self._check(offset, count)
        if count:
            args = (ctypes.c_uint64(self.address + offset), ctypes.c_ubyte(byte), ctypes.c_size_t(count))
            self.device.driver.call("cuMemsetD8_v2", *args)

    def copy_in(self, source: int, nbytes: int, offset: int = 0) -> None:
        """Copy from a host address."""
        self._check(offset, nbytes)
        if nbytes:
            args = (ctypes.c_uint64(self.address + offset), ctypes.c_void_p(source), ctypes.c_size_t(nbytes))
            self.device.driver.call("cuMemcpyHtoD_v2", *args)

    def copy_out(self, target: int, nbytes: int, offset: int = 0) -> None:
        """Copy to a host address, after everything launched before."""
        self._check(offset, nbytes)
        if nbytes:
            args = (ctypes.c_void_p(target), ctypes.c_uint64(self.address + offset), ctypes.c_size_t(nbytes))
            self.device.driver.call("cuMemcpyDtoH_v2", *args)

    def tensor(
        self, shape: tuple[int, ...], dtype: str, *, offset: int = 0, strides: tuple[int, ...] | None = None
    ) -> RawTensor:
        """A tensor in this buffer, `offset` bytes from its start."""
        place = (CUDA, self.device.ordinal)
        return RawTensor(self.address + offset, shape, dtype, strides=strides, owner=self, device=place)

    def free(self) -> None:
        """Free it now; harmless the second time."""
        address, self.address = getattr(self, "address", 0), 0
        if address:
            self.device.driver.library.cuMemFree_v2(ctypes.c_uint64(address))

    def __del__(self) -> None:
        self.free()

    def _check(self, offset: int, nbytes: int) -> None:
        if offset < 0 or nbytes < 0 or offset + nbytes > self.nbytes:
            raise ValueError(f"bytes {offset} to {offset + nbytes} of a buffer of {self.nbytes}")
