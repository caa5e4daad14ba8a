"""Renders prompt templates, and says what they were. Knows nothing of what a prompt is about."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spak.digest import digest_fields
from spak.errors import Diagnostic, SpakError, Span

if TYPE_CHECKING:
    from jinja2 import Environment

SHIPPED = Path(__file__).parent / "templates"


def environment(overrides: str = "") -> Environment:
    """The sandboxed environment. A file in the folder `overrides` replaces the shipped template of its name."""
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    folders = [overrides, str(SHIPPED)] if overrides else [str(SHIPPED)]
    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(folders),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # the output is Markdown for a model, not HTML
        keep_trailing_newline=False,
    )


def render(env: Environment, name: str, context: Mapping[str, Any]) -> str:
    """Render one template. Raises SpakError at the template's line when it is broken or uses an unknown name."""
    from jinja2 import TemplateError, TemplateSyntaxError

    try:
        return env.get_template(name).render(context).strip() + "\n"
    except TemplateSyntaxError as error:
        span = Span(error.name or name, error.lineno, 1)
        raise SpakError(Diagnostic("SPK326", f"the template is broken: {error.message}", span, _HINT)) from None
    except (TemplateError, TypeError, ValueError) as error:
        span = Span(*_where(error, name))
        raise SpakError(Diagnostic("SPK326", f"the template cannot be rendered: {error}", span, _HINT)) from None


def digest(env: Environment, *names: str) -> str:
    """The digest of the named templates and of all that they include or extend, with the variables they expect from
    outside.
    """
    from jinja2 import meta

    fields = []
    for name in sorted(_closure(env, names)):
        source = _source(env, name)
        wanted = ", ".join(sorted(meta.find_undeclared_variables(env.parse(source))))
        fields += [("template", name, source), ("expects", name, wanted)]
    return digest_fields(fields)


def files(overrides: str, *names: str) -> list[str]:
    """The paths of the templates in the digest of the same names: the stage's inputs."""
    env = environment(overrides)
    assert env.loader
    found = [env.loader.get_source(env, name)[1] for name in sorted(_closure(env, names))]
    return [path for path in found if path]


_HINT = "templates of your own stand in the project's templates folder; delete one to use the shipped text"


def _closure(env: Environment, names: tuple[str, ...]) -> set[str]:
    from jinja2 import meta

    todo, done = list(names), set[str]()
    while todo:
        name = todo.pop()
        if name in done:
            continue
        done.add(name)
        todo += [one for one in meta.find_referenced_templates(_parse(env, name)) if one]
    return done


def _parse(env: Environment, name: str) -> Any:
    from jinja2 import TemplateSyntaxError

    try:
        return env.parse(_source(env, name), name)
    except TemplateSyntaxError as error:
        what = f"the template is broken: {error.message}"
        raise SpakError(Diagnostic("SPK326", what, Span(name, error.lineno, 1), _HINT)) from None


def _source(env: Environment, name: str) -> str:
    from jinja2 import TemplateNotFound

    assert env.loader
    try:
        return env.loader.get_source(env, name)[0]
    except TemplateNotFound as error:
        raise SpakError(Diagnostic("SPK326", f"there is no template `{error.name}`", Span(name), _HINT)) from None


def _where(error: BaseException, name: str) -> tuple[str, int]:
    """The innermost template line of a traceback; jinja2 rewrites its frames to point into the templates."""
    place = (name, 1)
    trace = error.__traceback__
    while trace:
        file = trace.tb_frame.f_code.co_filename
        if file.endswith(".j2"):
            place = (Path(file).name, trace.tb_lineno)
        trace = trace.tb_next
    return place
