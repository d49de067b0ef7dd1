"""What looks like usage and is not counted is named: by a load, in the table `unread`, and as an error if strict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from costsim.errors import UsageLogError
from costsim.reports.loaded import lines as lines_of
from costsim.usage.load import load
from costsim.usage.report import LoadReport
from emptied import open_store


def entry(n: int, **usage: object) -> str:
    """A call of Claude Code with a usage of its own."""
    counts = {"input_tokens": 100, "output_tokens": 10, **usage}
    message = {"id": f"m{n}", "model": "claude-haiku-4-5", "usage": counts}
    return json.dumps({
        "type": "assistant", "timestamp": "2026-10-05T10:00:00Z", "sessionId": "s", "requestId": f"r{n}",
        "uuid": f"u{n}", "parentUuid": None, "message": message,
    })  # fmt: skip


def loaded(folder: Path, *lines: str, **options: object) -> LoadReport:
    (folder / "session.jsonl").write_text("".join(f"{line}\n" for line in lines))
    with open_store(folder / "store.duckdb") as store:
        return load(store, [folder / "session.jsonl"], **options)  # type: ignore[arg-type]


def test_a_field_that_no_reader_knows_is_named_with_its_sum_and_place(tmp_path: Path) -> None:
    report = loaded(tmp_path, entry(1), entry(2, brand_new_tokens=77), entry(3, brand_new_tokens=3))
    (unread,) = report.unread
    # 77 + 3 = 80, first seen in line 2
    assert (unread.field, unread.occurrences, int(unread.total)) == ("message.usage.brand_new_tokens", 2, 80)
    assert unread.line == 2
    assert any("`message.usage.brand_new_tokens` is not counted: 80 in 2 places" in line for line in lines_of(report))


def test_a_nested_unknown_count_is_named(tmp_path: Path) -> None:
    report = loaded(tmp_path, entry(1, audio={"seconds_of_speech": 12, "tokens": 9}))
    assert "message.usage.audio.tokens" in {unread.field for unread in report.unread}


def test_what_is_known_and_left_out_is_not_named(tmp_path: Path) -> None:
    report = loaded(tmp_path, entry(1, server_tool_use={"web_search_requests": 1, "web_fetch_requests": 2}))
    assert report.unread == []


@pytest.mark.slow
def test_strict_refuses_what_is_not_counted_and_keeps_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageLogError, match=r"session\.jsonl:1.*brand_new_tokens.*--acknowledge"):
        loaded(tmp_path, entry(1, brand_new_tokens=77), strict=True)
    with open_store(tmp_path / "store.duckdb") as store:
        assert store.execute("SELECT count(*) FROM usage_event").fetchone() == (0,)


def test_an_acknowledged_field_is_reported_no_more(tmp_path: Path) -> None:
    known = ["message.usage.brand_new_tokens"]
    report = loaded(tmp_path, entry(1, brand_new_tokens=77), strict=True, acknowledged=known)
    assert report.unread == []


@pytest.mark.slow
def test_a_file_read_again_replaces_what_was_unread(tmp_path: Path) -> None:
    loaded(tmp_path, entry(1, brand_new_tokens=77))
    loaded(tmp_path, entry(1), entry(2))
    with open_store(tmp_path / "store.duckdb") as store:
        assert store.execute("SELECT count(*) FROM unread").fetchone() == (0,)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["architecture.yaml", "rules.yaml"])
def test_a_file_may_acknowledge_fields(tmp_path: Path, costsim: Any, name: str) -> None:
    (tmp_path / "session.jsonl").write_text(entry(1, brand_new_tokens=77) + "\n")
    (tmp_path / name).write_text("acknowledged: [message.usage.brand_new_tokens]\n")
    rules = ["--attribution", name] if name == "rules.yaml" else []
    result = costsim("load", "session.jsonl", "--strict", *rules)
    assert (result.code, "NOT COUNTED" in result.out) == (0, False)


@pytest.mark.slow
def test_video_is_named_as_priced_as_text(tmp_path: Path) -> None:
    attributes = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.details.video_prompt_tokens": 60}
    span = {
        "traceId": "t", "spanId": "s", "name": "chat", "startTimeUnixNano": "1790000000000000000",
        "attributes": {"gen_ai.request.model": "gemini-2.5-flash", "gen_ai.operation.name": "chat", **attributes},
    }  # fmt: skip
    (unread,) = loaded(tmp_path, json.dumps(span)).unread
    assert (unread.what, int(unread.total)) == ("is priced as text", 60)


@pytest.mark.slow
def test_one_unknown_field_among_many_lines_is_named_wherever_it_stands(tmp_path: Path) -> None:
    """Beside usage, in a line without any, and in an object of usage that differs from all before it by one key."""
    plain = [entry(n) for n in range(3000)]
    other = json.dumps({"type": "system", "sessionId": "s", "content": "token cost " * 20})
    unusual = json.dumps({"type": "system", "sessionId": "s", "extraTokens": 5})
    lines = [*plain[:2000], *[other] * 500, unusual, entry(5000, rare_count=7), *plain[2000:]]
    report = loaded(tmp_path, *lines)
    assert {unread.field: (int(unread.total), unread.line) for unread in report.unread} == {
        "extraTokens": (5, 2501),
        "message.usage.rare_count": (7, 2502),
    }


@pytest.mark.parametrize(
    ("usage", "named"),
    [
        ({"Input_Tokens": 7}, {"Input_Tokens": 7}),  # JSON's keys are what they are: none of costsim's columns
        ({"new_tokens": [3, 4]}, {"new_tokens": 7}),
        ({"new_cost": "$1,250.50"}, {"new_cost": 1250.5}),
        ({"cache_creation": [{"ephemeral_1h_input_tokens": 9}]}, {"cache_creation.ephemeral_1h_input_tokens": 9}),
        ({"cache_creation": '{"ephemeral_1h_input_tokens": 9}'}, {"cache_creation.ephemeral_1h_input_tokens": 9}),
    ],
)
def test_what_stands_where_nothing_is_taken_from_is_named(
    tmp_path: Path, usage: dict[str, object], named: dict[str, float]
) -> None:
    """In other case, in a list, as an amount of money, in a list or a text where an object is expected."""
    found = {unread.field: float(unread.total) for unread in loaded(tmp_path, entry(1, **usage)).unread}
    assert found == {f"message.usage.{name}": total for name, total in named.items()}
