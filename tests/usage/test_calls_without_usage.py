"""A call that states no usage is counted as a call, and named: what it used is in no total."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from costsim.errors import UsageLogError
from costsim.reports.loaded import lines
from costsim.usage.load import load
from costsim.usage.report import LoadReport
from emptied import open_store

pytestmark = pytest.mark.slow

Record = dict[str, Any]
AT = "2026-10-05T10:00:00Z"


def claude_code(used: bool) -> Record:
    message = {"id": f"msg_{used}", "role": "assistant", "model": "claude-sonnet-4-6", "stop_reason": "end_turn"}
    counts = {"usage": {"input_tokens": 10, "output_tokens": 20}} if used else {}
    return {"type": "assistant", "timestamp": AT, "sessionId": "s", "uuid": str(used), "parentUuid": None,
            "message": message | counts}  # fmt: skip


def pi(used: bool) -> Record:
    message = {"role": "assistant", "provider": "openai", "model": "gpt-5.5", "stopReason": "stop"}
    counts = {"usage": {"input": 10, "output": 20, "cacheRead": 0, "cacheWrite": 0}} if used else {}
    return {"type": "message", "id": str(used), "timestamp": AT, "message": message | counts}


def gemini(used: bool) -> Record:
    counts = {"tokens": {"input": 10, "output": 20, "cached": 0, "thoughts": 0, "tool": 0, "total": 30}} if used else {}
    head = {"sessionId": "s", "projectHash": "p", "startTime": AT, "id": str(used)}
    return head | {"timestamp": AT, "type": "gemini", "model": "gemini-2.5-pro"} | counts


def qwen(used: bool) -> Record:
    counts = {"promptTokenCount": 10, "candidatesTokenCount": 20, "totalTokenCount": 30}
    head = {"uuid": str(used), "sessionId": "s", "timestamp": AT, "type": "assistant", "model": "qwen3-coder-plus"}
    return head | ({"usageMetadata": counts} if used else {})


def litellm(used: bool) -> Record:
    head = {"request_id": str(used), "call_type": "acompletion", "spend": 0, "startTime": AT, "model": "gpt-4o"}
    return head | {"custom_llm_provider": "openai", "prompt_tokens": 10 * used, "completion_tokens": 20 * used}


def span(used: bool) -> Record:
    counts = {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 20} if used else {}
    name = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai"}
    return {"traceId": "ab" * 16, "spanId": f"{int(used) + 10:016}", "name": "chat", "startTime": AT,
            "attributes": name | counts}  # fmt: skip


MAKERS: list[Callable[[bool], Record]] = [claude_code, pi, gemini, qwen, litellm, span]


def loaded(folder: Path, make: Callable[[bool], Record], used: list[bool], strict: bool = False) -> LoadReport:
    file = folder / "log.jsonl"
    file.write_text("".join(json.dumps(make(one)) + "\n" for one in used))
    with open_store(Path(":memory:")) as store:
        return load(store, [file], strict=strict)


@pytest.mark.parametrize("make", MAKERS)
def test_a_call_without_usage_is_counted_and_named(tmp_path: Path, make: Callable[[bool], Record]) -> None:
    report = loaded(tmp_path, make, [True, False])
    assert report.calls == 2
    assert "1 of 2 calls states no usage at all: what it used is in no total" in "\n".join(lines(report))


def test_an_answer_whose_first_entry_has_no_usage_is_not_named(tmp_path: Path) -> None:
    entries = [claude_code(True), claude_code(True)]
    del entries[0]["message"]["usage"]
    queue = iter(entries)
    assert loaded(tmp_path, lambda _: next(queue), [False, True]).signs == []


@pytest.mark.slow
def test_a_span_above_one_with_usage_is_no_call_without(tmp_path: Path) -> None:
    outer, inner = span(False), span(True)
    inner["parentId"] = outer["spanId"]
    queue = iter([outer, inner])
    report = loaded(tmp_path, lambda _: next(queue), [False, True])
    assert (report.calls, report.signs) == (1, [])


@pytest.mark.slow
def test_a_span_with_a_cost_alone_is_a_call(tmp_path: Path) -> None:
    def image(_: bool) -> Record:
        return span(False) | {"attributes": {
            "gen_ai.operation.name": "image_generation", "gen_ai.request.model": "gpt-image-1", "gen_ai.usage.cost": 0.04
        }}  # fmt: skip

    report = loaded(tmp_path, image, [False])
    assert report.calls == 1
    assert "1 of 1 call has a recorded cost and no tokens" in "\n".join(lines(report))


@pytest.mark.slow
@pytest.mark.parametrize("with_span", [True, False])
def test_metrics_of_tokens_without_any_call_are_named(tmp_path: Path, with_span: bool) -> None:
    metric = {"name": "gen_ai.client.token.usage", "histogram": {"dataPoints": [{"count": "3", "sum": 300}]}}
    records: list[Record] = [{"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}]
    queue = iter(records + [span(True)] * with_span)
    report = loaded(tmp_path, lambda _: next(queue), [True] * (1 + with_span))
    assert (report.calls, report.total("rejected")) == (int(with_span), int(not with_span))


@pytest.mark.slow
def test_strict_refuses_a_fraction_and_a_call_without_usage_passes(tmp_path: Path) -> None:
    def half(used: bool) -> Record:
        entry = claude_code(True)
        entry["message"]["usage"]["input_tokens"] = 10.5
        return entry

    with pytest.raises(UsageLogError, match=r"message\.usage\.input_tokens is not a whole number"):
        loaded(tmp_path, half, [True], strict=True)
    assert loaded(tmp_path, claude_code, [True, False], strict=True).calls == 2


@pytest.mark.parametrize(("offset", "calls"), [("+14:00", 1), ("-12:00", 1), ("+14:30", 0), ("+15:00", 0), ("-23", 0)])
def test_no_place_is_more_than_14_hours_from_utc(tmp_path: Path, offset: str, calls: int) -> None:
    report = loaded(tmp_path, lambda used: claude_code(used) | {"timestamp": f"2026-10-05T10:00:00{offset}"}, [True])
    assert (report.calls, report.total("rejected")) == (calls, 1 - calls)
