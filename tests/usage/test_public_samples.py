"""Public samples of agents, tracers, gateways and clouds: each gives the totals that were computed from the file itself."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from costsim.errors import UsageLogError
from costsim.usage.load import load
from emptied import open_store

SHARED = Path(__file__).parents[2] / ".." / "shared" / "data"
SHIPS = Path(__file__).parents[1] / "data" / "usage"
TOTALS = """
SELECT coalesce(sum(request), 0), coalesce(sum(input), 0), coalesce(sum(cache_read), 0),
    coalesce(sum(cache_write_5m + cache_write_1h), 0), coalesce(sum(output), 0), sum(recorded_usd)
FROM usage_event
"""

LEGS = "a15933af-18e4-46d7-8c94-7051f006bb34"
UNITS = "3cc3555e-5462-44f9-95de-c67b1cb220b9"

# path, reader, requests, input, cache reads, cache writes, output, recorded USD
SAMPLES: list[tuple[str, str, int, int, int, int, int, str | None]] = [
    ("otlp/claude-code-2.1.294.logs.jsonl", "otel", 1, 2, 9_179, 13_356, 4, "0.0027651900000000003"),
    ("otlp/claude-code-2.1.138.metrics.json", "otel", 0, 9, 168_193, 17_761, 2_067, "0.28283295"),
    ("otlp/codex-0.155.0.logs.json", "otel", 1, 600, 400, 0, 50, None),
    ("otlp/gemini-cli-telemetry.log", "otel", 2, 9_827, 0, 0, 297, None),
    ("copilot/events.jsonl", "copilot", 6, 35_071, 151_738, 0, 2_848, None),
    # eleven legs, each counted by its own shutdown
    (f"copilot/session-state/{LEGS}/events.jsonl", "copilot", 47, 712_961, 2_143_744, 0, 23_452, None),
    # 47,576,625,000 nano AI units / 1e11
    (f"copilot/session-state/{UNITS}/events.jsonl", "copilot", 16, 2_373, 536_945, 56_757, 6_315, "0.47576625"),
    ("copilot/session-store.db", "copilot-store", 1, 100, 600, 300, 20, "0.24594"),
    # claude-sonnet-4 19,304 / 123 / 25 / 281 and gpt-5.4-mini 60 / 10
    ("copilot/otel.jsonl", "otel", 2, 19_364, 123, 25, 291, None),
    # premium requests 5.568, AI credits 667.29313791 and 37.6531829; the file's own figures have tails of floats
    ("copilot/billing-credit-usage.csv", "copilot-bill", 0, 0, 0, 0, 0, "710.51432081"),
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
    # anthropic/claude-sonnet-4.5 106,365 / 154,438 / 2,170 $0.47771265 and x-ai/grok-code-fast-1 38,039 / 478,400 / 1,916
    ("cline/ui_messages.json", "cline", 31, 144_404, 632_838, 0, 4_086, "0.47771265"),
    ("cline/deepseek-2025-10/ui_messages.json", "cline", 61, 0, 3_066_304, 256_586, 23_260, "0.3095055"),
    ("cline/roo/ui_messages.json", "cline", 1, 90, 20, 10, 30, "0.0123"),
    ("cline/roo-2026-08/ui_messages.json", "cline", 13, 929_954, 0, 0, 15_527, "0.8509329"),
    ("droid/session-1.settings.json", "droid", 0, 1_234, 12, 89, 601, None),
    ("openinference/pxi_turn_trace.json", "otel", 9, 18, 305_482, 4_722, 1_895, None),
    # gpt-4o-mini-2024-07-18 142 / 297 and text-embedding-3-small 10
    ("vercel-ai-sdk/spans.json", "otel", 5, 152, 0, 0, 297, None),
    ("langfuse/beeai-2025-08-01.trace.json", "langfuse", 5, 5_542, 0, 0, 0, "0.0008313"),
    ("langfuse/google-gemini-2025-08-01.trace.json", "langfuse", 1, 6, 0, 0, 2_055, "0.005139299999"),
    ("langfuse/langgraph-js-2025-10-30.trace.json", "langfuse", 2, 321, 0, 0, 123, "0.00032625"),
    ("langfuse/llamaindex-2025-06-05.trace.json", "langfuse", 1, 13, 0, 0, 81, "0.000842499999"),
    ("langfuse/microsoft-agent-2025-12-17.trace.json", "langfuse", 2, 293, 0, 0, 106, "0.00028525"),
    # its total states 1,173 more (2,023 - 5 - 845), which have no class: they are named, in no cost
    ("langfuse/vertex-ai-2025-08-01.trace.json", "langfuse", 1, 5, 0, 0, 845, "0.00085"),
    ("litellm/spend-logs.jsonl", "litellm", 1, 10, 0, 0, 20, "0.000225"),
    ("litellm/daily-user-spend.csv", "litellm-daily", 1, 10, 0, 0, 20, "0.000225"),
    ("openrouter/activity.csv", "openrouter", 1, 10_389, 0, 0, 137, "0.0123"),
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


# Samples of our own, in tests/data, of formats that have no public one.
SHIPPED: list[tuple[str, str, int, int, int, int, int, str | None]] = [
    # one thread: 21,000 of input hold 7,000 read and 2,000 written
    ("codex-exec/run.jsonl", "codex-exec", 0, 12_000, 7_000, 2_000, 300, None),
    # gemini-2.5-flash-lite 2,900 / 30 + 130 and gemini-2.5-pro 20,000 - 8,000 / 8,000 / 400 + 600, 1 + 3 - 1 requests
    ("gemini-print/run.json", "gemini-print", 3, 14_900, 8_000, 0, 1_160, None),
    ("gemini-print/stream.jsonl", "gemini-print", 0, 7_000, 3_000, 0, 600, None),
    # qwen3-coder-plus 9,000 - 1,000 / 1,000 / 60 and qwen3-coder-flash 500 / 10
    ("qwen-print/run.json", "qwen-print", 2, 8_500, 1_000, 0, 70, None),
    ("qwen-print/stream.jsonl", "qwen-print", 0, 9_500, 8_900, 0, 150, None),
    # 1,200 / 10,000 / 700 / 150 + 50 $0.0115 and 300 / 11,900 / 0 / 80 $0.0045
    ("opencode-run/run.jsonl", "opencode-run", 2, 1_500, 21_900, 700, 280, "0.016"),
    ("goose/export.json", "goose", 0, 30_000, 0, 0, 500, None),
    # 90,000 of prompt hold 60,000 cached
    ("vibe/meta.json", "vibe", 0, 30_000, 60_000, 0, 2_500, "0.15375"),
    # 1,200 / 90,000 / 18,000 / 3,000, a subagent's 100 / 200, and 5,000 + 6,000 / 300 + 100
    ("zed/threads.db", "zed", 0, 12_300, 90_000, 18_000, 3_600, None),
    # three rows, and a session without any: 800 + 100 + 300 + 4,000 of input, 5 + 1 + 1 + 3 requests
    ("hermes/state.db", "hermes", 10, 5_200, 61_000, 9_000, 2_620, "0.11874"),
    # a summary of 30,000 / 800 and 9,000 / 200 with 12,000 + 7,000 cached; Gemini's 5,000 / 100 + 300
    ("forge/forge.db", "forge", 2, 25_000, 19_000, 0, 1_400, None),
    # 50,000 - 40,000 - 9,000 / 40,000 / 9,000 / 1,200 and a tool's 2,000 / 100: 75,000,000 ticks / 10^10
    ("mux/chat.jsonl", "mux", 1, 3_000, 40_000, 9_000, 1_300, "0.0075"),
    ("mux/headless-usage.jsonl", "mux", 1, 900, 0, 0, 20, None),
    # 0.1875 (0.0625 of it a subagent's) and 0.02
    ("crush/crush.db", "crush", 0, 0, 0, 0, 0, "0.2075"),
]


# These have no usage, or hold only what stands beside it: named, each is an error that says where usage is.
REFUSED = {
    "azure-openai/request-response.jsonl": "has no tokens",
    "cline/roo/api_conversation_history.json": "ui_messages.json",
    "droid/session-1.jsonl": "settings.json",
}
here = pytest.mark.skipif(not SHARED.is_dir(), reason="the public samples are not part of the repository")


@pytest.mark.slow
@pytest.mark.parametrize(("folder", "samples"), [(SHARED, SAMPLES), (SHIPS, SHIPPED)], ids=["public", "ours"])
def test_every_sample_gives_its_totals(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], folder: Path, samples: list[Any]
) -> None:
    wrong, lines = [], []
    with open_store(tmp_path / "costsim.duckdb") as store:
        for path, reader, *expected in samples:
            if not (folder / path).exists():
                continue
            store.execute("DELETE FROM usage_event; DELETE FROM load")
            report = load(store, [folder / path])
            row = store.execute(TOTALS).fetchone()
            assert row is not None
            found = (report.files[0].reader, report.total("rejected"), *row[:-1], shown(row[-1]))
            lines.append(f"{path:75} {found[0]:16} " + " ".join(f"{value!s:>13}" for value in found[2:]))
            if found != (reader, 0, *expected[:-1], shown(expected[-1])):
                wrong.append((path, found))
    with capsys.disabled():
        print("\n" + "\n".join([HEAD, *lines]))
    assert wrong == []


HEAD = f"{'sample':75} {'reader':16} {'requests':>13} {'input':>13} {'reads':>13} {'writes':>13} {'output':>13} {'USD':>13}"


def shown(usd: object) -> str:
    """A cost without the tails of floats that sources write."""
    return "" if usd is None else f"{round(Decimal(str(usd)), 11).normalize():f}"


@here
@pytest.mark.parametrize("path", REFUSED)
def test_a_sample_without_usage_is_refused_with_the_reason(tmp_path: Path, path: str) -> None:
    with open_store(tmp_path / "costsim.duckdb") as store, pytest.raises(UsageLogError, match=REFUSED[path]):
        load(store, [SHARED / path])
