"""Service tiers, speed and region of inference, wherever a source states them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.analysis.spend.ledger import bring_up_to_date
from costsim.analysis.spend.spend import Query, spend
from costsim.errors import UsageLogError
from costsim.pricing.book import open_book
from costsim.usage.load import load
from costsim.usage.processing import as_named, is_named_fast, processing
from costsim.usage.store import open_store

AT = "2026-10-05T10:00:00Z"
Record = dict[str, Any]


@pytest.mark.parametrize(
    ("tier", "speed", "geo", "expected"),
    [
        (None, None, None, "standard"),
        ("default", "standard", "not_available", "standard"),
        ("AUTO", None, "global", "standard"),
        ("SERVICE_TIER_FLEX", None, None, "flex"),
        ("priority_on_demand", None, None, "priority"),
        ("Turbo / new", None, None, "turbo new"),
        ("batch", None, "us", "batch/us"),
        ("standard", "fast", "US", "fast/us"),
    ],
)
def test_what_a_source_states_is_a_level_and_a_region(
    tier: str | None, speed: str | None, geo: str | None, expected: str
) -> None:
    sql = f"SELECT {processing('tier', 'speed', 'geo')} FROM (SELECT $1::VARCHAR tier, $2::VARCHAR speed, $3::VARCHAR geo)"
    with duckdb.connect() as connection:
        assert connection.execute(sql, [tier, speed, geo]).fetchone() == (expected,)


@pytest.mark.parametrize(
    ("provider", "model", "stated", "expected"),
    [
        (None, "claude-opus-4-6-fast", "standard", "fast"),
        (None, "anthropic/Claude-Opus-4.6-Fast", "standard", "fast"),
        ("anthropic", "claude-opus-4-6-fast", "standard/us", "fast/us"),
        (None, "vercel/anthropic/claude-opus-4.6-fast", "standard", "fast"),
        (None, "openai/gpt-5.5-fast", "standard", "fast"),
        (None, "gpt-5.5-fast", "batch", "batch"),
        (None, "openrouter/anthropic/claude-opus-4.6-fast", "standard", "standard"),
        ("OpenRouter", "anthropic/claude-opus-4.6-fast", "standard", "standard"),
        ("x-ai", "grok-4-fast", "standard", "standard"),
        (None, "my-claude-fast", "standard", "standard"),
        (None, None, "standard", "standard"),
    ],
)
def test_a_models_name_may_say_that_it_answers_fast(
    provider: str | None, model: str | None, stated: str, expected: str
) -> None:
    """OpenRouter's are models of their own, with a price of their own; so are other makers' that are called so."""
    row = "(SELECT $1::VARCHAR provider, $2::VARCHAR model, $3::VARCHAR processing)"
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT {as_named('provider')} FROM {row}", [provider, model, stated]).fetchone()
    assert found == (expected,)
    if model and provider is None and stated == "standard":
        assert is_named_fast(model) == (expected == "fast")


def claude_code(**how: str) -> Record:
    used = {"input_tokens": 1000, "output_tokens": 100, **how}
    message = {"id": "msg_0123456789abcdefghij", "model": "claude-opus-4-6", "stop_reason": "end_turn", "usage": used}
    return {"type": "assistant", "timestamp": AT, "sessionId": "s", "uuid": "u", "parentUuid": None, "message": message}


def litellm(**how: str) -> Record:
    return {
        "request_id": "r", "call_type": "acompletion", "startTime": AT, "model": "claude-opus-4-6", "spend": 0.0075,
        "custom_llm_provider": "anthropic", "prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100,
        "metadata": {"usage_object": how},
    }  # fmt: skip


def langfuse(**how: str) -> Record:
    return {
        "id": "o", "traceId": "t", "type": "GENERATION", "startTime": AT, "model": "claude-opus-4-6",
        "usageDetails": {"input": 1000, "output": 100}, "modelParameters": how,
    }  # fmt: skip


def span(**how: str) -> Record:
    used = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100}
    stated = {
        {"service_tier": "gen_ai.response.service_tier"}.get(name, f"gen_ai.usage.{name}"): value
        for name, value in how.items()
    }
    model = {"gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-opus-4-6"}
    return {"trace_id": "a1", "span_id": "b2", "name": "chat", "start_time": AT, "attributes": model | used | stated}


def langsmith(**how: str) -> Record:
    return {
        "id": "run", "run_type": "llm", "trace_id": "t", "name": "chat", "start_time": AT, "end_time": AT,
        "extra": {"metadata": {"ls_provider": "anthropic", "ls_model_name": "claude-opus-4-6"}},
        "outputs": {"usage_metadata": {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100}, "usage": how},
    }  # fmt: skip


def vertex(**how: str) -> Record:
    used = {"input_tokens": 1000, "output_tokens": 100, **how}
    return {
        "logging_time": AT, "request_id": "1", "endpoint": "", "model": "publishers/anthropic/models/claude-opus-4-6",
        "full_request": {}, "full_response": {"usage": used},
    }  # fmt: skip


def helicone(**how: str) -> Record:
    return {
        "request_id": "r", "request_created_at": AT, "response_status": 200, "model": "claude-opus-4-6",
        "provider": "ANTHROPIC", "prompt_tokens": 1000, "completion_tokens": 100, "response_body": {"usage": how},
    }  # fmt: skip


def portkey(**how: str) -> Record:
    return {
        "id": "1", "trace_id": "t", "created_at": AT, "ai_org": "anthropic", "ai_model": "claude-opus-4-6",
        "req_units": 1000, "res_units": 100, "response_status_code": 200, "response": {"usage": how},
    }  # fmt: skip


FORMATS = {"helicone": helicone, "portkey": portkey, "claude-code": claude_code, "litellm": litellm, "langfuse": langfuse, "otel": span, "langsmith": langsmith,
           "vertex": vertex}  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_store(tmp_path_factory.mktemp("store") / "s.duckdb") as connection:
        yield connection


def loaded(store: duckdb.DuckDBPyConnection, folder: Path, record: Record, strict: bool = False) -> list[str]:
    """The messages of signs; the store has only this record."""
    store.execute("DELETE FROM usage_event; DELETE FROM load; DELETE FROM sign; DELETE FROM unread")
    file = folder / "a.jsonl"
    file.write_text(json.dumps(record) + "\n")
    report = load(store, [file], strict=strict)
    assert report.total("rejected") == 0
    return [sign.message for sign in report.signs]


@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS)
def test_fast_answers_in_one_region_cost_what_they_cost_wherever_they_are_logged(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, format: str
) -> None:
    assert loaded(store, tmp_path, FORMATS[format](speed="fast", inference_geo="us"), strict=True) == []
    row = store.execute("SELECT source, processing, input, output FROM usage_event").fetchone()
    assert row == (format, "fast/us", 1000, 100)


@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS)
def test_a_tier_that_no_price_list_knows_is_named_and_refused_by_strict(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, format: str
) -> None:
    record = FORMATS[format](service_tier="turbo")
    message = "1 call was processed as `turbo`, which no price list knows: at standard prices"
    assert loaded(store, tmp_path, record) == [message]
    with pytest.raises(UsageLogError, match="turbo"):
        loaded(store, tmp_path, record, strict=True)


@pytest.mark.slow
def test_spend_names_a_tier_without_a_price(tmp_path: Path) -> None:
    book = open_book()
    with open_store(tmp_path / "s.duckdb") as store:
        loaded(store, tmp_path, litellm(service_tier="turbo"))
        bring_up_to_date(store, book)
        found = spend(store, book, Query(by=("model",)))
    assert found.total.computed_usd == Decimal("0.0075")  # 1,000 x 5 + 100 x 25 = 7,500 millionths, as for standard
    assert "anthropic/claude-opus-4-6 has no price for processing 'turbo': those calls are at its standard price" in (
        found.notes
    )
    assert any("turbo" in message for message in found.quality.messages)


def test_a_logged_models_name_may_say_that_it_answered_fast(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    assert loaded(store, tmp_path, litellm() | {"model": "anthropic/claude-opus-4-6-fast"}, strict=True) == []
    row = store.execute("SELECT model, processing FROM usage_event").fetchone()
    assert row == ("anthropic/claude-opus-4-6-fast", "fast")
