"""Figures in the sentences of a check."""

from __future__ import annotations


def share(chance: float) -> str:
    """A share of trials in percent, never rounded to none or to all: `12%`, `<1%`."""
    percent = 100 * chance
    if 0 < percent < 1:
        return "<1%"
    return ">99%" if 99 < percent < 100 else f"{percent:.0f}%"
