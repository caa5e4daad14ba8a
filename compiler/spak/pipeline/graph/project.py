"""A project: its root, its settings and its targets. Knows neither specs nor tasks.

Settings are the `[tool.spak]` table of `pyproject.toml`, or `spak.toml` where a project has no Python packaging of its own.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from spak.errors import Diagnostic, SpakError, Span
from spak.handlers.config import ModelConfig
from spak.model.base import Model


class Settings(Model):
    """`[tool.spak]`. `targets` empty means every file in `targets/`; `package` names the kernels wheel.

    `model` says who is asked; see `spak.handlers.config`.
    """

    package: str = "spak_kernels"
    targets: tuple[str, ...] = ()
    proof_ms: int = 2000  # z3's time limit a proof
    model: dict[str, Any] = {}


@dataclass(frozen=True)
class Project:
    """A tree to build. `config` is the settings file, '' where there is none."""

    root: Path
    settings: Settings
    model: ModelConfig
    config: str
    targets: tuple[str, ...]


def load_project(root: Path) -> Project:
    """Read the settings and list the targets. Raises SpakError with the place of what is wrong."""
    config, table, prefix = read_settings(root)
    try:
        settings = Settings.model_validate(table)
    except ValidationError as error:
        raise SpakError(*(explain(root, config, prefix, e) for e in error.errors())) from None
    present = sorted(p.stem for p in (root / "targets").glob("*.toml"))
    for name in settings.targets:
        if name not in present:
            near = get_close_matches(name, present, 1)
            hint = (
                f"did you mean {near[0]!r}?"
                if near
                else f"add targets/{name}.toml; there are: {', '.join(present) or 'none'}"
            )
            raise SpakError(
                Diagnostic("SPK903", f"target {name!r} has no file", locate(root, config, f'"{name}"'), hint)
            )
    return Project(root, settings, ModelConfig.read(settings.model), config, settings.targets or tuple(present))


def read_settings(root: Path) -> tuple[str, dict[str, Any], str]:
    """(file, table, dotted prefix) of the settings; an absent file is an empty table."""
    for name, prefix in (("spak.toml", ""), ("pyproject.toml", "tool.spak")):
        path = root / name
        if not path.is_file():
            continue
        try:
            data = tomllib.loads(path.read_text())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SpakError(Diagnostic("SPK902", f"not valid TOML: {error}", Span(name))) from None
        table = data.get("tool", {}).get("spak") if prefix else data
        if table is not None:
            return name, table, prefix
    return "", {}, ""


def explain(root: Path, config: str, prefix: str, error: Any) -> Diagnostic:
    """One pydantic error as a diagnostic at the line that names its key."""
    path = [str(part) for part in error["loc"]]
    near = get_close_matches(path[-1], list(Settings.model_fields), 1) if error["type"] == "extra_forbidden" else []
    hint = f"did you mean {near[0]!r}?" if near else f"settings are: {', '.join(sorted(Settings.model_fields))}"
    what = (
        f"unknown setting {path[-1]!r}" if error["type"] == "extra_forbidden" else f"{'.'.join(path)}: {error['msg']}"
    )
    return Diagnostic("SPK902", what, locate(root, config, path[-1]), hint)


def locate(root: Path, config: str, text: str) -> Span | None:
    """The first place in the settings file that mentions a text."""
    if not config:
        return None
    for number, line in enumerate((root / config).read_text().splitlines(), 1):
        if text in line:
            return Span(config, number, line.index(text) + 1)
    return Span(config)
