"""`costsim init`: an architecture with budgets, prices and a workflow to begin with."""

from __future__ import annotations

import json
import os
import shlex
from importlib import metadata
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit, urlunsplit

import typer

from ..errors import OutputError
from ..interrupts import undivided
from .arguments import EXAMPLES
from .screen import say

STARTER = EXAMPLES / "starter"
PLACES = {
    "architecture.yaml": Path("architecture.yaml"),
    "prices.yaml": Path("prices.yaml"),
    "github-workflow.yml": Path(".github", "workflows", "costsim.yml"),
}
"""The shipped files, and where they go."""
INSTALL = "run: python -P -m pip install --disable-pip-version-check"
PLAIN = f"{INSTALL} costsim"
"""The line of the workflow that installs costsim."""


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
    requirement = installed_from()
    for file in write_starter(out, requirement):
        say(f"wrote {file}")
    if requirement is None:
        say(
            "costsim was installed from a folder of this machine: .github/workflows/costsim.yml installs it from the "
            "package index; name there what your runner can install",
            err=True,
        )
    say("next: costsim check, then costsim run architecture.yaml --report plan.html", err=True)


def installed_from() -> str | None:
    """What pip would install to get this costsim: `costsim==0.1.0`, or `git+https://…@commit`; None for a local folder.

    pip records it by https://packaging.python.org/en/latest/specifications/direct-url/. User names and passwords in an
    address are left out.
    """
    try:
        distribution = metadata.distribution("costsim")
    except metadata.PackageNotFoundError:
        return None
    recorded = distribution.read_text("direct_url.json")
    if recorded is None:
        return f"costsim=={distribution.version}"
    origin = json.loads(recorded)
    address = urlsplit(origin["url"])
    if address.scheme not in ("http", "https", "ssh"):
        return None
    url = urlunsplit(address._replace(netloc=address.netloc.rpartition("@")[2]))
    vcs = origin.get("vcs_info")
    return f"{vcs['vcs']}+{url}@{vcs['commit_id']}" if vcs else f"costsim @ {url}"


def write_starter(folder: Path, requirement: str | None = None) -> list[Path]:
    """Write the starter's files below `folder`, all or none; returns their paths. Raises OutputError.

    `requirement` is what the workflow's pip installs; by default costsim from the package index. Where an earlier
    start was killed between two files, the missing ones are written.
    """
    files = {folder / place: _starter(name, requirement) for name, place in PLACES.items()}
    there = [file for file in files if os.path.lexists(file)]
    begun = len(there) < len(files) and all(_holds(file, files[file]) for file in there)
    if there and not begun:
        named = ", ".join(map(str, there))
        raise OutputError(f"there is already {named}; nothing was written: name another folder, --out")
    made: list[Path] = []
    try:
        with undivided():
            for file in (file for file in files if file not in there):
                _write(files[file], file, made)
    except (OutputError, KeyboardInterrupt):
        _take_back(made)
        raise
    return [*files]


def _starter(name: str, requirement: str | None) -> bytes:
    """What a file of the starter holds."""
    content = (STARTER / name).read_text(encoding="utf-8")
    return content.replace(PLAIN, f"{INSTALL} {shlex.quote(requirement or 'costsim')}").encode()


def _holds(file: Path, content: bytes) -> bool:
    return file.is_file() and file.stat().st_size == len(content) and file.read_bytes() == content


def _write(content: bytes, file: Path, made: list[Path]) -> None:
    """Write one file and the folders that it needs; `made` is called with each."""
    from ..writing import write_file

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
