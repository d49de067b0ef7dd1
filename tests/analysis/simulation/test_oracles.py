"""The article's own arithmetic: figures that hold whatever the token split and whatever the day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import costsim
import pytest
import yaml
from costsim.analysis.architecture.load import read_architecture
from costsim.analysis.architecture.model import Architecture
from costsim.analysis.projection import Projection
from costsim.analysis.simulation.run import project
from costsim.analysis.simulation.settings import Settings
from costsim.money import to_usd
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import examples

Read = Callable[..., Architecture]

EXAMPLE = Path(costsim.__file__).parent / "examples" / "c-suite" / "architecture.yaml"
OPUS = "anthropic/claude-opus-4-6"

# The article's cost table: USD per day at its own prices.
ROWS = {
    "ceo-heartbeat": "1.50",
    "coo-morning-brief": "0.10",
    "coo-heartbeat": "0.75",
    "cto-sprint-check": "0.10",
    "cto-cron-monitor": "0.05",
    "cmo-curation": "0.03",
    "cmo-content-draft": "0.15",
    "cio-intel-brief": "0.20",
    "cio-scanners": "0.05",
}


def nine_rows(read: Read, ratios: dict[str, Decimal] | None = None) -> Architecture:
    """The example without its ad hoc coding; `ratios` replace its input tokens per output token."""
    content: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text())
    content |= {"prices": str(EXAMPLE.parent / "prices.yaml"), "claims": []}
    content |= {key: str(EXAMPLE.parent / content[key]) for key in ("routing", "crons")}
    content["components"] = [row for row in content["components"] if row["name"] in ROWS]
    for row in content["components"]:
        row["calibrate"]["input_per_output"] = str(
            (ratios or {}).get(row["name"], row["calibrate"]["input_per_output"])
        )
    return read(content)


def run(architecture: Architecture, book: str, start: date = date(2026, 6, 1), days: int = 3) -> Projection:
    return project(architecture, Settings(start=start, days=days, trials=1, book=book, naive=OPUS))


def per_day(projection: Projection, plan: str) -> Decimal:
    return projection.plan(plan).expected_usd_per_day


def test_the_nine_rows_come_to_2_93_routed_and_10_4375_naive_at_the_articles_prices(read: Read) -> None:
    # 1.50 + 0.10 + 0.75 + 0.10 + 0.05 + 0.03 + 0.15 + 0.20 + 0.05 = 2.93
    # on Opus, Sonnet's 1.30 is 5 times more expensive (15/3) and Haiku's 0.13 18.75 times (15/0.80):
    # 1.50 + 6.50 + 2.4375 = 10.4375
    found = run(nine_rows(read), "article-2026")
    assert per_day(found, "routed") == Decimal("2.93")
    assert per_day(found, "naive") == Decimal("10.4375")
    assert {c.name: c.expected_usd_per_day for c in found.plan("routed").components} == {
        name: Decimal(cost) for name, cost in ROWS.items()
    }


def test_at_list_prices_they_come_to_1_9625_and_3_4791666(read: Read) -> None:
    # Opus lists at 5/25, a third of the article's 15/75: 1.50/3 = 0.50; Sonnet is unchanged: 1.30;
    # Haiku lists at 1/5, not 0.80/4: 0.13 x 1.25 = 0.1625. Together 1.9625.
    # On Opus: 0.50 + 1.30 x 5/3 + 0.1625 x 5 = 0.50 + 2.1666... + 0.8125 = 3.4791666...
    found = run(nine_rows(read), "list")
    assert per_day(found, "routed") == Decimal("1.9625")
    assert per_day(found, "naive") == to_usd(Fraction(1, 2) + Fraction(13, 10) * Fraction(5, 3) + Fraction(8125, 10000))
    assert per_day(found, "naive") == Decimal("3.479166666667")
    saving = found.savings[0]
    assert saving.expected_usd_per_day == to_usd(Fraction(41750, 12000) - Fraction(19625, 10000))


@pytest.mark.slow
@settings(max_examples=examples(6, 12), deadline=None)
@given(
    st.dictionaries(st.sampled_from(sorted(ROWS)), st.decimals(0, 1000, places=3), min_size=3),
    st.dates(date(2026, 2, 5), date(2028, 12, 31)),
)
def test_no_split_into_input_and_output_and_no_start_date_changes_that(
    read: Read, ratios: dict[str, Decimal], start: date
) -> None:
    # Opus, Sonnet and Haiku all ask five times as much for output as for input, at both books.
    architecture = nine_rows(read, ratios)
    at_article, at_list = run(architecture, "article-2026", start), run(architecture, "list", start)
    assert [per_day(at_article, plan) for plan in ("routed", "naive")] == [Decimal("2.93"), Decimal("10.4375")]
    assert [per_day(at_list, plan) for plan in ("routed", "naive")] == [Decimal("1.9625"), Decimal("3.479166666667")]


def test_the_whole_fleet_costs_4_93_a_day_at_the_articles_prices() -> None:
    # 2.93 + the middle of $1-3 for ad hoc coding
    found = project(read_architecture(EXAMPLE), Settings(start=date(2026, 6, 1), trials=10, book="article-2026"))
    assert per_day(found, "routed") == Decimal("4.93")
    assert found.plans[0].message == f"every task on {OPUS}"  # the most expensive of the models that the routing names


def test_the_articles_claims_come_out_as_its_own_prices_say() -> None:
    found = project(read_architecture(EXAMPLE), Settings(start=date(2026, 6, 1), trials=10))
    said = {(claim.message, claim.book): (claim.computed, claim.holds) for claim in found.claims}
    fifty, ten = "Opus 4.6 costs ~50x Haiku 4.5", "Sonnet 4.6 costs ~10x Haiku 4.5"
    monitor = "A 30-minute monitor costs ~167x more per day on Opus than on Haiku"
    assert said[fifty, "article-2026"] == (Decimal("18.75"), False)  # 15/0.80 and 75/4
    assert said[fifty, "list"] == (Decimal(5), False)  # 5/1 and 25/5
    assert said[monitor, "article-2026"] == (Decimal("18.75"), False)
    assert said[monitor, "list"] == (Decimal(5), False)
    assert said[ten, "article-2026"] == (Decimal("3.75"), False)  # 3/0.80
    assert said[ten, "list"] == (Decimal(3), False)
    assert said["The whole C-suite costs ~$4-7 per day", "article-2026"] == (Decimal("4.93"), True)


@pytest.mark.parametrize("book", ["article-2026", "list"])  # Sonnet costs the same at both
def test_a_month_of_ad_hoc_coding_stays_near_its_dollar_to_three_a_day(book: str) -> None:
    # Nobody knows the mean: 30 days of $1-3 are $30-90, and its P10 and P90 are near 30 x 1.2 = $36 and
    # 30 x 2.8 = $84. Were every day drawn anew, the month would come to 60 +- 30 x 0.58/sqrt(30): $56-64.
    found = project(read_architecture(EXAMPLE), Settings(start=date(2026, 6, 1), book=book))
    rest = {c.name: c.expected_usd_per_day for c in found.plan("routed").components if c.name in ROWS}
    certain = 30 * sum(cost or 0 for cost in rest.values())  # the nine rows do not vary
    month = found.plan("routed").horizon
    assert float(month.p10_usd - certain) == pytest.approx(36, abs=1.5)
    assert float(month.p90_usd - certain) == pytest.approx(84, abs=2.5)
