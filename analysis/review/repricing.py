"""The month's calls by component, task and model, and what some of them would have cost on another model.

Runs on the ledger's rows of the month: each sum keeps its moment, processing level and
context tier, and takes the other model's prices there, in DECIMAL, exact.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from ...money import to_usd
from ...tokens import OUTPUT_CLASSES, PROMPT_CLASSES, SUMMED, TOKEN_CLASSES, UNIT_CLASSES
from ..quantiles import ends
from ..spend.ledger import Ledger
from ..spend.priced import cost_at

if TYPE_CHECKING:
    from ..replay.token_ratios import Draws, Pair, TokenRatio

NAME = "coalesce(priced_provider || '/' || priced_model, model, '(no model)')"
RAN = f"""
SELECT
    component, coalesce(task, '') AS task, {NAME} AS model,
    sum(request)::BIGINT, coalesce(sum(request) FILTER (status = 'ok'), 0)::BIGINT, min(day), max(day)
FROM chosen GROUP BY ALL ORDER BY ALL
"""  # noqa: S608 (fixed expression)

SHIFT = """
CREATE OR REPLACE TEMP TABLE review_shift AS
SELECT shift.* FROM (SELECT unnest(from_json_strict(?::JSON, '[{
    "shift": "INTEGER", "component": "VARCHAR", "task": "VARCHAR", "from_name": "VARCHAR", "since": "DATE",
    "provider": "VARCHAR", "model": "VARCHAR"
}]')) AS shift)
"""
SHIFTED = f"""
CREATE OR REPLACE TEMP TABLE review_shifted AS
SELECT
    shift, day, slot, processing, tier, priced_provider, priced_model,
    review_shift.provider AS to_provider, review_shift.model AS to_model,
    {SUMMED}
FROM chosen
JOIN review_shift
    ON review_shift.component = chosen.component AND review_shift.task = coalesce(chosen.task, '')
    AND review_shift.from_name = coalesce(priced_provider || '/' || priced_model, chosen.model, '(no model)')
    AND chosen.day >= review_shift.since
GROUP BY ALL
"""  # noqa: S608 (token classes)
SHIFTED_KEYS = "SELECT DISTINCT day, slot, to_provider, to_model, processing, tier FROM review_shifted"
COSTS = f"""
WITH line AS (
    SELECT
        line.shift,
        {cost_at("was", TOKEN_CLASSES)} AS usd,
        {cost_at("would", PROMPT_CLASSES)} AS prompt_usd,
        {cost_at("would", OUTPUT_CLASSES)} AS output_usd,
        {cost_at("would", UNIT_CLASSES)} AS other_usd
    FROM review_shifted AS line
    LEFT JOIN price_key AS ran
        ON ran.day = line.day AND ran.slot = line.slot AND ran.processing = line.processing AND ran.tier = line.tier
        AND ran.provider = line.priced_provider AND ran.model = line.priced_model
    LEFT JOIN unit_rate AS was ON was.unit_id = ran.unit_id
    LEFT JOIN price_key AS other
        ON other.day = line.day AND other.slot = line.slot AND other.processing = line.processing
        AND other.tier = line.tier AND other.provider = line.to_provider AND other.model = line.to_model
    LEFT JOIN unit_rate AS would ON would.unit_id = other.unit_id
)
SELECT
    shift,
    CASE WHEN count(*) = count(usd) THEN sum(usd) END,
    CASE WHEN count(*) = count(prompt_usd + output_usd + other_usd) THEN sum(prompt_usd) END,
    sum(output_usd), sum(other_usd)
FROM line GROUP BY shift ORDER BY shift
"""  # noqa: S608 (token classes)


class Ran(NamedTuple):
    """The month's calls of a component and task ("" without one) on a model, by its book name."""

    component: str
    task: str
    model: str
    calls: int
    ok_calls: int
    first: date
    last: date


class Shift(NamedTuple):
    """A question: what would the calls of a component and task on `model` have cost on `to`?"""

    component: str
    task: str
    model: str
    to: str


@dataclass(frozen=True)
class Shifted:
    """The answer at the same tokens, USD; None where a class that has tokens has no price."""

    usd: Decimal | None
    prompt_usd: Decimal | None
    output_usd: Decimal | None
    other_usd: Decimal | None

    @property
    def saving_usd(self) -> Decimal | None:
        """What the other model would have saved at the same tokens; negative where it is more expensive."""
        if self.usd is None or self.prompt_usd is None:
            return None
        spent, *would = self.priced
        return spent - sum(would, Decimal(0))

    @property
    def priced(self) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """The four costs of one that has a price both ways."""
        nothing = Decimal(0)
        return self.usd or nothing, self.prompt_usd or nothing, self.output_usd or nothing, self.other_usd or nothing


UNPRICED = Shifted(None, None, None, None)


def ran(ledger: Ledger, first: date, last: date) -> list[Ran]:
    """What ran from `first` to `last`, both included."""
    ledger.choose(first, last)
    return [Ran(*line) for line in ledger.connection.execute(RAN).fetchall()]


def price_shifts(ledger: Ledger, shifts: Sequence[Shift], first: date, last: date) -> list[Shifted]:
    """The cost of each shift's calls from `first` to `last`, both included: as they ran, and on the other model."""
    if not shifts:
        return []
    targets = {shift.to: ledger.book.resolve(shift.to) for shift in shifts}
    lines = [
        {"shift": number, "component": s.component, "task": s.task, "from_name": s.model, "since": str(first),
         "provider": to and to.provider, "model": to and to.model}
        for number, s in enumerate(shifts)
        for to in [targets[s.to]]
    ]  # fmt: skip
    ledger.choose(first, last)
    ledger.connection.execute(SHIFT, [json.dumps(lines)])
    ledger.connection.execute(SHIFTED)
    ledger.price_keys(SHIFTED_KEYS, filter(None, targets.values()))
    found = {number: Shifted(*costs) for number, *costs in ledger.connection.execute(COSTS).fetchall()}
    return [found.get(number, UNPRICED) for number in range(len(shifts))]


class MeasuredSaving(NamedTuple):
    """A saving in USD with measured token multipliers, and the P10 and P90 that they leave open."""

    usd: Decimal
    low_usd: Decimal
    high_usd: Decimal


def measured_saving(
    parts: Iterable[tuple[Pair, Shifted]], known: Mapping[Pair, TokenRatio], draws: Mapping[Pair, Draws]
) -> MeasuredSaving:
    """What several priced shifts save together, their tokens scaled by what was measured between the two models."""
    import numpy as np

    total, off = Decimal(0), np.zeros(1)
    for pair, costs in parts:
        spent, prompt, output, other = costs.priced
        of = known[pair]
        total += spent - prompt * of.prompt - output * of.output - other
        if pair in draws:
            deviation = draws[pair].prompt - float(of.prompt), draws[pair].output - float(of.output)
            off = off - float(prompt) * deviation[0] - float(output) * deviation[1]
    low, high = map(Decimal, ends(off))
    return MeasuredSaving(total, to_usd(total + min(low, Decimal(0))), to_usd(total + max(high, Decimal(0))))
