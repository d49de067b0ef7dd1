"""The projection table: a row per plan, day and component, whose sums are the result."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.analysis.architecture.model import Architecture
from costsim.analysis.projection import Projection
from costsim.analysis.simulation.plan_sums import ProjectionDay
from costsim.analysis.simulation.run import project
from costsim.analysis.simulation.settings import Settings
from costsim.analysis.simulation.table import store_projection
from costsim.errors import StoreError

Read = Callable[..., Architecture]

HAIKU, SONNET = "anthropic/claude-haiku-4-5", "anthropic/claude-sonnet-4-6"
OVERLAY = {"book": "o", "source": "o", "subscriptions": [{"name": "s", "models": ["lab/flat"], "usd_per_day": "0.63"}]}
FLEET = {
    "name": "fleet",
    "prices": "o.yaml",
    "components": [
        {"name": "a'; DROP TABLE projection", "model": HAIKU, "runs_per_day": "2.5", "tokens": {"input": 77}},
        {"name": "b", "model": SONNET, "schedule": "0 9 * * 1-5", "tokens": {"output": {"p50": 300, "p95": 900}}},
        {"name": "c", "model": "lab/flat", "runs_per_day": 3, "tokens": {"input": 5}},
        {"name": "tiny", "model": HAIKU, "runs_per_day": "0.001", "tokens": {"input": "0.001"}},  # 10^-12 USD
    ],
}


def projection(read: Read, **more: Any) -> tuple[Projection, list[ProjectionDay]]:
    rows: list[ProjectionDay] = []
    settings = Settings(**{"start": date(2026, 6, 1), "days": 10, "trials": 200, "naive": SONNET, **more})
    return project(read(FLEET, {"o.yaml": OVERLAY}), settings, sink=rows.extend), rows


def query(file: Path, sql: str) -> list[Any]:
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(sql).fetchall()


@pytest.mark.slow
def test_the_rows_of_a_plan_sum_to_its_result_exactly(read: Read, tmp_path: Path) -> None:
    # every price and count here is a finite decimal, so nothing is rounded: equal to the last digit
    found, rows = projection(read)
    file = tmp_path / "p.duckdb"
    store_projection(file, found, rows)
    totals = query(file, "SELECT plan, sum(expected_usd) FROM projection WHERE component <> 'b' GROUP BY plan")
    exact = {
        plan.name: sum((c.expected_usd_per_day or Decimal(0)) * 10 for c in plan.components if c.name != "b")
        for plan in found.plans
    }
    assert dict(totals) == exact
    days = dict(query(file, "SELECT plan, sum(expected_usd) FROM projection GROUP BY plan"))
    for plan in found.plans:  # b's lognormal mean is rounded to a millionth of a token, its cost at 12 places a day
        assert abs(days[plan.name] - plan.horizon.expected_usd) <= Decimal("1e-11")
    assert query(file, "SELECT count(*), count(DISTINCT component) FROM projection WHERE plan = 'routed'") == [(50, 5)]


def test_a_subscription_is_in_the_table(read: Read, tmp_path: Path) -> None:
    found, rows = projection(read)
    store_projection(tmp_path / "p.duckdb", found, rows)
    sql = "SELECT plan, sum(expected_usd) FROM projection WHERE task = 'subscription' GROUP BY plan"
    assert query(tmp_path / "p.duckdb", sql) == [("routed", Decimal("6.3"))]


@pytest.mark.slow
def test_the_same_run_again_replaces_itself_and_another_stands_beside_it(read: Read, tmp_path: Path) -> None:
    file = tmp_path / "p.duckdb"
    for seed in (1, 1, 2):
        store_projection(file, *projection(read, seed=seed))
    runs = query(file, "SELECT run, count(*) FROM projection GROUP BY run ORDER BY run")
    assert [count for _, count in runs] == [90, 90]  # naive has no subscription: 4 x 10 days, and routed 5 x 10
    assert [run.split(" seed ")[1].split()[0] for run, _ in runs] == ["1", "2"]


def test_a_sum_too_small_for_a_digit_of_a_cent_is_kept(read: Read, tmp_path: Path) -> None:
    store_projection(tmp_path / "p.duckdb", *projection(read))
    sql = "SELECT DISTINCT expected_usd FROM projection WHERE component = 'tiny' AND plan = 'routed'"
    assert query(tmp_path / "p.duckdb", sql) == [(Decimal("0.000000000001"),)]


def test_a_file_that_is_no_database_is_an_error(read: Read, tmp_path: Path) -> None:
    (tmp_path / "p.duckdb").write_text("not a database" * 100)
    with pytest.raises(StoreError, match=r"p\.duckdb"):
        store_projection(tmp_path / "p.duckdb", *projection(read))
