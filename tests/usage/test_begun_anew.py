"""What a file had before other content took its place stays, whatever was to be read again of it then."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from costsim.usage.load import load
from costsim.usage.readers.mapped import parse_mapping
from costsim.usage.store import open_store
from costsim.usage.upkeep import repair

pytestmark = pytest.mark.slow

MAPPING = parse_mapping("ts=ts,input=input,output=output,model=:gpt-4o")
OUTPUTS = "SELECT output FROM usage_event ORDER BY output"
TWICE = "INSERT INTO usage_event FROM usage_event WHERE output = 10"
OTHERWISE = "INSERT INTO usage_event SELECT * REPLACE (99 AS input) FROM usage_event WHERE output = 10"
Write = Callable[[Path, str], object]


def table(*outputs: int) -> str:
    return "ts,input,output\n" + "".join(f"2026-10-05T10:00:00Z,1,{output}\n" for output in outputs)


def packed(file: Path, content: str) -> None:
    file.write_bytes(gzip.compress(content.encode()))


def loaded(path: Path, *files: Path) -> list[int]:
    with open_store(path) as store:
        load(store, files, mapping=MAPPING)
        return [output for (output,) in store.execute(OUTPUTS).fetchall()]


def written_by_another_program(path: Path, sql: str) -> None:
    with duckdb.connect(str(path)) as store:
        store.execute(sql)


def test_what_a_packed_table_had_whose_last_row_waited(tmp_path: Path) -> None:
    """Rows 10 and 20 count; the 98 that waits may be half of another number. Then the file begins anew, and grows."""
    store, file = tmp_path / "costsim.duckdb", tmp_path / "a.csv.gz"
    packed(file, table(10, 20, 98)[:-1])
    assert loaded(store, file) == [10, 20]
    packed(file, table(30))
    assert loaded(store, file) == [10, 20, 30]
    with file.open("ab") as out:  # another member of gzip: all that it held still stands
        out.write(gzip.compress(b"2026-10-05T10:00:00Z,1,40\n"))
    assert loaded(store, file) == [10, 20, 30, 40]


@pytest.mark.parametrize("lost", [False, True], ids=["repaired", "and lost what it knew of files begun anew"])
@pytest.mark.parametrize(("name", "write"), [("a.csv", Path.write_text), ("a.csv.gz", packed)])
def test_what_a_file_had_when_the_store_was_repaired(tmp_path: Path, name: str, write: Write, lost: bool) -> None:
    """10 is of the time before the file first began anew; it does so once more after the repair, and grows."""
    store, file = tmp_path / "costsim.duckdb", tmp_path / name
    for content in (table(10), table(20)):
        write(file, content)
        loaded(store, file)
    written_by_another_program(store, TWICE)
    if lost:
        written_by_another_program(store, "DROP TABLE past_call")
    repair(store)
    for content, outputs in ((table(30), [10, 20, 30]), (table(30, 40), [10, 20, 30, 40])):
        write(file, content)
        assert loaded(store, file) == outputs


def test_a_repaired_store_reads_a_file_again_that_is_as_it_was(tmp_path: Path) -> None:
    store, file = tmp_path / "costsim.duckdb", tmp_path / "a.csv"
    file.write_text(table(10, 20))
    os.utime(file, (1_700_000_000, 1_700_000_000))
    loaded(store, file)
    written_by_another_program(store, OTHERWISE)
    repair(store)
    assert loaded(store, file) == [10, 20]


@pytest.mark.parametrize("first", ["a", "b"])
def test_calls_of_a_wrong_mapping_go_though_their_file_was_to_be_read_again(tmp_path: Path, first: str) -> None:
    """Both files have the call 10. Whichever of them it stands under, the other may have it too: it is read again."""
    wrong = parse_mapping("ts=ts,input=output,output=input,model=:gpt-4o")
    files = {"a": tmp_path / "a.csv", "b": tmp_path / "b.csv"}
    files["a"].write_text(table(10, 20))
    files["b"].write_text(table(10, 30))
    with open_store(tmp_path / "costsim.duckdb") as store:
        load(store, [*files.values()], mapping=wrong)
        for name in (first, *{*files} - {first}):
            load(store, [files[name]], mapping=MAPPING)
        assert store.execute("SELECT input, output FROM usage_event ORDER BY ALL").fetchall() == [
            (1, 10), (1, 20), (1, 30),
        ]  # fmt: skip
