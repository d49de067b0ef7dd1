"""LiteLLM's table is read from Postgres: new rows only, late ones within a window, and nothing is written there."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.analysis.spend.rollup_file import Wanted, make_rollup
from costsim.errors import CostsimError
from costsim.pricing.book import open_book
from costsim.store import open_store
from costsim.usage.engines.named import engine_of
from costsim.usage.readers.mapped import parse_mapping

psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed (pip install 'costsim[postgres]')")
PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
pytestmark = pytest.mark.skipif(
    not PROGRAMS or os.geteuid() != 0, reason="there is no Postgres here (apt install postgresql), or this is not root"
)
BOOK = open_book()

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
        as_postgres(*control, "-o", options, "-l", folder / "log", "start")
        yield f"postgresql://postgres@/postgres?host={folder}"
        as_postgres(*control, "-m", "fast", "stop")


def as_postgres(*command: str | Path) -> None:
    """Run a program of Postgres: it refuses to be run by root."""
    subprocess.run(["runuser", "-u", "postgres", "--", *command], check=True, stdout=subprocess.DEVNULL, cwd="/")


@pytest.fixture
def table(server: str) -> Iterator[Any]:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute('DROP TABLE IF EXISTS "LiteLLM_SpendLogs"')
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
