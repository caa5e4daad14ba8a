"""The record of a sweep: a file with every trial, from which it can be replayed. Knows neither how trials are made nor why.

{"schema_version": 1, "name": ..., "metric": ..., "objective": ..., "environment": {...}, "space": {name: [values]},
 "trials": [{"config": {...}, "state": "measured", "value": ..., "samples": [...], ...}]}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from spak.errors import Diagnostic, SpakError, Span
from spak.model.base import canonical_json
from spak.optimize.trial import Trial
from spak.store import atomic

LARGEST = 256 << 20


@dataclass(frozen=True)
class Record:
    """`about` says what was searched; trials are in the order in which they were made."""

    about: Mapping[str, Any]
    trials: tuple[Trial, ...]
    path: str = field(default="", compare=False)

    @cached_property
    def by_key(self) -> dict[str, Trial]:
        return {trial.key: trial for trial in self.trials}

    @property
    def metric(self) -> str:
        return str(self.about.get("metric", ""))

    @property
    def objective(self) -> str:
        return str(self.about.get("objective", "maximize"))

    def write(self, path: Path) -> None:
        """Replace the file. Raises SpakError."""
        body = {"schema_version": 1, **self.about, "trials": [trial.to_json() for trial in self.trials]}
        atomic.write(path, canonical_json(body))


def read(path: Path, shown: str = "") -> Record:
    """Read a record. Raises SpakError (SPK653) with what is wrong and where."""
    shown = shown or path.name
    hint = "records are written by `spak tune`, below .spak/sweeps/"
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise SpakError(Diagnostic("SPK653", f"cannot read the record: {error.strerror}", Span(shown), hint)) from None
    if len(raw) > LARGEST:
        raise SpakError(Diagnostic("SPK653", f"the record has {len(raw)} bytes", Span(shown), hint))
    try:
        data = json.loads(raw.decode())
    except UnicodeDecodeError:
        raise SpakError(Diagnostic("SPK653", "the record is not UTF-8", Span(shown), hint)) from None
    except RecursionError:
        raise SpakError(Diagnostic("SPK653", "the record nests too deeply", Span(shown), hint)) from None
    except json.JSONDecodeError as error:
        span = Span(shown, error.lineno, error.colno)
        raise SpakError(Diagnostic("SPK653", f"the record is not JSON: {error.msg}", span, hint)) from None
    if not isinstance(data, dict) or not isinstance(data.get("trials"), list):
        raise SpakError(Diagnostic("SPK653", "this is no record of a sweep: it has no trials", Span(shown), hint))
    trials = []
    for number, row in enumerate(data["trials"], 1):
        try:
            trials.append(Trial.from_json(row, number))
        except (KeyError, TypeError, ValueError) as error:
            what = f"trial {number} of the record is not one: {type(error).__name__} {error}"
            raise SpakError(Diagnostic("SPK653", what, Span(shown), hint)) from None
    return Record(
        {key: value for key, value in data.items() if key not in ("trials", "schema_version")}, tuple(trials), shown
    )
