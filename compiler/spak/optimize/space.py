"""What a search may choose from: parameters with their values, less what constraints exclude. Knows no measurement."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spak.errors import Diagnostic, SpakError
from spak.lang.expr import Expr, evaluate, names, print_expr
from spak.semantics.program import Parameter

Value = int | float | str | bool
Config = dict[str, Value]

#: How many configurations are looked at for the first that the constraints admit.
LOOKED_AT = 2_000_000


@dataclass(frozen=True, slots=True)
class Space:
    """`constants` are names that constraints may use besides the parameters. The order of the file is the order of the search."""

    parameters: tuple[Parameter, ...]
    constraints: tuple[Expr, ...] = ()
    constants: Mapping[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Configurations before constraints."""
        return math.prod(len(one.values) for one in self.parameters)

    def admits(self, config: Mapping[str, Value]) -> bool:
        """Whether every constraint is known to hold."""
        env = {**self.constants, **config}
        return all(evaluate(one, env) is True for one in self.constraints)

    def at(self, index: int) -> Config:
        """The configuration of a number, the last parameter running fastest."""
        config: Config = {}
        for one in reversed(self.parameters):
            index, here = divmod(index, len(one.values))
            config[one.name] = one.values[here]
        return {one.name: config[one.name] for one in self.parameters}

    def every(self) -> Iterator[Config]:
        """Every admitted configuration in order."""
        for values in itertools.product(*(one.values for one in self.parameters)):
            config = dict(zip((one.name for one in self.parameters), values, strict=True))
            if self.admits(config):
                yield config

    def require(self) -> Space:
        """Itself; raises SpakError for one without anything to choose, or whose constraints cannot be evaluated."""
        wrong = [*self._empty(), *self._unknown()]
        if wrong:
            raise SpakError(*wrong)
        if not self._any():
            names_ = ", ".join(one.name for one in self.parameters)
            many = f"none of the first {LOOKED_AT} configurations" if self.size > LOOKED_AT else "no configuration"
            what = f"{many} of {names_} meets the constraints"
            span = self.parameters[0].span
            raise SpakError(
                Diagnostic("SPK650", what, span if span.file else None, "widen a range, or loosen a constraint")
            )
        return self

    def _any(self) -> bool:
        return any(self.admits(self.at(index)) for index in range(min(self.size, LOOKED_AT)))

    def _empty(self) -> Iterator[Diagnostic]:
        if not self.parameters:
            yield Diagnostic("SPK650", "there is no parameter to search over", None, "add `parameter NAME: [values]`")
        for one in self.parameters:
            span = one.span if one.span.file else None
            if not one.values:
                yield Diagnostic("SPK650", f"parameter {one.name} has no value", span, "list at least one")
            if len(set(map(repr, one.values))) < len(one.values):
                yield Diagnostic("SPK650", f"parameter {one.name} lists a value twice", span, "remove one")

    def _unknown(self) -> Iterator[Diagnostic]:
        known = {*self.constants, *(one.name for one in self.parameters)}
        for constraint in self.constraints:
            strange = sorted(names(constraint) - known)
            if strange:
                what = (
                    f"the constraint `{print_expr(constraint)}` names {', '.join(strange)}, which no configuration has"
                )
                hint = f"parameters are: {', '.join(one.name for one in self.parameters)}"
                yield Diagnostic("SPK651", what, None, hint)


def text_of(config: Mapping[str, Value]) -> str:
    """`BM=64 BN=128`."""
    return " ".join(f"{name}={value}" for name, value in config.items())


def same(a: Sequence[Parameter], b: Sequence[Parameter]) -> bool:
    """Whether two searches are over the same axes and values, whatever their order."""

    def plain(each: Sequence[Parameter]) -> dict[str, list[str]]:
        return {one.name: sorted(map(repr, one.values)) for one in each}

    return plain(a) == plain(b)
