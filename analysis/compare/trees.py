"""The files of a commit as git has them: looked up one by one, by the links of that commit and none of today's."""

from __future__ import annotations

import hashlib
import os
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from stat import S_IFDIR, S_IFLNK, S_IFMT, S_IFREG

from ...errors import InputError
from .repository import HASH, Repository, ask, reason

MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_LINKS = 40
"""Links on the way to a file: as many as Linux follows."""
MAX_PATH = 4096
MODULE = 0o160000
"""The mode of a submodule: a commit of another repository."""
ENTRY = re.compile(rb"([0-7]{5,6}) ([^\0]*)\0")
KINDS = (S_IFREG, S_IFDIR, S_IFLNK, MODULE)
LFS = b"version https://git-lfs.github.com/spec/"
"""How what stands in the place of a file begins whose content git does not have."""


@dataclass(frozen=True)
class Entry:
    """What a folder of a commit has under a `name`: its kind (of `KINDS`), and the object that it is."""

    name: str
    kind: int
    object: str


@dataclass(frozen=True)
class PathEnd:
    """Where a path leads: to `parts` of the tree and the `entry` there (None: there is none), by a link or not; or to a
    path `outside` of the repository."""

    parts: tuple[str, ...] = ()
    entry: Entry | None = None
    linked: bool = False
    outside: Path | None = None


@dataclass
class Tree:
    """The files of a commit of a repository."""

    repository: Repository
    commit: str
    _folders: dict[str, dict[str, Entry]] = field(default_factory=dict)
    _links: dict[str, str] = field(default_factory=dict)

    def find(self, parts: Sequence[str]) -> PathEnd:
        """Where a path below the top leads, as the system would follow it in a working tree of this commit.

        Raises ValueError: through a submodule, a folder that is too large, or round in a circle; InputError: git cannot
        read it.
        """
        return _Walk(self, deque(parts), [self._top]).end()

    @cached_property
    def _top(self) -> Entry:
        commit = self._object(self.commit, "commit", "the commit")
        return Entry("", S_IFDIR, commit.partition(b"\n")[0].removeprefix(b"tree ").decode("ascii", "replace"))

    def inside(self, path: Path) -> tuple[str, ...] | None:
        """The parts of a path of the disk below the top of the working tree; None outside of it."""
        root = self.repository.root
        for written in (path, Path(os.path.realpath(path))):
            if root and written.is_relative_to(root):
                return written.relative_to(root).parts
        return None

    def member(self, folder: Entry, name: str) -> Entry | None:
        """What a folder has under a name. Raises ValueError where that is so only in letters of another case."""
        members = self._members(folder)
        if name not in members and self.repository.ignores_case:
            near = next((other for other in members if other.casefold() == name.casefold()), None)
            if near:
                raise ValueError(f"git knows {name!r} as {near!r} at {self.commit[:12]}; write it so")
        return members.get(name)

    def content(self, file: Entry) -> bytes:
        """The content of a file. Raises ValueError: it is too large, or not in git."""
        content = self._object(file.object, "blob", repr(file.name))
        if content.startswith(LFS):
            raise ValueError(f"git has no content of {file.name!r}: it is kept by Git LFS; compare two files instead")
        return content

    def target(self, link: Entry) -> str:
        """Where a link leads, as it is written. Raises ValueError: that is no path."""
        if link.object not in self._links:
            content = self._object(link.object, "blob", repr(link.name))
            if not 0 < len(content) <= MAX_PATH or b"\0" in content:
                raise ValueError(f"the link {link.name!r} leads to what is no path at {self.commit[:12]}")
            self._links[link.object] = os.fsdecode(content)
        return self._links[link.object]

    def _members(self, folder: Entry) -> dict[str, Entry]:
        if folder.object not in self._folders:
            self._folders[folder.object] = self._parsed(self._object(folder.object, "tree", repr(folder.name or "/")))
        return self._folders[folder.object]

    def _parsed(self, tree: bytes) -> dict[str, Entry]:
        """The entries of a tree: `<mode> <name>\\0<object>`. Raises InputError for one that git would not check out."""
        found: dict[str, Entry] = {}
        place, length = 0, len(self.commit) // 2
        while place < len(tree):
            about, end = ENTRY.match(tree, place), tree.find(b"\0", place) + 1 + length
            name = os.fsdecode(about[2]) if about else ""
            if not about or end > len(tree) or name in found or not _is_plain(name):
                raise InputError(f"git has no usable folder at {self.commit[:12]}: an entry of it is called {name!r}")
            found[name] = Entry(name, S_IFMT(int(about[1], 8)), tree[end - length : end].hex())
            place = end
        return found

    def _object(self, name: str, kind: str, shown: str) -> bytes:
        """An object's content, of the hash that it is called by. Raises ValueError: it is too large; InputError."""
        shown = f"{shown} at {self.commit[:12]}"
        if not HASH.fullmatch(name):  # it would be an option of git
            raise InputError(f"{shown} cannot be read: {name!r} is no name of an object")
        answer = ask(self.repository.folder, "cat-file", "-s", name)
        if not answer.code and int(answer.printed) > MAX_FILE_BYTES:
            raise ValueError(f"{shown} is larger than {MAX_FILE_BYTES // 2**20} MiB; compare two files instead")
        answer = answer if answer.code else ask(self.repository.folder, "cat-file", kind, name)
        if answer.code:
            raise InputError(f"{shown} cannot be read; git says: {reason(answer)}{self.repository.partial}")
        if _hash(kind, answer.printed, len(name)) != name:
            raise InputError(f"{shown} cannot be read: its content is another than its hash says")
        return answer.printed


def _hash(kind: str, content: bytes, length: int) -> str:
    """What git calls an object by, in so many hexadecimal digits: SHA-1 or SHA-256."""
    hashed = hashlib.new("sha1" if length == 40 else "sha256", usedforsecurity=False)
    hashed.update(f"{kind} {len(content)}\0".encode() + content)
    return hashed.hexdigest()


def _is_plain(name: str) -> bool:
    """Whether an entry's name is that of one thing in its folder, and none of git's own."""
    return name not in (".", "..") and name.lower() != ".git" and Path(name).name == name != ""


@dataclass
class _Walk:
    """A path that is followed: the names still `todo`, and the folders that led here, from the top."""

    tree: Tree
    todo: deque[str]
    done: list[Entry]
    links: int = 0

    def end(self) -> PathEnd:
        """Where it leads."""
        while self.todo:
            part = self.todo.popleft()
            found = self._up() if part == ".." else self._down(part) if part not in ("", ".") else None
            if found:
                return found
        return PathEnd(self._parts, self.done[-1], self.links > 0)

    @property
    def _parts(self) -> tuple[str, ...]:
        return tuple(entry.name for entry in self.done[1:])

    def _up(self) -> PathEnd | None:
        if len(self.done) > 1:
            self.done.pop()
            return None
        if self.tree.repository.root is None:
            raise ValueError("it leads out of the repository")
        return self._away(self.tree.repository.root.parent)

    def _down(self, part: str) -> PathEnd | None:
        entry = self.tree.member(self.done[-1], part)
        if entry is None or (entry.kind == S_IFREG and self.todo):
            return PathEnd((*self._parts, part, *self.todo), linked=self.links > 0)
        if entry.kind == S_IFLNK:
            return self._follow(self.tree.target(entry))
        if entry.kind not in KINDS or entry.kind == MODULE:
            raise ValueError(f"{part!r} is a submodule at {self.tree.commit[:12]}: compare it in its own repository")
        self.done.append(entry)
        return None

    def _follow(self, target: str) -> PathEnd | None:
        self.links += 1
        if self.links > MAX_LINKS:
            raise ValueError(f"its links lead round in a circle at {self.tree.commit[:12]}")
        if os.path.isabs(target):
            return self._away(Path(target))
        self.todo.extendleft(reversed(target.split("/")))
        return None

    def _away(self, path: Path) -> PathEnd | None:
        """A path of the disk: of the tree too, where it lies in the working tree."""
        path = path.joinpath(*self.todo)
        inside = self.tree.inside(path)
        if inside is None:
            return PathEnd(outside=path, linked=self.links > 0)
        self.todo, self.done = deque(inside), self.done[:1]
        return None
