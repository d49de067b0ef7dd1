"""OpenCode's messages of 2025 could have many steps: each is a call, and the message has the last one's tokens only."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from costsim.usage.load import load
from emptied import open_store

Record = dict[str, Any]
AT = 1_758_000_000_000


def tokens(input: int, output: int, read: int = 0) -> Record:
    return {"input": input, "output": output, "reasoning": 0, "cache": {"read": read, "write": 0}}


def step(input: int, output: int, read: int, cost: float) -> Record:
    return {"type": "step-finish", "reason": "tool-calls", "tokens": tokens(input, output, read), "cost": cost}


def message(id: str, used: Record, cost: float) -> Record:
    return {"id": id, "sessionID": "s", "role": "assistant", "modelID": "claude-sonnet-4-5", "providerID": "anthropic",
            "time": {"created": AT, "completed": AT + 900}, "tokens": used, "cost": cost}  # fmt: skip


STEPS = [step(1_000, 50, 0, 0.01), step(20, 60, 1_000, 0.02), {"type": "text", "text": '"type":"step-finish"'},
         step(30, 70, 1_060, 0.03)]  # fmt: skip
SEVERAL = message("msg_1", tokens(30, 70, 1_060), 0.06)  # 0.01 + 0.02 + 0.03
CALLS = [(20, 1_000, 60, Decimal("0.02")), (30, 1_060, 70, Decimal("0.03")), (1_000, 0, 50, Decimal("0.01"))]


def as_database(folder: Path, *messages: tuple[Record, list[Record]]) -> None:
    with closing(sqlite3.connect(folder / "opencode.db")) as database, database:
        database.execute("CREATE TABLE session (id)")
        database.execute("CREATE TABLE message (id, session_id, time_created, data)")
        database.execute("CREATE TABLE part (id, message_id, session_id, data)")
        for one, parts in messages:
            row = (one["id"], "s", AT, json.dumps(one))
            database.execute("INSERT INTO message VALUES (?, ?, ?, ?)", row)
            for n, part in enumerate(parts):
                values = (f"prt_{n}", one["id"], "s", json.dumps(part, separators=(",", ":")))
                database.execute("INSERT INTO part VALUES (?, ?, ?, ?)", values)


def as_files(folder: Path, *messages: tuple[Record, list[Record]]) -> None:
    for one, parts in messages:
        for kind, parent, name, data in (
            ("message", "s", one["id"], one),
            *(("part", one["id"], f"prt_{n}", part) for n, part in enumerate(parts)),
        ):
            file = folder / "storage" / kind / parent / f"{name}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(data))


def as_export(folder: Path, *messages: tuple[Record, list[Record]]) -> None:
    export = {"info": {"id": "s"}, "messages": [{"info": one, "parts": parts} for one, parts in messages]}
    (folder / "export.json").write_text(json.dumps(export))


def found(folder: Path) -> list[tuple[Any, ...]]:
    with open_store(folder / "costsim.duckdb") as store:
        load(store, [folder])
        load(store, [folder])
        assert store.execute("SELECT count(*) FROM reject").fetchone() == (0,)
        columns = "input, cache_read, output, recorded_usd"
        return store.execute(f"SELECT {columns} FROM usage_event ORDER BY ALL").fetchall()


@pytest.mark.parametrize("write", [as_database, as_files, as_export])
def test_each_step_of_a_message_is_a_call(tmp_path: Path, write: Any) -> None:
    write(tmp_path, (SEVERAL, STEPS))
    assert found(tmp_path) == CALLS


def test_the_same_steps_in_the_database_the_files_and_an_export_count_once(tmp_path: Path) -> None:
    for write in (as_database, as_files, as_export):
        write(tmp_path, (SEVERAL, STEPS))
    assert found(tmp_path) == CALLS


def test_a_message_of_one_step_counts_as_it_is_and_a_forks_steps_count_once(tmp_path: Path) -> None:
    one = {**message("msg_0", tokens(7, 3), 0.5), "time": {"created": AT - 1, "completed": AT}}
    fork = {**SEVERAL, "id": "msg_9", "sessionID": "t"}
    as_database(tmp_path, (one, [step(7, 3, 0, 0.5)]), (SEVERAL, STEPS), (fork, STEPS))
    assert found(tmp_path) == [(7, 0, 3, Decimal("0.5")), *CALLS]


@pytest.mark.parametrize("write", [as_files, as_export])
def test_a_step_of_a_message_that_states_no_tokens_counts(tmp_path: Path, write: Any) -> None:
    write(tmp_path, (message("msg_1", tokens(0, 0), 0), [step(7, 3, 4, 0.5)]))
    assert found(tmp_path) == [(7, 4, 3, Decimal("0.5"))]
