"""The files that an untrusted file names: regular ones, in its project."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

ALLOW = "COSTSIM_ALLOW"
_ALLOWED: ContextVar[tuple[Path, ...]] = ContextVar("allowed", default=())

Place = Callable[[Path, str], tuple[Path, Path]]
"""Of a folder and the name of a file in it: where the file is read, and the folder whose project it has to be in."""
_COPIES: ContextVar[tuple[tuple[Path, Place], ...]] = ContextVar("copies", default=())


def beside(folder: Path, name: str, *, needed: bool = True) -> Path:
    """The file that another file in `folder` names. Raises ValueError: it is none, or outside of the project.

    Where it is not `needed`, one that is missing is left to who reads it.

    The project is the git repository of the folder, the folder itself where there is none, and the working folder
    where it is above; COSTSIM_ALLOW names further folders, apart by colons, and `allowing` what the user named. So that
    no file that somebody sent reads what it has no business with.
    """
    if "\0" in name:
        raise ValueError("a path has no NUL character; take it out")
    named, folder = _placed(folder, name)
    if not named.exists() and not needed:
        return named
    if not named.exists():
        raise ValueError(f"there is no file {name!r} beside the architecture")
    real = named.resolve()
    if not any(real.is_relative_to(root) for root in _project(folder.resolve())):
        raise ValueError(f"{name!r} is outside of the project; copy it there, or allow its folder: {ALLOW}=FOLDER")
    if not real.is_file():
        raise ValueError(f"{name!r} is not a regular file")
    return named


def is_beside(folder: Path, name: str) -> bool:
    """Whether there is a file of that name in the folder. Raises ValueError: it cannot be told."""
    return _placed(folder, name)[0].is_file()


def _placed(folder: Path, name: str) -> tuple[Path, Path]:
    for copy, place in _COPIES.get():
        if folder.is_relative_to(copy):
            return place(folder, name)
    return folder / name, folder


@contextmanager
def copying(copy: Path, place: Place) -> Iterator[None]:
    """While the block lasts, what is named in folders below `copy` lies where `place` says."""
    before = _COPIES.set(((copy, place), *_COPIES.get()))
    try:
        yield
    finally:
        _COPIES.reset(before)


@contextmanager
def allowing(*places: Path) -> Iterator[None]:
    """While the block lasts, what is in these folders, or is one of these files, is in the project too."""
    before = _ALLOWED.set((*_ALLOWED.get(), *(place.resolve() for place in places)))
    try:
        yield
    finally:
        _ALLOWED.reset(before)


def _project(folder: Path) -> Iterator[Path]:
    yield folder
    yield Path(__file__).resolve().parent / "examples"  # the shipped ones, which are everybody's
    yield from (above for above in folder.parents if (above / ".git").exists())
    here = Path.cwd().resolve()
    if folder.is_relative_to(here) and here != here.parent:
        yield here
    yield from _ALLOWED.get()
    yield from (Path(allowed).resolve() for allowed in os.environ.get(ALLOW, "").split(os.pathsep) if allowed)
