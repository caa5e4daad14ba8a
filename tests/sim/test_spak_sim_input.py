"""What `spak sim` says of files, options and surroundings that it cannot use. Compiles nothing."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner
from spak.cli import sim
from spak.errors import Diagnostic, SpakError
from spak.sim import library, program
from spak.sim.includes import Program
from spak.sim.program import Settings

KERNEL = "__global__ void k(int* o) { o[0] = 1; }\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(content: bytes) -> Diagnostic:
    Path("x.cu").write_bytes(content)
    with pytest.raises(SpakError) as caught:
        program.build(["x.cu"], Settings(), Path())
    return caught.value.diagnostics[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x7fELF\x02\n\x00\x00", "x.cu:2:1: SPK580: the file is no text in UTF-8. hint: name a source file"),
        ("int x;".encode("utf-16"), "x.cu:1:1: SPK580: the file is no text in UTF-8. hint: save it as UTF-8"),
        (b"int x;\n/* no end", "x.cu:2:1: SPK590: a comment that does not end. hint: close it"),
        (b'\nchar* s = "no end;\n', "x.cu:2:11: SPK590: a string or character that does not end. hint: close it"),
        (
            b"__global__ void k() {\n  if (1) { \n}\nint main() { k<<<1, 1>>>(); }\n",
            "x.cu:1:21: SPK590: a `{` without its `}`. hint: end the body",
        ),
        (b"__global__ void k() { abort(); }", "x.cu:1:23: SPK573: device code calls `abort`"),
    ],
)
def test_what_is_no_program_is_refused_with_its_place(content: bytes, said: str) -> None:
    assert str(refused(content)).startswith(said)


def test_signatures_old_encodings_and_line_ends_are_kept_as_they_are(here: Path) -> None:
    Path("x.cu").write_bytes(
        b'\xef\xbb\xbf#include <cstdio>\r\nconst char* s = "caf\xe9 \xc3\xa9";\r\n'
        + "int äöü;\n".encode()
        + KERNEL.encode()
    )
    copy, cuda = Program(here, (), (), 900).source(Path("x.cu"), "x.cu")
    assert cuda and b'#line 1 "x.cu"\n#include <cstdio>\nconst char* s = "caf\xe9 \xc3\xa9";\n' in copy.read_bytes()


def test_a_call_that_ends_the_program_is_a_finding_when_a_kernel_makes_it(here: Path) -> None:
    both = "__host__ __device__ int f(int x) {\n  if (x > 5) std::exit(3);\n  return x;\n}\n"
    Path("x.cu").write_text(both + "int main() { exit(f(1)); }\n" + KERNEL)
    copy, _ = Program(here, (), (), 900).source(Path("x.cu"), "x.cu")
    text = copy.read_text()
    assert "if (x > 5) (::spak::sim::current ? ::spak::sim::fail(" in text and ", std::exit)(3);\n" in text
    assert "int main() { exit(f(1)); }" in text
    assert re.match('#include "[^"]*spak_sim_engine_h.h"\n', text)  # also where a header is not of CUDA's


def test_options_are_looked_at_before_anything_is_done() -> None:
    Path("x.cu").write_text(KERNEL)
    for words, said in [
        (["x.cu", "-O", "fast"], "'fast' is not one of"),
        (["x.cu", "-o", "none/out.json"], "The folder of 'none/out.json' is not there"),
        (["x.cu", "--keep", "none/x"], "The folder of 'none/x' is not there"),
        (["x.cu", "--sample-blocks", "0"], "0 is not in the range"),
    ]:
        done = CliRunner().invoke(sim.command, words)
        assert done.exit_code == 2 and said in done.output, done.output


def test_only_arguments_of_the_program_are_no_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["spak", "sim", "--", "x"])
    done = CliRunner().invoke(sim.command, ["--", "x"])
    assert done.exit_code == 2 and "Name a source file before `--`" in done.output


def test_messages_of_the_linker_are_placed(here: Path) -> None:
    one = Program(here, (), (), 900)
    one.shown = {"/p/a.cu": "a.cu", "/p/b.cu": "b.cu"}
    log = (
        "/usr/bin/ld: /tmp/x/1_b.o: in function `main':\n"
        "/p/b.cu:3: multiple definition of `main'; /tmp/x/0_a.o:/p/a.cu:2: first defined here\n"
        "/usr/bin/ld: /p/b.cu:4: undefined reference to `g()'\ncollect2: error: ld returned 1 exit status\n"
    )
    said = [str(one) for one in program._link_messages(log, one, "a.cu")]
    assert said[0].startswith("b.cu:3:1: SPK581: linker: multiple definition of `main'. hint: name each file once")
    assert "first defined at a.cu:2" in said[0] and "/tmp" not in said[0]
    assert said[1].startswith("b.cu:4:1: SPK581: linker: undefined reference to `g()'. hint: name every source file")
    log = "/usr/bin/ld: /usr/lib/Scrt1.o: in function `_start':\n(.text+0x1b): undefined reference to `main'\n"
    (none,) = program._link_messages(log, one, "a.cu")
    assert str(none).startswith("a.cu:1:1: SPK581: linker: the program has no main(). hint: ")


def test_what_the_compiler_lacks_is_explained(here: Path) -> None:
    one = Program(here, (), (), 900)
    one.shown = one.texts = {"a.cu": "a.cu"}
    log = (
        "a.cu:3:5: error: 'tex2D' was not declared in this scope\na.cu:1:10: fatal error: q.cuh: No such file or directory\n"
        "a.cu:4:5: error: 'gr\\U000000fcn' was not declared in this scope\n"
        "a.cu:5:5: error: '__shfl_down' was not declared in this scope; did you mean '__shfl_down_sync'?\n"
        "a.cu:6:5: error: '__any' was not declared in this scope\na.cu:7:5: error: '__shfl_sync' was not declared in this scope\n"
        "a.cu:2:10: fatal error: helper_cuda.h: No such file or directory\n"
    )
    said = [str(one) for one in program._messages(log, one, "a.cu")]
    assert said[0].endswith("hint: textures and surfaces are not modelled")
    assert said[1].endswith("hint: name the folder of the program's own headers with -I")
    assert "'grün'" in said[2]
    assert said[3].endswith("have only __shfl_down_sync, whose first argument is the mask of the lanes")
    assert said[4].endswith("have only __any_sync, whose first argument is the mask of the lanes")
    assert "hint" not in said[5]
    assert said[6].endswith("hint: it belongs to NVIDIA's CUDA samples: name their folder Common with -I")


def test_a_cache_that_cannot_be_written_is_named() -> None:
    Path("file").write_text("")
    wrong = r"SPK582: the folder for compiled parts, file/sim, cannot be written.*SPAK_CACHE"
    with pytest.raises(SpakError, match=wrong), library._making(Path("file/sim/x"), "y", print):
        pass


def test_who_waits_for_another_process_says_so(here: Path) -> None:
    said: list[str] = []
    place = here / "kept"
    with (here / ".kept.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = threading.Event()

        def tell(what: str) -> None:
            said.append(what)
            told.set()

        def make() -> None:
            with library._making(place, "x.a", tell) as folder:
                assert folder is not None
                (folder / "x.a").write_text("made")

        thread = threading.Thread(target=make)
        thread.start()
        assert told.wait(300)
    thread.join()
    assert (place / "x.a").read_text() == "made"
    assert [what.split(",")[0] for what in said] == ["waiting for another process", "compiling the simulator"]


def test_what_another_process_has_removed_meanwhile_is_no_error(here: Path) -> None:
    kept = here / "sim" / "objects"
    kept.mkdir(parents=True)
    for name in ("sim/pre-gone", "sim/0gone", "sim/objects/gone.o"):  # listed, and then there is nothing
        (here / name).symlink_to("nowhere")
    library._forget(here / "sim")
    assert not library._taken(kept / "gone.o", here / "output")


def test_the_program_ends_with_who_started_it() -> None:
    before = signal.getsignal(signal.SIGTERM)
    over = threading.Event()

    def end() -> None:
        while signal.getsignal(signal.SIGTERM) is before:  # or the signal would end the tests
            if over.wait(0.02):
                return
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=end)
    thread.start()
    try:
        status, ended = program._wait(["sleep", "60"], dict(os.environ), 0)
    finally:
        over.set()
        thread.join()
    assert status == -signal.SIGTERM and "ended by SIGTERM" in str(ended)
    assert signal.getsignal(signal.SIGTERM) is before


def test_that_a_program_takes_long_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "_LONG", 0.1)
    said: list[str] = []

    def tell(what: str) -> None:
        said.append(what)
        Path("told").touch()

    until_told = "while [ ! -e told ]; do sleep 0.05; done; sleep 0.3"
    assert program._wait(["sh", "-c", until_told], dict(os.environ), 0, tell) == (0, None)
    assert len(said) == 1 and "goes on; Ctrl-C ends it" in said[0]
