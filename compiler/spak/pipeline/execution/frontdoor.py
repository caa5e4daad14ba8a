"""The front door: answers a no-op build from a manifest of stats before anything heavy is imported. Knows nothing of
the graph.

Only the standard library's cheapest modules may be imported here: this file is why a no-op costs milliseconds. The
manifest
(`spak.pipeline.execution.manifest` writes it) holds (mtime_ns, size, inode, ctime_ns) of every file that the last build looked
at; one
mismatch, or anything odd at all, and the build goes the long way, which decides by content.
"""

# ruff: noqa: PTH109, PTH110, PTH118, PTH120, PTH123
# Paths are plain strings here: they are keys, and a no-op looks at thousands of them.

import marshal
import os
import sys
from binascii import crc32

TYPE_CHECKING = False  # typing itself would cost more than all that this file does
if TYPE_CHECKING:
    from typing import Any

    Manifest = dict[str, Any]
    Selection = tuple[tuple[str, ...], tuple[str, ...]]

MAGIC = b"spak manifest 1\n"
WITH_VALUE = ("-j", "--jobs", "--targets")


def try_noop(argv):  # type: (list[str]) -> bool
    """Whether `spak build` with these arguments has nothing to do; it has then said so."""
    selection = selection_of(argv)
    root = root_above(os.getcwd())
    if selection is None or root is None:
        return False
    body = holds(root, selection)
    if body is None:
        return False
    sys.stdout.write(body["message"] + "\n")
    return True


def selection_of(argv):  # type: (list[str]) -> Selection | None
    """(units, targets) of a command line that asks for nothing else; None for any other."""
    units, targets = [], []
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        name, has_value, value = word.partition("=")
        if name in WITH_VALUE and not has_value:
            if not rest:
                return None
            value = rest.pop(0)
        if name == "--targets":
            targets += [one for one in value.split(",") if one]
        elif word.startswith("-") and name not in WITH_VALUE and not (word.startswith("-j") and word[2:].isdigit()):
            return None
        elif not word.startswith("-"):
            units.append(word)
    return tuple(sorted(units)), tuple(sorted(targets))


def root_above(folder):  # type: (str) -> str | None
    """The nearest folder at or above that holds a dodo.py."""
    while not os.path.exists(os.path.join(folder, "dodo.py")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    return folder


def manifest_path(root, selection):  # type: (str, Selection) -> str
    """Where the manifest of a selection is."""
    return os.path.join(root, ".spak", "state", f"noop-{crc32(repr(selection).encode('utf-8', 'surrogatepass')):08x}")


def holds(root, selection):  # type: (str, Selection) -> Manifest | None
    """The manifest of a selection if everything is as it says, else None."""
    try:
        with open(manifest_path(root, selection), "rb") as file:
            data = file.read()
        start = len(MAGIC) + 4
        if data[:start] != MAGIC + crc32(data[start:]).to_bytes(4, "little"):
            return None
        body = marshal.loads(data[start:])
        if body["selection"] != selection or body["python"] != (sys.executable, sys.version):
            return None
    except Exception:
        return None
    environ = os.environ
    for name, value in body["env"]:
        if environ.get(name, "") != value:
            return None
    here = os.getcwd()
    os.chdir(root)
    try:
        return body if _unchanged(body) else None
    finally:
        os.chdir(here)


def _unchanged(body):  # type: (Manifest) -> bool
    stat = os.stat
    try:
        for path, known in body["files"]:
            now = stat(path)
            if (now.st_mtime_ns, now.st_size, now.st_ino, now.st_ctime_ns) != known:
                return False
        for path in body["outputs"]:
            if stat(path, follow_symlinks=False).st_mode & 0o170000 != 0o100000:
                return False
    except (OSError, ValueError):
        return False
    return not any(map(os.path.lexists, body["absent"]))
