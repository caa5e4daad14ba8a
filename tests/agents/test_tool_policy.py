"""The policy of a run: what the command line allows, narrowed by the contract. The table of tools, and approvals."""

from __future__ import annotations

from pathlib import Path

import pytest
from spak.agents import tools
from spak.agents.policy import BASE, secret
from spak.agents.tools import approvals
from spak.errors import SpakError, Waiting
from spak.semantics.program import Contract, Fields
from spak.semantics.toolbox import TOOLS

from tests.agents.toolcalls import do, plan, policy

HELPERS = {"__init__", "approvals", "arguments", "base", "commands", "paths", "unit"}


def test_a_tool_is_a_file_of_its_name() -> None:
    folder = Path(tools.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - HELPERS
    assert files == set(TOOLS)
    for path in folder.glob("*.py"):
        text = path.read_text()
        assert ("\ndef plan(" in text and "\ndef perform(" in text) == (path.stem in TOOLS or path.stem == "__init__")


@pytest.mark.parametrize("name", ["rum", "base", "..policy", "", "approvals", "run.x", "\0"])
def test_an_unknown_tool_is_refused_at_run_time_too(tmp_path: Path, name: str) -> None:
    with pytest.raises(SpakError) as error:
        tools.plan(name, Fields(()), {}, policy(tmp_path))
    assert error.value.diagnostics[0].code == "SPK940"
    with pytest.raises(SpakError) as error:
        tools.perform(tools.Planned(name, {}, ""), None)  # type: ignore[arg-type]
    assert error.value.diagnostics[0].code == "SPK940"


def test_arguments_are_checked_again_at_run_time(tmp_path: Path) -> None:
    with pytest.raises(SpakError) as error:
        tools.plan("write", Fields((("pth", Fields(())),)), {}, policy(tmp_path))
    text = str(error.value)
    assert [one.code for one in error.value.diagnostics] == ["SPK941"] * 3
    assert "did you mean 'path'?" in text and "needs 'path'" in text and "needs 'content'" in text


def test_the_contract_asks_for_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_SETTING", "1")
    monkeypatch.setenv("OTHER", "2")
    text = 'tool.run { cmd: ["env"] env: {OWN: "3"} }'
    plain = do(tmp_path, text).stdout.splitlines()
    asked = do(tmp_path, text, policy(tmp_path, Contract(env=("MY_SETTING",)))).stdout.splitlines()
    assert "OWN=3" in plain and not {"MY_SETTING=1", "OTHER=2"} & set(plain)
    assert "MY_SETTING=1" in asked and "OTHER=2" not in asked


def test_a_secret_needs_the_command_line_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_API_KEY", "hush")
    contract = Contract(env=("MY_API_KEY", "PATH"))
    with pytest.raises(SpakError, match="MY_API_KEY, which looks like a secret") as error:
        policy(tmp_path, contract)
    assert error.value.diagnostics[0].code == "SPK942"
    result = do(tmp_path, 'tool.run { cmd: ["env"] }', policy(tmp_path, contract, env=["MY_API_KEY"]))
    assert "MY_API_KEY=hush" in result.stdout.splitlines()
    # The command line alone hands nothing over: the program has to ask.
    result = do(tmp_path, 'tool.run { cmd: ["env"] }', policy(tmp_path, env=["MY_API_KEY"]))
    assert "hush" not in result.stdout


def test_no_variable_of_the_base_looks_like_a_secret() -> None:
    assert not [name for name in BASE if secret(name)]


def test_programs(tmp_path: Path) -> None:
    under = policy(tmp_path, Contract(programs=("echo", "cat")))
    assert do(tmp_path, 'tool.run { cmd: ["echo", "1"] }', under).value == 1
    assert do(tmp_path, "tool.run { cmd: [p, 1] }", under, p="echo").value == 1
    for name in ("true", "./echo", "/bin/echo", "echo "):
        with pytest.raises(SpakError) as error:
            plan(tmp_path, "tool.run { cmd: [p] }", under, p=name)
        assert error.value.diagnostics[0].code == "SPK945"


def test_the_command_line_bounds_programs(tmp_path: Path) -> None:
    with pytest.raises(SpakError, match="wants to start 'cat'"):
        policy(tmp_path, Contract(programs=("echo", "cat")), programs=["echo"])
    assert policy(tmp_path, programs=["echo"]).programs == {"echo"}
    assert policy(tmp_path, Contract(programs=("echo",)), programs=["echo", "cat"]).programs == {"echo"}


@pytest.mark.parametrize("root", ["/etc", "..", "a/../..", "/"])
def test_roots_outside_of_the_project_need_the_command_line(tmp_path: Path, root: str) -> None:
    with pytest.raises(SpakError, match="outside of the project"):
        policy(tmp_path, Contract(roots=(root,)))


def test_everything_that_the_contract_may_not_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(SpakError) as error:
        policy(tmp_path, Contract(roots=("/etc",), env=("A_TOKEN",), programs=("cat",)), programs=["echo"])
    assert [one.code for one in error.value.diagnostics] == ["SPK942"] * 3


SHELL = 'tool.run { cmd: "echo {{x}} | tr a-z A-Z" shell: true }'


def test_a_shell_needs_to_be_allowed(tmp_path: Path) -> None:
    with pytest.raises(Waiting) as error:
        do(tmp_path, SHELL, x="a; echo b")
    (one,) = error.value.diagnostics
    assert one.code == "SPK949"
    assert "echo a; echo b | tr a-z A-Z" in one.notes[0]
    assert do(tmp_path, SHELL, policy(tmp_path, shell=True), x="a").value == "A"


def test_the_contract_may_forbid_shells(tmp_path: Path) -> None:
    with pytest.raises(SpakError) as error:
        plan(tmp_path, SHELL, policy(tmp_path, Contract(shell=False), shell=True), x="a")
    assert error.value.diagnostics[0].code == "SPK948"


def test_an_approval_is_for_the_very_command(tmp_path: Path) -> None:
    planned = plan(tmp_path, SHELL, x="a")
    with pytest.raises(Waiting) as waiting:
        do(tmp_path, SHELL, x="a")
    digest = waiting.value.diagnostics[0].notes[1].split()[-1]
    assert planned.digest.startswith(f"sha256:{digest}")
    assert "echo a | tr a-z A-Z" in approvals.approve(tmp_path, digest)
    assert do(tmp_path, SHELL, x="a").value == "A"
    assert approvals.waiting(tmp_path) == []
    others = ['cwd: "." timeout: 9 shell', 'env: {A: "1"} shell', 'stdin: "1" shell']
    for text, x in [(SHELL, "b"), *((SHELL.replace("shell", other), "a") for other in others)]:
        with pytest.raises(Waiting):
            do(tmp_path, text, x=x)


@pytest.mark.parametrize("digest", ["", "abc", "../../x", "ffffffff", "sha256:" + "0" * 64, "z" * 64])
def test_nothing_waits_under_other_digests(tmp_path: Path, digest: str) -> None:
    with pytest.raises(Waiting):
        do(tmp_path, SHELL, x="a")
    with pytest.raises(SpakError) as error:
        approvals.approve(tmp_path, digest)
    assert error.value.diagnostics[0].code == "SPK965"
    with pytest.raises(Waiting):
        do(tmp_path, SHELL, x="a")
