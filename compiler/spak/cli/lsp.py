"""`spak lsp`: the language server for editors, over standard input and output."""

from __future__ import annotations

import click


@click.command()
def command() -> int:
    """Serve an editor: diagnostics while typing, hover, definition, completion, rename, outline and formatting.

    An editor starts this by itself; docs/editors.md says how to tell it to. Needs the extra `lsp`: pip install spak[lsp].
    """
    from importlib.metadata import version

    from spak.errors import Diagnostic, SpakError

    try:
        import pygls  # noqa: F401
    except ImportError:
        raise SpakError(
            Diagnostic("SPK911", "the language server needs pygls", None, "pip install 'spak[lsp]'")
        ) from None
    from spak.lsp.server import Server

    Server(version("spak")).language.start_io()
    return 0
