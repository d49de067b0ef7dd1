"""Decisions taken and past forecasts as people read them: page, Markdown and terminal, held by golden files."""

from __future__ import annotations

import io
import os
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from costsim.analysis.compare.bridge_results import Bridge, BridgeStep, ComponentEffect
from costsim.analysis.decided.results import DecisionRecord, RoutingChange, TakenDecision
from costsim.analysis.forecast.results import Calibration, ForecastCheck, ForecastRecord
from costsim.analysis.review.results import Review
from costsim.reports.review import forecasts
from costsim.reports.review.html import render_review
from costsim.reports.review.markdown import as_markdown
from costsim.reports.review.terminal import print_review
from rich.console import Console

GOLDEN = Path(__file__).parents[1] / "golden"
SONNET, HAIKU = "anthropic/claude-sonnet-4-6", "anthropic/claude-haiku-4-5"


def record(id: str, **given: Any) -> DecisionRecord:
    change = RoutingChange(task="orchestration", from_model=SONNET, to_model=HAIKU)
    usual: dict[str, Any] = {
        "decision": "accepted", "on": date(2026, 10, 2), "month": "2026-09", "who": "Ana", "change": change,
        "what": f"Move orchestration from {SONNET} to {HAIKU}", "promised_usd_per_month": Decimal("62"),
        "low_usd_per_month": Decimal(55), "high_usd_per_month": Decimal(66),
    }  # fmt: skip
    return DecisionRecord(id=id, **usual | given)


TAKEN = [
    TakenDecision(
        record=record("move-3f9a2c01", note="after the trial"), outcome="as promised",
        message="saved $58.00 in 30 days, $62.00 promised for them", since=date(2026, 10, 2), until=date(2026, 10, 31),
        promised_usd=Decimal(62), measured_usd=Decimal(58), low_usd=Decimal("51.5"), high_usd=Decimal("60.25"),
        moved_calls=1450, bridge_usd=Decimal(-58),
    ),
    TakenDecision(
        record=record("drift-77aa01c2"), outcome="not yet visible",
        message=f"not yet visible: 100% of its 1,450 calls since 2026-10-02 still go to {SONNET}",
    ),
    TakenDecision(record=record("anomaly-00aa11bb", decision="rejected", who=""), outcome="rejected", message="rejected"),
]  # fmt: skip


def check(component: str | None, day: int, low: str, high: str, actual: str, fell: Any) -> ForecastCheck:
    return ForecastCheck(
        month="2026-10", component=component, as_of=date(2026, 10, day), p10_usd=Decimal(low), p50_usd=Decimal(low),
        p90_usd=Decimal(high), actual_usd=Decimal(actual), fell=fell,
    )  # fmt: skip


CALIBRATION = Calibration(
    month="2026-10",
    checks=[
        check(None, 5, "110", "140", "130", "within"), check(None, 10, "115", "135", "130", "within"),
        check(None, 20, "110", "120", "130", "above"), check("a|b", 10, "10", "12", "9", "below"),
    ],
    record=[
        ForecastRecord(day=5, months=10, inside=8, wanted=0.8, enough=True),
        ForecastRecord(day=20, months=3, inside=2, wanted=0.8, enough=False),
    ],
)  # fmt: skip


@pytest.fixture(scope="module")
def decided(worked_month: Review) -> Review:
    """The worked month with decisions taken and past forecasts, and with a bridge of its own."""
    parts = [ComponentEffect(component="brief", usd=Decimal(-58))]
    bridge = Bridge(
        before="2026-09", after="2026-10", before_last=date(2026, 9, 30), after_last=date(2026, 10, 31),
        before_usd=Decimal(124), after_usd=Decimal(70),
        steps=[
            BridgeStep(effect="volume", usd=Decimal(4), components=[ComponentEffect(component="brief", usd=Decimal(4))]),
            BridgeStep(effect="decisions", usd=Decimal(-58), components=parts),
        ],
        method="Shapley", query="bridge",
    )  # fmt: skip
    return worked_month.model_copy(
        update={"taken": TAKEN, "calibration": CALIBRATION, "bridge": bridge, "decisions": [], "notes": []}
    )


def held_to(name: str, text: str) -> None:
    """COSTSIM_GOLDEN=1 writes the file anew: read the diff."""
    if os.environ.get("COSTSIM_GOLDEN"):
        (GOLDEN / name).write_text(text, "utf-8")
    assert text == (GOLDEN / name).read_text("utf-8")


def sections(text: str, *titles: str) -> str:
    return "\n".join(part for part in re.split(r"(?m)^(?=### )", text) if part.startswith(titles))


def test_the_markdown_of_decisions_and_forecasts_is_as_agreed(decided: Review) -> None:
    text = as_markdown(decided)
    titles = ("### Decisions taken", "### Why it changed", "### How good the forecasts were")
    held_to("decided.md", sections(text.partition("\nData: ")[0], *titles))


def test_the_terminal_of_decisions_and_forecasts_is_as_agreed(decided: Review) -> None:
    out = io.StringIO()
    print_review(decided, Console(file=out, width=120, color_system=None))
    held_to("decided.txt", "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n")


@pytest.mark.slow
def test_the_page_shows_what_came_of_each_decision(decided: Review) -> None:
    page = render_review(decided)
    taken = page[page.index('<section id="taken"') : page.index('<section id="spent"')]
    assert "accepted 2026-10-02 by Ana" in taken
    assert "$62.00 ($55.00 to $66.00)" in taken
    assert "$58.00 ($51.50 to $60.25)" in taken
    assert "−$58.00" in taken
    assert "saved $58.00 in 30 days, $62.00 promised for them (after the trial)" in taken
    assert "still go to anthropic/claude-sonnet-4-6" in taken
    assert "decisions taken" in page[page.index('<section id="why"') : page.index('<section id="where"')]
    assert "Nothing is left to decide" not in page  # these are of another month's review
    assert page.index('href="#taken"') < page.index('href="#spent"')


@pytest.mark.slow
def test_the_page_shows_the_record_of_forecasts(decided: Review) -> None:
    page = render_review(decided)
    part = page[page.index('<section id="forecasts"') : page.index('<section id="quality"')]
    assert "After day 5: 8 of 10 months within P10 to P90; 80% expected." in part
    assert "2 of 3 months within P10 to P90; 80% expected, and these are too few to judge by." in part
    assert "$110.00 to $120.00: more" in part


@pytest.mark.slow
def test_price_rows_and_hashes_are_folded(decided: Review) -> None:
    page = render_review(decided)
    folded = page[page.index('<details id="price-rows"') :]
    assert folded.index('id="used-caption"') < folded.index("</details>")
    before = page[page.index("<body") : page.index('<details id="price-rows"')]
    assert decided.prices.book_hash[:12] not in before


@pytest.mark.slow
def test_prices_of_rivals_are_folded_apart_from_those_in_use(running_month: Review) -> None:
    page = render_review(running_month)
    prices = page[page.index('<section id="prices"') : page.index('<section id="forecasts"')]
    shown, _, folded = prices.partition('<details id="rivals">')
    assert "gemini-of-tomorrow" in folded
    assert "gemini-of-tomorrow" not in shown
    assert "1 price of rivals, changed or to change within 90 days" in folded
    assert shown.count("<tbody>") == folded.count("<tbody>") == 1


def test_no_forecast_is_said_where_none_was(decided: Review) -> None:
    assert forecasts.rows(CALIBRATION)[1] == (
        "a|b",
        "$9.00",
        "no forecast yet",
        "$10.00 to $12.00: less",
        "no forecast yet",
    )
    assert 'id="forecasts"' not in render_review(decided.model_copy(update={"calibration": None}))
