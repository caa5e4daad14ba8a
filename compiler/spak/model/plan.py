"""The launch plan: the half of a reply that is data. Knows its shape, not whether it is right."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from spak.model.base import Model
from spak.model.ir import DType

Expr = int | str  # integer arithmetic over axes, integer scalars, [params] and target constants


class Workspace(Model):
    """A scratch buffer that the launcher owns; `zero` asks for it to be cleared before the first launch."""

    name: str
    dtype: DType
    shape: tuple[Expr, ...]
    zero: bool = False


class TensorMap(Model):
    """A TMA descriptor over a tensor argument or workspace. `box` is in elements, in the order of memory, outermost first.

    `fill` is what elements outside the tensor read as; `promotion` is the size in which the L2 cache fetches.
    """

    name: str
    tensor: str
    box: tuple[Expr, ...]
    swizzle: Literal["none", "32B", "64B", "128B"] = "none"
    fill: Literal["zero", "nan"] = "zero"
    promotion: Literal["none", "64B", "128B", "256B"] = "none"


class Launch(Model):
    """One kernel launch. For the `cpp` dialect only `kernel`, `when` and `args` are meaningful.

    Launches sharing a `step` are alternatives: the first whose `when` holds runs. Steps run in order of appearance.
    """

    kernel: str
    step: str = ""
    when: str = "true"
    grid: tuple[Expr, ...] = (1, 1, 1)
    block: tuple[Expr, ...] = (1, 1, 1)
    smem: Expr = 0
    cluster: tuple[int, ...] = (1, 1, 1)
    args: tuple[str, ...] = ()


class Plan(Model):
    """`[params]` are compile-time constants of the device code; every other table is a list."""

    params: dict[str, int] = {}
    design: dict[str, str | int | float | bool] = {}
    workspace: tuple[Workspace, ...] = ()
    tensor_map: tuple[TensorMap, ...] = ()
    launch: tuple[Launch, ...] = Field(min_length=1)
