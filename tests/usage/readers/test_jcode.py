"""jcode's sessions: each answer once, of a snapshot or its journal, in the classes that its provider means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from costsim.usage.load import load
from emptied import open_store

Record = dict[str, Any]
ID = "session_fox_1791194400000_00000000000000aa"
AT = "2026-10-05T10:00:{:02}.5Z"


def answer(
    id: str, input: int, output: int, read: int | None = None, written: int | None = None, at: int = 5
) -> Record:
    used = {"input_tokens": input, "output_tokens": output, "cache_read_input_tokens": read,
            "cache_creation_input_tokens": written}  # fmt: skip
    return {"id": id, "role": "assistant", "content": [], "timestamp": AT.format(at), "token_usage": used}


def snapshot(*messages: Record, looks: list[Record] | None = None, **more: Any) -> Record:
    return {"id": ID, "created_at": AT.format(0), "updated_at": AT.format(59), "is_canary": False, "provider_key": "openai",
            "model": "m", "working_dir": "/srv/app", "messages": list(messages),
            "env_snapshots": looks or [], **more}  # fmt: skip


def line(*messages: Record, **meta: Any) -> Record:
    own = {"updated_at": AT.format(59), "is_canary": False, "working_dir": "/srv/app", "model": "m", **meta}
    return {"meta": own, "append_messages": list(messages)}


def found(folder: Path, columns: str, session: Record | None = None, *journal: Record) -> list[tuple[Any, ...]]:
    sessions = folder / "sessions"
    sessions.mkdir(exist_ok=True)
    if session:
        (sessions / f"{ID}.json").write_text(json.dumps(session))
    if journal:
        (sessions / f"{ID}.journal.jsonl").write_text("".join(json.dumps(one) + "\n" for one in journal))
    with open_store(folder / "costsim.duckdb") as store:
        load(store, [sessions], strict=True)
        load(store, [sessions], strict=True)
        return store.execute(f"SELECT {columns} FROM usage_event ORDER BY ALL").fetchall()


@pytest.mark.parametrize(
    ("key", "input", "read", "written", "uncached"),
    [
        ("openai", 1_000, 900, None, 100),
        ("openrouter", 1_000, 900, None, 100),
        ("claude", 1_000, 900, 0, 1_000),  # Anthropic's name alone says that they stand beside it
        ("xyz", 1_000, 900, 50, 1_000),  # and so do writes
        ("xyz", 100, 900, None, 100),  # and reads beyond the input
        ("", 1_000, 900, None, 100),
    ],
)
def test_what_was_cached_is_within_the_input_but_of_anthropics(
    tmp_path: Path, key: str, input: int, read: int, written: int | None, uncached: int
) -> None:
    session = snapshot(answer("a", input, 9, read, written), provider_key=key)
    columns = "input, cache_read, cache_write_5m, output, session, project"
    assert found(tmp_path, columns, session) == [(uncached, read, written or 0, 9, ID, "app")]


def test_a_journal_goes_on_from_its_snapshot_and_repeats_what_that_has_by_now(tmp_path: Path) -> None:
    journal = [line(answer("b", 8, 1)), line(answer("c", 9, 1), model="n")]
    assert found(tmp_path, "input, model", snapshot(answer("a", 7, 1), answer("b", 8, 1)), *journal) == [
        (7, "m"), (8, "m"), (9, "n"),
    ]  # fmt: skip


def test_a_journal_of_one_line_is_no_snapshot(tmp_path: Path) -> None:
    assert found(tmp_path, "input, session", None, line(answer("a", 7, 1))) == [(7, ID)]


def test_a_message_has_the_model_that_was_last_seen_before_it(tmp_path: Path) -> None:
    """The second answer came half a second after the model was switched; what was before the first look has its model."""
    looks = [{"captured_at": "2026-10-05T10:00:10Z", "provider": "OpenAI", "model": "m"},
             {"captured_at": "2026-10-05T10:00:20Z", "provider": "Claude", "model": "n"}]  # fmt: skip
    answers = [answer("a", 7, 1, at=5), answer("b", 8, 1, at=19), answer("c", 9, 1, 4, at=20)]
    assert found(tmp_path, "input, model, provider", snapshot(*answers, looks=looks)) == [
        (7, "m", "openai"), (8, "m", "openai"), (9, "n", "anthropic"),
    ]  # fmt: skip


def test_a_provider_that_is_no_known_one_stays_as_it_is(tmp_path: Path) -> None:
    session = snapshot(answer("a", 7, 1), provider_key="openai-compatible:nvidia-nim")
    assert found(tmp_path, "provider", session) == [("openai-compatible:nvidia-nim",)]


def test_an_answer_without_usage_is_no_call(tmp_path: Path) -> None:
    imported = {"id": "i", "role": "assistant", "content": [], "timestamp": AT.format(1)}
    assert found(tmp_path, "input", snapshot(imported, answer("n", 0, 0), answer("a", 7, 1))) == [(7,)]


def test_a_session_split_off_repeats_its_parents_messages(tmp_path: Path) -> None:
    (tmp_path / "sessions").mkdir()
    split = snapshot(answer("a", 7, 1), answer("b", 8, 1), id="session_owl_1", parent_id=ID)
    (tmp_path / "sessions" / "session_owl_1.json").write_text(json.dumps(split))
    assert found(tmp_path, "input", snapshot(answer("a", 7, 1))) == [(7,), (8,)]
