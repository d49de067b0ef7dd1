"""How often models solve tasks, whether that changed, and what a solved task costs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from costsim.analysis.outcomes.error_rates import error_rates
from costsim.analysis.outcomes.outcomes import Evidence, OutcomeChange, OutcomeReport, evidence_of, report_outcomes
from costsim.analysis.outcomes.proportions import fisher_exact, holm, wilson
from costsim.analysis.outcomes.store import (
    OutcomeCount,
    count_outcomes,
    load_outcomes,
    read_outcomes,
)
from costsim.csv_reading import last_line_waits
from costsim.errors import InputError, StoreError
from costsim.pricing.book import open_book
from emptied import open_store
from hypothesis import given
from hypothesis import strategies as st

HAIKU, SONNET = "anthropic/claude-haiku-4-5", "anthropic/claude-sonnet-4-5"


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def counted(model: str, month: int, successes: int, trials: int, task: str = "curation") -> OutcomeCount:
    return OutcomeCount(
        task=task,
        model=model,
        month=date(2026, month, 1),
        trials=trials,
        successes=successes,
        solved=successes,
        escalated=0,
        priced=trials,
        usd=Fraction(trials, 100),
        human_scores=0,
        human_score_sum=0.0,
    )


def change(report: OutcomeReport, model: str, task: str = "curation") -> OutcomeChange:
    return next(row for row in report.changes if (row.task, row.model) == (task, model))


# Proportions


@pytest.fixture(scope="module")
def stats() -> Any:
    """SciPy's statistics: a second to import, so not while tests are collected."""
    from scipy import stats

    return stats


def test_twenty_of_twenty_is_not_certainty() -> None:
    # p=1, z=1.96: low = 1 / (1 + z²/n) = 20 / 23.8415 = 0.83887
    low, high = wilson(20, 20)
    assert (round(low, 5), high) == (0.83887, 1.0)


def test_no_trials_say_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.slow
@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_wilson_interval_is_scipys(stats: Any, counts: tuple[int, int]) -> None:
    low, high = stats.binomtest(*counts).proportion_ci(method="wilson")
    assert wilson(*counts) == pytest.approx((low, high), abs=1e-12)


@pytest.mark.slow
@given(*[st.integers(0, 60)] * 4)
def test_fishers_test_is_scipys(stats: Any, a: int, b: int, c: int, d: int) -> None:
    expected = stats.fisher_exact(np.array([[a, b], [c, d]])).pvalue
    assert fisher_exact(a, a + b, c, c + d) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_fishers_test_of_the_lady_tasting_tea() -> None:
    # three of four cups of each kind right: 2 x (16 + 1) / 70 = 34/70
    assert fisher_exact(3, 4, 1, 4) == pytest.approx(34 / 70)


@pytest.mark.slow
def test_fishers_test_holds_at_a_million_runs(stats: Any) -> None:
    expected = stats.fisher_exact(np.array([[500_600, 499_400], [499_400, 500_600]])).pvalue
    assert fisher_exact(500_600, 1_000_000, 499_400, 1_000_000) == pytest.approx(expected, rel=1e-6)


def test_holm_multiplies_the_smallest_most_and_never_reverses_an_order() -> None:
    # 0.01 x 3, 0.02 x 2 = 0.04, 0.03 x 1 -> raised to 0.04
    assert holm([0.03, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])


# Did Haiku start handling tasks Sonnet used to need?


def test_haiku_started_to_handle_what_sonnet_used_to_need() -> None:
    report = report_outcomes(
        [
            counted(HAIKU, 2, 30, 40),
            counted(SONNET, 2, 295, 300),
            counted(HAIKU, 3, 297, 300),
            counted(SONNET, 3, 40, 40),
        ]
    )
    haiku = change(report, HAIKU)
    assert (haiku.verdict, haiku.used_to_need) == ("now handles it", SONNET)
    assert haiku.share_before == pytest.approx(40 / 340)
    assert haiku.share_after == pytest.approx(300 / 340)
    assert change(report, SONNET).verdict == "no change shown"


def test_a_rise_that_does_not_clear_the_floor_is_only_an_improvement() -> None:
    report = report_outcomes([counted(HAIKU, 2, 20, 100), counted(HAIKU, 3, 80, 100)])
    assert change(report, HAIKU).verdict == "improved"


def test_a_model_that_fell_below_the_floor_no_longer_handles_its_task() -> None:
    report = report_outcomes([counted(HAIKU, 2, 500, 500), counted(HAIKU, 3, 400, 500)])
    assert change(report, HAIKU).verdict == "no longer handles it"


def test_one_lucky_month_among_many_tasks_is_not_news() -> None:
    # alone p = 0.024 is news; among twenty tests Holm makes it 20 x 0.024
    lucky = [counted(HAIKU, 2, 24, 30), counted(HAIKU, 3, 30, 30)]
    others = [counted(HAIKU, month, 29, 30, task=f"task {i}") for i in range(19) for month in (2, 3)]
    assert change(report_outcomes(lucky), HAIKU).verdict == "improved"
    assert change(report_outcomes(lucky + others), HAIKU).verdict == "no change shown"


def test_a_model_that_is_new_this_month_has_no_evidence_of_change() -> None:
    report = report_outcomes([counted(SONNET, 2, 99, 100), counted(HAIKU, 3, 99, 100)])
    row = change(report, HAIKU)
    assert (row.verdict, row.p_value, row.before.rate) == ("no evidence", None, None)


def test_one_month_has_nothing_to_compare() -> None:
    report = report_outcomes([counted(HAIKU, 2, 9, 10)])
    assert (report.month_after, report.changes) == (None, [])


def test_evidence_is_summed_over_months() -> None:
    assert evidence_of([counted(HAIKU, 2, 9, 10), counted(HAIKU, 3, 8, 10)]) == {
        ("curation", HAIKU): Evidence(successes=17, trials=20)
    }


# Cost per solved task


OUTCOMES = """\
ts,task,model,success,escalated,human_score,usd,request_id
2026-02-01T08:00:00Z,coding,haiku,false,true,,0.01,r1
2026-02-01T08:01:00Z,coding,sonnet,true,false,5,0.10,r2
2026-03-01T00:30:00+01:00,coding,haiku,true,,4,0.02,r3
2026-03-02T08:00:00,coding,haiku,0,,,0.03,r4
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "outcomes.csv"
    path.write_text(OUTCOMES)
    return path


def test_solved_tasks_pay_for_failures_and_retries(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    load_outcomes(connection, file)
    report = report_outcomes(count_outcomes(connection))
    # haiku: 0.01 + 0.02 + 0.03 for one solved; all: 0.16 for two
    haiku = next(row for row in report.models if row.model == "haiku")
    assert (haiku.success.successes, haiku.success.trials) == (1, 3)
    assert (haiku.paid_usd, haiku.usd_per_solved) == (Decimal("0.06"), Decimal("0.06"))
    assert haiku.escalation_rate == pytest.approx(1 / 3)
    assert haiku.human_score == 4
    assert report.tasks[0].usd_per_solved == Decimal("0.08")


def test_a_third_of_a_cent_per_solved_task_stays_exact_until_it_is_shown() -> None:
    row = report_outcomes([counted(HAIKU, 2, 3, 10)]).models[0]
    assert row.usd_per_solved == Decimal("0.033333333333")  # 0.10 / 3


def test_costs_priced_elsewhere_stand_above_the_files_own() -> None:
    row = report_outcomes([counted(HAIKU, 2, 5, 10)], {("curation", HAIKU): Fraction(1, 3)}).models[0]
    assert row.usd_per_solved == Decimal("0.066666666667")  # 1/3 / 5


def test_where_one_cost_is_unknown_the_cost_per_solved_task_is_unknown(
    connection: duckdb.DuckDBPyConnection, file: Path
) -> None:
    file.write_text(OUTCOMES.replace("0.03,r4", ",r4"))
    load_outcomes(connection, file)
    haiku = report_outcomes(count_outcomes(connection)).models[0]
    assert (haiku.paid_usd, haiku.usd_per_solved) == (None, None)


def test_a_month_is_a_utc_month(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    # half past midnight in Paris on 1 March is still February
    load_outcomes(connection, file)
    months = [count.month for count in count_outcomes(connection) if count.model == "haiku"]
    assert months == [date(2026, 2, 1), date(2026, 3, 1)]


def test_a_period_is_half_open(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    load_outcomes(connection, file)
    counts = count_outcomes(connection, datetime(2026, 2, 1, 8, 1), datetime(2026, 3, 2, 8))
    assert [(count.model, count.trials) for count in counts] == [("haiku", 1), ("sonnet", 1)]


# Loading


def test_loading_a_file_again_replaces_it(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    assert load_outcomes(connection, file) == 4
    file.write_text(OUTCOMES + "2026-03-03T08:00:00,coding,haiku,1,,,0.03,r5\n")
    assert load_outcomes(connection, file) == 5
    assert sum(count.trials for count in count_outcomes(connection)) == 5


def test_a_later_word_on_a_request_replaces_the_earlier(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    load_outcomes(connection, file)
    correction = file.with_name("correction.csv")
    correction.write_text("ts,task,model,success,request_id\n2026-03-02T08:00:00,coding,haiku,yes,r4\n")
    load_outcomes(connection, correction)
    assert evidence_of(count_outcomes(connection))["coding", "haiku"] == Evidence(2, 3)


def test_json_lines_say_the_same_as_csv(tmp_path: Path, file: Path) -> None:
    lines = tmp_path / "outcomes.jsonl"
    rows = [
        {"ts": "2026-02-01T08:00:00Z", "task": "coding", "model": "haiku", "success": False, "escalated": True,
         "usd": 0.01, "request_id": "r1"},
        {"ts": "2026-02-01T08:01:00Z", "task": "coding", "model": "sonnet", "success": True, "human_score": 5,
         "usd": "0.10", "request_id": "r2"},
    ]  # fmt: skip
    lines.write_text("\n".join(json.dumps(row) for row in rows))
    assert list(read_outcomes(lines)) == list(read_outcomes(file))[:2]


def test_a_cost_keeps_every_digit(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    file.write_text("ts,task,model,success,usd\n2026-02-01,t,m,1,0.123456789012345678901234\n")
    load_outcomes(connection, file)
    assert count_outcomes(connection)[0].usd == Fraction("0.123456789012345678901234")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ts,task,model\n", "outcomes.csv:1: the column 'success' is missing"),
        (
            "ts,task,model,success,sucess\n",
            "outcomes.csv:1: unknown column 'sucess'; did you mean 'success'?",
        ),
        ("ts,task,model,success\n1999-12-31,t,m,1\n", "outcomes.csv:2 ts: '1999-12-31' is a time outside 2000 to 2199"),
        ("ts,task,model,success\n2200-01-01,t,m,1\n", "outcomes.csv:2 ts: '2200-01-01' is a time outside 2000 to 2199"),
        ("ts,task,model,success\nmonday,t,m,1\n", "outcomes.csv:2 ts: 'monday' is not a time"),
        ("ts,task,model,success\n2026-02-01,t,m,perhaps\n", "outcomes.csv:2 success: 'perhaps' is neither"),
        ("ts,task,model,success\n2026-02-01,,m,1\n", "outcomes.csv:2 task: this must not be empty"),
        ("ts,task,model,success,usd\n2026-02-01,t,m,1,-1\n", "outcomes.csv:2 usd: '-1' is not an amount"),
        (
            "ts,task,model,success,request_id\n2026-02-01,t,m,1,r\n2026-02-01,t,m,1,r\n",
            "outcomes.csv:3 request_id",
        ),
    ],
)
def test_an_unusable_file_is_one_line_that_says_where(
    connection: duckdb.DuckDBPyConnection, file: Path, text: str, message: str
) -> None:
    load_outcomes(connection, file)
    file.write_text(text)
    with pytest.raises(InputError) as error:
        load_outcomes(connection, file)
    assert message in str(error.value)
    # all or nothing: what was there before still is
    assert sum(count.trials for count in count_outcomes(connection)) == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "outcomes.jsonl:1: this line is not JSON"),
        (
            f'{{"ts": "2026-10-01", "task": "t", "model": "m", "success": {"1" * 5_000}}}',
            "outcomes.jsonl:1: this line is not usable JSON: a number of more than 4,300 digits",
        ),
        (
            '{"ts": "2026-10-01", "task": "t", "model": "m", "success": true, "success": false}',
            "outcomes.jsonl:1: this line is not usable JSON: the key 'success' stands twice",
        ),
        ("\n[1]", "outcomes.jsonl:2: this line is not a JSON object"),
        (
            '{"ts": "2026-02-01", "task": {}, "model": "m", "success": true}',
            "outcomes.jsonl:1 task: this must be",
        ),
    ],
)
def test_an_unusable_json_line_is_named(tmp_path: Path, text: str, message: str) -> None:
    lines = tmp_path / "outcomes.jsonl"
    lines.write_text(text)
    with pytest.raises(InputError) as error:
        list(read_outcomes(lines))
    assert message in str(error.value)


def test_a_store_without_outcomes_says_so(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(StoreError, match="load them first"):
        count_outcomes(connection)


# Error rates of logged calls


USAGE = """
CREATE TABLE usage_event AS
SELECT *, NULL::VARCHAR AS covered_by FROM (VALUES
    (TIMESTAMP '2026-02-01', 'coding', 'anthropic', 'claude-haiku-4-5', 'ok', false),
    (TIMESTAMP '2026-02-01', 'coding', NULL, 'anthropic/claude-haiku-4-5', 'ok', false),
    (TIMESTAMP '2026-02-02', 'coding', 'anthropic', 'claude-haiku-4-5', 'error', false),
    (TIMESTAMP '2026-02-02', 'coding', 'anthropic', 'claude-haiku-4-5', '429', false),
    (TIMESTAMP '2026-02-03', NULL, 'anthropic', 'claude-haiku-4-5', '', false),
    (TIMESTAMP '2026-02-03', 'coding', 'anthropic', 'claude-haiku-4-5', 'ok', true),
    (TIMESTAMP '2026-02-03', 'coding', 'anthropic', NULL, 'error', false)
) AS event(ts, task, provider, model, status, aggregated)
"""


def test_logged_statuses_are_error_rates(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(USAGE)
    # Of seven rows one has no status, one is a sum over calls and one has no model: 2 of 4 calls failed.
    (row,) = error_rates(connection, open_book("list")).models
    assert (row.task, row.model, row.calls, row.failed) == ("coding", "anthropic/claude-haiku-4-5", 4, 2)
    assert row.rate == 0.5
    assert error_rates(connection, open_book("list"), date(2026, 2, 2)).models[0].calls == 2


def test_a_full_disk_is_named_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB has rolled back by itself then: that there is nothing to roll back is not the news."""
    file = tmp_path / "o.csv"
    file.write_text("ts,task,model,success\n2026-10-01T08:00:00Z,t,gpt-4o,true\n")

    class Full:
        def execute(self, sql: str, *_: object) -> None:
            if sql == "COMMIT":
                raise duckdb.TransactionException("Failed to commit: No space left on device")
            if sql == "ROLLBACK":
                raise duckdb.TransactionException("cannot rollback - no transaction is active")

    with pytest.raises(duckdb.Error, match="No space left"):
        load_outcomes(Full(), file)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("usd", "message"),
    [("12345", ""), ("9999999999999", ""), ("10000000000000", "is not an amount"), ("0.1e-24", "is not an amount")],
)
def test_an_outcome_of_any_size_is_an_amount_or_refused(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, usd: str, message: str
) -> None:
    file = tmp_path / "o.csv"
    file.write_text(f"ts,task,model,success,usd\n2026-10-05T10:00:00Z,a,m,true,{usd}\n")
    if message:
        with pytest.raises(InputError, match=message):
            load_outcomes(connection, file)
    else:
        load_outcomes(connection, file)
        assert connection.execute("SELECT usd FROM outcome").fetchone() == (Decimal(usd),)


@pytest.mark.parametrize("name", ["outcomes.csv", "outcomes.jsonl"])
def test_a_half_written_last_line_counts_only_with_its_end_or_at_rest(tmp_path: Path, name: str) -> None:
    """Of `0.0123` as far as `0.0`, nothing shows that it is a half."""
    row = {"ts": "2026-02-01T00:00:00Z", "task": "t", "model": "m", "success": "true", "usd": "0.0"}
    rows = [",".join(row), *[",".join(row.values())] * 2] if name.endswith("csv") else [json.dumps(row)] * 2
    file = tmp_path / name
    file.write_text("\n".join(rows))
    with open_store() as store:
        assert load_outcomes(store, file) == 1
        assert last_line_waits(file)
        os.utime(file, (0, 0))  # at rest
        assert load_outcomes(store, file) == 2
        file.write_text("\n".join(rows) + "\n")
        assert load_outcomes(store, file) == 2
        assert not last_line_waits(file)


def test_half_a_character_is_refused_with_its_file_line_and_column(tmp_path: Path) -> None:
    row = '{"ts": "2026-01-01T00:00:00Z", "task": "%s", "model": "m", "success": true}\n'
    (tmp_path / "o.jsonl").write_text(row % "a" + row % r"\ud83d\ude00" + row % r"\ud800")
    with pytest.raises(InputError, match=r"o.jsonl:3 task: a .* without its other half is no text; remove it"):
        list(read_outcomes(tmp_path / "o.jsonl"))
