"""The command line: each command parses, calls one function of the API, hands the result to one renderer."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from .. import __version__
from ..errors import CostsimError
from . import plan
from .prices import prices_app

app = typer.Typer(
    name="costsim",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done; 2 bad input, or a model has no price (one line says what, where, how to mend it).",
)
app.command()(plan.run)
app.command()(plan.schema)
app.add_typer(prices_app, name="prices")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"costsim {__version__}")
        raise typer.Exit


@app.callback()
def _costsim(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """What a fleet of LLM agents will cost, before it runs; exact, dated, explained.

    Start with [bold]costsim run[/bold]: without a file it costs the shipped example, a ten-part C-suite of agents.
    Then write your own [bold]architecture.yaml[/bold] ([bold]costsim schema[/bold] helps your editor) and run
    [bold]costsim run architecture.yaml --report plan.html[/bold].
    """


def main() -> None:
    """The entry point: every error that costsim raises on purpose is one line and exit code 2."""
    debug = "--debug" in sys.argv
    try:
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
