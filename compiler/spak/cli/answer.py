"""`spak answer`: list what waits for a reply, or take one from a file or standard input."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Literal

import click


@click.command()
@click.argument("name", required=False)
@click.argument("file", required=False, metavar="[FILE|-]")
@click.option("--by", default="hand", metavar="WHO", help="Who wrote the reply, for the record [default: hand].")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(name: str | None, file: str | None, by: str, as_json: bool) -> int:
    """List the requests and questions that wait; with NAME, print one of them; with FILE too, take the reply to it (- is
    standard input).

    The form of a reply to a request is checked at once. What it computes is judged by the next build, and an answer to a
    question by the command that asked it.
    """
    from spak.cli.step import where
    from spak.pipeline.graph.root import find_root

    root = where()
    if not (root / ".spak").is_dir():
        find_root(root)  # nothing can wait here: unless this is a project, say so
    if name is None:
        return _list(root, as_json)
    return _show(root, name, as_json) if file is None else _take(root, name, file, by, as_json)


def _list(root: Path, as_json: bool) -> int:
    from spak.handlers.answering import listed

    found = listed(root)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return 0
    for one in found:
        then = "build" if one["kind"] == "request" else "run the same command"
        state = f"answered, {then} to go on" if one["answered"] else f"attempt {one['attempt']}"
        click.echo(f"{one['name']}  {state}  {one['request']}")
    if not found:
        click.echo("nothing waits for an answer", err=True)
    return 0


def _show(root: Path, name: str, as_json: bool) -> int:
    from spak.handlers.answering import find

    box = find(root, name)
    file = "request.json" if as_json else "request.md"
    click.echo((box.folder / file).read_text(encoding="utf-8"), nl=False)
    return 0


def _take(root: Path, name: str, file: str, by: str, as_json: bool) -> int:
    from spak.errors import Diagnostic, SpakError, Span
    from spak.handlers.answering import find
    from spak.model.request import Request

    box = find(root, name)
    asked = box.request()
    assert asked
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        what = f"the answer cannot be read: {error.strerror}"
        raise SpakError(Diagnostic("SPK346", what, Span(file))) from None
    shown = "<stdin>" if file == "-" else file
    lines = _code(data, asked.dialect, shown) if isinstance(asked, Request) else _text(data, shown)
    box.put_answer(data, {"by": by, "request": box.asked})
    if as_json:
        click.echo(json.dumps({"name": name, "stored": f"{box.shown}/answer.md", "request": box.asked, "lines": lines}))
        return 0
    what = f"{lines['code']} lines of code, {lines['plan']} of plan" if "code" in lines else f"{lines['text']} lines"
    then = "run `spak build` to have it judged" if "code" in lines else "run the same command again to go on"
    click.echo(f"{name}: taken ({what}); {then}")
    return 0


def _code(data: bytes, dialect: Literal["cpp", "cuda"], shown: str) -> dict[str, int]:
    from spak.codegen.reply import extract

    extracted = extract(data, dialect, shown)
    return {"code": extracted.kernel.count("\n"), "plan": extracted.plan_text.count("\n")}


def _text(data: bytes, shown: str) -> dict[str, int]:
    from spak.handlers.answering import text_of

    return {"text": len(text_of(data, shown).splitlines())}
