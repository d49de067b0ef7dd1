"""Databases that others wrote: their tables are read to their end, and nothing that they bring along is run."""

from __future__ import annotations

import signal
import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import FrameType

import pytest
from costsim.errors import DatabaseLogError
from costsim.usage import sqlite_guard
from costsim.usage.load import load
from costsim.usage.sqlite_guard import EndlessError, RefusedError
from costsim.usage.unfold import damage, rows, tables
from duckdb import DuckDBPyConnection

DATA = Path(__file__).parents[1] / "data"
ENDLESS = "CREATE VIEW Endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
SAMPLES = sorted(path for path in (DATA / "usage").rglob("*") if path.suffix in (".db", ".sqlite", ".vscdb"))
PAGE = 512
LOG = "cc-switch/cc-switch.db", "proxy_request_logs"
SLOW = "instr(hex(zeroblob(20000000)), hex(zeroblob(10000000)) || '1')"  # hours, in one call of a function


def written(file: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for statement in (f"PRAGMA page_size = {PAGE}", *statements):
            connection.execute(statement)
    return file


def of_rows(child: int, page: int) -> bytes:
    """A page that leads to another as often as there is room: 2 bytes for the place of a cell, 5 for the cell."""
    return _leading(5, struct.pack(">IB", child, 1), child, page)


def of_keys(child: int, page: int) -> bytes:
    """The same of a table without rowids, whose cells have a row each: the number 7."""
    return _leading(2, struct.pack(">I4B", child, 3, 2, 1, 7), child, page)


def _leading(kind: int, cell: bytes, child: int, page: int) -> bytes:
    count = (page - 12) // (2 + len(cell))
    start = page - count * len(cell)
    places = range(start, page, len(cell))
    head = struct.pack(f">B3HBI{count}H", kind, 0, count, start, 0, child, *places)
    return head.ljust(start, b"\0") + cell * count


def looped(file: Path, table: str, page_to: Callable[[int, int], bytes] = of_rows, levels: int = 6) -> Path:
    """Let the table begin with pages that lead to the next one so often, and the last one to its rows."""
    with closing(sqlite3.connect(file)) as connection:
        ((root,),) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,))
        ((size,),) = connection.execute("PRAGMA page_size")
    content = file.read_bytes()
    pages = [content[start : start + size] for start in range(0, len(content), size)]
    pages.append(pages[root - 1])
    for _ in range(levels - 1):
        pages.append(page_to(len(pages), size))
    pages[root - 1] = page_to(len(pages), size)
    pages[0] = pages[0][:28] + struct.pack(">I", len(pages)) + pages[0][32:]
    file.write_bytes(b"".join(pages))
    return file


def sample(folder: Path, *statements: str) -> Path:
    """A copy of a sample log with other statements run in it."""
    file = folder / "log.db"
    file.write_bytes((DATA / "usage" / LOG[0]).read_bytes())
    return written(file, *statements)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return written(tmp_path / "sessions.db", "CREATE TABLE calls (tokens)", "INSERT INTO calls VALUES (7)", ENDLESS)


@pytest.mark.parametrize("sql", ["SELECT i FROM endless", "SELECT count(*) FROM calls, ENDLESS"])
def test_an_endless_view_is_refused(database: Path, sql: str) -> None:
    with pytest.raises(RefusedError, match=r"^[Ee]\w+ is a view; costsim runs nothing that a log brings along"):
        next(rows(database, sql))


def test_tables_beside_a_view_are_read(database: Path) -> None:
    assert tables(database) == ("calls",)
    assert list(rows(database, "WITH c AS (SELECT tokens FROM calls) SELECT tokens FROM c")) == [{"tokens": 7}]


def test_a_view_that_says_it_is_a_table_is_not_run(database: Path) -> None:
    written(database, "PRAGMA writable_schema = ON", "UPDATE sqlite_master SET type = 'table' WHERE type = 'view'")
    with pytest.raises(sqlite3.DatabaseError):
        next(rows(database, "SELECT i FROM endless"))


def test_a_virtual_table_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path / "v.db", "CREATE VIRTUAL TABLE calls USING rtree(id, low, high)")
    with pytest.raises(RefusedError, match="a table of it is a virtual one"):
        list(rows(file, "SELECT * FROM calls"))


@pytest.mark.parametrize("sql", ["SELECT * FROM calls", "SELECT * FROM calls WHERE tokens + 0 < 0"])
@pytest.mark.parametrize(("kind", "page"), [("(tokens)", of_rows), ("(tokens PRIMARY KEY) WITHOUT ROWID", of_keys)])
def test_a_table_whose_pages_lead_to_one_another_ends(
    tmp_path: Path, kind: str, page: Callable[[int, int], bytes], sql: str
) -> None:
    """71 (of keys 50) to the sixth power rows, also where a statement selects none of them."""
    file = written(tmp_path / "calls.db", f"CREATE TABLE calls {kind}", "INSERT INTO calls VALUES (7)")
    with pytest.raises(EndlessError, match="its pages lead to more rows than a file"):
        list(rows(looped(file, "calls", page), sql))


def test_rows_in_the_log_beside_a_database_count_as_its_own(tmp_path: Path) -> None:
    """A file of 512 bytes has room for 85 rows of 6 bytes, beside the thousand that are free; its log has 5,000."""
    file = tmp_path / "live.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as live:
        live.execute("PRAGMA journal_mode = WAL")
        live.execute("CREATE TABLE calls (tokens)")
        live.execute("INSERT INTO calls SELECT 7 FROM (SELECT 1 FROM json_each(?))".replace("?", f"'{[1] * 5000}'"))
        assert len(list(rows(file, "SELECT * FROM calls"))) == 5000


def test_a_schema_without_end_is_no_database_to_read(tmp_path: Path) -> None:
    file = written(tmp_path / "calls.db", "CREATE TABLE calls (id PRIMARY KEY)")
    content = bytearray(file.read_bytes())
    file.write_bytes(_schema_looped(content))
    assert tables(file) == ()
    assert str(damage(file)).startswith("its pages lead to more rows")


def _schema_looped(content: bytearray) -> bytes:
    """The schema's rows moved to a page of their own, to which the first page leads through others."""
    leaf = bytes(content[100:PAGE])
    pages = [bytes(content[start : start + PAGE]) for start in range(0, len(content), PAGE)]
    count = struct.unpack(">H", leaf[3:5])[0]
    head = struct.pack(f">B3HB{count}H", 13, 0, count, *struct.unpack(">H", leaf[5:7]), 0,
                       *struct.unpack(f">{count}H", leaf[8 : 8 + 2 * count]))  # fmt: skip
    pages.append(head + pages[0][len(head) :])
    for _ in range(6):
        pages.append(of_rows(len(pages), PAGE))
    first = _leading(5, struct.pack(">IB", len(pages), 1), len(pages), PAGE - 100)
    moved = bytearray(first)
    for place in range(12, 12 + 2 * struct.unpack(">H", first[3:5])[0], 2):
        moved[place : place + 2] = struct.pack(">H", struct.unpack(">H", first[place : place + 2])[0] + 100)
    moved[5:7] = struct.pack(">H", struct.unpack(">H", first[5:7])[0] + 100)
    pages[0] = pages[0][:28] + struct.pack(">I", len(pages)) + pages[0][32:100] + bytes(moved)
    return b"".join(pages)


def test_a_signal_ends_a_statement_that_selects_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_guard, "STEPS_OF_A_ROW", 10**12)
    file = looped(written(tmp_path / "calls.db", "CREATE TABLE calls (n)", "INSERT INTO calls VALUES (7)"), "calls")

    def ended(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, ended)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(KeyboardInterrupt):
            list(rows(file, "SELECT * FROM calls WHERE n < 0"))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_text_longer_than_its_database_is_not_made(tmp_path: Path) -> None:
    file = written(tmp_path / "calls.db", "CREATE TABLE calls (n)", "INSERT INTO calls VALUES (7)")
    half = "x" * 600_000
    with pytest.raises(sqlite3.DataError, match="string or blob too big"):
        list(rows(file, f"SELECT n || '{half}' || '{half}' FROM calls"))


def test_texts_that_many_rows_share_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """1,000 rows have the default of a column, 2,000 bytes, that stands once in the file: 2 MB of a file of 12 KB."""
    monkeypatch.setattr(sqlite_guard, "FREE_BYTES", 2**20)
    file = written(tmp_path / "calls.db", "CREATE TABLE calls (n)",
                   f"INSERT INTO calls SELECT 7 FROM json_each('{[1] * 1000}')",
                   f"ALTER TABLE calls ADD COLUMN note DEFAULT '{'x' * 2000}'")  # fmt: skip
    with pytest.raises(EndlessError, match="its texts are over 64 times its size"):
        list(rows(file, "SELECT * FROM calls"))


def test_a_column_that_is_computed_as_it_is_read_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path / "calls.db", "CREATE TABLE calls (tokens)", "INSERT INTO calls VALUES (7)",
                   f"ALTER TABLE calls ADD COLUMN slow TEXT AS ({SLOW})")  # fmt: skip
    assert list(rows(file, "SELECT tokens FROM calls")) == [{"tokens": 7}]
    with pytest.raises(RefusedError, match=r"^the column slow of calls is computed as it is read \(a generated column"):
        next(rows(file, "SELECT * FROM calls AS c"))


def test_a_column_that_is_stored_is_read_as_it_stands(tmp_path: Path) -> None:
    file = written(tmp_path / "calls.db", "CREATE TABLE calls (tokens, twice AS (tokens * 2) STORED)",
                   "INSERT INTO calls VALUES (7)")  # fmt: skip
    assert list(rows(file, "SELECT * FROM calls")) == [{"tokens": 7, "twice": 14}]


def test_what_a_table_has_beside_its_rows_is_not_run(tmp_path: Path) -> None:
    """Its indexes on expressions, its constraints and its triggers: each would take hours."""
    file = written(
        tmp_path / "calls.db",
        "CREATE TABLE calls (tokens, model)",
        "INSERT INTO calls VALUES (7, 'm')",
        "CREATE INDEX some ON calls (tokens) WHERE tokens > 100",
        "CREATE INDEX each ON calls (upper(model))",
        f"CREATE TRIGGER made AFTER INSERT ON calls BEGIN SELECT {SLOW}; END",
        "PRAGMA writable_schema = ON",
        f"UPDATE sqlite_master SET sql = replace(sql, 'upper(model)', '{SLOW.replace(chr(39), chr(39) * 2)}')",
        f"UPDATE sqlite_master SET sql = replace(sql, 'model)', 'model CHECK ({SLOW.replace(chr(39), chr(39) * 2)}))') "
        "WHERE name = 'calls'",
    )
    assert list(rows(file, "SELECT * FROM calls WHERE tokens = 7")) == [{"tokens": 7, "model": "m"}]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_tables_of_every_sample_are_read_as_sqlite_reads_them(path: Path) -> None:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as database:
        for table in tables(path):
            sql = f'SELECT * FROM "{table}"'
            cursor = database.execute(sql)
            names = [name for name, *_ in cursor.description]
            assert list(rows(path, sql)) == [dict(zip(names, row, strict=True)) for row in cursor]


@pytest.fixture(params=["looped", "computed"])
def refused(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A log that is refused as it is read."""
    if request.param == "looped":
        return looped(sample(tmp_path), LOG[1])
    return sample(tmp_path, f"ALTER TABLE {LOG[1]} ADD COLUMN slow TEXT AS ({SLOW})")


def test_a_database_that_is_refused_is_an_error_where_it_is_named(store: DuckDBPyConnection, refused: Path) -> None:
    with pytest.raises(DatabaseLogError, match=r"log\.db: (this database is damaged|the column slow of proxy_req)"):
        load(store, [refused])


def test_a_database_that_is_refused_keeps_no_other_of_its_folder_from_being_read(
    store: DuckDBPyConnection, refused: Path, tmp_path: Path
) -> None:
    (tmp_path / "sound.db").write_bytes((DATA / "usage" / LOG[0]).read_bytes())
    report = load(store, [tmp_path])
    assert [file.path.rpartition("/")[2] for file in report.files] == ["sound.db"]
    assert [str(refused) in line for line in report.unreadable] == [True]
    assert store.execute("SELECT count(*) FROM usage_event").fetchone() == (2,)
