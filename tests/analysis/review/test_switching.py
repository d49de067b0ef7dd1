"""A move that the review offers is worth what is left of its saving once broken caches are paid."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from costsim.analysis.review.downgrades import PossibleDowngrade, Priced
from costsim.analysis.review.repricing import MeasuredSaving, Ran
from costsim.analysis.review.switching import with_switching
from costsim.analysis.spend.ledger import Ledger
from costsim.pricing.book import open_book
from costsim.usage.store import open_store
from turns import HAIKU, OPUS, THREE_TURNS, fill

pytestmark = pytest.mark.slow

DAY = date(2026, 10, 5)
SUMMARY = PossibleDowngrade("summary", OPUS, HAIKU, (Ran("dev", "summary", OPUS, 1, 1, DAY, DAY),), 40)


@pytest.mark.parametrize(("session", "switch_usd"), [("s", Decimal("0.1725")), ("its own", Decimal(0))])
def test_a_saving_is_less_what_shared_sessions_write_again(session: str, switch_usd: Decimal) -> None:
    """$0.1375 on Opus, $0.0275 on Haiku: 0.11 saved; 0.115 + 0.0575 written again (docs/replay.md)."""
    saved = Decimal("0.11")
    with open_store(Path(":memory:")) as store:
        fill(store, [call._replace(session=session if call.task == "summary" else "s") for call in THREE_TURNS])
        ledger = Ledger.open(store, open_book())
        priced = Priced(SUMMARY, Decimal("0.1375"), MeasuredSaving(saved, saved, saved))
        [found] = with_switching(ledger, [priced], (DAY, DAY))
    assert found.switch_usd == switch_usd
    assert found.saving == (saved - switch_usd,) * 3
