"""One folder, one total: whatever shows a month's cost, it is the same, to the digit.

The store has calls of three days (Claude Code), a gateway's calls of the first of them that nothing distinguishes (overlap:
both are counted), and the provider's cost page of five days: three that are the calls' (not added), then $2.50 of a
model on a day without calls, and a credit of $0.75.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from conftest import Run
from costsim.analysis.architecture.load import read_architecture
from costsim.analysis.budgets.spent import read_usage
from costsim.analysis.review.results import Review
from costsim.analysis.review.review import review
from costsim.analysis.spend.focus import focus_rows
from costsim.analysis.spend.query import Query
from costsim.analysis.spend.spend import spend
from costsim.pricing.book import open_book
from costsim.usage.load import load
from costsim.usage.store import open_store
from duckdb import DuckDBPyConnection
from witnessed import OPUS, claude_log, cost_page, litellm_log, truth, written

pytestmark = pytest.mark.slow

BOOK = open_book()
TRUTH = truth(days=3)  # 5 to 7 October
CALLS_USD = sum((call.usd for call in TRUTH), Decimal(0))
AGAIN_USD = sum((call.usd for call in TRUTH if call.ts.date() == date(2026, 10, 5)), Decimal(0))
TOTAL = CALLS_USD + AGAIN_USD + Decimal("2.50") - Decimal("0.75")
MONTH = date(2026, 10, 1), date(2026, 10, 31)


def files(folder: Path) -> list[Path]:
    """The three sources, and an architecture with a budget."""
    page = json.loads(cost_page(TRUTH))
    for day, model, cents in ((8, OPUS, "250"), (9, None, "-75")):
        span = {"starting_at": f"2026-10-{day:02}T00:00:00Z", "ending_at": f"2026-10-{day + 1:02}T00:00:00Z"}
        page["data"].append({**span, "results": [{"model": model, "amount": cents, "currency": "USD"}]})
    gateway = litellm_log([call for call in TRUTH if call.ts.date() == date(2026, 10, 5)])
    own_ids = gateway.replace("msg_01Truth", "litellm-call-")
    return written(folder, log=claude_log(TRUTH), gateway=own_ids, costs=json.dumps(page))


ARCHITECTURE = {
    "components": [{"name": "dev", "model": "anthropic/claude-haiku-4-5", "runs_per_day": 1, "tokens": {"input": 1}}],
    "budgets": [{"name": "all", "scope": "total", "period": "month", "usd": 1000}],
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBPyConnection]:
    folder = tmp_path_factory.mktemp("one-total")
    with open_store(folder / "costsim.duckdb") as connection:
        load(connection, files(folder))
        yield connection


@pytest.fixture(scope="module")
def october(store: DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory) -> Review:
    file = tmp_path_factory.mktemp("architecture") / "architecture.yaml"
    file.write_text(json.dumps(ARCHITECTURE))
    architecture = read_architecture(file)
    return review(store, BOOK, "2026-10", today=date(2026, 11, 15), name="one", architecture=architecture)


@pytest.mark.slow
def test_spend_review_check_and_export_have_one_total(store: DuckDBPyConnection, october: Review) -> None:
    assert spend(store, BOOK, Query(())).total.computed_usd == TOTAL
    assert october.headline.month.usd == TOTAL
    assert october.headline.budgets[0].spent_usd == TOTAL
    assert sum(row.usd for row in read_usage(store, BOOK, *MONTH, {}).rows) == TOTAL
    for version in ("1.2", "1.3"):
        rows = focus_rows(store, BOOK, *MONTH, "acme", version=version)
        assert sum(usd for (usd,) in rows.project("BilledCost").fetchall()) == TOTAL


@pytest.mark.slow
def test_every_part_of_a_review_adds_up_to_its_total(october: Review) -> None:
    where = october.where
    for parts in (where.cells, where.days, where.classes):
        assert sum((part.usd or Decimal(0) for part in parts), Decimal(0)) == TOTAL
    assert october.routing
    assert october.routing.actual_usd == TOTAL


def test_a_review_names_what_only_a_bill_states(october: Review) -> None:
    assert october.headline.month.only_billed_usd == Decimal("1.75")
    assert [part.usd for part in october.where.classes if part.token_class == "as billed"] == [Decimal("1.75")]
    note = "$1.75 of the month is only on a bill: in the total and by component, in no routing figure"
    assert note in october.notes
    assert len(october.overlaps) == 1
    in_total = "$2.50 of charges and −$0.75 of credits that only a bill states, without priced tokens: in the total"
    assert any(message.startswith(in_total) for message in october.quality.not_in_total)


@pytest.mark.slow
def test_the_command_line_has_one_total_too(costsim: Run, tmp_path: Path) -> None:
    """The credit of 9 October is more than that day's costs: still a day of the month, and none of a forecast."""
    (tmp_path / "architecture.yaml").write_text(json.dumps(ARCHITECTURE))
    assert costsim("load", *files(tmp_path)).code == 0
    spent = json.loads(costsim("spend", "--month", "2026-10", "--format", "json").out)
    assert Decimal(spent["total"]["computed_usd"]) == TOTAL
    assert costsim("export", "--month", "2026-10", "--out", "focus.csv").code == 0
    with (tmp_path / "focus.csv").open(encoding="utf-8", newline="") as file:
        assert sum(Decimal(row["BilledCost"]) for row in csv.DictReader(file)) == TOTAL
    asked = ("--month", "2026-10", "--today", "2026-11-15", "--format", "json")
    report = json.loads(costsim("report", *asked).out)
    assert Decimal(report["headline"]["month"]["usd"]) == TOTAL
    checked = json.loads(costsim("check", "--usage", *asked).out)
    assert [Decimal(row["spent_usd"]) for row in checked["budgets"] if row["source"] == "usage"] == [TOTAL]
