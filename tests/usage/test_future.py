"""Calls of a wrong clock: they count on their day, and every total says that they are there."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from conftest import Run
from costsim.analysis.review.review import review
from costsim.analysis.spend.query import Query
from costsim.analysis.spend.spend import spend
from costsim.pricing.book import open_book
from costsim.reports.loaded import lines
from costsim.usage import future
from costsim.usage.load import load
from costsim.usage.readers.mapped import parse_mapping
from emptied import open_store

MAPPING = parse_mapping("ts=ts,input=input,output=output,model=:gpt-4o")
TODAY = date(2026, 10, 20)
LATE = "2 calls lie in the future, the latest on 3 Mar 2031: perhaps a wrong clock"


def log(folder: Path, *days: str) -> Path:
    """A call of each of these days, of 100 and 10 tokens."""
    file = folder / "a.csv"
    file.write_text("ts,input,output\n" + "".join(f"{day}T10:00:00Z,100,10\n" for day in days))
    return file


def test_tomorrow_is_no_future_for_it_is_there_already_somewhere(tmp_path: Path) -> None:
    """21 October is the day after 20 October; from 22 October on it is a wrong clock."""
    with open_store(tmp_path / "costsim.duckdb") as store:
        assert load(store, [log(tmp_path, "2026-10-20", "2026-10-21")], mapping=MAPPING, today=TODAY).future is None
        report = load(store, [log(tmp_path, "2026-10-21", "2026-10-22")], mapping=MAPPING, today=TODAY)
        assert report.future == "1 call lies in the future, the latest on 22 Oct 2026: perhaps a wrong clock"


@pytest.mark.slow
def test_calls_in_the_future_are_named_by_load_spend_and_review(tmp_path: Path) -> None:
    file = log(tmp_path, "2026-10-05", "2026-10-06", "2026-11-30", "2031-03-03")
    book = open_book()
    with open_store(tmp_path / "costsim.duckdb") as store:
        assert f"NOTE: {LATE}" in lines(load(store, [file], mapping=MAPPING, today=TODAY))
        assert load(store, [file], mapping=MAPPING, today=TODAY).future is None  # nothing was read
        found = spend(store, book, Query(("day",)), today=TODAY)
        assert (found.notes[0], found.total.calls) == (LATE, 4)
        of_october = spend(store, book, Query(("day",), until=date(2026, 10, 31)), today=TODAY)
        assert not [note for note in of_october.notes if "future" in note]
        october = review(store, book, "2026-10", today=TODAY, name="x")
        assert october.notes[0] == f"{LATE}; they are not in this month"
        assert not [
            note for note in review(store, book, "2026-10", today=date(2031, 3, 2), name="x").notes if "future" in note
        ]


@pytest.mark.slow
def test_the_command_line_goes_by_the_day_of_the_machine(
    costsim: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(future, "this_day", lambda: TODAY)
    log(tmp_path, "2026-10-05", "2026-11-30", "2031-03-03")
    named = ("--map", "ts=ts,input=input,output=output,model=:gpt-4o")
    assert f"NOTE: {LATE}" in costsim("load", "a.csv", *named).out.splitlines()
    assert f"note: {LATE}" in costsim("spend").out
