"""`costsim init`: an architecture with budgets, prices and a workflow to begin with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ..errors import OutputError
from .arguments import EXAMPLES
from .screen import say

STARTER = EXAMPLES / "starter"
PLACES = {
    "architecture.yaml": Path("architecture.yaml"),
    "prices.yaml": Path("prices.yaml"),
    "github-workflow.yml": Path(".github", "workflows", "costsim.yml"),
}
"""The shipped files, and where they go."""


def init(
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FOLDER", help="Where to write. Default: this folder.")
    ] = Path(),
) -> None:
    """Write architecture.yaml with budgets, prices.yaml and a GitHub workflow to begin with.

    Never over a file that exists: then nothing is written at all. costsim check passes on
    them as they are; then make them yours.

    \b
      costsim init
      costsim init --out fleet && cd fleet && costsim check
    """
    for file in write_starter(out):
        say(f"wrote {file}")
    say("next: costsim check, then costsim run architecture.yaml --report plan.html", err=True)


def write_starter(folder: Path) -> list[Path]:
    """Write the starter's files below `folder`, all or none; returns their paths. Raises OutputError."""
    files = {STARTER / name: folder / place for name, place in PLACES.items()}
    in_the_way = [str(file) for file in files.values() if os.path.lexists(file)]
    if in_the_way:
        raise OutputError(f"there is already {', '.join(in_the_way)}; nothing was written: name another folder, --out")
    made: list[Path] = []
    try:
        for source, file in files.items():
            _write(source.read_bytes(), file, made)
    except OutputError:
        _take_back(made)
        raise
    return list(files.values())


def _write(content: bytes, file: Path, made: list[Path]) -> None:
    """Write one file and the folders that it needs; `made` is called with each."""
    from ..documents import write_file

    for parent in reversed(file.parents):
        if not parent.exists():
            try:
                parent.mkdir()
            except OSError as error:
                raise OutputError(f"{parent}: the folder cannot be made: {error.strerror}") from None
            made.append(parent)
    write_file(file, content)
    made.append(file)


def _take_back(made: list[Path]) -> None:
    for path in reversed(made):
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink()
