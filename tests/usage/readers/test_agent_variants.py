"""Variants of coding agents' logs: forks and copies, calls that stand beside the conversation, older and newer fields."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from costsim.analysis.spend.ledger import bring_up_to_date
from costsim.analysis.spend.spend import Query, Spend, spend
from costsim.pricing.book import open_book
from costsim.tokens import TOKEN_CLASSES
from costsim.usage.load import load
from emptied import open_store

pytestmark = pytest.mark.slow

AT = "2026-10-05T10:00:00Z"
SESSION = "0f8e1c9e-1111-4222-8333-444455556666"
Record = dict[str, Any]
Classes = tuple[int, ...]
"""Counts of CLASSES."""
CLASSES = [TOKEN_CLASSES.index(name) for name in ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output")]


def spent(folder: Path, files: dict[str, Any]) -> Spend:
    """What a folder with these files costs, by model: lists are lines, all else a document."""
    for name, content in files.items():
        file = folder / "logs" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = content if isinstance(content, list) else [content]
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    book = open_book()
    with open_store(folder / "costsim.duckdb") as store:
        load(store, [folder / "logs"])
        bring_up_to_date(store, book)
        return spend(store, book, Query(by=("model",)))


def by_model(found: Spend) -> dict[str, Classes]:
    return {row.keys[0].rpartition("/")[2]: tuple(row.counts[place] for place in CLASSES) for row in found.rows}


def answer(id: str, model: str, used: Record) -> Record:
    """An entry of a Claude Code session."""
    message = {"id": f"msg_01abcdefghijklmnopqr{id}", "role": "assistant", "model": model, "usage": used}
    return {"type": "assistant", "timestamp": AT, "sessionId": SESSION, "uuid": id, "message": message}


def printed(id: str, model: str, used: Record) -> Record:
    """A message as `claude -p --output-format stream-json` prints it."""
    message = answer(id, model, used)["message"]
    return {"type": "assistant", "session_id": SESSION, "parent_tool_use_id": None, "uuid": id, "message": message}


def result(usd: float, **usage: Any) -> Record:
    """What a run of 1,000 tokens in and 100 out ends with."""
    of_model = {"inputTokens": 1_000, "outputTokens": 100, "costUSD": usd}
    return {"type": "result", "subtype": "success", "session_id": SESSION, "uuid": "r", "total_cost_usd": usd,
            "usage": {"input_tokens": 1_000, "output_tokens": 100, **usage},
            "modelUsage": {"claude-opus-5": of_model}}  # fmt: skip


def api_request(**attributes: Any) -> Record:
    """A record of Claude Code's telemetry, with 1,000 tokens in and 100 out."""
    stated = {"event.name": "api_request", "session.id": SESSION, "model": "claude-opus-5", "input_tokens": 1_000,
              "output_tokens": 100, "cost_usd": "0.0075", "request_id": "req_011CVabcdefghijk", **attributes}  # fmt: skip
    listed = [{"key": key, "value": {"stringValue": str(value)}} for key, value in stated.items()]
    record = {"timeUnixNano": "1791194400000000000", "body": {"stringValue": "claude_code.api_request"},
              "attributes": listed}  # fmt: skip
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}


LONG = "claude-opus-5[1m]"


@pytest.mark.parametrize(
    "log", [answer("a", LONG, {"input_tokens": 1_000, "output_tokens": 100}), api_request(model=LONG)]
)
def test_claude_codes_mark_of_a_long_context_is_no_part_of_the_models_name(tmp_path: Path, log: Record) -> None:
    found = spent(tmp_path, {"a.jsonl": [log]})
    assert (found.total.computed_usd, found.total.unpriced_tokens) == (Decimal("0.0075"), 0)  # 1,000 x 5 + 100 x 25


def test_a_printed_run_says_that_it_was_fast_and_where(tmp_path: Path) -> None:
    found = spent(tmp_path, {"run.json": result(0.0165, speed="fast", service_tier="standard", inference_geo="us")})
    assert found.total.computed_usd == Decimal("0.0165")  # fast 10 and 50: (1,000 x 10 + 100 x 50) x 1.1 millionths


def test_a_run_that_was_cut_bills_its_advisor_and_its_speed(tmp_path: Path) -> None:
    # opus-5 fast: 1,000 x 10 + 100 x 50 = 15,000; sonnet-4-6: 2 x 3 + 491 x 15 = 7,371; its advisor, opus-4-7:
    # 1,000 x 5 + 100 x 25 = 7,500
    own = {"type": "message", "input_tokens": 2, "output_tokens": 491}
    advice = {"type": "advisor_message", "model": "claude-opus-4-7", "input_tokens": 1_000, "output_tokens": 100}
    run = [
        {"type": "system", "subtype": "init", "session_id": SESSION, "permissionMode": "default"},
        printed("a", "claude-opus-5", {"input_tokens": 1_000, "output_tokens": 100, "speed": "fast"}),
        printed("b", "claude-sonnet-4-6", {"input_tokens": 2, "output_tokens": 491, "iterations": [own, advice]}),
    ]
    assert spent(tmp_path, {"run.jsonl": run}).total.computed_usd == Decimal("0.029871")


def test_a_printed_run_whose_telemetry_is_there_counts_once(tmp_path: Path) -> None:
    found = spent(tmp_path, {"run.json": result(0.0075), "telemetry.jsonl": [api_request()]})
    assert found.total.computed_usd == Decimal("0.0075")


def gemini(id: str, **tokens: int) -> Record:
    counts = {"cached": 0, "thoughts": 0, "tool": 0, "total": tokens["input"] + tokens["output"], **tokens}
    return {"id": id, "timestamp": AT, "type": "gemini", "model": "gemini-3-flash-preview", "tokens": counts}


HEAD = {"sessionId": SESSION, "projectHash": "p", "startTime": AT, "lastUpdated": AT}
FLASH = "gemini-3-flash-preview"


def test_a_total_shows_that_geminis_cached_tokens_stand_beside_the_input(tmp_path: Path) -> None:
    beside = gemini("a", input=100, cached=900, output=10, thoughts=5, total=1_015)
    within = gemini("b", input=1_000, cached=900, output=10, thoughts=5, total=1_015)
    found = spent(tmp_path, {"session-1.json": {**HEAD, "messages": [beside, within]}})
    # 2 x (100 x 0.5 + 900 x 0.05 + 15 x 3) = 280 millionths
    assert (by_model(found), found.total.computed_usd) == ({FLASH: (200, 1_800, 0, 0, 30)}, Decimal("0.00028"))


def test_messages_of_geminis_checkpoint_count_once(tmp_path: Path) -> None:
    first, second = gemini("a", input=1_000, output=10), gemini("b", input=5, output=1)
    chat = [HEAD, first, {"$set": {"messages": [first, second]}}, {"$rewindTo": "b"}]
    assert by_model(spent(tmp_path, {"session-1.jsonl": chat})) == {FLASH: (1_005, 0, 0, 0, 11)}


def qwen(type: str, **more: Any) -> Record:
    return {"sessionId": SESSION, "timestamp": AT, "cwd": "/p", "type": type, **more}


def entry(uuid: str, prompt: int, output: int, **more: Any) -> Record:
    """An answer of a Qwen Code chat."""
    usage = {"promptTokenCount": prompt, "candidatesTokenCount": output, "totalTokenCount": prompt + output}
    return qwen("assistant", uuid=uuid, message={"role": "model", "parts": []}, usageMetadata=usage, **more)


def told(response: str, prompt: int, output: int, cached: int = 0, **more: Any) -> Record:
    """A response as Qwen Code's telemetry states it in the chat."""
    event = {"event.name": "qwen-code.api_response", "response_id": response, "model": "gemini-3-flash-preview",
             "input_token_count": prompt, "output_token_count": output, "cached_content_token_count": cached,
             "total_token_count": prompt + output, **more}  # fmt: skip
    return qwen("system", uuid=f"t-{response}", subtype="ui_telemetry", systemPayload={"uiEvent": event})


def test_responses_of_qwen_code_that_have_no_entry_are_calls(tmp_path: Path) -> None:
    # the answer (1,000 in, 10 out), a compression (3,000, 1,000 of them cached; 300) and a subagent (500; 50):
    # 3,500 x 0.5 + 1,000 x 0.05 + 360 x 3 = 2,880 millionths
    chat = [
        qwen("user", uuid="u", message={"role": "user", "parts": []}),
        entry("a", 1_000, 10, model=FLASH),
        told("r1", 1_000, 10),
        told("r2", 3_000, 300, cached=1_000),
        told("r3", 500, 50, subagent_id="explore-1"),
    ]
    found = spent(tmp_path, {"chats/c.jsonl": chat})
    assert (by_model(found), found.total.calls) == ({FLASH: (3_500, 1_000, 0, 0, 360)}, 3)
    assert found.total.computed_usd == Decimal("0.00288")


def test_a_subagents_transcript_repeats_what_its_chat_tells(tmp_path: Path) -> None:
    agent = {"agentId": "explore-1", "isSidechain": True}
    files = {
        f"chats/{SESSION}.jsonl": [entry("a", 1_000, 10, model=FLASH), told("r3", 500, 50, subagent_id="explore-1")],
        f"subagents/{SESSION}/agent-explore-1.jsonl": [
            qwen("user", uuid="s0", message={"role": "user", "parts": []}, **agent),
            entry("s1", 500, 50, **agent),
            entry("s2", 70, 7, **agent),  # of a chat whose telemetry was not kept
        ],
        f"subagents/{SESSION}/agent-explore-1.meta.json": {"agentId": "explore-1", "model": FLASH},
    }
    assert by_model(spent(tmp_path, files)) == {FLASH: (1_570, 0, 0, 0, 67)}


def kimi_request(alias: str, model: str) -> Record:
    return {"type": "llm.request", "kind": "loop", "model": model, "modelAlias": alias, "time": 1_791_194_400_000}


def kimi_usage(alias: str, time: int, input: int, output: int) -> Record:
    used = {"inputOther": input, "output": output, "inputCacheRead": 0, "inputCacheCreation": 0}
    return {"type": "usage.record", "model": alias, "usage": used, "time": 1_791_194_400_000 + time}


def test_an_alias_of_kimi_code_is_what_its_own_request_named(tmp_path: Path) -> None:
    wire = [
        kimi_request("fast", "kimi-k2.5"),
        kimi_request("best", "kimi-k3"),
        kimi_usage("fast", 1, 100, 10),
        kimi_usage("best", 2, 7, 1),
    ]
    found = by_model(spent(tmp_path, {"session_1/agents/main/wire.jsonl": wire}))
    assert found == {"kimi-k2.5": (100, 0, 0, 0, 10), "kimi-k3": (7, 0, 0, 0, 1)}


def test_a_fork_of_a_kimi_code_session_counts_its_own_calls(tmp_path: Path) -> None:
    shared = [kimi_request("fast", "kimi-k2.5"), kimi_usage("fast", 1, 100, 10), kimi_usage("fast", 1, 100, 10)]
    files = {
        "session_1/agents/main/wire.jsonl": shared,
        "session_1/agents/explore/wire.jsonl": shared[:2],  # at the same millisecond
        "session_2/agents/main/wire.jsonl": [*shared, {"type": "forked"}, kimi_usage("fast", 9, 5, 1)],
    }
    assert by_model(spent(tmp_path, files)) == {"kimi-k2.5": (305, 0, 0, 0, 31)}
