"""`spak facts`: show what a run's facts say of its traces, which rules fired, and which invariants hold."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spak.knowledge.survey import Survey
    from spak.knowledge.values import FactValue, InvariantValue
    from spak.semantics.program import Fact, Rule

MOST = 20  # values shown of each fact, unless one is asked for


@click.command()
@click.argument("run", required=False, default="")
@click.option("--fact", "fact", default="", metavar="NAME", help="Show all values of one fact.")
@click.option("--program", default="", metavar="FILE", help="Hold the knowledge of another program against the traces.")
@click.option("--target", default="", help="The target whose constants are in scope [default: the run's].")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def command(run: str, fact: str, program: str, target: str, as_json: bool) -> int:
    """Show every fact with its value on each trace of RUN and the numbers behind it, the rules that fired and why the others
    did not, and the invariants.

    RUN is a run's id or the beginning of one, its folder, or a trace.jsonl; without it, the newest run. Exit code 1 if an
    invariant does not hold.
    """
    from spak.cli.step import where
    from spak.errors.plain import plain
    from spak.pipeline.runs.knowing import survey

    name, found = survey(where(), run, program, target)
    _known(found, fact)
    failed = not fact and any(one.value is False for one in found.invariants())
    if as_json:
        click.echo(json.dumps({"run": name, **found.to_json(fact)}, indent=2, ensure_ascii=False))
    else:
        for line in _lines(name, found, fact):
            click.echo(plain(line))
    return 1 if failed else 0


def _known(found: Survey, fact: str) -> None:
    """Complain of a fact that the program does not have."""
    from spak.errors import Diagnostic, SpakError, Span
    from spak.semantics.suggest import near

    names = list(found.program.facts)
    if not fact or fact in names:
        return
    hint = near(fact, names, "facts are") or "without --fact, `spak facts` shows them all"
    raise SpakError(Diagnostic("SPK281", f"there is no fact {fact!r}", Span(found.program.file), hint))


def _lines(name: str, found: Survey, only: str) -> Iterator[str]:
    traces = len(found.table)
    yield f"{name}: {traces} trace{'s' if traces != 1 else ''}" + (f", target {found.target}" if found.target else "")
    facts = [one for one in found.program.facts.values() if only in ("", one.name)]
    for fact in facts:
        yield ""
        yield from _fact(found, fact, most=0 if only else MOST)
    if not facts:
        yield "no facts"
    if only:
        return
    for rule in found.program.rules:
        yield ""
        yield from _rule(found, rule)
    checked = found.invariants()
    if checked:
        yield ""
    for one in checked:
        yield _invariant(one)


def _fact(found: Survey, fact: Fact, most: int) -> Iterator[str]:
    from spak.knowledge.survey import scope_words
    from spak.lang.expr import print_expr

    params = ", ".join(f"{param}: {case}" for param, case in fact.params)
    scope = scope_words(fact.scope)
    about = f"  ({scope})" if scope else ""
    if fact.body is None:
        yield f"fact {fact.name}: OBSERVED  {fact.description}".rstrip() + about
        return
    yield f"fact {fact.name}({params}): {print_expr(fact.body)}{about}"
    values = found.values(fact.name, most)
    total = sum(found.counts(fact.name).values())
    if not total:
        yield "  no trace gave it a value"
    elif len(values) < total:
        counts = ", ".join(f"{word} {count}" for word, count in found.counts(fact.name).items())
        yield f"  {counts}; the last {len(values)} of {total}, all with --fact {fact.name}"
    for one in values:
        yield _value(one)


def _value(one: FactValue) -> str:
    from spak.knowledge.values import figures

    word = {True: "true", False: "false", None: "unknown"}[one.value]
    why = f"out of scope: {one.scope}" if one.scope else one.why
    on = " ".join(f"#{seq}" for seq in one.on)
    return f"  {on:<8} {word:<8} {'; '.join(part for part in (why, figures(one.numbers)) if part)}".rstrip()


def _rule(found: Survey, rule: Rule) -> Iterator[str]:
    from spak.lang.expr import print_expr

    when = print_expr(rule.when) if rule.when is not None else "; ".join(rule.prose) or "prose"
    yield f'{rule.kind} "{rule.name}": when {when}'
    fired, last = found.fired(rule.name), found.last(rule.name)
    shown = fired[-MOST:]
    if len(shown) < len(fired):
        yield f"  fired {len(fired)} times; the last {len(shown)}:"
    for one in shown:
        if one.fired is not None:
            words = {True: "true", False: "false", None: "unknown"}
            known = ", ".join(f"{name} is {words[value]}" for name, value in one.fired.facts.items())
            yield f"  fired on {' '.join(f'#{seq}' for seq in one.fired.on)}: {known}"
    if last.fired is not None:
        yield f"  {last.fired.text().removeprefix(f'- {rule.name}: ')}"
    else:
        yield f"  {'stands no more' if fired else 'not fired'}: {last.why}"


def _invariant(one: InvariantValue) -> str:
    from spak.knowledge.values import figures

    text = one.check or one.statement
    behind = "; ".join(part for part in (one.why, figures(one.numbers)) if part)
    return f"invariant {one.invariant}: {one.status}  {text}" + (f"  ({behind})" if behind else "")
