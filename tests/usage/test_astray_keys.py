"""A count that stands behind a key of another form than its reader takes is named, though its path is spelt the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from costsim.usage.load import load
from emptied import open_store

Json = dict[str, Any]


def read(file: Path, *records: Any) -> tuple[dict[str, int], list[tuple[int, int]]]:
    """The fields of a log that are not counted, each with its sum; and input and output of its calls."""
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    with open_store() as store:
        load(store, [file])
        named = dict(store.execute("SELECT field, total::BIGINT FROM unread").fetchall())
        return named, store.execute("SELECT input, output FROM usage_event").fetchall()


def unread(file: Path, *records: Any) -> dict[str, int]:
    """The fields of a log that are not counted, each with its sum."""
    return read(file, *records)[0]


def run(**of_model: object) -> Json:
    """What Claude Code prints at the end of a run."""
    return {"type": "result", "session_id": "s", "total_cost_usd": 0.01, "usage": {"input_tokens": 30},
            "modelUsage": {"claude-sonnet-4.6": {"outputTokens": 7, **of_model}}}  # fmt: skip


@pytest.mark.parametrize("level", ["2", "2.0", "2-beta"])
def test_a_level_like_a_version_is_no_part_of_the_models_name(tmp_path: Path, level: str) -> None:
    named = unread(tmp_path / "run.jsonl", run(**{level: {"inputTokens": 30}}))
    assert named == {f"modelUsage.claude-sonnet-4.6.{level}.inputTokens": 30}


def test_the_version_in_a_models_name_is_no_level(tmp_path: Path) -> None:
    assert unread(tmp_path / "run.jsonl", run(inputTokens=30)) == {}


AT = "2026-10-05T10:00:00Z"
CLAUDE: Json = {"type": "assistant", "timestamp": AT, "sessionId": "s", "requestId": "r", "uuid": "u",
                "message": {"id": "m", "role": "assistant", "model": "claude-sonnet-4-6",
                            "usage": {"input_tokens": 30, "output_tokens": 7}}}  # fmt: skip
CODEX: Json = {"type": "event_msg", "timestamp": AT, "payload": {"type": "token_count", "info": {
    "total_token_usage": {"input_tokens": 30, "output_tokens": 7, "total_tokens": 37}}}}  # fmt: skip
COPILOT: Json = {"type": "session.shutdown", "timestamp": AT, "id": "e", "data": {"sessionStartTime": 1, "modelMetrics":
    {"gpt-5.4": {"requests": {"count": 1, "cost": 1}, "usage": {"inputTokens": 30, "outputTokens": 7}}}}}  # fmt: skip
BEDROCK: Json = {"schemaType": "ModelInvocationLog", "timestamp": AT, "requestId": "r", "operation": "Converse",
                 "modelId": "m", "input": {"inputTokenCount": 30}, "output": {"outputTokenCount": 7}}  # fmt: skip
RECORDS: dict[str, tuple[Json, str]] = {
    "claude-code": (CLAUDE, "message.usage.input_tokens"),
    "codex": (CODEX, "payload.info.total_token_usage.input_tokens"),
    "copilot": (COPILOT, "data.modelMetrics.gpt-5`4.usage.inputTokens"),
    "bedrock": (BEDROCK, "input.inputTokenCount"),
}
"""By format, a record and the way to a count; a backquote stands for a dot in a name."""


def joined(record: Json, first: int, last: int, way: list[str]) -> Json:
    """A record in which some levels of a way are one key with dots."""
    if first:
        return {**record, way[0]: joined(record[way[0]], first - 1, last - 1, way[1:])}
    value: Any = record
    for key in way[:last]:
        value = value[key]
    rest = without(record, way[:last])
    return {**rest, ".".join(way[:last]): value}


def without(value: Json, way: list[str]) -> Json:
    others = {key: below for key, below in value.items() if key != way[0]}
    return {**others, way[0]: without(value[way[0]], way[1:])} if len(way) > 1 else others


def ways_to_join(path: str) -> list[tuple[int, int]]:
    levels = path.count(".") + 1
    return [(first, last) for first in range(levels) for last in range(first + 2, levels + 1)]


@pytest.mark.parametrize(
    ("form", "first", "last"), [(form, *ends) for form, (_, path) in RECORDS.items() for ends in ways_to_join(path)]
)
def test_a_key_that_spells_several_levels_is_named(tmp_path: Path, form: str, first: int, last: int) -> None:
    """The first record is as it should be, so that the file is known."""
    record, path = RECORDS[form]
    way = [key.replace("`", ".") for key in path.split(".")]
    named = unread(tmp_path / "log.jsonl", record, joined(record, first, last, way))
    assert 30 in named.values()


@pytest.mark.parametrize("form", RECORDS)
def test_the_same_levels_by_themselves_count(tmp_path: Path, form: str) -> None:
    assert read(tmp_path / "log.jsonl", RECORDS[form][0]) == ({}, [(30, 7)])


def test_names_with_dots_are_attributes_where_a_format_has_such(tmp_path: Path) -> None:
    span = {"traceId": "a" * 32, "spanId": "b" * 16, "name": "chat", "startTimeUnixNano": "1791000000000000000"}
    counts = {"gen_ai.request.model": "gpt-5", "gen_ai.usage.input_tokens": 30, "gen_ai.usage.output_tokens": 7}
    assert read(tmp_path / "spans.jsonl", {**span, "attributes": counts}) == ({}, [(30, 7)])


def test_a_model_whose_name_has_dots_counts_and_is_not_named(tmp_path: Path) -> None:
    used = {"us.anthropic.claude-opus-4-8-v1:0": {"inputTokens": 30, "outputTokens": 7}}
    assert read(tmp_path / "run.jsonl", {**run(), "modelUsage": used}) == ({}, [(30, 7)])
