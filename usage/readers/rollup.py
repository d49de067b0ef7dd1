"""A rollup that `costsim rollup` made where the calls are: exact sums, each of what one price row pays for.

docs/scale.md. A sum of over 10^12 tokens is read as several, so that no figure passes what one entry may have.
"""

from __future__ import annotations

from ...tokens import TOKEN_CLASSES
from ..reader import DIMENSIONS, Reader, Sample

NAMES = ("origin", "made_by", "tier_starts", "day", "slot", "source", "role", "component", "agent", "task", "provider",
         "model", "processing", "status", "period_end", "recorded", "session", *DIMENSIONS, "tier")  # fmt: skip
QUOTED = ", ".join(f'"{name}"' for name in NAMES)
LARGEST = 1_000_000_000_000  # of a count of one entry, see usage/project.py
MOST_PARTS = 1_000  # more is no sum of tokens: it stays one entry, which is refused
CLASSES = ", ".join(TOKEN_CLASSES)


def _part(name: str) -> str:
    """A part of a sum; the parts add up to it exactly."""
    return f"{name} * (part + 1) // parts - {name} * part // parts AS {name}"


SQL = f"""
WITH sized AS (
    SELECT *, greatest({CLASSES}, 0) AS most,
        CASE WHEN most // {LARGEST} < {MOST_PARTS} AND least({CLASSES}, 0) > -{LARGEST}
             THEN (most // {LARGEST} + 1)::BIGINT ELSE 1 END AS parts
    FROM record
),
parted AS (SELECT *, unnest(range(parts)) AS part FROM sized)
SELECT file_id, line,
    concat_ws(':', 'rollup', md5(to_json(row({QUOTED}))::VARCHAR), nullif(part, 0)) AS event_id,
    TRY(TRY_CAST(day AS TIMESTAMP) + to_minutes(30 * greatest(slot, 0))) AS ts,
    role, component, agent, task, session, {", ".join(f'"{name}"' for name in DIMENSIONS)}, provider, model, processing,
    status,
    TRY_CAST(period_end AS TIMESTAMP) AS period_end,
    TRUE AS aggregated,
    tier AS context_tier,
    {", ".join(_part(name) for name in TOKEN_CLASSES)},
    CASE WHEN part = 0 OR recorded_usd IS NULL THEN recorded_usd ELSE '0' END AS recorded_usd,
    json_object('source', source, 'origin', origin, 'made_by', made_by, 'tier_starts', tier_starts, 'slot', slot,
        'calls', calls) AS tags,
    CASE WHEN fault IS NOT NULL THEN calls || ' calls with ' || fault END AS fault
FROM parted
"""  # noqa: S608 (constants only)

_MADE = " AND ".join(
    f"now.tags ->> '{name}' IS NOT DISTINCT FROM before.tags ->> '{name}'" for name in ("origin", "made_by")
)
REPLACED = f"now.ts::DATE = before.ts::DATE AND {_MADE}"
"""A rollup that is made anew says all that there is of its days, whatever its rows are kept apart by by now."""


def recognises(sample: Sample) -> bool:
    """The columns that only a rollup has."""
    return sample.has("origin", "made_by", "tier_starts", "day", "slot", "tier", "recorded_calls")


READER = Reader(
    name="rollup",
    origin="rollup",
    doc="https://parquet.apache.org/docs/file-format/",
    columns={
        **dict.fromkeys(NAMES, "VARCHAR"),
        **dict.fromkeys(("slot", "tier", "calls"), "BIGINT"),
        **dict.fromkeys(TOKEN_CLASSES, "HUGEINT"),
        "recorded_usd": "VARCHAR",
        "fault": "VARCHAR",
    },
    as_written=NAMES,  # names that differ in blanks at an end are kept apart as the calls are
    sql=SQL,
    recognises=recognises,
    input_includes_cached=False,
    counted=(*TOKEN_CLASSES, "recorded_usd"),
    left_out={
        "calls": "how many calls a sum has; kept as a tag",
        "recorded_calls": "how many calls have a recorded cost",
        "tier": "the tier of the sum's price",
        "tier_starts": "where the sums are kept apart",
    },
    no_call="no sum",
    replaced=(REPLACED,),
    unique_by="where the rollup is from, how it was made, and all that a sum is kept apart by",
    sample="made: a rollup of a few calls, by costsim rollup",
    kept_at="where costsim rollup --out writes it",
)
