"""Inline PTX: `asm` statements to calls of the simulator's models. Knows no file."""

from __future__ import annotations

from spak.sim.work import Work


def used(source: str) -> bool:
    return "asm" in source


def statement(work: Work, i: int) -> int:
    work.error(
        "SPK591",
        "the simulator cannot model inline PTX outside the project's headers",
        work.code[i],
        "use a function of <spak/cuda/...>, or leave the sim target out of the variant's targets",
    )
    return i + 1
