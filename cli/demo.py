"""`costsim demo`: a worked month to look at."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from ..errors import OutputError
from ..usage import DEFAULT_STORE
from .arguments import EXAMPLE, EXAMPLES
from .screen import say, with_progress

REPORT = "review.html"


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Where to write it.")] = Path(),
    seed: Annotated[int, typer.Option(help="Seed of the drawn calls: same seed, same logs.")] = 1,
) -> None:
    """Write a worked month: two months of a fleet's logs, the store made of them, and the review.

    Three things are planted in the logs, a price change, a routing that drifts and a runaway;
    README.md says where, and review.html should find them and nothing else. No file is overwritten.

    \b
      costsim demo --out demo
    """
    import altair  # noqa: F401 (the review's packages: one that is missing is named before two months are drawn)
    import jinja2  # noqa: F401
    import vl_convert  # noqa: F401

    from ..analysis.architecture.load import read_architecture
    from ..analysis.demo import files
    from ..analysis.demo.calls import fleet_calls
    from ..pricing.book import open_book
    from ..writing import write_file

    names = (files.LOGS, files.ARCHITECTURE, files.PRICES, files.ATTRIBUTION, files.OUTCOMES, files.README)
    kept = (*names, DEFAULT_STORE.name, REPORT)
    there = [name for name in kept if os.path.lexists(out / name)]
    if there:
        raise OutputError(f"{out}: there is already {', '.join(there)}; name an empty folder: --out FOLDER")
    with _whole(out, (*kept, f"{DEFAULT_STORE.name}.wal")):
        architecture = read_architecture(EXAMPLE)
        calls = fleet_calls(architecture, seed)
        (out / files.LOGS).mkdir()
        write_file(out / files.PRICES, files.prices((EXAMPLES / "c-suite" / "prices.yaml").read_text("utf-8")))
        texts = {
            **files.log_files(calls, open_book("list", [out / files.PRICES])),
            files.ARCHITECTURE: files.architecture_file(architecture),
            files.ATTRIBUTION: files.attribution(architecture),
            files.OUTCOMES: files.outcomes(calls, seed),
            files.README: files.readme(len(calls)),
        }
        for name, text in texts.items():
            write_file(out / name, text)
        span = f"from {calls[0].at:%Y-%m-%d} to {calls[-1].at:%Y-%m-%d}"
        say(f"{out / files.LOGS}: {len(calls):,} calls {span}")
        with_progress("reviewing", lambda _: _review(out))
    say(f"{out / REPORT}: the review; {out / files.README} says what it should find")


@contextmanager
def _whole(out: Path, names: Iterable[str]) -> Iterator[None]:
    """All of it or nothing: what was begun (none of it was there before), folders too, is removed where something
    fails."""
    new = [folder for folder in (out, *out.parents) if not os.path.lexists(folder)]
    try:
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{out}: this cannot be a folder: {error.strerror}; name another: --out FOLDER") from None
        yield
    except BaseException:
        for name in names:
            if (out / name).is_dir():
                shutil.rmtree(out / name)
            with suppress(OSError):
                (out / name).unlink()
        with suppress(OSError):  # from the innermost; one that another program put something into stays
            for folder in new:
                if folder.exists():
                    folder.rmdir()
        raise


def _review(folder: Path) -> None:
    """Load the logs and write the review, as the commands in the README do."""
    from ..analysis.architecture.load import read_architecture
    from ..analysis.demo import files, planted
    from ..analysis.outcomes.store import load_outcomes
    from ..analysis.review.review import review
    from ..pricing.book import open_book
    from ..reports.review.html import render_review
    from ..usage.attribution import read_attribution
    from ..usage.load import load
    from ..usage.store import open_store
    from ..writing import write_file

    architecture = read_architecture(folder / files.ARCHITECTURE)
    book = open_book(architecture.book, architecture.prices)
    with open_store(folder / DEFAULT_STORE) as store:
        load(store, [folder / files.LOGS], attribution=read_attribution(folder / files.ATTRIBUTION))
        load_outcomes(store, folder / files.OUTCOMES)
        found = review(
            store, book, planted.MONTH, today=date(2026, 11, 1), name=architecture.name, architecture=architecture
        )
    write_file(folder / REPORT, render_review(found))
