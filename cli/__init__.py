"""The command line: each command parses, calls one function of the API, hands the result to one renderer."""

from __future__ import annotations

import os
import sys

from ..errors import CostsimError


def main() -> None:
    """The entry point: every error that costsim raises on purpose is one line and exit code 2."""
    debug = "--debug" in sys.argv
    try:
        if sys.argv[1:2] == ["route"]:  # shells ask it before every spawn: it answers without Typer and pydantic
            from .route import route

            sys.exit(route(sys.argv[2:]))
        from .app import app

        app(prog_name="costsim")
    except CostsimError as error:
        if debug:
            raise
        sys.stderr.write(f"costsim: {_one_line(str(error))}\n")
        sys.exit(2)
    except BrokenPipeError:  # `costsim run | head` is no error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except KeyboardInterrupt:
        sys.exit(130)


def _one_line(message: str) -> str:
    """Untrusted names may hold line breaks and terminal escapes; an error is one harmless line."""
    return "".join(char if char.isprintable() else " " for char in message)
