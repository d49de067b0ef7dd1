"""Cache effects of a replay in USD: prefixes written again, and sessions moved whole, by component, task and day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from ...tokens import OUTPUT_CLASSES, PROMPT_CLASSES, TOKEN_CLASSES, UNIT_CLASSES
from ..spend.priced import cost_at
from .sessions import fill_session_tables

if TYPE_CHECKING:
    from ..spend.ledger import Ledger

BY = "GROUPING SETS ((component, {names}), (task, {names}), (day, {names}))"


def rate_of(rate: str, of: str) -> str:
    """SQL that joins the unit prices of `line`'s model `of` (from, to, whole) as `rate`."""
    return f"""
    LEFT JOIN price_key AS {rate}_key
        ON {rate}_key.day = line.day AND {rate}_key.slot = line.slot AND {rate}_key.processing = line.processing
        AND {rate}_key.tier = line.tier
        AND {rate}_key.provider = line.{of}_provider AND {rate}_key.model = line.{of}_model
    LEFT JOIN unit_rate AS {rate} ON {rate}.unit_id = {rate}_key.unit_id"""


# A class that has no tokens needs no price. Calls of a model without any price are in no figure.
AGAIN_GROUPS = f"""
WITH line AS (
    SELECT * EXCLUDE (by_half_hour), at_component AS component, at_task AS task FROM replay_again
    JOIN replay_place USING (place)
),
cell AS (
    SELECT
        line.component, line.task, line.day, line.from_name, line.to_name, line.switches, line.tokens,
        CASE WHEN line.short = 0 THEN 0 ELSE line.short * (would.cache_write_5m - would.cache_read) END
        + CASE WHEN line.long = 0 THEN 0 ELSE line.long * (would.cache_write_1h - would.cache_read) END AS usd
    FROM line {rate_of("was", "from")} {rate_of("would", "to")}
    WHERE was.input IS NOT NULL AND usd IS NOT NULL
)
SELECT component, task, day, from_name, to_name, sum(switches)::BIGINT, sum(tokens)::HUGEINT, sum(usd)
FROM cell GROUP BY {BY.format(names="from_name, to_name")} ORDER BY ALL
"""  # noqa: S608 (fixed text)
WHOLE_GROUPS = f"""
WITH cell AS (
    SELECT
        line.component, line.task, line.day, line.from_name, line.to_name, line.whole_name,
        {cost_at("would", PROMPT_CLASSES)} AS prompt_usd,
        {cost_at("would", OUTPUT_CLASSES)} AS output_usd,
        {cost_at("would", UNIT_CLASSES)} AS other_usd,
        {cost_at("whole", PROMPT_CLASSES)} AS whole_prompt_usd,
        {cost_at("whole", OUTPUT_CLASSES)} AS whole_output_usd,
        {cost_at("whole", UNIT_CLASSES)} AS whole_other_usd,
        whole_prompt_usd + whole_output_usd + whole_other_usd IS NOT NULL AS priced
    FROM replay_whole AS line {rate_of("was", "from")} {rate_of("would", "to")} {rate_of("whole", "whole")}
    WHERE {cost_at("was", TOKEN_CLASSES)} + prompt_usd + output_usd + other_usd IS NOT NULL
)
SELECT
    component, task, day, from_name, to_name, whole_name, priced,
    sum(prompt_usd), sum(output_usd), sum(other_usd),
    sum(whole_prompt_usd), sum(whole_output_usd), sum(whole_other_usd)
FROM cell GROUP BY {BY.format(names="from_name, to_name, whole_name, priced")} ORDER BY ALL
"""  # noqa: S608 (token classes)
LACKING = """
WITH summed AS (
    SELECT source, sum(request)::BIGINT AS calls FROM usage_daily
    WHERE role = 'calls' AND day >= $since AND day <= $until GROUP BY source
),
known AS (
    SELECT source, sum(request)::BIGINT AS calls FROM usage_event
    WHERE covered_by IS NULL AND NOT aggregated AND role = 'calls' AND session IS NOT NULL
        AND ts >= $since::DATE AND ts < $until::DATE + 1
    GROUP BY source
)
SELECT source, summed.calls - coalesce(known.calls, 0), summed.calls
FROM summed LEFT JOIN known USING (source) ORDER BY 2 DESC, 1
"""


class Again(NamedTuple):
    """Prefixes written again by calls of `model` that go to `to`: how often, tokens, USD more than read.

    Of one component, task or day; the two others are None.
    """

    component: str | None
    task: str | None
    day: date | None
    model: str
    to: str
    switches: int
    tokens: int
    usd: Decimal


class Elsewhere(NamedTuple):
    """Calls of `model` that go to `to`, and to `whole` where their session is moved whole; USD at both, no effects.

    Where `whole` has no price for them (`priced`), the last three are None.
    """

    component: str | None
    task: str | None
    day: date | None
    model: str
    to: str
    whole: str
    priced: bool
    prompt_usd: Decimal
    output_usd: Decimal
    other_usd: Decimal
    whole_prompt_usd: Decimal | None
    whole_output_usd: Decimal | None
    whole_other_usd: Decimal | None


class Lacking(NamedTuple):
    """Of how many of a source's calls no session is known."""

    source: str
    calls: int
    of: int


@dataclass(frozen=True)
class CacheEffects:
    """All of a replay's; both empty where no session's calls go to several models."""

    again: Sequence[Again]
    elsewhere: Sequence[Elsewhere]
    lacking: Sequence[Lacking]

    @property
    def pairs(self) -> set[tuple[str, str]]:
        """Each model and one that calls of it go to, either way."""
        whole = {pair for e in self.elsewhere for pair in ((e.model, e.to), (e.model, e.whole))}
        return whole | {(a.model, a.to) for a in self.again}

    @property
    def known(self) -> bool:
        """Whether any call has a session."""
        return any(source.calls < source.of for source in self.lacking)


def cache_effects(ledger: Ledger, since: date, until: date) -> CacheEffects:
    """Of the calls from `since` to `until`, both included, under the routes of `fill_tables`, which goes before."""
    connection = ledger.connection
    found = connection.execute(LACKING, {"since": since, "until": until}).fetchall()
    lacking = [Lacking(*line) for line in found]
    if not fill_session_tables(ledger, since, until):
        return CacheEffects((), (), lacking)
    return CacheEffects(
        [Again(*line) for line in connection.execute(AGAIN_GROUPS).fetchall()],
        [Elsewhere(*line) for line in connection.execute(WHOLE_GROUPS).fetchall()],
        lacking,
    )
