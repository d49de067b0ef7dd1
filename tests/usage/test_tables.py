"""Tables: what is read at once and what is read row by row come to the same calls and the same rejects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from costsim.usage.load import load
from costsim.usage.store import open_store

HEADER = "Date,Model,Input (w/ Cache Write),Input (w/o Cache Write),Cache Read,Output Tokens,Total Tokens,Cost"
COUNTS = [
    ("12", 12),
    ("12.0", 12),
    ('" 12 "', 12),
    ("1e3", 1000),
    ("", 0),
    ("1.5", None),  # a cast would make it 2
    ("1e-1", None),
    ("nan", None),
    ("inf", None),
    ("twelve", None),
    ("9007199254740993", None),  # no DOUBLE: and over 10^12
    ("-1", None),
]


def loaded(file: Path, query: str) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """What the query says of the calls of a file, and its rejects: line and reason."""
    with open_store(Path(":memory:")) as store:
        load(store, [file])
        rejects = store.execute("SELECT line, reason FROM reject ORDER BY 1").fetchall()
        return store.execute(query).fetchall(), rejects


@pytest.mark.parametrize("way", ["at once", "as texts", "row by row"])
def test_a_count_is_the_same_whole_number_whichever_way_its_file_is_read(tmp_path: Path, way: str) -> None:
    # a word in the column is no DOUBLE: all are read as texts; an empty line takes the file row by row
    counts = [(written, count) for written, count in COUNTS if way != "at once" or written != "twelve"]
    rows = [f"2026-06-02T00:00:{n:02}Z,gpt-5,0,{written},0,7,,0" for n, (written, _) in enumerate(counts)]
    file = tmp_path / "usage.csv"
    file.write_text("\n".join([HEADER, *rows, *[""] * (way == "row by row"), ""]))
    found, rejects = loaded(file, "SELECT input FROM usage_event ORDER BY ts")
    assert [count for (count,) in found] == [count for _, count in counts if count is not None]
    assert [line for line, _ in rejects] == [n + 2 for n, (_, count) in enumerate(counts) if count is None]


def test_entries_without_an_id_are_different_calls_where_a_separator_stands_elsewhere(tmp_path: Path) -> None:
    # model and user together are the same text in both rows: what an id is made of must say where one ends
    file = tmp_path / "usage.csv"
    at = "2026-06-02T00:00:00Z"
    file.write_text(f"{HEADER},User\n{at},gpt-5,0,3,0,7,10,0,1:ab\n{at},gpt-5:1,0,3,0,7,10,0,ab\n")
    found, _ = loaded(file, "SELECT count(DISTINCT event_id), sum(input)::INTEGER FROM usage_event")
    assert found == [(2, 6)]


def test_a_table_loaded_twice_and_in_parts_counts_each_row_once(tmp_path: Path) -> None:
    # two rows are alike (two requests in one second): both count, however often and in however many files they come
    rows = [f"2026-06-02T00:00:{n:02}Z,gpt-5,0,{n},0,7,,0" for n in (1, 2, 2, 3)]
    (tmp_path / "all.csv").write_text("\n".join([HEADER, *rows, ""]))
    (tmp_path / "newer.csv").write_text("\n".join([HEADER, *rows[1:], ""]))
    with open_store(Path(":memory:")) as store:
        for names in (["all.csv"], ["all.csv"], ["newer.csv"]):
            load(store, [tmp_path / name for name in names])
        assert store.execute("SELECT count(*), sum(input)::INTEGER FROM usage_event").fetchall() == [(4, 8)]


def test_a_row_over_two_lines_counts_once_and_later_rejects_have_the_lines_of_the_file(tmp_path: Path) -> None:
    # line 2 to 3 is one row, line 4 another, line 5 has half a token
    row = "2026-06-02T00:00:0{},{},0,{},0,7,,0\n"
    file = tmp_path / "usage.csv"
    rows = [row.format("1Z", '"gpt-5\nmini"', 1), row.format("2Z", "gpt-5", 2), row.format("3Z", "gpt-5", "0.5")]
    file.write_text("".join([HEADER, "\n", *rows]))
    found, rejects = loaded(file, "SELECT count(*), sum(input)::INTEGER FROM usage_event")
    assert found == [(2, 3)]
    assert rejects == [(5, "Input (w/o Cache Write) is not a whole number")]
