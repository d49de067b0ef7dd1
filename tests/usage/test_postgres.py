"""LiteLLM's table is read from Postgres: new rows only, late ones within a window, and nothing is written there."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from costsim.analysis.spend.rollup_file import Wanted, make_rollup
from costsim.errors import CostsimError
from costsim.pricing.book import open_book
from costsim.store import open_store
from costsim.usage.engines.named import engine_of
from costsim.usage.engines.postgres import Postgres
from costsim.usage.readers.mapped import parse_mapping

if TYPE_CHECKING:
    from conftest import Run

psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed (pip install 'costsim[postgres]')")
PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
pytestmark = pytest.mark.skipif(
    not PROGRAMS or os.geteuid() != 0, reason="there is no Postgres here (apt install postgresql), or this is not root"
)
BOOK = open_book()
LOCKED, WORD = "locked", "hidden-word"
MAP = "ts=startTime,id=request_id,model=model,input=prompt_tokens"

# The columns of LiteLLM's table that matter here, of the types that its schema gives them.
TABLE = """
CREATE TABLE "LiteLLM_SpendLogs" (
    request_id text PRIMARY KEY, call_type text, spend double precision, total_tokens integer, prompt_tokens integer,
    completion_tokens integer, "startTime" timestamp(3), "endTime" timestamp(3), model text, custom_llm_provider text,
    "user" text, team_id text, metadata jsonb, cache_hit text, request_tags jsonb, messages jsonb, status text)
"""
ADD = """
INSERT INTO "LiteLLM_SpendLogs" VALUES (%s, 'acompletion', 0.01, 1100, 1000, 100, %s, %s, 'claude-haiku-4-5', 'anthropic', 'u',
    't', '{}', 'False', '[]', '"secret"', 'success')
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server of its own, on a socket in a folder of its own; its address."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        shutil.chown(folder, "postgres")
        control: list[str | Path] = [PROGRAMS[-1] / "pg_ctl", "-D", folder / "data", "-w"]
        options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
        as_postgres(PROGRAMS[-1] / "initdb", "-D", folder / "data", "-A", "trust", "--no-sync")
        rules = folder / "data" / "pg_hba.conf"
        rules.write_text(f"local all {LOCKED} scram-sha-256\n{rules.read_text()}")
        as_postgres(*control, "-o", options, "-l", folder / "log", "start")
        yield f"postgresql://postgres@/postgres?host={folder}"
        as_postgres(*control, "-m", "fast", "stop")


def as_postgres(*command: str | Path) -> None:
    """Run a program of Postgres: it refuses to be run by root."""
    subprocess.run(["runuser", "-u", "postgres", "--", *command], check=True, stdout=subprocess.DEVNULL, cwd="/")


@pytest.fixture
def in_sql_ascii(server: str) -> Iterator[tuple[str, Any]]:
    """A database that does not know the encoding of its texts, with LiteLLM's table."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS bytes WITH (FORCE)")
        connection.execute("CREATE DATABASE bytes ENCODING SQL_ASCII LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    address = server.replace("/postgres?", "/bytes?")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(TABLE.encode())
        yield address, connection


@pytest.fixture
def table(server: str) -> Iterator[Any]:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC")
        connection.execute(TABLE)
        yield connection


def add(table: Any, name: str, moment: str) -> None:
    table.execute(ADD, [name, moment, moment])


@pytest.mark.slow
def test_new_rows_are_added_and_late_ones_within_the_window(server: str, table: Any, tmp_path: Path) -> None:
    add(table, "a", "2026-10-05 09:00")
    add(table, "b", "2026-10-05 10:00")
    with open_store(tmp_path / "a.duckdb", BOOK) as store:
        store.load([server])
        # 2 calls of 1,000 tokens in and 100 out, at 1 and 5 USD per million: 2 * 0.0015
        assert (store.spend(by=()).total.calls, store.spend(by=()).total.computed_usd) == (2, Decimal("0.003"))
        add(table, "late", "2026-10-04 23:00")
        add(table, "new", "2026-10-06 10:00")
        add(table, "before the window", "2026-10-01 10:00")
        assert store.load([server]).files[0].entries == 4  # a, b, late, new
        assert store.spend(by=()).total.calls == 4
        store.load([server])
        assert store.spend(by=()).total.calls == 4


@pytest.mark.slow
def test_no_prompt_is_read_and_nothing_is_written(server: str, table: Any, tmp_path: Path) -> None:
    add(table, "a", "2026-10-05 09:00")
    with open_store(tmp_path / "a.duckdb", BOOK) as store:
        store.load([server])
        assert "secret" not in str(store.connection.execute("FROM usage_event").fetchall())
    from costsim.usage.postgres import connected

    with connected(server) as connection, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        connection.execute('DELETE FROM "LiteLLM_SpendLogs"')


@pytest.mark.slow
def test_a_database_without_the_table_is_one_line(server: str, table: Any, tmp_path: Path) -> None:
    table.execute('DROP TABLE "LiteLLM_SpendLogs"')
    with (
        open_store(tmp_path / "a.duckdb", BOOK) as store,
        pytest.raises(CostsimError, match="the table LiteLLM_SpendLogs cannot be read: relation"),
    ):
        store.load([server])


def test_a_server_that_does_not_answer_is_one_line_without_the_password(tmp_path: Path) -> None:
    with open_store(tmp_path / "a.duckdb", BOOK) as store, pytest.raises(CostsimError) as failed:
        store.load(["postgresql://me:hidden@127.0.0.1:9/llm"])
    assert str(failed.value).startswith("postgresql://127.0.0.1:9/llm: the database cannot be read: ")
    assert "hidden" not in str(failed.value)


@pytest.mark.slow
def test_a_rollup_in_postgres_has_the_sums_of_duckdb(server: str, table: Any, tmp_path: Path) -> None:
    for number in range(50):
        add(table, str(number), f"2026-10-0{1 + number % 5} 1{number % 10}:00")
    wanted = Wanted(
        parse_mapping(
            "ts=startTime,id=request_id,model=model,provider=custom_llm_provider,input=prompt_tokens,output=completion_tokens"
        )
    )
    made = make_rollup(engine_of(server, '"LiteLLM_SpendLogs"'), BOOK, tmp_path / "r.parquet", wanted)
    # 50 calls over 5 days, one model: 5 sums; 1,000 tokens in and 100 out each
    sums = duckdb.read_parquet(str(made.file)).aggregate("count(*), sum(calls), sum(input), sum(output)").fetchall()
    assert sums == [(5, 50, 50_000, 5_000)]


@pytest.mark.slow
def test_rows_that_are_deleted_there_stay_counted(server: str, table: Any, tmp_path: Path) -> None:
    add(table, "a", "2026-10-05 09:00")
    add(table, "b", "2026-10-05 10:00")
    with open_store(tmp_path / "a.duckdb", BOOK) as store:
        store.load([server])
        table.execute("""DELETE FROM "LiteLLM_SpendLogs" WHERE request_id = 'a'""")
        store.load([server])
        assert store.spend(by=()).total.calls == 2


@pytest.mark.slow
def test_a_row_dated_in_the_future_does_not_hide_those_of_today(server: str, table: Any, tmp_path: Path) -> None:
    add(table, "a clock that is wrong", "2190-01-01 00:00")
    with open_store(tmp_path / "a.duckdb", BOOK) as store:
        store.load([server])
        table.execute(ADD, ["now", datetime.now(UTC), datetime.now(UTC)])
        store.load([server])
        assert store.spend(by=()).total.calls == 2


NAMES = (b"plain", "Zoë".encode(), b"Zo\xeb", "東京".encode())
ADD_BYTES = b"""
INSERT INTO "LiteLLM_SpendLogs" (request_id, "startTime", model, prompt_tokens, completion_tokens, total_tokens, "user")
VALUES ('%b', '2026-10-05 09:00', 'claude-haiku-4-5', 1000, 100, 1100, '%b')
"""


@pytest.mark.slow
@pytest.mark.parametrize("asked", ["", "&client_encoding=SQL_ASCII", "&client_encoding=LATIN1"])
def test_a_database_that_does_not_know_its_encoding_is_read_as_a_file_is(
    in_sql_ascii: tuple[str, Any], tmp_path: Path, asked: str
) -> None:
    address, bytes_of = in_sql_ascii
    for number, name in enumerate(NAMES):
        bytes_of.execute(ADD_BYTES % (b"%d" % number, name))
    with open_store(tmp_path / "a.duckdb", BOOK) as store:
        store.load([address + asked])
        users = store.connection.execute('SELECT "user" FROM usage_event ORDER BY event_id').fetchall()
        assert [user for (user,) in users] == ["plain", "Zoë", "Zo\ufffd", "東京"]
        assert store.spend(by=()).total.computed_usd == Decimal("0.006")  # 4 calls of 0.0015
        store.load([address + asked])
        assert store.spend(by=()).total.calls == 4


@pytest.mark.slow
@pytest.mark.parametrize("asked", ["", "&client_encoding=SQL_ASCII", "&client_encoding=LATIN1"])
def test_any_encoding_that_is_asked_for_gives_the_same_names(
    server: str, table: Any, tmp_path: Path, asked: str
) -> None:
    table.execute(ADD.replace("'u'", "'東京, Zoë'"), ["a", "2026-10-05", "2026-10-05"])
    with open_store(tmp_path / "a.duckdb", BOOK) as store:
        store.load([server + asked])
        assert store.connection.execute('SELECT "user" FROM usage_event').fetchall() == [("東京, Zoë",)]
    wanted = Wanted(parse_mapping(f"{MAP},user=user"), keep=["user"])
    made = make_rollup(engine_of(server + asked, '"LiteLLM_SpendLogs"'), BOOK, tmp_path / "r.parquet", wanted)
    assert duckdb.read_parquet(str(made.file)).project('"user"').fetchall() == [("東京, Zoë",)]


@pytest.mark.slow
def test_a_rollup_of_a_database_that_does_not_know_its_encoding_has_its_names_or_is_one_line(
    in_sql_ascii: tuple[str, Any], tmp_path: Path
) -> None:
    address, bytes_of = in_sql_ascii
    wanted = Wanted(parse_mapping(f"{MAP},user=user"), keep=["user"])
    bytes_of.execute(ADD_BYTES % (b"a", NAMES[1]))
    made = make_rollup(engine_of(address, '"LiteLLM_SpendLogs"'), BOOK, tmp_path / "r.parquet", wanted)
    assert duckdb.read_parquet(str(made.file)).project('"user"').fetchall() == [("Zoë",)]
    bytes_of.execute(ADD_BYTES % (b"b", NAMES[2]))
    with pytest.raises(CostsimError, match="invalid byte sequence"):
        make_rollup(engine_of(address, '"LiteLLM_SpendLogs"'), BOOK, tmp_path / "r.parquet", wanted)


CALLS_TABLE = """
CREATE TABLE calls AS SELECT 'e' || i AS event_id, TIMESTAMP '2026-10-05 10:00' AS ts, 'claude-haiku-4-5' AS model,
    10::{counts} AS input, 5 AS output, {usd} AS recorded_usd, NULL::timestamp AS period_end FROM generate_series(1, 3) t(i)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("ts = 'infinity'", "a time outside 2000 to 2199"),
        ("ts = '-infinity'", "a time outside 2000 to 2199"),
        ("ts = '0044-03-15 BC'", "a time outside 2000 to 2199"),
        ("ts = '12026-10-05'", "a time outside 2000 to 2199"),
        ("ts = NULL", "no time"),
        ("recorded_usd = 'NaN'", "a recorded cost over 10^8 USD"),
        ("recorded_usd = 1e19", "a recorded cost over 10^8 USD"),
        ("input = 9223372036854775807", "a count over 10^12"),
        ("input = -9223372036854775808", "a negative count"),
    ],
)
def test_a_row_that_cannot_be_is_named_by_a_rollup_in_postgres(
    server: str, table: Any, tmp_path: Path, row: str, said: str
) -> None:
    table.execute(CALLS_TABLE.format(counts="bigint", usd="0.5::numeric"))
    table.execute(f"UPDATE calls SET {row} WHERE event_id <> 'e1'")  # of two such rows: no sum of them overflows
    made = make_rollup(engine_of(server, "calls"), BOOK, tmp_path / "r.parquet", Wanted())
    assert (made.calls, made.faults, made.first) == (1, ((said, 2),), "2026-10-05")
    with open_store(tmp_path / "a.duckdb", BOOK) as store:
        report = store.load([made.file])
        assert report.first_rejects[0].endswith(f"2 calls with {said}")
        assert store.spend(by=()).total.calls == 1


@pytest.mark.slow
@pytest.mark.parametrize("row", ["period_end = 'infinity'", "period_end = '0044-03-15 BC'"])
def test_an_end_that_no_period_has_is_none(server: str, table: Any, tmp_path: Path, row: str) -> None:
    table.execute(CALLS_TABLE.format(counts="bigint", usd="0.5::numeric"))
    table.execute(f"UPDATE calls SET {row}")
    made = make_rollup(engine_of(server, "calls"), BOOK, tmp_path / "r.parquet", Wanted(role="bill"))
    assert (made.calls, made.faults) == (3, ())


@pytest.mark.slow
@pytest.mark.parametrize("usd", ["'NaN'::float8", "'Infinity'::float8", "'Infinity'::numeric", "1e300::float8"])
def test_money_that_no_decimal_is_named_or_one_line(server: str, table: Any, costsim: Run, usd: str) -> None:
    table.execute(CALLS_TABLE.format(counts="bigint", usd=usd))
    made = costsim("rollup", "calls", "--engine", server, "--out", "r.parquet")
    assert (made.code, made.err.count("\n")) in ((0, 1), (2, 1)), made
    assert "not counted: 3 calls with" in made.err or "numeric" in made.err


@pytest.mark.slow
def test_columns_in_letters_of_either_case_are_read_in_postgres(server: str, table: Any, tmp_path: Path) -> None:
    table.execute(CALLS_TABLE.format(counts="bigint", usd="0.5::numeric"))
    table.execute('ALTER TABLE calls RENAME input TO "Input"; ALTER TABLE calls RENAME ts TO "TS"')
    made = make_rollup(engine_of(server, "calls"), BOOK, tmp_path / "r.parquet", Wanted())
    assert duckdb.read_parquet(str(made.file)).aggregate("sum(input)").fetchall() == [(30,)]
    table.execute('ALTER TABLE calls ADD COLUMN "inPut" bigint')
    engine = Postgres.connect(server, "calls")
    said = "the columns 'Input' and 'inPut' differ in their case only"
    with engine.connection, pytest.raises(CostsimError, match=said):
        make_rollup(engine, BOOK, tmp_path / "r.parquet", Wanted())


def ago(**time: int) -> str:
    return str(datetime.now(UTC).replace(tzinfo=None) - timedelta(**time))


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["2150-01-01", ago(days=-1), ago(hours=-1)], ids=["far", "tomorrow", "in an hour"])
def test_a_row_of_the_future_hides_no_row_since_the_newest_before_it(
    server: str, table: Any, tmp_path: Path, moment: str
) -> None:
    add(table, "old", "2026-10-05 09:00")
    add(table, "a clock that is wrong", moment)
    with open_store(tmp_path / "a.duckdb", BOOK) as store:
        store.load([server])
        add(table, "days ago", ago(days=5))
        store.load([server])
        add(table, "hours ago", ago(hours=5))
        store.load([server])
        assert store.spend(by=()).total.calls == 4


@pytest.mark.slow
def test_a_row_that_lay_in_the_future_when_it_was_loaded_hides_none_once_its_day_is_past(
    server: str, table: Any, tmp_path: Path
) -> None:
    add(table, "old", "2026-10-05 09:00")
    add(table, "ten days ahead", "2026-10-16 09:00")
    with open_store(tmp_path / "a.duckdb", BOOK) as store:
        store.load([server])
        store.connection.execute("UPDATE load SET loaded_at = TIMESTAMP '2026-10-06'")  # and by now it is November
        add(table, "after that load", "2026-10-08 10:00")
        store.load([server])
        assert store.spend(by=()).total.calls == 3


@pytest.mark.slow
def test_rows_that_lack_what_tells_a_format_are_those_of_the_table(server: str, table: Any, tmp_path: Path) -> None:
    add(table, "a", "2026-10-05 09:00")
    table.execute("""INSERT INTO "LiteLLM_SpendLogs" (request_id) VALUES ('no time, and nothing else')""")
    with open_store(tmp_path / "a.duckdb", BOOK) as store:
        report = store.load([server])
        assert (report.calls, len(report.first_rejects)) == (1, 1)
        assert "no time" in report.first_rejects[0]


NO_TIMES = [None, "-infinity", "infinity", "1969-12-31 10:00", "1970-01-01", "0044-03-15 10:00 BC", "2200-01-01"]


@pytest.mark.slow
def test_rows_without_a_time_of_a_call_are_rejected_by_every_load_and_counted_once(
    server: str, table: Any, tmp_path: Path
) -> None:
    add(table, "a", "2026-10-05 09:00")
    for number, moment in enumerate(NO_TIMES):
        table.execute(ADD, [f"no time {number}", moment, moment])
    with open_store(tmp_path / "a.duckdb", BOOK) as store:
        report = store.load([server])
        assert (report.calls, sum(file.rejected for file in report.files)) == (1, len(NO_TIMES))
        assert "LiteLLM_SpendLogs without a time of a call:" in report.first_rejects[0]
        for day in (6, 7):
            add(table, f"new {day}", f"2026-10-0{day} 09:00")
            table.execute(ADD, [f"no time, {day}", None, None])
            store.load([server])
            # those of before, and one of each day; each stands in the store once
            assert store.connection.execute("SELECT count(*) FROM reject").fetchone() == (len(NO_TIMES) + day - 5,)
        assert store.spend(by=()).total.calls == 3
        table.execute(ADD, ["one more", None, None])
        with pytest.raises(CostsimError, match="no time"):
            store.load([server], strict=True)


@pytest.mark.slow
def test_a_partitioned_table_is_read_by_a_role_that_may_only_read(server: str, table: Any, tmp_path: Path) -> None:
    table.execute('DROP TABLE "LiteLLM_SpendLogs"')
    table.execute(TABLE.replace(" PRIMARY KEY", "").rstrip() + ' PARTITION BY RANGE ("startTime")')
    for day in (5, 6):
        table.execute(
            f"""CREATE TABLE day_{day} PARTITION OF "LiteLLM_SpendLogs" FOR VALUES FROM ('2026-10-0{day}') TO ('2026-10-0{day + 1}')"""
        )
    table.execute('DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN; GRANT SELECT ON "LiteLLM_SpendLogs" TO reader')
    add(table, "a", "2026-10-05 09:00")
    add(table, "b", "2026-10-06 10:00")
    address = server.replace("postgres@", "reader@")
    with open_store(tmp_path / "a.duckdb", BOOK) as store:
        store.load([address])
        assert store.spend(by=()).total.calls == 2
    wanted = Wanted(parse_mapping(MAP))
    made = make_rollup(engine_of(address, '"LiteLLM_SpendLogs"'), BOOK, tmp_path / "r.parquet", wanted)
    assert made.calls == 2
    table.execute('REVOKE SELECT ON "LiteLLM_SpendLogs" FROM reader')
    with open_store(tmp_path / "a.duckdb", BOOK) as store, pytest.raises(CostsimError, match=": permission denied for"):
        store.load([address])


@pytest.mark.slow
def test_a_password_is_in_no_error_and_not_in_the_store(
    server: str, table: Any, costsim: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.execute(f"DROP ROLE IF EXISTS {LOCKED}")
    table.execute(f"CREATE ROLE {LOCKED} LOGIN PASSWORD '{WORD}' IN ROLE pg_read_all_data")
    add(table, "a", "2026-10-05 09:00")
    wrong = server.replace("postgres@", f"{LOCKED}:{WORD}-not@")
    failed = costsim("load", wrong)
    assert (failed.code, failed.err.count("\n"), WORD in failed.err + failed.out) == (2, 1, False), failed
    assert "password authentication failed" in failed.err
    monkeypatch.setenv("PGPASSWORD", WORD)
    for address in (server.replace("postgres@", f"{LOCKED}:{WORD}@"), server.replace("postgres@", f"{LOCKED}@")):
        made = costsim("load", address)
        assert (made.code, WORD in made.out + made.err) == (0, False), made
    assert WORD.encode() not in (tmp_path / "costsim.duckdb").read_bytes()
    made = costsim("rollup", '"LiteLLM_SpendLogs"', "--engine", address, "--map", MAP, "--out", "r.parquet")
    assert made.code == 0, made
    assert WORD.encode() not in (tmp_path / "r.parquet").read_bytes()


# A table of 1,000 calls that does something else at the 900th.
VIEW = """
CREATE VIEW "LiteLLM_SpendLogs" AS SELECT i::text AS request_id, 'claude-haiku-4-5' AS model, 100 AS completion_tokens,
    TIMESTAMP '2026-10-06' AS "startTime", CASE WHEN i = 900 THEN {} ELSE 1000 END AS prompt_tokens
FROM generate_series(1, 1000) AS calls(i)
"""
SLOW, DYING = "length(pg_sleep(9)::text)", "pg_terminate_backend(pg_backend_pid())::integer"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("happens", "said"),
    [(SLOW, "canceling statement due to statement timeout"), (DYING, "terminating connection due to administrator")],
    ids=["a time-out", "the server's end"],
)
def test_what_ends_in_the_middle_is_one_line_and_nothing_of_it_is_loaded(
    server: str, table: Any, costsim: Run, happens: str, said: str
) -> None:
    add(table, "before", "2026-10-05 09:00")
    assert costsim("load", server).code == 0
    before = costsim("spend", "--format", "json").out
    table.execute('DROP TABLE "LiteLLM_SpendLogs"')
    table.execute(VIEW.format(happens))
    failed = costsim("load", f"{server}&options=-c%20statement_timeout%3D300")
    assert (failed.code, failed.err.count("\n"), said in failed.err) == (2, 1, True), failed
    assert costsim("spend", "--format", "json").out == before
    rolled = ("--engine", f"{server}&options=-c%20statement_timeout%3D300", "--out", "r.parquet", "--map", MAP)
    failed = costsim("rollup", '"LiteLLM_SpendLogs"', *rolled)
    assert (failed.code, failed.err.count("\n"), said in failed.err) == (2, 1, True), failed
    assert not Path("r.parquet").exists()
