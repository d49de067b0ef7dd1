"""All commands, as one Typer application. Plain help: rendering it with Rich would take twice as long.

Where a command is named, only its own module is loaded: half of the time of a short command goes to reading the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any

import typer

from ..version import __version__
from .once import Once

COMMANDS = {
    "init": "start",
    "run": "plan",
    "schema": "plan",
    "profile": "profile",
    "check": "check",
    "diff": "diff",
    "load": "usage",
    "spend": "spend",
    "reconcile": "reconcile",
    "export": "usage",
    "rollup": "rollup",
    "report": "review",
    "chart": "chart",
    "decide": "decide",
    "demo": "demo",
    "route": "routing",
    "lint": "routing",
    "outcomes": "evidence",
    "recommend": "evidence",
    "replay": "evidence",
    "evaluate": "evidence",
}
"""The module of each command, whose function has the command's name."""
FAMILIES = {"prices": "prices", "store": "store"}
"""The module of each family of commands, and its application there."""
PASSED_ON: dict[str, Any] = {
    "add_help_option": False,
    "context_settings": {"ignore_unknown_options": True, "allow_extra_args": True},
}
"""Of a command that reads its words itself."""


def application(words: Sequence[str] = ()) -> typer.Typer:
    """The application: all commands, or only the one that the first of the words names."""
    named = words[0] if words and words[0] in {*COMMANDS, *FAMILIES} else None
    app = typer.Typer(
        name="costsim",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
        epilog="Exit codes: 0 done; 1 a check or a diff failed (a budget is breached, an increase is too large); "
        "2 bad input, or a model has no price (one line says what, where, how to fix it); 3 a fault in costsim itself.",
    )
    app.callback()(_costsim)
    for name, module in COMMANDS.items():
        if named in (None, name):
            app.command(cls=Once, **(PASSED_ON if name == "route" else {}))(getattr(_module(module), name))
    for name, module in FAMILIES.items():
        if named in (None, name):
            family: typer.Typer = getattr(_module(module), f"{name}_app")
            for command in family.registered_commands:
                command.cls = Once
            app.add_typer(family, name=name)
    return app


def _module(name: str) -> Any:
    return import_module(f"{__package__}.{name}")


def __getattr__(name: str) -> Any:
    """`app`, the application with all commands, made where it is first asked for."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()["app"] = application()
    return globals()["app"]


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"costsim {__version__}")
        raise typer.Exit


def _costsim(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """What a fleet of LLM agents will cost, before it runs; exact, dated, explained.

    Start with costsim run: without an architecture.yaml here it costs the shipped example, a
    ten-part C-suite of agents. Then write your own architecture.yaml (costsim schema helps your editor) and run
    costsim run architecture.yaml --report plan.html.
    """
