"""The children of a verification start without what only their parent needs."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["candidate", "oracle"])
def test_a_child_imports_no_models(module: str) -> None:
    code = f"import sys, spak.verify.{module}; print(sorted({{'pydantic', 'spak.model'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_the_stage_is_there_for_who_asks() -> None:
    import spak.verify

    assert spak.verify.Options.model_fields["call_seconds"].default == 20.0
    assert callable(spak.verify.run)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = spak.verify.nothing
