"""Files as they were at a git revision, in a folder of their own: the working tree is not touched."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ...errors import InputError
from ...named_files import allowing

SUFFIXES = (".yaml", ".yml", ".json", ".toml", ".csv", ".jsonl", ".ndjson", ".parquet")
"""What an architecture may name: only such files are looked at."""
MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_BYTES = 512 * 1024 * 1024
SECONDS = 60


def commit_of(revision: str, folder: Path) -> str:
    """The commit that a revision names in the repository of `folder`. Raises InputError."""
    _root(folder)
    found = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if found is None:
        raise InputError(f"{revision!r} is neither a file nor a revision of this git repository")
    return found.decode().strip()


@contextmanager
def at_commit(commit: str, file: Path) -> Iterator[Path | None]:
    """`file` as it was at a commit, with everything that it may name, in a temporary folder; None if it was not there.

    Raises InputError: no repository, or its files are too many.
    """
    root = _root(file.parent)
    try:
        inside = file.resolve().relative_to(root)
    except ValueError:
        raise InputError(f"the file lies outside the git repository {root}", file=file) from None
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / ".git").mkdir()  # the tree is a project: its files may name one another
        for path, content in _contents(root, commit):
            target = Path(folder) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        found = Path(folder) / inside
        _link_stores(file.resolve().parent, found.parent)
        with allowing(root):  # where the stores are
            yield found if found.is_file() else None


def _link_stores(beside: Path, folder: Path) -> None:
    """The stores beside the file in the working tree: logs are no part of a revision."""
    if folder.is_dir():
        for store in beside.glob("*.duckdb"):
            with suppress(OSError):  # where links are not allowed, the store is named as missing
                (folder / store.name).symlink_to(store)


def _root(folder: Path) -> Path:
    found = _git(folder, "rev-parse", "--show-toplevel")
    if found is None:
        raise InputError("this is no git repository: name two files to compare", file=folder.resolve())
    return Path(found.decode().rstrip("\n")).resolve()


def _contents(root: Path, commit: str) -> Iterator[tuple[str, bytes]]:
    """Regular files of the kinds that an architecture may name; links and modules are left out."""
    listed = _git(root, "ls-tree", "-r", "-z", "-l", "--full-tree", commit) or b""
    wanted: list[tuple[str, str]] = []
    total = 0
    for entry in filter(None, listed.split(b"\0")):
        about, _, name = entry.partition(b"\t")
        mode, _, blob, size = about.split()
        path = name.decode("utf-8", "surrogateescape")
        if mode.startswith(b"100") and path.lower().endswith(SUFFIXES) and int(size) <= MAX_FILE_BYTES:
            wanted.append((path, blob.decode()))
            total += int(size)
    if total > MAX_BYTES:
        raise InputError(
            f"the repository holds {total:,} bytes of data files at {commit[:12]}; compare two files instead"
        )
    yield from zip([path for path, _ in wanted], _blobs(root, [blob for _, blob in wanted]), strict=True)


def _blobs(root: Path, blobs: list[str]) -> Iterator[bytes]:
    """The contents, in order: `git cat-file --batch` answers "<blob> blob <size>", the content, a line break."""
    answer = _git(root, "cat-file", "--batch", given="".join(f"{blob}\n" for blob in blobs).encode()) or b""
    place = 0
    for _ in blobs:
        end = answer.index(b"\n", place)
        size = int(answer[place:end].split()[2])
        yield answer[end + 1 : end + 1 + size]
        place = end + 1 + size + 1


def _git(folder: Path, *arguments: str, given: bytes | None = None) -> bytes | None:
    """What git prints; None where it fails."""
    command = ["git", "-C", str(folder), "--no-optional-locks", *arguments]
    try:
        done = subprocess.run(command, input=given, capture_output=True, timeout=SECONDS, check=False)  # noqa: S603 (no shell; revisions follow --end-of-options)
    except FileNotFoundError:
        raise InputError("git is not installed; name two files to compare") from None
    except subprocess.TimeoutExpired:
        raise InputError(f"git did not answer within {SECONDS} s") from None
    return done.stdout if done.returncode == 0 else None
