"""The command line: finds a command by its file name and runs it. Knows no command.

`spak/cli/<name>.py` holds one click command called `command`; a new command is a new file. Nothing else is imported, so that
`spak --help` is instant: help lines are the first lines of the files' docstrings, read without importing them.
"""

from __future__ import annotations

import sys


def main() -> None:
    """The `spak` program. A no-op build is answered before anything heavy is imported."""
    if len(sys.argv) > 1 and sys.argv[1] == "build":
        from spak.pipeline.execution import frontdoor

        if frontdoor.try_noop(sys.argv[2:]):
            return
    from spak.cli.root import run

    sys.exit(run())
