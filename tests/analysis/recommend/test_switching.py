"""A task that shares its sessions with others breaks their caches when it moves alone: that is in its cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from fractions import Fraction

import pytest
from costsim.analysis.architecture.model import Architecture
from costsim.analysis.outcomes.outcomes import Evidence
from costsim.analysis.recommend.switching import caches_of
from costsim.analysis.recommend.task_costs import RoutingAdvice, advise, routing_text
from costsim.analysis.spend.ledger import Ledger
from costsim.pricing.book import open_book
from costsim.usage.store import open_store
from duckdb import DuckDBPyConnection
from turns import HAIKU, OPUS, THREE_TURNS, fill

BOOK = open_book()
EVIDENCE = {("summary", OPUS): Evidence(400, 400), ("summary", HAIKU): Evidence(400, 400)}
SUMMARY = {
    "model_routing": {"summary": OPUS, "fallback": OPUS},
    # the second turn of THREE_TURNS, 10 times per day
    "components": [{"name": "dev", "task": "summary", "runs_per_day": 10,
                    "tokens": {"cache_read": 100_000, "cache_write_5m": 10_000, "output": 1_000}}],
}  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBPyConnection]:
    with open_store(tmp_path_factory.mktemp("switching") / "costsim.duckdb") as connection:
        yield connection


@pytest.mark.slow
def test_the_share_is_what_switches_cost_over_what_the_task_costs_there(store: DuckDBPyConnection) -> None:
    fill(store, THREE_TURNS)
    # on Haiku the summary costs $0.0275; 0.115 is written again there, 0.0575 on the way back (test_cache_effects.py)
    moves = [("summary", HAIKU), ("elsewhere", HAIKU), ("summary", "acme/nonesuch")]
    assert caches_of(Ledger.open(store, BOOK), moves).alone == {("summary", HAIKU): Fraction(1725, 275)}


def test_a_task_with_sessions_of_its_own_breaks_no_cache(store: DuckDBPyConnection) -> None:
    fill(store, [call._replace(session=call.task) for call in THREE_TURNS])
    assert caches_of(Ledger.open(store, BOOK), [("summary", HAIKU)]).alone == {}


def advised(store: DuckDBPyConnection, architecture: Architecture) -> RoutingAdvice:
    text = routing_text(architecture, None)
    return advise(architecture, text, EVIDENCE, date(2026, 10, 1), log=Ledger.open(store, BOOK))


@pytest.mark.slow
def test_a_move_that_costs_more_with_its_cache_is_not_recommended(
    store: DuckDBPyConnection, read: Callable[..., Architecture]
) -> None:
    fill(store, THREE_TURNS)
    found = advised(store, read(SUMMARY)).recommendation.tasks[0]
    # 300 runs: Opus $0.1375 each; Haiku $0.0275, with what is written again $0.20
    assert found.advice == "keep"
    considered = {row.model: row for row in found.considered}
    assert considered[OPUS].usd_per_month == Fraction(1375, 10_000) * 300
    assert considered[HAIKU].usd_per_month == 60
    assert considered[HAIKU].switch_usd_per_month == Fraction(1725, 10_000) * 300


@pytest.mark.slow
def test_a_move_that_pays_with_its_cache_says_what_that_adds(
    store: DuckDBPyConnection, read: Callable[..., Architecture]
) -> None:
    fill(store, [call._replace(read=call.read // 100, write=call.write // 100) for call in THREE_TURNS])
    found = advised(store, read(SUMMARY))
    assert found.recommendation.changes == {"summary": HAIKU}
    # in millionths: 1,000 x 1.15 + 100 x 5.75 = 1,725 over 1,000 x 0.10 + 100 x 1.25 + 1,000 x 5 = 5,225
    assert found.notes == [
        f"summary shares sessions with other tasks: moved alone to {HAIKU}, cached prefixes that are written again add "
        "33.0% to its cost there, which is counted"
    ]


@pytest.mark.parametrize("logged", [True, False])
def test_without_sessions_the_costs_are_named_as_without_cache_effects(
    store: DuckDBPyConnection, read: Callable[..., Architecture], logged: bool
) -> None:
    fill(store, [call._replace(session=None) for call in THREE_TURNS] if logged else [])
    found = advised(store, read(SUMMARY))
    why = "the logged calls have no session ids" if logged else "no calls are logged"
    assert found.recommendation.changes == {"summary": HAIKU}
    assert found.notes == [f"costs are without cache effects, as if each task moved with its whole sessions: {why}"]
