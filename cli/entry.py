"""Where the command line begins and ends: every error becomes one line and an exit code."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence

from ..errors import CostsimError, InputError
from ..interrupts import INTERRUPTED, before_errors, exit_code
from ..memory import check_address_space
from ..shown import one_line, shortened
from .streams import complain, leave_stdout, prepare_streams

JARGON = {
    "Value error, ": "",
    "Input should be a valid integer, unable to parse string as an integer": "this is not a whole number",
    "Input should be a valid number, unable to parse string as a number": "this is not a number",
    "Input should be": "this should be",
}
"""What the libraries say, and what people do."""
DISTRIBUTIONS = {"vl_convert": "vl-convert-python", "yaml": "pyyaml", "ahocorasick_rs": "ahocorasick-rs"}
"""What pip installs where a package is imported under another name."""
EXTRAS = {"scipy": "recommend", "pyspark": "spark", "clickhouse_connect": "clickhouse", "psycopg": "postgres"}
"""The packages that costsim installs only with an extra of its own."""
FREE_TEXTS = {"--note", "--tags", "--who"}
"""Options whose value may be empty."""
ENVIRONMENT = {
    errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM, errno.EFBIG,
    errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EBADF, errno.EMFILE, errno.ENFILE,
}  # fmt: skip
"""Errors of the machine, not of costsim: a disk that is full, broken or not writable, a name that no disk takes,
an output that is closed."""


def main() -> None:
    """The entry point: every error that costsim raises on purpose is one line and exit code 2."""
    debug = "--debug" in sys.argv
    try:
        prepare_streams()
        check_address_space()
        _check_utf8(sys.argv[1:])
        _check_empty(sys.argv[1:])
        if sys.argv[1:2] == ["route"]:  # shells ask it before every spawn: it answers without Typer and pydantic
            from .route import route

            sys.exit(route(sys.argv[2:]))
        with before_errors():
            sys.exit(_ended())
    except CostsimError as error:
        if debug:
            raise
        complain(f"costsim: {_one_line(str(error))}\n")
        sys.exit(2)
    except BrokenPipeError:  # `costsim run | head` is no error
        leave_stdout()
        sys.exit(141)
    except OSError as error:
        if debug:
            raise
        if error.errno not in ENVIRONMENT:
            sys.exit(_no_folder() or _no_temporary(error) or _not_ours(error))
        where = error.filename or "the output"
        complain(f"costsim: {_one_line(f'{where}: {error.strerror}')}\n")
        if not error.filename:
            leave_stdout()
        sys.exit(2)
    except MemoryError:
        complain("costsim: the memory is not enough for this: ask for fewer trials, days or files at once\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(exit_code())
    except Exception as error:
        if debug:
            raise
        sys.exit(_interrupted(error) or _stripped(error) or _missing_package(error) or _not_ours(error))


def _ended() -> int:
    """Run the command; its exit code. Raises BrokenPipeError where nobody reads on what it prints."""
    from .app import application
    from .screen import REMARKS, say_remarks
    from .spellings import today

    REMARKS.clear()
    words = today(sys.argv[1:])
    try:
        code = application(words)(words, prog_name="costsim", standalone_mode=False) or 0
    except SystemExit as stop:
        if isinstance(stop.__context__, BrokenPipeError):  # Rich and Typer end with 1, which is a breached budget here
            raise BrokenPipeError from None
        raise
    say_remarks()
    sys.stdout.flush()  # a full disk behind it shows here
    return exit_code() if code == INTERRUPTED else int(code)  # Typer's, whichever the signal was


def _check_utf8(words: Sequence[str]) -> None:
    """Raises InputError for a word that is no text, unless a file of that name is there: those are read."""
    for word in words:
        if not word.isascii() and word != word.encode("utf-8", "replace").decode() and not os.path.lexists(word):
            raise InputError(f"{os.fsencode(word)!r} is not UTF-8 text")


def _check_empty(words: Sequence[str]) -> None:
    """Raises InputError for a word that is empty: most often a variable that is not set."""
    before = ""
    for number, word in enumerate(words, start=1):
        option, equals, value = word.partition("=")
        joined = bool(equals) and option.startswith("--")
        named = option if joined else before
        if not (value if joined else word) and named not in FREE_TEXTS:
            place = f"of {named}" if named.startswith("--") else f"of word {number}"
            raise InputError(f"the value {place} is empty (a variable that is not set?); give a value, or leave it out")
        before = word


def _no_folder() -> int | None:
    """Exit code 2 where the working folder was removed: every relative path leads nowhere, and so it fails anywhere."""
    try:
        os.getcwd()
    except FileNotFoundError:
        complain("costsim: the working folder was removed: change to another one\n")
        return 2
    return None


def _no_temporary(error: OSError) -> int | None:
    """Exit code 2 where Python found no folder for temporary files that can be written to."""
    if "No usable temporary directory" not in str(error):
        return None
    complain("costsim: no folder for temporary files can be written to; name one: TMPDIR=FOLDER\n")
    return 2


def _interrupted(error: Exception) -> int | None:
    """The exit code where a signal met a query: DuckDB makes an error of its own of it."""
    return exit_code() if isinstance(error, RuntimeError) and str(error) == "Query interrupted" else None


def _stripped(error: Exception) -> int | None:
    """Exit code 2 where charts lack the texts that `python -OO` (PYTHONOPTIMIZE=2) leaves out."""
    if sys.flags.optimize < 2 or not isinstance(error, AttributeError):
        return None
    complain("costsim: python -OO leaves out texts that charts are made of; run it without (PYTHONOPTIMIZE=1 does)\n")
    return 2


def _missing_package(error: Exception) -> int | None:
    """Exit code 2 for a dependency that is not installed (an installation with --no-deps, a package removed since)."""
    package = (getattr(error, "name", None) or "").partition(".")[0]
    if not isinstance(error, ImportError) or package in {"", "costsim", *sys.stdlib_module_names}:
        return None
    wanted = f"'costsim[{EXTRAS[package]}]'" if package in EXTRAS else _one_line(DISTRIBUTIONS.get(package, package))
    complain(f"costsim: {_one_line(package)} is not installed; install it: pip install {wanted}\n")
    return 2


def _not_ours(error: Exception) -> int:
    """What the command line's parser refuses is bad input too; anything else is a fault of costsim, exit code 3."""
    from typer.exceptions import Abort, TyperException

    if isinstance(error, Abort):
        return exit_code()
    if not isinstance(error, TyperException):
        said = _one_line(f"{type(error).__name__}: {error}")
        complain(f"costsim: a fault in costsim itself, please report it: {said} (--debug shows where)\n")
        return 3
    message = error.format_message()
    if "\n" in message:  # no arguments: the message is the help
        complain(message + "\n")
        return 2
    for jargon, plain in JARGON.items():
        message = message.replace(jargon, plain)
    command = getattr(getattr(error, "ctx", None), "command_path", "costsim")
    said = f"{message.rstrip('.')}; {command} --help says more"
    complain(f"costsim: {_one_line(said)}\n")
    return 2


def _one_line(message: str) -> str:
    """Untrusted names may hold escapes and commands of a CI, or be long; an error is one harmless line."""
    line = shortened(one_line(message))
    line = "".join(char if char.isprintable() else " " for char in line)
    try:
        from ..reports.escaping import without_commands
    except OSError:  # no file can be opened any more (ulimit -n), that module neither
        return line.replace("##", "# #")
    return without_commands(line)
