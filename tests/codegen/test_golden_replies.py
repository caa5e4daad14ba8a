"""Malformed replies: every mistake of one is told at its line, with what to do."""

from __future__ import annotations

from pathlib import Path

import golden
import pytest
from spak.codegen.reply import MAX_BYTES, compose, extract
from spak.errors import SpakError

GOOD = "```cuda\nint a;\n```\n```toml\n[[launch]]\nkernel = 'k'\n```\n"


@pytest.mark.parametrize("case", golden.cases("reply-format-"), ids=lambda case: case.name)
def test_malformed_reply(case: Path) -> None:
    file = next(case.glob("reply.*.md"))
    with pytest.raises(SpakError) as raised:
        extract(file.read_bytes(), file.name.split(".")[1], "reply.md")
    golden.compare(case, str(raised.value) + "\n")


def test_oversized_reply() -> None:
    with pytest.raises(SpakError, match="SPK304"):
        extract(GOOD.encode() + b"x" * MAX_BYTES, "cuda", "reply.md")


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        GOOD.replace("\n", "\r\n"),
        "\ufeff" + GOOD,
        GOOD.replace("```", "~~~~"),
        "Words first.\n\n```text\nnot code\n```\n" + GOOD + "\nand after",
        GOOD.replace("```cuda", "``` CUDA kernel.cu"),
        "```toml\n[[launch]]\nkernel = 'k'\n```\n\n```cuda\nint a;\n```",
    ],
)
def test_what_is_accepted(text: str) -> None:
    found = extract(text.encode(), "cuda", "reply.md")
    assert found.kernel == "int a;\n" and found.plan.launch[0].kernel == "k"
    assert found.plan_text.startswith("[[launch]]") and "\r" not in found.plan_text


def test_compose_is_the_inverse() -> None:
    kernel, plan = "// ```\n```\nint a;\n", "[[launch]]\nkernel = 'k'\n"
    found = extract(compose(kernel, plan, "cpp"), "cpp", "reply.md")
    assert (found.kernel, found.plan_text) == (kernel, plan)


def test_lines_of_the_blocks() -> None:
    found = extract(GOOD.encode(), "cuda", "reply.md")
    lines = GOOD.splitlines()
    assert lines[found.kernel_line - 1] == "int a;" and lines[found.plan_line - 1] == "[[launch]]"
