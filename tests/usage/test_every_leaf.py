"""Any value at any place of a log of any format: what is no entry is a reject, and nothing beside it is lost.

With COSTSIM_THOROUGH=1 every place has each value. By default a sample has some of the values, other samples others, and
a document or database in some of its places.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from costsim.usage.load import load
from costsim.usage.reader import Sample
from costsim.usage.readers import READERS
from emptied import open_store
from every_leaf import CELLS, VALUES, databases_with, places, records_with, replaced, table_with
from thorough import THOROUGH, examples

DATA = Path(__file__).parent.parent / "data" / "usage"
LINES = sorted(DATA.glob("*/*.jsonl"))
TEXTS = sorted(DATA.glob("*/*.json"))
TABLES = sorted(DATA.glob("*/*.csv"))
DATABASES = sorted(DATA.glob("*/*.db"))
BESIDE = DATA / "vertex" / "request-response.jsonl"  # of two calls
CALLS = "SELECT event_id FROM usage_event"
FAULTS = """
SELECT path, line, reason FROM reject JOIN load USING (file_id)
WHERE regexp_matches(reason, 'Error|xception|of another kind than')
"""
READ = "SELECT path FROM load WHERE reader = ? AND entries > 0"
ENTRIES = "SELECT entries FROM load WHERE parse_filename(path) = 'beside.jsonl'"


def name_of(file: Path) -> str:
    return f"{file.parent.name}/{file.name}"


def some_of(values: list[Any], log: Path) -> list[Any]:
    """All values, or about three of them, by turns."""
    step = max(1, len(values) // examples(2, len(values)))
    return values[crc32(name_of(log).encode()) % step :: step]


def some(values: list[Any], places: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    """Places, each with a value: all of all, or about ten places with the values by turns."""
    for number, place in enumerate(places[:: max(1, len(places) // examples(4, len(places)))]):
        for turn in range(examples(1, len(values))):
            yield place, values[(number + turn) % len(values)]


def check(folder: Path, format: str) -> None:
    """A folder is loaded by its content without a fault, and the good file in it whole; so is as of the format what
    was not known as of it (with COSTSIM_THOROUGH=1 all of it: what its content says is read by the same reader)."""
    shutil.copyfile(BESIDE, folder / "beside.jsonl")
    with open_store() as store:
        load(store, [folder])
        assert store.execute(FAULTS).fetchall() == []
        assert store.execute(ENTRIES).fetchall() == [(2,)]
        read = store.execute(READ, [format]).fetchall()
    for (path,) in () if THOROUGH else read:
        Path(path).unlink()
    if any(file != folder / "beside.jsonl" for file in folder.rglob("*.*")):
        with open_store() as store:
            load(store, [folder], format=format)
            assert store.execute(FAULTS).fetchall() == []


@pytest.mark.slow
@pytest.mark.parametrize("log", LINES, ids=name_of)
def test_lines_with_any_value_anywhere(tmp_path: Path, log: Path) -> None:
    lines = [line for line in log.read_text().splitlines() if line.strip()]
    records = [json.loads(line) for line in lines if line[0] == "{"]
    for number, value in enumerate(some_of(VALUES, log)):
        changed = map(json.dumps, records_with(records, value))
        (tmp_path / f"{number}.jsonl").write_text("\n".join([*lines[:30], *changed]) + "\n")
    check(tmp_path, log.parent.name)


@pytest.mark.slow
@pytest.mark.parametrize("log", TEXTS, ids=name_of)
def test_documents_with_any_value_anywhere(tmp_path: Path, log: Path) -> None:
    document = json.loads(log.read_text())
    for number, (path, value) in enumerate(some(VALUES, places(document))):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / log.name).write_text(json.dumps(replaced(document, path, value)))
    check(tmp_path, log.parent.name)


@pytest.mark.slow
@pytest.mark.parametrize("log", TABLES, ids=name_of)
def test_tables_with_any_cell_anywhere(tmp_path: Path, log: Path) -> None:
    for number, cell in enumerate(some_of(CELLS, log)):
        (tmp_path / f"{number}.csv").write_text(table_with(log.read_text(), cell), "utf-8", "surrogateescape")
    check(tmp_path, log.parent.name)


@pytest.mark.slow
@pytest.mark.parametrize("log", DATABASES, ids=name_of)
def test_databases_with_any_value_anywhere(tmp_path: Path, log: Path) -> None:
    values = [*VALUES, float("inf"), b"\xff\xfe"]
    for number, ((path, change), value) in enumerate(some(values, [*databases_with(log.read_bytes())])):
        change(value, tmp_path / f"{number}-{path}.db")
    check(tmp_path, log.parent.name)


@pytest.mark.slow
@pytest.mark.parametrize("log", [*LINES, *TEXTS], ids=name_of)
def test_no_reader_fails_to_look_at_any_value(log: Path) -> None:
    text = log.read_text()
    lines = [text] if log.suffix == ".json" else [line for line in text.splitlines()[:20] if line.strip()]
    for value in some_of(VALUES, log):
        for record in records_with([json.loads(line) for line in lines], value):
            items = record if isinstance(record, list) else [record]
            sample = Sample(str(log), "ndjson", tuple(item for item in items if isinstance(item, dict)))
            for reader in READERS:
                if reader.recognises(sample) and reader.narrow:
                    reader.narrow(reader, sample)


REJECTS_OF_B = """
SELECT line, reason FROM reject JOIN load USING (file_id) WHERE parse_filename(path) = 'b.csv'
    AND line NOT IN (SELECT line FROM reject JOIN load USING (file_id) WHERE parse_filename(path) = 'a.csv')
"""
BILLS = {
    "aws-cur/bedrock.csv": "line_item_usage_amount",
    "azure-cost/meters.csv": "Quantity",
    "focus/tokens.csv": "ConsumedQuantity",
}


@pytest.mark.parametrize("cell", ["NaN", "inf", "1e39", "1e400"])
@pytest.mark.parametrize("sample", BILLS)
def test_a_quantity_that_no_count_has_costs_its_own_row_alone(tmp_path: Path, sample: str, cell: str) -> None:
    """Two files in a folder, which are projected together: the row of one is rejected, all others count."""
    with (DATA / sample).open(newline="") as file:
        rows = list(csv.DictReader(file))
    place = next(place for place, row in enumerate(rows) if "oken" in str(row) and row[BILLS[sample]])
    for name in ("a", "b"):
        if name == "b":
            rows[place][BILLS[sample]] = cell
        with (tmp_path / f"{name}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    with open_store() as store:
        load(store, [tmp_path])
        entries = dict(store.execute("SELECT parse_filename(path), entries FROM load").fetchall())
        rejects = dict(store.execute(REJECTS_OF_B).fetchall())
    assert list(rejects) == [place + 2]
    assert rejects[place + 2] in ("a quantity that is no number", "a count over 10^12")
    assert entries["b.csv"] == entries["a.csv"] - 1


@pytest.mark.parametrize("odd", [[], {}, [1], None, 1.5])
def test_an_id_of_another_kind_costs_no_thread(tmp_path: Path, odd: object) -> None:
    shutil.copyfile(BESIDE, tmp_path / "beside.jsonl")
    for file in (DATA / "amp").glob("*.json"):
        thread = json.loads(file.read_text())
        for message in thread["messages"]:
            message["messageId"] = odd
        for event in thread.get("usageLedger", {}).get("events", []):
            event["toMessageId"] = odd
        (tmp_path / file.name).write_text(json.dumps(thread))
    with open_store() as store:
        load(store, [tmp_path], format=None)
        assert store.execute(ENTRIES).fetchall() == [(2,)]
        assert store.execute(FAULTS).fetchall() == []


WHOLE = ["10e-1", "1e0", "1.0", "20950000e-4", "1E+3", "0.1e1", "1.50e1"]
NONE = ["15e-1", "2.5", "NaN", "1e39", "9007199254740993", "9" * 30]


@pytest.mark.parametrize("written", [*WHOLE, *NONE])
def test_a_whole_number_of_a_table_is_read_alike_beside_a_short_row(tmp_path: Path, written: str) -> None:
    text = (DATA / "litellm-daily" / "daily_user_spend.csv").read_text()
    header, first, *others = text.splitlines()
    cells = next(csv.reader([first]))
    cells[header.split(",").index("api_requests")] = written
    found = []
    for more in ([], ["only,two"]):
        with (tmp_path / "log.csv").open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([header.split(","), cells])
            file.write("\n".join([*others, *more]) + "\n")
        with open_store() as store:
            load(store, [tmp_path / "log.csv"])
            rejects = store.execute("SELECT line, reason FROM reject WHERE reason NOT LIKE 'the row has%'").fetchall()
            found.append((store.execute(f"{CALLS} ORDER BY ALL").fetchall(), rejects))
    assert found[0] == found[1]
    assert len(found[0][1]) == (written in NONE)
