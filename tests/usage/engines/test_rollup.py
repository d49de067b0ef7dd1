"""A rollup made where the calls are comes, once loaded, to what the calls come to: to the token and the cent."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from costsim.analysis.spend.rollup_file import Wanted, every_tier, make_rollup, printed_rollup
from costsim.errors import CostsimError
from costsim.pricing.book import open_book
from costsim.store import open_store
from costsim.tokens import MEDIA_CLASSES
from costsim.usage.engines.dialects import DIALECTS, written
from costsim.usage.engines.named import engine_of
from costsim.usage.engines.statement import RollupStatement
from costsim.usage.readers.mapped import parse_mapping

if TYPE_CHECKING:
    from conftest import Run

BOOK = open_book()
COLUMNS = ("id", "provider", "model", "component", "user", "input", "output", "cache_read", "recorded_usd")
MAP = "ts=ts," + ",".join(f"{name}={'event_id' if name == 'id' else name}" for name in COLUMNS)
CALLS = """
SELECT 'e' || (i % 950) AS event_id, TIMESTAMP '2026-10-01' + INTERVAL (i * 797 % 800000) SECOND AS ts,
    CASE i % 3 WHEN 0 THEN 'anthropic' WHEN 1 THEN 'deepseek' ELSE 'google' END AS provider,
    CASE i % 3 WHEN 0 THEN 'claude-sonnet-4-5' WHEN 1 THEN 'deepseek-chat' ELSE 'gemini-2.5-pro' END AS model,
    'c' || (i % 5) AS component, 'u' || (i % 4) AS "user", (i * 37123 % 250000)::BIGINT AS input,
    (i % 900)::BIGINT AS output, (i % 1000)::INTEGER AS cache_read,
    CASE WHEN i % 4 = 0 THEN ((i % 100) * 0.001)::DECIMAL(20, 10) END AS recorded_usd
FROM range(1000) t(i)
"""


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,000 entries of 950 calls: three models, one with a tier at 200,000 tokens, one priced by the hour."""
    file = tmp_path_factory.mktemp("lake") / "calls.parquet"
    duckdb.connect().execute(f"COPY ({CALLS}) TO '{file}' (FORMAT parquet)")
    return file


def sums(store_file: Path, logs: Path, by: tuple[str, ...], mapping: str | None = None) -> list[Any]:
    """What the spend of a log is, a row each group, without how many entries have a recorded cost."""
    with open_store(store_file, BOOK) as store:
        store.load([logs], mapping=parse_mapping(mapping) if mapping else None)
        found = store.spend(by=by)
        return [
            (row.keys, row.calls, row.counts, row.computed_usd, row.recorded_usd) for row in (*found.rows, found.total)
        ]


@pytest.mark.slow
@pytest.mark.parametrize("by", [("day", "model"), ("component", "class"), ()])
def test_a_rollup_costs_what_its_calls_cost(calls: Path, tmp_path: Path, by: tuple[str, ...]) -> None:
    made = make_rollup(engine_of("local", str(calls)), BOOK, tmp_path / "rollup.parquet", Wanted())
    assert made.calls == 950  # 1,000 entries, 50 of them repeat an event_id
    assert sums(tmp_path / "a.duckdb", made.file, by) == sums(tmp_path / "b.duckdb", calls, by, MAP)


@pytest.mark.slow
def test_a_rollup_of_a_store_costs_what_the_store_says(calls: Path, tmp_path: Path) -> None:
    in_store = sums(tmp_path / "a.duckdb", calls, ("component",), MAP)
    made = make_rollup(engine_of("local", str(tmp_path / "a.duckdb")), BOOK, tmp_path / "r.parquet", Wanted())
    assert sums(tmp_path / "b.duckdb", made.file, ("component",)) == in_store


@pytest.mark.slow
def test_names_that_differ_in_blanks_lose_no_call(tmp_path: Path) -> None:
    """Tokens of x, of `x ` and of nobody (four ways to write it), 1, 2 and 4 + 8 + 16 + 32: their sums are kept apart,
    and those of names that are one in a store come together there."""
    named = ["'x'", "'x '", "''", "'  '", "NULL", "'unattributed'"]
    rows = " UNION ALL ".join(
        f"SELECT TIMESTAMP '2026-10-01' AS ts, 'openai' AS provider, 'gpt-4o' AS model, {2**n} AS input, {name} AS component"
        for n, name in enumerate(named)
    )
    duckdb.connect().execute(f"COPY ({rows}) TO '{tmp_path / 'calls.parquet'}' (FORMAT parquet)")
    made = make_rollup(engine_of("local", str(tmp_path / "calls.parquet")), BOOK, tmp_path / "r.parquet", Wanted())
    assert made.calls == 6
    with open_store(tmp_path / "a.duckdb", BOOK) as store:
        store.load([tmp_path / "r.parquet"])
        counted = store.connection.execute("SELECT component, sum(input) FROM usage_event GROUP BY ALL ORDER BY 2")
        assert counted.fetchall() == [("x", 1), ("x ", 2), ("unattributed", 60)]


@pytest.mark.slow
def test_audio_stays_a_class_of_its_own(tmp_path: Path) -> None:
    # gpt-realtime: 3 x (10 x 4 + 20 x 32 + 5 x 64) = 3 x 1,000 millionths; a table without such a column has none
    sql = """SELECT 'e' || i AS event_id, TIMESTAMP '2026-10-05' AS ts, 'gpt-realtime' AS model, 10 AS input,
        20 AS input_audio, 5 AS output_audio FROM range(3) t(i)"""
    duckdb.connect().execute(f"COPY ({sql}) TO '{tmp_path / 'calls.parquet'}' (FORMAT parquet)")
    made = make_rollup(engine_of("local", str(tmp_path / "calls.parquet")), BOOK, tmp_path / "r.parquet", Wanted())
    assert sums(tmp_path / "a.duckdb", made.file, ())[-1][3] == Decimal("0.003")


def test_a_rollup_from_before_audio_was_a_class_has_none(tmp_path: Path) -> None:
    older = Path(__file__).parents[2] / "data" / "usage" / "rollup" / "rollup.parquet"
    columns = duckdb.connect().execute(f"SELECT column_name FROM (DESCRIBE FROM '{older}')").fetchall()
    assert ("input",) in columns
    assert ("input_audio",) not in columns
    with open_store(tmp_path / "a.duckdb", BOOK) as store:
        store.load([older])
        total = store.spend(by=()).total
    assert total.tokens["input"] > 0
    assert sum(total.tokens[name] for name in MEDIA_CLASSES) == 0


@pytest.mark.slow
def test_dimensions_that_are_kept_are_there_after_loading(calls: Path, tmp_path: Path) -> None:
    made = make_rollup(engine_of("local", str(calls)), BOOK, tmp_path / "r.parquet", Wanted(keep=["user"]))
    assert sums(tmp_path / "a.duckdb", made.file, ("user",)) == sums(tmp_path / "b.duckdb", calls, ("user",), MAP)


@pytest.mark.slow
def test_loading_a_rollup_twice_counts_it_once(calls: Path, tmp_path: Path) -> None:
    made = make_rollup(engine_of("local", str(calls)), BOOK, tmp_path / "r.parquet", Wanted())
    once = sums(tmp_path / "a.duckdb", made.file, ())
    (tmp_path / "copy.parquet").write_bytes(made.file.read_bytes())
    assert sums(tmp_path / "a.duckdb", tmp_path / "copy.parquet", ()) == once


@pytest.mark.slow
def test_sums_beyond_what_one_call_may_have_are_counted_whole(tmp_path: Path) -> None:
    # 30 calls of 10^12 tokens are one sum of 3 * 10^13, at 1 USD per million 30,000,000 USD
    sql = """SELECT 'e' || i AS event_id, TIMESTAMP '2026-10-05' AS ts, 'claude-haiku-4-5' AS model,
        1_000_000_000_000 AS input FROM range(30) t(i)"""
    duckdb.connect().execute(f"COPY ({sql}) TO '{tmp_path / 'calls.parquet'}' (FORMAT parquet)")
    made = make_rollup(engine_of("local", str(tmp_path / "calls.parquet")), BOOK, tmp_path / "r.parquet", Wanted())
    ((_, calls, counts, usd, _),) = sums(tmp_path / "a.duckdb", made.file, ())[-1:]
    assert (calls, counts[0], usd) == (30, 30 * 10**12, Decimal(30_000_000))


@pytest.mark.slow
def test_calls_that_cannot_be_counted_are_named_and_rejected(tmp_path: Path) -> None:
    sql = """SELECT TIMESTAMP '2026-10-05' AS ts, 'claude-haiku-4-5' AS model, i - 1 AS input FROM range(3) t(i)"""
    duckdb.connect().execute(f"COPY ({sql}) TO '{tmp_path / 'calls.parquet'}' (FORMAT parquet)")
    made = make_rollup(engine_of("local", str(tmp_path / "calls.parquet")), BOOK, tmp_path / "r.parquet", Wanted())
    assert (made.calls, made.faults) == (2, (("a negative count", 1),))
    with open_store(tmp_path / "a.duckdb", BOOK) as store:
        report = store.load([made.file])
        assert report.first_rejects[0].endswith("1 calls with a negative count")
        assert store.spend(by=()).total.calls == 2


@pytest.mark.slow
def test_a_bill_stays_a_bill(tmp_path: Path) -> None:
    sql = """SELECT TIMESTAMP '2026-10-05' AS ts, 'claude-haiku-4-5' AS model, 'anthropic' AS provider,
        5.25::DECIMAL(9, 2) AS recorded_usd"""
    duckdb.connect().execute(f"COPY ({sql}) TO '{tmp_path / 'bill.parquet'}' (FORMAT parquet)")
    engine = engine_of("local", str(tmp_path / "bill.parquet"))
    made = make_rollup(engine, BOOK, tmp_path / "r.parquet", Wanted(role="bill"))
    with open_store(tmp_path / "a.duckdb", BOOK) as store:
        store.load([made.file])
        assert store.connection.execute("SELECT role, recorded_usd FROM usage_event").fetchall() == [
            ("bill", Decimal("5.25"))
        ]
        assert store.spend(by=()).total.computed_usd == Decimal("5.25")


@pytest.mark.slow
def test_prices_with_a_tier_that_the_rollup_does_not_keep_apart_are_refused(calls: Path, tmp_path: Path) -> None:
    made = make_rollup(engine_of("local", str(calls)), BOOK, tmp_path / "r.parquet", Wanted())
    overlay = tmp_path / "prices.yaml"
    overlay.write_text(
        "book: ours\nsource: our contract\nmodels:\n  - model: anthropic/claude-sonnet-4-5\n    usd_per_mtok: {input: 3, output: 15}\n"
        "    tiers: [{min_input_tokens: 77777, usd_per_mtok: {input: 9, output: 15}}]\n"
    )
    with open_store(tmp_path / "a.duckdb", BOOK) as store:
        store.load([made.file])
    with (
        pytest.raises(CostsimError, match="has a price from 77,777 tokens, which this rollup does not keep apart"),
        open_store(tmp_path / "a.duckdb", open_book("list", [overlay])) as store,
    ):
        store.spend()


@pytest.mark.slow
def test_two_rollups_of_the_same_days_made_in_two_ways_are_refused(calls: Path, tmp_path: Path) -> None:
    one = make_rollup(engine_of("local", str(calls)), BOOK, tmp_path / "one.parquet", Wanted())
    two = make_rollup(engine_of("local", str(calls)), BOOK, tmp_path / "two.parquet", Wanted(keep=["user"]))
    with open_store(tmp_path / "a.duckdb", BOOK) as store:
        store.load([one.file, two.file])
        with pytest.raises(CostsimError, match=r"in rollups that were made in two ways .*one.parquet, .*two.parquet"):
            store.spend()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("TIMESTAMP '2026-10-05' AS ts, 'm' AS modell, 1 AS input", "there is no column 'model'; did you mean 'modell'"),
        ("'2026-10-05' AS ts, 'm' AS model, 1 AS input", "column 'ts' is VARCHAR, not a timestamp"),
        ("TIMESTAMP '2026-10-05' AS ts, 'm' AS model, 1.5 AS input", r"column 'input' is DECIMAL\(2,1\), not a whole"),
    ],
    ids=["no model", "text for a time", "a fraction"],
)  # fmt: skip
def test_a_table_that_holds_no_calls_is_refused_in_one_line(tmp_path: Path, columns: str, message: str) -> None:
    duckdb.connect().execute(f"COPY (SELECT {columns}) TO '{tmp_path / 'a.parquet'}' (FORMAT parquet)")
    with pytest.raises(CostsimError, match=message):
        make_rollup(engine_of("local", str(tmp_path / "a.parquet")), BOOK, tmp_path / "r.parquet", Wanted())


@pytest.mark.slow
@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_statement_is_written_for_other_engines_and_can_be_parsed(dialect: str) -> None:
    import sqlglot

    made = written(printed_rollup("llm.calls", BOOK, Wanted(keep=["user"])), "llm.calls", dialect)
    assert len(sqlglot.parse(made, read=dialect)) >= 1
    assert "costsim_source" not in made
    assert f"{max(every_tier(BOOK))}" in made


@pytest.mark.slow
def test_bigquery_is_asked_for_parts_of_a_time_by_extract_and_for_money_beyond_nine_decimals() -> None:
    made = written(printed_rollup("project.llm.calls", BOOK, Wanted()), "project.llm.calls", "bigquery")
    assert "EXTRACT(HOUR FROM `judged`.`ts`)" in made
    assert "BIGNUMERIC" in made
    assert "MINUTE(" not in made


def test_snowflake_is_asked_for_columns_in_capitals_as_it_keeps_them_and_for_the_clock_of_utc() -> None:
    wanted = Wanted(parse_mapping("ts=started_at,model=modelName,input=input_tokens"))
    made = written(printed_rollup("llm.calls", BOOK, wanted), "llm.calls", "snowflake")
    assert """CONVERT_TIMEZONE('UTC', "calls"."STARTED_AT")""" in made
    assert """CAST("calls"."modelName" AS VARCHAR) AS "model\"""" in made
    assert 'FROM llm.calls AS "calls"' in made


@pytest.mark.parametrize("dialect", ["trino", "athena"])
def test_trino_is_asked_for_the_clock_of_utc_to_the_microsecond(dialect: str) -> None:
    made = written(printed_rollup("calls", BOOK, Wanted()), "calls", dialect)
    assert """AT_TIMEZONE(CAST("calls"."ts" AS TIMESTAMP(6) WITH TIME ZONE), 'UTC') AS TIMESTAMP(6))""" in made


@pytest.mark.parametrize("dialect", ["spark", "databricks"])
def test_spark_is_told_that_a_sum_that_is_too_large_is_an_error(dialect: str) -> None:
    made = written(printed_rollup("calls", BOOK, Wanted()), "calls", dialect)
    assert "ansi" in made.partition("WITH")[0].lower()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_sum_stands_for_the_column_of_its_name(dialect: str) -> None:
    from sqlglot import exp, parse

    tree = parse(written(printed_rollup("calls", BOOK, Wanted()), "calls", dialect), read=dialect)[-1]
    assert tree
    assert [column.sql() for column in tree.find_all(exp.Column) if not column.table] == []


# What DuckDB lacks of the others' words.
WORDS = """
CREATE MACRO at_timezone(t, zone) AS timezone(zone, t);
SET TimeZone = 'UTC'
"""


@pytest.mark.slow
@pytest.mark.parametrize("dialect", sorted({*DIALECTS} - {"clickhouse"}))  # chDB runs that one
def test_the_statement_read_back_from_a_dialect_gives_the_local_sums(calls: Path, tmp_path: Path, dialect: str) -> None:
    import sqlglot

    made = make_rollup(engine_of("local", str(calls)), BOOK, tmp_path / "r.parquet", Wanted())
    mapping = parse_mapping(MAP.replace("user=user,", ""))
    statement = sqlglot.parse(written(printed_rollup("calls", BOOK, Wanted(mapping)), "calls", dialect), read=dialect)[
        -1
    ]
    assert statement
    sql = statement.sql("duckdb").replace("TEXT(MAX)", "TEXT")
    connection = duckdb.connect()
    connection.execute(WORDS)
    connection.execute(f"CREATE TABLE calls AS {CALLS}")
    names = ", ".join(RollupStatement("", {}, []).names[3:])
    apart = f"SELECT {names} FROM ({sql}) EXCEPT ALL SELECT {names} FROM '{made.file}'"
    rows = connection.execute(f"SELECT count(*) FROM ({sql})").fetchall()
    assert (rows, connection.execute(f"SELECT count(*) FROM ({apart})").fetchall()) == ([(made.rows,)], [(0,)])


@pytest.mark.slow
def test_the_statement_for_duckdb_gives_the_local_sums(calls: Path, tmp_path: Path) -> None:
    made = make_rollup(engine_of("local", str(calls)), BOOK, tmp_path / "r.parquet", Wanted())
    there = duckdb.read_parquet(str(made.file)).aggregate("sum(calls), sum(input), sum(output)").fetchall()
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE calls AS {CALLS}")
    names = ("ts", "model", "provider", "component", "input", "output", "cache_read", "recorded_usd")
    mapping = parse_mapping(",".join(f"{name}={name}" for name in names) + ",id=event_id")
    sql = written(printed_rollup("calls", BOOK, Wanted(mapping)), "calls", "duckdb").partition(";")[2]
    printed = f"SELECT sum(calls), sum(input), sum(output) FROM ({sql.strip().rstrip(';')})"
    assert connection.execute(printed).fetchall() == there


@pytest.mark.slow
def test_the_command_line_makes_a_rollup_that_load_takes(costsim: Run, calls: Path) -> None:
    made = costsim("rollup", str(calls), "--out", "rollup.parquet")
    assert (made.code, "of 950 calls, 2026-10-01 to 2026-10-10 (UTC)" in made.out) == (0, True), made
    assert "(rollup)" in costsim("load", "rollup.parquet").out
    assert costsim("rollup", str(calls)).err.strip() == "costsim: say where the rollup goes: --out FILE.parquet"
    assert (
        "there is no dialect 'bigquerry'; did you mean 'bigquery'"
        in costsim("rollup", "t", "--print-sql", "--dialect", "bigquerry").err
    )


def test_an_object_store_whose_extension_cannot_be_installed_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from costsim.usage import object_stores

    monkeypatch.setitem(object_stores.EXTENSIONS, "s3", "no_such_extension")
    with pytest.raises(
        CostsimError, match=r"^s3://lake/calls.parquet: s3:// needs DuckDB's extension no_such_extension"
    ):
        engine_of("local", "s3://lake/calls.parquet")
