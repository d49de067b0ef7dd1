"""Where a result goes: one `--out/-o FILE` and one `--format/-f` for every command that prints a result.

Without `--out` the result is printed. In a file, the format is what `--format` says, else what the file's ending
means, else Markdown instead of a table where the command has Markdown.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from ..errors import InputError, OutputError
from ..reports.escaping import terminal
from .screen import console, terminal_console

if TYPE_CHECKING:
    from rich.console import Console

FormatName = TypeVar("FormatName", bound=StrEnum)

OutOption = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write the result here instead of printing it.")
]
FORMAT_HELP = "Default: by the ending of --out, else {default}."
ENDINGS = {
    ".html": "html", ".htm": "html", ".md": "markdown", ".json": "json", ".csv": "csv", ".pdf": "pdf",
    ".parquet": "parquet", ".sarif": "sarif", ".xml": "junit", ".txt": "table",
    ".yaml": "yaml", ".yml": "yaml",
}  # fmt: skip


OWN = ("html", "pdf", "yaml")
"""What no command writes under the content of another format: it would open nowhere, or replace what people wrote."""


class FindingsFormat(StrEnum):
    """How `costsim check` and `costsim diff` print."""

    table = "table"
    json = "json"
    markdown = "markdown"
    github = "github"
    junit = "junit"
    sarif = "sarif"
    gitlab = "gitlab"


WIDTH = 160  # of a table in a file


def format_of(given: FormatName | None, out: Path | None, default: FormatName) -> FormatName:
    """The format that is asked for, else that of the file's ending if the command has it, else the default."""
    if given is not None:
        _check_ending(given.value, out)
        return given
    formats = {format.value: format for format in type(default)}
    meant = ENDINGS.get(out.suffix.lower(), "markdown") if out else default.value
    if out and meant in OWN and meant not in formats:
        raise InputError(f"this command writes no {out.suffix} file; it writes {', '.join(formats)}", file=out)
    return formats.get(meant, default)


def _check_ending(form: str, out: Path | None) -> None:
    """A PDF under another name, or something else under the name of a PDF or a file of settings: raises InputError."""
    ending = out.suffix.lower() if out else ""
    if out and ((form == "pdf") != (ending == ".pdf") or (ENDINGS.get(ending) == "yaml" and form != "yaml")):
        raise InputError(f"--format {form} does not go with the ending {ending or '(none)'}", file=out)


def emit(result: str | bytes | Callable[[Console], None], out: Path | None) -> None:
    """Print a text, or what a function prints on a console; or write that, or a PDF, to a file. Raises OutputError."""
    if out is None:
        if isinstance(result, bytes):
            raise OutputError("a PDF is written to a file: give --out FILE.pdf")
        if isinstance(result, str):
            sys.stdout.write(terminal(result))
        else:
            result(console())
        return
    from ..writing import write_file

    if out.suffix.lower() == ".pdf" and not isinstance(result, bytes):
        raise OutputError(f"{out}: this command writes no PDF; name a file with another ending")
    if not isinstance(result, bytes):  # half a character, of a file's name that is not UTF-8, as where it is printed
        result = (result if isinstance(result, str) else _plain(result)).encode("utf-8", "backslashreplace")
    write_file(out, result)


def _plain(print_on: Callable[[Console], None]) -> str:
    from io import StringIO

    text = StringIO()
    print_on(terminal_console(file=text, width=WIDTH, highlight=False, color_system=None))
    return text.getvalue()
