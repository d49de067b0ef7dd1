"""Public samples of tracers, gateways and clouds: each gives the totals that were computed from the file itself."""

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
