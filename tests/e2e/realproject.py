"""Real projects in temporary folders and the commands run in them. Knows nothing of what a test is about."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import spak
from shadow import shadow

REPO = Path(__file__).resolve().parents[2]
COMPILER = Path(spak.__file__).resolve().parents[1]

PLAIN = """\
One loop, which the compiler vectorises.

```cpp
extern "C" void vector_add(const float* a, const float* b, float* c, long long N) {
  for (long long i = 0; i < N; ++i) {
    c[i] = a[i] + b[i];
  }
}
```

```toml
[[launch]]
kernel = "vector_add"
args = ["a", "b", "c", "N"]
```
"""


@dataclass
class Built:
    """What a build did. `ran` are the actions whose stages ran, `failed` those that failed, ran or not."""

    code: int
    out: str
    err: str
    results: dict[str, dict[str, Any]]

    @property
    def ran(self) -> set[str]:
        return {name for name, one in self.results.items() if one["status"] == "ran"}

    def having(self, status: str) -> set[str]:
        return {name for name, one in self.results.items() if one["status"] == status}

    @property
    def answers(self) -> dict[str, str]:
        """What became of each codegen that ran: replayed, kept, asked, adopted, ..."""
        return {name: self.results[name]["summary"]["action"] for name in self.ran if name.startswith("codegen:")}

    @property
    def said(self) -> str:
        return self.out + self.err


@dataclass
class Planned:
    """What `spak plan` foretells: what will run, and what will unless something comes out identical."""

    code: int
    certain: set[str]
    unless: set[str]
    steps: dict[str, dict[str, Any]]


@dataclass
class Project:
    """A tree and the environment in which its commands run."""

    root: Path
    cache: Path
    compiler: Path = COMPILER
    env: dict[str, str] = field(default_factory=dict)

    def command(self, *argv: str, expect: int | None = 0, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run `python ARGV` in the project; no traceback is ever acceptable."""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        env = {**os.environ, "PYTHONPATH": str(self.compiler), "PATH": path, "SPAK_CACHE": str(self.cache), **self.env}
        env.pop("CXX", None) if "CXX" not in self.env else None
        run = [sys.executable, *argv]
        done = subprocess.run(run, cwd=self.root, env=env, input=stdin, capture_output=True, text=True, timeout=900)
        said = f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in said, said
        assert expect is None or done.returncode == expect, said
        return done

    def spak(self, *argv: str, expect: int | None = 0, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return self.command("-m", "spak", *argv, expect=expect, stdin=stdin)

    def build(self, *argv: str, expect: int | None = 0) -> Built:
        events = self.root.parent / f"{self.root.name}.events"
        events.unlink(missing_ok=True)
        done = self.spak("build", "--events", str(events), *argv, expect=expect)
        rows = [json.loads(line) for line in events.read_text().splitlines()] if events.exists() else []
        results = {row["name"]: row for row in rows if row["event"] == "finish"}
        return Built(done.returncode, done.stdout, done.stderr, results)

    def plan(self, *argv: str) -> Planned:
        done = self.spak("plan", "--json", *argv, expect=None)
        steps = {one["name"]: one for one in json.loads(done.stdout)["steps"]}
        runs = {name for name, one in steps.items() if one["what"] in ("run", "keep", "re-verify", "ask")}
        unless = {name for name in runs if steps[name]["unless"]}
        return Planned(done.returncode, runs - unless, unless, steps)

    def path(self, name: str) -> Path:
        return self.root / name

    def put(self, name: str, text: str) -> Path:
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def edit(self, name: str, old: str, new: str) -> None:
        text = self.path(name).read_text()
        assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {name}"
        self.path(name).write_text(text.replace(old, new))

    def copy(self, root: Path) -> Project:
        """The tree as it is, elsewhere, with a cache of its own that knows what this one's knows. Other processes may be at
        work in this one: what they are about to write has names that begin with a dot, and goes meanwhile.
        """
        cache = root.parent / f"{root.name}.cache"
        shutil.copytree(self.root, root, symlinks=True)
        shutil.copytree(self.cache, cache, copy_function=os.link, ignore=shutil.ignore_patterns(".*"))
        return Project(root, cache, self.compiler, dict(self.env))

    def own_compiler(self, folder: Path) -> Path:
        """Work with a copy of the compiler, so that it can be edited; the folder of the package is returned."""
        shutil.copytree(self.compiler / "spak", folder / "spak", ignore=shutil.ignore_patterns("__pycache__"))
        shadow(folder)
        self.compiler = folder
        return folder / "spak"

    def lock(self) -> dict[str, dict[str, Any]]:
        """The entries of spak.lock by `unit.variant.dialect`."""
        import tomllib

        rows = tomllib.loads(self.path("spak.lock").read_text())["entry"]
        return {f"{row['unit']}.{row['variant']}.{row['dialect']}": row for row in rows}

    def forget(self, name: str) -> None:
        """Take a reply and its entry out of the tree, so that it is asked for."""
        unit, variant, dialect = name.split(".")
        shutil.rmtree(self.path(f"generated/{unit}/{variant}/{dialect}"), ignore_errors=True)
        head, *entries = self.path("spak.lock").read_text().split("[[entry]]")
        keys = f'unit = "{unit}"\nvariant = "{variant}"\ndialect = "{dialect}"'
        kept = [one for one in entries if keys not in one]
        assert len(kept) == len(entries) - 1, f"{name} is not locked"
        self.path("spak.lock").write_text("[[entry]]".join([head, *kept]))


def lay_out(root: Path) -> None:
    """Two of the shipped units, one of them with a second variant whose reply the lock does not know yet."""
    (root / "targets").mkdir(parents=True)
    for name in ("cpu", "sim", "sm_80"):
        shutil.copy(REPO / f"targets/{name}.toml", root / "targets")
    shutil.copy(REPO / "dodo.py", root)
    shutil.copytree(REPO / "specs/domains", root / "specs/domains")
    for unit in ("saxpy", "vector_add"):
        shutil.copytree(REPO / "specs" / unit, root / "specs" / unit)
        shutil.copytree(REPO / "generated" / unit, root / "generated" / unit)
        tests = root / f"specs/{unit}/tests.{unit}.yaml"
        tests.write_text(tests.read_text().partition("\nlarge:")[0].partition("\n# Blocks")[0] + "\n")
    spec = root / "specs/vector_add/SPEC.vector_add.md"
    text = spec.read_text().replace("use gpu_memory\n", "")
    second = '  variant plain {\n    intent: "One plain loop."\n    targets: [cpu]\n  }\n}\n\ninvariant NoScratch'
    spec.write_text(text.replace("}\n\ninvariant NoScratch", second, 1))
    folder = root / "generated/vector_add/plain/cpp"
    folder.mkdir(parents=True)
    (folder / "reply.md").write_text(PLAIN)
    shutil.copy(REPO / "spak.lock", root)


def braces(text: str) -> set[str]:
    """Names with alternatives in braces, written out: `a.{b,c}@{d,e}` are four."""
    found = set()
    for word in text.split():
        made = [""]
        rest = word
        while rest:
            before, brace, rest = rest.partition("{")
            choice, _, rest = rest.partition("}") if brace else ("", "", rest)
            made = [f"{one}{before}{more}" for one in made for more in (choice.split(",") if brace else [""])]
        found |= set(made)
    return found
