"""GitHub Copilot: shutdowns of a leg or running on, crashes, the store beside the events, and GitHub's bill."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from costsim.errors import UsageLogError
from costsim.usage.load import load
from emptied import open_store

DATA = Path(__file__).parents[2] / "data" / "usage"
Event = dict[str, Any]
SUMS = """
SELECT coalesce(sum(request), 0), coalesce(sum(input), 0), coalesce(sum(cache_read), 0),
    coalesce(sum(cache_write_5m), 0), coalesce(sum(output), 0), sum(recorded_usd)
FROM usage_event
"""


def at(minute: int) -> str:
    return f"2026-08-01T10:{minute:02}:00.000Z"


def event(kind: str, minute: int, **data: Any) -> Event:
    return {"type": kind, "id": f"{kind}-{minute}", "timestamp": at(minute), "parentId": None, "data": data}


def start(version: str = "1.0.34") -> Event:
    context = {"cwd": "/srv/app", "branch": "main", "repository": "owner/app"}
    return event(
        "session.start", 0, sessionId="s", copilotVersion=version, context=context, selectedModel="gpt-5.4-mini"
    )


def resume(minute: int) -> Event:
    return event("session.resume", minute, selectedModel="gpt-5.4-mini")


def message(minute: int, output: int | None = None) -> Event:
    stated = {} if output is None else {"outputTokens": output}
    return event("assistant.message", minute, messageId=f"m{minute}", content="", **stated)


def shutdown(minute: int, requests: int, total: int, read: int, output: int, nano: int = 0, **more: Any) -> Event:
    usage = {"inputTokens": total, "outputTokens": output, "cacheReadTokens": read, "cacheWriteTokens": 0}
    model = {"requests": {"count": requests, "cost": 1}, "usage": usage} | ({"totalNanoAiu": nano} if nano else {})
    return event("session.shutdown", minute, modelMetrics={"gpt-5.4-mini": model}, **more)


def write(folder: Path, events: Sequence[Event]) -> Path:
    file = folder / "session-state" / "s" / "events.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(one) + "\n" for one in events))
    return file


def sums(folder: Path, *paths: Path) -> tuple[Any, ...]:
    with open_store(folder / "costsim.duckdb") as store:
        report = load(store, paths)
        assert report.total("rejected") == 0
        assert report.unread == []
        row = store.execute(SUMS).fetchone()
    assert row is not None
    return row


LEGS = [start(), message(1, 30), message(2, 20), shutdown(3, 2, 1_000, 600, 50), resume(4), message(5, 40)]


def test_shutdowns_that_count_their_own_leg_add_up(tmp_path: Path) -> None:
    # 1,000 - 600 and 2,000 - 1,500 uncached; the second leg's one message has all of its 40
    file = write(tmp_path, [*LEGS, shutdown(6, 1, 2_000, 1_500, 40)])
    assert sums(tmp_path, file) == (3, 900, 2_100, 0, 90, None)


def test_shutdowns_that_run_on_count_what_they_add(tmp_path: Path) -> None:
    # 90 = 50 before and the message's 40, so 3,000 and 2,100 are the session's, not the leg's
    file = write(tmp_path, [*LEGS, shutdown(6, 3, 3_000, 2_100, 90)])
    assert sums(tmp_path, file) == (3, 900, 2_100, 0, 90, None)


@pytest.mark.parametrize(("version", "requests"), [("1.0.34", 5), ("1.0.80", 3)])
def test_without_messages_the_version_says_which_it_is(tmp_path: Path, version: str, requests: int) -> None:
    file = write(
        tmp_path, [start(version), shutdown(3, 2, 1_000, 600, 50), resume(4), shutdown(6, 3, 3_000, 2_100, 90)]
    )
    assert sums(tmp_path, file)[0] == requests


def test_a_crash_keeps_the_outputs_that_messages_state(tmp_path: Path) -> None:
    # two pitfalls at once: the first leg crashed, and the second's shutdown counts the second only
    file = write(tmp_path, [start(), message(1, 30), message(2, 20), resume(4), message(5, 40),
                            shutdown(6, 1, 2_000, 1_500, 40)])  # fmt: skip
    assert sums(tmp_path, file) == (3, 500, 1_500, 0, 90, None)


def test_a_session_that_runs_on_after_its_last_shutdown_has_its_new_messages(tmp_path: Path) -> None:
    assert sums(tmp_path, write(tmp_path, LEGS)) == (3, 400, 600, 0, 90, None)


@pytest.mark.slow
def test_what_a_running_session_stated_is_replaced_by_its_shutdown(tmp_path: Path) -> None:
    sums(tmp_path, write(tmp_path, LEGS))
    file = write(tmp_path, [*LEGS, shutdown(6, 1, 2_000, 1_500, 40)])
    assert sums(tmp_path, file) == (3, 900, 2_100, 0, 90, None)


def test_a_compaction_that_reset_the_counters_leaves_the_messages_before_it(tmp_path: Path) -> None:
    compacted = event(
        "session.compaction_complete", 3, success=True, compactionTokensUsed={"input": 9_000, "output": 5}
    )
    file = write(tmp_path, [start(), message(1, 300), message(2, 200), compacted, message(4, 40),
                            shutdown(6, 1, 2_000, 1_500, 40)])  # fmt: skip
    assert sums(tmp_path, file) == (3, 500, 1_500, 0, 540, None)


def test_units_are_dollars_by_the_hundred_billion_and_premium_requests_are_none(tmp_path: Path) -> None:
    # 24,594,000,000 / 1e11; the session has 5,406,000,000 more than its model: 0.24594 + 0.05406
    file = write(tmp_path, [start(), message(1, 50), shutdown(3, 1, 1_000, 0, 50, 24_594_000_000,
                                                              totalNanoAiu=30_000_000_000)])  # fmt: skip
    assert sums(tmp_path, file) == (1, 1_000, 0, 0, 50, Decimal("0.3"))


def store_of(folder: Path, *rows: tuple[int, str, int, int, int, int]) -> Path:
    """A store of requests: id, time, input with cached, cache reads, output, nano AI units."""
    file = folder / "session-store.db"
    with closing(sqlite3.connect(file)) as database:
        database.executescript(
            "CREATE TABLE sessions (id TEXT, cwd TEXT, repository TEXT, branch TEXT, created_at TEXT);"
            "CREATE TABLE assistant_usage_events (id INTEGER PRIMARY KEY, session_id TEXT, model TEXT, input_tokens INTEGER,"
            "output_tokens INTEGER, cache_read_tokens INTEGER, cache_write_tokens INTEGER, reasoning_tokens INTEGER,"
            "total_nano_aiu INTEGER, created_at TEXT);"
            "INSERT INTO sessions VALUES ('s', '/srv/app', 'owner/app', 'main', '2026-08-01 10:00:00');"
        )
        for number, time, total, read, output, nano in rows:
            values = (number, "s", "gpt-5.4-mini", total, output, read, 0, 0, nano, time)
            database.execute(f"INSERT INTO assistant_usage_events VALUES ({', '.join('?' * 10)})", values)
        database.commit()
    return file


ROWS = (1, "2026-08-01 10:01:30", 400, 200, 30, 1_000_000_000), (2, at(2), 600, 400, 20, 2_000_000_000)


@pytest.mark.parametrize("order", [("events",), ("store", "events"), ("events", "store")])
def test_requests_of_the_store_beside_count_once_whatever_is_loaded(tmp_path: Path, order: tuple[str, ...]) -> None:
    # the store has both requests of the shutdown: 1,000 - 600 uncached; $0.03 in all
    paths = {"store": store_of(tmp_path, *ROWS), "events": write(tmp_path, LEGS[:4])}
    assert sums(tmp_path, *(paths[name] for name in order)) == (2, 400, 600, 0, 50, Decimal("0.03"))


@pytest.mark.slow
def test_what_a_shutdown_has_beyond_the_store_counts_beside(tmp_path: Path) -> None:
    # the store was there from the second request on: the first is the shutdown's rest, 1,000 - 600 - 200 uncached
    store = store_of(tmp_path, ROWS[1])
    assert sums(tmp_path, store, write(tmp_path, LEGS[:4])) == (2, 400, 600, 0, 50, Decimal("0.02"))


@pytest.mark.slow
def test_requests_that_a_crash_left_in_the_store_have_their_input(tmp_path: Path) -> None:
    assert sums(tmp_path, store_of(tmp_path, *ROWS), write(tmp_path, LEGS[:3])) == (2, 400, 600, 0, 50, Decimal("0.03"))


def test_a_broken_event_is_rejected_and_costs_no_other(tmp_path: Path) -> None:
    file = write(tmp_path, LEGS[:4])
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:2], '{"type": "assistant.mess', *lines[2:]]))
    with open_store(tmp_path / "costsim.duckdb") as store:
        assert load(store, [file]).total("rejected") == 1
        assert store.execute("SELECT line, reason FROM reject").fetchall() == [(3, "not JSON")]
        assert store.execute(SUMS).fetchone() == (2, 400, 600, 0, 50, None)


@pytest.mark.parametrize("counted", ["usage", "message"])
def test_a_field_of_usage_that_is_not_known_is_named(tmp_path: Path, counted: str) -> None:
    events = [start(), message(1, 50), shutdown(3, 1, 1_000, 0, 50)]
    if counted == "usage":
        events[2]["data"]["modelMetrics"]["gpt-5.4-mini"]["usage"]["audioTokens"] = 77
    else:
        events[1]["data"]["audioTokens"] = 77
    with open_store(tmp_path / "costsim.duckdb") as store:
        [unread] = load(store, [write(tmp_path, events)]).unread
    assert (unread.field.rpartition(".")[2], unread.total) == ("audioTokens", 77)


def database(file: Path, *tables: str) -> Path:
    with closing(sqlite3.connect(file)) as made:
        made.executescript("".join(f"CREATE TABLE {name} (id TEXT);" for name in tables))
    return file


def test_stores_and_chats_without_tokens_are_refused_with_what_to_load(tmp_path: Path) -> None:
    chat = tmp_path / "chat.json"
    chat.write_text(json.dumps({"version": 3, "sessionId": "x", "creationDate": 1, "requests": [{"message": {}}]}))
    journal = tmp_path / "chat.jsonl"
    journal.write_text(json.dumps({"kind": 0, "v": {"sessionId": "x", "creationDate": 1, "requests": []}}) + "\n")
    nitrite = tmp_path / "copilot-chat-nitrite.db"
    nitrite.write_bytes(b"H:2,block:9,blockSize:1000,chunk:7,format:3\n" + bytes(4000))
    old = database(tmp_path / "session-store.db", "sessions", "turns", "checkpoints")
    with open_store(tmp_path / "costsim.duckdb") as store:
        for file in (chat, journal, nitrite, old):
            with pytest.raises(UsageLogError, match=r"events\.jsonl") as raised:
                load(store, [file])
            assert "tokens" in str(raised.value)


def test_a_bill_states_gross_and_keeps_what_the_plan_includes(tmp_path: Path) -> None:
    with open_store(tmp_path / "costsim.duckdb") as store:
        load(store, [DATA / "copilot-bill" / "billing-credit-usage.csv"])
        rows = store.execute(
            "SELECT tags->>'$.sku', count(*), round(sum(recorded_usd), 8), sum((tags->>'$.net_usd')::DECIMAL(18, 9)), "
            "sum(input + output + request) FROM usage_event WHERE role = 'bill' GROUP BY 1 ORDER BY 1"
        ).fetchall()
    assert rows == [
        ("coding_agent_ai_credit", 5, Decimal("37.6531829"), 0, 0),
        ("copilot_ai_credit", 93, Decimal("667.29313791"), 0, 0),
        ("copilot_premium_request", 25, Decimal("5.568"), 0, 0),
    ]


@pytest.mark.slow
def test_an_agents_span_counts_where_no_chat_does(tmp_path: Path) -> None:
    lines = (DATA / "otel" / "copilot.jsonl").read_text().splitlines()
    alone = tmp_path / "alone.jsonl"
    agent = next(json.loads(line) for line in lines if "invoke_agent" in line)
    alone.write_text(json.dumps({**agent, "startTime": [1_775_934_260, 0]}) + "\n")
    assert sums(tmp_path, alone)[:5] == (1, 100, 0, 0, 30)  # over its chat and the record of it: 60 and 10
    (tmp_path / "other").mkdir()
    both = tmp_path / "both.jsonl"
    both.write_text("\n".join(line for line in lines if "dupe" in line))
    assert sums(tmp_path / "other", both)[:5] == (1, 60, 0, 0, 10)
