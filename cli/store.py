"""`costsim store`: verify a store, save what can be read of a damaged one, make it small."""

from __future__ import annotations

import typer

from ..errors import StoreError
from ..plurals import counted
from ..usage import DEFAULT_STORE
from .arguments import DbOption, existing
from .screen import say

CALLS = "usage_event"

store_app = typer.Typer(no_args_is_help=True, help="Look after a store: verify, repair and compact it.")


@store_app.command()
def verify(db: DbOption = DEFAULT_STORE) -> None:
    """Read every block of the store and compare what must agree; what is wrong is an error (exit code 2).

    costsim store verify --db costsim.duckdb
    """
    from ..usage.upkeep import verify as look

    health = look(existing(db))
    for name, rows in health.rows.items():
        say(f"{name}: {rows:,} rows, readable")
    if not health.sound:
        raise StoreError(f"{db}: {'; '.join(health.faults())}; costsim store repair saves what can be read")
    say(f"{db}: sound")


@store_app.command()
def repair(db: DbOption = DEFAULT_STORE) -> None:
    """Save what can be read into a new store in the place of a damaged one, which is kept beside it.

    Then load the logs again: what was lost is read anew, and nothing counts twice.
    """
    from ..usage.upkeep import repair as save

    health, saved, kept = save(existing(db))
    if health.log:
        say(f"{db}: {health.log}. What was loaded since is in no sum: load the logs again: costsim load LOGS")
    if kept is None:
        say(f"{db}: sound" if health.log else f"{db}: sound; nothing to repair")
        return
    for fault in health.faults():
        say(fault)
    for name, rows in saved.items():
        had = health.rows.get(name, rows)
        say(f"{name}: {rows:,} rows saved" if rows >= had else f"{name}: {rows:,} of {had:,} rows saved")
    say(f"{db}: repaired; the damaged store is kept as {kept}. Load the logs again: costsim load LOGS")
    if (lost := health.rows.get(CALLS, 0) - saved.get(CALLS, 0)) > 0:
        say(
            f"{counted(lost, 'call')} of the damaged store count no more until their logs are loaded again; where a "
            f"log is gone, its calls are in {kept} only"
        )


@store_app.command()
def compact(db: DbOption = DEFAULT_STORE) -> None:
    """Write the store anew without the room that deleted rows left."""
    from ..usage.upkeep import compact as shrink

    before, after = shrink(existing(db))
    say(f"{db}: {before:,} bytes before, {after:,} after")
