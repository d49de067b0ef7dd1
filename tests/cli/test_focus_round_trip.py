"""What `costsim export` writes, `costsim load` reads back: the same money, tokens, models and owners."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Run

pytestmark = pytest.mark.slow

CALL = """{{"type": "assistant", "timestamp": "2026-10-0{day}T10:00:00Z", "sessionId": "s{day}", "requestId": "r{day}",
 "message": {{"id": "m{day}", "model": "{model}", "usage": {{"input_tokens": 1200, "output_tokens": 400,
 "cache_read_input_tokens": 30000, "cache_creation": {{"ephemeral_5m_input_tokens": 100,
 "ephemeral_1h_input_tokens": 2000}}, "server_tool_use": {{"web_search_requests": 3}}}}}}}}""".replace("\n", "")
CALLS = ((5, "claude-haiku-4-5"), (6, "claude-opus-4-6"))
BY = "day,component,agent,model"


def rows(costsim: Run, store: str) -> list[dict[str, Any]]:
    """Spend by day, owner and model; a bill has no calls and records what it costs."""
    found = json.loads(costsim("spend", "--db", store, "--by", BY, "--format", "json").out)["rows"]
    left_out = ("calls", "recorded_usd", "recorded_calls", "difference")
    return [{name: value for name, value in row.items() if name not in left_out} for row in found]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_an_export_gives_back_what_it_was_made_of(costsim: Run, tmp_path: Path, version: str, ending: str) -> None:
    (tmp_path / "session.jsonl").write_text("".join(CALL.format(day=day, model=model) + "\n" for day, model in CALLS))
    (tmp_path / "rules.yaml").write_text(
        "attribution: [{match: {agent: main}, component: reviewer, task: code_review}]\n"
    )
    assert costsim("load", "session.jsonl", "--attribution", "rules.yaml", "--db", "logs.duckdb").code == 0
    focus = f"focus.{ending}"
    assert costsim("export", "--db", "logs.duckdb", "--output", focus, "--focus-version", version).code == 0
    assert costsim("load", focus, "--db", "bill.duckdb").code == 0
    assert rows(costsim, "bill.duckdb") == rows(costsim, "logs.duckdb")
    total = json.loads(costsim("spend", "--db", "bill.duckdb", "--format", "json").out)["total"]
    # Haiku: 1200 x 1 + 30000 x .1 + 100 x 1.25 + 2000 x 2 + 400 x 5 = $0.010325; Opus five times that: $0.051625;
    # six searches at $10 per thousand: $0.06
    assert total["computed_usd"] == total["recorded_usd"] == "0.12195"
    assert total["web_searches"] == 6


def test_what_a_bill_states_is_its_own_amount(costsim: Run, tmp_path: Path) -> None:
    """A call of 250,000 tokens is billed at the tier above 200,000 ($6 a million in place of $3): 0.25 x 6 = $1.50.

    The export is a sum of calls: alone it would be priced at the lowest tier, $0.75, and that is nothing that it states.
    """
    (tmp_path / "calls.csv").write_text("ts,model,input\n2026-09-01T10:00:00Z,anthropic/claude-sonnet-4-5,250000\n")
    assert costsim("load", "calls.csv", "--map", "ts=ts,model=model,input=input").code == 0
    assert costsim("export", "--out", "focus.csv").code == 0
    out = costsim("load", "focus.csv").out
    assert "focus ($1.50, 1 Sep 2026) is the bill of what mapped has: it is not added; costsim reconcile" in out
