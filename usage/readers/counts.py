"""Counts and cents as text, inside JSON or attribute lists, where no column type can refuse what is no number."""

from __future__ import annotations


def count_in_text(text: str) -> str:
    """SQL for the whole number that the SQL expression `text` (VARCHAR) holds; NULL counts as 0.

    What is no whole number becomes -1, which the loader rejects as it does every negative count: an unreadable
    count must not pass for none. Thirty digits can be added up without overflow.
    """
    return rf"CASE WHEN {text} IS NULL THEN 0 WHEN regexp_full_match({text}, '-?\d{{1,30}}(\.0+)?') " + (
        f"THEN TRY_CAST({text} AS HUGEINT) ELSE -1 END"
    )


def usd_from_cents(text: str) -> str:
    """SQL for the exact dollars (VARCHAR) of the cents that the SQL expression `text` (VARCHAR) holds.

    What is no amount is kept as text that the loader rejects; NULL stays NULL.
    """
    cents = f"TRY_CAST({text} AS DECIMAL(34, 16))"
    return f"coalesce(({cents} * DECIMAL '0.01')::VARCHAR, {text} || ' cents')"
