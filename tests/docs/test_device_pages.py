"""The pages of docs/device are those of the headers, and a request shows what its targets have."""

from __future__ import annotations

from pathlib import Path

import pytest
from spak.codegen import headers

FOLDER = Path(__file__).parents[2] / headers.FOLDER


def test_the_pages_are_current() -> None:
    there = {path.name: path.read_text() for path in FOLDER.glob("*.md")}
    assert there == headers.pages(), "run: python -m spak.codegen.headers"


def test_a_page_shows_what_a_caller_sees() -> None:
    pages = headers.pages()
    assert (
        "template <typename T>\nT block_sum(T value);\n```\nSum over the block; every thread gets it."
        in pages["block.md"]
    )
    assert "float to_float(__half x);\nfloat to_float(__nv_bfloat16 x);" in pages["half.md"]
    assert "int c0);\n// ... and with more arguments, up to\nvoid tma_load(" in pages["tma.md"]
    assert "*sm_90 and later.*" in pages["tma.md"]
    for name, text in pages.items():
        assert "SPAK_" not in text and "spak_at" not in text and "__forceinline__" not in text, name
    with pytest.raises(KeyError):
        headers.documentation("fortran")


def test_a_request_shows_what_all_of_its_targets_have() -> None:
    everywhere, both, hopper = (
        headers.documentation("cuda", archs) for archs in ((), ("sm_80", "sm_90a"), ("sm_90a",))
    )
    for name, arch in (("cp_async_wait(", both), ("mma_bf16(", both), ("tma_load(", hopper), ("wgmma_fence(", hopper)):
        assert name in arch and name in everywhere, name
    for name in ("tma_load(", "wgmma_descriptor(", "stmatrix(", "cluster_sync(", "mbarrier_expect_tx("):
        assert name not in both, name
    assert "wgmma_fence(" not in headers.documentation("cuda", ("sm_100a",))
    assert "registers_increase(" in headers.documentation("cuda", ("sm_100a",))
    assert "nanoseconds(" not in everywhere  # a kernel's result depends on no clock
    assert "`<spak/cpu/types.h>`" in headers.documentation("cpp")


def test_every_public_function_is_documented() -> None:
    """A name that a kernel may use without a comment would be missing from every request."""
    text = "".join(headers.pages().values())
    include = FOLDER.parents[1] / "csrc/include/spak/cuda"
    declared = [(path, line) for path in sorted(include.glob("*.h")) for line in path.read_text().split("\n")]
    names = [(path.name, line.split("(")[0].split()[-1]) for path, line in declared if line.startswith("SPAK_DEVICE")]
    assert len(names) > 100
    assert [(file, name) for file, name in names if f" {name}(" not in text and f"*{name}(" not in text] == []
