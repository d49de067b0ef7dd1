"""Every reader, on a file with at least two of its format's pitfalls at once; the arithmetic stands beside each."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.usage.load import load
from costsim.usage.readers import READERS
from costsim.usage.store import open_store

Record = dict[str, Any]
AT = "2026-10-05T10:00:00Z"
MS = 1_791_194_400_000  # the same moment

Expected = tuple[int, int, int, int, int, str | None]
"""Requests, uncached input, cache reads, cache writes (five minutes and one hour), output, recorded USD."""

CASES: dict[str, tuple[Callable[[Path], None], Expected]] = {}


def case(reader: str, *expected: Any) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    def keep(write: Callable[[Path], None]) -> Callable[[Path], None]:
        CASES[reader] = write, expected
        return write

    return keep


def lines(file: Path, *records: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(record) + "\n" for record in records))


def document(file: Path, data: Any) -> None:
    file.write_text(json.dumps(data, indent=1))


# A streamed entry of 5 that grows to 50 under another request id; 100 of 300 writes for an hour; an advisor of its own.
@case("claude-code", 2, 10 + 7, 1_000, 300, 50 + 9, None)
def claude_code(folder: Path) -> None:
    def entry(uuid: str, output: int, **more: Any) -> Record:
        written = {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 100}
        used = {"input_tokens": 10, "output_tokens": output, "cache_read_input_tokens": 1_000,
                "cache_creation_input_tokens": 300, "cache_creation": written, **more}  # fmt: skip
        message = {"id": "msg_0123456789abcdefghijk", "model": "claude-opus-4-6", "usage": used}
        return {"type": "assistant", "timestamp": AT, "sessionId": "s", "uuid": uuid, "requestId": uuid,
                "message": message}  # fmt: skip

    advisor = {"type": "advisor_message", "model": "claude-haiku-4-5", "input_tokens": 7, "output_tokens": 9}
    lines(folder / "s.jsonl", entry("a", 5), entry("b", 50, iterations=[{"type": "message"}, advisor]))


# Two models in one result; a message before it; a run of another session that was cut, printed twice.
@case("claude-print", 1, 3 + 400 + 10, 20_000, 1_000, 500 + 20 + 5, "0.017759")
def claude_print(folder: Path) -> None:
    def message(id: str, session: str, output: int) -> Record:
        usage = {"input_tokens": 10, "output_tokens": output}
        return {"type": "assistant", "session_id": session, "parent_tool_use_id": None,
                "message": {"id": id, "model": "claude-sonnet-4-6", "usage": usage}}  # fmt: skip

    stated = {"claude-sonnet-4-6": (3, 500, 20_000, 1_000, 0.017259), "claude-haiku-4-5": (400, 20, 0, 0, 0.0005)}
    names = ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheCreationInputTokens", "costUSD")
    result = {"type": "result", "session_id": "a", "uuid": "r", "total_cost_usd": 0.017759,
              "usage": {"input_tokens": 3, "output_tokens": 500},
              "modelUsage": {m: dict(zip(names, counts, strict=True)) for m, counts in stated.items()}}  # fmt: skip
    lines(folder / "r.jsonl", message("m1", "a", 1), result, message("m2", "b", 1), message("m2", "b", 5))


# 100 with 40 cached; a refresh repeats the total; a count without info; a compaction that only a record shows.
@case("codex", 2, 60 + 500, 40, 0, 10 + 20, None)
def codex(folder: Path) -> None:
    def used(input: int, cached: int, output: int) -> Record:
        return {"input_tokens": input, "cached_input_tokens": cached, "output_tokens": output,
                "reasoning_output_tokens": 0, "total_tokens": input + output}  # fmt: skip

    def event(payload: Record, kind: str = "event_msg") -> Record:
        return {"timestamp": AT, "type": kind, "payload": payload}

    total = {"total_token_usage": used(100, 40, 10), "last_token_usage": used(100, 40, 10)}
    lines(
        folder / "rollout.jsonl",
        event({"id": "A", "cwd": "/p"}, "session_meta"),
        event({"model": "gpt-5.5"}, "turn_context"),
        event({"type": "token_count", "info": None}),
        event({"type": "token_count", "info": total}),
        event({"type": "token_count", "info": total}),
        event({"response_id": "resp_c", "usage": used(500, 0, 20)}, "token_usage_record"),
    )


# Running totals: the second includes the first; another thread's count begins anew within its file.
@case("codex-exec", 0, (300 - 90 - 10) + (50 + 70), 90, 10, 40 + 5 + 7, None)
def codex_exec(folder: Path) -> None:
    def turn(input: int, cached: int, written: int, output: int) -> Record:
        return {"type": "turn.completed", "usage": {"input_tokens": input, "cached_input_tokens": cached,
                "cache_write_input_tokens": written, "output_tokens": output, "reasoning_output_tokens": 1}}  # fmt: skip

    lines(
        folder / "run.jsonl",
        {"type": "thread.started", "thread_id": "a"},
        turn(100, 30, 10, 20),
        turn(300, 90, 10, 40),
        {"type": "thread.started", "thread_id": "b"},
        turn(70, 0, 0, 7),
        {"type": "thread.started", "thread_id": "b"},
        turn(50, 0, 0, 5),
    )


# One-hour writes are 30 of the 50; a compaction has its own usage; a branch repeats the first entry.
@case("openclaw", 2, 3 + 200, 100, 50, 25 + 8, "0.03")
def openclaw(folder: Path) -> None:
    used = {"input": 3, "output": 25, "cacheRead": 100, "cacheWrite": 50, "cacheWrite1h": 30, "cost": {"total": 0.01}}
    message = {"role": "assistant", "provider": "anthropic", "model": "claude-opus-4-6", "timestamp": MS, "usage": used}
    entry = {"type": "message", "id": "a", "timestamp": AT, "message": message}
    compaction = {"type": "compaction", "id": "c", "timestamp": AT, "tokensBefore": 9_000,
                  "usage": {"input": 200, "output": 8, "cacheRead": 0, "cacheWrite": 0, "cost": {"total": 0.02}}}  # fmt: skip
    head = {"type": "session", "id": "s", "timestamp": AT, "cwd": "/p", "thinkingLevel": "off"}
    lines(folder / "sessions" / "s.jsonl", head, entry, entry, compaction)


# A hit of the proxy's cache asks nobody; the total has 5,300 cached tokens beside the prompt of 100.
@case("litellm", 1, 100, 5_000, 300, 20, "0.01")
def litellm(folder: Path) -> None:
    row = {"request_id": "r", "call_type": "acompletion", "startTime": AT, "model": "claude-opus-4-6", "spend": 0.01,
           "prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 5_420, "cache_hit": "None"}  # fmt: skip
    usage = {"cache_read_input_tokens": 5_000, "cache_creation_input_tokens": 300}
    hit = row | {"request_id": "h", "cache_hit": "True", "spend": 0}
    lines(folder / "l.jsonl", row | {"metadata": json.dumps({"usage_object": usage})}, hit)


# 60 reads and 20 writes stand within the prompt of 100; a row of two requests.
@case("litellm-daily", 2, 20, 60, 20, 9, "0.5")
def litellm_daily(folder: Path) -> None:
    row = {"id": "d", "user_id": "u", "date": "2026-10-05", "model": "gpt-4o", "custom_llm_provider": "openai",
           "prompt_tokens": 100, "completion_tokens": 9, "cache_read_input_tokens": 60, "cache_creation_input_tokens": 20,
           "spend": 0.5, "api_requests": 2}  # fmt: skip
    lines(folder / "d.jsonl", row, row)


# Two endpoints served one model on a day; a row that is listed again is the same sum.
@case("openrouter-days", 5, 300, 0, 0, 30, "0.03")
def openrouter_days(folder: Path) -> None:
    row = {"date": "2026-10-05", "model": "openai/gpt-4o", "model_permaslug": "openai/gpt-4o", "endpoint_id": "e",
           "provider_name": "OpenAI", "usage": 0.02, "byok_usage_inference": 0, "requests": 4, "prompt_tokens": 200,
           "completion_tokens": 20, "reasoning_tokens": 9}  # fmt: skip
    other = row | {"endpoint_id": "f", "provider_name": "Azure", "usage": 0.01, "requests": 1, "prompt_tokens": 100,
                   "completion_tokens": 10}  # fmt: skip
    (folder / "a.json").write_text(json.dumps({"data": [row, other, row]}))


# Jaeger's trace stands twice on a page, and its agent's span is the sum of its chat; 40 of the 100 were cached.
@case("otel-export", 1, 60, 40, 0, 10, None)
def otel_export(folder: Path) -> None:
    used = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 10, "gen_ai.request.model": "gpt-5",
            "gen_ai.usage.cache_read.input_tokens": 40}  # fmt: skip

    def span(id: str, above: list[Record], operation: str) -> Record:
        tags = [{"key": key, "value": value} for key, value in (used | {"gen_ai.operation.name": operation}).items()]
        return {"traceID": "a" * 32, "spanID": id * 16, "operationName": operation, "startTime": MS * 1000,
                "references": above, "tags": tags, "processID": "p1"}  # fmt: skip

    spans = [span("1", [], "invoke_agent"), span("2", [{"refType": "CHILD_OF", "spanID": "1" * 16}], "chat")]
    trace = {"traceID": "a" * 32, "spans": spans, "processes": {"p1": {"serviceName": "shop"}}}
    (folder / "traces.json").write_text(json.dumps({"data": [trace, trace]}))


# The agent's span is the sum of its chat; the chat's log record repeats it; 40 of the 100 were read from cache.
@case("otel", 1, 60, 40, 0, 10, None)
def otel(folder: Path) -> None:
    def pair(key: str, value: Any) -> Record:
        return {"key": key, "value": {"stringValue" if isinstance(value, str) else "intValue": str(value)}}

    used = [pair("gen_ai.usage.input_tokens", 100), pair("gen_ai.usage.output_tokens", 10),
            pair("gen_ai.usage.cache_read.input_tokens", 40), pair("gen_ai.request.model", "gpt-5"),
            pair("gen_ai.response.id", "resp_1")]  # fmt: skip

    def span(id: str, parent: str, operation: str) -> Record:
        return {"traceId": "a" * 32, "spanId": id * 16, "parentSpanId": parent, "name": operation, "kind": 3,
                "startTimeUnixNano": f"{MS}000000", "endTimeUnixNano": f"{MS + 1000}000000",
                "attributes": [pair("gen_ai.operation.name", operation), *used]}  # fmt: skip

    spans = [span("b", "", "invoke_agent"), span("c", "b" * 16, "chat")]
    record = {"traceId": "a" * 32, "spanId": "c" * 16, "timeUnixNano": f"{MS}000000", "attributes": used,
              "eventName": "gen_ai.client.inference.operation.details"}  # fmt: skip
    lines(
        folder / "o.jsonl",
        {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]},
        {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]},
    )


# 30 read tokens under a key of the emitter's own stand within the input of 100; an agent repeats the generation's sum.
@case("langfuse", 1, 70, 30, 0, 10, "0.002")
def langfuse(folder: Path) -> None:
    def observation(id: str, kind: str, parent: str | None, **counts: int) -> Record:
        return {"id": id, "traceId": "t", "type": kind, "startTime": AT, "model": "gpt-5", "parentObservationId": parent,
                "usageDetails": counts, "totalCost": 0.002 if kind == "GENERATION" else None}  # fmt: skip

    inner = {"prompt_details.cache_read": 30}
    generation = observation("g", "GENERATION", "a", input=100, output=10, total=110, **inner)
    document(
        folder / "t.json",
        {"trace": {"id": "t"}, "observations": [observation("a", "AGENT", None, input=100, output=10), generation]},
    )


# A page twice; cached tokens within the input, searches none.
@case("openai-usage", 3, 60, 40, 0, 10, None)
def openai_usage(folder: Path) -> None:
    result = {"object": "organization.usage.completions.result", "input_tokens": 100, "output_tokens": 10,
              "input_cached_tokens": 40, "num_model_requests": 3, "model": "gpt-5", "batch": False}  # fmt: skip
    bucket = {"object": "bucket", "start_time": MS // 1000, "end_time": MS // 1000 + 86_400, "results": [result]}
    page = {"object": "page", "data": [bucket, bucket], "has_more": False}
    document(folder / "u.json", page)


# A credit lowers the sum; an amount may be a text.
@case("openai-costs", 0, 0, 0, 0, 0, "1.5")
def openai_costs(folder: Path) -> None:
    def result(item: str, value: Any) -> Record:
        return {"object": "organization.costs.result", "amount": {"value": value, "currency": "usd"}, "line_item": item}

    bucket = {"object": "bucket", "start_time": MS // 1000, "end_time": MS // 1000 + 86_400,
              "results": [result("gpt-5, input", 2.0), result("credit", "-0.5")]}  # fmt: skip
    document(folder / "c.json", {"object": "page", "data": [bucket], "has_more": False})


# Writes of both lifetimes beside the uncached input; the same bucket in two pages counts once.
@case("anthropic-usage", 0, 100, 40, 30, 10, None)
def anthropic_usage(folder: Path) -> None:
    result = {"uncached_input_tokens": 100, "cache_read_input_tokens": 40, "output_tokens": 10, "model": "claude-opus-4-6",
              "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 10},
              "server_tool_use": {"web_search_requests": 0}}  # fmt: skip
    bucket = {"starting_at": AT, "ending_at": "2026-10-06T10:00:00Z", "results": [result]}
    lines(folder / "u.jsonl", {"data": [bucket], "has_more": True}, {"data": [bucket], "has_more": False})


# Cents as text: 123.45 and 1e2 are 2.2345 dollars.
@case("anthropic-costs", 0, 0, 0, 0, 0, "2.2345")
def anthropic_costs(folder: Path) -> None:
    def result(kind: str, amount: str) -> Record:
        return {"currency": "USD", "amount": amount, "token_type": kind, "model": "claude-opus-4-6"}

    bucket = {"starting_at": AT, "ending_at": "2026-10-06T10:00:00Z",
              "results": [result("output_tokens", "123.45"), result("uncached_input_tokens", "100.00")]}  # fmt: skip
    document(folder / "c.json", {"data": [bucket], "has_more": False})


# 30 cached of 100, 4 of reasoning within the 10; empty cells; a row exported twice.
@case("openrouter", 1, 70, 30, 0, 10, "0.01")
def openrouter(folder: Path) -> None:
    head = "generation_id,created_at,cost_total,tokens_prompt,tokens_completion,tokens_reasoning,tokens_cached,model_permaslug,variant,cancelled"
    row = "gen-1,2026-10-05 10:00:00,0.01,100,10,4,30,openai/gpt-5,,"
    (folder / "a.csv").write_text("\n".join([head, row, row]) + "\n")


# Reasoning stands beside the completion; a hit of Helicone's cache asks nobody.
@case("helicone", 1, 100, 40, 0, 10 + 6, "0.02")
def helicone(folder: Path) -> None:
    row = {"request_id": "r", "request_created_at": AT, "response_status": 200, "model": "gpt-5", "provider": "OPENAI",
           "prompt_tokens": 100, "prompt_cache_read_tokens": 40, "completion_tokens": 10, "reasoning_tokens": 6,
           "cost": 0.02}  # fmt: skip
    lines(
        folder / "h.jsonl", row, row | {"request_id": "h", "cache_reference_id": "11111111-2222-3333-4444-555555555555"}
    )


# A run begins in `post` and ends in `patch`; the chain above repeats its sum; 40 of the 100 were cached.
@case("langsmith", 1, 60, 40, 0, 10, None)
def langsmith(folder: Path) -> None:
    usage = {"input_tokens": 100, "output_tokens": 10, "total_tokens": 110, "input_token_details": {"cache_read": 40},
             "output_token_details": {"reasoning": 4}}  # fmt: skip
    named = {
        "trace_id": "t",
        "start_time": AT,
        "extra": {"metadata": {"ls_model_name": "gpt-5", "ls_provider": "openai"}},
    }
    post = [{"id": "c", "run_type": "chain", "name": "chain", **named},
            {"id": "r", "run_type": "llm", "name": "llm", "parent_run_id": "c", **named}]  # fmt: skip
    ended = {"end_time": AT, "outputs": {"usage_metadata": usage}}
    patch = [{"id": id, "run_type": kind, "trace_id": "t", **ended} for id, kind in (("r", "llm"), ("c", "chain"))]
    document(folder / "b.json", {"post": post, "patch": patch})


# The trace's totals repeat the generations; Anthropic's input excludes the cache, OpenAI's includes it.
@case("posthog", 2, 10 + 60, 500 + 40, 20, 5 + 6, "0.03")
def posthog(folder: Path) -> None:
    def event(kind: str, span: str, **properties: Any) -> Record:
        ai = {f"$ai_{name}": value for name, value in properties.items()}
        return {"event": kind, "uuid": span, "timestamp": AT,
                "properties": {"$ai_trace_id": "t", "$ai_span_id": span, **ai}}  # fmt: skip

    lines(
        folder / "e.jsonl",
        event("$ai_trace", "t", total_input_tokens=110, total_output_tokens=11),
        event("$ai_generation", "a", provider="anthropic", model="claude-opus-4-6", input_tokens=10, output_tokens=5,
              cache_read_input_tokens=500, cache_creation_input_tokens=20, total_cost_usd=0.01),
        event("$ai_generation", "b", provider="openai", model="gpt-5", input_tokens=100, output_tokens=6,
              cache_read_input_tokens=40, total_cost_usd=0.02),
    )  # fmt: skip


# JSON within text; the trace's sum and the agent's span repeat the call; 40 cached within 100.
@case("mlflow", 1, 60, 40, 0, 10, None)
def mlflow(folder: Path) -> None:
    usage = json.dumps({"input_tokens": 100, "output_tokens": 10, "total_tokens": 110, "cache_read_input_tokens": 40})

    def span(id: str, parent: str | None, kind: str) -> Record:
        attributes = {
            "mlflow.spanType": json.dumps(kind),
            "mlflow.chat.tokenUsage": usage,
            "mlflow.llm.model": '"gpt-5"',
        }
        return {"trace_id": "dHI=", "span_id": id, "parent_span_id": parent, "name": kind, "attributes": attributes,
                "start_time_unix_nano": MS * 1_000_000, "status": {"code": "STATUS_CODE_OK"}}  # fmt: skip

    info = {"trace_id": "tr-1", "request_time": AT, "trace_metadata": {"mlflow.trace.tokenUsage": usage}}
    document(
        folder / "t.json", {"info": info, "data": {"spans": [span("a", None, "AGENT"), span("b", "a", "CHAT_MODEL")]}}
    )


# The parent's summary is its children's sum; reads stand within the prompt; two calls whose server gives both one id.
@case("weave", 2, 60 + 200, 40, 0, 10 + 20, "0.03")
def weave(folder: Path) -> None:
    def call(id: str, parent: str | None, prompt: int, cached: int, output: int, usd: float) -> Record:
        usage = {"requests": 1, "prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output,
                 "cache_read_input_tokens": cached}  # fmt: skip
        costs = {"prompt_tokens_total_cost": usd / 2, "completion_tokens_total_cost": usd / 2}
        return {"id": id, "project_id": "p", "op_name": "openai.create", "trace_id": "t", "parent_id": parent,
                "started_at": AT, "output": {"id": "chatcmpl-123"} if parent else None,
                "summary": {"usage": {"gpt-5": usage}, "weave": {"costs": {"gpt-5": costs}}}}  # fmt: skip

    lines(
        folder / "c.jsonl",
        call("a", None, 300, 40, 30, 0.03), call("b", "a", 100, 40, 10, 0.01), call("c", "a", 200, 0, 20, 0.02),
    )  # fmt: skip


# Input includes reads and writes; writes for an hour stand apart; a workflow above repeats the sum.
@case("datadog", 1, 10, 60, 30, 9, None)
def datadog(folder: Path) -> None:
    metrics = {"input_tokens": 100, "output_tokens": 9, "total_tokens": 109, "cache_read_input_tokens": 60,
               "cache_write_input_tokens": 30, "ephemeral_1h_input_tokens": 10, "ephemeral_5m_input_tokens": 20}  # fmt: skip

    def span(id: str, parent: str, kind: str) -> Record:
        meta = {"span": {"kind": kind}, "model_name": "claude-opus-4-6", "model_provider": "anthropic"}
        return {"trace_id": "t", "span_id": id, "parent_id": parent, "name": kind, "start_ns": MS * 1_000_000,
                "duration": 10, "status": "ok", "meta": meta, "metrics": metrics}  # fmt: skip

    document(folder / "s.json", [span("1", "undefined", "workflow"), span("2", "1", "llm")])


# A task's span above has no usage of its own; cached and created tokens stand within the prompt; two parts of one span.
@case("braintrust", 1, 10, 60, 30, 9, "0.5")
def braintrust(folder: Path) -> None:
    metrics = {"prompt_tokens": 100, "completion_tokens": 9, "tokens": 109, "prompt_cached_tokens": 60,
               "prompt_cache_creation_tokens": 30, "estimated_cost": 0.5}  # fmt: skip
    head = {"root_span_id": "r", "created": AT}
    lines(
        folder / "b.jsonl",
        {"id": "1", "span_id": "r", "span_attributes": {"type": "task"}, "metrics": metrics, **head},
        {"id": "2", "span_id": "x", "span_parents": ["r"], "span_attributes": {"type": "llm"}, "metadata": {"model": "gpt-5"}, **head},
        {"id": "2", "span_id": "x", "span_parents": ["r"], "span_attributes": {"type": "llm"}, "metrics": metrics, **head},
    )  # fmt: skip


# A delivery repeats its request; a failed call has no counts; reads and writes stand beside the input.
@case("bedrock", 2, 40, 3_000, 500, 200, None)
def bedrock(folder: Path) -> None:
    call = {"schemaType": "ModelInvocationLog", "timestamp": AT, "requestId": "q", "operation": "Converse",
            "modelId": "arn:aws:bedrock:eu-central-1:1:inference-profile/eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "input": {"inputTokenCount": 40, "cacheReadInputTokenCount": 3_000, "cacheWriteInputTokenCount": 500},
            "output": {"outputTokenCount": 200}}  # fmt: skip
    failed = {k: v for k, v in call.items() if k not in ("input", "output")}
    lines(folder / "b.jsonl", call, call, failed | {"requestId": "f", "errorCode": "ThrottlingException"})


# A streamed reply whose last count is the whole; cached tokens within the prompt, thoughts beside the candidates.
@case("vertex", 1, 200 + 5, 1_000, 0, 30 + 400, None)
def vertex(folder: Path) -> None:
    counts = {"promptTokenCount": 1_200, "cachedContentTokenCount": 1_000, "candidatesTokenCount": 30,
              "thoughtsTokenCount": 400, "toolUsePromptTokenCount": 5, "totalTokenCount": 1_635}  # fmt: skip
    begun = {"usageMetadata": {"promptTokenCount": 1_200, "candidatesTokenCount": 2, "totalTokenCount": 1_202}}
    row = {"logging_time": AT, "request_id": "1", "model": "publishers/google/models/gemini-2.5-flash", "full_request": {},
           "full_response": [begun, {"usageMetadata": counts, "modelVersion": "gemini-2.5-flash"}]}  # fmt: skip
    lines(folder / "v.jsonl", row)


# The gateway repeats the body; the last chunk of a stream has the usage; a filtered request has none.
@case("azure-apim", 2, 60, 40, 0, 10, None)
def azure_apim(folder: Path) -> None:
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 10,
        "total_tokens": 110,
        "prompt_tokens_details": {"cached_tokens": 40},
    }
    chunks = [{"id": "chatcmpl-1", "model": "gpt-5", "choices": [{}], "usage": None},
              {"id": "chatcmpl-1", "model": "gpt-5", "choices": [], "usage": usage}]  # fmt: skip
    streamed = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"

    def row(id: str, body: str, code: int) -> Record:
        said = {"backendResponseBody": body, "responseBody": body, "responseCode": code,
                "backendUrl": "https://x.openai.azure.com/openai/deployments/d/chat/completions"}  # fmt: skip
        return {"category": "GatewayLogs", "correlationId": id, "time": AT, "properties": said}

    lines(folder / "g.jsonl", row("1", streamed, 200), row("2", '{"error": {"code": "content_filter"}}', 400))


# The meter's name says model and direction; an amount with a currency; a meter that is none of tokens but of OpenAI.
@case("azure-cost", 0, 0, 0, 0, 0, "3.5")
def azure_cost(folder: Path) -> None:
    (folder / "m.csv").write_text(
        "Meter,ServiceName,Cost,Currency,UsageDate\n"
        "gpt 4o 0806 Inp glbl Tokens,Azure OpenAI,2.25,USD,2026-10-05\n"
        "gpt 4o 0806 Outp glbl Tokens,Azure OpenAI,1.25,USD,2026-10-05\n"
        "Blob storage,Storage,9.00,USD,2026-10-05\n"
    )


# A request that failed, and one twice: its output was fetched again.
@case("openai-batch", 1, 260, 640, 0, 40, None)
def openai_batch(folder: Path) -> None:
    usage = {"prompt_tokens": 900, "completion_tokens": 40, "prompt_tokens_details": {"cached_tokens": 640}}
    body = {"id": "chatcmpl-1", "created": 1_791_200_000, "model": "gpt-5", "usage": usage}
    done = {"id": "batch_req_1", "custom_id": "a", "response": {"status_code": 200, "body": body}, "error": None}
    failed = {"id": "batch_req_2", "custom_id": "b", "response": {"status_code": 500, "body": {}}, "error": None}
    lines(folder / "o.jsonl", done, failed, done)


# Claude's cached tokens stand beside the prompt, OpenAI's within it; a part of a message; the table has one call again.
@case("azure-llm", 2, 500 + 50, 300 + 4_000, 0, 20 + 70, None)
def azure_llm(folder: Path) -> None:
    def record(id: str, model: str, prompt: int, cached: int, output: int) -> Record:
        said = {"requestId": id, "modelName": model, "promptTokens": prompt, "promptCachedTokens": cached,
                "completionTokens": output}  # fmt: skip
        return {"time": AT, "category": "GatewayLlmLogs", "properties": said}

    records = [record("chatcmpl-1", "gpt-4o", 800, 300, 20), record("msg_2", "claude-sonnet-4-6", 50, 4_000, 70),
               record("msg_2", "claude-sonnet-4-6", 0, 0, 0)]  # fmt: skip
    document(folder / "r.json", {"records": records})
    (folder / "t.csv").write_text(
        "TimeGenerated [UTC],CorrelationId,RequestId,ModelName,PromptTokens,PromptCachedTokens,CompletionTokens\n"
        '"10/5/2026, 10:00:00.000 AM",c,chatcmpl-1,gpt-4o,800,300,20\n'
    )


# A model's sums stand in its metrics, or in older versions beside its name; a page fetched again as the day went on.
@case("litellm-activity", 5, 60 + 20, 40, 0, 10 + 5, "0.03")
def litellm_activity(folder: Path) -> None:
    def day(models: Record) -> Record:
        sums = {"spend": 9, "prompt_tokens": 9_000, "completion_tokens": 9, "api_requests": 9}
        return {
            "results": [
                {"date": "2026-10-05", "metrics": sums, "breakdown": {"models": models, "providers": {"x": sums}}}
            ]
        }

    def sums(usd: float, prompt: int, cached: int, output: int, calls: int) -> Record:
        return {"spend": usd, "prompt_tokens": prompt, "cache_read_input_tokens": cached, "completion_tokens": output,
                "api_requests": calls}  # fmt: skip

    document(folder / "early.json", day({"gpt-5": sums(0.01, 50, 20, 5, 2)}))
    document(
        folder / "late.json", day({"gpt-5": {"metrics": sums(0.02, 100, 40, 10, 4)}, 'a "b"': sums(0.01, 20, 0, 5, 1)})
    )


# 400 of the native 1,000 were cached; the endpoint was asked twice, once for a generation that was cancelled.
@case("openrouter-generation", 2, 600 + 10, 400, 0, 100 + 1, "0.02")
def openrouter_generation(folder: Path) -> None:
    first = {"id": "gen-1", "created_at": AT, "model": "openai/gpt-5", "total_cost": 0.0175, "usage": 0.0175,
             "tokens_prompt": 950, "native_tokens_prompt": 1_000, "native_tokens_completion": 100,
             "native_tokens_reasoning": 40, "native_tokens_cached": 400, "cancelled": False}  # fmt: skip
    second = {**first, "id": "gen-2", "total_cost": 0.0025, "native_tokens_prompt": 10, "native_tokens_completion": 1,
              "native_tokens_cached": None, "cancelled": True}  # fmt: skip
    document(folder / "1.json", {"data": first})
    lines(folder / "2.jsonl", first, second)


# A time of the afternoon; a streamed reply whose last chunk has its usage; a refused request; the table exported twice.
@case("azure-apim-table", 3, 60 + 100 + 0, 40, 0, 10 + 5, None)
def azure_apim_table(folder: Path) -> None:
    details = {"prompt_tokens_details": {"cached_tokens": 40}}
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110, **details}
    whole = json.dumps({"id": "chatcmpl-1", "model": "gpt-4o", "usage": usage})
    chunk = {"id": "chatcmpl-2", "model": "gpt-4o", "usage": {"prompt_tokens": 100, "completion_tokens": 5}}
    streamed = 'data: {"id":"chatcmpl-2","usage":null}\n\ndata: ' + json.dumps(chunk, separators=(",", ":"))
    refused = '{"error": {"code": "429"}}'
    for name in ("a.csv", "b.csv"):
        with (folder / name).open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["TimeGenerated [UTC]", "CorrelationId", "Url", "ResponseCode", "BackendResponseBody"])
            for number, (body, code) in enumerate([(whole, 200), (streamed, 200), (refused, 429)]):
                row = [
                    "10/5/2026, 1:00:00.5 PM",
                    f"c{number}",
                    "https://x/openai/deployments/gpt-4o/responses",
                    code,
                    body,
                ]
                table.writerow(row)


# An advisor at a model of its own beside the message, and the results fetched twice; one request expired.
@case("anthropic-batch", 2, 10 + 7, 1_000, 300, 50 + 9, None)
def anthropic_batch(folder: Path) -> None:
    advisor = {"type": "advisor_message", "model": "claude-haiku-4-5", "input_tokens": 7, "output_tokens": 9}
    used = {"input_tokens": 10, "output_tokens": 50, "cache_read_input_tokens": 1_000, "service_tier": "batch",
            "cache_creation_input_tokens": 300, "cache_creation": {"ephemeral_1h_input_tokens": 300},
            "iterations": [{"type": "message"}, advisor]}  # fmt: skip
    message = {"id": "msg_batch", "model": "claude-opus-4-6", "usage": used}
    results = [{"custom_id": "a", "result": {"type": "succeeded", "message": message}},
               {"custom_id": "b", "result": {"type": "expired"}}]  # fmt: skip
    lines(folder / "first.jsonl", *results)
    lines(folder / "second.jsonl", *results)
    os.utime(folder / "second.jsonl", (1, 1_791_000_000))  # another date of the same calls


# OpenAI's cached tokens within the prompt, Converse's beside it; a record that failed; the job's manifest.
@case("bedrock-batch", 2, 60 + 100, 40 + 30, 20, 10 + 5, None)
def bedrock_batch(folder: Path) -> None:
    open_weights = {"id": "chatcmpl-1", "model": "openai.gpt-oss-120b-1:0", "usage": {"prompt_tokens": 100,
                    "completion_tokens": 10, "prompt_tokens_details": {"cached_tokens": 40}}}  # fmt: skip
    converse = {"usage": {"inputTokens": 100, "outputTokens": 5, "totalTokens": 155, "cacheReadInputTokens": 30,
                "cacheWriteInputTokens": 20}}  # fmt: skip
    lines(
        folder / "r.jsonl.out",
        {"recordId": "1", "modelInput": {}, "modelOutput": open_weights},
        {"recordId": "2", "modelInput": {}, "modelOutput": converse},
        {"recordId": "3", "modelInput": {}, "error": {"errorCode": 400, "errorMessage": "bad"}},
    )
    document(folder / "manifest.json.out", {"totalRecordCount": 3, "processedRecordCount": 3,
                                            "inputTokenCount": 200, "outputTokenCount": 15})  # fmt: skip


# 40 of the 100 were cached, and 5 thought beside the 10; one line failed, one of the Gemini API states no time.
@case("gemini-batch", 2, 60 + 20, 40, 0, 15 + 2, None)
def gemini_batch(folder: Path) -> None:
    def reply(id: str, **counts: int) -> Record:
        return {"responseId": id, "modelVersion": "gemini-2.5-flash", "usageMetadata": counts}

    first = reply("r1", promptTokenCount=100, cachedContentTokenCount=40, candidatesTokenCount=10,
                  thoughtsTokenCount=5, totalTokenCount=115)  # fmt: skip
    lines(
        folder / "predictions.jsonl",
        {"status": "", "processed_time": AT, "request": {}, "response": first},
        {"status": "Bad Request", "processed_time": AT, "request": {}, "response": {}},
    )
    second = reply("r2", promptTokenCount=20, candidatesTokenCount=2, totalTokenCount=22)
    lines(folder / "api.jsonl", {"key": "a", "response": second}, {"key": "b", "error": {"code": 13}})


# Cents; a page fetched again while the day ran on; a key beside a user, at one terminal.
@case("claude-code-analytics", 0, 200 + 5, 1_000, 300, 80 + 1, "0.1250")
def claude_code_analytics(folder: Path) -> None:
    def day(actor: Record, cents: float, input: int, output: int, read: int, written: int) -> Record:
        tokens = {"input": input, "output": output, "cache_read": read, "cache_creation": written}
        return {"date": AT, "actor": actor, "terminal_type": "vscode", "core_metrics": {"num_sessions": 2},
                "model_breakdown": [{"model": "claude-opus-4-6", "tokens": tokens,
                                     "estimated_cost": {"currency": "USD", "amount": cents}}]}  # fmt: skip

    ada, ci = {"email_address": "ada@example.com"}, {"api_key_name": "ci"}
    document(folder / "early.json", {"data": [day(ada, 6.0, 100, 40, 500, 300)], "has_more": False})
    document(
        folder / "late.json",
        {"data": [day(ada, 12.25, 200, 80, 1_000, 300), day(ci, 0.25, 5, 1, 0, 0)], "next_page": None},
    )


# Two SKUs of one model, and the month fetched again as it went on; another product is none of Copilot.
@case("copilot-usage", 0, 0, 0, 0, 0, "5.5")
def copilot_usage(folder: Path) -> None:
    def item(sku: str, amount: float, product: str = "Copilot") -> Record:
        return {"product": product, "sku": sku, "model": "GPT-5", "unitType": "requests", "pricePerUnit": 0.04,
                "grossQuantity": 9, "grossAmount": amount, "discountAmount": amount, "netAmount": 0}  # fmt: skip

    month = {"timePeriod": {"year": 2026, "month": 5}, "user": "ada"}
    early = {**month, "usageItems": [item("Copilot Premium Request", 4)]}
    late = {**month, "usageItems": [item("Copilot Premium Request", 5), item("Copilot AI Credits", 0.5),
                                    item("Git LFS Storage", 7, "Git LFS")]}  # fmt: skip
    lines(folder / "p.jsonl", early, late)


# Items of two organizations on one day, and minutes of Actions, which are no usage of a model.
@case("github-usage", 0, 0, 0, 0, 0, "0.6")
def github_usage(folder: Path) -> None:
    item = {"date": "2026-05-01", "product": "Copilot", "sku": "Copilot Premium Request", "quantity": 10,
            "grossAmount": 0.4, "netAmount": 0, "organizationName": "one"}  # fmt: skip
    actions = {**item, "product": "Actions", "sku": "Actions Linux", "unitType": "minutes", "grossAmount": 9}
    document(
        folder / "u.json", {"usageItems": [item, actions, {**item, "organizationName": "two", "grossAmount": 0.2}]}
    )


# A day fetched again as it went on; spans without a model; a model without a price has cost 0, which is not free.
@case("langfuse-days", 5, 300, 0, 0, 40, "0.02")
def langfuse_days(folder: Path) -> None:
    def row(model: str | None, input: int, output: int, usd: float, calls: int) -> Record:
        return {"model": model, "inputUsage": input, "outputUsage": output, "totalUsage": input + output,
                "totalCost": usd, "countObservations": calls, "countTraces": 1}  # fmt: skip

    def page(*usage: Record) -> Record:
        day = {"date": "2026-10-05", "countTraces": 1, "countObservations": 9, "totalCost": 9, "usage": list(usage)}
        return {"data": [day], "meta": {"page": 1}}

    document(folder / "early.json", page(row("gpt-5", 100, 10, 0.01, 2)))
    document(
        folder / "late.json", page(row("gpt-5", 200, 30, 0.02, 4), row("mine", 100, 10, 0, 1), row(None, 0, 0, 0, 3))
    )


# The same month exported again with one row more; writes of both spans.
@case("anthropic-console-usage", 0, 150, 40, 30, 20, None)
def anthropic_console_usage(folder: Path) -> None:
    head = ("usage_date_utc,model_version,api_key,usage_type,usage_input_tokens_no_cache,usage_input_tokens_cache_read,"
            "usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_output_tokens\n")  # fmt: skip
    first = "2026-10-05,claude-opus-4-6,k,standard,100,40,20,10,15\n"
    (folder / "early.csv").write_text(head + first)
    (folder / "late.csv").write_text(head + first + "2026-10-05,claude-opus-4-6,k,batch,50,0,0,0,5\n")


# A cost without a model, and a discount beside the list price.
@case("anthropic-console-costs", 0, 0, 0, 0, 0, "3.5")
def anthropic_console_costs(folder: Path) -> None:
    (folder / "c.csv").write_text(
        "usage_date_utc,model,usage_type,token_type,cost_usd,list_price_usd\n"
        "2026-10-05,Claude Opus 4.6,message,output,2.25,2.50\n"
        "2026-10-05,,,,1.25,1.25\n"
    )


# Usage in thousands and in ones; a tax and another service are no tokens.
@case("aws-cur", 0, 1_500_000, 0, 0, 200_000, "38.5")
def aws_cur(folder: Path) -> None:
    head = ("identity_line_item_id,line_item_line_item_type,line_item_product_code,line_item_usage_type,"
            "line_item_usage_start_date,line_item_usage_amount,line_item_unblended_cost,pricing_unit")  # fmt: skip
    rows = [
        "1,Usage,AmazonBedrock,USE1-Claude4.6Sonnet-input-tokens,2026-10-05 00:00:00,1500,22.5,1K tokens",
        "2,Usage,AmazonBedrock,USE1-Claude4.6Sonnet-output-tokens,2026-10-05 00:00:00,200000,15,Tokens",
        "3,Tax,AmazonBedrock,USE1-Claude4.6Sonnet-input-tokens,2026-10-05 00:00:00,1,1,1K tokens",
        "4,Usage,AmazonEC2,BoxUsage,2026-10-05 00:00:00,5,7,Hrs",
    ]
    (folder / "cur.csv").write_text("\n".join([head, *rows]) + "\n")


# A storage charge in token-hours is cost and no tokens; the quantity is in millions.
@case("focus", 0, 2_000_000, 0, 0, 0, "12")
def focus(folder: Path) -> None:
    names = ["ServiceName", "ServiceCategory", "ChargeCategory", "ServiceProviderName", "BilledCost", "BillingCurrency", "ChargePeriodStart",
             "ChargePeriodEnd", "ChargeDescription", "PricingQuantity", "PricingUnit", "ConsumedQuantity", "ConsumedUnit",
             "SkuMeter", "SkuPriceDetails"]  # fmt: skip
    sku = json.dumps({"ModelId": "m", "TokenDirection": "Input"}).replace('"', '""')
    period = "2026-10-05T00:00:00Z,2026-10-06T00:00:00Z"
    (folder / "f.csv").write_text(
        ",".join(names) + "\n"
        f'LLM,AI and Machine Learning,Usage,Acme,6,USD,{period},input,2,1000000 Tokens,,,Input Tokens,"{sku}"\n'
        f'LLM,AI and Machine Learning,Usage,Acme,6,USD,{period},storage,6,1000000 Token-Hours,,,Cache Storage,"{{""ModelId"": ""m""}}"\n'
    )


# The reply states 640 cached; a hit of the gateway's cache asks nobody; the unit of `cost` is not known.
@case("portkey", 1, 260, 640, 0, 40, None)
def portkey(folder: Path) -> None:
    row = {"id": "1", "trace_id": "t", "created_at": AT, "ai_org": "openai", "ai_model": "gpt-5", "cost": 3.5,
           "req_units": 900, "res_units": 40, "response_status_code": 200, "cache_status": "MISS"}  # fmt: skip
    reply = {"usage": {"prompt_tokens": 900, "prompt_tokens_details": {"cached_tokens": 640}}}
    lines(folder / "p.jsonl", row | {"response": reply}, row | {"id": "2", "cache_status": "HIT"})


# Two scrapes of one run count as the later; the restart begins anew; the engines add up; hits stand within the prompt.
@case("vllm", 5 + 2, 300 + 40 - 100, 100, 0, 30 + 4, None)
def vllm(folder: Path) -> None:
    def scrape(started: int, prompt: int, hits: int, output: int, requests: int) -> str:
        label = '{{engine="{}",model_name="m"}}'
        return f"process_start_time_seconds {started}\n" + "".join(
            f"{name}{label.format(engine)} {value / 2}\n"
            for name, value in (
                ("vllm:prompt_tokens_total", prompt), ("vllm:prefix_cache_hits_total", hits),
                ("vllm:generation_tokens_total", output), ("vllm:request_success_total", requests),
            )
            for engine in (0, 1)
        )  # fmt: skip

    (folder / "m.txt").write_text(scrape(1, 100, 20, 10, 2) + scrape(1, 300, 100, 30, 5) + scrape(2, 40, 0, 4, 2))


# A session of two legs, each with its own shutdown; the messages' outputs repeat them; input includes reads and writes.
@case("copilot", 2 + 1, 30 + 50, 60, 10, 8 + 5, None)
def copilot(folder: Path) -> None:
    def event(kind: str, id: str, **data: Any) -> Record:
        return {"type": kind, "id": id, "timestamp": AT, "data": data}

    def shutdown(id: str, requests: int, input: int, read: int, written: int, output: int) -> Record:
        usage = {"inputTokens": input, "cacheReadTokens": read, "cacheWriteTokens": written, "outputTokens": output}
        return event(
            "session.shutdown", id, modelMetrics={"m": {"requests": {"count": requests, "cost": 1}, "usage": usage}}
        )

    def message(id: str, output: int) -> Record:
        return event("assistant.message", id, messageId=id, outputTokens=output, model="m")

    lines(
        folder / "session" / "events.jsonl",
        event("session.start", "1", sessionId="s", copilotVersion="1.0.34", startTime=AT, context={"cwd": "/p"}),
        message("2", 3), message("3", 5), shutdown("4", 2, 100, 60, 10, 8),
        event("session.resume", "5", eventCount=4), message("6", 5), shutdown("7", 1, 50, 0, 0, 5),
    )  # fmt: skip


# Input includes reads and writes; 100,000,000,000 nano AI units are a dollar.
@case("copilot-store", 1, 100, 600, 300, 20, "0.5")
def copilot_store(folder: Path) -> None:
    with sqlite3.connect(folder / "session-store.db") as database:
        database.execute("CREATE TABLE sessions (id, cwd)")
        database.execute("CREATE TABLE turns (id)")
        names = ("id", "session_id", "model", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
                 "reasoning_tokens", "total_nano_aiu", "created_at")  # fmt: skip
        database.execute(f"CREATE TABLE assistant_usage_events ({', '.join(names)})")
        values = (1, "s", "m", 1_000, 20, 600, 300, 5, 50_000_000_000, "2026-10-05 10:00:00")
        database.execute(f"INSERT INTO assistant_usage_events VALUES ({', '.join('?' * len(values))})", values)
    database.close()


# The agent's span repeats its chat; 40 cached within 100; a column and its attribute are one; 50 thousand million nano units are half a dollar.
@case("copilot-traces", 1, 60, 40, 0, 10, "0.5")
def copilot_traces(folder: Path) -> None:
    with sqlite3.connect(folder / "agent-traces.db") as database:
        names = ("span_id", "trace_id", "parent_span_id", "name", "start_time_ms", "end_time_ms", "status_code",
                 "operation_name", "provider_name", "request_model", "input_tokens", "output_tokens", "cached_tokens")  # fmt: skip
        database.execute(f"CREATE TABLE spans ({', '.join(names)})")
        database.execute("CREATE TABLE span_attributes (span_id, key, value)")
        database.execute("CREATE TABLE span_events (id)")
        for span, parent, kind in (("b1", None, "invoke_agent"), ("b2", "b1", "chat")):
            values = (span, "a1", parent, kind, MS, MS + 1000, 0, kind, "github", "gpt-5", 100, 10, 40)
            database.execute(f"INSERT INTO spans VALUES ({', '.join('?' * len(values))})", values)
        attributes = {"gen_ai.usage.input_tokens": "100", "copilot_chat.copilot_usage_nano_aiu": "50000000000"}
        database.executemany("INSERT INTO span_attributes VALUES ('b2', ?, ?)", attributes.items())
    database.close()


# The SKU changes within the file; what the May rows would have cost in credits is not added.
@case("copilot-bill", 0, 0, 0, 0, 0, "14")
def copilot_bill(folder: Path) -> None:
    (folder / "bill.csv").write_text(
        "date,username,sku,model,quantity,unit_type,gross_amount,discount_amount,net_amount,aic_quantity,aic_gross_amount\n"
        "2026-05-31,u,copilot_premium_request,GPT-5.5,100,requests,4.00,3.00,1.00,500,5.00\n"
        "2026-06-01,u,copilot_ai_credit,GPT-5.5,1000,ai-credits,10.00,10.00,0.00,,\n"
    )


# The ledger repeats one message and lacks the other; the total input includes the cache that the input excludes.
@case("amp", 2, 10 + 5, 900 + 40, 60, 8 + 2, None)
def amp(folder: Path) -> None:
    used = {"model": "claude-opus-4-6", "inputTokens": 10, "outputTokens": 8, "cacheCreationInputTokens": 60,
            "cacheReadInputTokens": 900, "totalInputTokens": 970, "timestamp": AT, "credits": 1}  # fmt: skip
    second = {"model": "claude-opus-4-6", "inputTokens": 5, "outputTokens": 2, "cacheReadInputTokens": 40}
    ledger = {
        "events": [{"timestamp": AT, "model": "claude-opus-4-6", "credits": 1, "tokens": {"input": 10, "output": 8}}]
    }
    messages = [{"role": "assistant", "messageId": n, "usage": usage} for n, usage in enumerate((used, second))]
    document(folder / "T-1.json", {"id": "T-1", "created": MS, "usageLedger": ledger, "messages": messages})


# `Included` is no amount, `$1.50` is one; written tokens stand beside the uncached ones; columns of the newest header.
@case("cursor", 2, 10 + 20, 300, 40, 9 + 1, "1.5")
def cursor(folder: Path) -> None:
    head = ("Date,Cloud Agent ID,Automation ID,Kind,Model,Max Mode,Input (w/ Cache Write),Input (w/o Cache Write),"
            "Cache Read,Output Tokens,Total Tokens,Cost")  # fmt: skip
    rows = [
        "2026-10-05T10:00:00.000Z,,,Included,auto,No,40,10,300,9,359,Included",
        "2026-10-05T10:00:01.000Z,,,On-Demand,auto,Yes,0,20,0,1,21,$1.50",
    ]
    (folder / "usage.csv").write_text("\n".join([head, *rows]) + "\n")


# Charged cents include the fee; an event that is billed by requests has no tokens.
@case("cursor-events", 2, 100, 40, 30, 9, "0.0625")
def cursor_events(folder: Path) -> None:
    used = {"inputTokens": 100, "outputTokens": 9, "cacheWriteTokens": 30, "cacheReadTokens": 40, "totalCents": 5}
    event = {"timestamp": str(MS), "model": "m", "kind": "Usage-based", "tokenUsage": used, "chargedCents": 6.25,
             "cursorTokenFee": 1.25}  # fmt: skip
    by_requests = {"timestamp": str(MS), "model": "m", "kind": "Included", "requestsCosts": 2}
    document(folder / "e.json", {"usageEvents": [event, by_requests], "totalUsageEventsCount": 2})


# A cancelled request is zeros; deleted requests count as a sum; reads stand beside the input.
@case("cline", 2, 100 + 7, 500, 0, 9 + 3, "0.03")
def cline(folder: Path) -> None:
    def said(ts: int, kind: str, **usage: Any) -> Record:
        model = {"providerId": "anthropic", "modelId": "claude-opus-4-6", "mode": "act"}
        return {"ts": MS + ts, "type": "say", "say": kind, "text": json.dumps(usage), "modelInfo": model}

    zeros = {"tokensIn": 0, "tokensOut": 0, "cacheWrites": 0, "cacheReads": 0}
    document(
        folder / "ui_messages.json",
        [
            said(
                1, "api_req_started", tokensIn=100, tokensOut=9, cacheWrites=0, cacheReads=500, cost=0.02, request="x"
            ),
            said(2, "api_req_started", **zeros, cancelReason="user_cancelled", request="x"),
            said(3, "deleted_api_reqs", tokensIn=7, tokensOut=3, cacheWrites=0, cacheReads=0, cost=0.01),
        ],
    )


# Input includes reads and writes; a copy of the session repeats its messages; a cost of 0 is no price known.
@case("cline-session", 2, 100 + 7, 500, 40, 9 + 3, "0.02")
def cline_session(folder: Path) -> None:
    def answer(id: str, counts: tuple[int, int, int, int], cost: float) -> Record:
        names = ("inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens")
        metrics = {**dict(zip(names, counts, strict=True)), "cost": cost}
        model = {"id": "claude-opus-4-6", "provider": "anthropic"}
        return {"id": id, "role": "assistant", "ts": MS, "content": [], "modelInfo": model, "metrics": metrics}

    messages = [{"id": "u", "role": "user", "ts": MS, "content": []}, answer("a", (640, 9, 500, 40), 0.02),
                answer("b", (7, 3, 0, 0), 0)]  # fmt: skip
    for name in ("s.messages.json", "copy.messages.json"):
        document(folder / name, {"version": 1, "sessionId": "s", "agent": "lead", "messages": messages})


# Thinking stands beside the output; the model is written with its maker; the session's lines beside have no usage.
@case("droid", 0, 1_000, 12, 89, 500 + 34, None)
def droid(folder: Path) -> None:
    usage = {
        "inputTokens": 1_000,
        "outputTokens": 500,
        "cacheCreationTokens": 89,
        "cacheReadTokens": 12,
        "thinkingTokens": 34,
    }
    document(
        folder / "s.settings.json",
        {"model": "custom:Claude-Opus-4.5-Thinking-[Anthropic]-0", "providerLock": "anthropic",
         "providerLockTimestamp": AT, "tokenUsage": usage},
    )  # fmt: skip
    lines(folder / "s.jsonl", {"type": "session_start", "id": "s"}, {"type": "message", "id": "m", "timestamp": AT})


# An answer stands twice, the last wins; `$set` changes the head; cached within the input, thoughts and tools beside.
@case("gemini-cli", 1, 60 + 3, 40, 0, 10 + 6, None)
def gemini_cli(folder: Path) -> None:
    def answer(output: int) -> Record:
        tokens = {"input": 100, "output": output, "cached": 40, "thoughts": 6, "tool": 3, "total": 109 + output}
        return {"id": "m", "type": "gemini", "timestamp": AT, "model": "gemini-2.5-pro", "tokens": tokens}

    head = {"sessionId": "s", "projectHash": "p", "startTime": AT}
    lines(folder / "chats" / "session-1.jsonl", head, answer(4), {"$set": {"lastUpdated": AT}}, answer(10))


# A fragment repeats its uuid; telemetry repeats the response; thoughts within the candidates by the total, then beside.
@case("qwen-code", 2, 60 + 50, 40, 0, 10 + 5 + 4, None)
def qwen_code(folder: Path) -> None:
    def line(uuid: str, **counts: int) -> Record:
        return {"uuid": uuid, "sessionId": "s", "cwd": "/p", "timestamp": AT, "type": "assistant",
                "model": "qwen3-coder-plus", "message": {"role": "model", "parts": []}, "usageMetadata": counts}  # fmt: skip

    within = {"promptTokenCount": 100, "candidatesTokenCount": 10, "totalTokenCount": 110, "cachedContentTokenCount": 40,
              "thoughtsTokenCount": 6}  # fmt: skip
    apart = {"promptTokenCount": 50, "candidatesTokenCount": 5, "thoughtsTokenCount": 4, "totalTokenCount": 59}
    telemetry = {"uuid": "t", "sessionId": "s", "timestamp": AT, "type": "system", "subtype": "ui_telemetry",
                 "systemPayload": {"uiEvent": {"event.name": "qwen-code.api_response", "input_token_count": 100}}}  # fmt: skip
    lines(folder / "chats" / "c.jsonl", line("a", **within), line("a", **within), line("b", **apart), telemetry)


# Its sessions' totals, not the last call's; 30 of the total have no class.
@case("goose", 0, 100, 0, 0, 50, None)
def goose(folder: Path) -> None:
    with sqlite3.connect(folder / "sessions.db") as database:
        for table in ("messages", "schema_version"):
            database.execute(f"CREATE TABLE {table} (a)")
        values = {
            "id": "s", "created_at": "2026-10-05 10:00:00", "updated_at": "2026-10-05 10:00:00",
            "provider_name": "anthropic", "model_config_json": '{"model_name": "claude-opus-4-6"}',
            "input_tokens": 7, "output_tokens": 3, "total_tokens": 10, "accumulated_input_tokens": 100,
            "accumulated_output_tokens": 50, "accumulated_total_tokens": 180,
        }  # fmt: skip
        database.execute(f"CREATE TABLE sessions ({', '.join(values)})")
        database.execute(f"INSERT INTO sessions VALUES ({', '.join('?' * len(values))})", tuple(values.values()))
    database.close()


# An update without usage; two steps whose server gives both one message id; steps are not running totals.
@case("kimi-cli", 2, 100 + 200, 40, 0, 10 + 20, None)
def kimi_cli(folder: Path) -> None:
    def update(second: int, usage: Record | None) -> Record:
        payload = {"token_usage": usage, "message_id": "chatcmpl-1"}
        return {"timestamp": MS / 1000 + second, "message": {"type": "StatusUpdate", "payload": payload}}

    def used(other: int, read: int, output: int) -> Record:
        return {"input_other": other, "output": output, "input_cache_read": read, "input_cache_creation": 0}

    lines(folder / "wire.jsonl", update(1, used(100, 0, 10)), update(2, None), update(3, used(200, 40, 20)))


# The record's model is an alias; equal figures a second apart are two calls.
@case("kimi-code", 2, 200, 50, 20, 80, None)
def kimi_code(folder: Path) -> None:
    request = {"type": "llm.request", "model": "kimi-k3", "modelAlias": "mine", "provider": "p", "time": MS}
    usage = {"inputOther": 100, "output": 40, "inputCacheRead": 25, "inputCacheCreation": 10}
    record = {"type": "usage.record", "model": "mine", "usage": usage, "time": MS + 1}
    lines(folder / "agents" / "main" / "wire.jsonl", request, record, record | {"time": MS + 1001})


# A database and a file have one message both; reasoning stands beside the output; cost 0 means that no price is known.
@case("opencode", 1, 10, 200, 30, 5 + 4, None)
def opencode(folder: Path) -> None:
    tokens = {"input": 10, "output": 5, "reasoning": 4, "total": 249, "cache": {"read": 200, "write": 30}}
    data = {
        "role": "assistant",
        "modelID": "m",
        "providerID": "p",
        "tokens": tokens,
        "cost": 0,
        "time": {"created": MS},
    }
    document(folder / "msg_1.json", {"id": "msg_1", "sessionID": "s", **data})
    with sqlite3.connect(folder / "opencode.db") as database:
        for table in ("part", "session"):
            database.execute(f"CREATE TABLE {table} (id, data)")
        database.execute("CREATE TABLE message (id, session_id, time_created, data)")
        database.execute("INSERT INTO message VALUES ('msg_1', 's', ?, ?)", (MS, json.dumps(data)))
        database.execute(
            "INSERT INTO part VALUES ('prt_1', ?)", (json.dumps({"type": "step-finish", "tokens": tokens}),)
        )
    database.close()


# A subagent's cost is in its parent's; the tokens of a session are its last call's.
@case("crush", 0, 0, 0, 0, 0, "0.75")
def crush(folder: Path) -> None:
    with sqlite3.connect(folder / "crush.db") as database:
        for table in ("files", "goose_db_version"):
            database.execute(f"CREATE TABLE {table} (id)")
        database.execute("CREATE TABLE messages (session_id, role, provider, model)")
        database.execute("CREATE TABLE sessions (id, parent_session_id, prompt_tokens, completion_tokens, cost,"
                         " updated_at, created_at)")  # fmt: skip
        for row in (("a", None, 900, 30, 0.75), ("m$$t", "a", 100, 10, 0.25)):
            database.execute("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, MS // 1000, MS // 1000))
    database.close()


# Cached tokens are within the prompt, thoughts beside the output; of a stream without models both are in the total only.
@case("gemini-print", 2, (100 - 40) + (50 - 20), 40 + 20, 0, (10 + 5) + (8 + 2), None)
def gemini_print(folder: Path) -> None:
    tokens = {"prompt": 100, "input": 60, "candidates": 10, "cached": 40, "thoughts": 5, "tool": 0, "total": 115}
    api = {"totalRequests": 3, "totalErrors": 1, "totalLatencyMs": 900}
    by_role = {"main": {"totalRequests": 2, "tokens": tokens}}
    stats = {"models": {"gemini-2.5-pro": {"api": api, "tokens": tokens, "roles": by_role}}, "tools": {}, "files": {}}
    document(folder / "run.json", {"session_id": "a", "response": "", "stats": stats})
    summed = {"total_tokens": 60, "input_tokens": 50, "output_tokens": 8, "cached": 20, "input": 30, "duration_ms": 9}
    lines(
        folder / "stream.jsonl",
        {"type": "init", "timestamp": AT, "session_id": "b", "model": "gemini-2.5-pro"},
        {"type": "result", "timestamp": AT, "status": "success", "stats": {**summed, "tool_calls": 1}},
    )


# Cached tokens are within the input; the second result has the first one's tokens too.
@case("qwen-print", 0, 250 - 90, 90, 0, 30, None)
def qwen_print(folder: Path) -> None:
    def result(input: int, cached: int, output: int) -> Record:
        usage = {"input_tokens": input, "output_tokens": output, "cache_read_input_tokens": cached,
                 "total_tokens": input + output}  # fmt: skip
        return {"type": "result", "subtype": "success", "session_id": "s", "uuid": str(input), "usage": usage}

    message = {"model": "qwen3-coder-plus", "usage": {"input_tokens": 100, "output_tokens": 10}}
    lines(
        folder / "run.jsonl",
        {"type": "system", "subtype": "init", "session_id": "s", "model": "m", "qwen_code_version": "0.24.7"},
        {"type": "assistant", "session_id": "s", "parent_tool_use_id": None, "message": message},
        result(100, 40, 10),
        result(250, 90, 30),
    )


# A step is printed twice; reasoning stands beside the output of the one and, by its total, within that of the other.
@case("opencode-run", 2, 10 + 20, 200, 30, (5 + 4) + 9, "0.25")
def opencode_run(folder: Path) -> None:
    def step(id: str, cost: float, **tokens: Any) -> Record:
        part = {"id": id, "messageID": "m", "sessionID": "s", "type": "step-finish", "tokens": tokens, "cost": cost}
        return {"type": "step_finish", "timestamp": MS, "sessionID": "s", "part": part}

    first = step("a", 0.25, input=10, output=5, reasoning=4, cache={"read": 200, "write": 30})
    second = step("b", 0, input=20, output=9, reasoning=4, total=29, cache={"read": 0, "write": 0})
    lines(folder / "run.jsonl", first, first, second)


# Cached tokens are within the prompt; a session that a compaction began runs on from the sums of the one before.
@case("vibe", 0, (100 - 40) + (250 - 100) - (90 - 40), 40 + (90 - 40), 0, 10 + (30 - 10), "0.75")
def vibe(folder: Path) -> None:
    def session(id: str, parent: str | None, began: str, ended: str, *sums: int, usd: float) -> None:
        names = ("session_prompt_tokens", "session_cached_tokens", "session_completion_tokens", "steps")
        meta = {"session_id": id, "parent_session_id": parent, "start_time": f"2026-10-05T{began}+00:00",
                "end_time": f"2026-10-05T{ended}+00:00", "config": {"active_model": "devstral-small"},
                "stats": {**dict(zip(names, sums, strict=True)), "session_cost": usd}}  # fmt: skip
        (folder / f"session_x_{id[:8]}").mkdir()
        document(folder / f"session_x_{id[:8]}" / "meta.json", meta)

    session("aaaaaaaa-1", None, "10:00:00", "10:10:00", 100, 40, 10, 2, usd=0.25)
    session("bbbbbbbb-1", "aaaaaaaa-1", "10:10:01", "10:20:00", 250, 90, 30, 5, usd=0.75)


# The thread's sum holds what its messages' last requests used; before there was one, those are all that is stated.
@case("zed", 0, 100 + 7, 900, 40, 50 + 3, None)
def zed(folder: Path) -> None:
    sums = {"input_tokens": 100, "cache_read_input_tokens": 900, "cache_creation_input_tokens": 40, "output_tokens": 50}
    last = {"input_tokens": 7, "output_tokens": 3}
    model = {"provider": "anthropic", "model": "claude-sonnet-4-6"}
    with sqlite3.connect(folder / "threads.db") as database:
        database.execute("CREATE TABLE threads (id, updated_at, data_type, data)")
        for id, stated in (("a", sums), ("b", {})):
            thread = {"model": model, "cumulative_token_usage": stated, "request_token_usage": {"m": last}}
            database.execute("INSERT INTO threads VALUES (?, ?, 'json', ?)", (id, AT, json.dumps(thread)))
    database.close()


# A session's sums repeat its conversation's rows, but not a title's; what they have beyond the rows is of no row.
@case("hermes", 2 + 1 + 1, (100 - 10) + 10 + 7, 40, 0, (50 + 5) + 3, None)
def hermes(folder: Path) -> None:
    with sqlite3.connect(folder / "state.db") as database:
        for table in ("messages", "schema_version", "state_meta"):
            database.execute(f"CREATE TABLE {table} (a)")
        counts = "input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, api_call_count"
        database.execute(f"CREATE TABLE sessions (id, model, billing_provider, started_at, {counts})")
        database.execute(
            "INSERT INTO sessions VALUES ('s', 'gpt-5.5', 'openai', ?, 100, 40, 0, 55, 9, 3)", (MS / 1000,)
        )
        database.execute(
            f"CREATE TABLE session_model_usage (session_id, model, billing_provider, task, last_seen, {counts})"
        )
        row = "INSERT INTO session_model_usage VALUES ('s', ?, 'openai', ?, ?, ?, ?, 0, ?, 9, ?)"
        database.execute(row, ("gpt-5.5", "", MS / 1000, 90, 40, 50, 2))
        database.execute(row, ("gpt-5-mini", "title_generation", MS / 1000, 7, 0, 3, 1))
    database.close()


# Cached tokens are within the prompt, thoughts beyond the completion; a compaction's summary has what it replaced.
@case("forge", 1, (100 - 40) + 300, 40, 0, (10 + 5) + 20, None)
def forge(folder: Path) -> None:
    def usage(prompt: int, cached: int, completion: int, total: int) -> Record:
        counts = {
            "prompt_tokens": prompt,
            "cached_tokens": cached,
            "completion_tokens": completion,
            "total_tokens": total,
        }
        return {name: {"actual": count} for name, count in counts.items()}

    answer = {"message": {"text": {"role": "Assistant", "model": "gemini-2.5-pro"}}, "usage": usage(100, 40, 10, 115)}
    summary = {"message": {"text": {"role": "User"}}, "usage": usage(300, 0, 20, 320)}
    with sqlite3.connect(folder / ".forge.db") as database:
        database.execute("CREATE TABLE __diesel_schema_migrations (version)")
        database.execute("CREATE TABLE conversations (conversation_id, context, created_at, updated_at)")
        context = json.dumps({"messages": [summary, answer]})
        database.execute("INSERT INTO conversations VALUES ('c', ?, '2026-10-05 10:00:00', NULL)", (context,))
    database.close()


# Reads and writes are within a turn's input; a copied workspace repeats the turn; a tool's call stands beside it.
@case("mux", 1, (100 - 60 - 30) + 7, 60, 30, 20 + 3, "0.0075")
def mux(folder: Path) -> None:
    usage = {"inputTokens": 100, "cachedInputTokens": 60, "outputTokens": 20, "totalTokens": 120, "reasoningTokens": 5}
    tool = {"toolName": "advisor", "model": "xai:grok-4", "usage": {"inputTokens": 7, "outputTokens": 3},
            "providerMetadata": {"xai": {"costInUsdTicks": 75_000_000}}}  # fmt: skip
    stated = {"historySequence": 1, "timestamp": MS, "model": "anthropic:claude-sonnet-4-6", "usage": usage,
              "contextUsage": usage, "providerMetadata": {"anthropic": {"cacheCreationInputTokens": 30}},
              "toolModelUsages": [tool]}  # fmt: skip
    message = {"id": "assistant-1", "role": "assistant", "parts": [], "metadata": stated}
    for workspace in ("a", "copy"):
        lines(folder / "sessions" / workspace / "chat.jsonl", message)


# A chunk repeats its answer; a fork repeats its parent; reasoning is within the output.
@case("dsh", 2, 100 + 7, 60, 5, 20 + 3, None)
def dsh(folder: Path) -> None:
    used = {"inputTokens": 100, "outputTokens": 20, "cacheReadTokens": 60, "cacheWriteTokens": 5, "reasoningTokens": 8}
    head = {"type": "session", "id": "s", "createdAt": MS, "cwd": "/srv/app", "delegationDepth": 0}
    step = {"turn": 1, "step": 1}
    shared = [
        {"type": "assistant/chunk", "seq": 1, "time": MS, "data": {**step, "chunk": {"type": "usage", "usage": used}}},
        {"type": "assistant/message", "seq": 2, "time": MS, "data": {**step, "message": {}, "usage": used}},
    ]
    own = {"turn": 2, "step": 1, "message": {}, "usage": {"inputTokens": 7, "outputTokens": 3}}
    lines(folder / "session-1" / "session.jsonl", head, *shared)
    lines(folder / "session-2" / "session.jsonl", {**head, "id": "t", "parentSession": "s"}, *shared,
          {"type": "assistant/message", "seq": 3, "time": MS, "data": own})  # fmt: skip


# A cost of 0 is no price; the run's cost until then is no cost of the message.
@case("aider", 2, 100 + 7, 0, 0, 20 + 3, "0.01")
def aider(folder: Path) -> None:
    def sent(tokens: int, received: int, cost: float) -> Record:
        sums = {"prompt_tokens": tokens, "completion_tokens": received, "total_tokens": tokens + received}
        properties = {"main_model": "gpt-5.5", **sums, "cost": cost, "total_cost": 0.01}
        return {"event": "message_send", "properties": properties, "user_id": "u", "time": MS // 1000}

    lines(folder / "analytics.jsonl", sent(100, 20, 0.01), sent(7, 3, 0.0))


# A fork repeats its conversation; an older version has its counts in the metadata itself.
@case("gptme", 2, 100 + 7, 60, 5, 20 + 3, "0.01")
def gptme(folder: Path) -> None:
    usage = {"input_tokens": 100, "output_tokens": 20, "cache_read_tokens": 60, "cache_creation_tokens": 5}
    said = {
        "role": "assistant",
        "timestamp": "2026-10-05T10:00:00.1",
        "metadata": {"model": "m", "cost": 0.01, "usage": usage},
    }
    older = {
        **said,
        "timestamp": "2026-10-05T10:00:09",
        "metadata": {"model": "m", "input_tokens": 7, "output_tokens": 3},
    }
    lines(folder / "a" / "conversation.jsonl", said)
    lines(folder / "b" / "conversation.jsonl", said, older)


# A turn is said twice, the last is its sum; cached tokens are within the input; ticks are 1e-10 dollars.
@case("grok", 2, (100 - 60) + 7, 60, 0, 20 + 3, "0.01")
def grok(folder: Path) -> None:
    def turn(prompt: str, input: int, output: int, read: int, ticks: int) -> Record:
        sums = {"inputTokens": input, "outputTokens": output, "cachedReadTokens": read, "costUsdTicks": ticks,
                "modelCalls": 1, "reasoningTokens": 2}  # fmt: skip
        update = {
            "sessionUpdate": "turn_completed",
            "prompt_id": prompt,
            "usage": {**sums, "modelUsage": {"grok-4": sums}},
        }
        return {
            "timestamp": MS // 1000,
            "method": "_x.ai/session/update",
            "params": {"sessionId": "s", "update": update},
        }

    lines(folder / "updates.jsonl", turn("p", 50, 5, 0, 1), turn("p", 100, 20, 60, 100_000_000), turn("q", 7, 3, 0, 0))


# Codex's cached tokens are within the input; what was read in an agent's own log is no request of the proxy.
@case("cc-switch", 2, (100 - 60) + 7, 60 + 900, 5, 20 + 3, "0.01")
def cc_switch(folder: Path) -> None:
    rows = (
        ("a", "codex", "gpt-5.5", 100, 20, 60, 0, 1, "0.01", "proxy"),
        ("b", "claude", "claude-opus-4-6", 7, 3, 900, 5, 1, "0", "proxy"),
        ("c", "claude", "claude-opus-4-6", 50, 5, 0, 0, 0, "0", "session_log"),
    )
    with sqlite3.connect(folder / "cc-switch.db") as database:
        database.execute("CREATE TABLE providers (a)")
        database.execute(
            "CREATE TABLE proxy_request_logs (request_id, app_type, model, input_tokens, output_tokens, cache_read_tokens,"
            f" cache_creation_tokens, input_token_semantics, total_cost_usd, data_source, created_at DEFAULT {MS // 1000},"
            " status_code DEFAULT 200)"
        )
        names = "request_id, app_type, model, input_tokens, output_tokens, cache_read_tokens, cache_creation_tokens"
        names += ", input_token_semantics, total_cost_usd, data_source"
        database.executemany(f"INSERT INTO proxy_request_logs ({names}) VALUES ({', '.join('?' * 10)})", rows)
    database.close()


NEW_API = (
    "id",
    "created_at",
    "type",
    "token_name",
    "model_name",
    "quota",
    "prompt_tokens",
    "completion_tokens",
    "other",
)
CHARGED = (
    (1, MS // 1000, 2, "t", "gpt-5.5", 9, 100, 20, json.dumps({"cache_tokens": 60})),
    (
        2,
        MS // 1000,
        2,
        "t",
        "m",
        9,
        7,
        3,
        json.dumps({"claude": True, "cache_tokens": 900, "cache_creation_tokens": 5}),
    ),
    (3, MS // 1000, 5, "t", "gpt-5.5", 0, 50, 1, "{}"),
)


# OpenAI's cached tokens are within the prompt, Anthropic's beside it; an error was not charged.
@case("new-api", 2, (100 - 60) + 7, 60 + 900, 5, 20 + 3, None)
def new_api(folder: Path) -> None:
    with sqlite3.connect(folder / "one-api.db") as database:
        for table in ("channels", "abilities", "tokens", "options"):
            database.execute(f"CREATE TABLE {table} (a)")
        database.execute(f"CREATE TABLE logs ({', '.join(NEW_API)})")
        database.executemany("INSERT INTO logs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", CHARGED)
    database.close()


@case("new-api-logs", 2, (100 - 60) + 7, 60 + 900, 5, 20 + 3, None)
def new_api_logs(folder: Path) -> None:
    with (folder / "logs.csv").open("w", newline="") as file:
        csv.writer(file).writerows([NEW_API, *CHARGED])


# A subagent's call stands in its parent's state too; cached tokens are within the prompt, which ACP's agents have not.
@case("openhands", 2, (100 - 60 - 5) + 7, 60 + 900, 5, 20 + 3, "0.02")
def openhands(folder: Path) -> None:
    def used(prompt: int, output: int, read: int, written: int, id: str) -> Record:
        return {"model": "m", "prompt_tokens": prompt, "completion_tokens": output, "cache_read_tokens": read,
                "cache_write_tokens": written, "reasoning_tokens": 2, "response_id": id}  # fmt: skip

    own, spawned = used(100, 20, 60, 5, "a"), used(7, 3, 900, 0, "b")
    costs = [{"model": "m", "cost": 0.01, "timestamp": MS / 1000}]
    parts = {"agent": {"token_usages": [own], "costs": costs}, "task": {"token_usages": [spawned], "costs": costs}}
    for name, uses in (("parent", parts), ("child", {"agent": parts["task"]})):
        (folder / name).mkdir()
        document(folder / name / "base_state.json", {"id": name, "stats": {"usage_to_metrics": uses}})


# A fork copies its session's answers; cached tokens, read and written, are within the input, and one hour's writes
# within the writes.
@case("command-code", 2, (100 - 60 - 5) + 7, 60, 5, 20 + 3, "0.01")
def command_code(folder: Path) -> None:
    def answer(id: str, costs: Record, *counts: int) -> Record:
        names = ("inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens", "cacheWriteTokens1h")
        return {"type": "message", "id": id, "parentId": None, "timestamp": AT, "message": {"role": "assistant"},
                "model": "m", "usage": {**dict(zip(names, counts, strict=True)), **costs}}  # fmt: skip

    head = {"type": "session", "version": 3, "timestamp": AT, "cwd": "/srv/app"}
    shared = answer("a", {"costUsd": 0.01}, 100, 20, 60, 5, 4)
    lines(folder / "one.jsonl", {**head, "id": "s"}, shared)
    lines(folder / "two.jsonl", {**head, "id": "t"}, shared, answer("b", {}, 7, 3, 0, 0, 0))


# A fork copies a message under an id of its own; a call beside it is another; a cost of 0 is no known one.
@case("shelley", 2, 100 + 7, 60, 5, 20 + 3, "0.01")
def shelley(folder: Path) -> None:
    names = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "cost_usd")
    said, beside = ({"model": "m", "end_time": AT, **dict(zip(names, counts, strict=True))}
                    for counts in ((100, 20, 60, 5, 0.01), (7, 3, 0, 0, 0)))  # fmt: skip
    usages = (json.dumps(said), json.dumps([{"purpose": "compaction", **beside}]))
    with sqlite3.connect(folder / "shelley.db") as database:
        database.execute("CREATE TABLE migrations (name)")
        database.execute("CREATE TABLE conversations (conversation_id)")
        database.execute("CREATE TABLE messages (message_id, forked_from_message_id, usage_data, other_usage_data)")
        rows = [("a", None, *usages), ("b", "a", *usages)]
        database.executemany("INSERT INTO messages VALUES (?, ?, ?, ?)", rows)
    database.close()


# OpenAI's cached tokens are within the input and its reasoning is beside the output; Anthropic's are the other way.
@case("piebald", 2, (100 - 60) + 7, 60 + 900, 5, 20 + 8 + 3, None)
def piebald(folder: Path) -> None:
    tokens = "input_tokens, output_tokens, reasoning_tokens, cache_read_tokens, cache_write_tokens"
    with sqlite3.connect(folder / "app.db") as database:
        database.execute("CREATE TABLE message_parts (id)")
        database.execute("CREATE TABLE chats (id, model)")
        database.execute("INSERT INTO chats VALUES (1, 'gpt-5.5')")
        database.execute(f"CREATE TABLE messages (id, parent_chat_id, model, created_at, {tokens})")
        rows = [(1, 1, None, AT, 100, 20, 8, 60, None), (2, 1, "claude-opus-4-6", AT, 7, 3, 2, 900, 5)]
        database.executemany("INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    database.close()


# A step copied for context counts no more; cached tokens are within the prompt, and so is what Anthropic's API says
# was written; the sums repeat the steps.
@case("atif", 2, (100 - 60 - 5) + 7, 60, 5, 20 + 3, "0.01")
def atif(folder: Path) -> None:
    def step(id: int, metrics: Record, **more: Any) -> Record:
        return {"step_id": id, "timestamp": AT, "source": "agent", "message": "", "metrics": metrics, **more}

    first = {"prompt_tokens": 100, "completion_tokens": 20, "cached_tokens": 60, "cost_usd": 0.01,
             "extra": {"cache_creation_input_tokens": 5, "cache_read_input_tokens": 60}}  # fmt: skip
    second = {"prompt_tokens": 7, "completion_tokens": 3}
    agent = {"name": "claude-code", "version": "2", "model_name": "claude-opus-4-6"}
    sums = {
        "total_prompt_tokens": 107,
        "total_completion_tokens": 23,
        "total_cached_tokens": 60,
        "total_cost_usd": 0.01,
    }
    steps = [step(1, first), step(2, first, is_copied_context=True), step(3, second)]
    document(folder / "trajectory.json", {"schema_version": "ATIF-v1.7", "session_id": "s", "agent": agent,
                                          "steps": steps, "final_metrics": sums})  # fmt: skip


# Two calls in one event, the second of which states no cost that is known.
@case("junie", 2, 100 + 7, 60, 5, 20 + 3, "0.01")
def junie(folder: Path) -> None:
    names = ("inputTokens", "outputTokens", "cacheInputTokens", "cacheCreateTokens")
    used = [{"model": "m", "cost": cost, **dict(zip(names, counts, strict=True))}
            for cost, counts in ((0.01, (100, 20, 60, 5)), (0.0, (7, 3, 0, 0)))]  # fmt: skip
    event = {"state": "IN_PROGRESS", "agentEvent": {"kind": "LlmResponseMetadataEvent", "modelUsage": used}}
    lines(folder / "s" / "events.jsonl", {"kind": "SessionA2uxEvent", "event": event, "timestampMs": MS})


# Cached tokens are within the input; a failed attempt has tokens of its own.
@case("zcode", 2, (100 - 60 - 5) + 7, 60, 5, 20 + 3, None)
def zcode(folder: Path) -> None:
    with sqlite3.connect(folder / "db.sqlite") as database:
        database.execute("CREATE TABLE session (id, directory)")
        database.execute("CREATE TABLE model_usage (id, session_id, model_id, status, started_at, input_tokens, "
                         "output_tokens, reasoning_tokens, cache_read_input_tokens, cache_creation_input_tokens)")  # fmt: skip
        rows = [("a", "s", "m", "completed", MS, 100, 20, 8, 60, 5), ("b", "s", "m", "error", MS, 7, 3, 0, 0, 0)]
        database.executemany(f"INSERT INTO model_usage VALUES ({', '.join('?' * 10)})", rows)
    database.close()


# A journal repeats a message that the snapshot has by now; OpenAI's cached tokens are within the input, Anthropic's
# beside it.
@case("jcode", 2, (100 - 60) + 7, 60 + 900, 5, 20 + 3, None)
def jcode(folder: Path) -> None:
    def answer(id: str, input: int, output: int, read: int, written: int | None) -> Record:
        used = {"input_tokens": input, "output_tokens": output, "cache_read_input_tokens": read,
                "cache_creation_input_tokens": written}  # fmt: skip
        return {"id": id, "role": "assistant", "content": [], "timestamp": AT, "token_usage": used}

    openai, claude = answer("message_1", 100, 20, 60, None), answer("message_2", 7, 3, 900, 5)
    head = {"id": "session_fox_1", "created_at": AT, "updated_at": AT, "is_canary": False, "provider_key": "openai"}
    document(folder / "session_fox_1.json", {**head, "messages": [openai]})
    journal = [{"meta": {"updated_at": AT, "is_canary": False, "provider_key": key}, "append_messages": [message]}
               for key, message in (("openai", openai), ("claude", claude))]  # fmt: skip
    lines(folder / "session_fox_1.journal.jsonl", *journal)


# The second message repeats the first one's history; prompt tokens include what was cached, input tokens do not.
@case("codebuff", 2, (100 - 60) + 7, 60 + 900, 5, 20 + 3, None)
def codebuff(folder: Path) -> None:
    openai = {"promptTokens": 100, "completionTokens": 20, "promptTokensDetails": {"cachedTokens": 60}}
    claude = {"inputTokens": 7, "outputTokens": 3, "cacheReadInputTokens": 900, "cacheCreationInputTokens": 5}
    answers = [{"role": "assistant", "content": text, "providerOptions": {"usage": used}}
               for text, used in (("a", openai), ("b", claude))]  # fmt: skip
    messages = [{"id": f"m{count}", "variant": "ai", "timestamp": AT, "credits": 1,
                 "metadata": {"runState": {"sessionState": {"mainAgentState": {"messageHistory": answers[:count]}}}}}
                for count in (1, 2)]  # fmt: skip
    document(folder / "chat-messages.json", messages)


# A row that both tables have is one call; OpenAI's cached tokens are within the input, Anthropic's beside it.
@case("llm", 2, (100 - 60) + 7, 60 + 900, 5, 20 + 3, None)
def llm(folder: Path) -> None:
    openai = ("a", "gpt-5.5", 100, 20, json.dumps({"prompt_tokens_details": {"cached_tokens": 60}}), AT)
    claude = ("b", "claude-opus-4.6", 7, 3,
              json.dumps({"cache_read_input_tokens": 900, "cache_creation_input_tokens": 5}), AT)  # fmt: skip
    with sqlite3.connect(folder / "logs.db") as database:
        for table in ("_llm_migrations", "conversations"):
            database.execute(f"CREATE TABLE {table} (a)")
        for table, rows in (("responses", [openai]), ("turns", [openai, claude])):
            columns = "id, model, input_tokens, output_tokens, token_details, datetime_utc"
            database.execute(f"CREATE TABLE {table} ({columns})")
            database.executemany(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?, ?)", rows)
    database.close()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_store(tmp_path_factory.mktemp("store") / "s.duckdb") as connection:
        yield connection


SUMS = """
SELECT sum(request), sum(input), sum(cache_read), sum(cache_write_5m + cache_write_1h), sum(output), sum(recorded_usd),
    list_sort(list(DISTINCT source)) FROM usage_event
"""


@pytest.mark.slow
@pytest.mark.parametrize("reader", CASES)
def test_two_pitfalls_at_once(store: duckdb.DuckDBPyConnection, tmp_path: Path, reader: str) -> None:
    write, expected = CASES[reader]
    write(tmp_path)
    store.execute("DELETE FROM usage_event; DELETE FROM load; DELETE FROM reject")
    report = load(store, [tmp_path])
    rejects = store.execute("SELECT reason, raw FROM reject").fetchall()
    assert rejects == []
    *counts, usd, sources = store.execute(SUMS).fetchone() or ()
    assert (sources, tuple(counts)) == ([reader], expected[:5])
    recorded = expected[5]
    assert usd == (None if recorded is None else Decimal(recorded))
    assert [unread.field for unread in report.unread] == []


def test_every_reader_has_one() -> None:
    """But the rollup, which is costsim's own: its pitfalls are in tests/usage/engines."""
    assert {reader.name for reader in READERS} - CASES.keys() == {"rollup"}
