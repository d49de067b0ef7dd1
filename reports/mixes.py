"""The subscriptions of a projection: what they cost beyond their fees, and which mix of seats and API is cheapest."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.text import Text

from ..analysis.mix_results import PlanMix
from ..analysis.projection import Projection
from ..money import format_cents as usd
from .escaping import cell
from .fitted import Fitted, TableColumn

NAMED = 6
"""Rows that people are shown; JSON has all that were kept."""


class ShownMix(NamedTuple):
    """A row of the table: a mix, and what is to be said of it."""

    mix: PlanMix
    note: str

    @property
    def amounts(self) -> list[str]:
        """Fees, expected cost and its range, as people read them."""
        mix = self.mix
        return [usd(amount) for amount in (mix.fee_usd, mix.expected_usd, mix.p10_usd, mix.p50_usd, mix.p90_usd)]


def shown_mixes(projection: Projection) -> list[ShownMix]:
    """The cheapest mixes at P90, the one that is stated and the API alone; nothing without subscriptions."""
    shown = [mix for place, mix in enumerate(projection.mixes) if place < NAMED or mix.stated or mix.is_api]
    return [ShownMix(mix, _note(mix, projection)) for mix in shown]


def _note(mix: PlanMix, projection: Projection) -> str:
    notes = [
        *(["cheapest at P90"] if mix is projection.mixes[0] else []),
        *(["as stated, in the plan routed"] if mix.stated else []),
    ]
    return ", ".join(notes)


def mixes_table(projection: Projection) -> RenderableType | None:
    """The mixes for the terminal; nothing without subscriptions."""
    if not projection.mixes:
        return None
    columns = [
        TableColumn("seats", "key"), TableColumn("fees", goes=1), TableColumn("expected", goes=2),
        TableColumn("P10", goes=3), TableColumn("median", goes=4), TableColumn("P90"), TableColumn("", "words", goes=5),
    ]  # fmt: skip
    rows = [[row.mix.name, *row.amounts, row.note] for row in shown_mixes(projection)]
    lines = [cheapest_mix(projection) or "", *beyond_fees(projection)]
    return Group(Fitted(columns, rows, title=title(projection)), *(Text(line, style="bold") for line in lines))


def mixes_markdown(projection: Projection) -> list[str]:
    """The same as Markdown lines."""
    if not projection.mixes:
        return []
    lines = [
        "",
        "| seats | fees | expected | P10 | median | P90 | |",
        "| --- | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    lines += ["| " + " | ".join([cell(row.mix.name), *row.amounts, row.note]) + " |" for row in shown_mixes(projection)]
    words = [cheapest_mix(projection) or "", *beyond_fees(projection)]
    return [*lines, *(line for text in words for line in ("", cell(text))), ""]


def title(projection: Projection) -> str:
    """What the table of mixes shows."""
    return f"Subscriptions and API, in {projection.days} days, from {projection.trials:,} trials"


def beyond_fees(projection: Projection) -> list[str]:
    """What is expected beyond what each subscription of the plan `routed` includes, in sentences."""
    plan = projection.plan("routed")
    return [
        f"In {plan.name}, {usd(row.overage_usd_per_day * projection.days)} of {row.name} "
        f"({usd((row.expected_usd_per_day or Decimal(0)) * projection.days)}) are expected beyond what it includes."
        for row in plan.components
        if row.overage_usd_per_day
    ]


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
