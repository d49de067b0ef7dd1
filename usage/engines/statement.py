"""The one statement of a rollup, in DuckDB's SQL, over a table of calls: `dialects.py` writes it for other engines.

The table is called `costsim_source` in it. Each call counts once (the entry with the largest output, then the latest,
then with the most tokens, as in a store), then `sums` of `usage/rollup.py` adds up what one price row pays for. A row
of the result says where it comes from (`origin`), at which token counts it is kept apart (`tier_starts`) and the hash
of all that decides its figures (`made_by`). Calls that are not usable are summed apart, with the reason in `fault`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping as Columns
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...documents import did_you_mean, nearest
from ...errors import UsageLogError
from ...tokens import BUT_TEXT_OUTPUT, TOKEN_CLASSES
from ..column_names import column_named
from ..reader import DEFAULTS, DIMENSIONS, identifier, text
from ..rollup import COUNTS, KEPT, sums

if TYPE_CHECKING:
    from ..readers.mapped import Mapping

SOURCE = "costsim_source"
UNIQUE = "event_id"
FIXED = {"source": "'calls'", "role": "'calls'", "component": "'unattributed'", "covered_by": "NULL"}
TYPES = {
    "ts": "TIMESTAMP",
    "period_end": "TIMESTAMP",
    "aggregated": "BOOLEAN",
    "context_tier": "BIGINT",
    "recorded_usd": "DECIMAL(38, 18)",
    **dict.fromkeys(TOKEN_CLASSES, "BIGINT"),
}
KEEPABLE = ("session", *DIMENSIONS)
USED = (*KEPT, *TOKEN_CLASSES, "ts", "period_end", "aggregated", "context_tier", "recorded_usd", "covered_by", UNIQUE)
APART = ("period_end", "recorded", "fault")
"""What is kept apart beside the rollup's own columns: the end of a bill's sum, whether a cost is recorded, a fault."""
FAULT = f"""
CASE WHEN ts IS NULL THEN 'no time'
    WHEN ts < CAST('2000-01-01' AS TIMESTAMP) OR ts >= CAST('2200-01-01' AS TIMESTAMP)
        THEN 'a time outside 2000 to 2199'
    WHEN recorded_usd < 0 AND role <> 'bill' THEN 'a negative recorded cost'
    WHEN abs(recorded_usd) > 100000000 THEN 'a recorded cost over 10^8 USD'
    WHEN least({", ".join(TOKEN_CLASSES)}) < 0 THEN 'a negative count'
    WHEN greatest({", ".join(TOKEN_CLASSES)}) > 1000000000000 THEN 'a count over 10^12' END
"""
BEST = f"""
output DESC, ts DESC, {BUT_TEXT_OUTPUT} DESC, recorded_usd DESC NULLS LAST,
    {", ".join(f"{name} DESC" for name in (*KEPT, *TOKEN_CLASSES))}
"""
"""The order of the entries of a call: the first counts."""
WHOLE = re.compile(
    r"(u?(tiny|small|big|huge)?int(eger|\d+)?|long|short|byte|(decimal|numeric|number)\(\d+, ?0\))", re.I
)


@dataclass(frozen=True)
class RollupStatement:
    """What a rollup is made of. `columns` are those of `usage_event`, as SQL over the source's own columns.

    `tier_starts` are token counts at which some price has a tier; `half_hour_models` the models, as logged, whose
    prices change within a day; `keep` further dimensions (KEEPABLE); `unique` says that calls carry an identity.
    """

    origin: str
    columns: Columns[str, str]
    tier_starts: Sequence[int]
    half_hour_models: Sequence[str] = ()
    keep: Sequence[str] = ()
    unique: bool = False

    @property
    def sql(self) -> str:
        """The whole statement: a row each sum, with `made_by`."""
        made_by = hashlib.sha256((self.origin + self._select("")).encode()).hexdigest()
        return self._select(made_by)

    @property
    def names(self) -> list[str]:
        """The columns of the result, in order."""
        return ["origin", "made_by", "tier_starts", "day", "slot", *KEPT, *APART, *self.keep, "tier", "calls",
                *TOKEN_CLASSES, "recorded_usd", "recorded_calls"]  # fmt: skip

    def _select(self, made_by: str) -> str:
        starts = ",".join(str(int(start)) for start in sorted(self.tier_starts))
        said = {"origin": text(self.origin), "made_by": text(made_by), "tier_starts": text(starts)}
        shown = ", ".join(
            f"{said.get(name, f'summed.{identifier(name)}')} AS {identifier(name)}" for name in self.names
        )
        models = ", ".join(text(model) for model in sorted(self.half_hour_models))
        also = [*APART, *(identifier(name) for name in self.keep)]
        slot = {} if models else {"slot": "(-1)::SMALLINT"}
        summed = sums("judged", self.tier_starts, COUNTS, slot, also, f"model IN ({models})")
        return f"WITH {self._calls()} SELECT {shown} FROM ({summed}) AS summed"  # noqa: S608 (quoted, or ours)

    def _calls(self) -> str:
        cast = ", ".join(f"{sql} AS {identifier(name)}" for name, sql in self.columns.items())
        parts = [f"call AS (SELECT {cast} FROM {SOURCE})"]  # noqa: S608 (see `columns`)
        sound = ", ".join(f"{_sound(name)} AS {identifier(name)}" for name in self.columns)
        judged = f"SELECT {sound}, recorded_usd IS NOT NULL AS recorded, {FAULT} AS fault FROM call"  # noqa: S608
        if not self.unique:
            return ", ".join([*parts, f"judged AS ({judged})"])
        place = f"row_number() OVER (PARTITION BY {UNIQUE}, fault ORDER BY {BEST}) AS place"
        parts.append(f"numbered AS (SELECT *, {place} FROM ({judged}) AS entry)")  # noqa: S608
        parts.append(
            f"judged AS (SELECT * FROM numbered WHERE {UNIQUE} IS NULL OR fault IS NOT NULL OR place = 1)"  # noqa: S608
        )
        return ", ".join(parts)


def columns_of(
    there: Columns[str, str] | None,
    mapping: Mapping | None,
    keep: Sequence[str],
    place: str,
    *,
    role: str | None = None,
    unique_by: str | None = None,
) -> dict[str, str]:
    """The columns of `usage_event` as SQL over a table with the columns `there` (name to type; None: not known).

    Raises UsageLogError for a column that is not there or of a type that would change figures, naming `place`.
    """
    _check_keep(keep)
    names = dict(mapping.columns) if mapping else {}
    if unique_by:
        names["id"] = unique_by
    if there is not None:
        names = {name: _column(there, column, place) for name, column in names.items()}
    found = _given(there, mapping, names, keep, place)
    if role:
        found["role"] = text(role)
    return {name: _typed(name, found.get(name)) for name in (*USED, *keep)}


def _column(there: Columns[str, str], name: str, place: str) -> str:
    column = column_named(name, there, place)
    if column is None:
        raise UsageLogError(f"there is no column {name!r}{did_you_mean(name, sorted(there))}", file=place)
    return column


def _check_keep(keep: Sequence[str]) -> None:
    for name in keep:
        if name not in KEEPABLE:
            raise UsageLogError(
                f"{name!r} cannot be kept{nearest(name, KEEPABLE)}: {', '.join(KEEPABLE)}", key="--keep"
            )


def _given(
    there: Columns[str, str] | None, mapping: Mapping | None, names: dict[str, str], keep: Sequence[str], place: str
) -> dict[str, str]:
    """SQL for what the source has of a call; the rest has its default."""
    wanted = (*USED, *keep)
    if mapping is None:
        own = {name: name if there is None else column_named(name, there, place) for name in wanted}
        for name in ("ts", "model"):
            if own[name] is None:
                raise UsageLogError(
                    f"there is no column {name!r}{did_you_mean(name, sorted(there or ()))}; or give --map", file=place
                )
        names = {name: column for name, column in own.items() if column} | {
            UNIQUE if name == "id" else name: column for name, column in names.items()
        }
    else:
        _check_mapping(mapping)
        names = {UNIQUE if name == "id" else name: column for name, column in names.items()}
    if there is not None:
        _check_types(there, names, place)
    found = {name: identifier(column) for name, column in names.items()}
    if mapping:
        found |= {name: text(value) for name, value in mapping.constants.items()} | {"role": text(mapping.role)}
        for name in (name for name in TOKEN_CLASSES if name in mapping.columns):
            found[name] += "".join(f" - coalesce({identifier(names[part])}, 0)" for part in mapping.within(name))
        if mapping.recorded_unit == "cents" and "recorded_usd" in found:
            found["recorded_usd"] = f"CAST({found['recorded_usd']} AS DECIMAL(30, 12)) * CAST('0.01' AS DECIMAL(3, 2))"
    return found


def _check_mapping(mapping: Mapping) -> None:
    if mapping.time_unit != "iso":
        raise UsageLogError("a rollup needs a column of timestamps, not numbers; make a view that has one", key="--map")
    tags = [name for name in (*mapping.columns, *mapping.constants) if name.startswith("tags.")]
    if tags:
        raise UsageLogError(f"a rollup keeps no tags ({tags[0]}); map it to one of: {', '.join(KEEPABLE)}", key="--map")


def _check_types(there: Columns[str, str], names: Columns[str, str], place: str) -> None:
    """Counts must be whole numbers and times timestamps: a cast would round the one and guess the other."""
    for name, column in names.items():
        kind = re.sub(r"^(Nullable|LowCardinality)\((.*)\)$", r"\2", there[column])
        if name in TOKEN_CLASSES and kind.upper() not in ('"NULL"', "NULL", "VOID") and not WHOLE.fullmatch(kind):
            raise UsageLogError(f"column {column!r} is {kind}, not a whole number", file=place)
        if name == "ts" and not kind.lower().startswith(("timestamp", "datetime", "date")):
            raise UsageLogError(f"column {column!r} is {kind}, not a timestamp", file=place)


def _sound(name: str) -> str:
    """SQL for what a call can have. What none has is only named, so that no sum overflows and no client meets a time or
    number that it does not know."""
    if name in TOKEN_CLASSES:
        return f"CASE WHEN {name} BETWEEN 0 AND 1000000000000 THEN {name} ELSE 0 END"
    if name == "recorded_usd":
        return f"CASE WHEN abs({name}) <= 100000000 THEN {name} END"
    if name in ("ts", "period_end"):
        first, after = (f"CAST('{year}-01-01' AS TIMESTAMP)" for year in (2000, 2200))
        return f"CASE WHEN {name} >= {first} AND {name} < {after} THEN {name} END"
    return identifier(name)


def _typed(name: str, sql: str | None) -> str:
    if name == UNIQUE and sql:
        return f"nullif(CAST({sql} AS VARCHAR), '')"
    kind = TYPES.get(name, "VARCHAR")
    missing = FIXED.get(name) or DEFAULTS.get(name, "NULL")
    if sql is None:
        return f"CAST({missing} AS {kind})"
    return f"CAST({sql} AS {kind})" if missing == "NULL" else f"coalesce(CAST({sql} AS {kind}), {missing})"
