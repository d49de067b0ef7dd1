"""The mixes of subscriptions and API of a projection: a table, and the sentence that states the cheapest."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from ..analysis.results import Projection
from ..money import format_cents as usd
from .fitted import Fitted, TableColumn
from .texts import cell

NAMED = 6
"""Rows that people are shown; JSON has all that were kept."""


def mixes_table(projection: Projection) -> RenderableType | None:
    """The cheapest mixes at P90, the one that is stated and the API alone; nothing without subscriptions."""
    if not projection.mixes:
        return None
    columns = [
        TableColumn("seats", "key"), TableColumn("fees", goes=1), TableColumn("P10", goes=2), TableColumn("median"),
        TableColumn("P90"), TableColumn("", "words", goes=3),
    ]  # fmt: skip
    title = f"Subscriptions and API, in {projection.days} days, from {projection.trials:,} trials"
    return Group(Fitted(columns, _rows(projection), title=title), Text(cheapest_mix(projection) or "", style="bold"))


def mixes_markdown(projection: Projection) -> list[str]:
    """The same as Markdown lines."""
    if not projection.mixes:
        return []
    lines = ["", "| seats | fees | P10 | median | P90 | |", "| --- | ---: | ---: | ---: | ---: | --- |"]
    lines += ["| " + " | ".join([cell(name), *rest]) + " |" for name, *rest in _rows(projection)]
    return [*lines, "", cell(cheapest_mix(projection) or ""), ""]


def cheapest_mix(projection: Projection) -> str | None:
    """Which mix costs least at P90, compared with the stated one."""
    best = next(iter(projection.mixes), None)
    stated = next((mix for mix in projection.mixes if mix.stated), None)
    if best is None:
        return None
    said = f"Cheapest at P90: {best.name}, {usd(best.p90_usd)} in {projection.days} days"
    if stated is None or best.stated:
        return f"{said}, as the price list states." if best.stated else f"{said}."
    return f"{said}; as stated ({stated.name}) it is {usd(stated.p90_usd)}."


def _rows(projection: Projection) -> list[list[str]]:
    shown = [mix for place, mix in enumerate(projection.mixes) if place < NAMED or mix.stated or mix.is_api]
    return [
        [
            mix.name, *(usd(amount) for amount in (mix.fee_usd, mix.p10_usd, mix.p50_usd, mix.p90_usd)),
            "cheapest at P90" if mix is projection.mixes[0] else "as stated" if mix.stated else "",
        ]
        for mix in shown
    ]  # fmt: skip
