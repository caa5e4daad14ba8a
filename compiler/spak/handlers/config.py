"""The `[model]` table of a project's configuration. Knows nothing of where it is written or of who answers.

`name`, `endpoint` and `sampling` belong to every request and so to its digest; all else only says how to reach the
model.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError

from spak.errors import Diagnostic, SpakError
from spak.model.base import Model


class ModelConfig(Model):
    """`timeout` is seconds for one try, `backoff` the first pause in seconds, prices are US dollars a million tokens.

    `key` names the environment variable that holds the key, where it is not the provider's usual one. The key itself
    has no place in a file.
    """

    handler: str = "replay"
    name: str = ""
    endpoint: str = ""
    key: str = ""
    sampling: dict[str, Any] = Field(default_factory=dict)
    stream: bool = True
    timeout: float = Field(default=600.0, gt=0)
    retries: int = Field(default=5, ge=0, le=100)
    backoff: float = Field(default=1.0, ge=0)
    backoff_max: float = Field(default=60.0, ge=0)
    price_in: float | None = Field(default=None, ge=0)
    price_out: float | None = Field(default=None, ge=0)

    @classmethod
    def read(cls, table: Mapping[str, Any]) -> ModelConfig:
        """Check a table. Raises SpakError with everything that is wrong with it."""
        try:
            return cls(**table)
        except ValidationError as error:
            raise SpakError(*(_explain(one) for one in error.errors())) from None


def _explain(one: Any) -> Diagnostic:
    key = ".".join(str(part) for part in one["loc"])
    if one["type"] != "extra_forbidden":
        return Diagnostic("SPK343", f"[model] `{key}`: {one['msg'][:1].lower()}{one['msg'][1:]}")
    known = list(ModelConfig.model_fields)
    close = difflib.get_close_matches(key, known, 1)
    hint = f"did you mean `{close[0]}`?" if close else "known keys: " + ", ".join(f"`{name}`" for name in known)
    if "key" in key.lower():
        hint = "keys are read from the environment only: `key` names the variable"
    return Diagnostic("SPK343", f"[model] has no key `{key}`", hint=hint)
