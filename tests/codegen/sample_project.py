"""A small project for the tests: one unit with its IR, a request, and judges. Stands for parse and for the pipeline."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spak.codegen import Options
from spak.codegen.request import Options as RequestOptions
from spak.effects import Effects
from spak.errors import Diagnostic, Span
from spak.lock import Entry, Lock
from spak.model.base import canonical_json
from spak.model.ir import (
    Choice,
    Invariant,
    Reference,
    Require,
    Rule,
    Scalar,
    Signature,
    Tensor,
    TuningSpace,
    Unit,
    Variant,
)
from spak.model.outcome import Outcome
from spak.model.request import Message, Provenance, Reply, Request

REPO = Path(__file__).resolve().parents[2]

KERNEL = """\
extern "C" void scale(const float* x, float* y, float by, long long n) {
  for (long long i = 0; i < n; ++i) y[i] = by * x[i];
}
"""
PLAN = '[[launch]]\nkernel = "scale"\nargs = ["x", "y", "by", "n"]\n'


def reply_text(kernel: str = KERNEL, plan: str = PLAN, words: str = "Here it is.") -> str:
    """A reply as a model would write it."""
    return f"{words}\n\n```cpp\n{kernel}```\n\n```toml\n{plan}```\n"


def wrong(number: int = 1) -> str:
    """A well-formed reply that the judge rejects; the number tells them apart."""
    return reply_text(KERNEL.replace("by * x[i]", f"x[i] /* wrong {number} */"))


def unit(**changes: Any) -> Unit:
    """`y = by * x`, with something of everything that a request can show."""
    signature = Signature(
        params=(Tensor(name="x", dtype="f32", shape=("n",)), Scalar(name="by", dtype="f32", default=2.0)),
        results=(Tensor(name="y", dtype="f32", shape=("n",)),),
        axes=("n",),
    )
    base: dict[str, Any] = {
        "name": "scale",
        "edition": 1,
        "version": 1,
        "summary": "Scales a vector.",
        "prose": "Every element is multiplied.",
        "signature": signature,
        "require": (Require(expr="n >= 1", words="n >= 1"),),
        "reference": Reference(kind="numpy", expr="by * x"),
        "linear_in": ("x",),
        "flops": "n",
        "bytes": "8 * n",
        "design_space": (Choice(name="staging", values=("none", "shared")),),
        "tuning_space": TuningSpace(
            parameters=(Choice(name="BLOCK", values=(128, 256)),), constraints=("BLOCK <= 256",)
        ),
        "invariants": (Invariant(name="NoScratch", statement="Nothing is kept.", check="workspace_bytes == 0"),),
        "rules": (Rule(name="Coalesce", domain="memory", text="Neighbours read neighbours."),),
        "variants": (
            Variant(name="plain", intent="The simplest loop.", design={"staging": "none"}),
            Variant(name="fast", intent="As fast as memory."),
        ),
    }
    return Unit(**(base | changes))


@dataclass
class Project:
    """A project in a folder; the working directory must be that folder, as it is for every stage."""

    root: Path
    asked: list[Request] = field(default_factory=list)
    judged: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.root / "build/ir").mkdir(parents=True, exist_ok=True)
        (self.root / "build/request").mkdir(parents=True, exist_ok=True)
        shutil.copytree(REPO / "targets", self.root / "targets", dirs_exist_ok=True)
        self.spec(unit())
        self.ask_for("Write scale.")

    def spec(self, changed: Unit) -> None:
        (self.root / "build/ir/scale.json").write_bytes(canonical_json(changed))

    def ask_for(self, text: str) -> None:
        """Make `text` the request, as an edit of the spec would."""
        messages = (Message(role="system", content="You write kernels."), Message(role="user", content=text))
        request = Request(unit="scale", variant="plain", dialect="cpp", messages=messages, template="sha256:t")
        (self.root / "build/request/scale.plain.cpp.json").write_bytes(canonical_json(request))

    def options(self, **changes: Any) -> Options:
        base: dict[str, Any] = {
            "unit": "scale",
            "variant": "plain",
            "dialect": "cpp",
            "ir": "build/ir/scale.json",
            "request": "build/request/scale.plain.cpp.json",
            "generated": "generated/scale/plain/cpp",
            "pending": ".spak/pending/scale.plain.cpp",
        }
        return Options(**(base | changes))

    def request_options(self, **changes: Any) -> RequestOptions:
        targets = tuple(sorted(f"targets/{path.name}" for path in (self.root / "targets").glob("*.toml")))
        base: dict[str, Any] = {"ir": "build/ir/scale.json", "variant": "plain", "dialect": "cpp", "targets": targets}
        return RequestOptions(**(base | {"out": "out.json"} | changes))

    @property
    def folder(self) -> Path:
        return self.root / "generated/scale/plain/cpp"

    @property
    def kernel(self) -> Path:
        return self.folder / "kernel.cpp"

    def entry(self) -> Entry | None:
        return Lock.load(self.root / "spak.lock").get("scale", "plain", "cpp")

    def judge(self, wants: str = "by * x[i]") -> Outcome:
        """Accepts a kernel that holds `wants`: what check, compile and verify do in a build."""
        source = self.kernel.read_text()
        self.judged.append(source)
        if wants in source and (self.folder / "plan.toml").exists():
            digest = "sha256:" + "a" * 64
            return Outcome(
                summary={"targets": [{"name": "cpu", "build": digest, "evidence": digest, "verdict": "passed"}]}
            )
        line = next((n for n, text in enumerate(source.splitlines(), 1) if "x[i]" in text), 1)
        span = Span("generated/scale/plain/cpp/kernel.cpp", line, 1)
        found = Diagnostic("SPK601", f"y[0] is 1, expected 2 (wanted {wants})", span, "replay it")
        return Outcome(ok=False, diagnostics=(found.to_json(),))

    def effects(
        self, *replies: str | Exception, wants: str = "by * x[i]", judge: Callable[[], Outcome] | None = None
    ) -> Effects:
        """Answers the n-th question with the n-th reply; one question too many fails the test."""
        left = list(replies)

        def ask(request: Request) -> Reply:
            self.asked.append(request)
            assert left, "asked once too often"
            reply = left.pop(0)
            if isinstance(reply, Exception):
                raise reply
            return Reply(
                text=reply,
                provenance=Provenance(handler="live", by="m", model="m", tokens_in=7, tokens_out=9, cost=0.25),
            )

        return Effects(asker=ask, judger=judge or (lambda: self.judge(wants)))

    def tree(self) -> dict[str, bytes]:
        """Every file outside the build's own folders, with its content."""
        files = [path for path in self.root.rglob("*") if path.is_file()]
        names = {path.relative_to(self.root).as_posix(): path for path in files}
        return {
            name: path.read_bytes()
            for name, path in names.items()
            if not name.startswith((".spak/", "build/", "targets/"))
        }


def make(root: Path) -> Project:
    """A project at `root`, entered."""
    os.chdir(root)
    return Project(root)
