"""Files of a folder are known by what they hold, whatever their names; what is no log is counted by what it is."""

from __future__ import annotations

import gzip
import json
import shutil
import sqlite3
from pathlib import Path

import duckdb
import pytest
from costsim.errors import UsageLogError
from costsim.reports.loaded import lines as lines_of
from costsim.usage.load import load
from costsim.usage.passed_over import counts
from costsim.usage.report import LoadReport
from costsim.usage.store import open_store

CASE = Path(__file__).parents[2].parent / "shared" / "cases" / "in" / "P06"
NO_LOGS = {
    "shot.png": (b"\x89PNG\r\n\x1a\n\0\0", "an image"),
    "nothing.jsonl": (b"", "empty"),
    "blank.log": (b" \n\n", "empty"),
    "core": (b"\x7fELF\2\1\0", "a program"),
    "data.bin": (b"abc\0def", "binary"),
    "all.zip": (b"PK\3\4....", "an archive"),
    "settings.json": (b'{"theme": "dark"}', "settings"),
    "config.toml": (b"a = 1\n", "settings"),
    "README.md": (b"# Hello\n", "a text or program"),
    "people.csv": (b"name,age\nA,1\n", "a table of no known format"),
    "notes": (b"hello\n", "no known format"),
    "other.jsonl": (b'{"a": 1}\n', "no known format"),
}


def message(n: int) -> str:
    usage = {"input": 100, "output": 10, "cacheRead": 0, "cacheWrite": 0}
    return json.dumps({
        "type": "message", "id": f"e{n}", "timestamp": f"2026-10-05T10:00:{n:02}Z",
        "message": {"role": "assistant", "provider": "anthropic", "model": "claude-haiku-4-5", "usage": usage},
    })  # fmt: skip


def loaded(folder: Path, store: Path) -> LoadReport:
    with open_store(store) as connection:
        return load(connection, [folder])


@pytest.mark.parametrize(
    "name",
    [
        "x.jsonl.reset.2026-10-02T10-00-00.000Z", "x.jsonl.deleted.2026-10-03T10-00-00.000Z",
        "x.jsonl.imported-2026-10-04", "x.jsonl.bak", "x.jsonl.bak-1-2026", "x.jsonl.1", "x.log", "x.txt", "x",
    ],
)  # fmt: skip
def test_a_log_of_any_name_is_read_and_its_copy_counts_once(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "sessions"
    folder.mkdir()
    (folder / name).write_text(message(1) + "\n" + message(2) + "\n")
    (folder / "copy.jsonl").write_text(message(1) + "\n")
    report = loaded(folder, tmp_path / "s.duckdb")
    # three entries, two calls: e1 stands in both files
    assert (report.total("entries"), report.total("added"), report.passed_over) == (3, 2, {})


@pytest.mark.slow
def test_a_database_that_is_cut_short_is_named_in_a_folder_and_refused_alone(tmp_path: Path) -> None:
    folder, whole = tmp_path / "mixed", tmp_path / "whole.db"
    folder.mkdir()
    with sqlite3.connect(whole) as database:
        database.execute("CREATE TABLE message (id, session_id, time_created, data)")
        database.executemany("INSERT INTO message VALUES (1, 2, 3, ?)", [("x" * 1000,)] * 20)
    (folder / "opencode.db").write_bytes(whole.read_bytes()[:5000])
    (folder / "session.jsonl").write_text(message(1) + "\n")
    report = loaded(folder, tmp_path / "s.duckdb")
    assert list(report.passed_over.values()) == ["a damaged database: copy it again"]
    with pytest.raises(UsageLogError, match="damaged or cut short"):
        loaded(folder / "opencode.db", tmp_path / "s.duckdb")
    packed = tmp_path / "whole.db.gz"
    packed.write_bytes(gzip.compress(whole.read_bytes()))
    with pytest.raises(UsageLogError, match="a packed database: unpack it first"):
        loaded(packed, tmp_path / "s.duckdb")


@pytest.mark.slow
def test_every_file_that_is_no_log_is_counted_by_what_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "session.jsonl").write_text(message(1) + "\n")
    for name, (content, _) in NO_LOGS.items():
        (folder / name).write_bytes(content)
    sqlite3.connect(folder / "other.db").execute("CREATE TABLE t (a)").connection.close()
    duckdb.connect(str(folder / "mine.duckdb")).close()
    (folder / "gone").symlink_to(tmp_path / "nowhere")
    report = loaded(folder, tmp_path / "s.duckdb")
    expected = {name: why for name, (_, why) in NO_LOGS.items()}
    expected |= {"other.db": "a database of no known format", "mine.duckdb": "a DuckDB database"}
    found = {Path(path).name: why for path, why in report.passed_over.items()}
    assert found.pop("gone").startswith("cannot be read")
    assert found == expected
    assert "15 files passed over (" in lines_of(report)[0]
    assert "people.csv" in lines_of(report)[0]  # what may be a log of one's own is named
    with open_store(tmp_path / "s.duckdb") as store:
        # the settings are two files, a JSON and a TOML; the empty ones too
        assert (counts(store)["settings"], counts(store)["empty"]) == (2, 2)


@pytest.mark.slow
def test_a_file_that_is_read_later_is_passed_over_no_more(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "x.log").write_text("starting\n")
    loaded(folder, tmp_path / "s.duckdb")
    (folder / "x.log").write_text(message(1) + "\n")
    loaded(folder, tmp_path / "s.duckdb")
    with open_store(tmp_path / "s.duckdb") as store:
        assert counts(store) == {}


def test_a_recognised_file_without_a_call_says_why(tmp_path: Path) -> None:
    file = tmp_path / "s.jsonl"
    file.write_text('{"type": "user", "sessionId": "s", "uuid": "u", "parentUuid": "p"}\n')
    report = loaded(file, tmp_path / "s.duckdb")
    assert "1 file without a call (claude-code: a session with no assistant message): s.jsonl" in lines_of(report)


@pytest.mark.skipif(not CASE.is_dir(), reason="the shared cases are not here")
def test_the_shared_case_of_reset_deleted_and_imported_sessions(tmp_path: Path) -> None:
    shutil.copytree(CASE, tmp_path / "P06")
    report = loaded(tmp_path / "P06", tmp_path / "s.duckdb")
    assert report.total("added") == 4
