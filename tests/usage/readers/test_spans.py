"""Spans by every emitter: what counts once, whatever it is called, and what only repeats other spans."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from costsim.usage.load import load
from emptied import open_store

pytestmark = pytest.mark.slow

CLASSES = "input, cache_read, cache_write_5m, cache_write_1h, output"
SUMS = "sum(input), sum(cache_read), sum(cache_write_5m), sum(cache_write_1h), sum(output)"
SECOND = 1_000_000_000
START = 1_791_194_400 * SECOND  # 2026-10-05 10:00 UTC


def pairs(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    def value(given: Any) -> dict[str, Any]:
        return {"intValue": str(given)} if isinstance(given, int) else {"stringValue": given}

    return [{"key": key, "value": value(given)} for key, given in attributes.items()]


def span(
    id: str, parent: str = "", /, at: int = 0, trace: str = "a" * 32, name: str = "", **more: Any
) -> dict[str, Any]:
    """A span of one second; attributes are given as `attributes` of `more`."""
    return {
        "traceId": trace,
        "spanId": id,
        "parentSpanId": parent,
        "name": name,
        "kind": 3,
        "startTimeUnixNano": str(START + at * SECOND),
        "endTimeUnixNano": str(START + (at + 1) * SECOND),
        "attributes": pairs(more.get("attributes", {})),
    }


def usage(input: int, output: int, **more: Any) -> dict[str, Any]:
    """Attributes of a chat as the conventions have them; double underscores stand for dots."""
    named = {key.replace("__", "."): value for key, value in more.items()}
    model = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-5.4"}
    return {**model, "gen_ai.usage.input_tokens": input, "gen_ai.usage.output_tokens": output, **named}


def stated(folder: Path, items: Sequence[dict[str, Any]], sql: str, scope: str = "x", logs: bool = False) -> list[Any]:
    """What a query gives of an OTLP export of these spans, or log records."""
    one, many, listed = ("Logs", "Logs", "logRecords") if logs else ("Spans", "Spans", "spans")
    export = {f"resource{one}": [{f"scope{many}": [{"scope": {"name": scope}, listed: list(items)}]}]}
    file = folder / f"{len(list(folder.iterdir()))}.json"
    file.write_text(json.dumps(export))
    with open_store(folder / "costsim.duckdb") as store:
        load(store, [file])
        return store.execute(sql).fetchall()


def classes(folder: Path, attributes: dict[str, Any], name: str = "", scope: str = "x") -> tuple[int, ...]:
    [row] = stated(folder, [span("1", name=name, attributes=attributes)], f"SELECT {CLASSES} FROM usage_event", scope)
    return tuple(row)


# Each: 900 input of which 600 were read and 50 written, 70 output of which 30 are reasoning: 250, 600, 50, 0, 70.
NAMES = {
    "conventions": {
        "gen_ai.usage.input_tokens": 900,
        "gen_ai.usage.cache_read.input_tokens": 600,
        "gen_ai.usage.cache_creation.input_tokens": 50,
        "gen_ai.usage.output_tokens": 70,
        "gen_ai.usage.reasoning.output_tokens": 30,
    },
    "later conventions": {
        "gen_ai.usage.input_tokens": 900,
        "gen_ai.usage.cache_read.input_tokens": 600,
        "gen_ai.usage.cache_write.input_tokens": 50,
        "gen_ai.usage.output_tokens": 70,
    },
    "OpenLLMetry": {
        "gen_ai.usage.prompt_tokens": 900,
        "gen_ai.usage.cache_read_input_tokens": 600,
        "gen_ai.usage.cache_creation_input_tokens": 50,
        "gen_ai.usage.completion_tokens": 70,
        "llm.usage.total_tokens": 970,
    },
    "older OpenLLMetry": {
        "llm.usage.prompt_tokens": 900,
        "llm.usage.cache_read_input_tokens": 600,
        "llm.usage.cache_creation_input_tokens": 50,
        "llm.usage.completion_tokens": 70,
    },
    "pydantic-ai": {
        "gen_ai.usage.input_tokens": 900,
        "gen_ai.usage.details.cache_read_tokens": 600,
        "gen_ai.usage.details.cache_write_tokens": 50,
        "gen_ai.usage.output_tokens": 70,
        "gen_ai.usage.details.reasoning_tokens": 30,
    },
    "older pydantic-ai": {
        "gen_ai.usage.input_tokens": 900,
        "gen_ai.usage.cache_read_tokens": 600,
        "gen_ai.usage.cache_write_tokens": 50,
        "gen_ai.usage.details.cache_read_input_tokens": 600,
        "gen_ai.usage.output_tokens": 70,
    },
    "Sentry": {
        "gen_ai.usage.input_tokens": 900,
        "gen_ai.usage.input_tokens.cached": 600,
        "gen_ai.usage.input_tokens.cache_write": 50,
        "gen_ai.usage.output_tokens": 70,
        "gen_ai.usage.output_tokens.reasoning": 30,
    },
    "OpenInference": {
        "openinference.span.kind": "LLM",
        "llm.token_count.prompt": 900,
        "llm.token_count.prompt_details.cache_read": 600,
        "llm.token_count.prompt_details.cache_write": 50,
        "llm.token_count.completion": 70,
        "llm.token_count.completion_details.reasoning": 30,
        "llm.token_count.total": 970,
    },
    "Vercel AI SDK": {
        "ai.operationId": "ai.streamText.doStream",
        "ai.usage.inputTokens": 900,
        "ai.usage.inputTokenDetails.cacheReadTokens": 600,
        "ai.usage.inputTokenDetails.cacheWriteTokens": 50,
        "ai.usage.outputTokens": 70,
        "ai.usage.outputTokenDetails.reasoningTokens": 30,
    },
    "LangSmith": {
        "gen_ai.usage.input_tokens": 900,
        "gen_ai.usage.input_token_details": json.dumps({"cache_read": 600, "cache_creation": 50}),
        "gen_ai.usage.output_tokens": 70,
    },
    # a zero under one name hides no other
    "two names": {
        "gen_ai.usage.input_tokens": 900,
        "gen_ai.usage.cache_read.input_tokens": 0,
        "gen_ai.usage.details.cache_read_tokens": 600,
        "gen_ai.usage.cache_write_tokens": 50,
        "gen_ai.usage.output_tokens": 70,
    },
    # cached tokens beside the input: 600 are more than 250, so they cannot be a part of it
    "more cached than input": {
        "gen_ai.usage.input_tokens": 250,
        "gen_ai.usage.cache_read_input_tokens": 600,
        "gen_ai.usage.cache_creation_input_tokens": 50,
        "gen_ai.usage.output_tokens": 70,
    },
    # the total proves it: 250 + 650 + 70
    "a total": {
        "gen_ai.usage.input_tokens": 250,
        "gen_ai.usage.cache_read_input_tokens": 600,
        "gen_ai.usage.cache_creation_input_tokens": 50,
        "gen_ai.usage.output_tokens": 70,
        "gen_ai.usage.total_tokens": 970,
    },
    # reasoning beside the output, by the total: 900 + 40 + 30
    "reasoning beside": {
        "gen_ai.usage.input_tokens": 900,
        "gen_ai.usage.cache_read_input_tokens": 600,
        "gen_ai.usage.cache_creation_input_tokens": 50,
        "gen_ai.usage.output_tokens": 40,
        "gen_ai.usage.reasoning_tokens": 30,
        "gen_ai.usage.total_tokens": 970,
    },
    # the provider's own usage within the SDK's metadata says that the input is what was not cached
    "Anthropic in the Vercel AI SDK": {
        "ai.operationId": "ai.generateText.doGenerate",
        "ai.usage.promptTokens": 250,
        "ai.usage.completionTokens": 70,
        "ai.response.providerMetadata": json.dumps(
            {
                "anthropic": {
                    "usage": {"input_tokens": 250, "cache_read_input_tokens": 600, "cache_creation_input_tokens": 50}
                }
            }
        ),
    },
}


@pytest.mark.parametrize("emitter", NAMES)
def test_usage_under_every_name(tmp_path: Path, emitter: str) -> None:
    assert classes(tmp_path, NAMES[emitter]) == (250, 600, 50, 0, 70)  # type: ignore[arg-type]


def test_claude_codes_request_spans_have_plain_names_and_cached_tokens_beside(tmp_path: Path) -> None:
    attributes = {
        "gen_ai.request.model": "claude-opus-5",
        "input_tokens": 20,
        "output_tokens": 300,
        "cache_read_tokens": 5,
        "cache_creation_tokens": 4,
    }
    assert classes(tmp_path, attributes, "claude_code.llm_request") == (20, 5, 4, 0, 300)


def test_plain_names_mean_usage_in_no_other_span(tmp_path: Path) -> None:
    assert not stated(tmp_path, [span("1", name="job", attributes={"input_tokens": 5})], "SELECT 1 FROM usage_event")


def test_one_hour_writes_are_a_part_of_the_writes(tmp_path: Path) -> None:
    more = {"gen_ai.usage.cache_creation.input_tokens": 50, "gen_ai.usage.cache_creation.ephemeral_1h_input_tokens": 40}
    assert classes(tmp_path, usage(900, 70) | more) == (850, 0, 10, 40, 70)


def test_geminis_thinking_in_the_total_only_is_output(tmp_path: Path) -> None:
    # 3,000 - 700 - 200 = 2,100, and 200
    attributes = usage(700, 200, gen_ai__usage__total_tokens=3000) | {"gen_ai.request.model": "gemini-2.5-pro"}
    assert classes(tmp_path, attributes) == (700, 0, 0, 0, 2300)


def test_a_total_alone_is_a_reject(tmp_path: Path) -> None:
    rows = stated(tmp_path, [span("1", attributes={"llm.usage.total_tokens": 9})], "SELECT reason FROM reject")
    assert rows == [("a total of tokens that does not say what they were",)]


@pytest.mark.parametrize(
    "agent",
    [
        {"gen_ai.operation.name": "invoke_agent"},
        {"openinference.span.kind": "CHAIN"},
        {"traceloop.span.kind": "workflow"},
        {},  # by arithmetic alone
        {"gen_ai.operation.name": "chat"},  # a chat that is the sum of chats, too
    ],
)
def test_a_span_that_is_the_sum_of_those_beneath_counts_nothing(tmp_path: Path, agent: dict[str, Any]) -> None:
    items = [
        span("1", attributes={**agent, "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 90}),
        span("2", "1"),  # no usage of its own
        span("3", "2", attributes=usage(400, 60)),
        span("4", "2", at=2, attributes=usage(600, 30)),
    ]
    assert stated(tmp_path, items, "SELECT sum(input), sum(output), count(*) FROM usage_event") == [(1000, 90, 2)]


def test_agents_in_agents_count_their_leaves(tmp_path: Path) -> None:
    agent = {"gen_ai.operation.name": "invoke_agent"}
    items = [
        span("1", attributes=usage(1000, 90) | agent),
        span("2", "1", attributes=usage(400, 60)),
        span("3", "1", attributes=usage(600, 30) | agent),
        span("4", "3", attributes=usage(600, 30)),
    ]
    assert stated(tmp_path, items, "SELECT sum(input), count(*) FROM usage_event") == [(1000, 2)]


def test_a_call_of_two_libraries_is_one(tmp_path: Path) -> None:
    outer = {"gen_ai.system": "gcp.vertex.agent", "gen_ai.request.model": "gemini-2.5-flash"}
    items = [
        span("1", name="call_llm", attributes={**usage(700, 60), **outer, "gen_ai.operation.name": "call"}),
        span("2", "1", attributes=usage(700, 85) | {"gen_ai.provider.name": "gcp.gemini"}),  # thinking counted
    ]
    assert stated(tmp_path, items, "SELECT input, output, provider FROM usage_event") == [(700, 85, "gcp.gemini")]


def test_a_wrapper_alone_counts_itself(tmp_path: Path) -> None:
    items = [span("1", attributes=usage(700, 60) | {"gen_ai.operation.name": "invoke_agent"}), span("2", "1")]
    assert stated(tmp_path, items, "SELECT input, output FROM usage_event") == [(700, 60)]


def test_what_an_agent_has_beyond_its_calls_is_named(tmp_path: Path) -> None:
    agent = usage(1000, 90) | {"gen_ai.operation.name": "invoke_agent"}
    items = [span("1", attributes=agent), span("2", "1", attributes=usage(400, 60))]
    sql = "SELECT sum(input), (SELECT reason FROM reject) FROM usage_event"
    [(counted, reason)] = stated(tmp_path, items, sql)
    assert counted == 400
    assert reason.startswith("it has 600 input and 30 output tokens more than the calls beneath it")


def test_a_call_beneath_another_call_that_is_none_of_its_parts_counts_too(tmp_path: Path) -> None:
    items = [span("1", attributes=usage(700, 60)), span("2", "1", attributes=usage(90, 5))]  # a tool that samples
    assert stated(tmp_path, items, "SELECT sum(input), sum(output) FROM usage_event") == [(790, 65)]


def test_a_wrapper_in_a_later_export_takes_nothing_twice(tmp_path: Path) -> None:
    """A span is exported when it ends: an agent after its calls, when these may have been loaded already."""
    file = tmp_path / "exports.jsonl"

    def export(item: dict[str, Any]) -> str:
        return json.dumps({"resourceSpans": [{"scopeSpans": [{"scope": {"name": "x"}, "spans": [item]}]}]}) + "\n"

    agent = span("1", attributes=usage(400, 60) | {"gen_ai.operation.name": "invoke_agent"})
    with open_store(tmp_path / "costsim.duckdb") as store:
        file.write_text(export(span("2", "1", attributes=usage(400, 60))))
        load(store, [file])
        with file.open("a") as out:
            out.write(export(agent))
        load(store, [file])
        assert store.execute("SELECT sum(input), count(*) FROM usage_event").fetchall() == [(400, 1)]


def test_one_response_in_two_spans_is_one_call(tmp_path: Path) -> None:
    response = usage(400, 60, gen_ai__response__id="resp_1")
    items = [span("1", attributes=response), span("2", attributes=response)]
    assert stated(tmp_path, items, "SELECT sum(input), count(*) FROM usage_event") == [(400, 1)]


def test_a_gateways_constant_response_id_swallows_no_call(tmp_path: Path) -> None:
    constant = [usage(400 + place, 60, gen_ai__response__id="chatcmpl-0") for place in range(5)]
    same = usage(90, 5, gen_ai__response__id="gen-1")
    items = [span(str(place), attributes=attributes) for place, attributes in enumerate(constant, 1)]
    items += [span("a", at=100, attributes=same), span("b", at=1900, attributes=same)]  # half an hour apart
    # 400 + 401 + 402 + 403 + 404, and 2 * 90
    assert stated(tmp_path, items, "SELECT sum(input), count(*) FROM usage_event") == [(2190, 7)]


def test_the_outer_span_of_the_vercel_sdk_repeats_its_inner_one(tmp_path: Path) -> None:
    outer = {"ai.operationId": "ai.streamText", "ai.usage.inputTokens": 400, "ai.usage.outputTokens": 60}
    inner = {**outer, "ai.operationId": "ai.streamText.doStream", "gen_ai.usage.input_tokens": 400}
    items = [span("1", attributes=outer), span("2", trace="b" * 32, attributes=inner)]  # in traces of their own
    assert stated(tmp_path, items, "SELECT sum(input), sum(output), count(*) FROM usage_event") == [(400, 60, 1)]


@pytest.mark.parametrize(
    ("attributes", "processing"),
    [
        ({"gen_ai.openai.response.service_tier": "flex"}, "flex"),
        ({"openai.response.service_tier": "default", "openai.request.service_tier": "priority"}, "standard"),
        ({"gen_ai.openai.request.service_tier": "priority"}, "priority"),
        ({"ai.response.providerMetadata": json.dumps({"openai": {"serviceTier": "flex"}})}, "flex"),
        ({}, "standard"),
    ],
)
def test_the_tier_that_answered_is_the_processing(tmp_path: Path, attributes: dict[str, Any], processing: str) -> None:
    items = [span("1", attributes=usage(4, 6) | attributes)]
    assert stated(tmp_path, items, "SELECT processing FROM usage_event") == [(processing,)]


@pytest.mark.parametrize(
    ("given", "provider"),
    [
        ("gcp.vertex.agent", None),
        ("openai.responses", "openai"),
        ("google.generative-ai", "google"),
        ("aws.bedrock", "aws.bedrock"),
        ("azure.ai.openai", "azure.ai.openai"),
        ("openrouter", "openrouter"),
        ("ollama", "ollama"),
    ],
)
def test_the_provider_is_the_sources(tmp_path: Path, given: str, provider: str | None) -> None:
    items = [span("1", attributes=usage(4, 6) | {"gen_ai.provider.name": given})]
    assert stated(tmp_path, items, "SELECT provider FROM usage_event") == [(provider,)]


def record(attributes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"timeUnixNano": str(START), "attributes": pairs(attributes), **more}


def test_claude_codes_request_events_go_by_their_request_id(tmp_path: Path) -> None:
    request = {
        "event.name": "api_request",
        "session.id": "s",
        "request_id": "req_1",
        "model": "claude-opus-5",
        "input_tokens": "20",
        "output_tokens": "300",
        "cache_read_tokens": "500",
        "cache_creation_tokens": "40",
        "cost_usd": "0.01",
    }
    items = [record(request), record(request), record({"event.name": "assistant_response", "request_id": "req_1"})]
    sql = f"SELECT {CLASSES}, session, provider, recorded_usd::VARCHAR FROM usage_event"
    assert stated(tmp_path, items, sql, logs=True) == [(20, 500, 40, 0, 300, "s", "anthropic", "0.010000000000000000")]


def test_codexs_completed_event_counts_once_and_its_time_may_be_in_an_attribute(tmp_path: Path) -> None:
    shared = {"event.name": "codex.sse_event", "event.kind": "response.completed", "conversation.id": "c"}
    timed = shared | {"event.timestamp": "2026-10-05T10:00:00.500Z", "model": "gpt-5.6-sol"}
    counts = {"input_token_count": "700", "cached_token_count": 300, "output_token_count": "90"}
    items = [record(timed, timeUnixNano="0"), record(timed | counts, timeUnixNano="0", body=None)]
    sql = f"SELECT {CLASSES}, ts::VARCHAR FROM usage_event"
    assert stated(tmp_path, items, sql, logs=True) == [(400, 300, 0, 0, 90, "2026-10-05 10:00:00.5")]


def test_gemini_clis_thoughts_and_tools_stand_beside_and_its_second_record_repeats(tmp_path: Path) -> None:
    response = {
        "event.name": "gemini_cli.api_response",
        "session.id": "s",
        "model": "gemini-2.5-pro",
        "input_token_count": 500,
        "cached_content_token_count": 100,
        "output_token_count": 20,
        "thoughts_token_count": 60,
        "tool_token_count": 7,
        "total_token_count": 587,
    }
    repeated = usage(500, 20) | {"event.name": "gen_ai.client.inference.operation.details", "session.id": "s"}
    file = tmp_path / "telemetry.log"
    rows = [
        {"hrTime": [1_791_194_400, place], "attributes": attributes, "_body": "x"}
        for place, attributes in enumerate((response, repeated))
    ]
    file.write_text("\n".join(json.dumps(row, indent=2) for row in rows))  # one object after the other
    with open_store(tmp_path / "costsim.duckdb") as store:
        load(store, [file])
        # 500 - 100 + 7; 20 + 60
        assert store.execute(f"SELECT {CLASSES} FROM usage_event").fetchall() == [(407, 100, 0, 0, 80)]


@pytest.mark.parametrize(("temporality", "output"), [(1, 12), (2, 9)])
def test_claude_codes_metrics_are_added_up_or_run_on(tmp_path: Path, temporality: int, output: int) -> None:
    points = [
        {
            "attributes": pairs({"session.id": "s", "model": "claude-opus-5", "type": "output"}),
            "startTimeUnixNano": str(START),
            "timeUnixNano": str(START + at * SECOND),
            "asInt": value,
        }
        for at, value in ((60, 3), (120, 9))
    ]
    metric = {"name": "claude_code.token.usage", "sum": {"aggregationTemporality": temporality, "dataPoints": points}}
    metrics = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}
    (tmp_path / "m.json").write_text(json.dumps(metrics))
    with open_store(tmp_path / "costsim.duckdb") as store:
        load(store, [tmp_path / "m.json"])
        rows = store.execute("SELECT sum(output), sum(request), bool_and(aggregated) FROM usage_event").fetchall()
    assert rows == [(output, 0, True)]


SHARED = Path(__file__).parents[4] / "shared" / "data"
REAL = {
    "openinference": [("claude-fable-5", 9, 18, 305_482, 4_722, 0, 1_895)],
    "vercel-ai-sdk": [("gpt-4o-mini-2024-07-18", 4, 142, 0, 0, 0, 297), ("text-embedding-3-small", 1, 10, 0, 0, 0, 0)],
    "copilot/otel.jsonl": [("claude-sonnet-4", 1, 19_304, 123, 25, 0, 281), ("gpt-5.4-mini", 1, 60, 0, 0, 0, 10)],
    "otlp/claude-code-2.1.294.logs.jsonl": [("claude-haiku-5-5", 1, 2, 9_179, 13_356, 0, 4)],
    "otlp/codex-*.json": [("gpt-5.6-sol", 1, 600, 400, 0, 0, 50)],
    "otlp/gemini-cli-telemetry.log": [("gemini-2.5-pro", 2, 9_827, 0, 0, 0, 297)],
}


@pytest.mark.skipif(not SHARED.is_dir(), reason="the samples are not here")
@pytest.mark.parametrize("path", REAL)
def test_real_samples(tmp_path: Path, path: str) -> None:
    with open_store(tmp_path / "costsim.duckdb") as store:
        load(store, [SHARED / path])
        sql = f"SELECT model, count(*), {SUMS} FROM usage_event GROUP BY 1 ORDER BY 1"
        assert store.execute(sql).fetchall() == REAL[path]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the samples are not here")
def test_real_metrics(tmp_path: Path) -> None:
    sql = f"SELECT model, {SUMS}, sum(recorded_usd)::DOUBLE FROM usage_event GROUP BY 1 ORDER BY 1"
    with open_store(tmp_path / "costsim.duckdb") as store:
        load(store, [SHARED / "otlp" / "claude-code-2.1.138.metrics.json"])
        assert store.execute(sql).fetchall() == [
            ("claude-haiku-4-5-20251001", 0, 0, 0, 0, 0, 0.000477),
            ("claude-opus-4-6", 9, 168_193, 17_761, 0, 2_067, 0.24682275),
            ("claude-sonnet-4-6", 0, 0, 0, 0, 0, 0.0355332),
        ]


def test_the_order_of_exports_with_the_same_ids_changes_nothing(tmp_path: Path) -> None:
    """Ids of examples are copied from file to file: whichever span of a name comes first, the same calls count."""
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 48, "gen_ai.usage.output_tokens": 9}
    exports = [
        [span("1", attributes=agent), span("2", "1", attributes=usage(40, 5)), span("3", "1", attributes=usage(8, 4))],
        [span("1", attributes=usage(100, 50))],
        [span("1", name="x", attributes=usage(48, 9)), span("2", "1", attributes=usage(48, 9))],
    ]
    found = set()
    for number, order in enumerate(permutations(exports)):
        folder = tmp_path / str(number)
        folder.mkdir()
        for place, spans in enumerate(order):
            export = {"resourceSpans": [{"scopeSpans": [{"scope": {"name": "x"}, "spans": spans}]}]}
            (folder / f"{place}.json").write_text(json.dumps(export))
        with open_store(Path(":memory:")) as store:
            load(store, [folder])
            found.add(tuple(store.execute(f"SELECT event_id, {CLASSES} FROM usage_event ORDER BY ALL").fetchall()))
    assert len(found) == 1


def test_parts_of_openinferences_cost_are_parts_and_a_reranker_has_its_model(tmp_path: Path) -> None:
    told = {"openinference.span.kind": "LLM", "llm.model_name": "gpt-5", "llm.token_count.prompt": 100,
            "llm.token_count.completion": 10, "llm.cost.total": "0.5", "llm.cost.prompt_details.cache_read": 1,
            "llm.cost.completion_details.output": 2}  # fmt: skip
    reranker = {"openinference.span.kind": "RERANKER", "reranker.model_name": "rerank-v3.5"}
    spans = [span("a", attributes=told), span("b", attributes=reranker)]
    query = (
        """SELECT model, input, recorded_usd::VARCHAR, (SELECT count(*) FROM unread) FROM usage_event ORDER BY input"""
    )
    assert stated(tmp_path, spans, query) == [("rerank-v3.5", 0, None, 0), ("gpt-5", 100, "0.500000000000000000", 0)]
