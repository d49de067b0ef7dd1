"""Variants of coding agents' logs: forks and copies, calls that stand beside the conversation, older and newer fields."""

from __future__ import annotations

import json
import sqlite3
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
    """What a folder with these files costs, by model: lists are lines, functions write the file."""
    for name, content in files.items():
        file = folder / "logs" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if callable(content):
            content(file)
            continue
        if isinstance(content, str):
            file.write_text(content)
            continue
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


def kimi_step(time: int, input: int, output: int) -> Record:
    used = {"inputOther": input, "output": output, "inputCacheRead": 0, "inputCacheCreation": 0}
    event = {"type": "step.end", "turnId": "0", "step": 1, "usage": used}
    return {"type": "context.append_loop_event", "event": event, "time": 1_791_194_400_000 + time}


def test_the_end_of_a_step_of_kimi_code_repeats_its_record_and_counts_where_there_are_none(tmp_path: Path) -> None:
    files = {
        "session_1/agents/main/wire.jsonl": [
            kimi_request("fast", "kimi-k2.5"),
            kimi_usage("fast", 1, 100, 10),
            kimi_step(1, 100, 10),
            kimi_usage("fast", 2, 30, 3),  # of a title: no step
        ],
        "session_2/agents/main/wire.jsonl": [kimi_request("fast", "kimi-k3"), kimi_step(1, 7, 1), kimi_step(2, 8, 2),
                                             kimi_usage("fast", 3, 8, 2)],
    }  # fmt: skip
    assert by_model(spent(tmp_path, files)) == {"kimi-k2.5": (130, 0, 0, 0, 13), "kimi-k3": (15, 0, 0, 0, 3)}


def test_a_fork_of_a_kimi_code_session_counts_its_own_calls(tmp_path: Path) -> None:
    shared = [kimi_request("fast", "kimi-k2.5"), kimi_usage("fast", 1, 100, 10), kimi_usage("fast", 1, 100, 10)]
    files = {
        "session_1/agents/main/wire.jsonl": shared,
        "session_1/agents/explore/wire.jsonl": shared[:2],  # at the same millisecond
        "session_2/agents/main/wire.jsonl": [*shared, {"type": "forked"}, kimi_usage("fast", 9, 5, 1)],
    }
    assert by_model(spent(tmp_path, files)) == {"kimi-k2.5": (305, 0, 0, 0, 31)}


MS = 1_791_194_400_000  # the same moment


def opencode(file: Path) -> None:
    """A session in the older table and in the newer, one in the newer alone, and one of which only the totals are left."""
    tokens = {"input": 1_000, "output": 100, "reasoning": 0, "cache": {"read": 0, "write": 0}}
    model = {"id": "claude-opus-5", "providerID": "anthropic"}
    time = {"created": MS, "completed": MS + 900}
    old = {"role": "assistant", "modelID": "claude-opus-5", "providerID": "anthropic", "time": time, "tokens": tokens}
    new = {"model": model, "time": time, "tokens": {**tokens, "input": 200}, "cost": 0.0035}
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE part (id)")
        database.execute("CREATE TABLE message (id, session_id, time_created, data)")
        database.execute("CREATE TABLE session_message (id, session_id, type, time_created, data)")
        database.execute("CREATE TABLE session (id, directory, model, cost, tokens_input, tokens_output,"
                         " tokens_reasoning, tokens_cache_read, tokens_cache_write, time_updated)")  # fmt: skip
        database.execute("INSERT INTO message VALUES ('m1', 's1', ?, ?)", (MS, json.dumps(old)))
        for id, session in (("n1", "s1"), ("n2", "s2")):
            row = (id, session, MS, json.dumps(new))
            database.execute("INSERT INTO session_message VALUES (?, ?, 'assistant', ?, ?)", row)
        for session, used in (("s1", 1_000), ("s2", 200), ("s3", 30)):
            values = (session, "/p", json.dumps(model), 0.0, used, 1, 2, 4, 0, MS)
            database.execute("INSERT INTO session VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)


def test_an_opencode_session_counts_by_the_best_of_its_three_records(tmp_path: Path) -> None:
    # s1 by its message 1,000 and 100; s2 by the newer table 200 and 100; s3 by its totals 30, 4 cached, 1 + 2
    found = by_model(spent(tmp_path, {"opencode.db": opencode}))
    assert found == {"claude-opus-5": (1_230, 4, 0, 0, 203)}


def test_an_export_of_opencode_has_its_sessions_messages(tmp_path: Path) -> None:
    tokens = {"input": 1_000, "output": 100, "reasoning": 0, "cache": {"read": 0, "write": 0}}
    info = {"id": "m1", "sessionID": "s1", "role": "assistant", "modelID": "claude-opus-5", "providerID": "anthropic",
            "time": {"created": MS, "completed": MS + 900}, "tokens": tokens}  # fmt: skip
    export = {"info": {"id": "s1"}, "messages": [{"info": {"id": "m0", "role": "user"}}, {"info": info, "parts": []}]}
    files = {"export.json": export, "storage/message/s1/m1.json": info}
    assert by_model(spent(tmp_path, files)) == {"claude-opus-5": (1_000, 0, 0, 0, 100)}


def amp(place: int, at: str, input: int, output: int) -> Record:
    used = {"model": "claude-opus-5", "inputTokens": input, "outputTokens": output, "cacheReadInputTokens": 0,
            "cacheCreationInputTokens": 0, "timestamp": at}  # fmt: skip
    return {"role": "assistant", "messageId": place, "content": [], "usage": used}


def test_a_fork_of_an_amp_thread_counts_its_own_messages(tmp_path: Path) -> None:
    first = amp(1, AT, 1_000, 100)
    fork = [first, amp(3, "2026-10-05T10:05:00Z", 5, 1)]
    files = {
        "T-1.json": {"id": "T-1", "created": MS, "messages": [first]},
        "T-2.json": {"id": "T-2", "created": MS, "messages": fork, "relationships": [{"type": "fork"}]},
    }
    assert by_model(spent(tmp_path, files)) == {"claude-opus-5": (1_005, 0, 0, 0, 101)}


def test_settings_of_droid_need_neither_thinking_nor_writes(tmp_path: Path) -> None:
    used = {"inputTokens": 1_000, "outputTokens": 100, "cacheReadTokens": 50}
    settings = {"model": "gpt-5.5", "providerLock": "openai", "providerLockTimestamp": AT, "tokenUsage": used}
    found = by_model(spent(tmp_path, {"sessions/s.settings.json": settings}))
    assert found == {"gpt-5.5": (1_000, 50, 0, 0, 100)}


CURSOR = "Date,{},Input (w/ Cache Write),Input (w/o Cache Write),Cache Read,Output Tokens,Total Tokens,{}\n{},{}\n"


def test_a_request_of_cursor_counts_once_in_exports_and_events(tmp_path: Path) -> None:
    at, counts = "2026-10-05T10:00:00.000Z", "200,1000,3000,100,4300,$0.02"
    used = {"inputTokens": 1_000, "outputTokens": 100, "cacheWriteTokens": 200, "cacheReadTokens": 3_000,
            "totalCents": 1.5}  # fmt: skip
    event = {"timestamp": str(MS), "model": "claude-opus-5", "kind": "Usage-based", "tokenUsage": used,
             "cursorTokenFee": 0.5}  # fmt: skip
    files = {
        "v1.csv": CURSOR.format("Model", "Cost", at, f"claude-opus-5,{counts}"),
        "v2.csv": CURSOR.format("Kind,Model,Max Mode", "Cost", at, f"On-Demand,claude-opus-5,No,{counts}"),
        "events.json": {"usageEvents": [event, {**event, "userEmail": "b@c.d"}]},  # two users at one millisecond
    }
    found = spent(tmp_path, files)
    assert by_model(found) == {"claude-opus-5": (2_000, 6_000, 400, 0, 200)}
    assert found.total.recorded_usd == Decimal("0.04")


def test_a_router_of_pi_is_priced_by_the_model_that_answered(tmp_path: Path) -> None:
    used = {"input": 1_000, "output": 100, "cacheRead": 0, "cacheWrite": 0, "totalTokens": 1_100}
    message = {"role": "assistant", "provider": "openrouter", "model": "openrouter/auto", "usage": used,
               "responseModel": "anthropic/claude-opus-5", "responseId": "gen-1791194400-abcdefghij"}  # fmt: skip
    session = [{"type": "message", "id": "a1", "timestamp": AT, "message": message}]
    gateway = {"id": "gen-1791194400-abcdefghij", "created_at": AT, "model": "anthropic/claude-opus-5",
               "tokens_prompt": 1_000, "tokens_completion": 100, "total_cost": 0.0075, "usage": 0.0075,
               "native_tokens_prompt": 1_000, "native_tokens_completion": 100, "provider_name": "Anthropic"}  # fmt: skip
    found = spent(tmp_path, {"session.jsonl": session, "generation.json": {"data": gateway}})
    assert (found.total.calls, found.total.computed_usd) == (1, Decimal("0.0075"))  # 1,000 x 5 + 100 x 25 millionths


def copilot_span(number: int, output: int) -> Record:
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "github",
                  "gen_ai.conversation.id": SESSION, "gen_ai.request.model": "claude-sonnet-4.6",
                  "gen_ai.usage.input_tokens": 4_000, "gen_ai.usage.output_tokens": output,
                  "gen_ai.usage.cache_read.input_tokens": 3_000}  # fmt: skip
    return {"type": "span", "name": "chat claude-sonnet-4.6", "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
            "spanId": f"00f067aa0ba90{number:03x}", "startTime": [1_791_194_399, 0], "endTime": [1_791_194_400, 0],
            "attributes": attributes}  # fmt: skip


def test_a_call_of_copilots_telemetry_is_priced_by_githubs_list(tmp_path: Path) -> None:
    # claude-sonnet-4.6 at GitHub: 1,000 x 3 + 3,000 x 0.3 + 100 x 15 = 5,400 millionths
    found = spent(tmp_path, {"otel.jsonl": [copilot_span(1, 100)]})
    assert (found.total.unpriced_tokens, found.total.computed_usd) == (0, Decimal("0.0054"))


def test_what_amp_prints_of_a_thread_is_no_call_beside_the_thread(tmp_path: Path) -> None:
    counts = {"input_tokens": 1_000, "output_tokens": 100}
    run = {"type": "result", "subtype": "success", "session_id": "T-12345678", "total_cost_usd": 0, "usage": counts}
    thread = {"id": "T-12345678", "created": MS, "messages": [amp(1, AT, 1_000, 100)]}
    found = spent(tmp_path, {"T-12345678.json": thread, "run.jsonl": [run]})
    assert by_model(found) == {"claude-opus-5": (1_000, 0, 0, 0, 100)}


def test_pi_may_leave_out_what_was_not_cached(tmp_path: Path) -> None:
    message = {"role": "assistant", "provider": "anthropic", "model": "claude-opus-5",
               "usage": {"input": 1_000, "output": 100}}  # fmt: skip
    session = [{"type": "message", "id": "a1", "timestamp": AT, "message": message}]
    assert spent(tmp_path, {"session.jsonl": session}).total.computed_usd == Decimal("0.0075")  # 1,000 x 5 + 100 x 25


def goose(began: str, input: int, output: int) -> Any:
    """A database with the session of a day's first number."""

    def write(file: Path) -> None:
        values = {
            "id": "20261005_1", "created_at": began, "updated_at": "2026-10-05 12:00:00", "provider_name": "anthropic",
            "model_config_json": '{"model_name": "claude-opus-5"}', "accumulated_total_tokens": input + output,
            "accumulated_input_tokens": input, "accumulated_output_tokens": output,
        }  # fmt: skip
        with sqlite3.connect(file) as database:
            for table in ("messages", "schema_version"):
                database.execute(f"CREATE TABLE {table} (a)")
            database.execute(f"CREATE TABLE sessions ({', '.join(values)})")
            database.execute(f"INSERT INTO sessions VALUES ({', '.join('?' * len(values))})", tuple(values.values()))

    return write


def test_sessions_of_two_machines_may_have_one_id_of_goose(tmp_path: Path) -> None:
    files = {
        "a/sessions.db": goose("2026-10-05 10:00:00", 1_000, 100),
        "b/sessions.db": goose("2026-10-05 07:00:00", 500, 50),
        "backup/sessions.db": goose("2026-10-05 10:00:00", 700, 70),  # of the first, before its last calls
    }
    assert by_model(spent(tmp_path, files)) == {"claude-opus-5": (1_500, 0, 0, 0, 150)}


def test_an_exported_session_of_goose_is_the_one_in_the_database(tmp_path: Path) -> None:
    exported = {
        "id": "20261005_1", "working_dir": "/repo", "created_at": "2026-10-05T10:00:00Z", "extension_data": {},
        "updated_at": "2026-10-05T12:30:00Z", "accumulated_input_tokens": 1_200, "accumulated_output_tokens": 120,
        "provider_name": "anthropic", "model_config": {"model_name": "claude-opus-5"}, "conversation": [{"id": "m"}],
    }  # fmt: skip
    other = {**exported, "created_at": "2026-10-05T07:00:00Z", "accumulated_input_tokens": 500}
    files = {
        "sessions.db": goose("2026-10-05 10:00:00", 1_000, 100),
        "export.json": lambda file: file.write_text(json.dumps(exported, indent=2)),  # after two more calls
        "list.json": lambda file: file.write_text(json.dumps([exported, other])),
    }
    assert by_model(spent(tmp_path, files)) == {"claude-opus-5": (1_200 + 500, 0, 0, 0, 240)}


def copilot(kind: str, number: int, **data: Any) -> Record:
    return {"type": kind, "id": f"{number:08x}-2222-4333-8444-555566667777", "timestamp": AT, "data": data}


def shutdown(number: int, input: int, output: int) -> Record:
    used = {"inputTokens": input, "outputTokens": output, "cacheReadTokens": 0, "cacheWriteTokens": 0}
    metrics = {"claude-sonnet-4.6": {"requests": {"count": 1}, "usage": used}}
    return copilot("session.shutdown", number, modelMetrics=metrics)


def test_a_copilot_session_that_copies_anothers_events_counts_its_own(tmp_path: Path) -> None:
    leg = [copilot("assistant.message", 1, messageId="m1", outputTokens=100), shutdown(2, 1_000, 100)]
    own = [copilot("assistant.message", 3, messageId="m2", outputTokens=7), shutdown(4, 50, 7)]
    files = {
        "a/events.jsonl": [copilot("session.start", 0, sessionId=SESSION), *leg],
        "b/events.jsonl": [copilot("session.start", 9, sessionId="fork"), *leg, *own],
    }
    assert by_model(spent(tmp_path, files)) == {"claude-sonnet-4-6": (1_050, 0, 0, 0, 107)}


@pytest.mark.parametrize(
    ("outputs", "counted"),
    [
        ((60, 40), {"claude-sonnet-4.6": (2_000, 6_000, 0, 0, 100)}),  # all of the session's output
        ((60,), {"claude-sonnet-4-6": (8_000, 0, 0, 0, 100)}),  # telemetry was off for a part of it
    ],
)
def test_a_copilot_session_counts_by_its_events_or_its_telemetry(
    tmp_path: Path, outputs: tuple[int, ...], counted: dict[str, Classes]
) -> None:
    events = [
        copilot("session.start", 0, sessionId=SESSION),
        copilot("assistant.message", 1, messageId="m1", outputTokens=100),
        shutdown(2, 8_000, 100) | {"timestamp": "2026-10-08T10:00:00Z"},  # three days later
    ]
    spans = [copilot_span(number, output) for number, output in enumerate(outputs)]
    found = spent(tmp_path, {"events.jsonl": events, "otel.jsonl": spans})
    assert by_model(found) == counted
