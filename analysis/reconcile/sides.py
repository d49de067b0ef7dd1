"""The two sides of a pair, by day and model: tokens and cost by class at the price book, and what a bill states.

`every_daily` holds the rollup's counted and covered sums of the days in question. A *cell* is (day, provider, model),
named as the price lists name them; of a bill of whole months, the day is the month's first, and of one that names no
models, the model is empty.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ...tokens import CALL_CLASSES, TOKEN_SUM
from ..spend.names import BILLER, KNOWN_AS, name_models

if TYPE_CHECKING:
    from ...pricing.rows import ModelKey
    from ..spend.ledger import Ledger

CellKey = tuple[date, str, str]
"""Day, provider, model."""

EVERY = """
CREATE OR REPLACE TEMP TABLE every_daily AS
SELECT *, NULL::VARCHAR AS covered_by FROM usage_daily WHERE day BETWEEN $since AND $until
UNION ALL BY NAME SELECT * FROM covered_daily WHERE day BETWEEN $since AND $until
"""
NAMED = f"coalesce({BILLER}, '') AS named_provider, coalesce(known.called, '') AS named_model"
LINES = f"""
SELECT cell.source, cell.role, cell.covered_by IS NULL, day, {NAMED.format("cell")}, token_class, processing, tier,
    cell.component, coalesce(cell.agent, ''), coalesce(cell.task, ''), sum(tokens)::BIGINT, sum(cell.usd),
    bool_or(cell.usd IS NULL), as_billed
FROM cell {KNOWN_AS.format("cell")}
WHERE NOT (as_billed AND token_class = 'request') AND (tokens > 0 OR cell.usd <> 0)
GROUP BY ALL
"""  # noqa: S608 (constants only)
STATEMENTS = f"""
SELECT source, ts::DATE, {NAMED.format("usage_event")}, recorded_usd, request,
    upper(coalesce(tags ->> '$.category', tags ->> '$.item_type', '')),
    coalesce(tags ->> '$.description', tags ->> '$.line_item', tags ->> '$.service', ''),
    coalesce(period_end - ts > INTERVAL 1 DAY, FALSE),
    {TOKEN_SUM} + web_search > 0, processing,
    CASE WHEN source = 'copilot-bill' THEN TRY_CAST(tags ->> '$.discount_usd' AS DECIMAL(38, 18)) END
FROM usage_event {KNOWN_AS.format("usage_event")}
WHERE role = 'bill' AND recorded_usd IS NOT NULL AND ts::DATE BETWEEN $since AND $until
"""  # noqa: S608 (constants only)
MODELS = f"""
SELECT DISTINCT {NAMED.format("every_daily")}, every_daily.provider, every_daily.model
FROM every_daily {KNOWN_AS.format("every_daily")}
WHERE role = 'calls' AND every_daily.model IS NOT NULL ORDER BY ALL
"""  # noqa: S608 (constants only)
INCLUDED = "included in the plan"
CREDITS = ("CREDIT", "REFUND", "DISCOUNT")


@dataclass(frozen=True)
class SideLine:
    """Tokens of one class and their cost at the price book; None where they have no price."""

    source: str
    role: str
    counted: bool
    day: date
    provider: str
    model: str
    token_class: str
    processing: str
    tier: int
    group: tuple[str, str, str]
    tokens: int
    usd: Fraction | None
    as_billed: bool = False


@dataclass(frozen=True)
class Statement:
    """One charge or credit of a bill."""

    source: str
    day: date
    provider: str
    model: str
    usd: Fraction
    category: str
    description: str
    monthly: bool
    has_tokens: bool
    processing: str = "standard"

    @property
    def is_credit(self) -> bool:
        """Money back, whatever for."""
        return self.usd < 0 or self.category.startswith(CREDITS)


@dataclass
class SideCell:
    """One side of a cell: tokens and USD by class, how they were processed, and what is stated for it (USD, rows)."""

    tokens: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    usd: dict[str, Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    processing: set[str] = field(default_factory=set)
    tiers: set[int] = field(default_factory=set)
    unpriced: bool = False
    stated: Fraction | None = None
    rows: int = 0
    groups: dict[tuple[str, str, str], dict[str, int]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(int))
    )

    @property
    def book_usd(self) -> Fraction:
        """The cost at the price book."""
        return sum(self.usd.values(), Fraction())

    @property
    def total(self) -> Fraction:
        """What is stated, else the cost at the price book."""
        return self.book_usd if self.stated is None else self.stated

    @property
    def has_tokens(self) -> bool:
        """Whether tokens are known, all with a price."""
        return any(self.tokens.values()) and not self.unpriced

    def add(self, line: SideLine) -> None:
        """Add the tokens and cost of a line."""
        if line.token_class in CALL_CLASSES or line.usd:
            self.tokens[line.token_class] += line.tokens
            self.usd[line.token_class] += line.usd or 0
        self.unpriced |= line.usd is None
        self.processing.add(line.processing)
        self.tiers.add(line.tier)
        self.groups[line.group][line.token_class] += line.tokens

    def state(self, statement: Statement) -> None:
        """Add what is stated."""
        self.stated = (self.stated or Fraction()) + statement.usd
        self.rows += 1


@dataclass(frozen=True)
class Sides:
    """Everything that the sources have of the days in question; `models` by biller and plain name."""

    lines: tuple[SideLine, ...]
    statements: tuple[Statement, ...]
    models: Mapping[tuple[str, str], ModelKey]


def read_sides(ledger: Ledger, since: date, until: date) -> Sides:
    """Read the rollup's sums of these days, priced, and the bills' statements."""
    connection = ledger.connection
    bounds = {"since": since, "until": until}
    connection.execute(EVERY, bounds)
    ledger.choose(None, None, relation="every_daily")
    ledger.price_cells()
    name_models(connection, "every_daily")
    lines = tuple(map(_line, connection.execute(LINES).fetchall()))
    named = connection.execute(MODELS).fetchall()
    keys = {(biller, model): ledger.book.resolve(ref, provider) for biller, model, provider, ref in named}
    name_models(connection, "usage_event")
    found = connection.execute(STATEMENTS, bounds).fetchall()
    statements = tuple(statement for row in found for statement in _statements(row))
    return Sides(lines, statements, {name: key for name, key in keys.items() if key})


def _line(row: tuple[Any, ...]) -> SideLine:
    *start, component, agent, task, tokens, usd, lacks, as_billed = row
    source, role, counted, day, provider, model, kind, processing, tier = start
    priced = None if lacks else Fraction(usd)
    place = (source, role, counted, day, provider, model, kind, processing, tier)
    return SideLine(*place, (component, agent, task), tokens, priced, as_billed)


def _statements(row: tuple[Any, ...]) -> Iterator[Statement]:
    """A charge, and what a plan includes of it: that is not charged."""
    source, day, provider, model, usd, _, category, description, monthly, has_tokens, processing, included = row
    place = (source, day, provider, model)
    yield Statement(*place, Fraction(usd), category, description, monthly, has_tokens, processing)
    if included:
        yield Statement(*place, -Fraction(included), "CREDIT", INCLUDED, monthly, has_tokens=False)


def cells_of(
    lines: Iterable[SideLine], statements: Iterable[Statement], key: Callable[[date, str, str], CellKey]
) -> dict[CellKey, SideCell]:
    """One side's cells under the pair's keys."""
    found: dict[CellKey, SideCell] = defaultdict(SideCell)
    for line in lines:
        found[key(line.day, line.provider, line.model)].add(line)
    for statement in statements:
        found[key(statement.day, statement.provider, statement.model)].state(statement)
    return dict(found)
