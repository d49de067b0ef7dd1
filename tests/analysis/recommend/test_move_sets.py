"""Moves of tasks that share sessions are priced as one set: the recommendation is the replay of what it recommends.

Prices as in turns.py, USD per million: Opus read 0.50, write 6.25; Haiku 0.10, 1.25. A turn of 10,000 new tokens and
1,000 of output, after 100,000 (110,000) that it reads:

| turn | task | read | on Opus | on Haiku, cache as logged |
|---|---|---|---|---|
| 1 | coding | 0 | $0.65 | (stays) |
| 2 | summary | 100,000 | 0.05 + 0.0625 + 0.025 = $0.1375 | 0.01 + 0.0125 + 0.005 = $0.0275 |
| 3 | search | 110,000 | 0.055 + 0.0625 + 0.025 = $0.1425 | 0.011 + 0.0125 + 0.005 = $0.0285 |

Written again, at 1.15 more per million on Haiku than a read, 5.75 on Opus:

- summary alone: 100,000 on Haiku, and turn 3 misses its 10,000 on Opus: 0.115 + 0.0575 = $0.1725 (it saves 0.11)
- search alone: 110,000 on Haiku: $0.1265 (it saves 0.114)
- both: 100,000 at turn 2; turn 3 finds all 110,000 on Haiku: $0.115 (they save 0.224)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from costsim.analysis.architecture.model import Architecture
from costsim.analysis.outcomes.outcomes import Evidence
from costsim.analysis.recommend.task_costs import RoutingAdvice, advise, routing_text
from costsim.analysis.replay.move_sets import MoveSets
from costsim.analysis.replay.replay import replay
from costsim.analysis.replay.reroute import Reroute
from costsim.analysis.spend.ledger import Ledger
from costsim.errors import InputError
from costsim.pricing.book import open_book
from costsim.usage.store import open_store
from duckdb import DuckDBPyConnection
from turns import HAIKU, OPUS, THREE_TURNS, Call, fill

pytestmark = pytest.mark.slow

BOOK = open_book()
TURNS = (*THREE_TURNS[:2], THREE_TURNS[2]._replace(task="search"))
RUNS = 300  # 10 per day, 30 days
BOTH = {"summary": HAIKU, "search": HAIKU}
PROVEN = Evidence(400, 400)
EVIDENCE = {(task, model): PROVEN for task in BOTH for model in (OPUS, HAIKU)}


def component(task: str, read: int, write: int, output: int = 1_000) -> dict[str, object]:
    tokens = {"cache_read": read, "cache_write_5m": write, "output": output}
    return {"name": task, "task": task, "runs_per_day": 10, "tokens": tokens}


FLEET = {
    "model_routing": {"coding": OPUS, "summary": OPUS, "search": OPUS, "fallback": OPUS},
    "components": [
        component("coding", 0, 100_000), component("summary", 100_000, 10_000), component("search", 110_000, 10_000)
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBPyConnection]:
    with open_store(tmp_path_factory.mktemp("together") / "costsim.duckdb") as connection:
        fill(connection, TURNS)
        yield connection


def usd(text: str) -> Fraction:
    return Fraction(Decimal(text))


def test_a_set_is_not_the_sum_of_its_moves(store: DuckDBPyConnection) -> None:
    sets = MoveSets(Ledger.open(store, BOOK))
    assert [sets.switch_usd({task: HAIKU}) for task in BOTH] == [usd("0.1725"), usd("0.1265")]
    assert sets.switch_usd(BOTH) == usd("0.115")
    # summary: the mean of 0.1725 (first) and 0.115 - 0.1265 (second); search: of 0.1265 and 0.115 - 0.1725
    assert sets.shares(BOTH) == ("shapley", {"summary": usd("0.0805"), "search": usd("0.0345")})


def test_all_tasks_of_a_session_on_one_model_write_nothing_again(store: DuckDBPyConnection) -> None:
    every = {**BOTH, "coding": HAIKU}
    assert MoveSets(Ledger.open(store, BOOK)).shares(every) == ("nothing", dict.fromkeys(every, 0))


def test_more_moves_than_four_are_shared_in_order(store: DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("costsim.analysis.replay.move_sets.MOST_SHAPLEY", 1)
    sets = MoveSets(Ledger.open(store, BOOK))
    assert sets.shares(BOTH) == ("in order", {"summary": usd("0.1725"), "search": usd("0.115") - usd("0.1725")})


def advised(store: DuckDBPyConnection, architecture: Architecture, budget: Decimal | None = None) -> RoutingAdvice:
    text = routing_text(architecture, None)
    log = Ledger.open(store, BOOK)
    return advise(architecture, text, EVIDENCE, date(2026, 10, 1), log=log, budget_usd=budget)


def test_the_recommendation_costs_what_the_replay_of_its_moves_says(
    store: DuckDBPyConnection, read: Callable[..., Architecture]
) -> None:
    """The month is 300 times the log: $0.65 + 0.0275 + 0.0285 + 0.115 = $0.821 a session, to the digit."""
    found = advised(store, read(FLEET))
    advice, logged = found.recommendation, found.logged
    assert advice.changes == BOTH  # neither pays alone: 0.11 < 0.1725, 0.114 < 0.1265
    assert logged is not None
    assert logged.total.replayed_usd == Decimal("0.821")
    assert advice.usd_per_month == RUNS * logged.total.replayed_usd
    assert advice.switch_usd_per_month == RUNS * logged.total.switch_usd == RUNS * Decimal("0.115")
    assert advice.saving.expected_usd == -RUNS * logged.total.difference_usd == RUNS * Decimal("0.109")
    routing = Reroute("new", "the new routing", lambda _component, task: advice.changes.get(task))
    assert logged.total == replay(store, BOOK, routing).total


def test_tasks_add_up_to_the_set_and_models_not_chosen_stand_as_moved_alone(
    store: DuckDBPyConnection, read: Callable[..., Architecture]
) -> None:
    found = advised(store, read(FLEET))
    rows = {row.task: row for row in found.recommendation.tasks}
    assert [rows[task].usd_per_month for task in BOTH] == [
        RUNS * (Decimal("0.0275") + Decimal("0.0805")), RUNS * (Decimal("0.0285") + Decimal("0.0345"))
    ]  # fmt: skip
    assert sum(row.usd_per_month or 0 for row in rows.values()) == found.recommendation.usd_per_month
    alone = {row.task: {c.model: c.switch_usd_per_month for c in row.considered}[HAIKU] for row in rows.values()}
    assert [alone[task] for task in BOTH] == [RUNS * Decimal("0.1725"), RUNS * Decimal("0.1265")]
    assert found.logged is not None
    assert (found.logged.alone_switch_usd, found.logged.shared_by) == (Decimal("0.299"), "shapley")
    assert found.notes == [
        "summary, search share sessions, and their moves are priced together: over the logged calls they write $0.12 of "
        "cached prefixes again, where each moved alone would write $0.30 in sum; each task's cost has its Shapley share of "
        "that, so that they add up. The models not chosen are priced as moved alone"
    ]


def test_whole_sessions_and_the_turns_until_a_switch_pays_stand_beside_it(
    store: DuckDBPyConnection, read: Callable[..., Architecture]
) -> None:
    logged = advised(store, read(FLEET)).logged
    assert logged is not None
    # Haiku has most tokens (111,000 + 121,000 of 333,000), so the session moves whole: turn 1 costs
    # 0.1 x 1.25 + 0.005 = 0.13 there
    assert logged.total.whole_sessions_usd == Decimal("0.13") + Decimal("0.0275") + Decimal("0.0285")
    # one switch of $0.115; two calls save 0.224, 0.112 each: 1.03, so 2 turns
    assert logged.total.pays_from_turns == 2


def test_of_two_moves_that_break_a_cache_only_together_one_is_made(
    read: Callable[..., Architecture], tmp_path: Path
) -> None:
    """Turn 3, which stays on Opus, finds its 100,000 after summary and after search; after both it writes them."""
    calls = (
        Call(0, "summary", write=100_000),
        Call(10, "search", write=100_000, output=1_000),
        Call(20, "coding", read=100_000),
    )
    parts = [component("coding", 100_000, 0, 0), component("summary", 0, 100_000, 0), component("search", 0, 100_000)]
    with open_store(tmp_path / "costsim.duckdb") as own:
        fill(own, calls)
        sets = MoveSets(Ledger.open(own, BOOK))
        assert [sets.switch_usd({task: HAIKU}) for task in BOTH] == [0, 0]
        assert sets.switch_usd(BOTH) == usd("0.575")  # 0.1 x (6.25 - 0.50)
        found = advised(own, read({**FLEET, "components": parts}))
    # a move saves 0.1 x (6.25 - 1.25) = 0.50, search's 0.001 x (25 - 5) = 0.02 more; both 1.02 - 0.575 = 0.445
    assert found.recommendation.changes == {"search": HAIKU}
    assert found.recommendation.saving.expected_usd == RUNS * Decimal("0.52")


def test_a_budget_buys_no_set_that_costs_more_together(
    store: DuckDBPyConnection, read: Callable[..., Architecture]
) -> None:
    for budget in (Decimal(260), Decimal(300)):
        advice = advised(store, read(FLEET), budget).recommendation
        assert advice.usd_per_month <= budget


def test_a_budget_below_every_set_is_refused_with_what_the_cheapest_costs(
    store: DuckDBPyConnection, read: Callable[..., Architecture]
) -> None:
    with pytest.raises(
        InputError, match=r"240 USD a month is too little: the cheapest plan with evidence costs 246\.3"
    ):
        advised(store, read(FLEET), Decimal(240))
