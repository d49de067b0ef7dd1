"""Tables: what is read at once and what is read row by row come to the same calls and the same rejects."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from costsim.usage.load import load
from emptied import open_store

HEADER = "Date,Model,Input (w/ Cache Write),Input (w/o Cache Write),Cache Read,Output Tokens,Total Tokens,Cost"
DATA = Path(__file__).parent.parent / "data" / "usage"
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_table_loaded_twice_and_in_parts_counts_each_row_once(tmp_path: Path) -> None:
    # two rows are alike (two requests in one second): both count, however often and in however many files they come
    rows = [f"2026-06-02T00:00:{n:02}Z,gpt-5,0,{n},0,7,,0" for n in (1, 2, 2, 3)]
    (tmp_path / "all.csv").write_text("\n".join([HEADER, *rows, ""]))
    (tmp_path / "newer.csv").write_text("\n".join([HEADER, *rows[1:], ""]))
    with open_store(Path(":memory:")) as store:
        for names in (["all.csv"], ["all.csv"], ["newer.csv"]):
            load(store, [tmp_path / name for name in names])
        assert store.execute("SELECT count(*), sum(input)::INTEGER FROM usage_event").fetchall() == [(4, 8)]


@pytest.mark.slow
def test_a_row_over_two_lines_counts_once_and_later_rejects_have_the_lines_of_the_file(tmp_path: Path) -> None:
    # line 2 to 3 is one row, line 4 another, line 5 has half a token
    row = "2026-06-02T00:00:0{},{},0,{},0,7,,0\n"
    file = tmp_path / "usage.csv"
    rows = [row.format("1Z", '"gpt-5\nmini"', 1), row.format("2Z", "gpt-5", 2), row.format("3Z", "gpt-5", "0.5")]
    file.write_text("".join([HEADER, "\n", *rows]))
    found, rejects = loaded(file, "SELECT count(*), sum(input)::INTEGER FROM usage_event")
    assert found == [(2, 3)]
    assert rejects == [(5, "Input (w/o Cache Write) is not a whole number")]


@pytest.mark.parametrize(
    ("cost", "usd"),
    [
        ("$1,234.50", "1234.50"),
        ("$1,234", "1234"),
        ("$0.16", "0.16"),
        ("Included", None),
        ("0,16", "rejected"),  # a decimal comma, no 16 USD
        ("$0,16", "rejected"),
        ("1,234", "rejected"),  # USD 1234 or 1.234
        ("$1.234,50", "rejected"),  # no USD 1.2345
        ("\u20ac0.16", "rejected"),
        ("CA$0.16", "rejected"),
    ],
)
def test_a_comma_in_a_cost_is_of_thousands_or_the_row_is_rejected(tmp_path: Path, cost: str, usd: str | None) -> None:
    file = tmp_path / "usage.csv"
    file.write_text(f'{HEADER}\n2026-06-02T00:00:00Z,gpt-5,0,3,0,7,10,"{cost}"\n', encoding="utf-8")
    found, rejects = loaded(file, "SELECT recorded_usd FROM usage_event")
    if usd == "rejected":
        assert (found, rejects) == ([], [(2, "a recorded cost that is no amount")])
    else:
        assert found == [(None if usd is None else Decimal(usd),)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_dotted_thousands_are_no_small_numbers(tmp_path: Path, delimiter: str) -> None:
    # 4.000 is four thousand where the comma is the decimal point; 4000.0 and 4000.000 are 4000 everywhere
    rows = [
        f"2026-06-02T00:00:0{n}Z,gpt-5,0,{count},0,7,,0"
        for n, count in enumerate(["4.000", "4000.0", "4000.000", "900"])
    ]
    file = tmp_path / "usage.csv"
    file.write_text("\n".join([HEADER, *rows, ""]).replace(",", delimiter))
    found, rejects = loaded(file, "SELECT sum(input)::INTEGER FROM usage_event")
    assert found == [(8900,)]
    assert rejects == [(2, "Input (w/o Cache Write) is not a whole number")]


def test_a_renamed_column_of_amounts_is_named_as_not_counted(tmp_path: Path) -> None:
    # a newer version calls Cost "Cost ($)": 0.16 + 1,000.04
    file = tmp_path / "usage.csv"
    header = HEADER.removesuffix("Cost") + "Cost ($)"
    at = "2026-06-02T00:00:0"
    file.write_text(f'{header}\n{at}1Z,gpt-5,0,3,0,7,10,$0.16\n{at}2Z,gpt-5,0,3,0,7,10,"$1,000.04"\n')
    with open_store(Path(":memory:")) as store:
        report = load(store, [file])
    assert [(one.field, one.occurrences, one.total) for one in report.unread] == [("Cost ($)", 2, Decimal("1000.20"))]


@pytest.mark.slow
def test_exports_in_one_file_are_named_by_the_line_of_the_header_that_stands_again(tmp_path: Path) -> None:
    focus = (DATA / "focus" / "tokens.csv").read_text()
    cursor = f"{HEADER}\n2026-06-02T00:00:00Z,gpt-5,0,3,0,7,10,0\n"
    for name, export in (("bill.csv", focus), ("usage.csv", cursor)):
        (tmp_path / name).write_text(export * 2)
        _, rejects = loaded(tmp_path / name, "SELECT 1")
        assert [line for line, why in rejects if why.startswith("the header again")] == [export.count("\n") + 1]


@pytest.mark.parametrize("quantity", ['"1.200,5"', '"1200,5"', '"1,200"', "many"])
def test_a_quantity_that_is_no_number_is_no_row_without_tokens(tmp_path: Path, quantity: str) -> None:
    bill = (DATA / "aws-cur" / "bedrock.csv").read_text()
    (tmp_path / "bill.csv").write_text(bill.replace(",1200.5,", f",{quantity},"))
    _, rejects = loaded(tmp_path / "bill.csv", "SELECT 1")
    assert (2, "a quantity that is no number") in rejects


def test_many_files_of_a_table_come_to_what_each_comes_to_by_itself(tmp_path: Path) -> None:
    # in the first all fits; in the second a row stands over two lines; in the third line 3 has half a token
    row = "2026-06-02T00:0{}:00Z,{},0,{},0,7,,0\n"
    bodies = [
        row.format(1, "gpt-5", 1) + row.format(2, "gpt-5", 2),
        row.format(3, '"gpt-5\nmini"', 3) + row.format(4, "gpt-5", 4),
        row.format(5, "gpt-5", 5) + row.format(6, "gpt-5", "0.5"),
    ]
    for number, body in enumerate(bodies):
        (tmp_path / f"{number}.csv").write_text(f"{HEADER}\n{body}")
    with open_store(Path(":memory:")) as store:
        load(store, [tmp_path])
        assert store.execute("SELECT count(*), sum(input)::INTEGER FROM usage_event").fetchall() == [(5, 15)]
        assert store.execute("SELECT line FROM reject").fetchall() == [(3,)]


@pytest.mark.slow
def test_a_wide_table_is_read_row_by_row_in_proportion_to_its_columns(tmp_path: Path) -> None:
    """Thousands of columns that may hold usage, beside a row that is none: five times the columns, 25 as squares."""
    took = []
    for wide in (600, 600, 3_000):  # the first is for what is loaded once
        names, start = [f"part{n}_tokens" for n in range(wide)], time.process_time()
        rows = [f"2026-06-02T00:00:00Z,gpt-5,0,1,0,7,,0{',1' * wide}", "torn"]
        (tmp_path / "usage.csv").write_text("\n".join([f"{HEADER},{','.join(names)}", *rows, ""]))
        assert loaded(tmp_path / "usage.csv", "SELECT sum(output) FROM usage_event")[0] == [(7,)]
        took.append(time.process_time() - start)
    assert took[2] / took[1] < 12
