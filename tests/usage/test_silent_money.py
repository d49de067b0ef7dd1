"""Money that went missing, or counted twice, without a word: each is right now, or named."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from costsim.usage.load import load
from emptied import open_store

Row = tuple[Any, ...]


def loaded(folder: Path, *files: Path) -> tuple[Row, list[str]]:
    """Calls, tokens in and out and recorded cost of files loaded one after the other; and the reasons of rejects."""
    with open_store(folder / "s.duckdb") as store:
        for file in files:
            load(store, [file])
        row = store.execute("SELECT count(*), sum(input), sum(output), sum(recorded_usd) FROM usage_event").fetchone()
        reasons = store.execute("SELECT reason FROM reject").fetchall()
    assert row
    return row, [reason for (reason,) in reasons]


def write(file: Path, *entries: object) -> Path:
    file.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return file


def attributes(**values: str | int | float) -> list[dict[str, object]]:
    def typed(value: str | float) -> dict[str, object]:
        if isinstance(value, str):
            return {"stringValue": value}
        return {"intValue": str(value)} if isinstance(value, int) else {"doubleValue": value}

    return [{"key": key.replace("__", "."), "value": typed(value)} for key, value in values.items()]


def metrics(folder: Path) -> Path:
    def point(kind: str, value: int) -> dict[str, object]:
        named = attributes(session__id="s1", model="claude-haiku-4-5", type=kind)
        return {"attributes": named, "timeUnixNano": "1791000000000000000", "startTimeUnixNano": "1790999990000000000",
                "asInt": str(value)}  # fmt: skip

    points = [point("input", 100), point("output", 10)]
    tokens = {"name": "claude_code.token.usage", "sum": {"aggregationTemporality": 1, "dataPoints": points}}
    return write(folder / "m.json", {"resourceMetrics": [{"scopeMetrics": [{"metrics": [tokens]}]}]})


def logs(folder: Path) -> Path:
    named = attributes(
        event__name="api_request", session__id="s1", model="claude-haiku-4-5", input_tokens=100, output_tokens=10,
        request_id="req_1",
    )  # fmt: skip
    record = {"timeUnixNano": "1791000000000000000", "body": {"stringValue": "claude_code.api_request"},
              "attributes": named}  # fmt: skip
    return write(folder / "l.json", {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]})


@pytest.mark.slow
@pytest.mark.parametrize("first", ["metrics", "logs"])
def test_claude_codes_metrics_repeat_its_logs_whichever_comes_first(tmp_path: Path, first: str) -> None:
    files = [metrics(tmp_path), logs(tmp_path)]
    row, _ = loaded(tmp_path, *(files if first == "metrics" else files[::-1]))
    assert row[:3] == (1, 100, 10)


def goose(folder: Path, columns: str, values: Row) -> Path:
    with sqlite3.connect(folder / "sessions.db") as database:
        database.execute(f"CREATE TABLE sessions (id, updated_at, provider_name, {columns})")
        for table in ("messages", "schema_version"):
            database.execute(f"CREATE TABLE {table} (a)")
        marks = ", ".join("?" * (3 + len(values)))
        database.execute(f"INSERT INTO sessions VALUES ({marks})", ("a", "2026-10-05 10:00:00", "anthropic", *values))
    database.close()
    return folder / "sessions.db"


def test_a_goose_session_without_accumulated_tokens_is_rejected_with_the_reason(tmp_path: Path) -> None:
    row, reasons = loaded(tmp_path, goose(tmp_path, "input_tokens, output_tokens", (700, 30)))
    assert row[0] == 0
    assert reasons == ["a session without its accumulated tokens: only its last call is stated"]


HEAD = (
    "Date,Kind,Model,Max Mode,Input (w/ Cache Write),Input (w/o Cache Write),Cache Read,Output Tokens,Total Tokens,Cost"
)


@pytest.mark.parametrize(
    ("cost", "usd", "rejected"),
    [
        ("$0.50", "0.5", 0),
        ("Included", None, 0),
        ("", None, 0),
        ("-", None, 0),
        ("1.2.3", None, 1),
        ("0.5 EUR", None, 1),
    ],
)
def test_a_cursor_cost_is_an_amount_a_word_or_a_reject(
    tmp_path: Path, cost: str, usd: str | None, rejected: int
) -> None:
    file = tmp_path / "usage.csv"
    file.write_text(f"{HEAD}\n2026-10-05T10:00:00.000Z,On-Demand,auto,No,0,10,0,5,15,{cost}\n")
    row, reasons = loaded(tmp_path, file)
    assert (row[0], len(reasons)) == (1 - rejected, rejected)
    assert (None if row[3] is None else float(row[3])) == (None if usd is None else float(usd))


def test_one_bad_line_of_gemini_cli_does_not_end_the_file(tmp_path: Path) -> None:
    def message(n: int) -> str:
        tokens = {"input": 100, "output": 10, "cached": 0, "thoughts": 0, "tool": 0, "total": 110}
        return json.dumps({"id": f"m{n}", "type": "gemini", "timestamp": "2026-10-05T10:00:00Z", "model": "gemini-2.5-pro",
                           "tokens": tokens})  # fmt: skip

    head = json.dumps({"sessionId": "s", "projectHash": "p", "startTime": "2026-10-05T10:00:00Z"})
    (tmp_path / "c.jsonl").write_text("\n".join([head, message(1), '{"torn": ', message(2)]) + "\n")
    row, reasons = loaded(tmp_path, tmp_path / "c.jsonl")
    assert (row[:3], reasons) == ((2, 200, 20), ["not JSON"])


@pytest.mark.slow
def test_agents_that_a_tool_of_pi_ran_are_counted_at_their_own_model(tmp_path: Path) -> None:
    def usage(tokens: int) -> dict[str, object]:
        return {
            "input": tokens,
            "output": 10,
            "cacheRead": 0,
            "cacheWrite": 0,
            "cost": 0.01,
            "contextTokens": 9,
            "turns": 2,
        }

    at = "2026-10-05T10:00:0{}Z"
    session = {"type": "session", "id": "s", "timestamp": at.format(0), "cwd": "/p", "thinkingLevel": "off"}
    call = {"type": "message", "id": "a", "timestamp": at.format(1),
            "message": {"role": "assistant", "provider": "anthropic", "model": "claude-opus-4-6",
                        "usage": {"input": 1000, "output": 100, "cacheRead": 0, "cacheWrite": 0}}}  # fmt: skip
    results = [{"model": "claude-haiku-4-5", "usage": usage(200)}, {"usage": usage(300)}]
    ran = {"type": "message", "id": "b", "timestamp": at.format(2),
           "message": {"role": "toolResult", "details": {"mode": "parallel", "results": results}}}  # fmt: skip
    row, _ = loaded(tmp_path, write(tmp_path / "s.jsonl", session, call, ran))
    # 1,000 + 200 + 300; 100 + 10 + 10; $0.01 twice
    assert (row[:3], float(row[3])) == ((3, 1500, 120), 0.02)
    with open_store(tmp_path / "s.duckdb") as store:
        models = store.execute("SELECT model, input FROM usage_event ORDER BY input").fetchall()
        assert store.execute("SELECT field FROM unread").fetchall() == []
    assert models == [("claude-haiku-4-5", 200), ("claude-opus-4-6", 300), ("claude-opus-4-6", 1000)]


@pytest.mark.parametrize("broken", [False, True])
def test_the_names_of_folders_override_nothing_that_a_log_says(tmp_path: Path, broken: bool) -> None:
    """DuckDB takes `timestamp=2020-01-01` above a file for a column; a broken line makes the careful reading."""
    entry = {"timestamp": "2026-01-09T10:00:00Z", "sessionId": "s", "requestId": "r", "message": {
        "role": "assistant", "id": "m", "model": "claude-haiku-4-5", "usage": {"input_tokens": 7, "output_tokens": 2}}}  # fmt: skip
    folder = tmp_path / "timestamp=2020-01-01" / "sessionId=other"
    folder.mkdir(parents=True)
    write(folder / "x.jsonl", *[entry] * 2, *(["broken"] if broken else []))
    with open_store(tmp_path / "s.duckdb") as store:
        load(store, [folder / "x.jsonl"])
        rows = store.execute("SELECT ts::DATE::VARCHAR, session, input FROM usage_event").fetchall()
    assert rows == [("2026-01-09", "s", 7)]


def test_a_log_is_read_and_none_that_its_name_would_mean_as_a_pattern(tmp_path: Path) -> None:
    """DuckDB splits patterns at backslashes: `a\\x[1].jsonl` would be x[1].jsonl in the folder `a`."""
    usage = {"input_tokens": 7, "output_tokens": 2}
    for name, tokens in ((r"a\x[1].jsonl", 7), ("a/x[1].jsonl", 500), ("a/x1.jsonl", 900)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        message = {
            "role": "assistant",
            "id": name,
            "model": "claude-haiku-4-5",
            "usage": usage | {"input_tokens": tokens},
        }
        write(tmp_path / name, {"timestamp": "2026-01-09T10:00:00Z", "sessionId": name, "message": message})
    assert loaded(tmp_path, tmp_path / r"a\x[1].jsonl") == ((1, 7, 2, None), [])
