"""A bounded run of atheris over the parser, in a process of its own: `python atheris_child.py SECONDS MIB FOLDER CORPUS...`."""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["spak.lang"]):
    import target


def one(data: bytes) -> None:
    target.one(data)


def main() -> None:
    """Fuzz from the corpus until the time is over; a crash or more memory than MIB ends the process with its input printed."""
    seconds, memory, folder, *corpus = sys.argv[1:]
    for number, path in enumerate(corpus):
        (Path(folder) / str(number)).write_bytes(Path(path).read_bytes()[:900])
    options = [
        sys.argv[0],
        folder,
        f"-max_total_time={seconds}",
        "-max_len=1000",
        "-timeout=60",
        f"-rss_limit_mb={memory}",
    ]
    atheris.Setup([*options, "-print_final_stats=1", f"-artifact_prefix={folder}/", "-seed=1"], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
