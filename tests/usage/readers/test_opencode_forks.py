"""OpenCode's fork of a session copies its messages under new ids: their calls count once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from costsim.errors import UsageLogError
from costsim.usage.load import load
from emptied import open_store


def message(id: str, session: str, at: int, completed: bool = True, **tokens: int) -> dict[str, Any]:
    counts = {"input": 0, "output": 0, "reasoning": 0, "cache": {"read": 0, "write": 0}} | tokens
    time = {"created": at} | ({"completed": at + 900} if completed else {})
    return {"id": id, "sessionID": session, "role": "assistant", "time": time, "modelID": "claude-sonnet-4-6",
            "providerID": "anthropic", "cost": 0.01, "tokens": counts}  # fmt: skip


def counted(folder: Path, *messages: dict[str, Any]) -> tuple[Any, ...]:
    for one in messages:
        file = folder / "storage" / "message" / one["sessionID"] / f"{one['id']}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(one))
    with open_store(Path(":memory:")) as store:
        load(store, [folder])
        row = store.execute("SELECT count(*), sum(input)::BIGINT, sum(output)::BIGINT FROM usage_event").fetchone()
    assert row
    return row


AT = 1_791_194_400_000


def test_a_copied_message_counts_once_and_the_forks_own_beside_it(tmp_path: Path) -> None:
    # 1,000 + 500 in, 100 + 50 out; the copy has the time and the figures of the first
    first = message("m1", "parent", AT, input=1_000, output=100)
    copy = first | {"id": "m7", "sessionID": "fork"}
    own = message("m8", "fork", AT + 60_000, input=500, output=50)
    assert counted(tmp_path, first, copy, own) == (2, 1_500, 150)


def test_messages_of_one_time_with_other_figures_are_two_calls(tmp_path: Path) -> None:
    assert counted(tmp_path, *(message(f"m{n}", f"s{n}", AT, input=n, output=1) for n in (1, 2))) == (2, 3, 2)


def test_a_message_that_is_not_completed_is_known_by_its_id(tmp_path: Path) -> None:
    first, second = (message(f"m{n}", "s", AT, completed=False, input=10, output=1) for n in (1, 2))
    assert counted(tmp_path, first, second) == (2, 20, 2)


@pytest.mark.slow
def test_a_message_that_is_completed_later_counts_once(tmp_path: Path) -> None:
    begun = message("m1", "s", AT, completed=False, input=1_000, output=10)
    file = tmp_path / "m1.json"
    with open_store(Path(":memory:")) as store:
        for now in (begun, message("m1", "s", AT, input=1_000, output=100)):
            file.write_text(json.dumps(now))
            load(store, [file])
        rows = store.execute("SELECT event_id, input, output FROM usage_event").fetchall()
    assert rows == [("opencode:m1", 1_000, 100)]


def test_a_text_in_utf_16_says_how_to_convert_it(tmp_path: Path) -> None:
    file = tmp_path / "m.json"
    file.write_text(json.dumps(message("m1", "s", AT)), encoding="utf-16")
    with open_store(Path(":memory:")) as store, pytest.raises(UsageLogError, match="UTF-16: save it as UTF-8"):
        load(store, [file])
