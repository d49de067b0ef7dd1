"""DeepSeek Harness's sessions: each call once, whether streamed, answered, copied by a fork or made by a compaction."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import zstandard
from costsim.usage.load import load
from emptied import open_store

Record = dict[str, Any]
MS = 1_791_194_400_000
V4 = "deepseek-v4-pro"
HEAD: Record = {"type": "session", "version": 0, "id": "s-1", "createdAt": MS, "cwd": "/srv/app", "delegationDepth": 0}


def usage(input: int, output: int, read: int = 0, **more: int) -> Record:
    return {"inputTokens": input, "outputTokens": output, "cacheReadTokens": read, **more}


def event(kind: str, seq: int, **data: Any) -> Record:
    return {"type": kind, "seq": seq, "time": MS + seq, "data": data}


def asked(seq: int, model: str) -> Record:
    return event("request/context", seq, provider="deepseek-official", model=model, contextWindow=128_000)


def streamed(seq: int, step: int, used: Record) -> Record:
    return event("assistant/chunk", seq, turn=1, step=step, chunk={"type": "usage", "usage": used})


def answered(seq: int, step: int, used: Record, **source: str) -> Record:
    return event("assistant/message", seq, turn=1, step=step, message={"source": source}, usage=used)


def found(folder: Path, files: dict[str, list[Record]], columns: str) -> list[tuple[Any, ...]]:
    for name, records in files.items():
        file = folder / "logs" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps(record).encode() + b"\n" for record in records]
        file.write_bytes(b"".join(map(zstandard.compress, lines) if name.endswith(".zstd") else lines))
    with open_store(folder / "costsim.duckdb") as store:
        load(store, [folder / "logs"], strict=True)
        load(store, [folder / "logs"], strict=True)
        return store.execute(f"SELECT {columns} FROM usage_event ORDER BY ts").fetchall()


def test_what_is_streamed_counts_only_where_no_answer_says_it(tmp_path: Path) -> None:
    used = usage(100, 20, 60, cacheWriteTokens=5, reasoningTokens=8)
    log = [HEAD, asked(1, V4), streamed(2, 1, usage(100, 3, 60)), answered(3, 1, used),
           streamed(4, 2, usage(9, 1)), streamed(5, 2, usage(9, 4))]  # fmt: skip
    columns = "provider, model, project, input, cache_read, cache_write_5m, output, request"
    assert found(tmp_path, {"session.jsonl": log}, columns) == [
        ("deepseek", V4, "app", 100, 60, 5, 20, 1),
        ("deepseek", V4, "app", 9, 0, 0, 4, 1),  # interrupted: the last that it said
    ]


def test_a_step_that_is_answered_after_it_was_loaded_counts_once(tmp_path: Path) -> None:
    begun = [HEAD, asked(1, V4), streamed(2, 1, usage(100, 3, 60))]
    assert found(tmp_path, {"session.jsonl": begun}, "input, output") == [(100, 3)]
    assert found(tmp_path, {"session.jsonl": [*begun, answered(3, 1, usage(100, 20, 60))]}, "input, output") == [
        (100, 20)
    ]


def test_a_call_is_of_the_model_that_answered_it(tmp_path: Path) -> None:
    log = [HEAD, asked(1, V4), answered(2, 1, usage(10, 1), model="deepseek-v4-flash"), answered(3, 2, usage(20, 2)),
           asked(4, "deepseek-chat"), answered(5, 3, usage(30, 3))]  # fmt: skip
    assert found(tmp_path, {"session.jsonl": log}, "model, input") == [
        ("deepseek-v4-flash", 10),
        (V4, 20),
        ("deepseek-chat", 30),
    ]


def test_the_summary_of_a_compaction_is_a_call(tmp_path: Path) -> None:
    summary = event("compaction/summary", 3, model=V4, shadowedTokenCount=9_000, maxTokens=4_000, usage=usage(900, 50))
    log = [HEAD, asked(1, "deepseek-chat"), answered(2, 1, usage(10, 1)), summary]
    assert found(tmp_path, {"session.jsonl": log}, "task, model, input") == [
        (None, "deepseek-chat", 10),
        ("compaction", V4, 900),
    ]


def test_a_fork_counts_its_own_calls_and_packed_batches_are_read_to_the_end(tmp_path: Path) -> None:
    parent = [HEAD, asked(1, V4), answered(2, 1, usage(100, 10)), answered(3, 2, usage(7, 1))]
    fork = [{**HEAD, "id": "s-2", "parentSession": "s-1", "seedLength": 3}, *parent[1:3], answered(9, 2, usage(50, 5))]
    files = {"a/session-1/session.jsonl.zstd": parent, "a/session-2/session.jsonl.zstd": fork}
    assert found(tmp_path, files, "input, output") == [(100, 10), (7, 1), (50, 5)]
