"""Source files as a linter reads them: which files hold code, and which of their text a program would use.

String literals in programming languages, bare words too in shell scripts, YAML, TOML and their like; comments
and Python's docstrings are left out. This is reading by line, not parsing: the body of a string over several
lines is looked at only where quotes stand within it.
"""

from __future__ import annotations

import ast
import os
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path

from ...documents import check_regular
from ...errors import InputError

MAX_BYTES = 1024 * 1024
MAX_LINE = 5_000
"""Longer lines are minified or generated, not written."""

_PROGRAMS = """py pyi js mjs cjs jsx ts mts cts tsx vue svelte go java kt kts scala groovy rb rs php cs swift c h cc
    cpp hpp dart ex exs erl lua r jl pl pm clj cljs json json5 jsonc"""
_SETTINGS = "yaml yml toml ini cfg conf env properties tf tfvars hcl"
_SHELLS = "sh bash zsh fish ps1 mk"
_FOLDERS = """node_modules bower_components __pycache__ site-packages vendor dist build target .git .hg .svn .tox
    .nox .venv venv .mypy_cache .ruff_cache .pytest_cache .terraform .next .nuxt .gradle .idea .vscode .eggs"""
PROGRAMS = frozenset(_PROGRAMS.split())
"""Endings of languages in which a name in use stands in quotes."""
SETTINGS, SHELLS = frozenset(_SETTINGS.split()), frozenset(_SHELLS.split())
"""Endings of languages in which it may stand bare."""
SHELL_NAMES = frozenset({"Dockerfile", "Containerfile", "Makefile", "Justfile", "Procfile", ".env", ".envrc"})
GENERATED = frozenset({"package-lock.json", "npm-shrinkwrap.json", "composer.lock", "pnpm-lock.yaml"})
SKIPPED_FOLDERS = frozenset(_FOLDERS.split())

_LITERAL = re.compile(r"""(["'`])((?:\\.|(?!\1)[^\\])*(?=\1)|.*)\1""")
"""Up to the first quote that is not escaped; without one, as in `r"C:\\"`, up to the last."""
_COMMENTS = {
    "#": re.compile(r"(?:^|\s)#"),
    "//": re.compile(r"(?:^|[\s;{}(),])//"),
    "--": re.compile(r"(?:^|\s)--\s"),
}
_HASH = frozenset({"py", "pyi", "rb", "r", "jl", "pl", "pm", "ex", "exs", "php"}) | SETTINGS | SHELLS
_NO_SLASHES = _HASH - {"php", "tf", "tfvars", "hcl"}
_BLOCK = re.compile(r"^\s*(?:/?\*|<!--|;)")
_NAMED = re.compile(r"model\S{0,6}\s{0,2}[\"'`\\]*$", re.IGNORECASE)
_BEFORE = ("", *"-:=,[{(|\"'`\\")
_AFTER = re.compile(r"\s*(?:$|[,;:\]}|)\"'`\\])")


@dataclass(frozen=True)
class Line:
    """A line of code without its comment; `number` is from 1, `language` the ending of its file."""

    number: int
    text: str
    language: str

    def spans(self) -> list[tuple[int, int]]:
        """The stretches in which a name may stand: the whole line, or what is in quotes."""
        return [(0, len(self.text))] if self.language not in PROGRAMS else self._literals

    def in_use(self, start: int, end: int) -> bool:
        """Whether the name at `start` stands as a value, not as a word in a sentence."""
        if _NAMED.search(self.text, max(0, start - 40), start):
            return True
        first, last = self._around(start, end)
        if (first, last) == (0, len(self.text)) and self.language in SHELLS:
            return True  # a word of a command
        return self.text[first:start].rstrip()[-1:] in _BEFORE and bool(_AFTER.match(self.text, end, last))

    def _around(self, start: int, end: int) -> tuple[int, int]:
        """The literal that holds this stretch, else the whole line."""
        n = bisect_right(self._literals, start, key=lambda span: span[0])
        return self._literals[n - 1] if n and end <= self._literals[n - 1][1] else (0, len(self.text))

    @cached_property
    def _literals(self) -> list[tuple[int, int]]:
        return [match.span(2) for match in _LITERAL.finditer(self.text)]


def source_files(folder: Path, exclude: Sequence[str] = ()) -> Iterator[Path]:
    """The files below a folder that may hold code, in order; no links, no installed or generated folders.

    `exclude` are globs on names and on paths relative to the folder.
    """
    for parent, folders, names in os.walk(folder):
        here = Path(parent)
        folders[:] = sorted(name for name in folders if not _is_skipped(here / name, folder, exclude))
        for file in (here / name for name in sorted(names)):
            if language(file) and _is_written(file) and not _excluded(file, folder, exclude):
                yield file


def _is_skipped(path: Path, root: Path, exclude: Sequence[str]) -> bool:
    return path.name in SKIPPED_FOLDERS or (path / "pyvenv.cfg").exists() or _excluded(path, root, exclude)


def _is_written(file: Path) -> bool:
    return file.name not in GENERATED and ".min." not in file.name and file.is_file() and not file.is_symlink()


def _excluded(path: Path, root: Path, exclude: Sequence[str]) -> bool:
    relative = path.relative_to(root).as_posix()
    return any(fnmatch(relative, glob) or fnmatch(path.name, glob) for glob in exclude)


def language(file: Path) -> str:
    """The file's ending where it is one of code, `sh` for the likes of a Dockerfile, else nothing."""
    if file.name in SHELL_NAMES or file.name.startswith("Dockerfile."):
        return "sh"
    ending = file.suffix.lower().lstrip(".")
    return ending if ending in PROGRAMS | SETTINGS | SHELLS else ""


def read_source(file: Path) -> str | None:
    """The file's text; None for what nobody wrote by hand: too large, binary, or not to be read."""
    try:
        if not file.is_file() or file.stat().st_size > MAX_BYTES:
            return None
        data = file.read_bytes()
    except OSError:
        return None
    return None if b"\0" in data else data.decode("utf-8-sig", errors="replace").replace("\r\n", "\n")


def check_text(file: Path) -> None:
    """Raises InputError for a file that `read_source` leaves out: one that is named is read, or refused."""
    check_regular(file)
    if read_source(file) is None:
        raise InputError(f"this is no text that can be read (of at most {MAX_BYTES // 2**20} MiB)", file=file)


def code_lines(text: str, language: str) -> Iterator[Line]:
    """The lines that hold code, each without its comment."""
    marks = ["#"] if language in _HASH else ["--"] if language == "lua" else []
    marks += ["//"] if language not in _NO_SLASHES | {"lua"} else []
    docs = _docstring_lines(text) if language in {"py", "pyi"} else frozenset[int]()
    for number, line in enumerate(text.split("\n"), 1):
        is_prose = number in docs or (language in PROGRAMS - _HASH and _BLOCK.match(line))
        if not is_prose and len(line) <= MAX_LINE:
            yield Line(number, _without_comment(line, marks), language)


def _without_comment(line: str, marks: Sequence[str]) -> str:
    """The line up to a comment that does not start within a string."""
    literals = [match.span() for match in _LITERAL.finditer(line)]
    starts = [
        match.start()
        for mark in marks
        for match in _COMMENTS[mark].finditer(line)
        if not _is_within(match.end() - 1, literals)
    ]
    return line[: min(starts)] if starts else line


def _is_within(place: int, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether one of these spans, which stand in order, goes on on both sides of the place."""
    n = bisect_left(spans, place, key=lambda span: span[0])
    return n > 0 and place < spans[n - 1][1]


def _docstring_lines(text: str) -> frozenset[int]:
    """The lines of strings that stand alone as statements; none where the text is not valid Python."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    return frozenset(
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    )
