"""Git repositories made for a test, by nobody's configuration."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

WHO = {
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@b.c",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@b.c",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}
COMPONENT = "{name: a, agent: x, task: m, runs_per_day: RUNS, tokens: {input: 1000, output: 100}}"
ROUTING = "model_routing: {m: anthropic/claude-haiku-4-5}\n"


def git(folder: Path, *arguments: str, given: bytes | None = None) -> str:
    """What git prints; an error where it fails."""
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, input=given, check=True, capture_output=True, env={**os.environ, **WHO})
    return done.stdout.decode().strip()


def repository(folder: Path) -> Path:
    """An empty repository in a folder, its branch main."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q", "-b", "main")
    return folder


def commit(folder: Path, files: Mapping[str, str | Path | None]) -> str:
    """A commit with these files: their texts, or links that lead to a path; None takes a file away."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        if isinstance(content, Path):
            path.symlink_to(content)
        elif content is not None:
            path.write_text(content)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", "change")
    return git(folder, "rev-parse", "HEAD")


def made(folder: Path, entries: str) -> str:
    """A commit of a tree that nobody would check out: lines as `git mktree` takes them."""
    tree = git(folder, "mktree", "--missing", given=entries.encode())
    return git(folder, "commit-tree", tree, "-m", "made")


def blob(folder: Path, content: str) -> str:
    """An object with this content."""
    return git(folder, "hash-object", "-w", "--stdin", given=content.encode())


def fleet(runs: int, head: str = ROUTING) -> str:
    """An architecture of so many runs a day, of 1,000 tokens in and 100 out on Haiku 4.5 ($1 and $5 per million).

    A run is $0.001 + $0.0005 = $0.0015: of each run a day $0.045 in 30 days.
    """
    return f"name: t\n{head}components:\n  - {COMPONENT.replace('RUNS', str(runs))}\n"
