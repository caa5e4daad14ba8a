"""Builds a Request from the files of a unit. Knows neither who answers nor what becomes of the reply."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from spak.codegen import prompt
from spak.codegen.facts import facts
from spak.codegen.headers import documentation
from spak.errors import Diagnostic, SpakError, Span
from spak.model.ir import Unit, Variant
from spak.model.request import Message, Request
from spak.model.target import Target, read_target

if TYPE_CHECKING:
    from spak.codegen.request import Options

_SYSTEM = "system.md.j2"


def render_request(options: Options) -> Request:
    """The request for one variant and dialect, attempt 1."""
    unit = Unit(**json.loads(Path(options.ir).read_bytes()))
    variant = _variant(unit, options)
    targets = _targets(unit, variant, options)
    env = prompt.environment(_overrides(options))
    archs = sorted({target.toolchain.arch for target in targets if target.device == "cuda"})
    context = facts(unit, variant, targets, options.dialect, documentation(options.dialect, archs))
    names = (_SYSTEM, _main(options))
    return Request(
        unit=unit.name,
        variant=variant.name,
        dialect=options.dialect,
        messages=(
            Message(role="system", content=prompt.render(env, names[0], context)),
            Message(role="user", content=prompt.render(env, names[1], context)),
        ),
        model=options.model,
        endpoint=options.endpoint,
        sampling=options.sampling,
        sample=options.sample,
        template=prompt.digest(env, *names),
    )


def template_files(options: Options) -> list[str]:
    """The templates that the request is rendered from."""
    return prompt.files(_overrides(options), _SYSTEM, _main(options))


def _main(options: Options) -> str:
    return f"request.{options.dialect}.md.j2"


def _overrides(options: Options) -> str:
    return options.templates if options.templates and Path(options.templates).is_dir() else ""


def _variant(unit: Unit, options: Options) -> Variant:
    for variant in unit.variants:
        if variant.name == options.variant:
            return variant
    known = ", ".join(f"`{variant.name}`" for variant in unit.variants)
    raise SpakError(
        Diagnostic(
            "SPK327", f"unit `{unit.name}` has no variant `{options.variant}`", Span(options.ir), f"it has {known}"
        )
    )


def _targets(unit: Unit, variant: Variant, options: Options) -> list[Target]:
    """The targets of the dialect that both the unit and the variant support."""
    found = []
    for path in sorted(options.targets):
        target = read_target(path)
        wanted = all(not names or target.name in names for names in (unit.targets, variant.targets))
        if wanted and target.dialect == options.dialect:
            found.append(target)
    if found:
        return found
    what = f"no target of dialect `{options.dialect}` supports `{unit.name}.{variant.name}`"
    raise SpakError(Diagnostic("SPK327", what, Span(options.ir), "add one to `targets:` of the kernel or the variant"))
