"""The moves that the review offers are worth what is left of their savings once broken caches are paid, together.

Three turns of a session on Opus, as in tests/analysis/recommend/test_move_sets.py: coding stays; summary saves $0.11 on
Haiku and writes $0.1725 again alone, search saves $0.114 and writes $0.1265; both together write $0.115, of which the
Shapley shares are $0.0805 and $0.0345.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from costsim.analysis.outcomes.outcomes import Criteria, Evidence
from costsim.analysis.replay.replay import replay
from costsim.analysis.replay.reroute import Reroute
from costsim.analysis.review.downgrades import Known, PossibleDowngrade, Priced
from costsim.analysis.review.repricing import MeasuredSaving, Ran
from costsim.analysis.review.results import MoveDown
from costsim.analysis.review.switching import moves_together
from costsim.analysis.spend.ledger import Ledger
from costsim.pricing.book import open_book
from duckdb import DuckDBPyConnection
from emptied import open_store
from turns import HAIKU, OPUS, THREE_TURNS, Call, fill

pytestmark = pytest.mark.slow

DAY = date(2026, 10, 5)
BOOK = open_book()
TURNS = (*THREE_TURNS[:2], THREE_TURNS[2]._replace(task="search"))
SAVED = {"summary": Decimal("0.11"), "search": Decimal("0.114")}
PROVEN = {(task, HAIKU): Evidence(400, 400) for task in SAVED}


@pytest.fixture
def store() -> Iterator[DuckDBPyConnection]:
    with open_store(Path(":memory:")) as connection:
        yield connection


def offered(
    store: DuckDBPyConnection, calls: tuple[Call, ...], evidence: dict[tuple[str, str], Evidence], *tasks: str
) -> dict[str, MoveDown]:
    fill(store, calls)
    priced = [
        Priced(
            PossibleDowngrade(task, OPUS, HAIKU, (Ran("dev", task, OPUS, 1, 1, DAY, DAY),), 40),
            Decimal("0.14"),
            MeasuredSaving(SAVED[task], SAVED[task], SAVED[task]),
        )
        for task in tasks
    ]
    found = moves_together(Ledger.open(store, BOOK), priced, Known(evidence, Criteria()), (DAY, DAY))
    return {move.task: move for move in found}


def test_a_move_alone_that_writes_more_again_than_it_saves_is_not_offered(store: DuckDBPyConnection) -> None:
    assert offered(store, TURNS, PROVEN, "summary") == {}


def test_a_task_with_sessions_of_its_own_writes_nothing_again(store: DuckDBPyConnection) -> None:
    calls = tuple(call._replace(session=call.task) for call in TURNS)
    found = offered(store, calls, PROVEN, "summary", "search")
    assert {task: (move.saving_usd, move.switch_usd) for task, move in found.items()} == {
        task: (saved, 0) for task, saved in SAVED.items()
    }


@pytest.mark.slow
def test_proven_moves_are_priced_together_and_add_up_to_the_replay_of_them(store: DuckDBPyConnection) -> None:
    found = offered(store, TURNS, PROVEN, "summary", "search")
    assert {task: move.saving_usd for task, move in found.items()} == {
        "summary": Decimal("0.11") - Decimal("0.0805"), "search": Decimal("0.114") - Decimal("0.0345")
    }  # fmt: skip
    assert all(sorted(move.priced_with) == ["search", "summary"] for move in found.values())
    assert "when summary, search move together" in found["search"].message
    moved = Reroute("both", "both", lambda _component, task: HAIKU if task in SAVED else None)
    assert sum(move.saving_usd for move in found.values()) == -replay(store, BOOK, moved).total.difference_usd


@pytest.mark.slow
def test_what_is_only_worth_a_trial_is_priced_as_moved_alone(store: DuckDBPyConnection) -> None:
    calls = tuple(call._replace(read=call.read // 100, write=call.write // 100) for call in TURNS)
    # in thousandths of a dollar: search reads 1,100 again: 1.265; summary 1,000 and 100 on the way back: 1.725
    found = offered(store, calls, {}, "summary", "search")
    assert {task: (move.switch_usd, move.proven) for task, move in found.items()} == {
        "summary": (Decimal("0.001725"), False), "search": (Decimal("0.001265"), False)
    }  # fmt: skip
    assert "as if it moved alone" in found["search"].message
