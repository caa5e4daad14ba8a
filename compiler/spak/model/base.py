"""The base of every model, and its canonical JSON. Knows nothing of what the models mean."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """A frozen record: unknown fields are errors, so a misspelt one never passes silently."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def canonical_json(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys, two-space indent and a final newline: same value, same bytes.

    Indented, because these files are read and diffed by people (`build/ir/*.json`, manifests, evidence).
    """
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    return (json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
