"""What a model's text, a hostile tree and a hostile program try against tools. Each attack is tried for real."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from spak.agents.tools import approvals
from spak.effects import files
from spak.effects.run import Limits, run
from spak.effects.strays import children
from spak.errors import SpakError, Waiting
from spak.semantics.program import Contract

from tests.agents.toolcalls import do, plan, policy

ARGV = "import json, sys; print(json.dumps(sys.argv[1:]))"

#: What a model might answer where one argument is meant.
HOSTILE = [
    "$(touch owned)", "`touch owned`", "; touch owned", "&& touch owned", "| touch owned", "> owned", "\ntouch owned\n",
    "' ; touch owned ; '", '" ; touch owned ; "', "\\\"; touch owned", "a b c", "*", "~", "$HOME", "${IFS}", "{{b}}", "{{",
    "%s%n", "\x1b]0;x\x07", "\u202e", "- a list item", "-1", "", " ", "\\", "'", '"', "#", "!!", "\r",
]  # fmt: skip

#: Every place of a command where a hole may stand.
PLACES = [
    "['python', '-c', code, '{{a}}']", "['python', '-c', code, a]", "['python', '-c', code, 'x{{a}}y']",
    "\"python -c '%s' {{a}}\"", "\"python -c '%s' '{{a}}'\"", "\"python -c '%s' \\\"{{a}}\\\"\"", "\"python -c '%s' x{{a}}y\"",
    "\"python -c '%s' --x={{a}} \"",
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_a_hole_is_one_argument_whatever_fills_it(tmp_path: Path, place: str) -> None:
    cmd = place.replace("%s", ARGV) if place[0] == '"' else place.replace("'", '"')
    for hostile in HOSTILE:
        result = do(tmp_path, f"tool.run {{ cmd: {cmd} }}", code=ARGV, a=hostile)
        (got,) = json.loads(result.stdout)
        assert got.removeprefix("--x=").removeprefix("x").removesuffix("y") == hostile
    assert not list(tmp_path.iterdir())


def test_text_in_the_environment_and_in_the_input_is_text(tmp_path: Path) -> None:
    code = "import os, sys; sys.stdout.write(os.environ['A'] + '|' + sys.stdin.buffer.read().decode())"
    for hostile in HOSTILE:
        result = do(tmp_path, 'tool.run { cmd: ["python", "-c", code] env: {A: a} stdin: a }', code=code, a=hostile)
        assert result.stdout == f"{hostile}|{hostile}"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("hostile", ["-rf", "--output=/etc/passwd", "-e", "--", "--x y"])
def test_a_hole_is_no_option(tmp_path: Path, hostile: str) -> None:
    for cmd in ('["cat", a]', '"cat {{a}}"', '["cat", "{{a}}"]', '"cat {{a}}x"', '["cat", "x", a, "--", "y"]'):
        planned = None
        try:
            planned = plan(tmp_path, f"tool.run {{ cmd: {cmd} }}", a=hostile)
        except SpakError as error:
            assert error.diagnostics[0].code == "SPK946"
            assert '"--"' in error.diagnostics[0].hint
        assert planned is None or hostile == "--"
    for cmd in ('["cat", "--", a]', '"cat -- {{a}}"', '["cat", "--x={{a}}"]'):
        assert plan(tmp_path, f"tool.run {{ cmd: {cmd} }}", a=hostile).data["argv"][-1].endswith(hostile)


@pytest.mark.parametrize("cmd", ['["echo", a]', '"echo {{a}}"', '["echo"] env: {A: a}', '"echo {{a}}" shell: true'])
@pytest.mark.parametrize("hostile", ["a\0b", "\0"])
def test_nul_characters(tmp_path: Path, cmd: str, hostile: str) -> None:
    with pytest.raises(SpakError) as error:
        plan(tmp_path, f"tool.run {{ cmd: {cmd} }}", a=hostile)
    assert error.value.diagnostics[0].code == "SPK947"


def test_halves_of_characters(tmp_path: Path) -> None:
    for text in ('tool.run { cmd: ["echo", a] }', 'tool.run { cmd: ["cat"] stdin: a }'):
        with pytest.raises(SpakError) as error:
            plan(tmp_path, text, a="\ud800")
        assert error.value.diagnostics[0].code == "SPK947"


@pytest.mark.parametrize("cmd", ["[a]", "a", '"{{a}}"', '"{{a}} x"', '"./{{a}}"', '"x" + a', "[a, 1]"])
def test_a_value_starts_no_program(tmp_path: Path, cmd: str) -> None:
    with pytest.raises(SpakError) as error:
        plan(tmp_path, f"tool.run {{ cmd: {cmd} }}", a="sh")
    assert error.value.diagnostics[0].code == "SPK944"


@pytest.mark.parametrize(
    "name", ["PATH", "LD_PRELOAD", "PYTHONSTARTUP", "PYTHONPATH", "BASH_ENV", "ENV", "GIT_SSH_COMMAND", "NODE_OPTIONS", "IFS"]
)  # fmt: skip
def test_a_value_does_not_steer_what_is_executed(tmp_path: Path, name: str) -> None:
    for env in (f"{{ {name}: a }}", f'{{ {name}: "x{{{{a}}}}" }}', "m"):
        with pytest.raises(SpakError) as error:
            plan(tmp_path, f'tool.run {{ cmd: ["true"] env: {env} }}', a="/tmp", m={name: "/tmp"})
        assert error.value.diagnostics[0].code == "SPK944"
    assert plan(tmp_path, f'tool.run {{ cmd: ["true"] env: {{ {name}: "/x" }} }}').data["env"] == {name: "/x"}


# ---- the environment ----


def test_nothing_of_ours_leaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECRET", "OPENAI_API_KEY", "AWS_SESSION_TOKEN", "SSH_AUTH_SOCK", "DATABASE_URL", "LC_SECRET"):
        monkeypatch.setenv(name, "hush")
    code = "import os; print(sorted(os.environ)); print(sorted(os.listdir('/proc/self/fd')))"
    held = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(held, True)
    try:
        result = do(tmp_path, 'tool.run { cmd: ["python", "-c", code] }', code=code)
    finally:
        os.close(held)
    names, handles = result.stdout.splitlines()
    assert not set(json.loads(names.replace("'", '"'))) & {
        "SECRET", "OPENAI_API_KEY", "AWS_SESSION_TOKEN", "SSH_AUTH_SOCK", "DATABASE_URL", "LC_SECRET",
    }  # fmt: skip
    assert handles == "['0', '1', '2', '3']"  # the last is the listing itself


# ---- links ----


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder beside the project, with a file that is nobody's business."""
    (tmp_path / "project/in").mkdir(parents=True)
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_text("hush")
    return folder


@pytest.mark.parametrize(
    ("link", "to", "path"),
    [
        ("a", "../outside", "a/secret"),
        ("a", "../outside/secret", "a"),
        ("in/a", "../../outside", "in/a/secret"),
        ("a", "in", "a/x"),  # inside, but a link all the same
        ("a", "missing", "a"),
        ("a", "a", "a"),
        ("a", "/", "a/etc/passwd"),
        ("a", "/proc/self/root", "a/etc/passwd"),
    ],
)
def test_links_are_not_followed(outside: Path, link: str, to: str, path: str) -> None:
    root = outside.parent / "project"
    (root / "in/x").write_text("x")
    (root / link).symlink_to(to)
    for text in ("tool.read { path: p }", 'tool.write { path: p content: "owned" }'):
        with pytest.raises(SpakError) as error:
            do(root, text, p=path)
        assert error.value.diagnostics[0].code == "SPK956"
    if "/" in path:
        with pytest.raises(SpakError) as error:
            do(root, 'tool.run { cmd: ["touch", "owned"] cwd: p }', p=link)
        assert error.value.diagnostics[0].code == "SPK956"
    assert (outside / "secret").read_text() == "hush"
    assert [path.name for path in outside.iterdir()] == ["secret"]


def exchange(a: Path, b: Path) -> None:
    """Two paths change places in one step."""
    at, flag = -100, 2
    assert ctypes.CDLL(None).renameat2(at, os.fsencode(a), at, os.fsencode(b), flag) == 0


class Meddling:
    """`os` for the code under attack: the two paths change places just before the n-th call."""

    def __init__(self, number: int, a: Path, b: Path) -> None:
        self.left, self.a, self.b = number, a, b

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in {"open", "stat", "mkdir", "replace", "fstat", "fsync", "fchmod", "close"}:
            return real

        def call(*args: Any, **kwargs: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                exchange(self.a, self.b)
            return real(*args, **kwargs)

        return call


@pytest.mark.parametrize("act", ["read", "write", "write new"])
@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_link_swapped_in_at_any_moment(outside: Path, monkeypatch: pytest.MonkeyPatch, what: str, act: str) -> None:
    """A link to the outside takes the place of a folder or a file, between any two steps of a tool."""
    root = outside.parent / "project"
    (root / "in/secret").write_text("fine")
    (root / "link").symlink_to(outside)
    (root / "in/link").symlink_to(outside / "secret")
    a, b = (root / "in", root / "link") if what == "folder" else (root / "in/secret", root / "in/link")
    moments, done, refused = 0, 0, 0
    while True:
        meddling = Meddling(moments + 1, a, b)
        monkeypatch.setattr(files, "os", meddling)
        try:
            if act == "read":
                assert files.read(root, ("in", "secret"), 100) in {b"fine", b"new"}
            else:
                files.write(root, ("in", "secret" if act == "write" else f"n{moments}"), b"new")
            done += 1
        except OSError as error:
            assert isinstance(error, files.Crossing) or error.errno == 40, error
            refused += 1
        monkeypatch.undo()
        if meddling.left > 0:
            break
        if a.is_symlink():
            exchange(a, b)
        moments += 1
        assert (outside / "secret").read_text() == "hush"
        assert [path.name for path in outside.iterdir()] == ["secret"]
    assert moments >= 6 and done and (refused or act == "write new")


def test_a_folder_swapped_under_a_command(outside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is a link to the outside by the time that the command starts."""
    root = outside.parent / "project"
    (root / "link").symlink_to(outside)

    def late(*args: Any, **kwargs: Any) -> Any:
        exchange(root / "in", root / "link")
        return run(*args, **kwargs)

    monkeypatch.setattr("spak.agents.tools.run.run", late)
    assert do(root, 'tool.run { cmd: ["touch", "here"] cwd: "in" }').ok
    assert (root / "link/here").exists()  # where the folder is by now
    assert [path.name for path in outside.iterdir()] == ["secret"]


# ---- processes ----

DAEMON = """
import os, sys, time
def leave(depth):
    if os.fork(): return
    os.setsid()
    if os.fork(): os._exit(0)
    os.closerange(0, 64)
    os.execve(sys.executable, [sys.argv[3], "-c", "import time; time.sleep(600)"], {})
for n in range(int(sys.argv[1])):
    leave(n)
    if n % 2 and os.fork() == 0:
        for m in range(3): leave(m)
        os._exit(0)
print("gone", flush=True)
if sys.argv[2] == "wait": time.sleep(600)
"""


@pytest.mark.parametrize("how", ["end", "wait"])
def test_daemons_do_not_outlive_their_command(tmp_path: Path, how: str) -> None:
    before = children()
    name = f"daemon-{how}-{os.getpid()}"  # no other test's, in whatever process
    for seconds in (3, 30, 200):  # in which a busy machine gets to the end of it
        result = do(
            tmp_path,
            f'tool.run {{ cmd: ["python", "-c", code, 20, how, name] timeout: {seconds} }}',
            code=DAEMON,
            how=how,
            name=name,
        )
        assert children() <= before
        assert not sleepers(name)
        if result.stdout and result.ok == (how == "end"):
            break
    assert (result.ok, result.stdout) == (how == "end", "gone\n")


def sleepers(name: str) -> list[str]:
    """The processes that DAEMON leaves, by the name that they give themselves."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
        except OSError:
            continue
        found += [entry.name] if line.startswith(f"{name}\0-c\0import time".encode()) else []
    return found


def test_a_background_child_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["spak.effects.run"], "_LOOKS", 1200)  # readers would wait ten minutes for the pipe
    began = time.monotonic()
    under = policy(tmp_path, shell=True)
    assert do(tmp_path, 'tool.run { cmd: "sleep 600 & echo done" shell: true }', under).value == "done"
    assert time.monotonic() - began < 300


def test_a_bomb_of_processes_ends_with_its_time(tmp_path: Path) -> None:
    """Every process starts two others as long as it lives, each in a session of its own; a depth bounds it for our sake."""
    code = (
        "import os, time\ndepth = 0\n"
        "while depth < 7:\n    if os.fork() == 0:\n        os.setsid(); depth += 1\n    elif os.fork() == 0: depth += 1\n"
        "    else: break\ntime.sleep(600)\n"
    )
    before = children()
    result = do(tmp_path, 'tool.run { cmd: ["python", "-c", code] timeout: 1 }', code=code)
    assert result.why == "timed out after 1 seconds"
    assert children() <= before


def test_endless_output_is_ended(tmp_path: Path) -> None:
    for text in ('tool.run { cmd: ["yes"] }', 'tool.run { cmd: "yes 1>&2" shell: true }'):
        began = time.monotonic()
        result = do(tmp_path, text, policy(tmp_path, shell=True))
        assert time.monotonic() - began < 300
        assert (result.ok, result.why) == (False, "it said more than 1048576 bytes")
        assert len(result.stdout) + len(result.stderr) == 1 << 20
        assert [one.code for one in result.diagnostics] == ["SPK953"]


def test_more_than_the_limit_is_no_success(tmp_path: Path) -> None:
    result = do(tmp_path, 'tool.run { cmd: ["printf", "12345678"] output_limit: 7 }')
    assert (result.ok, result.exit_code) in {(False, 0), (False, -9)}
    assert do(tmp_path, 'tool.run { cmd: ["printf", "1234567"] output_limit: 7 }').value == 1234567


def test_a_command_that_does_not_read(tmp_path: Path) -> None:
    began = time.monotonic()
    result = do(tmp_path, 'tool.run { cmd: ["sleep", 600] stdin: x timeout: 0.3 }', x="x" * 5_000_000)
    assert result.why == "timed out after 0.3 seconds"
    assert time.monotonic() - began < 300


def test_others_of_ours_are_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "600"]) as other:
        assert do(tmp_path, 'tool.run { cmd: ["true"] }').ok
        assert other.poll() is None
        other.kill()


def test_a_command_without_containment_is_only_cut() -> None:
    done = run([sys.executable, "-c", "print('a' * 100)"], limits=Limits(output_bytes=10))
    assert (done.ok, done.flooded, done.stdout) == (True, False, b"a" * 10)


# ---- approvals ----

SHELL = 'tool.run { cmd: "echo {{x}}" shell: true }'


def test_an_approval_by_name_is_none(tmp_path: Path) -> None:
    """The name is right; what is in it is another command, approved at another time."""
    harmless, harmful = plan(tmp_path, SHELL, x="a"), plan(tmp_path, SHELL, x="; touch owned")
    folder = tmp_path / ".spak/approvals"
    folder.mkdir(parents=True)
    name = harmful.digest.removeprefix("sha256:")
    for data in (b"", b"yes", harmless.canonical, harmful.canonical[:-1], harmful.canonical + b" "):
        (folder / name).write_bytes(data)
        with pytest.raises(Waiting):
            do(tmp_path, SHELL, x="; touch owned")
    assert not (tmp_path / "owned").exists()


def test_what_is_approved_is_what_was_shown(tmp_path: Path) -> None:
    """What waits is exchanged for something else before the person approves it."""
    with pytest.raises(Waiting):
        do(tmp_path, SHELL, x="a")
    (asked,) = (tmp_path / ".spak/approvals").iterdir()
    asked.write_bytes(plan(tmp_path, SHELL, x="; touch owned").canonical)
    with pytest.raises(SpakError) as error:
        approvals.approve(tmp_path, asked.stem)
    assert error.value.diagnostics[0].code == "SPK962"
    with pytest.raises(Waiting):
        do(tmp_path, SHELL, x="a")


def test_tools_cannot_approve(tmp_path: Path) -> None:
    planned = plan(tmp_path, SHELL, x="a")
    path = f".spak/approvals/{planned.digest.removeprefix('sha256:')}"
    with pytest.raises(SpakError) as error:
        do(tmp_path, "tool.write { path: p content: c }", p=path, c=planned.canonical.decode())
    assert error.value.diagnostics[0].code == "SPK957"


def test_an_approval_is_no_link(outside: Path) -> None:
    root = outside.parent / "project"
    planned = plan(root, SHELL, x="a")
    (outside / "secret").write_bytes(planned.canonical)
    (root / ".spak/approvals").mkdir(parents=True)
    (root / ".spak/approvals" / planned.digest.removeprefix("sha256:")).symlink_to(outside / "secret")
    with pytest.raises(SpakError) as error:
        do(root, SHELL, x="a")
    assert not isinstance(error.value, Waiting)


def test_nothing_is_hidden_from_who_approves(tmp_path: Path) -> None:
    with pytest.raises(Waiting) as error:
        do(tmp_path, 'tool.run { cmd: "echo {{x}}" shell: true env: {A: x} stdin: x }', x="a\r\x1b[2K\u202e; rm -rf /")
    shown = str(error.value)
    assert "\x1b" not in shown and "\r" not in shown and "\u202e" not in shown
    said = approvals.approve(tmp_path, error.value.diagnostics[0].notes[1].split()[-1])
    assert said.count("; rm -rf /") == 3 and "\x1b" not in said and "with A=" in said


def test_a_contract_cannot_allow_what_the_command_line_does_not(tmp_path: Path) -> None:
    with pytest.raises(Waiting):
        do(tmp_path, SHELL, policy(tmp_path, Contract(shell=True)), x="a")
