"""Each source has a score: the share of what was used that is believed to be counted, with what lowers it."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from costsim.analysis.spend.spend import Query, Spend, spend
from costsim.pricing.book import open_book
from costsim.reports.spend import as_json, as_markdown
from costsim.usage.load import load
from emptied import open_store

pytestmark = pytest.mark.slow


def row(n: int, day: int = 5, spent: str = "0.0015", **more: object) -> dict[str, object]:
    """A request of LiteLLM: 1,000 tokens in, 100 out."""
    return {
        "request_id": f"r{n}", "call_type": "acompletion", "startTime": f"2026-10-{day:02}T10:00:00Z",
        "model": "claude-haiku-4-5", "custom_llm_provider": "anthropic", "prompt_tokens": 1000,
        "completion_tokens": 100, "total_tokens": 1100, "spend": spent, "metadata": {}, **more,
    }  # fmt: skip


def spent(folder: Path, *rows: object) -> Spend:
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    (logs / "log.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))
    with open_store(folder / "s.duckdb") as store:
        load(store, [logs])
        return spend(store, open_book("list"), Query(("model",)))


def test_a_source_of_which_all_was_read_is_complete(tmp_path: Path) -> None:
    (score,) = spent(tmp_path, row(1), row(2)).quality.scores
    assert (score.source, score.score, score.reasons) == ("litellm", 100, ())


@pytest.mark.slow
def test_a_rejected_line_takes_its_share(tmp_path: Path) -> None:
    found = spent(tmp_path, row(1), row(2), row(3), row(4, prompt_tokens=-1))
    # one of four entries: 75 %
    assert (found.quality.scores[0].score, found.quality.rejected) == (Decimal(75), 1)


def test_unread_tokens_take_their_share_of_all(tmp_path: Path) -> None:
    found = spent(tmp_path, row(1, metadata={"usage_object": {"audio_new_tokens": 1100}}))
    # 1,100 unread beside 1,000 + 100 counted: a half
    assert found.quality.scores[0].score == Decimal(50)
    assert "audio_new_tokens` is not counted: 1,100 in 1 place" in found.quality.messages[0]


def test_days_without_a_call_between_days_with_some_take_a_quarter_of_their_share(tmp_path: Path) -> None:
    found = spent(tmp_path, row(1, day=1), row(2, day=4))
    # 2 of 4 days without a call, a quarter of it: 100 - 12.5
    (score,) = found.quality.scores
    assert (score.score, score.reasons) == (
        Decimal("87.5"), ("no call on 2 of the 4 days from the first to the last",),
    )  # fmt: skip


def test_the_score_stands_beside_the_total_in_json_and_markdown(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "picture").write_bytes(b"\x89PNG\r\n")
    found = spent(tmp_path, row(1, day=1), row(2, day=4))
    data = json.loads(as_json(found))["data_quality"]
    assert data["completeness"] == [
        {"source": "litellm", "percent": "87.5", "reasons": list(found.quality.scores[0].reasons)}
    ]
    assert data["passed_over"] == {"an image": 1}
    assert "- Completeness: litellm 87.5 % complete: no call on 2 of the 4 days" in as_markdown(found, "both")


@pytest.mark.parametrize(
    ("factor", "said"),
    [("2", "2 times as much, probably the source counts them twice"), ("1.1", "1.1 times as much, probably a regional"),
     ("0.5", "0.5 times as much, probably the batch price")],
)  # fmt: skip
def test_a_constant_factor_of_recorded_costs_is_named(tmp_path: Path, factor: str, said: str) -> None:
    # claude-haiku-4-5 is $1 and $5 a million: 1,000 + 5 x 100 = $0.0015 a call
    cost = str(Decimal("0.0015") * Decimal(factor))
    notes = spent(tmp_path, row(1, day=1, spent=cost), row(2, day=2, spent=cost)).notes
    assert any(said in note for note in notes)


def test_equal_costs_and_differences_without_a_pattern_are_not_named(tmp_path: Path) -> None:
    equal = spent(tmp_path, row(1, spent="0.0015"), row(2, spent="0.0015"))
    assert not any("recorded" in note for note in equal.notes)


def test_hour_long_writes_that_a_source_does_not_state_are_named(tmp_path: Path) -> None:
    # 10,000 written: $1.25 a million for five minutes, $2 for an hour. 10,000 x 2 + 100 x 5 = $0.0205
    usage = {"cache_creation_input_tokens": 10_000}
    one = row(1, spent="0.0205", prompt_tokens=10_000, total_tokens=10_100, metadata={"additional_usage_values": usage})
    notes = spent(tmp_path, one).notes
    assert any("its cache writes were for one hour, which it does not state" in note for note in notes)
