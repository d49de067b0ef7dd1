"""Each gap, planted in each kind of bill, is named with its amount, and nothing else is."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from billed import KINDS, MAPPING, Call, Extra, Kind, call_rows, total
from costsim.analysis.reconcile.reconcile import ReconcileQuery, reconcile
from costsim.analysis.reconcile.results import SourcePair
from costsim.pricing.book import open_book
from costsim.usage.load import load
from costsim.usage.readers.mapped import parse_mapping
from costsim.usage.store import open_store

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


Gap = Callable[[Kind], Planted]


def nothing(kind: Kind) -> Planted:
    return Planted(kind.truth(), kind.truth(), {})


def dropped_here(kind: Kind) -> Planted:
    """Two calls of one model and day are not in the log."""
    calls = kind.truth()
    lost = [calls[10], calls[12]]
    return Planted([c for c in calls if c not in lost], calls, {("missing_in_ours", "missing calls"): total(lost)})


def dropped_there(kind: Kind) -> Planted:
    calls = kind.truth()
    lost = [calls[11]]
    return Planted(calls, [c for c in calls if c not in lost], {("missing_in_theirs", "missing calls"): -total(lost)})


def dropped_model(kind: Kind) -> Planted:
    """The log has no call of the smaller model."""
    calls = kind.truth()
    lost = [call for call in calls if call.model == kind.models[1]]
    return Planted([c for c in calls if c not in lost], calls, {("missing_in_ours", "missing calls"): total(lost)})


def twice(kind: Kind) -> Planted:
    """A wrapper that adds each call to itself."""
    calls = kind.truth()
    return Planted([call.times(2) for call in calls], calls, {("tokens", "tokens"): -total(calls)})


def tenth_less(kind: Kind) -> Planted:
    calls = kind.truth()
    return Planted(calls, calls, {("price", "discount"): -total(calls) / 10}, Decimal("0.9"))


def late_hour(kind: Kind) -> Planted:
    """The calls of 23:30 on the second day are billed on the third."""
    calls = kind.truth()
    late = [c for c in calls if c.ts.date() == date(2026, 10, 6) and c.ts.hour == 23]
    billed = [replace(call, ts=call.ts + timedelta(hours=1)) if call in late else call for call in calls]
    return Planted(calls, billed, {("timing", "another day"): Decimal(0)})


def credit(kind: Kind) -> Planted:
    calls = kind.truth()
    extra = Extra(Decimal("-0.5"), "Promotional credit")
    return Planted(calls, calls, {("credits", "credit"): extra.usd}, extra=extra)


def allowance(kind: Kind) -> Planted:
    calls = kind.truth()
    extra = Extra(Decimal("-0.25"), "included allowance of the plan")
    return Planted(calls, calls, {("credits", "allowance"): extra.usd}, extra=extra)


def otherwise(kind: Kind, how: str, reason: str, model: str | None = None) -> Planted:
    """All calls, or those of one model, are billed at another level or for another region."""
    calls = kind.truth()
    billed = [replace(call, processing=how) if model in (None, call.model) else call for call in calls]
    return Planted(calls, billed, {("price", reason): total(billed) - total(calls)})


def at_batch(kind: Kind) -> Planted:
    return otherwise(kind, "batch", "batch" if "batch" in kind.states else "discount")


def one_model_at_batch(kind: Kind) -> Planted:
    return otherwise(kind, "batch", "batch" if "batch" in kind.states else "discount", kind.models[0])


def one_day_at_batch(kind: Kind) -> Planted:
    calls = kind.truth()
    billed = [replace(c, processing="batch") if c.ts.date() == date(2026, 10, 6) else c for c in calls]
    return Planted(calls, billed, {("price", "batch"): total(billed) - total(calls)})


def in_a_region(kind: Kind) -> Planted:
    return otherwise(kind, "standard/us", "region" if "region" in kind.states else "rate")


def at_a_tier(kind: Kind) -> Planted:
    return otherwise(kind, kind.tier, "processing", kind.models[0])


def dropped_and_less(kind: Kind) -> Planted:
    """Calls that the log lacks, at a discount: worth what the bill charges, or the list price and the discount."""
    calls = kind.truth()
    here = [call for call in calls if call.number != 13]
    if "tokens" in kind.states:
        causes = {("missing_in_ours", "missing calls"): calls[13].usd, ("price", "discount"): -total(calls) / 10}
    else:
        causes = {
            ("missing_in_ours", "missing calls"): calls[13].usd * Decimal("0.9"),
            ("price", "discount"): -total(here) / 10,
        }
    return Planted(here, calls, causes, Decimal("0.9"))


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
}


def write_calls(folder: Path, kind: Kind, calls: Sequence[Call]) -> None:
    """Copilot's calls in its own store, others as CSV."""
    if kind.provider != "github":
        (folder / "calls.csv").write_text(call_rows(calls, kind.provider), "utf-8")
        return
    with sqlite3.connect(folder / "session-store.db") as store:
        store.execute("CREATE TABLE sessions (id TEXT, cwd TEXT, repository TEXT, branch TEXT)")
        store.execute(
            "CREATE TABLE assistant_usage_events (id INTEGER, session_id TEXT, model TEXT, created_at TEXT, "
            "input_tokens INTEGER, output_tokens INTEGER, cache_read_tokens INTEGER, cache_write_tokens INTEGER)"
        )
        store.executemany(
            "INSERT INTO assistant_usage_events VALUES (?, 's-1', ?, ?, ?, ?, ?, ?)",
            [
                (c.number, c.model, f"{c.ts.isoformat()}Z", sum(c.tokens[:3]), c.tokens[3], *c.tokens[1:3])
                for c in calls
            ],
        )
    store.close()


def reconciled(folder: Path, kind: Kind, planted: Planted) -> SourcePair:
    write_calls(folder, kind, planted.here)
    (folder / f"bill.{kind.ending}").write_text(kind.write(planted.billed, planted.share, planted.extra), "utf-8")
    with open_store(Path(":memory:")) as store:
        if kind.provider == "github":
            load(store, [folder / "session-store.db"])
        else:
            load(store, [folder / "calls.csv"], mapping=parse_mapping(MAPPING))
        load(store, [folder / f"bill.{kind.ending}"], role="bill")
        [pair] = reconcile(store, BOOK, ReconcileQuery(("day", "model"))).pairs
    return pair


def named(pair: SourcePair) -> dict[Cause, Decimal]:
    found: dict[Cause, Decimal] = defaultdict(Decimal)
    for cause in pair.causes:
        found[cause.part, cause.reason] += cause.usd
    return dict(found)


def fits(kind: Kind, needs: str) -> bool:
    return not needs or bool({*needs.split("|")} & kind.states)


CASES = [(name, gap) for name, kind in KINDS.items() for gap, (_, needs) in GAPS.items() if fits(kind, needs)]


@pytest.mark.parametrize(("name", "gap"), CASES)
def test_a_planted_gap_is_named_with_its_amount_and_nothing_else(name: str, gap: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    planted = GAPS[gap][0](kind)
    pair = reconciled(tmp_path, kind, planted)
    found = named(pair)
    assert {*found} == {*planted.causes}, [cause.message for cause in pair.causes]
    assert all(abs(found[cause] - usd) <= NEAR for cause, usd in planted.causes.items()), found
    assert sum(pair.parts.model_dump().values()) == pair.difference_usd
    assert abs(pair.parts.unexplained) <= NEAR
    assert abs(pair.ours_usd - total(planted.here)) <= NEAR
