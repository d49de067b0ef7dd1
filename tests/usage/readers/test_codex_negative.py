"""A running total of a Codex rollout below 0 is rejected, and the next call is what the totals around it differ by."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from costsim.usage.load import load
from costsim.usage.store import open_store


@pytest.mark.parametrize("name", ["input_tokens", "cached_input_tokens", "output_tokens"])
def test_a_negative_running_total_adds_nothing(tmp_path: Path, name: str) -> None:
    totals = [{"input_tokens": n, "cached_input_tokens": n // 2, "output_tokens": n // 10} for n in (1000, 2000, 3000)]
    totals[1][name] = -5
    lines = [
        {"timestamp": f"2026-10-05T10:0{minute}:00Z", "type": "event_msg",
         "payload": {"type": "token_count", "info": {"total_token_usage": total}}}
        for minute, total in enumerate(totals)
    ]  # fmt: skip
    (tmp_path / "rollout.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with open_store(tmp_path / "s.duckdb") as store:
        load(store, [tmp_path / "rollout.jsonl"])
        sums = "SELECT sum(input), sum(cache_read), sum(output) FROM usage_event"
        assert store.execute(sums).fetchall() == [(1500, 1500, 300)]  # 3,000, half of it cached
        assert store.execute("SELECT reason, line FROM reject").fetchall() == [("a negative running total", 2)]
