"""A total that a source states is compared with its parts: resolved where it proves something, else named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from costsim.errors import UsageLogError
from costsim.reports.loaded import lines as lines_of
from costsim.usage.load import load
from costsim.usage.report import LoadReport
from costsim.usage.signs import signs
from emptied import open_store


def loaded(folder: Path, *entries: object, strict: bool = False) -> LoadReport:
    (folder / "log.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    with open_store(folder / "s.duckdb") as store:
        return load(store, [folder / "log.jsonl"], strict=strict)


def tokens(folder: Path) -> tuple[int, int, int]:
    with open_store(folder / "s.duckdb") as store:
        row = store.execute("SELECT sum(input), sum(cache_read), sum(output) FROM usage_event").fetchone()
    assert row
    return row[0], row[1], row[2]


def codex(total: int, provider: str = "openai") -> list[object]:
    counts = {
        "input_tokens": 100, "cached_input_tokens": 40, "output_tokens": 30, "reasoning_output_tokens": 10,
        "total_tokens": total,
    }  # fmt: skip
    info = {"total_token_usage": counts, "last_token_usage": counts}
    head = {
        "timestamp": "2026-10-05T10:00:00Z",
        "type": "session_meta",
        "payload": {"id": "s", "model_provider": provider},
    }
    turn = {"timestamp": "2026-10-05T10:00:00Z", "type": "turn_context", "payload": {"model": "gpt-5"}}
    count = {"timestamp": "2026-10-05T10:00:01Z", "type": "event_msg", "payload": {"type": "token_count", "info": info}}
    return [head, turn, count]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("total", "provider", "expected"),
    [
        (130, "openai", (60, 40, 30)),  # 100 + 30: cached within the input, reasoning within the output
        (140, "deepseek", (60, 40, 40)),  # 100 + 30 + 10: reasoning beside the output
        (140, "openai", (60, 40, 30)),  # but never of OpenAI, whose output includes it
        (170, "openai", (100, 40, 30)),  # 100 + 40 + 30: cached beside the input
    ],
)
def test_a_total_proves_what_stands_beside_what(
    tmp_path: Path, total: int, provider: str, expected: tuple[int, int, int]
) -> None:
    loaded(tmp_path, *codex(total, provider))
    assert tokens(tmp_path) == expected


def chat(**counts: int) -> list[object]:
    head = {"sessionId": "s", "projectHash": "p", "startTime": "2026-10-05T10:00:00Z"}
    message = {"id": "m", "type": "gemini", "timestamp": "2026-10-05T10:00:00Z", "model": "gemini-2.5-pro"}
    return [head, {**message, "tokens": {"input": 100, "output": 30, "cached": 0, "thoughts": 5, "tool": 7} | counts}]


@pytest.mark.parametrize(("total", "inputs"), [(142, 107), (135, 100)])
def test_a_total_says_whether_the_results_of_tools_stand_in_the_input(tmp_path: Path, total: int, inputs: int) -> None:
    # 100 + 7 + 30 + 5 = 142 beside; 100 + 30 + 5 = 135 within
    report = loaded(tmp_path, *chat(total=total))
    assert (tokens(tmp_path), report.signs) == ((inputs, 0, 35), [])


@pytest.mark.slow
def test_tokens_of_a_total_that_have_no_class_are_named_and_in_no_cost(tmp_path: Path) -> None:
    report = loaded(tmp_path, *chat(total=200))
    # 200 - (100 + 7 + 30 + 5) = 58
    (sign,) = report.signs
    assert (sign.source, sign.kind, sign.calls, int(sign.amount)) == ("gemini-cli", "total above its parts", 1, 58)
    assert any("1 of 1 call states a total of 58 more tokens than their parts" in line for line in lines_of(report))
    assert tokens(tmp_path) == (107, 0, 35)


def test_a_total_below_its_parts_is_named(tmp_path: Path) -> None:
    report = loaded(tmp_path, *chat(total=120))
    # 120 - 142 = -22
    assert [(sign.kind, int(sign.amount)) for sign in report.signs] == [("total below its parts", -22)]


@pytest.mark.slow
def test_strict_refuses_a_contradiction(tmp_path: Path) -> None:
    with pytest.raises(UsageLogError, match="58 more tokens than their parts"):
        loaded(tmp_path, *chat(total=200), strict=True)


def answer(n: int, output: int, context: int, stop: str | None, minute: int = 0) -> object:
    usage = {"input_tokens": 1, "cache_read_input_tokens": context - 1, "output_tokens": output}
    message = {"id": f"msg_{n:020}", "model": "claude-haiku-4-5", "stop_reason": stop, "usage": usage}
    at = f"2026-10-05T10:{minute:02}:{n:02}Z"
    return {"type": "assistant", "timestamp": at, "sessionId": "s", "requestId": f"r{n}", "uuid": f"u{n}",
            "message": message}  # fmt: skip


@pytest.mark.slow
def test_outputs_too_small_for_what_follows_and_missing_stop_reasons_are_counted(tmp_path: Path) -> None:
    # 3 tokens of output, then within a second 1,000 more of context: the first of the two is a first count
    found = {
        sign.kind: (sign.calls, sign.compared)
        for sign in loaded(tmp_path, answer(1, 3, 5000, None), answer(2, 400, 6000, "end_turn")).signs
    }
    assert found == {"no stop reason": (1, 2), "output too small": (1, 1)}


@pytest.mark.slow
def test_a_person_who_takes_a_minute_may_add_what_follows(tmp_path: Path) -> None:
    report = loaded(tmp_path, answer(1, 3, 5000, "end_turn"), answer(2, 400, 6000, "end_turn", minute=5))
    assert report.signs == []


@pytest.mark.slow
def test_a_file_loaded_again_counts_its_signs_once(tmp_path: Path) -> None:
    loaded(tmp_path, *chat(total=200))
    loaded(tmp_path, *chat(total=201))
    with open_store(tmp_path / "s.duckdb") as store:
        assert [(sign.calls, int(sign.amount)) for sign in signs(store)] == [(1, 59)]
