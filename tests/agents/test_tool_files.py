"""`tool.read` and `tool.write`: text files inside the roots, whole and durable."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from spak.digest import sha256_bytes
from spak.errors import SpakError
from spak.semantics.program import Contract

from tests.agents.toolcalls import do, plan, policy


def code_of(error: pytest.ExceptionInfo[SpakError]) -> str:
    (one,) = error.value.diagnostics
    assert one.hint
    assert one.span and one.span.line >= 3
    return one.code


def test_what_was_written_is_read(tmp_path: Path) -> None:
    text = "ü\n\ttail without newline \U0001f600"
    result = do(tmp_path, 'tool.write { path: "a/b/c.txt" content: x }', x=text)
    data = text.encode()
    assert result.value == {"path": "a/b/c.txt", "bytes": len(data), "digest": sha256_bytes(data)}
    assert (tmp_path / "a/b/c.txt").read_bytes() == data
    assert do(tmp_path, 'tool.read { path: "a/./b/c.txt" }').value == text
    assert do(tmp_path, "tool.read { path: p }", p=str(tmp_path.resolve() / "a/b/c.txt")).value == text


def test_content_that_is_no_text_is_its_json(tmp_path: Path) -> None:
    do(tmp_path, 'tool.write { path: "x" content: { a: n, b: [1, "ü"] } }', n=2.5)
    assert (tmp_path / "x").read_text() == '{"a": 2.5, "b": [1, "ü"]}'
    do(tmp_path, 'tool.write { path: "x" content: n }', n=3)
    assert (tmp_path / "x").read_text() == "3"


def test_a_file_is_replaced_and_keeps_its_permissions(tmp_path: Path) -> None:
    file, other = tmp_path / "a", tmp_path / "other name"
    file.write_text("old")
    file.chmod(0o750)
    os.link(file, other)
    do(tmp_path, 'tool.write { path: "a" content: "new" }')
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("new", 0o750)
    assert other.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "other name"]


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(SpakError) as error:
        do(tmp_path, 'tool.write { path: "a" content: "x" }')
    assert code_of(error) == "SPK958"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_roots_of_the_contract_narrow(tmp_path: Path) -> None:
    under = policy(tmp_path, Contract(roots=("out", "notes/today")))
    do(tmp_path, 'tool.write { path: "out/x/y" content: "1" }', under)
    do(tmp_path, 'tool.write { path: "notes/today/y" content: "1" }', under)
    for path in ("x", "outside/x", "notes/y", "outx", "notes"):
        with pytest.raises(SpakError) as error:
            plan(tmp_path, "tool.write { path: p content: 1 }", under, p=path)
        assert code_of(error) == "SPK955"
    assert plan(tmp_path, 'tool.run { cmd: ["true"] }', under).data["path"] == "."


def test_folders_beside_the_project(tmp_path: Path) -> None:
    root, beside = tmp_path / "project", tmp_path / "beside"
    root.mkdir()
    beside.mkdir()
    under = policy(root, roots=[str(beside)])
    do(root, "tool.write { path: p content: 1 }", under, p=str(beside / "a/x"))
    assert (beside / "a/x").read_text() == "1"
    assert do(root, "tool.read { path: p }", under, p=str(beside / "a/x")).value == "1"
    with pytest.raises(SpakError) as error:
        do(root, "tool.read { path: p }", p=str(beside / "a/x"))
    assert code_of(error) == "SPK955"


@pytest.mark.parametrize("path", ["", "..", "../x", "a/../../x", "a/../x", "/etc/passwd", "/", "a\0b", "out/"])
def test_paths_that_lead_out_are_refused(tmp_path: Path, path: str) -> None:
    (tmp_path / "a").mkdir()
    for text in ("tool.read { path: p }", "tool.write { path: p content: 1 }"):
        with pytest.raises(SpakError) as error:
            plan(tmp_path, text, p=path)
        assert code_of(error) == "SPK955"


@pytest.mark.parametrize(
    ("path", "read"),
    [
        (".git/config", False), ("lib/.git/hooks/pre-commit", False), (".spak/approvals/x", False), ("./.spak/runs/x", False),
        ("generated/u/v/cpp/kernel.cpp", True), ("spak.lock", True), ("dodo.py", True),
        ("targets/cpu.toml", True), ("spak.toml", True), ("pyproject.toml", True), ("templates/request.md.j2", True),
    ],
)  # fmt: skip
def test_what_the_compiler_relies_on_is_not_for_tools(tmp_path: Path, path: str, read: bool) -> None:
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text("x")
    for p in (path, str(tmp_path.resolve() / path)):
        with pytest.raises(SpakError) as error:
            do(tmp_path, "tool.write { path: p content: 1 }", p=p)
        assert code_of(error) == "SPK957"
        # allowing a folder above the project changes nothing
        with pytest.raises(SpakError) as error:
            do(tmp_path, "tool.write { path: p content: 1 }", policy(tmp_path, roots=["/"]), p=p)
        assert code_of(error) == "SPK957"
        if read:
            assert do(tmp_path, "tool.read { path: p }", p=p).value == "x"
        else:
            with pytest.raises(SpakError) as error:
                do(tmp_path, "tool.read { path: p }", p=p)
            assert code_of(error) == "SPK957"
    assert (tmp_path / path).read_text() == "x"


@pytest.mark.parametrize(
    ("data", "code", "what"),
    [
        (b"ok\n\xff", "SPK959", "byte 0xff in line 2"),
        (b"a\0b", "SPK959", "NUL"),
        (b"\xff\xfea\0", "SPK959", "byte 0xff in line 1"),
        (b"a" * ((1 << 20) + 1), "SPK960", "more than 1048576 bytes"),
    ],
)
def test_what_is_no_text_or_too_much(tmp_path: Path, data: bytes, code: str, what: str) -> None:
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(SpakError, match=what) as error:
        do(tmp_path, 'tool.read { path: "x" }')
    assert code_of(error) == code


def test_what_is_no_plain_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for path in ("pipe", "folder", "missing", "folder/missing", "pipe/x", "a" * 300):
        with pytest.raises(SpakError) as error:
            do(tmp_path, "tool.read { path: p }", p=path)
        assert code_of(error) == "SPK958"
    for path in ("pipe", "folder", "pipe/x", "a" * 300):
        with pytest.raises(SpakError) as error:
            do(tmp_path, "tool.write { path: p content: 1 }", p=path)
        assert code_of(error) == "SPK958"


def test_content_that_cannot_be_written(tmp_path: Path) -> None:
    for content, code in (("\ud800", "SPK959"), ("a" * ((16 << 20) + 1), "SPK960")):
        with pytest.raises(SpakError) as error:
            plan(tmp_path, 'tool.write { path: "x" content: c }', c=content)
        assert code_of(error) == code
