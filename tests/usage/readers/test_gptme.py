"""gptme's conversations: each answer once, in disjoint classes, of both shapes of its metadata."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from costsim.usage.load import load
from emptied import open_store

Record = dict[str, Any]
SONNET = "anthropic/claude-sonnet-4-6"


def message(role: str, second: int, **metadata: Any) -> Record:
    more = {"metadata": metadata} if metadata else {}
    return {"role": role, "content": "", "timestamp": f"2026-10-05T10:00:{second:02}.250000", **more}


def found(folder: Path, columns: str, **conversations: list[Record]) -> list[tuple[Any, ...]]:
    for name, messages in conversations.items():
        file = folder / "logs" / name / "conversation.jsonl"
        file.parent.mkdir(parents=True)
        file.write_text("".join(json.dumps(one) + "\n" for one in messages))
    with open_store(folder / "costsim.duckdb") as store:
        load(store, [folder / "logs"], strict=True)
        load(store, [folder / "logs"], strict=True)
        return store.execute(f"SELECT {columns} FROM usage_event ORDER BY ts").fetchall()


def test_the_classes_are_disjoint_in_both_shapes_of_the_metadata(tmp_path: Path) -> None:
    usage = {"input_tokens": 30, "output_tokens": 44, "cache_read_tokens": 2_000, "cache_creation_tokens": 1_500}
    said = [message("user", 1), message("assistant", 2, model=SONNET, cost=0.00693, usage=usage, timings={"gen_ms": 9.0}),
            message("assistant", 3, model=SONNET, input_tokens=50, output_tokens=5)]  # fmt: skip
    columns = "model, input, cache_read, cache_write_5m, output, recorded_usd, session"
    assert found(tmp_path, columns, hello=said) == [
        (SONNET, 30, 2_000, 1_500, 44, Decimal("0.00693"), "hello"),
        (SONNET, 50, 0, 0, 5, None, "hello"),  # an older version
    ]


def test_a_fork_counts_its_own_answers(tmp_path: Path) -> None:
    shared = [
        message("user", 1),
        message("assistant", 2, model=SONNET, usage={"input_tokens": 100, "output_tokens": 9}),
    ]
    own = message("assistant", 5, model=SONNET, usage={"input_tokens": 7, "output_tokens": 1})
    assert found(tmp_path, "input, output", first=shared, fork=[*shared, own]) == [(100, 9), (7, 1)]


def test_an_answer_without_usage_is_no_call(tmp_path: Path) -> None:
    said = [message("assistant", 1, model=SONNET), message("assistant", 2, model=SONNET, usage={"input_tokens": 7})]
    assert found(tmp_path, "input", one=said) == [(7,)]
