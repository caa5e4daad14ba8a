"""At least five wrong edits of every shipped CUDA reply: each is caught on small shapes by the simulator's check mode or by the
values, and what is shipped is clean. The whole verification of each: `python tests/e2e/mutants.py`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import built
import pytest
from mutants import MUTANTS
from mutating import REPO, Reply, rig_of, tried
from spak.parse.load import load_unit

RUNTIME = """
import sys
from pathlib import Path
from spak.pipeline.execution.session import Session
session = Session(Path.cwd())
session.open()
try:
    (action,) = [one for name, one in session.network.actions.items() if name.startswith("runtime:sim-")]
    assert session.executor.execute(action).ok
    print(action.outputs[0])
finally:
    session.close()
"""


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The simulator's library, out of the cache that the project's own build fills."""
    tree = built.copy(tmp_path_factory.mktemp("runtime") / "tree")
    return str(tree.root / tree.python(RUNTIME).stdout.strip())


def test_every_cuda_reply_has_five() -> None:
    replies = {f"{path.parts[-4]}.{path.parts[-3]}" for path in REPO.glob("generated/*/*/cuda/kernel.cu")}
    counts = Counter(mutant.reply for mutant in MUTANTS)
    assert {reply: counts[reply] for reply in replies if counts[reply] < 5} == {}
    for mutant in MUTANTS:
        unit, _, variant = mutant.reply.partition(".")
        source = (REPO / "generated" / unit / variant / "cuda" / "kernel.cu").read_text()
        assert mutant.apply(source) != source, mutant


@pytest.mark.parametrize("reply", sorted({mutant.reply for mutant in MUTANTS}))
def test_each_mutant_is_caught(reply: str, runtime: str, tmp_path: Path) -> None:
    unit, _, variant = reply.partition(".")
    mutants = [mutant for mutant in MUTANTS if mutant.reply == reply]
    whole = Reply(load_unit(REPO, f"specs/{unit}").unit, variant, mutants)
    with rig_of(whole, whole.module(tmp_path, runtime)) as rig:
        assert tried(rig, 0) == ("", "")
        found = {str(mutant): tried(rig, number) for number, mutant in enumerate(mutants, 1)}
    print(f"{reply}: {sum(bool(what) for _, what in found.values())} of {len(found)} mutants caught")
    assert [mutant for mutant, (_, what) in found.items() if not what] == []
