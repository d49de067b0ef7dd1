"""PostHog: cached tokens beside the input for Anthropic, inside it for others, unless the event says which."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from costsim.usage.load import load
from emptied import open_store

pytestmark = pytest.mark.slow

READ = "$ai_cache_read_input_tokens"


def event(number: int, **properties: Any) -> dict[str, Any]:
    stated = {"$ai_trace_id": "t-1", "$ai_span_id": f"s-{number}", "$ai_input_tokens": 1000, "$ai_output_tokens": 10}
    stated |= {f"$ai_{name}" if name != READ else name: value for name, value in properties.items()}
    stamp = f"2026-09-04T10:00:{number:02}Z"
    return {"uuid": f"u-{number}", "event": "$ai_generation", "timestamp": stamp, "properties": stated}


@pytest.mark.parametrize(
    ("properties", "input", "output"),
    [
        ({"provider": "anthropic", "model": "claude-sonnet-4-5"}, 1000, 10),
        ({"provider": "vertex", "model": "claude-sonnet-4-5"}, 1000, 10),
        ({"provider": "openai", "model": "gpt-5"}, 600, 10),
        ({"provider": "anthropic", "model": "claude-sonnet-4-5", "cache_reporting_exclusive": False}, 600, 10),
        ({"provider": "gateway", "framework": "vercel", "model": "anthropic/claude-sonnet-4-5"}, 600, 10),
        ({"provider": "gemini", "model": "gemini-2.5-pro", "reasoning_tokens": 25}, 600, 35),
        ({"provider": "openai", "model": "gpt-5", "reasoning_tokens": 7}, 600, 10),
    ],
)
def test_what_the_input_includes(tmp_path: Path, properties: dict[str, Any], input: int, output: int) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text(json.dumps(event(1, **{READ: 400}, **properties)))
    with open_store(tmp_path / "costsim.duckdb") as store:
        assert load(store, [file]).files[0].reader == "posthog"
        found = store.execute("SELECT input, cache_read, output FROM usage_event").fetchall()
    assert found == [(input, 400, output)]


def test_traces_are_sums_failures_stay_and_no_price_is_not_free(tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    events = [
        {**event(1, provider="openai", model="gpt-5", total_cost_usd=0.25), "event": "$ai_trace"},
        event(2, provider="openai", model="gpt-5", total_cost_usd=0.25),
        event(3, provider="openai", model="my-own", total_cost_usd=0),
        event(4, provider="openai", model="gpt-5", is_error=True, input_tokens=0, output_tokens=0),
    ]
    rows = [
        ",".join(
            (
                each["uuid"],
                each["event"],
                each["timestamp"],
                "u",
                f'"{json.dumps(each["properties"])}"'.replace('"', '""')[1:-1],
            )
        )
        for each in events
    ]
    file.write_text("\n".join(["uuid,event,timestamp,distinct_id,properties", *rows, ""]))
    with open_store(tmp_path / "costsim.duckdb") as store:
        assert load(store, [file]).total("rejected") == 0
        found = store.execute("SELECT model, status, input, recorded_usd FROM usage_event ORDER BY ts").fetchall()
    assert found == [
        ("gpt-5", "ok", 1000, Decimal("0.25")),
        ("my-own", "ok", 1000, None),
        ("gpt-5", "error", 0, None),
    ]


@pytest.mark.slow
def test_a_service_tier_among_the_models_parameters_is_how_it_was_processed(
    tmp_path: Path,
) -> None:
    properties = {"$ai_trace_id": "t", "$ai_span_id": "s", "$ai_model": "gpt-5-mini", "$ai_provider": "openai",
                  "$ai_input_tokens": 1000, "$ai_output_tokens": 150,
                  "$ai_model_parameters": {"service_tier": "flex"}}  # fmt: skip
    event = {"uuid": "u", "event": "$ai_generation", "timestamp": "2026-09-01T10:00:00Z", "properties": properties}
    file = tmp_path / "events.jsonl"
    file.write_text(json.dumps(event))
    with open_store(tmp_path / "costsim.duckdb") as store:
        load(store, [file])
        assert store.execute("SELECT processing, input FROM usage_event").fetchall() == [("flex", 1000)]
