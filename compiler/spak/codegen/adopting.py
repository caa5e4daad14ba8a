"""Takes hand-edited files in as a reply: puts them on record for the next build to judge. Locks nothing, as nothing is
proved.
"""

from __future__ import annotations

from pathlib import Path

from spak.codegen.attempts import Attempts
from spak.codegen.generated import SUFFIX, Generated
from spak.codegen.reply import compose, extract, parse_plan
from spak.errors import Collector, Diagnostic, SpakError, Span
from spak.lock import Lock
from spak.model.ir import DIALECTS
from spak.model.request import Provenance


def adopt(root: Path, name: str) -> tuple[int, str]:
    """Record the files of `<unit>.<variant>.<dialect>` as a reply; its number and the folder, relative to `root`.

    Raises SpakError if there is nothing of that name, nothing was edited, or the files do not make a reply.
    """
    unit, variant, dialect = _parts(root, name)
    folder = f"generated/{unit}/{variant}/{dialect}"
    files, shown = Generated(root / folder, dialect), Generated(Path(folder), dialect)
    try:
        kernel, plan = files.source.read_bytes(), files.plan.read_bytes()
    except FileNotFoundError as error:
        missing = shown.folder / Path(str(error.filename)).name
        raise SpakError(
            Diagnostic("SPK347", "this file is missing: both code and plan are needed", Span(str(missing)))
        ) from None
    entry = Lock.load(root / "spak.lock").get(unit, variant, dialect)
    there = files.digests()
    if entry and (there.source, there.plan) == (entry.source, entry.plan):
        hint = f"restore reply.md with `git checkout {folder}`" if there.reply != entry.reply else ""
        raise SpakError(Diagnostic("SPK347", f"{name} is just what the lock pins", Span(folder), hint))
    reply = _reply(kernel, plan, dialect, shown)
    log = Attempts(files.folder / "attempts")
    earlier = [n for n, one in log.load().items() if one.provenance.handler == "adopt"]
    number = log.receive(reply, "", "", Provenance(handler="adopt", by="hand"))
    log.drop(*earlier)
    return number, folder


def _parts(root: Path, name: str) -> tuple[str, str, str]:
    parts = name.split(".")
    if len(parts) == 3 and parts[2] in DIALECTS and "" not in parts:
        return parts[0], parts[1], parts[2]
    known = sorted(
        ".".join(path.parts[-4:-1]) for ext in SUFFIX.values() for path in root.glob(f"generated/*/*/*/kernel.{ext}")
    )
    hint = "there are: " + ", ".join(known) if known else "nothing has been generated yet"
    raise SpakError(Diagnostic("SPK347", f"`{name}` is not of the form unit.variant.dialect", hint=hint))


def _reply(kernel: bytes, plan: bytes, dialect: str, shown: Generated) -> bytes:
    """Compose the reply, telling mistakes at the lines of the files that were edited."""
    texts = []
    for data, path in ((kernel, shown.source), (plan, shown.plan)):
        try:
            texts.append(data.decode().replace("\r\n", "\n"))
        except UnicodeDecodeError as error:
            line, col = data.count(b"\n", 0, error.start) + 1, error.start - data.rfind(b"\n", 0, error.start)
            what = f"byte 0x{data[error.start]:02x} is not UTF-8"
            raise SpakError(Diagnostic("SPK302", what, Span(str(path), line, col), "save it as UTF-8")) from None
    found = Collector()
    if not texts[0].strip():
        found.add("SPK314", "the device code is empty", Span(str(shown.source)))
    parse_plan(texts[1], str(shown.plan), found)
    found.raise_if_any()
    reply = compose(texts[0], texts[1], dialect)
    extract(reply, dialect, str(shown.reply))
    return reply
