"""A git repository as it is asked: nothing of its configuration is run, nothing is fetched, and what fails is an error.

What a caller's environment says of another repository (a hook's GIT_DIR) is left out: which repository it is follows
from folders alone.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

from ...errors import InputError
from ...shown import one_line, shortened

SECONDS = 60
HASH = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
"""A whole name of a commit, or of another object."""
AMBIGUOUS = re.compile(r"^(warning: refname|error: short (SHA1|object ID)) .* is ambiguous", re.MULTILINE)
OF_A_REPOSITORY = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_CONFIG", "GIT_GRAFT_FILE",
    "GIT_SHALLOW_FILE", "GIT_IMPLICIT_WORK_TREE", "GIT_INTERNAL_SUPER_PREFIX", "GIT_REPLACE_REF_BASE", "GIT_NAMESPACE",
)  # fmt: skip
"""What `git rev-parse --local-env-vars` lists, but for where objects lie (a push is in quarantine while its hooks run)
and configuration: containers say there which folders are safe."""
ALWAYS = {
    "LC_ALL": "C",  # what it says is looked at
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",  # a commit is what its name says, here as on a server
    "GIT_GRAFT_FILE": os.devnull,
}
LAZY = "GIT_NO_LAZY_FETCH"
NO_FETCH = {LAZY: "1", "GIT_ALLOW_PROTOCOL": ""}
"""To fetch runs what the configuration says (core.sshCommand, ext::…); the second is for a git before 2.39.4."""
SETTINGS = ("core.fsmonitor=false", "core.warnAmbiguousRefs=true", "advice.graftFileDeprecated=false")
OPTIONS = ("--no-optional-locks", *chain.from_iterable(("-c", setting) for setting in SETTINGS))


@dataclass(frozen=True)
class Answer:
    """What git printed, what it said beside that, and its exit code."""

    code: int
    printed: bytes
    said: str


def ask(folder: Path, *arguments: str) -> Answer:
    """What git answers in a folder. Raises InputError where it is missing or does not end."""
    command = ["git", "-C", str(folder), *OPTIONS, *arguments]
    try:
        done = subprocess.run(  # noqa: S603 (no shell; revisions follow --end-of-options)
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False, env=environment()
        )
    except FileNotFoundError:
        raise InputError("git is not installed; name two files to compare") from None
    except subprocess.TimeoutExpired:
        raise InputError(f"git did not answer within {SECONDS} s") from None
    return Answer(done.returncode, done.stdout, done.stderr.decode("utf-8", "replace"))


def environment() -> dict[str, str]:
    """The environment in which git is asked."""
    kept = {name: value for name, value in os.environ.items() if name not in OF_A_REPOSITORY}
    return (kept if _may_fetch() else kept | NO_FETCH) | ALWAYS


def _may_fetch() -> bool:
    """Whether the user lets git fetch what a partial clone lacks."""
    return os.environ.get(LAZY, "").lower() in ("0", "false", "no", "off")


def reason(answer: Answer) -> str:
    """Why git failed, in its own words, on one line."""
    lines = [line for line in answer.said.splitlines() if line.startswith(("fatal: ", "error: "))]
    said = lines[-1].partition(": ")[2] if lines else one_line(answer.said.strip()) or "it says nothing"
    return shortened("".join(char if char.isprintable() else " " for char in said), 500)


@dataclass(frozen=True)
class Repository:
    """Where git is asked, the top of the working tree (None: it has none), and the path of a file below that.

    The path is as it is written: links in it are followed in the tree of each revision.
    """

    folder: Path
    root: Path | None
    inside: tuple[str, ...]

    def commit(self, revision: str) -> str:
        """The commit that a revision names. Raises InputError: none, or more than one."""
        answer = self._resolved(revision)
        if AMBIGUOUS.search(answer.said) and not HASH.fullmatch(revision):
            raise InputError(f"{revision!r} is ambiguous in this git repository; write it in full, as refs/heads/main")
        if not answer.code:
            return answer.printed.decode().strip()
        if "Needed a single revision" in answer.said:
            message = "is neither a file nor a revision of this git repository"
            raise InputError(f"{revision!r} {message}{self.shallow}")
        raise InputError(f"{revision!r} cannot be read; git says: {reason(answer)}")

    def has(self, revision: str) -> bool:
        """Whether a word names a commit, or several."""
        return not self._resolved(revision).code

    def _resolved(self, revision: str) -> Answer:
        return ask(self.folder, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")

    def merge_bases(self, first: str, second: str) -> list[str]:
        """The newest commits that two revisions both come from: one, but for branches that were merged into each other.

        The first is the one that git compares with. Raises InputError where there is none.
        """
        answer = ask(self.folder, "merge-base", "--all", self.commit(first), self.commit(second))
        if answer.code > 1:
            raise InputError(f"{first!r} and {second!r} cannot be compared; git says: {reason(answer)}")
        if answer.code:
            raise InputError(f"{first!r} and {second!r} have no commit in common{self.shallow}")
        return answer.printed.decode().split()

    def check_own(self) -> None:
        """Raises InputError where the file lies in another repository, within the working tree of this one."""
        folder = self.root and _folder_of(self.root.joinpath(*self.inside))
        top = _top(folder) if folder else None
        if top != self.root:
            raise InputError(f"the file lies in {top or folder}, which is not of the git repository {self.root}")

    @cached_property
    def ignores_case(self) -> bool:
        """Whether the working tree lies on a disk that does not know letters of either case apart."""
        asked = ask(self.folder, "config", "--type=bool", "core.ignorecase")
        return asked.printed == b"true\n"

    @cached_property
    def shallow(self) -> str:
        """What is to be said where a commit is not found in a clone that lacks some."""
        asked = ask(self.folder, "rev-parse", "--is-shallow-repository")
        return " (a shallow clone: git fetch --unshallow gets the rest)" if asked.printed == b"true\n" else ""

    @cached_property
    def partial(self) -> str:
        """What is to be said where an object is not found in a clone that fetches them one by one."""
        asked = ask(self.folder, "config", "--get-regexp", r"^remote\..*\.promisor$")
        if asked.code or _may_fetch():
            return ""
        return f" (a partial clone, and costsim fetches nothing; {LAZY}=0 lets git do so)"


def repository_of(file: Path) -> Repository:
    """The repository that a file is compared in: that of the working folder where it lies below, else the file's own.

    Raises InputError: there is none.
    """
    here = Path.cwd()
    top, whole = _top(here), here / file
    inside = _below(whole, [top]) if top else None
    if top and inside is not None:
        return Repository(top, top, inside)
    top = _top(_beginning(whole))
    if top is None and not file.is_absolute() and _is_bare(here):
        return Repository(here, None, file.parts)
    if top is None:
        raise InputError("this is no git repository: name two files to compare", file=_folder_of(whole))
    inside = _below(whole, [folder for folder in whole.parents if folder.exists() and folder.samefile(top)])
    if inside is None:
        raise InputError(f"the file lies outside the git repository {top}", file=file)
    return Repository(top, top, inside)


def _top(folder: Path) -> Path | None:
    """The top of the working tree that a folder lies in; None where there is no repository, or no working tree."""
    answer = ask(folder, "rev-parse", "--show-toplevel")
    if not answer.code:
        return Path(os.fsdecode(answer.printed.removesuffix(b"\n"))).resolve()
    if "not a git repository (or any" in answer.said or "must be run in a work tree" in answer.said:
        return None
    raise InputError(f"git cannot read this repository, and says: {reason(answer)}", file=folder)


def _is_bare(folder: Path) -> bool:
    """Whether a folder is in a repository, and in no working tree of it: hooks of a server run there."""
    return ask(folder, "rev-parse", "--is-inside-work-tree").printed == b"false\n"


def _below(path: Path, tops: Iterable[Path]) -> tuple[str, ...] | None:
    """The parts of a path below the first of these folders that it lies in; `..` stay, for they may follow links."""
    for top in tops:
        for written in (path, Path(os.path.abspath(path))):
            if written.is_relative_to(top):
                return written.relative_to(top).parts
    return None


def _beginning(file: Path) -> Path:
    """The folder whose repository is the file's own: what a link leads to is that of the link's revision."""
    for folder in reversed(file.parents):
        if folder.is_symlink() and _top(folder.parent):
            return folder.parent
    return _folder_of(file)


def _folder_of(file: Path) -> Path:
    """The nearest folder above a file that is there: a revision may have more."""
    return next(folder for folder in file.parents if folder.is_dir())
