"""ClickHouse and Spark give DuckDB's sums, row for row, from the one statement: chDB and Spark run in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from clickhouse_over_http import USER, WORD, served
from costsim.analysis.spend.rollup_file import Wanted, make_rollup
from costsim.errors import CostsimError
from costsim.usage.engines.engine import Engine
from costsim.usage.engines.named import engine_of
from rollups import BOOK, CALLS, WANTED, rows_apart

if TYPE_CHECKING:
    from conftest import Run


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("lake") / "calls.parquet"
    duckdb.connect().execute(f"COPY ({CALLS}) TO '{file}' (FORMAT parquet)")
    return file


@pytest.fixture(scope="module")
def local(calls: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """DuckDB's rollup."""
    return make_rollup(
        engine_of("local", str(calls)), BOOK, tmp_path_factory.mktemp("local") / "r.parquet", WANTED
    ).file


@pytest.fixture
def in_clickhouse(calls: Path) -> Iterator[Any]:
    """The engine of ClickHouse in this process, with the table llm.calls."""
    session = pytest.importorskip(
        "chdb.session", reason="chDB is not installed (pip install 'costsim[engines]')"
    ).Session()
    session.query("CREATE DATABASE llm")
    session.query(
        f"CREATE TABLE llm.calls ENGINE = MergeTree ORDER BY tuple() AS SELECT * FROM file('{calls}', Parquet)"
    )
    yield session
    session.close()


@pytest.fixture
def clickhouse(in_clickhouse: Any) -> Engine:
    """The engine in the place of its client."""
    from costsim.usage.engines.clickhouse import ClickHouse

    return ClickHouse(
        lambda sql: in_clickhouse.query(sql, "Parquet").bytes(), "llm.calls", "clickhouse://here/llm.calls"
    )


@pytest.mark.slow
def test_clickhouse_gives_the_sums_of_duckdb(clickhouse: Engine, local: Path, tmp_path: Path) -> None:
    made = make_rollup(clickhouse, BOOK, tmp_path / "r.parquet", WANTED)
    assert (made.calls, rows_apart(made.file, local)) == (285, 0)


@pytest.mark.slow
def test_a_column_that_clickhouse_does_not_have_is_one_line(clickhouse: Engine, tmp_path: Path) -> None:
    with pytest.raises(CostsimError, match=r"clickhouse://here/llm.calls: there is no column 'event'; did you mean"):
        make_rollup(clickhouse, BOOK, tmp_path / "r.parquet", Wanted(unique_by="event"))


@pytest.mark.slow
def test_clickhouse_counts_a_call_on_its_day_in_utc_and_names_times_that_cannot_be(
    in_clickhouse: Any, tmp_path: Path
) -> None:
    # its own Date ends in 2149 and its DateTime in 2106: beyond, both begin anew
    in_clickhouse.query(
        """CREATE TABLE llm.times ENGINE = Memory AS SELECT 'claude-haiku-4-5' AS model, 1 AS input,
        toDateTime64(arrayJoin(['2026-10-06 05:00:00', '2026-10-06 10:00:00', '2160-06-01 12:00:00', '2210-01-01 12:00:00',
            '1950-01-01 12:00:00']), 6, 'Asia/Tokyo') AS ts"""
    )
    from costsim.usage.engines.clickhouse import ClickHouse

    engine = ClickHouse(lambda sql: in_clickhouse.query(sql, "Parquet").bytes(), "llm.times", "clickhouse://here/llm")
    made = make_rollup(engine, BOOK, tmp_path / "r.parquet", Wanted())
    days = duckdb.read_parquet(str(made.file)).filter("fault IS NULL").order("day").project("day::VARCHAR, calls")
    assert days.fetchall() == [("2026-10-05", 1), ("2026-10-06", 1), ("2160-06-01", 1)]  # Tokyo is 9 hours ahead
    assert made.faults == (("a time outside 2000 to 2199", 2),)


@pytest.fixture
def client() -> None:
    pytest.importorskip(
        "clickhouse_connect", reason="clickhouse-connect is not installed (pip install 'costsim[clickhouse]')"
    )


@pytest.mark.slow
@pytest.mark.usefixtures("client")
def test_the_client_brings_the_sums_of_duckdb_from_a_server(
    in_clickhouse: Any, local: Path, costsim: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_clickhouse.query("SET readonly = 1")  # the user may change nothing, no setting either
    with served(in_clickhouse) as host:
        asked = (
            "rollup",
            "calls",
            "--engine",
            f"clickhouse://{USER}@{host}/llm",
            "--keep",
            "user",
            "--out",
            "r.parquet",
        )
        refused = costsim(*asked)
        monkeypatch.setenv("CLICKHOUSE_PASSWORD", WORD)
        made = costsim(*asked)
    assert (refused.code, refused.err.count("\n"), "Authentication failed" in refused.err) == (2, 1, True), refused
    assert (made.code, "195 sums of 285 calls" in made.out) == (0, True), made
    assert rows_apart(Path("r.parquet"), local) == 0
    assert WORD.encode() not in Path("r.parquet").read_bytes()


@pytest.mark.slow
@pytest.mark.usefixtures("client")
@pytest.mark.parametrize(
    ("table", "dying_of", "said"),
    [("calls", "GROUP BY", "Connection broken"), ("cals", "", "Table llm.cals does not exist")],
    ids=["dies in the middle", "no such table"],
)
def test_what_a_server_refuses_or_breaks_off_is_one_line_and_leaves_no_file(
    in_clickhouse: Any, costsim: Run, table: str, dying_of: str, said: str
) -> None:
    with served(in_clickhouse, dying_of) as host:
        failed = costsim("rollup", table, "--engine", f"clickhouse://{USER}:{WORD}@{host}/llm", "--out", "r.parquet")
    assert (failed.code, failed.err.count("\n"), said in failed.err) == (2, 1, True), failed
    assert WORD not in failed.err
    assert not Path("r.parquet").exists()


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("clickhouse", "clickhouse://HOST/DATABASE"),
        ("postgres", "postgresql://HOST/DATABASE"),
        ("postgresql", "postgresql://HOST/DATABASE"),
    ],
)
def test_an_engine_that_has_an_address_is_not_named_without(name: str, address: str) -> None:
    with pytest.raises(CostsimError, match=f"--engine {name} needs its address: {address}"):
        engine_of(name, "calls")


def test_an_engine_that_there_is_not_is_named_with_those_there_are() -> None:
    with pytest.raises(CostsimError, match="there is no engine 'sparc'; did you mean 'spark'"):
        engine_of("sparc", "calls")


@pytest.mark.usefixtures("client")
def test_a_server_that_does_not_answer_is_one_line_without_the_password() -> None:
    with pytest.raises(CostsimError, match=r"^clickhouse://127.0.0.1:9/llm: ") as failed:
        engine_of("clickhouse://me:secret@127.0.0.1:9/llm", "calls")
    assert "secret" not in str(failed.value)
