"""Codebuff's chats: each call once, whatever repeats its history, and credits without tokens named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from costsim.usage.load import load
from emptied import open_store

Record = dict[str, Any]
CHAT = "2025-12-20T12-00-00.000Z"
BEGAN = "2025-12-20 12:00:00"


def said(id: str, used: Record | None = None, **more: Any) -> Record:
    metadata = {"model": "m", "usage": used} if used else {}
    return {"id": id, "variant": "ai", "content": "", "timestamp": "12:03 PM", "metadata": metadata, **more}


def ran(id: str, *answers: Record, used: Record | None = None, **more: Any) -> Record:
    message = said(id, used, **more)
    state = {"mainAgentState": {"agentType": "base", "messageHistory": [{"role": "user"}, *answers]}}
    message["metadata"] = {**message["metadata"], "runState": {"sessionState": state}}
    return message


def answer(prompt: int, output: int, text: str = "", **more: Any) -> Record:
    used = {"prompt_tokens": prompt, "completion_tokens": output}
    return {"role": "assistant", "content": text, "providerOptions": {"codebuff": {"model": "n", "usage": used}},
            **more}  # fmt: skip


def found(folder: Path, columns: str, *messages: Record, strict: bool = True, **chats: list[Record]) -> list[Any]:
    """The calls of a chat of these messages, or of chats of these projects."""
    for project, listed in {**chats, **({"app": list(messages)} if messages else {})}.items():
        file = folder / "manicode" / "projects" / project / "chats" / CHAT / "chat-messages.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(listed))
    with open_store(folder / "costsim.duckdb") as store:
        load(store, [folder / "manicode"], strict=strict)
        load(store, [folder / "manicode"], strict=strict)
        return store.execute(f"SELECT {columns} FROM usage_event ORDER BY ALL").fetchall() + [
            reason for (reason,) in store.execute("SELECT reason FROM reject").fetchall()
        ]


@pytest.mark.parametrize(
    ("used", "input", "read", "written"),
    [
        ({"inputTokens": 100, "outputTokens": 9, "cacheReadInputTokens": 900, "cacheCreationInputTokens": 50},
         100, 900, 50),
        ({"input_tokens": 100, "output_tokens": 9, "cache_read_input_tokens": 900, "cached_tokens_created": 50},
         100, 900, 50),
        ({"promptTokens": 1_000, "completionTokens": 9, "promptTokensDetails": {"cachedTokens": 900}}, 100, 900, 0),
        ({"prompt_tokens": 1_000, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": 900},
          "total_tokens": 1_009}, 100, 900, 0),
        ({"inputTokens": 1_000, "outputTokens": 9, "cachedInputTokens": 900, "totalTokens": 1_009}, 100, 900, 0),
        ({"promptTokens": 10, "completionTokens": 9, "cacheReadInputTokens": 900}, 10, 900, 0),
    ],
)  # fmt: skip
def test_each_spelling_comes_apart_into_the_same_classes(
    tmp_path: Path, used: Record, input: int, read: int, written: int
) -> None:
    columns = "input, cache_read, cache_write_5m, output, model, project"
    assert found(tmp_path, columns, said("a", used)) == [(input, read, written, 9, "m", "app")]


def test_a_history_that_the_next_message_repeats_counts_once(tmp_path: Path) -> None:
    """Two answers, then the same with a third; two that are equal in all stay two. 5 + 5 + 7 = 17."""
    first = [answer(5, 1), answer(5, 1)]
    messages = [ran("a", *first, credits=3), ran("b", *first, answer(7, 1), credits=2)]
    assert found(tmp_path, "input, agent, tags->>'credits'", *messages) == [
        (5, "base", "3"), (5, "base", None), (7, "base", "2"),
    ]  # fmt: skip


def test_an_answer_that_outlives_a_compaction_counts_once(tmp_path: Path) -> None:
    old, kept = answer(5, 1, "old"), answer(6, 1, "kept")
    assert found(tmp_path, "input", ran("a", old, kept), ran("b", kept, answer(7, 1))) == [(5,), (6,), (7,)]


def test_a_messages_own_usage_is_that_of_its_history(tmp_path: Path) -> None:
    own = ran("a", answer(5, 1), answer(6, 1), used={"promptTokens": 11, "completionTokens": 2})
    assert found(tmp_path, "input, model", own, ran("b", answer(5, 1), answer(6, 1), answer(7, 1))) == [
        (7, "n"), (11, "m"),
    ]  # fmt: skip


def test_credits_without_tokens_are_rejected_and_no_call(tmp_path: Path) -> None:
    none = [said("a", credits=42), said("b", {"inputTokens": 0}, credits=1.5), said("c"), said("d", credits=0)]
    assert found(tmp_path, "input", *none, said("e", {"inputTokens": 7}, credits=2), strict=False) == [
        (7,),
        *["a message of Codebuff with credits (a cent each by its price list) and no tokens"] * 2,
    ]


@pytest.mark.parametrize(
    ("message", "moment"),
    [
        ({"timestamp": "2025-12-20T12:00:05.000Z"}, "2025-12-20 12:00:05"),
        ({"timestamp": 1_766_232_005_000}, "2025-12-20 12:00:05"),
        ({"timestamp": "10.03", "createdAt": "2025-12-20T12:00:05Z"}, "2025-12-20 12:00:05"),
        ({"timestamp": "12:03 PM", "id": "ai-1766232005000-5f0c1d2e00aa"}, "2025-12-20 12:00:05"),
        ({"timestamp": "12:03 PM"}, BEGAN),
    ],
)
def test_a_message_has_the_time_that_has_a_date(tmp_path: Path, message: Record, moment: str) -> None:
    assert found(tmp_path, "ts::VARCHAR", {**said("a", {"inputTokens": 7}), **message}) == [(moment,)]


def test_an_answer_has_the_time_when_it_was_added(tmp_path: Path) -> None:
    assert found(tmp_path, "ts::VARCHAR", ran("a", answer(7, 1, sentAt=1_766_232_005_000))) == [
        ("2025-12-20 12:00:05",)
    ]


def test_a_chat_that_two_projects_have_counts_once(tmp_path: Path) -> None:
    chat = [said("a", {"inputTokens": 7}), ran("b", answer(5, 1))]
    assert found(tmp_path, "input, session", one=chat, two=chat) == [(5, CHAT), (7, CHAT)]


def test_messages_of_two_chats_that_are_numbered_alike_are_two(tmp_path: Path) -> None:
    for chat in ("2025-12-20T12-00-00.000Z", "2025-12-21T12-00-00.000Z"):
        file = tmp_path / "manicode" / "projects" / "app" / "chats" / chat / "chat-messages.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps([said("1", {"inputTokens": 7})]))
    assert found(tmp_path, "input") == [(7,), (7,)]


def test_a_continued_chat_repeats_messages_under_their_own_ids(tmp_path: Path) -> None:
    shared = said("ai-1766232005000-5f0c1d2e00aa", {"inputTokens": 7})
    later = tmp_path / "manicode" / "projects" / "app" / "chats" / "2025-12-21T12-00-00.000Z" / "chat-messages.json"
    later.parent.mkdir(parents=True)
    later.write_text(json.dumps([shared, said("b", {"inputTokens": 8})]))
    assert found(tmp_path, "input", shared) == [(7,), (8,)]
