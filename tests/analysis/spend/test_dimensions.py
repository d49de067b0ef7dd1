"""Spend by any dimension: the rows add up to the total, exactly, whatever it is grouped by or limited to."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.analysis.spend.query import DIMENSIONS, OTHERS, UNATTRIBUTED, Query, parse_where
from costsim.analysis.spend.spend import SpendRow, spend
from costsim.errors import CostsimError
from costsim.pricing.book import PriceBook
from costsim.usage.load import load
from costsim.usage.store import insert_rows, open_store

USAGE = Path(__file__).parents[2] / "data" / "usage"
HAIKU, OPUS = "claude-haiku-4-5", "claude-opus-4-6"  # $1 and $5 per million input tokens


def call(number: int, model: str = HAIKU, ts: str = "2026-10-05 10:20:00", **given: Any) -> dict[str, Any]:
    """A logged call of a million input tokens."""
    row: dict[str, Any] = dict.fromkeys(
        ("cache_read", "cache_write_5m", "cache_write_1h", "output", "web_search", "request"), 0
    )
    row |= {"event_id": str(number), "ts": ts, "file_id": 1, "source": "test", "component": "monitor", "model": model,
            "provider": "anthropic", "processing": "standard", "status": "ok", "aggregated": False, "request": 1,
            "input": 1_000_000}  # fmt: skip
    return row | given


@pytest.fixture
def teams() -> Iterator[duckdb.DuckDBPyConnection]:
    """Growth $5 + $1, data $1 (two teams), $1 of nobody, on two days."""
    calls = [
        call(1, OPUS, team="growth", user="ann", branch="release/2", session="s1", tags='{"env": "prod"}'),
        call(2, team="growth", user="bob", branch="main", session="s2", tags='{"env": "test", "a.b": "x"}'),
        call(3, team="data", user="ann", ts="2026-10-12 23:30:00", session="s3"),
        call(4, ts="2026-10-12 23:30:00"),
    ]
    with open_store(Path(":memory:")) as store:
        names = {name for row in calls for name in row}
        insert_rows(store, "usage_event", [dict.fromkeys(names) | row for row in calls])
        store.execute("INSERT INTO touched_day SELECT DISTINCT ts::DATE FROM usage_event")
        yield store


def groups(store: duckdb.DuckDBPyConnection, book: PriceBook, by: str, **more: Any) -> dict[Any, int]:
    """USD by key, or by keys."""
    where = parse_where(more.pop("where", ()))
    found = spend(store, book, Query(tuple(by.split(",")), where=where, **more))
    assert sum((row.computed_usd for row in found.rows), Decimal(0)) == found.total.computed_usd
    return {row.keys[0] if len(row.keys) == 1 else row.keys: int(row.computed_usd) for row in found.rows}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("by", "usd"),
    [
        ("team", {"growth": 6, "data": 1, UNATTRIBUTED: 1}),
        ("user", {"ann": 6, "bob": 1, UNATTRIBUTED: 1}),
        ("branch", {"release/2": 5, "main": 1, UNATTRIBUTED: 2}),
        ("tags.env", {"prod": 5, "test": 1, UNATTRIBUTED: 2}),
        ("tags.a.b", {"x": 1, UNATTRIBUTED: 7}),
        ("tags.branch", {"release/2": 5, "main": 1, UNATTRIBUTED: 2}),  # a column is a tag of its name
        ("hour", {"2026-10-05 10:00": 6, "2026-10-12 23:00": 2}),
        ("week", {"2026-W41": 6, "2026-W42": 2}),
        ("month", {"2026-10": 8}),
        ("team,model", {("growth", f"anthropic/{OPUS}"): 5, ("growth", f"anthropic/{HAIKU}"): 1,
                        ("data", f"anthropic/{HAIKU}"): 1, (UNATTRIBUTED, f"anthropic/{HAIKU}"): 1}),
        ("repository", {UNATTRIBUTED: 8}),
    ],
)  # fmt: skip
def test_costs_belong_to_what_the_calls_say(
    teams: duckdb.DuckDBPyConnection, book: PriceBook, by: str, usd: dict[Any, int]
) -> None:
    assert groups(teams, book, by) == usd


@pytest.mark.slow
def test_hours_and_days_are_those_of_the_time_zone(teams: duckdb.DuckDBPyConnection, book: PriceBook) -> None:
    # 23:30 UTC is 01:30 on the next day in Berlin
    assert groups(teams, book, "hour", tz="Europe/Berlin") == {"2026-10-05 12:00": 6, "2026-10-13 01:00": 2}
    assert groups(teams, book, "day,team", tz="Europe/Berlin")["2026-10-13", "data"] == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("where", "usd"),
    [
        ("team=growth", 6),
        ("team=growth,model=*opus*", 5),
        ("model=anthropic/claude-haiku*", 3),  # the priced name
        (f"model={HAIKU}", 3),  # the logged one
        (f"team={UNATTRIBUTED}", 1),
        ("branch=release/*", 5),
        ("tags.env=prod", 5),
        ("day=2026-10-12", 2),
        ("month=2026-10", 8),
        ("hour=2026-10-05 *", 6),
        ("class=input,user=ann", 6),
        ("class=output", 0),
        ("source=test,processing=standard,status=ok,component=monitor", 8),
        ("user=nobody", 0),
    ],
)
def test_only_calls_that_meet_all_conditions_count(
    teams: duckdb.DuckDBPyConnection, book: PriceBook, where: str, usd: int
) -> None:
    for by in ("component", "team", "class"):
        assert sum(groups(teams, book, by, where=[where]).values()) == usd


@pytest.mark.slow
def test_the_rest_is_others_and_the_unattributed_stays_a_row(teams: duckdb.DuckDBPyConnection, book: PriceBook) -> None:
    assert groups(teams, book, "team", top=1) == {"growth": 6, OTHERS: 1, UNATTRIBUTED: 1}
    assert groups(teams, book, "branch", top=1) == {"release/2": 5, OTHERS: 1, UNATTRIBUTED: 2}
    # the same groups in every day: ranked over all of them
    assert groups(teams, book, "day,user", top=1) == {
        ("2026-10-05", "ann"): 5, ("2026-10-05", OTHERS): 1, ("2026-10-12", "ann"): 1, ("2026-10-12", UNATTRIBUTED): 1,
    }  # fmt: skip
    assert groups(teams, book, "day", top=1) == {"2026-10-05": 6, OTHERS: 2}


@pytest.mark.slow
def test_the_most_expensive_stands_first(teams: duckdb.DuckDBPyConnection, book: PriceBook) -> None:
    rows = spend(teams, book, Query(("user",), top=2)).rows
    assert [row.keys for row in rows] == [("ann",), ("bob",), (UNATTRIBUTED,)]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (Query(("teem",)), "cannot group by 'teem'; did you mean 'team'"),
        (Query(("tags.",)), "cannot group by 'tags.'"),
        (Query(where=parse_where(["modle=x"])), "cannot choose by 'modle'; did you mean 'model'"),
        (Query(top=0), "top 0 keeps no group"),
    ],
)
def test_a_question_that_means_nothing_is_one_line(
    teams: duckdb.DuckDBPyConnection, book: PriceBook, query: Query, message: str
) -> None:
    with pytest.raises(CostsimError, match=message):
        spend(teams, book, query)


@pytest.mark.parametrize("text", ["", "team", "=x", "team=x,"])
def test_a_condition_without_name_or_value_is_one_line(text: str) -> None:
    with pytest.raises(CostsimError, match="write NAME=VALUE"):
        parse_where([text])


SAMPLES = ("claude-code", "codex", "langfuse", "litellm", "openclaw", "otel")


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the samples of several formats in it."""
    path = tmp_path_factory.mktemp("store") / "all.duckdb"
    with open_store(path) as store:
        load(store, [USAGE / name for name in SAMPLES])
    return path


NAMES = [*DIMENSIONS, "tags.cwd", "tags.user", "tags.service"]
TRIPLES = [tuple(NAMES[place : place + 3]) for place in range(0, len(NAMES), 3)]
PAIRS = [("team", "model"), ("hour", "class")]


def sums(rows: tuple[SpendRow, ...]) -> tuple[Any, ...]:
    recorded = [row.recorded_usd for row in rows if row.recorded_usd is not None]
    return (
        sum((row.computed_usd for row in rows), Decimal(0)), sum((row.shadow_usd for row in rows), Decimal(0)),
        sum(row.calls for row in rows), sum(row.unpriced_tokens for row in rows),
        [sum(counts) for counts in zip(*(row.counts for row in rows), strict=True)], sum(recorded, Decimal(0)),
    )  # fmt: skip


@pytest.mark.slow
def test_the_rows_of_every_dimension_add_up_to_the_total_of_real_logs(logs: Path, book: PriceBook) -> None:
    with open_store(logs) as store:
        total = sums((spend(store, book, Query(())).total,))
        for number, names in enumerate([*TRIPLES, *PAIRS]):
            # half of them in another time zone, a third with the rest as others
            zone = ("UTC", "America/New_York")[number % 2]
            found = spend(store, book, Query(names, tz=zone, top=3 if number % 3 == 2 else None))
            assert sums(found.rows)[:5] == total[:5], names
            assert "class" in names or sums(found.rows) == total, names  # a recorded cost is of whole calls
            assert sums((found.total,))[:5] == total[:5], names
