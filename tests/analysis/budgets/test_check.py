"""What a check holds to besides projected budgets: prices, routing, claims, log lines, and the month as it is logged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.analysis.budgets.check import CheckSettings, check
from costsim.analysis.budgets.rejects import Rejects
from costsim.analysis.budgets.results import BudgetCheck, CheckResult
from costsim.analysis.budgets.scopes import read_budgets
from costsim.analysis.budgets.spent import budget_uses, last_whole_day, read_usage
from costsim.analysis.findings import Finding
from costsim.analysis.spend.ledger import Ledger
from costsim.errors import ArchitectureError, CostsimError
from costsim.pricing.book import PriceBook
from costsim.usage.store import insert_rows

HAIKU, OPUS = "anthropic/claude-haiku-4-5", "anthropic/claude-opus-4-6"
ROUTING = {"monitoring": HAIKU, "fallback": OPUS}
MONITOR = {"name": "monitor", "task": "monitoring", "runs_per_day": 10, "tokens": {"input": 100_000}}  # $1 per day
MAY, JUNE, JULY = (date(2026, month, 1) for month in (5, 6, 7))


@pytest.fixture
def verdicts(written: Callable[..., Path]) -> Callable[..., list[Finding]]:
    """The verdicts of one rule on an architecture."""

    def run(rule: str, **more: Any) -> list[Finding]:
        file = written({"model_routing": ROUTING, "components": [MONITOR], **more})
        found = check(file, CheckSettings(today=JUNE)).verdicts
        return [verdict for verdict in found if verdict.rule == rule]

    return run


# promises


def test_where_all_is_well_every_rule_passes(written: Callable[..., Path]) -> None:
    result = check(written({"model_routing": ROUTING, "components": [MONITOR]}), CheckSettings(today=JUNE))
    assert [(verdict.rule, verdict.status) for verdict in result.verdicts] == [
        ("unpriced-model", "pass"),
        ("routing", "pass"),
    ]
    assert (result.status, result.exit_code) == ("pass", 0)
    assert result.notes == ["no budget is stated; nothing limits what is spent"]


def test_a_model_without_a_price_fails_once(written: Callable[..., Path]) -> None:
    file = written(f"""model_routing: {{monitoring: {HAIKU}, fallback: acme/llm}}
components:
  - {{name: a, task: monitoring, runs_per_day: 1, tokens: {{input: 1}}}}
  - {{name: b, task: fallback, runs_per_day: 1, tokens: {{input: 1}}}}
""")
    result = check(file, CheckSettings(today=JUNE))
    failed = [verdict for verdict in result.verdicts if verdict.status == "fail"]
    assert [(v.rule, v.name, v.line, v.key) for v in failed] == [("unpriced-model", "acme/llm", 4, "components[1]")]
    assert "which b runs on: its cost is in no figure" in failed[0].message


def test_an_error_in_the_routing_fails_at_its_line(verdicts: Callable[..., list[Finding]]) -> None:
    tokens = {"input": 5_000_000}  # no window holds it
    [found] = verdicts("routing", components=[{**MONITOR, "tokens": tokens}])
    assert (found.status, found.key) == ("fail", "components[0]")
    assert "[context-window]" in found.message


def test_a_warning_of_the_linter_warns(verdicts: Callable[..., list[Finding]]) -> None:
    opus = {"monitoring": OPUS, "fallback": HAIKU}
    found = verdicts("routing", model_routing=opus, components=[{**MONITOR, "runs_per_day": 48}])
    assert {verdict.status for verdict in found} == {"warn"}


def price_claim(stated: int, **more: Any) -> dict[str, Any]:
    return {"says": "Opus is more expensive", "stated": stated, "price_ratio": {"model": OPUS, "to": HAIKU}, **more}


def test_a_claim_that_does_not_hold_fails(verdicts: Callable[..., list[Finding]]) -> None:
    # ($5 + $25) / ($1 + $5) = 5
    found = verdicts("claim", claims=[price_claim(5), price_claim(7)])
    assert [(verdict.status, verdict.key) for verdict in found] == [("pass", "claims[0]"), ("fail", "claims[1]")]
    assert found[1].message == "does not hold: it is 5, stated is 7 ±10%"


def test_a_claim_may_warn_only(verdicts: Callable[..., list[Finding]]) -> None:
    assert [verdict.status for verdict in verdicts("claim", claims=[price_claim(7, severity="warn")])] == ["warn"]


def test_a_claim_about_what_has_no_price_fails(verdicts: Callable[..., list[Finding]]) -> None:
    unknown = price_claim(5, price_ratio={"model": "acme/llm", "to": HAIKU})
    [found] = verdicts("claim", claims=[unknown])
    assert found.status == "fail"
    assert found.message.startswith("nobody knows")


def test_a_claim_against_naive_is_checked_against_the_most_expensive_model(
    verdicts: Callable[..., list[Finding]],
) -> None:
    saves = {"says": "Routing is five times cheaper", "stated": 5, "plan_ratio": {"plan": "naive", "to": "routed"}}
    assert [verdict.status for verdict in verdicts("claim", claims=[saves])] == ["pass"]


# usage


def fill(store: duckdb.DuckDBPyConnection, first: date, last: date, **more: Any) -> None:
    """One call a day of a million Haiku tokens: $1."""
    event = {
        "file_id": 1, "source": "test", "component": "monitor", "agent": "cto", "task": "monitoring",
        "provider": "anthropic", "model": "claude-haiku-4-5", "processing": "standard", "status": "ok",
        "aggregated": False, "input": 1_000_000, "cache_read": 0, "cache_write_5m": 0, "cache_write_1h": 0,
        "output": 0, "web_search": 0, "request": 1, **more,
    }  # fmt: skip
    days = [first + timedelta(n) for n in range((last - first).days + 1)]
    rows = [
        event | {"ts": datetime(day.year, day.month, day.day, 12), "event_id": f"{more.get('component')} {day}"}
        for day in days
    ]
    insert_rows(store, "usage_event", rows)


@pytest.fixture
def logged(store: duckdb.DuckDBPyConnection, written: Callable[..., Path]) -> Callable[..., CheckResult]:
    """Check the store against budgets; without an architecture unless `architecture` is data for one."""

    def run(*budgets: dict[str, Any], today: date, architecture: Any = None, **more: Any) -> CheckResult:
        stated = [{"name": f"b{n}", **budget} for n, budget in enumerate(budgets)]
        file = written({"budgets": stated}, name="budgets.yaml")
        own = written(architecture) if architecture else None
        return check(own, CheckSettings(today=today, **more), budgets=file, usage=store)

    return run


def of_usage(result: CheckResult) -> list[BudgetCheck]:
    return [found for found in result.budgets if found.source == "usage"]


@pytest.mark.slow
def test_a_month_that_is_over_is_judged_by_what_it_cost(
    store: duckdb.DuckDBPyConnection, logged: Callable[..., CheckResult]
) -> None:
    fill(store, MAY, date(2026, 6, 30))
    result = logged({"usd": 30}, {"usd": 29}, {"percent_of_last_period": 90}, today=JULY)
    within, over, percent = result.budgets
    assert (result.month, result.as_of) == ("2026-06", date(2026, 6, 30))
    assert (within.status, within.value_usd, within.spent_usd, within.chance) == ("pass", 30, 30, 0)
    assert (over.status, over.chance, over.crossed_on) == ("fail", 1, date(2026, 6, 30))
    assert (percent.limit_usd, percent.status) == (Decimal("27.9"), "fail")  # 90% of 31 days of May
    assert over.message == "everything has cost $30 a month, $1 over $29; over from 2026-06-30"


@pytest.mark.slow
def test_a_month_that_runs_is_what_is_spent_and_what_is_forecast(
    store: duckdb.DuckDBPyConnection, logged: Callable[..., CheckResult]
) -> None:
    fill(store, MAY, date(2026, 6, 16))  # the 16th is not over yet
    found = of_usage(logged({"usd": 40}, {"usd": 14}, {"usd": 20}, today=date(2026, 6, 16)))
    assert [(part.spent_usd, part.status) for part in found] == [(15, "pass"), (15, "fail"), (15, "fail")]
    assert found[0].expected_usd == pytest.approx(30, rel=0.02)  # a dollar a day, as ever
    assert found[0].value_usd >= found[0].p50_usd
    assert (found[1].chance, found[1].crossed_on) == (1, date(2026, 6, 15))  # it has happened: $15 > $14
    assert found[2].crossed_on is not None
    assert abs(found[2].crossed_on - date(2026, 6, 21)) <= timedelta(1)  # the 21st dollar


@pytest.mark.slow
def test_weeks_and_days_are_judged_as_they_were_logged(
    store: duckdb.DuckDBPyConnection, logged: Callable[..., CheckResult]
) -> None:
    fill(store, MAY, date(2026, 7, 31))
    fill(store, date(2026, 7, 9), date(2026, 7, 9), component="spike", input=4_000_000)
    week, day = logged({"usd": 7, "period": "week"}, {"usd": 5, "period": "day"}, today=date(2026, 8, 1)).budgets
    assert (week.value_usd, week.first, week.last) == (11, date(2026, 7, 6), date(2026, 7, 12))
    assert (day.value_usd, day.first, day.status) == (5, date(2026, 7, 9), "pass")


@pytest.mark.slow
def test_the_running_week_is_compared_with_the_week_before(
    store: duckdb.DuckDBPyConnection, logged: Callable[..., CheckResult]
) -> None:
    fill(store, MAY, date(2026, 6, 17))  # a Wednesday
    fill(store, date(2026, 6, 2), date(2026, 6, 2), component="spike", input=9_000_000)  # two weeks ago
    [found] = logged({"percent_of_last_period": 150, "period": "week"}, today=date(2026, 6, 18)).budgets
    assert (found.limit_usd, found.first, found.last) == (Decimal("10.5"), date(2026, 6, 15), date(2026, 6, 21))
    assert (found.spent_usd, found.status) == (3, "pass")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scope", "spent"),
    [("total", 5), ({"component": "chief"}, 4), ({"agent": "ceo"}, 4), ({"task": "monitoring"}, 1), ({"model": OPUS}, 4),
     ({"tag": "team=core"}, 4)],
)  # fmt: skip
def test_each_scope_counts_its_own_usage(
    store: duckdb.DuckDBPyConnection, logged: Callable[..., CheckResult], scope: Any, spent: int
) -> None:
    day = date(2026, 6, 30)
    fill(store, day, day)
    fill(
        store,
        day,
        day,
        component="chief",
        agent="ceo",
        task=None,
        model="claude-opus-4-6",
        input=160_000,
        output=128_000,
    )
    own = {
        "components": [{**MONITOR, "name": "chief", "model": OPUS, "tags": {"team": "core"}}],
        "model_routing": ROUTING,
    }
    [found] = of_usage(logged({"usd": 999, "scope": scope}, today=JULY, architecture=own))
    assert found.spent_usd == spent  # Opus: 0.16 x $5 + 0.128 x $25 = $4


@pytest.mark.slow
def test_a_budget_of_usage_is_fixed_by_what_is_left_of_the_month(
    store: duckdb.DuckDBPyConnection, logged: Callable[..., CheckResult]
) -> None:
    # monitor costs $1 per day on Haiku by the logs, $2 by the architecture; as batch the rest costs half
    fill(store, MAY, date(2026, 6, 15))
    twice = {"model_routing": {"monitoring": HAIKU, "fallback": HAIKU}, "components": [{**MONITOR, "runs_per_day": 20}]}
    [found] = of_usage(logged({"usd": 26, "at": "mean"}, today=date(2026, 6, 16), architecture=twice))
    rest = found.expected_usd - 15
    assert found.fix is not None
    assert found.fix.changes == ["run monitor as batch (processing: batch)"]
    assert found.fix.value_usd == pytest.approx(15 + rest / 2)
    assert found.fix.sufficient


@pytest.mark.slow
def test_nothing_spent_in_a_scope_is_within_every_limit(
    store: duckdb.DuckDBPyConnection, logged: Callable[..., CheckResult]
) -> None:
    fill(store, MAY, date(2026, 6, 15))
    [found] = logged({"usd": 0, "scope": {"model": OPUS}}, today=date(2026, 6, 16)).budgets
    assert (found.value_usd, found.spent_usd, found.status) == (0, 0, "pass")


@pytest.mark.slow
def test_a_logged_model_without_a_price_fails(
    store: duckdb.DuckDBPyConnection, logged: Callable[..., CheckResult]
) -> None:
    fill(store, JUNE, date(2026, 6, 2), component="lab", provider=None, model="acme-llm", input=500)
    result = logged({"usd": 9}, today=date(2026, 6, 3))
    [found] = [verdict for verdict in result.verdicts if verdict.status == "fail"]
    assert (found.rule, found.name) == ("unpriced-model", "acme-llm")
    assert "logged by lab: 1,000 tokens" in found.message


@pytest.mark.slow
def test_logs_that_end_early_are_forecast_from_their_end(
    store: duckdb.DuckDBPyConnection, logged: Callable[..., CheckResult]
) -> None:
    fill(store, MAY, date(2026, 6, 10))
    result = logged({"usd": 99}, today=date(2026, 6, 20))
    assert result.as_of == date(2026, 6, 10)
    assert result.notes == ["the logs end on 2026-06-10: what was spent since is a forecast"]
    assert result.budgets[0].expected_usd == pytest.approx(30, rel=0.05)


@pytest.mark.slow
def test_a_run_budget_is_not_held_against_logs(
    store: duckdb.DuckDBPyConnection, logged: Callable[..., CheckResult]
) -> None:
    fill(store, MAY, date(2026, 6, 15))
    result = logged({"usd": 1, "period": "run"}, today=date(2026, 6, 16))
    assert result.budgets == []
    assert "logs do not distinguish runs" in result.notes[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("allowed", "status"), [("0", "fail"), ("1", "fail"), ("2", "pass"), ("19%", "fail"), ("20%", "pass")]
)
def test_rejected_lines_fail_beyond_their_limit(
    store: duckdb.DuckDBPyConnection, logged: Callable[..., CheckResult], allowed: str, status: str
) -> None:
    fill(store, JUNE, JUNE)
    store.execute("INSERT INTO load VALUES (1, 'log.jsonl', '', 0, 0, 0, 'test', 8, 8, 2, 'calls', now(), NULL)")
    store.execute("INSERT INTO reject VALUES (1, 4, 'no model', '{}'), (1, 7, 'no model', '{}')")
    result = logged({"usd": 99}, today=date(2026, 6, 2), max_rejected=Rejects.parse(allowed))
    [found] = [verdict for verdict in result.verdicts if verdict.rule == "rejected-lines"]
    assert found.status == status
    assert found.message.startswith("2 of 10 log lines could not be read")
    assert status == "pass" or (found.file, found.line) == (Path("log.jsonl"), 4)


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "-2%", "%", "1e999%", "1/2%", "٣"])
def test_a_limit_of_rejected_lines_is_a_number_or_a_share(text: str) -> None:
    with pytest.raises(CostsimError, match="neither a number of lines"):
        Rejects.parse(text)


def test_an_empty_store_is_an_error(logged: Callable[..., CheckResult]) -> None:
    with pytest.raises(CostsimError, match="the store has no usage yet"):
        logged({"usd": 1}, today=JUNE)


def test_nothing_to_check_is_an_error() -> None:
    with pytest.raises(CostsimError, match="nothing to check"):
        check(None, CheckSettings(today=JUNE))


@pytest.mark.slow
def test_a_scope_that_neither_logs_nor_architecture_know_is_an_error(
    store: duckdb.DuckDBPyConnection, logged: Callable[..., CheckResult]
) -> None:
    fill(store, JUNE, JUNE)
    with pytest.raises(
        ArchitectureError, match=r"budgets\[0\].scope.agent: there is no agent 'ctoo'; did you mean 'cto'"
    ):
        logged({"usd": 1, "scope": {"agent": "ctoo"}}, today=date(2026, 6, 2))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scope", "usd"),
    [
        ({"team": "growth"}, 3), ({"tags.branch": "release/*"}, 2), ({"branch": "release/1"}, 2),
        ({"user": "ann"}, 5), ({"team": "unattributed"}, 0), ({"team": "desk"}, 4), ({"tag": "team=growth"}, 3),
        ({"source": "test"}, 7), ({"provider": "anthropic"}, 7), ({"model": "*haiku*"}, 7), ({"agent": "ct*"}, 7),
    ],
)  # fmt: skip
def test_a_scope_takes_the_dimensions_of_spend(
    store: duckdb.DuckDBPyConnection, written: Callable[..., Path], scope: dict[str, str], usd: int
) -> None:
    # $1 a call: 2 and 1 of growth, 4 of a component whose own tag is the team desk
    fill(store, JUNE, date(2026, 6, 2), component="a", team="growth", user="ann", branch="release/1")
    fill(store, JUNE, JUNE, component="b", team="growth", user="bob", branch="main")
    fill(store, JUNE, date(2026, 6, 3), component="monitor", user="ann")
    fill(store, JUNE, JUNE, component="c", tags='{"team": "desk"}', team="desk")
    desk = MONITOR | {"name": "monitor", "tags": {"team": "desk"}}
    budget = {"name": "b", "usd": 1000, "scope": scope}
    file = written({"model_routing": ROUTING, "components": [desk], "budgets": [budget]})
    found = check(file, CheckSettings(today=date(2026, 6, 4), month=JUNE), usage=store)
    [spent] = [verdict.spent_usd for verdict in found.budgets if verdict.source == "usage"]
    assert spent == usd


def test_a_scope_that_only_logs_can_say_is_not_compared_with_the_projection(written: Callable[..., Path]) -> None:
    budget = {"name": "b", "usd": 0, "scope": {"user": "ann"}}
    file = written({"model_routing": ROUTING, "components": [MONITOR], "budgets": [budget]})
    found = check(file, CheckSettings(today=JUNE))
    assert "no component says these scopes: b compared with the logs only (--usage)" in found.notes
    assert found.budgets == []


def test_a_component_s_tag_is_its_team_in_the_projection(written: Callable[..., Path]) -> None:
    components = [MONITOR | {"name": name, "tags": {"team": name}} for name in ("growth", "data")]
    budgets = [{"name": "g", "usd": 1000, "scope": {"team": "gr*"}}, {"name": "all", "usd": 1000}]
    found = check(
        written({"model_routing": ROUTING, "components": components, "budgets": budgets}), CheckSettings(today=JUNE)
    )
    value = {verdict.name: verdict.value_usd for verdict in found.budgets}
    assert value["g"] * 2 == value["all"] > 0


@pytest.mark.slow
def test_what_a_review_shows_of_monthly_budgets(
    store: duckdb.DuckDBPyConnection, written: Callable[..., Path], book: PriceBook
) -> None:
    fill(store, MAY, date(2026, 6, 30))
    budgets = [
        {"name": "month", "usd": 40}, {"name": "week", "usd": 1, "period": "week"},
        {"name": "gone", "usd": 1, "expires": "2026-06-01"}, {"name": "tight", "usd": 24, "scope": {"agent": "cto"}},
    ]  # fmt: skip
    as_of = last_whole_day(Ledger.open(store, book), JULY)
    assert as_of == date(2026, 6, 30)
    usage = read_usage(store, book, JUNE, as_of, {})
    month, tight = budget_uses(read_budgets(written({"budgets": budgets})), usage, JULY)
    assert (month.spent_usd, month.percent, month.forecast_usd, month.breached) == (30, 75, None, False)
    assert (tight.scope, tight.percent, tight.breached) == ("agent cto", 125, True)


def test_the_result_keeps_its_contract(written: Callable[..., Path]) -> None:
    file = written({"model_routing": ROUTING, "components": [MONITOR], "budgets": [{"name": "b", "usd": 1}]})
    result = check(file, CheckSettings(today=JUNE))
    assert CheckResult.model_validate_json(result.model_dump_json()) == result
