"""A model asked over real HTTP by a real build: what it says is judged, repaired, locked, and then replayed offline."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from realproject import Project
from scale import FOLDER, NAME, REPLY, SKIPS_THE_LAST, add_scale

sys.path.insert(0, str(Path(__file__).parents[1] / "handlers"))

from provider import Provider, Step, complete, serving

pytestmark = pytest.mark.xdist_group("project")

SECRET = "sk-not-a-real-key-0123456789"
LIVE = ("scale", "--handler", "live")


@contextmanager
def model(project: Project, *steps: Step) -> Iterator[Provider]:
    """The project's model: a server that answers from a script, and for which the project has a key."""
    add_scale(project)
    proxies = [name for one in ("http_proxy", "https_proxy", "all_proxy") for name in (one, one.upper())]
    project.env |= {"OPENAI_API_KEY": SECRET, "NO_PROXY": "127.0.0.1"} | dict.fromkeys(proxies, "")
    with serving(*steps) as server:
        settings = {"name": '"openai/gpt-4o"', "endpoint": f'"{server.url}"', "backoff": 0.01, "retries": 1}
        project.put("spak.toml", "[model]\n" + "".join(f"{key} = {value}\n" for key, value in settings.items()))
        yield server


def test_reply_that_fails_is_repaired_in_the_same_build(project: Project) -> None:
    """Streamed; the first reply skips an element, the second doesn't. What is locked then builds without the server."""
    with model(project, complete(SKIPS_THE_LAST), complete(REPLY)) as server:
        built = project.build(*LIVE)
    assert built.answers == {f"codegen:{NAME}": "asked"}
    first, second = (seen.body for seen in server.seen)
    assert first["stream"] is True and first["model"] == "gpt-4o"
    assert server.seen[0].headers["authorization"] == f"Bearer {SECRET}"
    assert "Multiplies every element by a number." in first["messages"][-1]["content"]
    assert [one["role"] for one in second["messages"]] == ["system", "user", "assistant", "user"]
    assert "i < N - 1" in second["messages"][2]["content"] and "SPK6" in second["messages"][3]["content"]
    entry = project.lock()[NAME]
    assert (entry["attempts"], entry["handler"], entry["model"], entry["finish"]) == (
        2,
        "live",
        "openai/gpt-4o",
        "stop",
    )
    assert (entry["tokens_in"], entry["tokens_out"]) == (1000, 200)
    assert 0 < entry["cost"] < 0.1
    assert project.path(f"{FOLDER}/reply.md").read_text() == REPLY
    assert project.path(f"{FOLDER}/attempts/1.md").read_text() == SKIPS_THE_LAST
    assert not project.path(".spak/pending").exists() or not list(project.path(".spak/pending").iterdir())
    texts = [path.read_bytes() for path in project.root.rglob("*") if path.is_file()]
    assert not any(SECRET.encode() in text for text in [*texts, built.said.encode()]), "the key was written somewhere"
    fresh = Project(project.root.parent / "clone", project.cache, env={"OPENAI_API_KEY": ""})
    clone(project, fresh)
    again = fresh.build("scale", "--frozen")
    assert again.answers == {f"codegen:{NAME}": "replayed"}
    assert len(server.seen) == 2


def clone(project: Project, fresh: Project) -> None:
    """What a version control system would keep, elsewhere."""
    import shutil

    ignored = shutil.ignore_patterns("build", ".spak", "dist")
    shutil.copytree(project.root, fresh.root, ignore=ignored)


def test_truncated_reply_is_never_locked(project: Project) -> None:
    """Even one that would compile: the rest may matter. The next build asks again."""
    with model(project, complete(REPLY, finish="length"), complete(REPLY)) as server:
        failed = project.build(*LIVE, expect=1)
        assert "SPK323" in failed.err and len(server.seen) == 1
        assert NAME not in project.lock() and not project.path(FOLDER).exists()
        assert project.build(*LIVE).answers == {f"codegen:{NAME}": "asked"}
    assert project.lock()[NAME]["attempts"] == 1


def test_server_that_is_down(project: Project) -> None:
    with model(project, complete(REPLY)):
        pass
    failed = project.build(*LIVE, expect=1)
    assert "SPK338" in failed.err and "no connection to the provider" in failed.err and "2 tries" in failed.err
    assert NAME not in project.lock()
