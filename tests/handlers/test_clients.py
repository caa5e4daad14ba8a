"""Client processes: kept for the next question, replaced when they are gone or another is wanted, ended with this one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from spak.effects import Completed
from spak.handlers import clients

#: Says on standard error what it was asked, and answers with its own number.
SCRIPT = """
import os, sys, time
for line in sys.stdin:
    word = line.strip()
    print("asked", word[:20], file=sys.stderr, flush=True)
    if word == "die":
        print("last words", file=sys.stderr, flush=True)
        os._exit(7)
    if word == "hang":
        time.sleep(600)
    if word.startswith("meet"):
        folder = word.split()[1]
        open(f"{folder}/{os.getpid()}", "w").close()
        while len(os.listdir(folder)) < 3:
            time.sleep(0.01)
    if word == "flood":
        while True:
            os.write(1, b"x" * 65536)
    print(os.getpid(), len(word), flush=True)
"""


@pytest.fixture
def argv(tmp_path: Path) -> list[str]:
    script = tmp_path / "client.py"  # another path for each test: none finds the client of another
    script.write_text(SCRIPT)
    return [sys.executable, "-S", "-E", str(script)]


def ask(argv: list[str], word: str, heard: list[bytes] | None = None, **env: str) -> Completed:
    hear = heard.append if heard is not None else lambda chunk: None
    environment = {"PATH": os.environ["PATH"], **env}
    return clients.ask(argv, word.encode(), env=environment, seconds=60, most=1 << 20, hear=hear)


def number(done: Completed) -> int:
    assert done.ok, done
    return int(done.stdout.split()[0])


def eventually(condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + 60
    while not condition() and time.monotonic() < until:
        time.sleep(0.01)
    return condition()


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has collected yet has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def test_one_client_answers_one_question_after_another_and_says_what_belongs_to_each(argv: list[str]) -> None:
    first, second = ask(argv, "one", heard := []), ask(argv, "two")
    assert number(first) == number(second) != os.getpid()
    assert first.stderr == b"asked one\n" == b"".join(heard) and second.stderr == b"asked two\n"


def test_a_question_larger_than_a_pipe_arrives_whole(argv: list[str]) -> None:
    assert ask(argv, "x" * 700_000).stdout.split()[1] == b"700000"


def test_another_environment_has_another_client_and_only_one_is_kept(argv: list[str]) -> None:
    plain, other = number(ask(argv, "a")), number(ask(argv, "a", KEY="b"))
    assert plain != other and gone(plain)
    assert number(ask(argv, "a", KEY="b")) == other


def test_questions_at_once_have_a_client_each(argv: list[str], tmp_path: Path) -> None:
    """None is answered before all have been asked."""
    table = tmp_path / "table"
    table.mkdir()
    numbers: list[int] = []
    threads = [threading.Thread(target=lambda: numbers.append(number(ask(argv, f"meet {table}")))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(numbers)) == 3
    assert [one.argv for one in clients._idle] == [tuple(argv)]
    assert sum(not gone(one) for one in numbers) == 1


def test_how_a_client_died_is_told_and_the_next_question_has_a_new_one(argv: list[str]) -> None:
    first = number(ask(argv, "a"))
    died = ask(argv, "die")
    assert (died.how, died.stdout, died.stderr) == ("exit status 7", b"", b"asked die\nlast words\n")
    second = number(ask(argv, "a"))
    assert second != first
    os.kill(second, signal.SIGSEGV)  # while nobody asks
    assert eventually(lambda: gone(second))
    assert number(ask(argv, "a")) not in (first, second)


def test_a_client_that_hangs_or_floods_is_ended(argv: list[str]) -> None:
    hung = clients.ask(argv, b"hang", env={}, seconds=0.5, most=100, hear=lambda chunk: None)
    assert hung.timed_out and hung.how == "timed out" and not hung.ok
    assert ask(argv, "flood").how == "said too much"
    assert not [one for one in clients._idle if one.argv == tuple(argv)]


def test_an_interrupted_question_ends_its_client(argv: list[str]) -> None:
    def interrupted(chunk: bytes) -> None:
        raise KeyboardInterrupt

    first = number(ask(argv, "a"))
    with pytest.raises(KeyboardInterrupt):
        clients.ask(argv, b"hang", env={"PATH": os.environ["PATH"]}, seconds=60, most=100, hear=interrupted)
    assert gone(first)


ASKER = """
import os, sys
from spak.handlers import clients
done = clients.ask(sys.argv[2:], b"a", env={}, seconds=60, most=100, hear=lambda chunk: None)
print(done.stdout.split()[0].decode(), flush=True)
if sys.argv[1] == "killed":
    os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("how", ["ended", "killed"])
def test_an_idle_client_ends_with_who_asked_it(argv: list[str], how: str) -> None:
    done = subprocess.run([sys.executable, "-c", ASKER, how, *argv], capture_output=True, text=True, check=False)
    assert done.returncode == (-9 if how == "killed" else 0) and done.stderr == ""
    assert eventually(lambda: gone(int(done.stdout)))
