"""`spak cmake-dir`: print the folder for find_package(spak)."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
def command() -> None:
    """Print the folder that CMake's find_package(spak) needs: cmake -Dspak_DIR="$(spak cmake-dir)" ..."""
    click.echo(str((Path(__file__).parent.parent / "cmake").resolve()))
