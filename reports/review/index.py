"""An index over the reviews of a folder: every month's cost, its trend, its decisions, with links.

A review page carries its own data (the JSON of `costsim report --format json`), so the index needs nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...documents import read_bounded
from ...errors import InputError
from ...money import format_usd
from ...plurals import counted
from ...version import __version__
from ..chart_parts import Row, finish, ticks, tooltip
from ..page import figure, render_page
from ..theme import CSS, LIGHT, Theme
from . import words
from .embedded import read
from .html import csv_link

if TYPE_CHECKING:
    import altair as alt

    from ...analysis.review.results import Review

NAME = "index.html"
MAX_PAGE = 64 * 2**20
"""Bytes of a page: a year of a thousand components is 10 MiB."""


@dataclass(frozen=True)
class Page:
    """A review and the file that it stands in."""

    file: str
    review: Review


def render_index(folder: Path) -> str:
    """The index of a folder's review pages as one HTML document. Raises InputError where there are none."""
    pages = read_pages(folder)
    if not pages:
        raise InputError("there is no review page in this folder; make one: costsim report", file=folder)
    months = [(p.review.month, p.review.name, p.review.headline.month.usd) for p in pages]
    drawn = figure(
        "trend", "Month by month", "What every reviewed month cost.", trend(pages, CSS), whole=True,
        csv=csv_link(("month", "name", "usd"), months),
    )  # fmt: skip
    filters: dict[str, Callable[..., str]] = {"month_name": words.month_name, "signed": words.signed}
    return render_page(
        "review-index.html.jinja",
        filters,
        ["report.js"],
        version=__version__,
        pages=pages[::-1],
        trend=drawn,
        words=words,
        counted=counted,
    )


def read_pages(folder: Path) -> list[Page]:
    """The reviews that the folder's HTML files carry, the earliest first; files that carry none are passed over."""
    found = []
    for file in sorted(folder.glob("*.html")):
        if file.name != NAME and not file.is_dir():
            page = read_bounded(file, MAX_PAGE).decode("utf-8", errors="replace")
            try:
                review = read(page)
            except ValueError:  # pydantic's too
                raise InputError("the review in this page is of another version; make it anew", file=file) from None
            if review:
                found.append(Page(file.name, review))
    return sorted(found, key=lambda page: (page.review.month, page.review.name, page.file))


def trend(pages: list[Page], theme: Theme = LIGHT) -> alt.LayerChart:
    """A bar for every month."""
    import altair as alt

    sums: dict[str, list[Page]] = {}
    for page in pages:
        sums.setdefault(page.review.month, []).append(page)
    rows: list[Row] = []
    for month, of in sums.items():
        cost = sum(page.review.headline.month.usd for page in of)
        rows.append(
            {
                "month": words.month_name(month),
                "usd": float(cost),
                "shown": format_usd(cost or of[0].review.headline.month.usd),
            }
        )
    y = alt.Y("month:N", sort=None, title=None)
    base = alt.Chart(alt.NamedData("rows")).encode(y=y)
    most = max(row["usd"] for row in rows) or 1.0
    scale = alt.Scale(domain=[0, most * 1.15], nice=False)
    bars = base.mark_bar(size=18, color=theme.accent).encode(
        x=alt.X("usd:Q", title="USD a month", scale=scale, axis=ticks([0, most])),
        tooltip=tooltip(alt, "month", shown="cost"),
    )
    ends = base.mark_text(align="left", baseline="middle", dx=4, color=theme.text, fontSize=11, tooltip=None)
    layers = [bars, ends.encode(x="usd:Q", text="shown:N")]
    return finish(layers, {"rows": rows}, "Bars: what every month cost", height=28 * len(rows) + 24, theme=theme)
