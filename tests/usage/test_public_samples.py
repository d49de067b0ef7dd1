"""Public samples of agents, tracers, gateways and clouds: each gives the totals that were computed from the file itself."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from costsim.usage.load import load
from costsim.usage.store import open_store

SHARED = Path(__file__).parents[2] / ".." / "shared" / "data"
TOTALS = """
SELECT coalesce(sum(request), 0), coalesce(sum(input), 0), coalesce(sum(cache_read), 0),
    coalesce(sum(cache_write_5m + cache_write_1h), 0), coalesce(sum(output), 0), sum(recorded_usd)
FROM usage_event
"""

# path, reader, requests, input, cache reads, cache writes, output, recorded USD
SAMPLES: list[tuple[str, str, int, int, int, int, int, str | None]] = [
    ("opencode/opencode.db", "opencode", 27, 5_387, 622_720, 0, 4_814, None),
    ("opencode/storage/message/test-project/msg_test001.json", "opencode", 1, 1_000, 200, 100, 500, None),
    ("goose/sessions.db", "goose", 0, 100, 0, 0, 50, None),
    # gemini-3-flash-preview 113,397 / 48,951 / 3,575 and gemini-3.1-pro-preview 40,238 / 718
    ("gemini-cli/chats/session-2026-04-23.jsonl", "gemini-cli", 6, 153_635, 48_951, 0, 4_293, None),
    ("qwen-code/chats/1d6a1f3e-0c2b-4f55-9a0e-7b8c9d0e1f23.jsonl", "qwen-code", 2, 1_154, 23_040, 0, 69, None),
    ("kimi-cli/wire.jsonl", "kimi-cli", 1, 1_562, 0, 0, 2_463, None),
    ("kimi-code/session_single-turn/agents/main/wire.jsonl", "kimi-code", 1, 100, 25, 10, 40, None),
    ("amp/T-current.json", "amp", 2, 15, 23_372, 986, 220, None),
    ("amp/T-partial-ledger.json", "amp", 2, 150, 0, 0, 30, None),
    # claude-4.5-opus-high-thinking $3.43 and auto $0.07
    ("cursor/usage-events-v2.csv", "cursor", 5, 94_942, 3_543_752, 103_422, 27_067, "3.50"),
    ("cursor/usage-events-v3.csv", "cursor", 3, 450, 900, 150, 115, None),
    ("cursor/usage-events-v1.csv", "cursor", 1, 300, 20, 0, 120, "0.20"),
    ("langsmith/langsmith_js_wrap_openai_reasoning.json", "langsmith", 1, 43, 0, 0, 1901, None),
    ("langsmith/langsmith_py_wrap_openai_reasoning.json", "langsmith", 1, 43, 0, 0, 2497, None),
    ("langsmith/langsmith_py_wrap_openai_.json", "langsmith", 1, 9, 0, 0, 9, None),
    ("langsmith/runs-query.json", "langsmith", 1, 407, 12, 0, 87, "0.000115"),
    ("posthog/claude-code-session.events.json", "posthog", 4, 8, 2_114_857, 1_499, 1_618, None),
    ("posthog/openrouter-broadcast.events.json", "posthog", 2, 1_233, 0, 0, 448, "0.00078091"),
    ("mlflow/trace.json", "mlflow", 1, 27, 0, 0, 641, None),
    ("weave/calls.jsonl", "weave", 2, 2_000_000, 0, 0, 4_000_000, "300"),
    ("braintrust/anthropic-v0800.log-payloads.json", "braintrust", 8, 2_297, 0, 0, 175, None),
    ("datadog-llmobs/spans.json", "datadog", 2, 29, 2_055, 2_055, 200, None),
    ("bedrock/invocations.jsonl", "bedrock", 8, 3_957, 0, 0, 934, None),
    ("vertex-ai/request-response.jsonl", "vertex", 1, 3, 0, 0, 930, None),
    ("azure-openai/apim-gateway.jsonl", "azure-apim", 2, 14, 0, 0, 8, None),
    ("azure-openai/cost-by-meter.csv", "azure-cost", 0, 0, 0, 0, 0, "3.15869"),
    ("aws-cur/cur-bedrock.csv", "aws-cur", 0, 1_500_000, 0, 0, 200_000, "37.5"),
    ("focus/ai_prompt_caching_b.csv", "focus", 0, 2_500_000, 8_000_000, 0, 1_500_000, "38.4"),
    ("focus/per_token_foundation_model_api.csv", "focus", 0, 8_400_000, 0, 0, 2_100_000, "94.5"),
    ("focus/focus-1.0-sample-ai-rows.csv", "focus", 0, 0, 0, 0, 0, "-0.15189756178"),
    ("portkey/logs.jsonl", "portkey", 1, 100, 0, 0, 40, None),
    ("vllm/metrics-qwen3.8-27b.txt", "vllm", 803, 5_371_914, 92_941_632, 0, 496_231, None),
]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the public samples are not part of the repository")
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample[0])
def test_a_sample_gives_its_totals(
    tmp_path: Path, sample: tuple[str, str, int, int, int, int, int, str | None]
) -> None:
    path, reader, *counts, usd = sample
    if not (SHARED / path).exists():
        pytest.skip("this sample is not here")
    with open_store(tmp_path / "costsim.duckdb") as store:
        report = load(store, [SHARED / path])
        assert (report.files[0].reader, report.total("rejected")) == (reader, 0)
        found = store.execute(TOTALS).fetchone()
    assert found == (*counts, None if usd is None else Decimal(usd))
