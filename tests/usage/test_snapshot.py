"""A file that changes while it is read: one snapshot of it is what is hashed, read and remembered."""

from __future__ import annotations

import gzip
import importlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

import duckdb
import pytest
from costsim.errors import UsageLogError
from costsim.reports.loaded import lines as lines_of
from costsim.usage import read, records
from costsim.usage.bounded import bounded
from costsim.usage.files import LogFile
from costsim.usage.load import load
from costsim.usage.read import read_snapshots
from costsim.usage.readers.mapped import parse_mapping
from costsim.usage.snapshot import looked_at
from costsim.usage.tables import stream_csv
from emptied import open_store

MAPPING = parse_mapping("ts=ts,input=input,output=output,model=:gpt-4o")
HEADER = "ts,input,output\n"
OUTPUTS = "SELECT output FROM usage_event ORDER BY output"


def outputs(store: duckdb.DuckDBPyConnection) -> list[int]:
    return [output for (output,) in store.execute(OUTPUTS).fetchall()]


def row(output: int) -> str:
    return f"2026-10-05T10:00:00Z,1,{output}"


@pytest.mark.slow
def test_a_half_written_row_counts_only_with_its_end(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    with open_store(tmp_path / "costsim.duckdb") as store:
        file.write_text(f"{HEADER}{row(10)}\n{row(98)}")
        report = load(store, [file], mapping=MAPPING)
        assert outputs(store) == [10]
        assert report.waiting == [str(file)]
        assert "NOT COUNTED YET" in "\n".join(lines_of(report))
        with file.open("a") as out:
            out.write("765\n")
        load(store, [file], mapping=MAPPING)
        assert outputs(store) == [10, 98765]


@pytest.mark.slow
def test_a_half_written_row_of_a_packed_file_counts_only_with_its_end_or_at_rest(tmp_path: Path) -> None:
    file = tmp_path / "a.csv.gz"
    with open_store(tmp_path / "costsim.duckdb") as store:
        file.write_bytes(gzip.compress(f"{HEADER}{row(10)}\n{row(98)}".encode()))
        for _ in range(2):
            report = load(store, [file], mapping=MAPPING)
            assert (outputs(store), report.waiting) == ([10], [str(file)])
        with pytest.raises(UsageLogError, match="may be half written"):
            load(store, [file], mapping=MAPPING, strict=True)
        with file.open("ab") as out:
            out.write(gzip.compress(b"765\n"))
        report = load(store, [file], mapping=MAPPING)
        assert (outputs(store), report.waiting) == ([10, 98765], [])
        file.write_bytes(gzip.compress(f"{HEADER}{row(10)}\n{row(98765)}\n{row(7)}".encode()))
        os.utime(file, (1_700_000_000, 1_700_000_000))
        load(store, [file], mapping=MAPPING)
        assert outputs(store) == [7, 10, 98765]


@pytest.mark.slow
def test_a_last_row_that_stays_without_an_end_counts_at_the_next_load(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"{HEADER}{row(10)}\n{row(98)}")
    with open_store(tmp_path / "costsim.duckdb") as store:
        counted = []
        for _ in range(3):
            load(store, [file], mapping=MAPPING)
            counted.append(outputs(store))
    assert counted == [[10], [10, 98], [10, 98]]


def test_a_file_at_rest_counts_at_once_without_a_last_line_end(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"{HEADER}{row(10)}\n{row(98)}")
    os.utime(file, (1_700_000_000, 1_700_000_000))
    with open_store(tmp_path / "costsim.duckdb") as store:
        load(store, [file], mapping=MAPPING)
        assert outputs(store) == [10, 98]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_what_is_written_between_the_looks_is_left_to_the_next_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    file = tmp_path / name
    head = HEADER if name == "a.csv" else ""
    line = row if name == "a.csv" else lambda n: f'{{"ts": "2026-10-05T10:00:00Z", "input": 1, "output": {n}}}'
    file.write_text(f"{head}{line(10)}\n")
    reading = records.read_entries

    def while_written(*arguments: object) -> object:
        with file.open("a") as out:
            out.write(f"{line(20)}\n")
        return reading(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(read, "read_entries", while_written)
    with open_store(tmp_path / "costsim.duckdb") as store:
        load(store, [file], mapping=MAPPING)
        assert outputs(store) == [10]
        monkeypatch.undo()
        load(store, [file], mapping=MAPPING)
        assert outputs(store)[0] == 10
        assert set(outputs(store)) == {10, 20}
        assert store.execute("SELECT bytes FROM load").fetchone() == (file.stat().st_size,)


def test_a_file_cut_short_while_it_is_read_is_what_it_is_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"{HEADER}{row(10)}\n{row(20)}\n")
    reading = records.read_entries

    def while_cut(*arguments: object) -> object:
        file.write_text(f"{HEADER}{row(10)}\n")
        return reading(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(read, "read_entries", while_cut)
    with open_store(tmp_path / "costsim.duckdb") as store:
        load(store, [file], mapping=MAPPING)
        assert outputs(store) == [10]


def test_a_stream_of_a_snapshot_ends_where_the_file_ended(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"one\ntwo\n")
    with bounded(file, 8) as stream, file.open("ab") as writer:
        writer.write(b"three\n" * 100_000)
        writer.flush()
        assert stream.read() == b"one\ntwo\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows states no time at which an entry last changed")
@pytest.mark.parametrize("by_rename", [False, True], ids=["in place", "by another file"])
def test_other_content_of_the_same_size_and_time_is_read(tmp_path: Path, by_rename: bool) -> None:
    file, other = tmp_path / "a.csv", tmp_path / "b"
    with open_store(tmp_path / "costsim.duckdb") as store:
        file.write_text(f"{HEADER}{row(10)}\n")
        times = file.stat()
        load(store, [file], mapping=MAPPING)
        target = other if by_rename else file
        target.write_text(f"{HEADER}{row(77)}\n")
        os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))
        target.replace(file)
        assert (file.stat().st_size, file.stat().st_mtime_ns) == (times.st_size, times.st_mtime_ns)
        assert not load(store, [file], mapping=MAPPING).files[0].unchanged
        assert 77 in outputs(store)
        file.chmod(0o600)  # its content is the same, which is looked at once
        assert load(store, [file], mapping=MAPPING).files[0].unchanged


@pytest.mark.skipif(os.name == "nt", reason="Windows states no time at which an entry last changed")
def test_other_content_that_comes_while_a_file_is_read_is_read_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the same size, under the same time, between the reading and the hash of a file."""
    file, other = tmp_path / "a.csv", tmp_path / "other"
    for path, output in ((file, 10), (other, 99)):
        path.write_text(f"{HEADER}{row(output)}\n")
        os.utime(path, (1_700_000_000, 1_700_000_000))
    instead = iter([other])

    def replaced(*arguments: object) -> bool:
        done = stream_csv(*arguments)  # type: ignore[arg-type]
        for path in instead:
            path.replace(file)
        return done

    monkeypatch.setattr("costsim.usage.careful.stream_csv", replaced)
    with open_store(tmp_path / "costsim.duckdb") as store:
        load(store, [file], mapping=MAPPING)
        assert outputs(store) == [99]


def test_what_a_file_had_before_it_began_anew_during_a_load_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had grown when it was looked at, and was cut short (copytruncate) when it was read."""
    file = tmp_path / "a.csv"
    with open_store(tmp_path / "costsim.duckdb") as store:
        file.write_text(f"{HEADER}{row(10)}\n")
        load(store, [file], mapping=MAPPING)
        file.write_text(f"{HEADER}{row(10)}\n{row(20)}\n")

        def cut(*arguments: object) -> object:
            file.write_text(f"{HEADER}{row(30)}\n")
            return read_snapshots(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr("costsim.usage.load.read_snapshots", cut)
        assert load(store, [file], mapping=MAPPING).withdrawn == 0
        assert outputs(store) == [10, 30]


def half_row_anew(file: Path) -> None:
    file.write_text(f"{HEADER}{row(30)}\n{row(98)}")


def half_row_completed(file: Path) -> None:
    with file.open("a") as out:
        out.write("765\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("does", "first", "last"), [(half_row_anew, [30], [30, 98765]), (half_row_completed, [10], [10, 98765])]
)
def test_a_half_written_row_of_a_file_that_was_at_rest_when_the_load_began_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: Callable[[Path], None], first: list[int], last: list[int]
) -> None:
    """It begins anew, or its last row is completed, while it is read."""
    file = tmp_path / "a.csv"
    file.write_text(f"{HEADER}{row(10)}\n{row(98)}")
    os.utime(file, (1_700_000_000, 1_700_000_000))
    reading, once = records.read_entries, iter([file])

    def while_written(*arguments: object) -> object:
        for path in once:
            does(path)
        return reading(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(read, "read_entries", while_written)
    with open_store(tmp_path / "costsim.duckdb") as store:
        report = load(store, [file], mapping=MAPPING)
        assert (outputs(store), report.waiting) == (first, [str(file)])
        if not file.read_text().endswith("\n"):
            half_row_completed(file)
        load(store, [file], mapping=MAPPING)
        assert outputs(store) == last


def begins_anew(file: Path, content: bytes) -> None:
    with file.open("r+b") as out:
        out.truncate(0)
        out.write(content)


def is_replaced(file: Path, content: bytes) -> None:
    other = file.with_name("other")
    other.write_bytes(content)
    other.replace(file)


def numbered(ending: str, first: int, count: int) -> bytes:
    """A log of so many calls, with their outputs from `first` on."""
    numbers = range(first, first + count)
    match ending.removesuffix(".gz"):
        case "csv":
            text = HEADER + "".join(f"{row(number)}\n" for number in numbers)
        case "jsonl":
            text = "".join(f"{LINE.format(number)}\n" for number in numbers)
        case _:
            text = f"[{','.join(LINE.format(number) for number in numbers)}]"
    return gzip.compress(text.encode(), 0) if ending.endswith(".gz") else text.encode()


@pytest.mark.slow
@pytest.mark.parametrize("change", [begins_anew, is_replaced])
@pytest.mark.parametrize("ending", ["csv", "jsonl", "json", "csv.gz"])
@pytest.mark.parametrize("count", [1500, 4000], ids=["shorter", "longer"])
def test_no_call_is_made_of_halves_of_two_where_a_file_changes_while_it_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path, bytes], None], ending: str, count: int
) -> None:
    """3,000 calls (10000 to 12999), or others from 70000 on: never another, and at rest those that are there."""
    file = tmp_path / f"a.{ending}"
    before, after = numbered(ending, 10_000, 3000), numbered(ending, 70_000, count)
    file.write_bytes(before)
    once = iter([file])

    def by_pieces(stream: IO[bytes], out: IO[bytes], length: int) -> None:
        while piece := stream.read(length):
            out.write(piece)
            for path in once:
                change(path, after)

    monkeypatch.setattr("costsim.usage.snapshot.shutil.copyfileobj", by_pieces)
    monkeypatch.setattr(read, "changed", lambda _: True)
    with open_store(tmp_path / "costsim.duckdb") as store:
        load(store, [file], mapping=MAPPING)
        counted = {*outputs(store)}
        assert counted <= {*range(10_000, 13_000)} or counted <= {*range(70_000, 70_000 + count)}
        monkeypatch.undo()
        os.utime(file, (1_700_000_000, 1_700_000_000))
        load(store, [file], mapping=MAPPING)
        assert [output for output in outputs(store) if output >= 70_000] == [*range(70_000, 70_000 + count)]
        assert {*outputs(store)} <= {*range(10_000, 13_000), *range(70_000, 70_000 + count)}


@pytest.mark.slow
def test_what_is_appended_while_a_file_is_copied_is_left_to_the_next_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"{HEADER}{row(10)}\n{row(98)}")

    def while_written(stream: IO[bytes], out: IO[bytes], _: int) -> None:
        half_row_completed(file)
        out.write(stream.read())

    monkeypatch.setattr("costsim.usage.snapshot.shutil.copyfileobj", while_written)
    with open_store(tmp_path / "costsim.duckdb") as store:
        load(store, [file], mapping=MAPPING)
        assert outputs(store) == [10]
        monkeypatch.undo()
        load(store, [file], mapping=MAPPING)
        assert outputs(store) == [10, 98765]


STEPS = {
    "found": "costsim.usage.listing._log_file",
    "recognised": "costsim.usage.changes.tell_format",
    "looked at": "costsim.usage.changes.settled",
    "read": "costsim.usage.load.read_snapshots",
    "hashed": "costsim.usage.read.read_entries",
    "looked at again": "costsim.usage.read.changed",
}
GONE = "(the file cannot be read: No such file or directory|there is no such file, folder or match)"
LINE = '{{"ts": "2026-10-05T10:00:00Z", "input": 1, "output": {}}}'


def write(folder: Path, name: str, ending: str) -> Path:
    """A log with one call, whose output is the letter's number."""
    file = folder / f"{name}.{ending}"
    match ending:
        case "csv":
            file.write_text(f"{HEADER}{row(ord(name))}\n")
        case "csv.gz":
            file.write_bytes(gzip.compress(f"{HEADER}{row(ord(name))}\n".encode()))
        case "jsonl":
            file.write_text(f"{LINE.format(ord(name))}\n")
        case "json":
            file.write_text(f"[{LINE.format(ord(name))}]\n")
        case "parquet":
            call = f"SELECT '2026-10-05T10:00:00Z' AS ts, 1 AS input, {ord(name)} AS output"
            duckdb.execute(f"COPY ({call}) TO '{file}' (FORMAT parquet)")
    return file


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("ending", ["csv", "csv.gz", "jsonl", "json", "parquet"])
def test_a_file_that_vanishes_during_a_load_is_named_and_the_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, ending: str
) -> None:
    where, _, function = STEPS[step].rpartition(".")
    does = getattr(importlib.import_module(where), function)
    files = [write(tmp_path, name, ending) for name in ("a", "b", "c")]

    def gone(*arguments: object, **named: object) -> object:
        files[1].unlink(missing_ok=True)
        return does(*arguments, **named)

    with open_store(tmp_path / "costsim.duckdb") as store:
        monkeypatch.setattr(STEPS[step], gone)
        report = load(store, [tmp_path], mapping=MAPPING)
        assert outputs(store) == [ord("a"), ord("c")]
        assert store.execute("SELECT count(*) FROM passed_over").fetchone() == (0,)
        assert any(f"b.{ending}" in line for line in lines_of(report))
        write(tmp_path, "b", ending)
        with pytest.raises(UsageLogError, match=rf"b.{ending}: {GONE}$"):
            load(store, files, mapping=MAPPING)
        monkeypatch.undo()
        write(tmp_path, "b", ending)
        assert load(store, [tmp_path], mapping=MAPPING).calls == 1
        assert outputs(store) == [ord("a"), ord("b"), ord("c")]


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("sample", ["crush/crush.db", "claude-code/p9c7a29e069.jsonl"])
def test_a_log_of_an_agent_that_vanishes_keeps_no_other_from_being_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, sample: str
) -> None:
    """Databases, and lines that are sifted by their bytes, are opened in other places."""
    where, _, function = STEPS[step].rpartition(".")
    does = getattr(importlib.import_module(where), function)
    source = Path(__file__).parents[1] / "data" / "usage" / sample
    kept, gone = (tmp_path / f"{name}{source.suffix}" for name in "ab")
    for file in (kept, gone):
        file.write_bytes(source.read_bytes())

    def vanishing(*arguments: object, **named: object) -> object:
        gone.unlink(missing_ok=True)
        return does(*arguments, **named)

    monkeypatch.setattr(STEPS[step], vanishing)
    with open_store(tmp_path / "costsim.duckdb") as store:
        report = load(store, [tmp_path])
    assert [file.path for file in report.files] == [str(kept)]
    assert report.calls
    assert any(gone.name in line for line in lines_of(report))


def test_a_file_of_a_folder_that_is_gone_when_it_is_looked_at_keeps_no_other_from_being_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text(f"{HEADER}{row(ord(name))}\n")

    def gone(file: LogFile) -> LogFile:
        (tmp_path / "a.csv").unlink(missing_ok=True)
        return looked_at(file)

    monkeypatch.setattr("costsim.usage.changes.looked_at", gone)
    with open_store(tmp_path / "costsim.duckdb") as store:
        report = load(store, [tmp_path], mapping=MAPPING)
        assert outputs(store) == [ord("b")]
    assert report.unreadable == [f"  {tmp_path / 'a.csv'}: the file cannot be read: No such file or directory"]
