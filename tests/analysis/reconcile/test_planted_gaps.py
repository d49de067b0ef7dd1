"""Each gap, planted in each kind of bill, is named with its amount, and nothing else is."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from billed import KINDS, MAPPING, Call, Extra, Kind, call_rows, total
from costsim.analysis.reconcile.reconcile import ReconcileQuery, reconcile
from costsim.analysis.reconcile.results import SourcePair
from costsim.pricing.book import open_book
from costsim.usage.load import load
from costsim.usage.readers.mapped import parse_mapping
from costsim.usage.store import open_store

pytestmark = pytest.mark.slow

BOOK = open_book()
Cause = tuple[str, str]
NEAR = Decimal("0.000001")


@dataclass(frozen=True)
class Planted:
    """Calls here and on the bill, how much of the list price the bill charges, and what is to be named (USD)."""

    here: list[Call]
    billed: list[Call]
    causes: dict[Cause, Decimal]
    share: Decimal = Decimal(1)
    extra: Extra | None = None


Gap = Callable[[Kind, date], Planted]


def nothing(kind: Kind, first: date) -> Planted:
    return Planted(kind.truth(first), kind.truth(first), {})


def dropped_here(kind: Kind, first: date) -> Planted:
    """Two calls of one model and day are not in the log."""
    calls = kind.truth(first)
    lost = [calls[10], calls[12]]
    return Planted([c for c in calls if c not in lost], calls, {("missing_in_ours", "missing calls"): total(lost)})


def dropped_there(kind: Kind, first: date) -> Planted:
    calls = kind.truth(first)
    lost = [calls[11]]
    return Planted(calls, [c for c in calls if c not in lost], {("missing_in_theirs", "missing calls"): -total(lost)})


def dropped_model(kind: Kind, first: date) -> Planted:
    """The log has no call of the smaller model."""
    calls = kind.truth(first)
    lost = [call for call in calls if call.model == kind.models[1]]
    return Planted([c for c in calls if c not in lost], calls, {("missing_in_ours", "missing calls"): total(lost)})


def twice(kind: Kind, first: date) -> Planted:
    """A wrapper that adds each call to itself; a bill without tokens is half of that, as under a discount."""
    calls = kind.truth(first)
    cause = ("tokens", "tokens") if "tokens" in kind.states else ("price", "discount")
    return Planted([call.times(2) for call in calls], calls, {cause: -total(calls)})


def tenth_less(kind: Kind, first: date) -> Planted:
    calls = kind.truth(first)
    return Planted(calls, calls, {("price", "discount"): -total(calls) / 10}, Decimal("0.9"))


def late_hour(kind: Kind, first: date) -> Planted:
    """The calls of 23:30 on the second day are billed on the third."""
    calls = kind.truth(first)
    late = [c for c in calls if c.ts.date() == first + timedelta(1) and c.ts.hour == 23]
    billed = [replace(call, ts=call.ts + timedelta(hours=1)) if call in late else call for call in calls]
    return Planted(calls, billed, {("timing", "another day"): Decimal(0)})


def credit(kind: Kind, first: date) -> Planted:
    calls = kind.truth(first)
    extra = Extra(Decimal("-0.5"), "Promotional credit")
    reason = "allowance" if kind.provider == "github" else "credit"  # GitHub's report has no other
    return Planted(calls, calls, {("credits", reason): extra.usd}, extra=extra)


def allowance(kind: Kind, first: date) -> Planted:
    calls = kind.truth(first)
    extra = Extra(Decimal("-0.25"), "included allowance of the plan")
    return Planted(calls, calls, {("credits", "allowance"): extra.usd}, extra=extra)


def otherwise(kind: Kind, first: date, how: str, reason: str, model: str | None = None) -> Planted:
    """All calls, or those of one model, are billed at another level or for another region."""
    calls = kind.truth(first)
    billed = [replace(call, processing=how) if model in (None, call.model) else call for call in calls]
    return Planted(calls, billed, {("price", reason): total(billed) - total(calls)})


def at_batch(kind: Kind, first: date) -> Planted:
    return otherwise(kind, first, "batch", "batch" if "batch" in kind.states else "discount")


def one_model_at_batch(kind: Kind, first: date) -> Planted:
    return otherwise(kind, first, "batch", "batch" if "batch" in kind.states else "discount", kind.models[0])


def one_day_at_batch(kind: Kind, first: date) -> Planted:
    calls = kind.truth(first)
    billed = [replace(c, processing="batch") if c.ts.date() == first + timedelta(1) else c for c in calls]
    return Planted(calls, billed, {("price", "batch"): total(billed) - total(calls)})


def in_a_region(kind: Kind, first: date) -> Planted:
    return otherwise(kind, first, "standard/us", "region" if "region" in kind.states else "rate")


def at_a_tier(kind: Kind, first: date) -> Planted:
    return otherwise(kind, first, kind.tier, "processing", kind.models[0])


def dropped_and_less(kind: Kind, first: date) -> Planted:
    """Calls that the log lacks, at a discount: worth what the bill charges, or the list price and the discount."""
    calls = kind.truth(first)
    here = [call for call in calls if call.number != 13]
    if "tokens" in kind.states:
        causes = {("missing_in_ours", "missing calls"): calls[13].usd, ("price", "discount"): -total(calls) / 10}
    else:
        causes = {
            ("missing_in_ours", "missing calls"): calls[13].usd * Decimal("0.9"),
            ("price", "discount"): -total(here) / 10,
        }
    return Planted(here, calls, causes, Decimal("0.9"))


def twice_and_dropped(kind: Kind, first: date) -> Planted:
    """A wrapper that counts twice and lacks two calls: where days are whole multiples, the rest is what is missing."""
    calls = kind.truth(first)
    lost = [calls[10], calls[12]]
    kept = [call for call in calls if call not in lost]
    cause = ("tokens", "tokens") if "tokens" in kind.states else ("price", "discount")
    causes = {cause: -total(kept), ("missing_in_ours", "missing calls"): total(lost)}
    return Planted([call.times(2) for call in kept], calls, causes)


def late_at_batch(kind: Kind, first: date) -> Planted:
    """One model in batches, the other's last hour a day late: each model has its own ratio."""
    calls = kind.truth(first)
    batched = [replace(call, processing="batch") if call.model == kind.models[0] else call for call in calls]
    late = [c for c in batched if c.ts.date() == first + timedelta(1) and c.ts.hour == 23]
    billed = [replace(c, ts=c.ts + timedelta(hours=1)) if c in late else c for c in batched]
    reason = "batch" if "batch" in kind.states else "discount"
    causes = {("price", reason): total(batched) - total(calls), ("timing", "another day"): Decimal(0)}
    return Planted(calls, billed, causes)


GAPS: dict[str, tuple[Gap, str]] = {
    "nothing": (nothing, ""),
    "dropped here": (dropped_here, ""),
    "dropped there": (dropped_there, ""),
    "model dropped here": (dropped_model, ""),
    "twice": (twice, ""),
    "a tenth less": (tenth_less, "usd"),
    "late hour": (late_hour, ""),
    "credit": (credit, "extra"),
    "allowance": (allowance, "extra"),
    "batch": (at_batch, "batch|usd"),
    "batch of one model": (one_model_at_batch, "batch|usd"),
    "batch of one day": (one_day_at_batch, "batch"),
    "region": (in_a_region, "region|usd"),
    "tier": (at_a_tier, "tier"),
    "dropped and less": (dropped_and_less, "usd"),
    "twice and dropped": (twice_and_dropped, ""),
    "late, one model at batch": (late_at_batch, "batch|usd"),
}


WHOLE = ("focus-1.0-aws", "focus-1.2-azure", "focus-1.3-gcp")
SOME = ("dropped here", "a tenth less", "credit")
"""What is planted in the other versions of FOCUS: they differ in the names of columns alone."""


def fits(name: str, gap: str) -> bool:
    needs = GAPS[gap][1]
    if name.startswith("focus") and name not in WHOLE and gap not in SOME:
        return False
    return not needs or bool({*needs.split("|")} & KINDS[name].states)


CASES = [(name, gap) for name in KINDS for gap in GAPS if fits(name, gap)]
FIRST = {gap: date(2026, 9, 1) + timedelta(6 * n) for n, gap in enumerate(GAPS)}
"""The gaps of a kind are planted in days of their own, so that one store has them all."""


def write_calls(folder: Path, kind: Kind, calls: Sequence[Call]) -> Path:
    """Copilot's calls in its own store, others as CSV."""
    if kind.provider != "github":
        file = folder / "calls.csv"
        file.write_text(call_rows(calls, kind.provider), "utf-8")
        return file
    file = folder / "session-store.db"
    with sqlite3.connect(file) as store:
        store.execute("CREATE TABLE sessions (id TEXT, cwd TEXT, repository TEXT, branch TEXT)")
        store.execute(
            "CREATE TABLE assistant_usage_events (id INTEGER, session_id TEXT, model TEXT, created_at TEXT, "
            "input_tokens INTEGER, output_tokens INTEGER, cache_read_tokens INTEGER, cache_write_tokens INTEGER)"
        )
        store.executemany(
            "INSERT INTO assistant_usage_events VALUES (?, 's-1', ?, ?, ?, ?, ?, ?)",
            [
                (n, c.model, f"{c.ts.isoformat()}Z", sum(c.tokens[:3]), c.tokens[3], *c.tokens[1:3])
                for n, c in enumerate(calls)
            ],
        )
    store.close()
    return file


@cache
def planted(name: str) -> dict[str, Planted]:
    """What is planted in a kind, each gap's calls with numbers of their own."""
    found = {}
    for place, (gap, (make, _)) in enumerate(GAPS.items()):
        if fits(name, gap):
            one = make(KINDS[name], FIRST[gap])
            shift = 1000 * place
            here, billed = ([replace(c, number=c.number + shift) for c in own] for own in (one.here, one.billed))
            found[gap] = replace(one, here=here, billed=billed)
    return found


@cache
def compared(name: str) -> dict[str, list[SourcePair]]:
    """A store with all gaps of a kind, reconciled gap by gap."""
    kind, gaps = KINDS[name], planted(name)
    with TemporaryDirectory() as given, open_store(Path(":memory:")) as store:
        folder = Path(given)
        calls = write_calls(folder, kind, [call for one in gaps.values() for call in one.here])
        load(store, [calls], mapping=None if kind.provider == "github" else parse_mapping(MAPPING))
        bills = [folder / f"{n}.{kind.ending}" for n, _ in enumerate(gaps)]
        for file, one in zip(bills, gaps.values(), strict=True):
            file.write_text(kind.write(one.billed, one.share, one.extra), "utf-8")
        load(store, bills, role="bill")
        queries = {gap: ReconcileQuery(("day", "model"), FIRST[gap], FIRST[gap] + timedelta(4)) for gap in gaps}
        return {gap: reconcile(store, BOOK, query).pairs for gap, query in queries.items()}


def named(pair: SourcePair) -> dict[Cause, Decimal]:
    found: dict[Cause, Decimal] = defaultdict(Decimal)
    for cause in pair.causes:
        found[cause.part, cause.reason] += cause.usd
    return dict(found)


@pytest.mark.parametrize(("name", "gap"), CASES)
def test_a_planted_gap_is_named_with_its_amount_and_nothing_else(name: str, gap: str) -> None:
    expected = planted(name)[gap]
    [pair] = compared(name)[gap]
    found = named(pair)
    assert {*found} == {*expected.causes}, [cause.message for cause in pair.causes]
    assert all(abs(found[cause] - usd) <= NEAR for cause, usd in expected.causes.items()), found
    assert sum(pair.parts.model_dump().values()) == pair.difference_usd
    assert abs(pair.parts.unexplained) <= NEAR
    assert abs(pair.ours_usd - total(expected.here)) <= NEAR
