"""The architecture that logs show, for `costsim run --from-usage`."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import CostsimError, OutputError
from .arguments import HERE, price_files

if TYPE_CHECKING:
    from datetime import date

    from ..analysis.architecture.model import Architecture


def observed(
    architecture: Path | None, store: Path, save: Path | None, first: date | None, last: date | None
) -> tuple[Architecture, date]:
    """The architecture that a store's logs of those days show, and the day after the last one that they know whole.

    It is kept in `save` if given; never over an existing file.
    """
    from datetime import UTC, datetime, timedelta

    from ..analysis.architecture.load import readable_again
    from ..analysis.forecast.daily_costs import last_day_known
    from ..named_files import allowing
    from ..store import open_store
    from ..writing import write_file
    from ..yaml_text import yaml_text

    if architecture:
        raise CostsimError("give either an architecture or --from-usage")
    if save and save.exists():
        raise OutputError(f"{save}: there is a file already; name another for --save")
    at, today = save.resolve().parent if save else None, datetime.now(UTC).date()
    with open_store(store, read_only=True) as opened:
        data = opened.observed(_from(at, store), since=first, until=last)
        known = last_day_known(opened.connection, today, last)
    prices = folders_prices()
    if save:
        data |= {
            key: str(said) if key == "book" else [str(_from(at, path)) for path in said] for key, said in prices.items()
        }
    text = yaml_text(data)
    with nullcontext() if save else allowing(store):  # what is saved is to be read without these options
        found = readable_again(save or HERE, text).architecture.model_copy(update=prices)
    if save:
        write_file(save, text)
    return found, known + timedelta(1) if known else today


def _from(folder: Path | None, file: Path) -> Path:
    """The path of a file as an architecture saved in `folder` has it; absolute where none is saved."""
    return file.resolve() if folder is None else Path(os.path.relpath(file.resolve(), folder))


def folders_prices() -> dict[str, Any]:
    """The price stack of the architecture in this folder: one folder, one price for a call."""
    if not HERE.is_file():
        return {}
    base, overlays = price_files(None, None, HERE)
    return {"book": str(base), "prices": [path.resolve() for path in overlays]}
