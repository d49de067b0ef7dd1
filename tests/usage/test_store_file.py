"""What is named as a store and is none: it is refused in one line that says what it is, and stays as it was."""

from __future__ import annotations

import gzip
import os
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from conftest import Run
from costsim.errors import StoreError
from costsim.usage.store import open_store

ARCHITECTURE = "components: [{name: a, model: gpt-4o, runs_per_day: 5, tokens: {input: 5, output: 1}}]\n"
VERSION_AT = slice(12, 20)  # in the first block of a DuckDB file
Make = Callable[[Path], object]


def sql(*statements: str) -> Make:
    def make(path: Path) -> None:
        with duckdb.connect(str(path)) as other:
            for statement in statements:
                other.execute(statement)

    return make


def sqlite_file(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE calls (a)")


def encrypted(path: Path) -> None:
    with duckdb.connect() as other:
        other.execute("SET force_mbedtls_unsafe = 'true'")
        other.execute(f"ATTACH '{path}' AS other (ENCRYPTION_KEY 'k')")
        other.execute("CREATE TABLE other.sales (a INT)")


def newer(path: Path) -> None:
    """A file of storage version 1500, its checksum right: DuckDB's over 64-bit words of the block."""
    sql("CREATE TABLE sales (a INT)")(path)
    content = bytearray(path.read_bytes())
    content[VERSION_AT] = struct.pack("<Q", 1500)
    checksum = 5381
    for (word,) in struct.iter_unpack("<Q", content[8:4096]):
        checksum ^= word * 0xBF58476D1CE4E5B9 % 2**64
    content[:8] = struct.pack("<Q", checksum)
    path.write_bytes(content)


def parquet(path: Path) -> None:
    with duckdb.connect() as other:
        other.execute(f"COPY (SELECT 1 AS a) TO '{path}' (FORMAT parquet)")


OTHERS: dict[str, tuple[Make, str]] = {
    "table": (sql("CREATE TABLE sales (a INT)"), "another program (it has sales)"),
    "its own schema_version": (
        sql("CREATE TABLE schema_version (version INT)", "INSERT INTO schema_version VALUES (11)"),
        "another program (it has schema_version)",
    ),
    "a table named as one of ours": (sql("CREATE TABLE projection (a INT)"), "another program (it has projection)"),
    "schema": (sql("CREATE SCHEMA s", "CREATE TABLE s.sales (a INT)"), "another program (it has the schema s, sales)"),
    "view": (sql("CREATE VIEW projection AS SELECT 1 AS run"), "another program (it has projection)"),
    "macro, type, sequence": (
        sql("CREATE MACRO f(a) AS a", "CREATE TYPE t AS ENUM ('a')", "CREATE SEQUENCE x"),
        "another program (it has f, t, x)",
    ),
    "SQLite": (sqlite_file, "this is a SQLite database"),
    "Parquet": (parquet, "this is a Parquet file"),
    "CSV": (lambda path: path.write_text("a,b\n1,2\n"), "this is no DuckDB database"),
    "packed": (lambda path: path.write_bytes(gzip.compress(b"x" * 100)), "this is no DuckDB database"),
    "encrypted": (encrypted, "this DuckDB database is encrypted"),
    "newer": (newer, "a newer DuckDB than the one installed"),
    "folder": (Path.mkdir, "this is a folder"),
    "pipe": (os.mkfifo, "this is no regular file"),
}


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("read_only", [True, False])
def test_what_is_no_store_is_refused_and_stays_as_it_was(tmp_path: Path, kind: str, read_only: bool) -> None:
    make, message = OTHERS[kind]
    path = tmp_path / "costsim.duckdb"
    make(path)
    before = (path.read_bytes() if path.is_file() else b"", path.stat().st_mtime_ns)
    with pytest.raises(StoreError) as refused, open_store(path, read_only=read_only):
        pass
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert before == (path.read_bytes() if path.is_file() else b"", path.stat().st_mtime_ns)
    assert [file.name for file in tmp_path.iterdir()] == ["costsim.duckdb"]


@pytest.mark.parametrize("name", ["calls.parquet", "calls.csv", "calls.json"])
def test_a_table_is_no_store_whatever_its_name(tmp_path: Path, name: str) -> None:
    """DuckDB opens a database in memory over such files: what was loaded would be gone at the end."""
    path = tmp_path / name
    path.write_text("a,b\n1,2\n")
    with pytest.raises(StoreError, match="no DuckDB database"), open_store(path):
        pass


def log_of_another(folder: Path) -> bytes:
    """What a killed writer left beside a database, which is gone."""
    path = folder / "killed.duckdb"
    sql("CREATE TABLE sales (a INT)")(path)
    if (child := os.fork()) == 0:
        other = duckdb.connect(str(path))
        other.execute("INSERT INTO sales VALUES (6)")
        os._exit(9)
    os.waitpid(child, 0)
    path.unlink()
    log = path.with_name("killed.duckdb.wal")
    content = log.read_bytes()
    log.unlink()
    return content


@pytest.mark.slow
def test_a_log_of_another_database_beside_a_store_is_to_be_moved_away(tmp_path: Path, costsim: Run) -> None:
    """Through a link too: the log is beside the file itself."""
    path, link = tmp_path / "costsim.duckdb", tmp_path / "a link.duckdb"
    with open_store(path):
        pass
    content = log_of_another(tmp_path)
    log = tmp_path / "costsim.duckdb.wal"
    log.write_bytes(content)
    link.symlink_to(path)
    for db in (path, link):
        for words in (["spend"], ["load", "."], ["store", "verify"], ["store", "repair"], ["store", "compact"]):
            done = costsim(*words, "--db", str(db))
            assert (done.code, done.err.count("\n")) == (2, 1), done.err
            assert done.err.endswith(f"is of another database, or of another copy of this one; move it away: "
                                     f"mv {log} {log}.other\n")  # fmt: skip
            assert log.read_bytes() == content
    log.rename(tmp_path / "costsim.duckdb.wal.other")
    assert costsim("store", "verify", "--db", str(link)).code == 0


NO_LOGS = {
    "text": b"a note about the store\n",
    "zeros": bytes(5000),
    "one byte": b"x",
    "a database": b"12345678DUCK" + bytes(5000),
    "packed": gzip.compress(b"x"),
}


@pytest.mark.parametrize("content", NO_LOGS.values(), ids=NO_LOGS)
@pytest.mark.parametrize("read_only", [True, False], ids=["to read", "to write"])
def test_what_is_no_log_of_changes_is_to_be_moved_away(tmp_path: Path, content: bytes, read_only: bool) -> None:
    """DuckDB drops such a file unread: of a damaged log, changes would be lost in silence."""
    path, log = tmp_path / "a store", tmp_path / "a store.wal"
    with open_store(path):
        pass
    log.write_bytes(content)
    with pytest.raises(StoreError) as error, open_store(path, read_only=read_only):
        pass
    assert str(error.value).endswith(
        f"is no log of changes of DuckDB, which would drop it unread; move it away: mv '{log}' '{log}.other'"
    )
    assert log.read_bytes() == content


@pytest.mark.slow
@pytest.mark.parametrize("length", [0, 1, 4, 20, 30])
def test_a_log_cut_short_in_its_first_entry_had_no_change(tmp_path: Path, length: int) -> None:
    path = tmp_path / "costsim.duckdb"
    with open_store(path):
        pass
    (tmp_path / "costsim.duckdb.wal").write_bytes(log_of_another(tmp_path)[:length])
    with open_store(path) as store:
        assert store.execute("SELECT count(*) FROM usage_event").fetchone() == (0,)


@pytest.mark.slow
def test_changes_of_another_program_that_wait_in_its_log_stay_there(tmp_path: Path) -> None:
    path = tmp_path / "other.duckdb"
    sql("CREATE TABLE sales (a INT)")(path)
    if (child := os.fork()) == 0:
        other = duckdb.connect(str(path))
        other.execute("INSERT INTO sales VALUES (6)")
        os._exit(9)  # killed: the row is in other.duckdb.wal
    os.waitpid(child, 0)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert {*before} == {"other.duckdb", "other.duckdb.wal"}
    with pytest.raises(StoreError, match="another program"), open_store(path):
        pass
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    "command",
    ["run --trials 10", "load log.jsonl", "outcomes outcomes.csv", "report", "store repair", "store compact"],
)
def test_every_command_that_writes_refuses_another_programs_database(
    costsim: Run, tmp_path: Path, command: str
) -> None:
    (tmp_path / "architecture.yaml").write_text(ARCHITECTURE)
    (tmp_path / "log.jsonl").write_text("{}\n")
    (tmp_path / "outcomes.csv").write_text("ts,task,model,success\n2026-10-01T00:00:00Z,t,gpt-4o,true\n")
    path = tmp_path / "other.duckdb"
    sql("CREATE TABLE sales (a INT)")(path)
    before = path.read_bytes()
    done = costsim(*command.split(), "--db", path)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), done.err
    assert "of another program" in done.err
    assert path.read_bytes() == before


@pytest.mark.slow
def test_a_projection_goes_into_a_new_file_an_empty_one_and_a_store(costsim: Run, tmp_path: Path) -> None:
    (tmp_path / "architecture.yaml").write_text(ARCHITECTURE)
    (tmp_path / "empty.duckdb").touch(mode=0o600)
    os.utime(tmp_path / "empty.duckdb", (0, 0))
    (tmp_path / "link.duckdb").symlink_to("empty.duckdb")
    with open_store(tmp_path / "store.duckdb") as store:
        store.execute("CREATE TABLE mine (a INT)")  # a store is open to any SQL, a user's own tables included
    for name in ("new.duckdb", "new.duckdb", "link.duckdb", "store.duckdb"):
        assert costsim("run", "--trials", "10", "--db", name).code == 0
        with duckdb.connect(str(tmp_path / name), read_only=True) as made:
            assert made.execute("SELECT count(DISTINCT run) FROM projection").fetchone() == (1,)
    assert (tmp_path / "link.duckdb").is_symlink()
    assert (tmp_path / "empty.duckdb").stat().st_mode & 0o777 == 0o600  # who may read it stays as it was


def test_an_address_of_another_server_is_the_name_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("md:calls", "sqlite:calls", "postgres:calls"):
        with open_store(Path(name)):
            pass
        assert (tmp_path / name).is_file()


def test_a_name_that_no_disk_takes_is_one_line(costsim: Run) -> None:
    for command in ("spend", "load x.jsonl", "run --trials 10", "store verify"):
        done = costsim(*command.split(), "--db", "x" * 300)
        assert (done.code, done.err.count("\n")) == (2, 1), done.err
        assert "File name too long" in done.err
