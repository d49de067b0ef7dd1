"""The calls that a decision moved, as they ran and as they would have run on the earlier model, class by class."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from ...money import to_usd
from ...tokens import COLUMNS, OUTPUT_CLASSES, PROMPT_CLASSES
from ..compare.bridge_effects import Kind, Route, Used
from ..compare.reverted import Reverted
from ..quantiles import ends
from ..replay.token_ratios import Draws, Pair, TokenRatio, measure_multipliers
from ..review.repricing import SHIFT, SHIFTED, SHIFTED_KEYS

if TYPE_CHECKING:
    from ...pricing.rows import ModelKey
    from ..spend.ledger import Ledger
    from .scopes import Place
    from .shares import Moved

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


def undo(ledger: Ledger, moves: Sequence[Moved], last: date) -> list[Undone | None]:
    """Each one's moved calls from its `since` to `last` on the earlier model, each at the prices of its own moment.

    Their tokens are scaled by what the store measured between the two models, as `costsim replay` does. None where one
    of the two models has no price for a class that they use.
    """
    pairs = {_pair(moved) for moved in moves if moved.parts}
    scales = {pair: measure_multipliers(ledger.connection, {pair}, as_logged=False) for pair in sorted(pairs)}
    found: list[Undone | None] = []
    for moved, lines in zip(moves, _classes(ledger, moves, last), strict=True):
        if not moved.parts:
            found.append(NOTHING)
        elif lines is None:
            found.append(None)
        else:
            known, draws = scales[_pair(moved)]
            found.append(_undone(_pair(moved), lines, known[_pair(moved)], draws.get(_pair(moved))))
    return found


def _pair(moved: Moved) -> Pair:
    return moved.change.to_model, moved.change.from_model


def _undone(pair: Pair, lines: Sequence[ClassMoved], ratio: TokenRatio, drawn: Draws | None) -> Undone:
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
    low, high = _off(lines, ratio, drawn)
    total = to_usd(sum(saved.values(), Fraction(0)))
    return Undone(removed, added, saved, total + low, total + high)


def _classes(ledger: Ledger, moves: Sequence[Moved], last: date) -> list[list[ClassMoved] | None]:
    """What each moved, all asked at once; None where something has no price."""
    targets = [ledger.book.resolve(moved.change.from_model) if moved.parts else None for moved in moves]
    found: list[list[ClassMoved] | None] = [None if target is None else [] for target in targets]
    asked = [(n, place) for n, target in enumerate(targets) if target for place in sorted(moves[n].parts)]
    for shift, processing, tier, token_class, units, usd, earlier in _shifted(ledger, moves, targets, asked, last):
        n, place = asked[shift]
        lines, part = found[n], moves[n].parts[place]
        if usd is None or earlier is None:
            found[n] = None
        elif lines is not None:
            amounts = (part * units, part * Fraction(usd), part * Fraction(earlier))
            lines.append(ClassMoved(place, processing, Kind(token_class, tier), *amounts))
    return found


def _shifted(
    ledger: Ledger,
    moves: Sequence[Moved],
    targets: Sequence[ModelKey | None],
    asked: Sequence[tuple[int, Place]],
    last: date,
) -> list[tuple[Any, ...]]:
    """The lines of `BY_CLASS`, in the order of `asked`: decisions, by their number, at their places."""
    if not asked:
        return []
    lines = [
        {"shift": shift, "component": component, "task": task, "from_name": moves[n].change.to_model,
         "since": str(moves[n].since), "provider": target.provider, "model": target.model}
        for shift, (n, (component, task)) in enumerate(asked)
        if (target := targets[n])
    ]  # fmt: skip
    ledger.choose(min(moves[n].since for n, _ in asked), last)
    ledger.connection.execute(SHIFT, [json.dumps(lines)])
    ledger.connection.execute(SHIFTED)
    ledger.price_keys(SHIFTED_KEYS, filter(None, targets))
    return ledger.connection.execute(BY_CLASS).fetchall()


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
