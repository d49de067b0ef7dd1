"""Reconciliation: gaps planted in synthetic truths are named with the right amount, and nothing else is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from costsim.analysis.reconcile.reconcile import ReconcileQuery, Tolerance, reconcile
from costsim.analysis.reconcile.results import Reconciliation, SourcePair
from costsim.errors import CostsimError
from costsim.pricing.book import open_book
from costsim.usage.load import load
from emptied import open_store
from witnessed import (
    HAIKU,
    TrueCall,
    claude_log,
    cost_page,
    litellm_days,
    litellm_log,
    truth,
    usage_page,
    written,
)

pytestmark = pytest.mark.slow

BOOK = open_book()
TRUTH = truth()
ZERO = Decimal(0)
LOG, GATEWAY, USAGE, COSTS = "claude-code", "litellm", "anthropic-usage", "anthropic-costs"


def usd_of(calls: Sequence[TrueCall]) -> Decimal:
    return sum((call.usd for call in calls), Decimal(0))


def reconciled(folder: Path, by: tuple[str, ...] = (), **files: str) -> Reconciliation:
    with open_store(folder / "costsim.duckdb") as store:
        load(store, written(folder, **files))
        return reconcile(store, BOOK, ReconcileQuery(by))


def only_pair(result: Reconciliation) -> SourcePair:
    [pair] = result.pairs
    return pair


def named(pair: SourcePair) -> list[tuple[str, str, Decimal]]:
    return [(cause.part, cause.reason, cause.usd) for cause in pair.causes]


@pytest.mark.slow
def test_the_same_truth_on_both_sides_has_no_difference(tmp_path: Path) -> None:
    pair = only_pair(reconciled(tmp_path, log=claude_log(TRUTH), page=usage_page(TRUTH)))
    assert (pair.ours, pair.theirs) == (LOG, USAGE)
    assert pair.difference_usd == ZERO
    assert not pair.causes
    assert pair.ours_usd == usd_of(TRUTH)
    assert pair.completeness == {LOG: 100, USAGE: 100}


@pytest.mark.slow
def test_dropped_calls_are_missing_in_the_log(tmp_path: Path) -> None:
    kept = [call for call in TRUTH if call.number not in (7, 8)]
    dropped = usd_of([TRUTH[7], TRUTH[8]])
    pair = only_pair(reconciled(tmp_path, log=claude_log(kept), page=usage_page(TRUTH)))
    assert named(pair) == [("missing_in_ours", "missing calls", dropped)]
    assert pair.parts.missing_in_ours == pair.difference_usd == dropped
    share = 100 * (usd_of(TRUTH) - dropped) / usd_of(TRUTH)
    assert pair.completeness == {LOG: round(share, 4), USAGE: 100}


@pytest.mark.slow
def test_calls_that_the_bill_lacks_come_with_examples(tmp_path: Path) -> None:
    billed = [call for call in TRUTH if call.number != 7]
    pair = only_pair(reconciled(tmp_path, log=claude_log(TRUTH), page=usage_page(billed)))
    assert named(pair) == [("missing_in_theirs", "missing calls", -TRUTH[7].usd)]
    assert pair.causes[0].examples


@pytest.mark.slow
def test_a_wrapper_that_counts_twice_is_a_difference_of_tokens(tmp_path: Path) -> None:
    doubled = [call.times(2) for call in TRUTH]
    pair = only_pair(reconciled(tmp_path, log=claude_log(doubled), page=usage_page(TRUTH)))
    assert {(cause.part, cause.reason) for cause in pair.causes} == {("tokens", "tokens")}
    assert pair.parts.tokens == pair.difference_usd == -usd_of(TRUTH)
    assert all("2 times as many here" in cause.message for cause in pair.causes)


@pytest.mark.slow
def test_a_gateway_that_counts_twice_is_found_call_by_call(tmp_path: Path) -> None:
    pair = only_pair(
        reconciled(tmp_path, log=claude_log(TRUTH), gateway=litellm_log([call.times(2) for call in TRUTH]))
    )
    assert (pair.ours, pair.theirs, pair.matched_by) == (LOG, GATEWAY, "ids")
    assert {(cause.part, cause.reason) for cause in pair.causes} == {("tokens", "tokens")}
    assert pair.parts.tokens == pair.difference_usd == usd_of(TRUTH)


@pytest.mark.slow
def test_a_gateway_that_lacks_calls_names_them(tmp_path: Path) -> None:
    pair = only_pair(reconciled(tmp_path, log=claude_log(TRUTH), gateway=litellm_log(TRUTH[1:])))
    assert named(pair) == [("missing_in_theirs", "missing calls", -TRUTH[0].usd)]
    assert [call.event_id for call in pair.causes[0].examples] == [f"claude-code:{TRUTH[0].message_id}"]


@pytest.mark.slow
def test_a_gateways_own_sums_are_compared_with_its_calls_by_day(tmp_path: Path) -> None:
    """No call of theirs matches one of ours: they are sums. Beside the whole log they agree to the digit."""
    pair = only_pair(reconciled(tmp_path, log=litellm_log(TRUTH), days=litellm_days(TRUTH)))
    assert (pair.ours, pair.theirs, pair.matched_by) == (GATEWAY, "litellm-daily", "days")
    assert (pair.ours_usd, pair.theirs_usd) == (usd_of(TRUTH), usd_of(TRUTH))
    assert (pair.within, pair.causes) == (True, [])


@pytest.mark.slow
def test_a_call_that_a_gateways_log_lacks_is_in_its_sums(tmp_path: Path) -> None:
    pair = only_pair(reconciled(tmp_path, log=litellm_log(TRUTH[1:]), days=litellm_days(TRUTH)))
    assert pair.difference_usd == pair.parts.missing_in_ours == TRUTH[0].usd
    assert pair.first == TRUTH[0].ts.date()


@pytest.mark.slow
def test_a_gateway_beside_an_agents_log_is_compared_with_both(tmp_path: Path) -> None:
    """Its calls one by one with the agent's, its sums by day with its calls."""
    gateway, days = litellm_log(TRUTH), litellm_days(TRUTH)
    pairs = reconciled(tmp_path, log=claude_log(TRUTH), gateway=gateway, days=days).pairs
    assert {(pair.ours, pair.theirs, pair.matched_by) for pair in pairs} == {
        (LOG, GATEWAY, "ids"),
        (GATEWAY, "litellm-daily", "days"),
    }
    assert all(pair.difference_usd == 0 for pair in pairs)


@pytest.mark.slow
def test_calls_without_tokens_that_two_sources_have_make_no_difference(tmp_path: Path) -> None:
    empty = [call.times(0) for call in TRUTH]
    pair = only_pair(reconciled(tmp_path, log=claude_log(empty), gateway=litellm_log(empty)))
    assert (pair.ours_usd, pair.theirs_usd, pair.within) == (ZERO, ZERO, True)
    assert (pair.first, pair.last) == (TRUTH[0].ts.date(), TRUTH[-1].ts.date())


@pytest.mark.slow
def test_what_is_compared_is_of_the_days_asked_for(tmp_path: Path) -> None:
    """On the last day theirs has only sums of it; that both have calls of the first day says nothing of it."""
    early = [call for call in TRUTH if call.ts.date() == TRUTH[0].ts.date()]
    late = [call for call in TRUTH if call.ts.date() == TRUTH[-1].ts.date()]
    with open_store(tmp_path / "costsim.duckdb") as store:
        load(store, written(tmp_path, log=claude_log(TRUTH), gateway=litellm_log(early), days=litellm_days(late)))
        day = late[0].ts.date()
        result = reconcile(store, BOOK, ReconcileQuery(since=day, until=day))
    assert all((pair.matched_by, pair.first, pair.last) == ("days", day, day) for pair in result.pairs)


def test_a_tenth_less_on_the_bill_is_a_discount(tmp_path: Path) -> None:
    pair = only_pair(reconciled(tmp_path, log=claude_log(TRUTH), page=cost_page(TRUTH, Decimal("0.9"))))
    assert named(pair) == [("price", "discount", -usd_of(TRUTH) / 10)]
    assert "10 % less" in pair.causes[0].message


def test_a_late_hour_is_on_another_day(tmp_path: Path) -> None:
    """The calls of 23:30 on 6 October are on the bill of 7 October: the sum of all days is the same."""
    late = [call for call in TRUTH if call.ts.date() == date(2026, 10, 6) and call.ts.hour == 23]
    billed = [replace(call, ts=call.ts + timedelta(hours=1)) if call in late else call for call in TRUTH]
    pair = only_pair(reconciled(tmp_path, ("day",), log=claude_log(TRUTH), page=usage_page(billed)))
    [cause] = pair.causes
    assert (cause.part, cause.usd, cause.size_usd, pair.difference_usd) == ("timing", ZERO, usd_of(late), ZERO)
    assert [(group.keys, group.parts.timing) for group in pair.groups] == [
        (["2026-10-05"], ZERO), (["2026-10-06"], -usd_of(late)), (["2026-10-07"], usd_of(late)),
    ]  # fmt: skip


def test_a_late_hour_on_a_bill_of_amounts_is_on_another_day(tmp_path: Path) -> None:
    late = [call for call in TRUTH if call.ts.date() == date(2026, 10, 6) and call.ts.hour == 23]
    billed = [replace(call, ts=call.ts + timedelta(hours=1)) if call in late else call for call in TRUTH]
    pair = only_pair(reconciled(tmp_path, log=claude_log(TRUTH), page=cost_page(billed)))
    assert [(cause.part, cause.usd, cause.size_usd) for cause in pair.causes] == [("timing", ZERO, usd_of(late))]


@pytest.mark.slow
def test_every_day_an_hour_late_leaves_only_the_last_hour_out(tmp_path: Path) -> None:
    """A bill by days of another time zone: all hours but the last are there, on the next day."""
    billed = [replace(call, ts=call.ts + timedelta(hours=1)) for call in TRUTH]
    pair = only_pair(reconciled(tmp_path, log=claude_log(TRUTH), page=usage_page(billed)))
    assert {cause.part for cause in pair.causes} == {"timing"}
    assert pair.difference_usd == 0


def test_a_credit_is_a_credit(tmp_path: Path) -> None:
    page = cost_page(TRUTH, amount="-50", currency="USD", description="Promotional credit", model=None)
    pair = only_pair(reconciled(tmp_path, log=claude_log(TRUTH), page=page))
    assert named(pair) == [("credits", "credit", Decimal("-0.5"))]
    assert pair.parts.credits == pair.difference_usd


def test_calls_that_the_bill_has_as_batches_are_priced_as_batch(tmp_path: Path) -> None:
    """A batch costs half: the tokens agree, the price does not."""
    pair = only_pair(reconciled(tmp_path, log=claude_log(TRUTH), page=usage_page(TRUTH, "batch")))
    assert {(cause.part, cause.reason) for cause in pair.causes} == {("price", "batch")}
    assert pair.parts.price == pair.difference_usd == -usd_of(TRUTH) / 2


@pytest.mark.slow
def test_several_gaps_at_once_are_distinguished_and_add_up(tmp_path: Path) -> None:
    kept = [call for call in TRUTH if call.number != 13]
    page = cost_page(TRUTH, Decimal("0.9"), amount="-50", currency="USD", description="credit", model=None)
    pair = only_pair(reconciled(tmp_path, ("day", "model"), log=claude_log(kept), page=page))
    parts = pair.parts
    assert parts.credits == Decimal("-0.5")
    assert parts.missing_in_ours == TRUTH[13].usd * Decimal("0.9")
    assert parts.price == -usd_of(kept) / 10
    assert sum(parts.model_dump().values()) == pair.difference_usd
    assert sum(group.difference_usd for group in pair.groups) == pair.difference_usd


@pytest.mark.slow
def test_usage_and_cost_pages_are_compared_with_each_other_too(tmp_path: Path) -> None:
    result = reconciled(
        tmp_path, log=claude_log(TRUTH), usage=usage_page(TRUTH), costs=cost_page(TRUTH, Decimal("0.9"))
    )
    found = {(pair.ours, pair.theirs): pair.parts.price for pair in result.pairs}
    assert found == {(LOG, USAGE): 0, (LOG, COSTS): -usd_of(TRUTH) / 10, (USAGE, COSTS): -usd_of(TRUTH) / 10}


def test_classes_add_up(tmp_path: Path) -> None:
    kept = [call for call in TRUTH if call.number != 7]
    pair = only_pair(reconciled(tmp_path, ("class",), log=claude_log(kept), page=usage_page(TRUTH)))
    missing = {group.keys[0]: group.difference_usd for group in pair.groups}
    # call 7, of the smaller model: 1,049 input, 20,791 cached, 507 written, 321 output
    assert missing["input"] == Decimal("0.001049")
    assert missing["output"] == Decimal("0.001605")
    assert sum(missing.values()) == TRUTH[7].usd
    assert TRUTH[7].model == HAIKU


@pytest.mark.slow
def test_the_tolerance_decides(tmp_path: Path) -> None:
    with open_store(tmp_path / "costsim.duckdb") as store:
        load(store, written(tmp_path, log=claude_log(TRUTH[1:]), page=usage_page(TRUTH)))
        codes = [
            reconcile(store, BOOK, ReconcileQuery(tolerance=Tolerance.parse(text))).exit_code
            for text in ("1%", "20%", "0", "5")
        ]
    assert codes == [1, 0, 1, 0]
    with pytest.raises(CostsimError, match="tolerance"):
        Tolerance.parse("a bit")
