"""`--strict` refuses what may be counted twice; a CSV says beside itself how complete its sources are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Run

pytestmark = pytest.mark.slow

AT = "2026-10-05T10:00:00Z"
GATEWAY = {
    "request_id": "r-1", "call_type": "acompletion", "startTime": AT, "model": "gpt-4o", "spend": 0.0045,
    "custom_llm_provider": "openai", "prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200,
}  # fmt: skip
TRACER = {
    "id": "o-1", "traceId": "t-1", "type": "GENERATION", "startTime": AT, "model": "gpt-4o",
    "usageDetails": {"input": 1000, "output": 200},
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "gateway.jsonl").write_text(json.dumps(GATEWAY) + "\n")
    (tmp_path / "tracer.jsonl").write_text(json.dumps(TRACER) + "\n")
    return tmp_path


@pytest.mark.slow
def test_an_overlap_that_nothing_settles_is_an_error_with_strict(costsim: Run, folder: Path) -> None:
    assert costsim("load", "gateway.jsonl", "--strict").code == 0
    loaded = costsim("load", "tracer.jsonl", "--strict")
    assert loaded.code == 2
    assert "both are counted, and loaded. If they are the same: costsim load --role langfuse=bill" in loaded.err
    assert costsim("spend").code == 0
    refused = costsim("spend", "--strict")
    assert (refused.code, "$0.009" in refused.out, "nothing says whether they are the same" in refused.err) == (
        2, True, True,
    )  # fmt: skip
    # 1,000 x 2.5 + 200 x 10 = 4,500 millionths, once
    assert costsim("load", "--role", "langfuse=bill", "--strict").code == 0
    settled = costsim("spend", "--strict")
    assert (settled.code, "$0.0045" in settled.out) == (0, True)


@pytest.mark.slow
@pytest.mark.parametrize("form", [("--format", "csv"), ("--out", "spend.parquet")])
def test_a_table_for_programs_has_the_completeness_beside_it(costsim: Run, folder: Path, form: tuple[str, str]) -> None:
    (folder / "gateway.jsonl").write_text(json.dumps(GATEWAY | {"made_up_tokens": 7}) + "\n")
    costsim("load", "gateway.jsonl")
    shown = costsim("spend", *form)
    assert "Completeness: litellm 99.4 % complete: `made_up_tokens` is not counted (7)" in shown.err  # 1,200 of 1,207
    assert "NOT IN THE TOTAL: litellm: `made_up_tokens` is not counted" in shown.err
    assert "ompleteness" not in shown.out
    assert costsim("spend", "--strict", *form).code == 2


def test_json_has_the_completeness_in_it(costsim: Run, folder: Path) -> None:
    costsim("load", "gateway.jsonl")
    shown = costsim("spend", "--format", "json")
    assert json.loads(shown.out)["data_quality"]["completeness"] == [
        {"source": "litellm", "percent": "100", "reasons": []}
    ]
    assert shown.err == ""
