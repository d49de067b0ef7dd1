"""All commands, as one Typer application. Plain help: rendering it with Rich would take twice as long."""

from __future__ import annotations

from typing import Annotated

import typer

from .. import __version__
from . import (
    chart,
    check,
    decide,
    demo,
    diff,
    evidence,
    plan,
    profile,
    reconcile,
    review,
    rollup,
    routing,
    spend,
    start,
    usage,
)
from .prices import prices_app
from .store import store_app

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
app.command()(start.init)
app.command()(plan.run)
app.command()(plan.schema)
app.command()(profile.profile)
app.command()(check.check)
app.command()(diff.diff)
app.command()(usage.load)
app.command()(spend.spend)
app.command()(reconcile.reconcile)
app.command()(usage.export)
app.command()(rollup.rollup)
app.command()(review.report)
app.command()(chart.chart)
app.command()(decide.decide)
app.command()(demo.demo)
app.command(add_help_option=False, context_settings={"ignore_unknown_options": True, "allow_extra_args": True})(
    routing.route
)
app.command()(routing.lint)
app.command()(evidence.outcomes)
app.command()(evidence.recommend)
app.command()(evidence.replay)
app.command()(evidence.evaluate)
app.add_typer(prices_app, name="prices")
app.add_typer(store_app, name="store")


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

    Start with costsim run: without an architecture.yaml here it costs the shipped example, a
    ten-part C-suite of agents. Then write your own architecture.yaml (costsim schema helps your editor) and run
    costsim run architecture.yaml --report plan.html.
    """
