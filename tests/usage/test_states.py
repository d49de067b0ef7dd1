"""A database or a document that is written anew as it changes counts as its last state says, and what it lost beside."""

from __future__ import annotations

import copy
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.errors import UsageLogError
from costsim.tokens import TOKEN_CLASSES
from costsim.usage.load import load
from costsim.usage.readers.mapped import parse_mapping
from costsim.usage.unfold import SQLITE
from emptied import open_store
from thorough import THOROUGH

SAMPLES = Path(__file__).parent.parent / "data" / "usage"
SUMS = ", ".join(f"sum({name})::BIGINT" for name in TOKEN_CLASSES)
TOTALS = f"SELECT role, count(*), {SUMS}, sum(recorded_usd) FROM usage_event GROUP BY role ORDER BY role"
CALLS = "SELECT input, output FROM usage_event ORDER BY input"
OLD = 1_700_000_000
Rows = list[tuple[int, int]]
COUNTED = ("tokens", "cost", "count", "nano_aiu")
"""What is in the names of columns whose values grow."""


def counted(folder: Path, states: Sequence[Path], asked: str = TOTALS) -> list[Any]:
    """What the store has after a file had these states, one after the other, at rest each time."""
    file = folder / states[-1].name
    folder.mkdir()
    with open_store(folder / "costsim.duckdb") as store:
        for number, state in enumerate(states):
            shutil.copy(state, file)
            os.utime(file, (OLD + number, OLD + number))
            load(store, [file])
        return store.execute(asked).fetchall()


def is_database(file: Path) -> bool:
    return file.read_bytes()[: len(SQLITE)] == SQLITE


def document(file: Path) -> Any:
    with suppress(ValueError):
        return json.loads(file.read_bytes())
    return None


FILES = [file for file in sorted(SAMPLES.rglob("*")) if file.is_file()]
DATABASES = [file for file in FILES if is_database(file)]
DOCUMENTS = [file for file in FILES if isinstance(document(file), dict | list)]


def earlier_databases(file: Path, folder: Path) -> Iterator[Path]:
    """Without the rows of a table, or the last of them, and with counts that were half of what they are."""
    with closing(sqlite3.connect(file)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = {table: [row[1] for row in database.execute(f'PRAGMA table_info("{table}")')] for table in tables}
    for number, sql in enumerate(sql for table in tables for sql in changes(table, columns[table])):
        made = folder / str(number) / file.name
        made.parent.mkdir(parents=True)
        shutil.copy(file, made)
        with closing(sqlite3.connect(made)) as database:
            changed = database.execute(sql).rowcount
            database.commit()
        if changed > 0:
            yield made


def changes(table: str, columns: Sequence[str]) -> Iterator[str]:
    yield f'DELETE FROM "{table}"'
    yield f'DELETE FROM "{table}" WHERE rowid = (SELECT max(rowid) FROM "{table}")'
    grown = [name for name in columns if any(part in name for part in COUNTED)]
    if grown:
        yield f'UPDATE "{table}" SET ' + ", ".join(f'"{name}" = "{name}" / 2' for name in grown)


def earlier_documents(file: Path, folder: Path) -> Iterator[Path]:
    """Without what is in one of its lists, or the last of that. Of lists that differ in their place within others
    only, the first, or each with COSTSIM_THOROUGH=1."""
    whole, number = document(file), count()
    alike: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for path in lists(whole):
        alike.setdefault(path if THOROUGH else tuple(key for key in path if isinstance(key, str)), path)
    for path in alike.values():
        for kept in (0, -1):
            earlier = within = copy.deepcopy(whole)
            for key in path:
                within = within[key]
            if kept and len(within) == 1:  # the state before this one
                continue
            del within[kept:]
            made = folder / str(next(number)) / file.name
            made.parent.mkdir(parents=True)
            made.write_text(json.dumps(earlier), "utf-8")
            yield made


def lists(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of the lists in a document."""
    if isinstance(value, list) and value:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from lists(item, (*path, key))


@pytest.mark.slow
@pytest.mark.parametrize("file", DATABASES + DOCUMENTS, ids=lambda file: str(file.relative_to(SAMPLES)))
def test_after_an_earlier_state_of_a_file_its_last_counts_as_if_it_were_the_only_one(
    file: Path, tmp_path: Path
) -> None:
    clean = counted(tmp_path / "clean", [file])
    earlier = earlier_databases if is_database(file) else earlier_documents
    for number, state in enumerate(earlier(file, tmp_path / "states")):
        with suppress(UsageLogError):  # a state in which it is no log
            assert counted(tmp_path / str(number), [state, file]) == clean, state.read_bytes()[:2000]


BILL = "date,username,product,sku,model,quantity,unit_type,gross_amount,discount_amount,net_amount,cost_center_name"


def bill(file: Path, *rows: tuple[int, str, str]) -> Path:
    """GitHub's bill of a user: the day, the model and the amount, which the quantity says too."""
    file.parent.mkdir(parents=True)
    lines = [
        f"2026-10-0{day},u,copilot,copilot_premium,{model},{usd},requests,{usd},0,{usd},c" for day, model, usd in rows
    ]
    file.write_text("\n".join([BILL, *lines, ""]))
    return file


def test_a_bill_that_is_exported_again_counts_each_day_as_it_says_last(tmp_path: Path) -> None:
    """The second day was not over. A model that it lists no more stays, and so does the month before."""
    states = [
        bill(tmp_path / "a" / "b.csv", (1, "m", "4.00"), (2, "m", "1.50"), (2, "other", "0.25")),
        bill(tmp_path / "b" / "b.csv", (1, "m", "4.00"), (2, "m", "2.50"), (3, "m", "1.00")),
    ]
    asked = "SELECT day(ts), recorded_usd::DOUBLE FROM usage_event ORDER BY ALL"
    assert counted(tmp_path / "loaded", states, asked) == [(1, 4.0), (2, 0.25), (2, 2.5), (3, 1.0)]


@pytest.mark.parametrize(
    ("before", "now", "input"),
    [
        pytest.param([(1, 100), (2, 50)], [(1, 100), (2, 80), (3, 7)], 187, id="sums by day, of which one grew"),
        pytest.param([(1, 10), (1, 20), (1, 30)], [(1, 20), (1, 30), (1, 40)], 100, id="calls, of which one is gone"),
        pytest.param([(1, 10), (2, 20)], [(3, 30), (4, 40)], 100, id="calls of a table that began anew"),
    ],
)
def test_rows_of_a_table_without_ids_that_is_written_anew_count_once(
    tmp_path: Path, before: Rows, now: Rows, input: int
) -> None:
    mapping = parse_mapping("ts=day,input=tokens,model=:m")
    file = tmp_path / "t.csv"
    with open_store(tmp_path / "costsim.duckdb") as store:
        for number, rows in enumerate((before, now)):
            file.write_text("day,tokens\n" + "".join(f"2026-10-0{day},{tokens}\n" for day, tokens in rows))
            os.utime(file, (OLD + number, OLD + number))
            load(store, [file], mapping=mapping)
        assert store.execute("SELECT sum(input)::BIGINT FROM usage_event").fetchall() == [(input,)]


def test_a_rollup_that_is_made_anew_with_other_names_counts_once(tmp_path: Path) -> None:
    """The sample's sums of another component each, as rules of attribution give them; then without one of its days."""
    sample = next((SAMPLES / "rollup").iterdir())
    states = [tmp_path / str(number) / "r.parquet" for number in range(3)]
    last = "day <> (SELECT max(day) FROM whole)"
    for state, component, where in zip(states, ("one", "other", "other"), ("TRUE", "TRUE", last), strict=True):
        state.parent.mkdir()
        duckdb.sql(f"""COPY (WITH whole AS (FROM '{sample}') SELECT * REPLACE ('{component}' AS component) FROM whole
            WHERE {where}) TO '{state}' (FORMAT parquet)""")  # fmt: skip
    clean = counted(tmp_path / "clean", states[1:2])
    assert counted(tmp_path / "again", states[:2]) == clean
    assert counted(tmp_path / "later", states) == clean  # a day that it has no more stays


def test_a_span_of_braintrust_counts_until_those_below_it_are_exported(tmp_path: Path) -> None:
    outer, inner = ({"id": id, "span_id": id, "root_span_id": "a", "span_parents": parents, "created": "2026-10-05T10:00:00Z",
                     "span_attributes": {"type": "llm", "name": id}, "metadata": {"model": "m"},
                     "metrics": {"prompt_tokens": 10, "completion_tokens": 3}}
                    for id, parents in (("a", None), ("b", ["a"])))  # fmt: skip
    states = [written(tmp_path / str(len(rows)) / "e.json", {"events": rows}) for rows in ([outer], [outer, inner])]
    assert counted(tmp_path / "loaded", states, CALLS) == [(10, 3)]


def test_a_run_of_langsmith_counts_until_those_below_it_are_exported(tmp_path: Path) -> None:
    run = {"trace_id": "a", "run_type": "llm", "session_id": "p", "start_time": "2026-10-05T10:00:00",
           "end_time": "2026-10-05T10:00:01", "prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13,
           "inputs": {}, "outputs": {}}  # fmt: skip
    runs = [{**run, "id": id, "name": id, "parent_run_id": parent} for id, parent in (("a", None), ("b", "a"))]
    states = [written(tmp_path / str(kept) / "e.json", runs[:kept]) for kept in (1, 2)]
    assert counted(tmp_path / "loaded", states, CALLS) == [(10, 3)]


def test_messages_of_a_run_count_until_its_result_has_their_sum(tmp_path: Path) -> None:
    usage = {"input_tokens": 10, "output_tokens": 3}
    message = {"type": "assistant", "session_id": "s", "parent_tool_use_id": None,
               "message": {"id": "msg_1", "model": "claude-haiku-4-5", "usage": usage}}  # fmt: skip
    result = {"type": "result", "session_id": "s", "uuid": "u", "total_cost_usd": 0.1, "usage": usage, "is_error": False,
              "modelUsage": {"claude-haiku-4-5": {"inputTokens": 10, "outputTokens": 4}}}  # fmt: skip
    states = [written(tmp_path / str(len(state)) / "run.json", state) for state in ([message], [message, result])]
    assert counted(tmp_path / "loaded", states, CALLS) == [(10, 4)]


def database(file: Path, **tables: Sequence[dict[str, Any]]) -> Path:
    """A database of these rows; of a table without any, one column."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file)) as made:
        for table, rows in tables.items():
            names = list(rows[0]) if rows else ["a"]
            made.execute(f"CREATE TABLE {table} ({', '.join(names)})")
            made.executemany(
                f"INSERT INTO {table} VALUES ({', '.join('?' * len(names))})", [tuple(row.values()) for row in rows]
            )
        made.commit()
    return file


def written(file: Path, value: Any) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(value), "utf-8")
    return file


AT = 1_791_194_400
EMPTY: dict[str, Sequence[dict[str, Any]]] = {"messages": (), "schema_version": (), "state_meta": ()}


def hermes(file: Path, total: int, *rows: int) -> Path:
    counts = {"cache_read_tokens": 0, "cache_write_tokens": 0, "api_call_count": 1}
    head = {"model": "gpt-5.5", "billing_provider": "openai", "billing_base_url": "", "billing_mode": ""}
    session = {"id": "s", **head, "started_at": AT, "input_tokens": total, "output_tokens": total // 10, **counts}
    used = [{"session_id": "s", **head, "model": f"m{number}", "task": "", "last_seen": AT, "input_tokens": row,
             "output_tokens": row // 10, **counts} for number, row in enumerate(rows)]  # fmt: skip
    return database(file, sessions=[session], session_model_usage=used or [{"session_id": "none"}], **EMPTY)


@pytest.mark.parametrize(
    ("states", "calls"),
    [
        pytest.param([(100,), (100, 100)], [(100, 10)], id="all of it has a row by now"),
        pytest.param([(100,), (100, 60)], [(40, 4), (60, 6)], id="a part of it has"),
        pytest.param([(100, 60), (100,)], [(100, 10)], id="its row was deleted, the session's sum stayed"),
        pytest.param([(100, 60, 20), (130, 70, 50)], [(10, 1), (50, 5), (70, 7)], id="all grew, the rest became less"),
    ],
)
def test_what_a_session_of_hermes_has_beyond_its_rows_is_the_rest_of_now(
    tmp_path: Path, states: list[tuple[int, ...]], calls: list[tuple[int, int]]
) -> None:
    files = [hermes(tmp_path / str(number) / "state.db", *state) for number, state in enumerate(states)]
    assert counted(tmp_path / "loaded", files, CALLS) == calls


@pytest.mark.parametrize(
    ("older", "later", "calls"),
    [
        pytest.param((100, 100), (300, 180, 120), [(120, 12), (180, 18)], id="each row once, at its later state"),
        pytest.param((100, 60), (100, 60), [(40, 4), (60, 6)], id="what both have left over, once"),
        pytest.param((100,), (100, 100), [(100, 10), (100, 10)], id="what the older one had left over, beside its row"),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_an_older_copy_of_a_database_beside_it_adds_what_it_had_left_over_and_nothing_else(
    tmp_path: Path, older: tuple[int, ...], later: tuple[int, ...], calls: list[tuple[int, int]], turned: bool
) -> None:
    """Neither says which is the later one: the last case is a limit that the documentation states."""
    files = [hermes(tmp_path / str(number) / "state.db", *state) for number, state in enumerate((older, later))]
    with open_store(tmp_path / "costsim.duckdb") as store:
        for file in reversed(files) if turned else files:
            load(store, [file])
        assert store.execute(CALLS).fetchall() == calls


def test_a_session_of_hermes_that_was_deleted_stays_with_its_rest(tmp_path: Path) -> None:
    other = {"id": "t", "input_tokens": 7, "output_tokens": 1, "started_at": AT}
    later = database(tmp_path / "b" / "state.db", sessions=[other], **EMPTY)
    states = [hermes(tmp_path / "a" / "state.db", 100, 60), later]
    assert counted(tmp_path / "loaded", states, CALLS) == [(7, 1), (40, 4), (60, 6)]


def amp(file: Path, said: Sequence[int], billed: Sequence[int]) -> Path:
    """A thread with usage in these messages, and events of its ledger for these, a tenth of a second later."""
    figures = {"inputTokens": 1000, "outputTokens": 10, "cacheReadInputTokens": 5}
    messages = [{"role": "assistant", "messageId": number, "usage": {**figures, "inputTokens": 1000 * number,
                 "model": "m", "timestamp": f"2026-10-05T10:0{number}:00.1Z"}} for number in said]  # fmt: skip
    events = [{"id": f"e{number}", "toMessageId": number, "model": "m", "timestamp": f"2026-10-05T10:0{number}:00.2Z",
               "tokens": {"input": 1000 * number, "output": 10}} for number in billed]  # fmt: skip
    first = {"role": "user", "messageId": 0, "content": []}
    return written(
        file, {"id": "T", "created": AT * 1000, "messages": [first, *messages], "usageLedger": {"events": events}}
    )


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(([1], [1, 2]), id="the message states it later"),
        pytest.param(([1, 2], [1]), id="the message was deleted, its event stayed"),
    ],
)
def test_an_event_of_amps_ledger_and_its_message_are_one_call(tmp_path: Path, said: tuple[list[int], ...]) -> None:
    files = [amp(tmp_path / str(number) / "T.json", one, [1, 2]) for number, one in enumerate(said)]
    assert counted(tmp_path / "loaded", files, CALLS) == [(1000, 10), (2000, 10)]


def test_a_message_of_amp_that_was_deleted_with_its_event_stays(tmp_path: Path) -> None:
    files = [amp(tmp_path / str(number) / "T.json", one, one) for number, one in enumerate(([1, 2], [1]))]
    assert counted(tmp_path / "loaded", files, CALLS) == [(1000, 10), (2000, 10)]


def opencode(file: Path, *messages: tuple[str, str, int]) -> Path:
    """Messages (id, session, input) of sessions whose totals are 500."""
    tokens = {"output": 5, "reasoning": 0, "cache": {"read": 0, "write": 0}}
    rows = [{"id": id, "session_id": session, "time_created": AT * 1000, "data": json.dumps({
        "role": "assistant", "modelID": "m", "providerID": "p", "time": {"created": AT * 1000, "completed": AT * 1000 + 9},
        "tokens": {**tokens, "input": used}})} for id, session, used in messages]  # fmt: skip
    totals = [{"id": session, "tokens_input": 500, "tokens_output": 5, "time_updated": AT * 1000, "model": "{}"}
              for session in sorted({session for _, session, _ in messages})]  # fmt: skip
    return database(file, session=totals, message=rows, part=())


@pytest.mark.parametrize(
    ("states", "calls"),
    [
        pytest.param([[("m1", "s", 0)], [("m1", "s", 500)]], [(500, 5)], id="its messages state their usage later"),
        pytest.param([[("m1", "s", 90), ("m2", "fork", 90)], [("m2", "fork", 90)]], [(90, 5)],
                     id="the original was deleted, its copy stayed"),
    ],
)  # fmt: skip
def test_what_opencode_states_in_two_ways_is_one_call(
    tmp_path: Path, states: list[list[tuple[str, str, int]]], calls: list[tuple[int, int]]
) -> None:
    files = [opencode(tmp_path / str(number) / "opencode.db", *state) for number, state in enumerate(states)]
    assert counted(tmp_path / "loaded", files, CALLS) == calls


def test_requests_that_cline_deleted_count_in_the_sum_that_it_puts_in_their_place(tmp_path: Path) -> None:
    """100 + 20 + 3 of input; a checkpoint is restored, which takes the last two, and 50 are asked after that."""

    def said(at: int, kind: str, used: int) -> dict[str, Any]:
        return {
            "ts": AT * 1000 + at,
            "type": "say",
            "say": kind,
            "text": json.dumps({"tokensIn": used, "tokensOut": 1}),
        }

    asked = [said(number, "api_req_started", used) for number, used in enumerate((100, 20, 3))]
    restored = [asked[0], said(5, "deleted_api_reqs", 23), said(6, "api_req_started", 50)]
    files = [
        written(tmp_path / str(number) / "ui_messages.json", state) for number, state in enumerate((asked, restored))
    ]
    assert counted(tmp_path / "loaded", files, CALLS) == [(23, 1), (50, 1), (100, 1)]
