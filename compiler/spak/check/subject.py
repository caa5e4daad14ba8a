"""What is judged: a unit, a source, a plan and a target, read once. Knows no check.

A check is a module of `spak.check.checks` with

    NAME    the name it has in the evidence
    NEEDS   of {"text", "tree", "plan text", "plan", "values"}: what must hold for it to say anything (see `runner`)
    check(subject) -> iterable of `Check` and `Diagnostic`

It yields a `Diagnostic` for each finding, and a `Check` where it has figures or a verdict of its own (`unproved`); when
it yields no `Check`, the runner adds one named NAME that failed if there was an error among the findings.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from spak.check.domain import Domain
from spak.check.plan_file import Path, PlanFile
from spak.check.scope import Scope, parse_plan, resolve_plan
from spak.check.source import Source
from spak.errors import Diagnostic
from spak.lang.expr import Expr, Unary, parse_expr
from spak.model.evidence import Check
from spak.model.ir import ITEMSIZE, Interface, Require, Tensor, Unit, Variant
from spak.model.plan import Plan
from spak.model.target import Target

Finding = Check | Diagnostic


class CheckModule(Protocol):
    """The protocol of a module in `spak.check.checks`."""

    NAME: str
    NEEDS: frozenset[str]

    def check(self, subject: Subject) -> Iterable[Finding]: ...


@dataclass(frozen=True)
class Subject:
    """Everything a check may look at. `z3_ms` is the time a single proof may take."""

    unit: Unit
    interface: Interface
    variant: Variant
    target: Target
    source: Source
    file: PlanFile
    z3_ms: int

    @property
    def plan(self) -> Plan:
        """The plan; only for checks that need one."""
        assert self.file.plan is not None
        return self.file.plan

    @property
    def require(self) -> tuple[Require, ...]:
        """What callers promise: the interface's conditions. A variant's own narrow where it is dispatched."""
        return (*self.interface.require, *self.variant.require)

    @cached_property
    def requirements(self) -> list[Expr]:
        """`require` parsed. Raises SpakError for an IR whose expressions do not parse, which `parse` never writes."""
        return [parse_expr(require.expr) for require in self.require]

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """Tensor parameters and results by name."""
        signature = self.interface.signature
        both = (*(p for p in signature.params if isinstance(p, Tensor)), *signature.results)
        return {tensor.name: tensor for tensor in both}

    @cached_property
    def dims(self) -> dict[str, tuple[Expr, ...]]:
        """The dimensions of each tensor of the interface, parsed."""
        return {name: tuple(parse_expr(dim) for dim in tensor.shape) for name, tensor in self.tensors.items()}

    @cached_property
    def itemsizes(self) -> dict[str, int]:
        return {name: ITEMSIZE[tensor.dtype] for name, tensor in self.tensors.items()}

    @cached_property
    def scope(self) -> Scope:
        return Scope.of(self)

    @cached_property
    def domain(self) -> Domain:
        """The shapes that proofs range over."""
        return Domain.of(self, self.scope.constants)

    @cached_property
    def _parsed(self) -> tuple[dict[Path, Expr], list[Diagnostic]]:
        return parse_plan(self)

    @property
    def expressions(self) -> dict[Path, Expr]:
        """The plan's expressions that parse, by place; `expression_problems` says what is wrong with the rest."""
        return self._parsed[0]

    @property
    def expression_problems(self) -> list[Diagnostic]:
        return self._parsed[1]

    @cached_property
    def value_problems(self) -> list[Diagnostic]:
        """What keeps the plan's expressions from having values."""
        return resolve_plan(self)

    def steps(self) -> dict[str, list[int]]:
        """The launches of each step, in order: of one step, the first whose `when` holds runs."""
        found: dict[str, list[int]] = {}
        for index, launch in enumerate(self.plan.launch):
            found.setdefault(launch.step, []).append(index)
        return found

    def reached(self, index: int) -> list[Expr]:
        """The conditions under which launch `index` runs: its own, and none of its step's earlier ones."""
        alternatives = self.steps()[self.plan.launch[index].step]
        earlier = alternatives[: alternatives.index(index)]
        whens = [Unary("!", self.expressions["launch", other, "when"]) for other in earlier]
        return [*whens, self.expressions["launch", index, "when"]]
