"""Rollups of two engines, compared."""

from __future__ import annotations

from pathlib import Path

import duckdb
from costsim.analysis.spend.rollup_file import Wanted
from costsim.pricing.book import open_book

BOOK = open_book()
# 300 entries of 285 calls, among them calls below, at and above a tier, without an agent, and priced by the hour.
CALLS = """
SELECT 'e' || (i % 285) AS event_id, TIMESTAMP '2026-10-01' + INTERVAL (i * 797 % 200000) SECOND AS ts,
    CASE i % 3 WHEN 0 THEN 'anthropic' WHEN 1 THEN 'deepseek' ELSE 'google' END AS provider,
    CASE i % 3 WHEN 0 THEN 'claude-sonnet-4-5' WHEN 1 THEN 'deepseek-chat' ELSE 'gemini-2.5-pro' END AS model,
    'c' || (i % 2) AS component, CASE WHEN i % 7 = 0 THEN 'cto' END AS agent, 'u' || (i % 2) AS "user",
    (i * 37123 % 250000)::BIGINT AS input, (i % 90)::BIGINT AS output, (i % 100)::INTEGER AS cache_read,
    CASE WHEN i % 4 = 0 THEN ((i % 100) * 0.001)::DECIMAL(20, 10) END AS recorded_usd
FROM range(300) t(i)
"""
WANTED = Wanted(keep=["user"])


def rows_apart(one: Path, other: Path) -> int:
    """In how many rows two rollups differ, beside where they are from."""
    rows = "SELECT * EXCLUDE (origin, made_by) FROM '{}'"
    first, second = rows.format(one), rows.format(other)
    apart = f"(FROM ({first}) EXCEPT ALL FROM ({second})) UNION ALL (FROM ({second}) EXCEPT ALL FROM ({first}))"
    return int(duckdb.connect().execute(f"SELECT count(*) FROM ({apart})").fetchall()[0][0])
