"""The three standard streams, such that every text can be printed and a closed one does no harm."""

from __future__ import annotations

import codecs
import os
import sys
from contextlib import suppress
from typing import Any, TextIO

READ, PRINT, COMPLAIN = range(3)
"""Their numbers for the system: standard input, output and error."""
ERRORS = "costsim"
"""The name of `escaped` among the ways in which text that cannot be encoded is written."""


def prepare_streams() -> None:
    """Open what is closed (`costsim … >&-`) and let a terminal's encoding refuse no character.

    The system gives the number of a closed stream to the next file that is opened: whatever is printed then would be
    written into the store. To read from a closed input is an error, and so is to print to a closed output.
    """
    for number, mode in ((READ, os.O_WRONLY), (PRINT, os.O_RDONLY), (COMPLAIN, os.O_WRONLY)):  # so the first two fail
        _occupy(number, mode)
    sys.stdin = sys.stdin or _stream(READ, "r")
    sys.stdout = sys.stdout or _stream(PRINT, "w")
    sys.stderr = sys.stderr or _stream(COMPLAIN, "w")
    codecs.register_error(ERRORS, escaped)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=ERRORS)


def escaped(error: UnicodeError) -> tuple[str, int]:
    r"""What an encoding lacks (LANG=C, a Windows code page) as JSON writes it, \uXXXX; for `codecs.register_error`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2)), error.end


def complain(text: str) -> None:
    """Print an error; where even that cannot be printed (a full disk), the exit code says that there is one."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        _leave(sys.stderr)


def leave_stdout() -> None:
    """What is left to be printed goes nowhere, so that Python's own end does not fail on it again."""
    _leave(sys.stdout)


def _leave(stream: TextIO) -> None:
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _occupy(number: int, mode: int) -> None:
    try:
        os.fstat(number)
    except OSError:
        handle = os.open(os.devnull, mode)
        if handle != number:
            os.dup2(handle, number)
            os.close(handle)


def _stream(number: int, mode: str) -> Any:
    return os.fdopen(number, mode, encoding="utf-8", closefd=False)
