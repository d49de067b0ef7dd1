"""The calls that a decision moved, as they ran and as they would have run on the earlier model, class by class."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from ...money import to_usd
from ...tokens import COLUMNS, OUTPUT_CLASSES, PROMPT_CLASSES
from ..compare.bridge_effects import Kind, Route, Used
from ..compare.reverted import Reverted
from ..quantiles import ends
from ..replay.token_ratios import Draws, TokenRatio, measure_multipliers
from ..review.repricing import SHIFT, SHIFTED, SHIFTED_KEYS

if TYPE_CHECKING:
    from ..spend.ledger import Ledger
    from .shares import Moved, Place

BY_CLASS = f"""
WITH long AS (
    UNPIVOT review_shifted ON {COLUMNS}
    INTO NAME token_class VALUE units
)
SELECT
    shift, long.processing, long.tier, long.token_class, sum(units)::BIGINT,
    CASE WHEN count(*) = count(was.usd) THEN sum(units * was.usd) END,
    CASE WHEN count(*) = count(would.usd) THEN sum(units * would.usd) END
FROM long
LEFT JOIN price_key AS ran
    ON ran.day = long.day AND ran.slot = long.slot AND ran.processing = long.processing AND ran.tier = long.tier
    AND ran.provider = long.priced_provider AND ran.model = long.priced_model
LEFT JOIN unit_price AS was ON was.unit_id = ran.unit_id AND was.token_class = long.token_class
LEFT JOIN price_key AS other
    ON other.day = long.day AND other.slot = long.slot AND other.processing = long.processing
    AND other.tier = long.tier AND other.provider = long.to_provider AND other.model = long.to_model
LEFT JOIN unit_price AS would ON would.unit_id = other.unit_id AND would.token_class = long.token_class
WHERE units > 0
GROUP BY ALL ORDER BY ALL
"""  # noqa: S608 (fixed names)


class ClassMoved(NamedTuple):
    """Units of a class that were moved at a place, what they cost, and what they would on the earlier model, USD."""

    place: Place
    processing: str
    kind: Kind
    units: Fraction
    usd: Fraction
    earlier_usd: Fraction


@dataclass(frozen=True)
class Undone(Reverted):
    """A decision taken back in some days, and the range of what it saved in all: P10 and P90, USD."""

    low_usd: Decimal
    high_usd: Decimal

    @property
    def saved_usd(self) -> Decimal:
        """What the decision saved, to 12 places; negative where it costs more."""
        return to_usd(sum(self.saved.values(), Fraction(0)))


NOTHING = Undone({}, {}, {}, Decimal(0), Decimal(0))


def undo(ledger: Ledger, moved: Moved, last: date) -> Undone | None:
    """The moved calls from `moved.since` to `last` on the earlier model, each at the prices of its own moment.

    Their tokens are scaled by what the store measured between the two models, as `costsim replay` does. None where one
    of the two models has no price for a class that they use.
    """
    if not moved.parts:
        return NOTHING
    lines = _classes(ledger, moved, last)
    if lines is None:
        return None
    pair = (moved.change.to_model, moved.change.from_model)
    known, draws = measure_multipliers(ledger.connection, {pair}, as_logged=False)
    ratio = known[pair]
    removed: dict[str, list[Used]] = {}
    added: dict[str, list[Used]] = {}
    saved: dict[str, Fraction] = {}
    for line in lines:
        (component, task), times = line.place, _times(ratio, line.kind)
        earlier = line.earlier_usd * times
        here, there = (Route(model, line.processing) for model in pair)
        removed.setdefault(component, []).append(Used(task, here, line.kind, line.units, line.usd))
        added.setdefault(component, []).append(Used(task, there, line.kind, line.units * times, earlier))
        saved[component] = saved.get(component, Fraction(0)) + earlier - line.usd
    low, high = _off(lines, ratio, draws.get(pair))
    total = to_usd(sum(saved.values(), Fraction(0)))
    return Undone(removed, added, saved, total + low, total + high)


def _classes(ledger: Ledger, moved: Moved, last: date) -> list[ClassMoved] | None:
    places = sorted(moved.parts)
    target = ledger.book.resolve(moved.change.from_model)
    if target is None:
        return None
    asked = [
        {"shift": n, "component": component, "task": task, "from_name": moved.change.to_model,
         "provider": target.provider, "model": target.model}
        for n, (component, task) in enumerate(places)
    ]  # fmt: skip
    ledger.choose(moved.since, last)
    ledger.connection.execute(SHIFT, [json.dumps(asked)])
    ledger.connection.execute(SHIFTED)
    ledger.price_keys(SHIFTED_KEYS, [target])
    found = []
    for n, processing, tier, token_class, units, usd, earlier in ledger.connection.execute(BY_CLASS).fetchall():
        if usd is None or earlier is None:
            return None
        part = moved.parts[places[n]]
        amounts = (part * units, part * Fraction(usd), part * Fraction(earlier))
        found.append(ClassMoved(places[n], processing, Kind(token_class, tier), *amounts))
    return found


def _times(ratio: TokenRatio, kind: Kind) -> Fraction:
    """What units of a class are multiplied by on the earlier model."""
    if kind.token_class in PROMPT_CLASSES:
        return Fraction(ratio.prompt)
    return Fraction(ratio.output) if kind.token_class in OUTPUT_CLASSES else Fraction(1)


def _off(lines: Sequence[ClassMoved], ratio: TokenRatio, drawn: Draws | None) -> tuple[Decimal, Decimal]:
    """P10 and P90 as differences from the expected saving: 0 where no multiplier was measured."""
    if drawn is None:
        return Decimal(0), Decimal(0)
    prompt = float(sum((line.earlier_usd for line in lines if line.kind.token_class in PROMPT_CLASSES), Fraction(0)))
    output = float(sum((line.earlier_usd for line in lines if line.kind.token_class in OUTPUT_CLASSES), Fraction(0)))
    low, high = ends(prompt * (drawn.prompt - float(ratio.prompt)) + output * (drawn.output - float(ratio.output)))
    return to_usd(min(low, 0.0)), to_usd(max(high, 0.0))
