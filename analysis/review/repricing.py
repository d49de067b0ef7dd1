"""The month's calls by component, task and model, and what some of them would have cost on another model.

Runs on the rollup's rows of the month (`chosen`, see priced.py): each sum keeps its moment, processing level and
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
from ...pricing.store import cost_sums, load_prices
from ..replay.tables import OTHER, PROMPT
from ..spend.priced import CLASSES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ...pricing.book import PriceBook
    from ..replay.token_ratios import Draws, Multiplier, Pair

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
    "shift": "INTEGER", "component": "VARCHAR", "task": "VARCHAR", "from_name": "VARCHAR",
    "provider": "VARCHAR", "model": "VARCHAR"
}]')) AS shift)
"""
SHIFTED = f"""
CREATE OR REPLACE TEMP TABLE review_shifted AS
SELECT
    shift, day, slot, processing, tier, priced_provider, priced_model,
    review_shift.provider AS to_provider, review_shift.model AS to_model,
    {", ".join(f"sum({name})::BIGINT AS {name}" for name in CLASSES)}
FROM chosen
JOIN review_shift
    ON review_shift.component = chosen.component AND review_shift.task = coalesce(chosen.task, '')
    AND review_shift.from_name = coalesce(priced_provider || '/' || priced_model, chosen.model, '(no model)')
GROUP BY ALL
"""  # noqa: S608 (token classes)
KEY = """
CREATE OR REPLACE TEMP TABLE review_key AS
SELECT row_number() OVER () AS key_id, *
FROM (
    SELECT day, slot, processing, tier, priced_provider AS provider, priced_model AS model FROM review_shifted
    UNION
    SELECT day, slot, processing, tier, to_provider, to_model FROM review_shifted
)
WHERE provider IS NOT NULL
"""
# One unit of each class at each key: sum_cost then holds the price of a unit.
USAGE_SUM = """
CREATE OR REPLACE TEMP TABLE usage_sum AS
SELECT
    key_id AS sum_id, day::TIMESTAMP + to_minutes(CASE WHEN slot < 0 THEN 0 ELSE slot * 30 END) AS at,
    provider, model, processing, tier AS tier_input, token_class, 1::BIGINT AS tokens
FROM review_key CROSS JOIN (SELECT unnest($classes) AS token_class)
"""


def _cost(rates: str, classes: Iterable[str]) -> str:
    """SQL of what these classes cost; NULL where one that has tokens has no price."""
    return " + ".join(
        f"CASE WHEN line.{c} = 0 THEN 0::DECIMAL(38, 24) ELSE line.{c} * {rates}.{c} END" for c in classes
    )


COSTS = f"""
WITH rate AS (
    SELECT review_key.*, paid.* EXCLUDE (sum_id)
    FROM review_key
    JOIN (
        SELECT sum_id, {", ".join(f"max(usd) FILTER (token_class = '{name}') AS {name}" for name in CLASSES)}
        FROM sum_cost GROUP BY sum_id
    ) AS paid ON paid.sum_id = review_key.key_id
),
line AS (
    SELECT
        line.shift,
        {_cost("was", CLASSES)} AS usd,
        {_cost("would", PROMPT)} AS prompt_usd,
        {_cost("would", ("output",))} AS output_usd,
        {_cost("would", OTHER)} AS other_usd
    FROM review_shifted AS line
    LEFT JOIN rate AS was
        ON was.day = line.day AND was.slot = line.slot AND was.processing = line.processing AND was.tier = line.tier
        AND was.provider = line.priced_provider AND was.model = line.priced_model
    LEFT JOIN rate AS would
        ON would.day = line.day AND would.slot = line.slot AND would.processing = line.processing
        AND would.tier = line.tier AND would.provider = line.to_provider AND would.model = line.to_model
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
        """What the other model would have saved at the same tokens; negative where it is dearer."""
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


def ran(connection: DuckDBPyConnection) -> list[Ran]:
    """What ran in the days of `chosen`."""
    return [Ran(*line) for line in connection.execute(RAN).fetchall()]


def price_shifts(connection: DuckDBPyConnection, book: PriceBook, shifts: Sequence[Shift]) -> list[Shifted]:
    """The cost of each shift's calls as they ran and on the other model, in the days of `chosen`.

    Replaces the table `price` by the rows of the models concerned.
    """
    if not shifts:
        return []
    keys = {name: book.resolve(name) for shift in shifts for name in (shift.model, shift.to)}
    load_prices(connection, book, sorted({key for key in keys.values() if key}))
    lines = [
        {"shift": number, "component": s.component, "task": s.task, "from_name": s.model,
         "provider": to and to.provider, "model": to and to.model}
        for number, s in enumerate(shifts)
        for to in [keys[s.to]]
    ]  # fmt: skip
    connection.execute(SHIFT, [json.dumps(lines)])
    connection.execute(SHIFTED)
    connection.execute(KEY)
    connection.execute(USAGE_SUM, {"classes": list(CLASSES)})
    cost_sums(connection)
    found = {number: Shifted(*costs) for number, *costs in connection.execute(COSTS).fetchall()}
    return [found.get(number, UNPRICED) for number in range(len(shifts))]


class Saving(NamedTuple):
    """A saving in USD with measured token multipliers, and the P10 and P90 that they leave open."""

    usd: Decimal
    low_usd: Decimal
    high_usd: Decimal


def measured_saving(
    parts: Iterable[tuple[Pair, Shifted]], known: Mapping[Pair, Multiplier], draws: Mapping[Pair, Draws]
) -> Saving:
    """What several priced shifts save together, their tokens scaled by what was measured between the two models."""
    import numpy as np

    total, off = Decimal(0), np.zeros(1)
    for pair, costs in parts:
        spent, prompt, output, other = costs.priced
        of = known[pair]
        total += spent - prompt * of.prompt - output * of.output - other
        if pair in draws:
            stray = draws[pair].prompt - float(of.prompt), draws[pair].output - float(of.output)
            off = off - float(prompt) * stray[0] - float(output) * stray[1]
    low, high = (Decimal(float(end)) for end in np.quantile(off, (0.1, 0.9)))
    return Saving(total, to_usd(total + min(low, Decimal(0))), to_usd(total + max(high, Decimal(0))))
