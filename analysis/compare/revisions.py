"""Files as they were at a git revision, in a folder of their own: the working tree is neither touched nor read."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from stat import S_IFREG

from ...errors import CostsimError, InputError
from ...named_files import copying
from ..architecture.policies import STORES
from .repository import Repository
from .trees import Entry, PathEnd, Tree

MAX_BYTES = 512 * 1024 * 1024


@contextmanager
def at_commit(commit: str, repository: Repository) -> Iterator[Path | None]:
    """The repository's file as it was at a commit, in a temporary folder; None if it was not there.

    What it names is put there as it is read, from the same commit. Raises InputError: it cannot be read.
    """
    with tempfile.TemporaryDirectory() as made:
        folder = Path(os.path.realpath(made))
        copy = _Copy(folder, Tree(repository, commit))
        file = copy.of_file()
        with copying(folder, copy.place):
            try:
                yield file
            except CostsimError as error:  # the folder will be gone
                error.args = tuple(_shown(said, folder, commit) for said in error.args)
                raise


def _shown(said: object, folder: Path, commit: str) -> object:
    return said.replace(f"{folder}{os.sep}", f"{commit[:12]}:") if isinstance(said, str) else said


@dataclass
class _Copy:
    """The files of a tree that were named so far, in a folder."""

    folder: Path
    tree: Tree
    written: dict[tuple[str, ...], Path] = field(default_factory=dict)
    size: int = 0

    def of_file(self) -> Path | None:
        """The file that is compared; None where it is not there."""
        repository, commit = self.tree.repository, self.tree.commit[:12]
        try:
            found = self._found(repository.inside)
            if found.outside:
                raise ValueError(f"it leads out of the repository, to {str(found.outside)!r}")
            if found.linked and not found.entry:
                raise ValueError(f"it is a link to {'/'.join(found.parts)!r}, which is not there")
            if not found.entry:
                repository.check_own()
                return None
            return self._of_entry(found.entry, found.parts)
        except ValueError as error:
            raise InputError(str(error), file=f"{commit}:{'/'.join(repository.inside)}") from None

    def place(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Where what a file in `folder` names is read, and the folder whose project it has to be in.

        A store that the commit does not have is that of the working tree: logs are no part of a revision. Raises
        ValueError as `Tree.find`, and where it is a folder.
        """
        root, whole = self.tree.repository.root, folder / name
        working = root / folder.relative_to(self.folder) if root else self.folder
        parts = self.tree.inside(whole) if os.path.isabs(name) else whole.relative_to(self.folder).parts
        if parts is None:
            return whole, working
        found = self._found(parts)
        if found.outside:
            return found.outside, working
        if found.entry:
            return self._of_entry(found.entry, found.parts), self.folder
        store = root.joinpath(*found.parts) if root else None
        if store and store.suffix.lower() in STORES and store.is_file():
            return store, working
        return self.folder.joinpath(*parts), self.folder

    def _found(self, parts: tuple[str, ...]) -> PathEnd:
        """Where a path of a file leads: a file that is linked keeps its own name, and lies in its own folder."""
        found = self.tree.find(parts)
        if not found.entry:
            return found
        if found.entry.kind != S_IFREG:
            raise ValueError(f"{'/'.join(parts)!r} is a folder at {self.tree.commit[:12]}, not a file")
        above = self.tree.find(parts[:-1])
        return replace(found, parts=(*above.parts, parts[-1]) if above.entry else found.parts)

    def _of_entry(self, entry: Entry, parts: tuple[str, ...]) -> Path:
        """The file at `parts` of the folder with the entry's content, which is written once."""
        if parts in self.written:
            return self.written[parts]
        content, path = self.tree.content(entry), self.folder.joinpath(*parts)
        self.size += len(content)
        if self.size > MAX_BYTES:
            raise InputError(f"files of over {MAX_BYTES // 2**20} MiB are named; compare two files instead")
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():  # on a disk that does not know letters of either case apart
            raise ValueError(f"{'/'.join(parts)!r} is called as another file is in letters of another case")
        path.write_bytes(content)
        self.written[parts] = path
        return path
