"""TMA against a NumPy reference: boxes of 1 to 5 dimensions with any strides, coordinates, types and swizzles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import async_maps
import numpy as np
import pytest
import sim_harness
from async_maps import aligned, encode, encode_tensor
from async_reference import B32, B64, B128, NONE, Tensor, swizzle

KERNELS = Path(__file__).parent / "kernels"
Array = np.ndarray[Any, Any]
DTYPES = ["uint8", "uint16", "uint32", "int32", "uint64", "int64", "float16", "float32", "float64", "bfloat16"]


@pytest.fixture(scope="module")
def tiles() -> sim_harness.Kernels:
    return sim_harness.build(KERNELS / "async_tiles.cu")


def dtype_of(kind: str) -> np.dtype[Any]:
    return np.dtype(np.uint16 if kind == "bfloat16" else kind)


def random_tensor(random: np.random.Generator, rank: int, kind: str, mode: int, limit: int = 4096) -> Tensor:
    """A tensor with padded strides and a box of at most `limit` bytes that the driver would accept."""
    size = dtype_of(kind).itemsize
    inner = (16 << mode) // size if mode else int(random.integers(1, 9)) * 16 // size
    box = [min(inner, 256 // (16 // size) * (16 // size))]
    steps = [1]
    for _ in range(rank - 1):
        room = limit // (int(np.prod(box)) * size)
        box.append(int(random.integers(1, max(2, min(room, 9)))))
        steps.append(int(random.choice([1, 1, 1, 2, 3])))
    dims = [int(random.integers(1, 3 * b + 2)) for b in box]
    strides: list[int] = []
    row = -(-dims[0] * size // 16) * 16
    for i in range(rank - 1):
        row = max(row if i == 0 else strides[-1] * dims[i], dims[i]) + int(random.integers(0, 3)) * 16
        strides.append(-(-row // 16) * 16)
    total = strides[-1] * dims[-1] if strides else dims[0] * size
    buffer = aligned(total + 16)
    buffer[:] = random.integers(0, 256, len(buffer))
    return Tensor(buffer, dtype_of(kind), tuple(dims), tuple(strides), tuple(box), tuple(steps), mode)


def coordinates(random: np.random.Generator, tensor: Tensor) -> tuple[int, ...]:
    """Inside, across an edge, or far outside."""
    return tuple(int(random.integers(-b - 1, d + b + 1)) for b, d in zip(tensor.box, tensor.dims, strict=True))


def load(tiles: sim_harness.Kernels, tensor: Tensor, at: tuple[int, ...], map_: async_maps.Map, **run: Any) -> Array:
    out = np.full(tensor.words, 0xDEAD, np.uint32)
    size = tensor.words * 4
    tiles.run(f"tile_load_{len(at)}", 1, 32, map_, np.array(at, np.int32), out, tensor.words, smem=size, **run)
    return out.view(np.uint8)


def put(
    tiles: sim_harness.Kernels,
    name: str,
    tensor: Tensor,
    at: tuple[int, ...],
    map_: async_maps.Map,
    shared: Array,
    completion: str,
) -> None:
    where, words = np.array(at, np.int32), shared.view(np.uint32)
    tiles.run(f"{name}_{len(at)}", 1, 32, map_, where, words, len(words), smem=4 * len(words), completion=completion)


@pytest.mark.parametrize("rank", [1, 2, 3, 4, 5])
def test_loads_are_those_of_the_reference(tiles: sim_harness.Kernels, rank: int) -> None:
    random = np.random.default_rng(rank)
    for turn in range(40):
        kind = str(random.choice(DTYPES))
        mode = int(random.choice([NONE, NONE, B32, B64, B128]))
        tensor = random_tensor(random, rank, kind, mode)
        at = coordinates(random, tensor)
        got = load(tiles, tensor, at, encode_tensor(tensor, kind), completion=["eager", "lazy", "random"][turn % 3])
        np.testing.assert_array_equal(got, tensor.load(at, bytes(tensor.dtype.itemsize)), str((kind, tensor, at)))


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float32", "float64"])
def test_what_is_outside_can_become_nan(tiles: sim_harness.Kernels, kind: str) -> None:
    tensor = random_tensor(np.random.default_rng(3), 2, kind, NONE)
    at = (-1, tensor.dims[1] - 1)
    size = tensor.dtype.itemsize
    got = load(tiles, tensor, at, encode_tensor(tensor, kind, nan=1))
    want = tensor.load(at, bytes([0xFF] * (size - 1) + [0x7F]))
    np.testing.assert_array_equal(got, want)
    view = got.view(np.uint32 if kind == "bfloat16" else kind)
    assert kind == "bfloat16" or np.isnan(view[0])


def test_subnormals_are_flushed_for_float32_ftz_alone(tiles: sim_harness.Kernels) -> None:
    buffer = aligned(64)
    buffer.view(np.float32)[:4] = [1e-40, -1e-40, 1.5, np.inf]
    tensor = Tensor(buffer, np.dtype(np.float32), (16,), (), (16,), (1,))
    kept = load(tiles, tensor, (0,), encode_tensor(tensor)).view(np.float32)
    flushed = load(tiles, tensor, (0,), encode_tensor(tensor, "float32_ftz")).view(np.float32)
    assert kept[0] > 0 > kept[1]
    np.testing.assert_array_equal(
        flushed.view(np.uint32)[:4], np.array([0, -0.0, 1.5, np.inf], np.float32).view(np.uint32)
    )


@pytest.mark.parametrize("rank", [1, 2, 3, 4, 5])
def test_stores_leave_out_what_is_outside(tiles: sim_harness.Kernels, rank: int) -> None:
    random = np.random.default_rng(10 + rank)
    for turn in range(20):
        kind = str(random.choice(DTYPES))
        tensor = random_tensor(random, rank, kind, int(random.choice([NONE, B32, B64, B128])))
        at = coordinates(random, tensor)
        shared = random.integers(0, 256, tensor.words * 4).astype(np.uint8)
        want = tensor.store(at, shared)
        put(tiles, "tile_store", tensor, at, encode_tensor(tensor, kind), shared, ["eager", "lazy", "random"][turn % 3])
        np.testing.assert_array_equal(tensor.buffer, want, str((kind, tensor, at)))


@pytest.mark.parametrize("rank", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("kind", ["int32", "uint32", "uint64", "float32", "float16"])
def test_reductions_add_to_what_is_there(tiles: sim_harness.Kernels, rank: int, kind: str) -> None:
    random = np.random.default_rng(20 + rank)
    tensor = random_tensor(random, rank, kind, int(random.choice([NONE, B32, B64, B128])))
    view = tensor.buffer[: len(tensor.buffer) // tensor.dtype.itemsize * tensor.dtype.itemsize].view(kind)
    view[:] = random.integers(0, 100, len(view))
    at = tuple(int(random.integers(-1, 2)) for _ in range(rank))
    shared = random.integers(0, 100, tensor.words * 4 // tensor.dtype.itemsize).astype(kind)
    before, moved = view.copy(), tensor.store(at, shared.view(np.uint8))[: view.nbytes].view(kind)
    touched = np.zeros(len(tensor.buffer), np.uint8)
    mark = Tensor(touched, tensor.dtype, tensor.dims, tensor.strides, tensor.box, tensor.steps, tensor.mode)
    mask = mark.store(at, np.full(tensor.words * 4, 1, np.uint8))[: view.nbytes].view(f"u{tensor.dtype.itemsize}") != 0
    for completion in ("eager", "lazy"):
        view[:] = before
        put(tiles, "tile_add", tensor, at, encode_tensor(tensor, kind), shared, completion)
        np.testing.assert_array_equal(view, np.where(mask, before + moved, before))


@pytest.mark.parametrize("completion", ["eager", "lazy", "random"])
@pytest.mark.parametrize(("blocks", "mask"), [(1, 1), (2, 3), (4, 15), (4, 5), (4, 8)])
def test_multicast_reaches_the_blocks_of_the_mask(
    tiles: sim_harness.Kernels, blocks: int, mask: int, completion: str
) -> None:
    height, width = 4, 32
    data = aligned(blocks * height * width * 4).view(np.uint32)
    data[:] = np.arange(1, len(data) + 1)
    map_ = encode("uint32", data.ctypes.data, (width, blocks * height), (width * 4,), (width, height), swizzle=0)
    words = height * width
    out = np.zeros((blocks, blocks * words), np.uint32)
    tiles.run(
        "tile_multicast",
        blocks,
        32,
        map_,
        out,
        words,
        mask,
        height,
        cluster=blocks,
        smem=blocks * words * 4,
        completion=completion,
    )
    for rank in range(blocks):
        np.testing.assert_array_equal(out[rank], data if mask >> rank & 1 else 0)


def test_swizzles_follow_the_formula(tiles: sim_harness.Kernels) -> None:
    out = np.zeros(4 * 4096, np.uint32)
    tiles.run("swizzles", 1, 128, out)
    want = np.array([swizzle(i, mode) for mode in (NONE, B32, B64, B128) for i in range(4096)])
    np.testing.assert_array_equal(out, want)
    for mode in (B32, B64, B128):  # a permutation of the 16-byte chunks of each pattern, and its own inverse
        assert sorted(swizzle(i, mode) for i in range(128 << mode)) == list(range(128 << mode))
        assert all(swizzle(swizzle(i, mode), mode) == i for i in range(4096))


GOOD: dict[str, Any] = {
    "kind": "float16",
    "base": 1 << 20,
    "dims": (64, 64),
    "strides": (128,),
    "box": (64, 64),
    "steps": (1, 1),
}
BROKEN = [
    ({"at": 32}, "tensorMap must be aligned to 64 bytes"),
    ({"kind": "nothing"}, "tensorDataType 99 is not one of CUtensorMapDataType"),
    ({"rank": 0}, "tensorRank is 0: it must be 1 to 5"),
    ({"rank": 6}, "tensorRank is 6: it must be 1 to 5"),
    ({"base": (1 << 20) + 8}, "globalAddress must be aligned to 16 bytes"),
    ({"base": 0}, "globalAddress must be aligned to 16 bytes and not null"),
    ({"dims": (64, 0)}, "globalDim[1] is 0: it must be 1 to 2^32"),
    ({"dims": (64, 2**32 + 1), "strides": (2**33,)}, "globalDim[1] is 4294967297"),
    ({"strides": (136,)}, "globalStrides[0] is 136: it must be a multiple of 16 bytes"),
    ({"strides": (2**40,)}, "it must be less than 2^40 bytes"),
    ({"dims": (8, 8, 4096), "strides": (128, 16), "box": (8, 8, 8), "steps": (1, 1, 1), "swizzle": 0}, ""),
    (
        {"dims": (8, 64, 8), "strides": (128, 32), "box": (8, 8, 8), "steps": (1, 1, 1)},
        "it must be at least globalDim[1], 64",
    ),
    ({"box": (64, 0)}, "boxDim[1] is 0: it must be 1 to 256"),
    ({"box": (64, 257)}, "boxDim[1] is 257: it must be 1 to 256"),
    ({"box": (4, 64)}, "is 8 bytes: it must be a multiple of 16"),
    ({"box": (128, 64), "swizzle": 3}, "is 256 bytes: CU_TENSOR_MAP_SWIZZLE_128B takes at most 128"),
    ({"box": (64, 64), "swizzle": 2}, "is 128 bytes: CU_TENSOR_MAP_SWIZZLE_64B takes at most 64"),
    ({"box": (32, 64), "swizzle": 1}, "is 64 bytes: CU_TENSOR_MAP_SWIZZLE_32B takes at most 32"),
    ({"steps": (1, 0)}, "elementStrides[1] is 0: it must be 1 to 8"),
    ({"steps": (1, 9)}, "elementStrides[1] is 9: it must be 1 to 8"),
    ({"kind": "uint16", "nan": 1}, "oobFill NAN_REQUEST_ZERO_FMA needs a floating-point tensorDataType, not UINT16"),
    ({"nan": 2}, "oobFill 2 is not one of"),
    ({"swizzle": 7}, "swizzle 7 is not one of"),
    ({"l2": 4}, "l2Promotion 4 is not one of"),
    ({"interleave": 3}, "interleave 3 is not one of"),
]


@pytest.mark.parametrize(("change", "sentence"), BROKEN)
def test_each_rule_of_the_encoder_is_named(change: dict[str, Any], sentence: str) -> None:
    arguments = {**GOOD, **change}
    if not sentence:
        encode(**arguments)
        return
    with pytest.raises(sim_harness.Fault) as caught:
        encode(**arguments)
    assert caught.value.rule == "bad-tensor-map" and sentence in str(caught.value)


@pytest.mark.parametrize("change", [{"kind": "tfloat32"}, {"kind": "16u4_align8b"}, {"interleave": 1}, {"swizzle": 4}])
def test_what_is_not_modelled_is_said(change: dict[str, Any]) -> None:
    with pytest.raises(sim_harness.Fault, match="is not modelled by the simulator") as caught:
        encode(**{**GOOD, **change})
    assert caught.value.rule == "unsupported"


def test_a_map_is_used_with_as_many_coordinates_as_it_has_dimensions(tiles: sim_harness.Kernels) -> None:
    tensor = random_tensor(np.random.default_rng(1), 2, "uint32", NONE)
    with pytest.raises(sim_harness.Fault, match="3 coordinates of a tensor map of rank 2") as caught:
        load(tiles, tensor, (0, 0, 0), encode_tensor(tensor))
    assert caught.value.rule == "bad-tensor-map"
    with pytest.raises(sim_harness.Fault, match="no tensor map"):
        load(tiles, tensor, (0, 0), async_maps.Map.from_buffer(aligned(128).data))


def test_a_swizzle_wider_than_the_box_is_not_guessed(tiles: sim_harness.Kernels) -> None:
    buffer = aligned(4096)
    tensor = Tensor(buffer, np.dtype(np.float16), (64, 32), (128,), (32, 8), (1, 1), B128)
    with pytest.raises(sim_harness.Fault, match="rows have 64 bytes, with a swizzle of 128") as caught:
        load(tiles, tensor, (0, 0), encode_tensor(tensor))
    assert caught.value.rule == "unsupported"
