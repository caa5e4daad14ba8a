"""Renders the generated host code from its templates. Knows no engine: each brings its template's name and what it adds."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from spak.build import words
from spak.build.job import Job
from spak.build.launches import launches
from spak.build.tables import tables


def render(template: str, job: Job, **extra: Any) -> bytes:
    """The text of a template for a job, as UTF-8. Same job, same bytes."""
    text = (
        _environment()
        .get_template(template)
        .render(
            job=job,
            tables=tables(job.interface),
            plan=launches(job),
            signature=words.signature(job.interface),
            doc=words.docstring(job.interface, job.target),
            **{"workspace": "rt::Workspace", "workspace_args": "", **extra},
        )
    )
    return (str(text).strip() + "\n").encode()


def plain(template: str, **values: Any) -> bytes:
    """The text of a template that needs no job."""
    return (str(_environment().get_template(template).render(**values)).strip() + "\n").encode()


def prelude(job: Job) -> str:
    """`[params]` as compile-time integers, put before device code; '' where there are none."""
    lines = [
        f"constexpr {'int' if abs(v) < 2**31 else 'long long'} {k} = {v};" for k, v in sorted(job.plan.params.items())
    ]
    return "\n".join(lines) + "\n" if lines else ""


def c_string(text: str) -> str:
    """A C++ string literal; JSON's escapes are C's for ASCII, and everything else is written as octal bytes."""
    quoted = json.dumps(text, ensure_ascii=False)[1:-1].replace("?", "\\?")
    return '"' + "".join(c if ord(c) < 128 else "".join(f"\\{b:03o}" for b in c.encode()) for c in quoted) + '"'


@cache
def _environment() -> Any:
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["c"] = c_string
    return environment
