"""`spak answer`: list what waits for a reply, or take one from a file or standard input."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click


@click.command()
@click.argument("name", required=False)
@click.argument("file", required=False, metavar="[FILE|-]")
@click.option("--by", default="hand", metavar="WHO", help="Who wrote the reply, for the record [default: hand].")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(name: str | None, file: str | None, by: str, as_json: bool) -> int:
    """List the requests that wait; with NAME, print one of them; with FILE too, take the reply to it (- is standard
    input).

    A reply's form is checked at once. What it computes is judged by the next build.
    """
    from spak.pipeline.project import find_root

    root = find_root(Path.cwd())
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
        state = "answered, build to go on" if one["answered"] else f"attempt {one['attempt']}"
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
    from spak.codegen.reply import extract
    from spak.errors import Diagnostic, SpakError, Span
    from spak.handlers.answering import find

    box = find(root, name)
    request = box.request()
    assert request
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        what = f"the answer cannot be read: {error.strerror}"
        raise SpakError(Diagnostic("SPK346", what, Span(file))) from None
    extracted = extract(data, request.dialect, "<stdin>" if file == "-" else file)
    box.put_answer(data, {"by": by, "request": box.asked})
    lines = {"code": extracted.kernel.count("\n"), "plan": extracted.plan_text.count("\n")}
    if as_json:
        click.echo(json.dumps({"name": name, "stored": f"{box.shown}/answer.md", "request": box.asked, "lines": lines}))
        return 0
    click.echo(
        f"{name}: taken ({lines['code']} lines of code, {lines['plan']} of plan); run `spak build` to have it judged"
    )
    return 0
