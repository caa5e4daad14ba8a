"""A compiler that is ended before it is done says nothing of what it compiled."""

from __future__ import annotations

from pathlib import Path

import pytest
from spak.build import cmake
from spak.effects import Completed
from spak.errors import SpakError


class Said:
    """Configures, and then ends as it is told."""

    def __init__(self, done: Completed) -> None:
        self.done = done

    def run(self, argv: list[str], **_: object) -> Completed:
        return self.done if "-C" in argv else Completed(tuple(argv), 0, b"", b"")


def built(folder: Path, *done: object) -> cmake.Built:
    return cmake.build(folder, {}, {}, "g++", Said(Completed((), *done)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("done", "how"),
    [
        ((-9, b"", b"", True), "timed out"),
        ((-15, b"", b""), "signal SIGTERM"),
        ((1, b"g++: fatal error: Killed signal terminated program cc1plus\n", b""), "signal SIGKILL"),
    ],
)
def test_a_busy_machine_is_no_fault_of_the_code(tmp_path: Path, done: tuple[object, ...], how: str) -> None:
    with pytest.raises(SpakError, match=rf"SPK517.*ended before it was done \({how}\)"):
        built(tmp_path, *done)


def test_code_that_takes_too_much_is_the_codes_fault(tmp_path: Path) -> None:
    log = b"g++: fatal error: CPU time limit exceeded signal terminated program cc1plus\n"
    assert not built(tmp_path, 1, log, b"").ok
