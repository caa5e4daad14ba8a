"""A minimal tensor over memory that someone else owns. Knows no framework; stdlib only.

It can carry what NumPy cannot (bf16) and lie exactly where it is put, which is what verification needs.
"""

from __future__ import annotations

from typing import Any

from .dlpack import CPU, TYPES, capsule, row_strides


class RawTensor:
    """`shape` of `dtype` at `address`; `strides` count elements (dense row-major without them). Keeps `owner` alive."""

    def __init__(
        self,
        address: int,
        shape: tuple[int, ...],
        dtype: str,
        *,
        strides: tuple[int, ...] | None = None,
        readonly: bool = False,
        owner: object = None,
        device: tuple[int, int] = (CPU, 0),
    ) -> None:
        if dtype not in TYPES:
            raise ValueError(f"unknown dtype {dtype!r}; there are: {', '.join(TYPES)}")
        if strides is not None and len(strides) != len(shape):
            raise ValueError(f"{len(strides)} strides for {len(shape)} dimensions")
        self.address = address
        self.shape = tuple(shape)
        self.dtype = dtype
        self.strides = row_strides(self.shape) if strides is None else tuple(strides)
        self.readonly = readonly
        self.owner = owner
        self.device = device

    def __repr__(self) -> str:
        return f"RawTensor({self.dtype}[{', '.join(map(str, self.shape))}] at {self.address:#x})"

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.device

    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """A capsule over the memory itself. Raises BufferError when a copy or another device is asked for."""
        if copy or (dl_device is not None and tuple(dl_device) != self.device):
            raise BufferError("a raw tensor is exported in place only")
        return capsule(
            self.address, self.shape, self.strides, self.dtype,
            owner=self, device=self.device, readonly=self.readonly, max_version=max_version,
        )  # fmt: skip
