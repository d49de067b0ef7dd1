"""Accepted decisions in the months after: measured against what they promised, in the bridge to the last digit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from costsim.analysis.architecture.model import Architecture
from costsim.analysis.decided import shares
from costsim.analysis.decided.ids import decision_id, move_id
from costsim.analysis.decided.results import DecisionRecord, RoutingChange, TakenDecision
from costsim.analysis.decided.scopes import Place
from costsim.analysis.review.results import Review
from costsim.analysis.review.review import review
from costsim.analysis.spend.ledger import Ledger
from costsim.pricing.book import PriceBook
from fleet_days import FLEET, HAIKU, OPUS, SONNET, Row, calm, fill, summed

pytestmark = pytest.mark.slow

MOVE = RoutingChange(task="orchestration", from_model=SONNET, to_model=HAIKU)
TAKEN = date(2026, 11, 2)


def accepted(change: RoutingChange | None = MOVE, promised: str | None = "62", **given: Any) -> DecisionRecord:
    """The brief from Sonnet to Haiku: in October's 31 days 31M tokens at $1 in place of $3 would have saved $62."""
    usd = None if promised is None else Decimal(promised)
    record: dict[str, Any] = {"id": "move-1", "decision": "accepted", "on": TAKEN, "month": "2026-10"}
    return DecisionRecord(**record | {"change": change, "promised_usd_per_month": usd} | given)


def moved(rows: list[Row], since: date = TAKEN, component: str = "brief", to: str = "claude-haiku-4-5") -> list[Row]:
    """The rows with the component's calls on another model from a day on."""
    return [row | {"model": to} if row["component"] == component and row["day"] >= since else row for row in rows]


@pytest.fixture(scope="module")
def fleet(read: Callable[..., Architecture]) -> Architecture:
    return read(FLEET)


Reviewed = Callable[..., Review]


@pytest.fixture
def reviewed(store: duckdb.DuckDBPyConnection, book: PriceBook, fleet: Architecture) -> Reviewed:
    """The review of a month of these rows with these records, two months later."""

    def run(rows: list[Row], *records: DecisionRecord, month: str = "2026-11", **given: Any) -> Review:
        fill(store, rows)
        stated: dict[str, Any] = {
            "today": date(2027, 3, 1),
            "name": "fleet",
            "architecture": fleet,
            "calibrated": False,
        } | given
        prices: PriceBook = stated.pop("book", book)
        return review(store, prices, month, records=records, **stated)

    return run


def steps(found: Review) -> dict[str, Decimal]:
    assert found.bridge
    assert found.bridge.before_usd + sum(step.usd for step in found.bridge.steps) == found.bridge.after_usd
    return {step.effect: step.usd for step in found.bridge.steps}


def one(found: Review) -> TakenDecision:
    [taken] = found.taken
    return taken


def test_the_next_month_measures_an_accepted_decision_against_its_promise(reviewed: Reviewed) -> None:
    found = reviewed(moved(calm("2026-10", "2026-11")), accepted())
    taken = one(found)
    # from 2 to 30 November: 29 days x 1M tokens x ($3 - $1) = $58; promised are $62 x 29 / 31 days = $58
    assert (taken.since, taken.until) == (TAKEN, date(2026, 11, 30))
    assert (taken.measured_usd, taken.promised_usd, taken.outcome) == (58, 58, "as promised")
    assert (taken.moved_calls, taken.low_usd, taken.high_usd) == (29 * 50, 58, 58)
    assert taken.message == "saved $58.00 in 29 days, $58.00 promised for them"
    # October cost 31 x $4 = $124, November 30 x $1 + $3 + 29 x $1 = $62; one day less without the decision: -$4
    assert steps(found) == {"volume": -4, "decisions": -58}
    assert taken.bridge_usd == -58
    assert [part.component for part in found.bridge.steps[1].components] == ["brief"] if found.bridge else False


def test_a_decision_that_no_call_followed_is_not_yet_visible(reviewed: Reviewed) -> None:
    found = reviewed(calm("2026-10", "2026-11"), accepted())
    taken = one(found)
    assert (taken.outcome, taken.measured_usd, taken.bridge_usd) == ("not yet visible", None, None)
    assert taken.message == f"not yet visible: 100% of its 1,450 calls since 2026-11-02 still go to {SONNET}"
    assert steps(found) == {"volume": -4}


def test_a_routing_that_changed_later_saves_less_than_promised_so_far(reviewed: Reviewed) -> None:
    found = reviewed(moved(calm("2026-10", "2026-11"), since=date(2026, 11, 21)), accepted())
    taken = one(found)
    # 10 days x $2 = $20; 19 of 29 days of calls are still on Sonnet
    assert (taken.measured_usd, taken.promised_usd, taken.outcome) == (20, 58, "less than promised")
    assert taken.message.endswith(f"; 66% of its calls still go to {SONNET}")
    assert steps(found) == {"volume": -4, "decisions": -20}


def test_a_drift_sent_back_is_measured_by_the_share_that_had_drifted(reviewed: Reviewed) -> None:
    drifted = [
        row | {"model": "claude-opus-4-6"}
        if row["component"] == "monitor" and date(2026, 10, 12) <= row["day"] <= date(2026, 10, 23)
        else row
        for row in calm("2026-10", "2026-11")
    ]
    back = RoutingChange(component="monitor", task="monitoring", from_model=OPUS, to_model=HAIKU)
    found = reviewed(drifted, accepted(back, "48", on=date(2026, 11, 1)))
    taken = one(found)
    # 12 of 31 days' calls had gone to Opus: 12/31 of November's 30M tokens at $1 would have cost $5: 360/31 x $4
    assert taken.measured_usd == round(Decimal(360) / 31 * 4, 12)
    assert taken.promised_usd == round(Decimal(48) * 30 / 31, 12)
    assert taken.outcome == "as promised"
    assert set(steps(found)) == {"volume", "decisions"}
    assert abs(steps(found)["decisions"] + Decimal(1440) / 31) < Decimal("1e-11")


def test_calls_that_were_on_the_cheaper_model_before_are_not_the_decisions(reviewed: Reviewed) -> None:
    tried = [
        row | {"model": "claude-haiku-4-5"} if row["component"] == "brief" and row["day"].day % 2 else row
        for row in calm("2026-10")
    ]
    taken = one(reviewed(tried + moved(calm("2026-11")), accepted()))
    # 15 of 31 days were on Sonnet: 15/31 of 29M tokens x $2
    assert taken.measured_usd == round(Decimal(15) / 31 * 29 * 2, 12)


def test_tokens_are_scaled_by_what_was_measured_between_the_models(reviewed: Reviewed) -> None:
    rows = [
        row | {"input": 2_000_000} if row["model"] == "claude-haiku-4-5" and row["component"] == "brief" else row
        for row in moved(calm("2026-10", "2026-11"))
    ]
    taken = one(reviewed(rows, accepted()))
    # Haiku takes 2M tokens where Sonnet took 1M: $2 per day in place of $3, over 29 days
    assert (taken.measured_usd, taken.outcome) == (29, "less than promised")


def test_a_decision_is_a_cause_of_change_only_between_the_months_around_it(reviewed: Reviewed) -> None:
    rows = moved(calm("2026-10", "2026-11", "2026-12", "2027-01"))
    december = reviewed(rows, accepted(), month="2026-12")
    # saved $58 in November and 31 x $2 in December; without it both months would have cost $120 and $124
    assert one(december).measured_usd == 62
    assert steps(december) == {"volume": 4, "decisions": -4}
    assert one(december).bridge_usd == -4
    january = reviewed(rows, accepted(), month="2027-01")
    assert (one(january).measured_usd, one(january).bridge_usd, steps(january)) == (62, None, {})


def test_a_decision_taken_after_the_month_is_measured_later(reviewed: Reviewed) -> None:
    taken = one(reviewed(calm("2026-09", "2026-10"), accepted(), month="2026-10"))
    assert (taken.outcome, taken.message) == ("not measured yet", "measured from 2026-11-02 on")


def test_a_decision_that_a_later_one_moves_on_is_superseded(reviewed: Reviewed) -> None:
    onwards = accepted(
        RoutingChange(task="orchestration", from_model=HAIKU, to_model=OPUS), id="move-2", on=date(2026, 11, 10)
    )
    found = reviewed(
        moved(moved(calm("2026-10", "2026-11")), date(2026, 11, 10), to="claude-opus-4-6"), accepted(), onwards
    )
    first, second = found.taken
    assert (first.outcome, first.message) == (
        "superseded", "superseded by move-2 of 2026-11-10, which moves these calls on",
    )  # fmt: skip
    # in October no call was on Haiku: nothing is known of what the second one took from it
    assert second.message.startswith("not visible: 1,050 calls since 2026-11-10 went to anthropic/claude-opus-4-6")


def test_what_cannot_be_measured_says_so(reviewed: Reviewed) -> None:
    records = [
        accepted(None, None, id="anomaly-1"),
        accepted(id="move-3", decision="rejected"),
        accepted(RoutingChange(task="orchestration", from_model="acme/nonesuch", to_model=HAIKU), id="move-4"),
    ]
    found = reviewed(moved(calm("2026-10", "2026-11")), *records)
    assert {taken.record.id: taken.outcome for taken in found.taken} == {
        "anomaly-1": "no routing change", "move-3": "rejected", "move-4": "not yet visible",
    }  # fmt: skip
    assert "decisions" not in steps(found)


def test_a_model_without_a_price_leaves_the_decision_unmeasured(reviewed: Reviewed) -> None:
    unknown = [
        row | {"model": "nonesuch", "provider": "acme"} if row["component"] == "brief" else row
        for row in calm("2026-10")
    ]
    change = RoutingChange(task="orchestration", from_model="nonesuch", to_model=HAIKU)
    taken = one(reviewed(unknown + moved(calm("2026-11")), accepted(change)))
    assert (taken.outcome, taken.measured_usd) == ("no price", None)
    assert taken.message == f"cannot be measured: no price for nonesuch or {HAIKU}"


def test_a_taken_decision_is_no_longer_to_be_taken(reviewed: Reviewed) -> None:
    rows = moved(calm("2026-09", "2026-10", "2026-11"), date(2026, 10, 12), "monitor", "claude-opus-4-6")
    drift = decision_id("drift", "monitor", "monitoring", HAIKU, OPUS)
    open_ = reviewed(rows, month="2026-10")
    assert [(d.id, d.change) for d in open_.decisions] == [
        (drift, RoutingChange(component="monitor", task="monitoring", from_model=OPUS, to_model=HAIKU))
    ]
    taken = reviewed(rows, accepted(open_.decisions[0].change, "80", id=drift), month="2026-10")
    assert (taken.decisions, one(taken).record.id) == ([], drift)
    assert "nothing is left to decide: all that was found has been accepted or rejected" in taken.notes


def test_an_id_is_that_of_the_proposal_whatever_it_is_worth() -> None:
    assert move_id("a", "b", "c") == move_id("a", "b", "c") != move_id("a", "c", "b")
    assert decision_id("drift", "ab", "c") != decision_id("drift", "a", "bc")


def test_two_decisions_move_no_call_twice(reviewed: Reviewed) -> None:
    twice = [accepted(), accepted(RoutingChange(component="brief", from_model=SONNET, to_model=HAIKU), id="move-9")]
    found = reviewed(moved(calm("2026-10", "2026-11")), *twice)
    assert [taken.measured_usd for taken in found.taken] == [58, None]
    assert steps(found)["decisions"] == -58


def test_a_component_that_is_new_would_have_used_the_earlier_model(reviewed: Reviewed) -> None:
    new = [
        summed(HAIKU, TAKEN + timedelta(n), component="digest", agent="coo", task="orchestration") for n in range(29)
    ]
    found = reviewed(moved(calm("2026-10", "2026-11")) + new, accepted())
    # 29 days x $2 more of the new component, which would have cost 29 x $3 = $87 on Sonnet
    assert one(found).measured_usd == 116
    assert steps(found) == {"new": 87, "volume": -4, "decisions": -116}


def test_the_store_is_asked_as_often_for_forty_decisions_as_for_one(
    reviewed: Reviewed, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[date | None] = []
    choose = Ledger.choose

    def noted(own: Ledger, *days: Any, **given: Any) -> None:
        asked.append(days[0])
        choose(own, *days, **given)

    monkeypatch.setattr(Ledger, "choose", noted)
    rows = moved(calm("2026-10", "2026-11"))
    rows += [row | {"component": f"brief-{n}", "task": f"task-{n}"} for n in range(40) for row in rows[1::40]]
    change = MOVE.model_dump()
    records = [accepted(RoutingChange(**change | {"task": f"task-{n}"}), id=f"move-{n}") for n in range(40)]
    reviewed(rows, records[0])
    of_one = len(asked)
    found = reviewed(rows, *records)
    assert len(asked) == 2 * of_one
    assert len([taken for taken in found.taken if taken.measured_usd]) == 40


def test_a_question_asked_again_looks_at_no_place(reviewed: Reviewed, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Place] = []
    part = shares._part

    def noted(change: Any, place: Place, *more: Any) -> Any:
        asked.append(place)
        return part(change, place, *more)

    monkeypatch.setattr(shares, "_part", noted)
    records = [accepted(id=f"move-{n}") for n in range(20)]
    found = reviewed(moved(calm("2026-10", "2026-11")), *records)
    assert asked == [("brief", "orchestration")]
    assert [taken.measured_usd for taken in found.taken] == [58, *[None] * 19]
