"""The DLPack producer side in ctypes: any address as a capsule. Knows nothing of who owns the memory, only whom to keep alive."""

from __future__ import annotations

import ctypes
from typing import Any

CPU, CUDA, CUDA_HOST, CUDA_MANAGED = 1, 2, 3, 13

#: dtype -> (DLPack type code, bits): 0 signed, 1 unsigned, 2 float, 4 bfloat, 6 bool. tf32 is stored as f32.
TYPES: dict[str, tuple[int, int]] = {
    "f64": (2, 64), "f32": (2, 32), "tf32": (2, 32), "f16": (2, 16), "bf16": (4, 16),
    "i32": (0, 32), "i8": (0, 8), "u8": (1, 8), "bool": (6, 8),
}  # fmt: skip

_READ_ONLY = 1
_Deleter = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_Destructor = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class _DLTensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


class _Managed(ctypes.Structure):
    """DLManagedTensor, of DLPack before 1.0."""

    _fields_ = [("tensor", _DLTensor), ("context", ctypes.c_void_p), ("deleter", _Deleter)]


class _Versioned(ctypes.Structure):
    """DLManagedTensorVersioned, of DLPack 1.x."""

    _fields_ = [
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("context", ctypes.c_void_p),
        ("deleter", _Deleter),
        ("flags", ctypes.c_uint64),
        ("tensor", _DLTensor),
    ]


class _Export:
    """One capsule's memory: the structure, the arrays that it points to, and the owner of the data."""

    def __init__(self, managed: _Managed | _Versioned, arrays: tuple[Any, ...], owner: object) -> None:
        self.managed, self.arrays, self.owner = managed, arrays, owner


_python = ctypes.pythonapi
_new = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)(
    ("PyCapsule_New", _python)
)
_is_valid = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p)(("PyCapsule_IsValid", _python))
_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)(("PyCapsule_GetPointer", _python))
_incref = ctypes.PYFUNCTYPE(None, ctypes.py_object)(("Py_IncRef", _python))
_decref = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)(("Py_DecRef", _python))

# Capsules keep the pointer to their name, so these two outlive every capsule.
_PLAIN = ctypes.c_char_p(b"dltensor")
_VERSIONED = ctypes.c_char_p(b"dltensor_versioned")


def _free_plain(address: int) -> None:
    _decref(_Managed.from_address(address).context)


def _free_versioned(address: int) -> None:
    _decref(_Versioned.from_address(address).context)


def _free_unused(capsule: int) -> None:
    """A consumer renames the capsule that it takes; one that nobody took is freed here."""
    if _is_valid(capsule, _PLAIN):
        _free_plain(_pointer(capsule, _PLAIN))
    elif _is_valid(capsule, _VERSIONED):
        _free_versioned(_pointer(capsule, _VERSIONED))


# What C calls; they live as long as the process, as capsules may.
_DELETE_PLAIN, _DELETE_VERSIONED, _DESTROY = _Deleter(_free_plain), _Deleter(_free_versioned), _Destructor(_free_unused)


def capsule(
    address: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    dtype: str,
    *,
    owner: object,
    device: tuple[int, int] = (CPU, 0),
    readonly: bool = False,
    max_version: tuple[int, int] | None = None,
) -> Any:
    """A DLPack capsule over `address`; `strides` count elements. `owner` lives for as long as the capsule's consumer.

    Versioned (1.0) where the consumer says that it understands that. Raises BufferError for a read-only tensor otherwise,
    since the older form cannot say so.
    """
    versioned = max_version is not None and max_version[0] >= 1
    if readonly and not versioned:
        raise BufferError("a read-only tensor can only be exported to a consumer of DLPack 1.0 or later")
    code, bits = TYPES[dtype]
    many = ctypes.c_int64 * max(len(shape), 1)
    sizes, steps = many(*shape), many(*strides)
    tensor = _DLTensor(address or None, device[0], device[1], len(shape), code, bits, 1, sizes, steps, 0)
    managed: _Managed | _Versioned
    if versioned:
        managed = _Versioned(1, 0, None, _DELETE_VERSIONED, _READ_ONLY if readonly else 0, tensor)
    else:
        managed = _Managed(tensor, None, _DELETE_PLAIN)
    export = _Export(managed, (sizes, steps), owner)
    managed.context = id(export)
    _incref(export)
    destroy = ctypes.cast(_DESTROY, ctypes.c_void_p)
    return _new(ctypes.addressof(managed), _VERSIONED if versioned else _PLAIN, destroy)


def row_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Strides, in elements, of a dense row-major array."""
    steps = [1]
    for size in shape[:0:-1]:
        steps.append(steps[-1] * size)
    return tuple(reversed(steps[: len(shape)]))
