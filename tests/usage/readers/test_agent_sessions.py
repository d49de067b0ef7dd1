"""What sessions of coding agents bill: calls beside the main usage, copies of calls, modifiers, providers."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from costsim.analysis.spend.ledger import bring_up_to_date
from costsim.analysis.spend.spend import Query, Spend, spend
from costsim.pricing.book import open_book
from costsim.usage.load import load
from emptied import open_store

pytestmark = pytest.mark.slow

AT = "2026-10-05T10:00:00Z"
Record = dict[str, Any]


def spent(folder: Path, **files: list[Record]) -> Spend:
    """What these files cost at list prices, by model."""
    book = open_book()
    with open_store(folder / "costsim.duckdb") as store:
        for name, records in files.items():
            file = folder / f"{name}.jsonl"
            file.write_text("".join(json.dumps(record) + "\n" for record in records))
            load(store, [file], strict=True)
        bring_up_to_date(store, book)
        return spend(store, book, Query(by=("model",)))


def usd(folder: Path, *records: Record) -> Decimal:
    """What one file costs in all; every token has a price."""
    found = spent(folder, only=list(records))
    assert found.total.unpriced_tokens == 0
    return found.total.computed_usd


def usage(input: int, output: int, read: int = 0, written: int = 0, **more: Any) -> Record:
    counts = {"input_tokens": input, "output_tokens": output}
    return counts | {"cache_read_input_tokens": read, "cache_creation_input_tokens": written} | more


def answer(id: str, model: str, used: Record, at: str = AT, **more: Any) -> Record:
    """An entry of a Claude Code session."""
    message = {"id": id, "role": "assistant", "model": model, "usage": used}
    return {"type": "assistant", "timestamp": at, "sessionId": "s", "message": message, "requestId": f"q-{id}"} | more


def test_an_advisor_is_a_call_at_its_own_model(tmp_path: Path) -> None:
    # sonnet-4-6: 2 x 3 + 226,584 x 0.3 + 7,853 x 3.75 + 491 x 15 = 104,794.95; opus-4-7: 159,419 x 5 + 7,805 x 25 =
    # 992,220; together 1,097,014.95 millionths
    iterations = [
        {"type": "message"} | usage(1, 45, 109_696, 7_192),
        {"type": "advisor_message", "model": "claude-opus-4-7"} | usage(159_419, 7_805),
        {"type": "message"} | usage(1, 446, 116_888, 661),
    ]
    stated = usage(2, 491, 226_584, 7_853, iterations=iterations)
    assert usd(tmp_path, answer("a", "claude-sonnet-4-6", stated)) == Decimal("1.09701495")


def test_a_compaction_is_billed_beside_what_the_usage_states(tmp_path: Path) -> None:
    # opus-5 at 5 and 25: (23,000 x 5 + 1,000 x 25) + (180,000 x 5 + 3,500 x 25) = 140,000 + 987,500
    iterations = [{"type": "compaction"} | usage(180_000, 3_500), {"type": "message"} | usage(23_000, 1_000)]
    stated = usage(23_000, 1_000, iterations=iterations)
    assert usd(tmp_path, answer("a", "claude-opus-5", stated)) == Decimal("1.1275")


@pytest.mark.parametrize(
    ("stated", "why"),
    [
        ((30, 300), "the usage is the sum of the messages"),
        ((10, 300), "the usage has the first message's input only"),
        ((130, 1_300), "the usage is the sum of all, the compaction too"),
    ],
)
def test_whatever_the_usage_sums_up_every_iteration_counts_once(
    tmp_path: Path, stated: tuple[int, int], why: str
) -> None:
    # opus-5: (10 + 20 + 100) x 5 + (100 + 200 + 1,000) x 25 = 33,150
    iterations = [
        {"type": "message"} | usage(10, 100),
        {"type": "compaction"} | usage(100, 1_000),
        {"type": "message"} | usage(20, 200),
    ]
    used = usage(*stated, iterations=iterations)
    assert usd(tmp_path, answer("a", "claude-opus-5", used)) == Decimal("0.03315"), why


# https://github.com/ccusage/ccusage/issues/1552: fable-5 declines after 578 tokens, opus-4-8 serves
DECLINED = {"type": "message", "model": "claude-fable-5"} | usage(2, 578, 72_769, 10_421)
SERVED = usage(2, 13_658, 79_214)
SERVING = {"type": "fallback_message", "model": "claude-opus-4-8"} | SERVED


@pytest.mark.parametrize("named", ["claude-opus-4-8", "claude-fable-5"])  # a stream begins before the fallback
def test_each_attempt_of_a_fallback_is_billed_once_at_its_own_model(tmp_path: Path, named: str) -> None:
    # opus-4-8: 2 x 5 + 79,214 x 0.5 + 13,658 x 25 = 381,067; fable-5: 2 x 10 + 72,769 x 1 + 10,421 x 12.5 + 578 x 50
    # = 231,951.5; together 613,018.5 millionths
    used = SERVED | {"iterations": [DECLINED, SERVING]}
    assert usd(tmp_path, answer("a", named, used)) == Decimal("0.6130185")


@pytest.mark.parametrize("iterations", [[DECLINED | {"output_tokens": 0}, SERVING], [SERVING]])
@pytest.mark.parametrize("named", ["claude-opus-4-8", "claude-fable-5"])
def test_an_attempt_that_declines_before_any_output_is_free(
    tmp_path: Path, named: str, iterations: list[Record]
) -> None:
    assert usd(tmp_path, answer("a", named, SERVED | {"iterations": iterations})) == Decimal("0.381067")


def test_one_message_alone_is_the_usage_again(tmp_path: Path) -> None:
    used = usage(1_000, 100, iterations=[{"type": "message"} | usage(1_000, 100)])
    assert usd(tmp_path, answer("a", "claude-opus-5", used)) == Decimal("0.0075")  # 1,000 x 5 + 100 x 25


def test_an_advisor_that_every_entry_of_an_answer_repeats_counts_once(tmp_path: Path) -> None:
    def stated(output: int, *iterations: Record) -> Record:
        return answer("a", "claude-sonnet-4-6", usage(10, output, iterations=list(iterations)))

    first = {"type": "message"} | usage(10, 5)
    advice = {"type": "advisor_message", "model": "claude-opus-4-7"} | usage(1_000, 100)
    # 10 x 3 + 5 x 15 + 1,000 x 5 + 100 x 25 = 7,605; the last answer says 10 more tokens of output
    last = stated(15, {"type": "message"} | usage(10, 5), advice, {"type": "message"} | usage(0, 10))
    assert usd(tmp_path, stated(5, first), stated(5, first, advice), last) == Decimal("0.007755")


def test_a_side_question_repeats_its_parent_under_new_request_ids(tmp_path: Path) -> None:
    # opus-5: 10 x 5 + 100,000 x 0.5 + 500 x 25 = 62,550; 5 x 5 + 100,500 x 0.5 + 50 x 25 = 51,525
    first = answer("m1", "claude-opus-5", usage(10, 500, 100_000))
    aside = [
        first | {"requestId": "q9", "isSidechain": True, "agentId": "aside_question-1"},
        answer("m2", "claude-opus-5", usage(5, 50, 100_500), isSidechain=True),
    ]
    assert spent(tmp_path, main=[first], aside=aside).total.computed_usd == Decimal("0.114075")


@pytest.mark.parametrize("id", ["m1", "msg_01ABCDEFGHJKLMNPQRSTUVWX"])
def test_a_resumed_session_may_lack_the_request_ids_of_what_it_repeats(tmp_path: Path, id: str) -> None:
    first = answer(id, "claude-opus-5", usage(10, 500, 100_000))
    again = {name: value for name, value in first.items() if name != "requestId"}
    assert spent(tmp_path, first=[first], resumed=[again]).total.calls == 1


def test_entries_of_one_answer_count_once_at_its_largest_output(tmp_path: Path) -> None:
    growing = [answer("m1", "claude-opus-5", usage(1_000, n), at=f"2026-10-05T10:00:0{n}Z") for n in (1, 2, 9)]
    assert usd(tmp_path, *growing) == Decimal("0.005225")  # 1,000 x 5 + 9 x 25


@pytest.mark.parametrize("asked", ["q1", None])
def test_an_id_that_a_gateway_gives_to_every_call_swallows_none(tmp_path: Path, asked: str | None) -> None:
    # (1,000 + 2,000 + 1,500) x 5 + (10 + 20 + 5) x 25 = 23,375
    counts = [(1_000, 10), (2_000, 20), (1_500, 5)]
    calls = [
        answer("msg_proxy", "claude-opus-5", usage(*n), at=f"2026-10-05T10:0{k}:00Z", requestId=asked)
        for k, n in enumerate(counts)
    ]
    assert usd(tmp_path, *calls) == Decimal("0.023375")


@pytest.mark.parametrize(
    ("model", "id", "priced"),
    [
        ("eu.anthropic.claude-opus-4-7", "msg_bdrk_01", "aws/regional.anthropic.claude-opus-4-7-v1:0"),
        ("us.anthropic.claude-opus-4-7", "m", "aws/regional.anthropic.claude-opus-4-7-v1:0"),
        ("anthropic.claude-opus-4-7-v1:0", "m", "aws/regional.anthropic.claude-opus-4-7-v1:0"),
        ("global.anthropic.claude-opus-4-7-v1:0", "m", "aws/global.anthropic.claude-opus-4-7-v1:0"),
        ("claude-opus-4-5@20251101", "msg_vrtx_01", "google/claude-opus-4-5"),
        ("claude-opus-4-7", "msg_vrtx_01", "google/claude-opus-4-7"),
        ("claude-opus-4-7", "msg_01", "anthropic/claude-opus-4-7"),
        ("openrouter/anthropic/claude-opus-4.7", "gen-1", "openrouter/anthropic/claude-opus-4.7"),
        ("anthropic/claude-opus-4-7", "m", "anthropic/claude-opus-4-7"),
    ],
)
def test_a_call_is_priced_by_the_cloud_that_its_ids_tell(tmp_path: Path, model: str, id: str, priced: str) -> None:
    [row] = spent(tmp_path, s=[answer(id, model, usage(1_000, 10))]).rows
    assert row.keys == (priced,)


def test_bedrock_in_a_region_costs_a_tenth_more(tmp_path: Path) -> None:
    # (1,000 x 5 + 1,000,000 x 0.5 + 100,000 x 6.25 + 10,000 x 25) x 1.1 = 1,380,000 x 1.1
    used = usage(1_000, 10_000, 1_000_000, 100_000)
    assert usd(tmp_path, answer("msg_bdrk_1", "eu.anthropic.claude-opus-4-7", used)) == Decimal("1.518")


def test_a_model_behind_claude_code_that_only_its_maker_lists_is_priced_as_the_makers(tmp_path: Path) -> None:
    # zai/GLM-4.6: 1,000,000 input x $0.60 + 100,000 output x $2.20 a million = 0.60 + 0.22
    found = spent(tmp_path, s=[answer("m", "glm-4.6", usage(1_000_000, 100_000))])
    assert found.total.computed_usd == Decimal("0.82")
    assert found.notes == (
        "claude-code states no provider of 'glm-4.6': priced as served by the maker (zai). "
        "Where another serves them, state its prices in an overlay",
    )


@pytest.mark.parametrize("model", ["glm-4.7", "qwen3-coder-plus", "deepseek-r1:70b", "kimi-k2.5:cloud"])
def test_a_model_behind_claude_code_that_several_may_serve_is_unpriced(tmp_path: Path, model: str) -> None:
    assert spent(tmp_path, s=[answer("m", model, usage(1_000, 10))]).total.unpriced_tokens == 1_010


@pytest.mark.parametrize("model", ["qwen3-coder:30b", "gpt-oss-20b", "ollama/gpt-oss-20b"])
def test_a_model_of_a_local_server_has_no_price_here(tmp_path: Path, model: str) -> None:
    assert spent(tmp_path, s=[answer("m", model, usage(1_000, 10))]).total.unpriced_tokens == 1_010


def session(*entries: Record) -> list[Record]:
    """A pi session."""
    return [{"type": "session", "version": 3, "id": "s", "timestamp": AT, "cwd": "/w"}, *entries]


def message(id: str, model: str = "claude-opus-5", provider: str = "anthropic", **used: Any) -> Record:
    said = {"role": "assistant", "provider": provider, "model": model, "usage": used, "timestamp": 1791194400000}
    return {"type": "message", "id": id, "timestamp": AT, "message": said}


def piece(kind: str, id: str, **used: Any) -> Record:
    return {"type": kind, "id": id, "timestamp": AT, "usage": used}


def test_what_summarises_a_pi_session_is_billed_at_its_model(tmp_path: Path) -> None:
    # opus-5: (1,000 x 5 + 1,000 x 25) + (150,000 x 5 + 3,000 x 25) + (10,000 x 5 + 500 x 25) = 917,500
    entries = session(
        message("a", input=1_000, output=1_000, cacheRead=0, cacheWrite=0),
        piece("compaction", "b", input=150_000, output=3_000, cacheRead=0, cacheWrite=0),
        piece("branch_summary", "c", input=10_000, output=500, cacheRead=0, cacheWrite=0),
    )
    assert usd(tmp_path, *entries) == Decimal("0.9175")


def test_a_pi_message_says_how_it_was_processed(tmp_path: Path) -> None:
    # gpt-5.4 at 2.5 and 15, fast and priority at 5 and 30: 1,000 x 5 + 100 x 30 = 8,000 each, and 4,000
    used = {"input": 1_000, "output": 100, "cacheRead": 0, "cacheWrite": 0}
    entries = [message(id, "gpt-5.4", "openai-codex", **used) for id in "abc"]
    entries[0]["message"] |= {"speed": "fast", "requestedServiceTier": "priority"}
    entries[1]["message"] |= {"requestedServiceTier": "priority"}
    named = message("d", "gpt-5.4-fast", "openai", **used)  # as OpenCode and pi name a model's fast mode
    assert usd(tmp_path, *session(*entries, named)) == Decimal("0.028")


def test_what_openclaw_writes_by_itself_is_no_call(tmp_path: Path) -> None:
    empty = {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0, "totalTokens": 0}
    own = message("m", "delivery-mirror", "openclaw", **empty)
    assert spent(tmp_path, s=session(own, message("a", input=10, output=1, cacheRead=0, cacheWrite=0))).total.calls == 1


def test_a_change_of_model_holds_for_the_summaries_after_it(tmp_path: Path) -> None:
    change = {
        "type": "model_change",
        "id": "m",
        "timestamp": AT,
        "provider": "anthropic",
        "modelId": "claude-haiku-4-5",
    }
    first = message("a", input=1_000, output=1_000, cacheRead=0, cacheWrite=0)
    summary = piece("compaction", "b", input=100_000, output=1_000, cacheRead=0, cacheWrite=0)
    # opus-5 0.03; haiku-4-5 at 1 and 5: 100,000 + 5,000
    later = [entry | {"timestamp": f"2026-10-05T10:0{n}:00Z"} for n, entry in enumerate((first, change, summary))]
    assert usd(tmp_path, *session(*later)) == Decimal("0.135")


@pytest.mark.slow
def test_a_summary_that_was_added_to_a_loaded_session_has_its_model(tmp_path: Path) -> None:
    first = message("a", input=1_000, output=1_000, cacheRead=0, cacheWrite=0)
    summary = piece("compaction", "b", input=10_000, output=500, cacheRead=0, cacheWrite=0)
    more = [message(f"m{n}", input=0, output=0, cacheRead=0, cacheWrite=0) for n in range(9)]
    spent(tmp_path, s=session(first, *more))
    assert spent(tmp_path, s=session(first, *more, summary)).total.computed_usd == Decimal("0.0925")


def test_a_tool_that_called_a_model_is_billed(tmp_path: Path) -> None:
    first = message("a", input=1_000, output=1_000, cacheRead=0, cacheWrite=0)
    used = {"input": 2_000, "output": 100, "cacheRead": 0, "cacheWrite": 0}
    result = {"type": "message", "id": "b", "timestamp": AT, "message": {"role": "toolResult", "usage": used}}
    assert usd(tmp_path, *session(first, result)) == Decimal("0.0425")  # 0.03 + 2,000 x 5 + 100 x 25


@pytest.mark.parametrize(
    ("total", "dollars"),
    # opus-5, hour 10, five minutes 6.25: 3 x 5 + 100 x 25 + 1,000 x 10 + (3,000 or 4,000) x 6.25
    [(4_103, "0.031265"), (5_103, "0.037515"), (None, "0.031265")],
    ids=["within the writes", "beside them, as the total says", "no total"],
)
def test_writes_for_an_hour_are_a_part_of_all_writes(tmp_path: Path, total: int | None, dollars: str) -> None:
    used = {"input": 3, "output": 100, "cacheRead": 0, "cacheWrite": 4_000, "cacheWrite1h": 1_000}
    assert usd(tmp_path, *session(message("a", **used, totalTokens=total))) == Decimal(dollars)  # type: ignore[arg-type]


def test_a_pi_fork_repeats_its_parents_entries(tmp_path: Path) -> None:
    first = message("a", input=1_000, output=1_000, cacheRead=0, cacheWrite=0)
    summary = piece("compaction", "b", input=100_000, output=1_000, cacheRead=0, cacheWrite=0)
    more = message("c", input=2_000, output=10, cacheRead=0, cacheWrite=0)
    found = spent(tmp_path, parent=session(first, summary), fork=session(first, summary, more))
    assert found.total.calls == 3


@pytest.mark.parametrize(
    ("model", "modifiers", "at", "dollars"),
    [
        # 100,000 x 5 + 10,000 x 25 = 750,000, a tenth more in the US
        ("claude-opus-5", {"inference_geo": "us"}, AT, "0.825"),
        ("claude-opus-5", {"inference_geo": "global"}, AT, "0.75"),
        ("claude-opus-5", {"inference_geo": "not_available"}, AT, "0.75"),
        ("claude-opus-5", {"inference_geo": None}, AT, "0.75"),
        ("claude-sonnet-4-6", {"inference_geo": "us"}, AT, "0.495"),  # (300,000 + 150,000) x 1.1
        # fast: 30 and 150; 10 and 50 for opus-5
        ("claude-opus-4-6", {"speed": "fast"}, "2026-04-20T10:00:00Z", "4.5"),
        ("claude-opus-4-7", {"speed": "fast"}, AT, "4.5"),
        ("claude-opus-5", {"speed": "fast"}, AT, "1.5"),
        ("claude-opus-5", {"speed": "fast", "inference_geo": "us"}, AT, "1.65"),
        ("claude-opus-4-7", {"speed": "fast", "inference_geo": "us"}, AT, "4.95"),
        # half in a batch, as the price list has it since 14 October 2026
        ("claude-opus-5", {"service_tier": "batch"}, "2026-10-20T10:00:00Z", "0.375"),
        ("claude-opus-5", {"service_tier": "batch", "inference_geo": "us"}, "2026-10-20T10:00:00Z", "0.4125"),
    ],
)
def test_speed_tier_and_region_multiply(tmp_path: Path, model: str, modifiers: Record, at: str, dollars: str) -> None:
    assert usd(tmp_path, answer("a", model, usage(100_000, 10_000, **modifiers), at=at)) == Decimal(dollars)


def test_caches_multiply_with_speed_and_region(tmp_path: Path) -> None:
    # opus-4-7 fast at 30: reads 3, five minutes 37.5, an hour 60: (1,000,000 x 3 + 1,000 x 37.5 + 2,000 x 60) x 1.1
    creation = {"ephemeral_5m_input_tokens": 1_000, "ephemeral_1h_input_tokens": 2_000}
    used = usage(0, 0, 1_000_000, 3_000, cache_creation=creation, speed="fast", inference_geo="us")
    assert usd(tmp_path, answer("a", "claude-opus-4-7", used)) == Decimal("3.47325")


def test_an_advisor_does_not_run_fast_because_its_caller_does(tmp_path: Path) -> None:
    # opus-5 fast 1,000 x 10 + 100 x 50; opus-4-7 1,000 x 5 + 100 x 25
    iterations = [
        {"type": "message"} | usage(1_000, 100),
        {"type": "advisor_message", "model": "claude-opus-4-7"} | usage(1_000, 100),
    ]
    used = usage(1_000, 100, iterations=iterations, speed="fast")
    assert usd(tmp_path, answer("a", "claude-opus-5", used)) == Decimal("0.0225")


def test_a_level_without_a_price_is_named(tmp_path: Path) -> None:
    found = spent(tmp_path, s=[answer("a", "claude-haiku-4-5", usage(1_000, 10, speed="fast", inference_geo="us"))])
    assert "anthropic/claude-haiku-4-5 has no price for processing 'fast/us'" in found.notes[0]


def meta(id: str, **payload: Any) -> Record:
    return {"timestamp": AT, "type": "session_meta", "payload": {"id": id, "cwd": "/w"} | payload}


def turn(model: str = "gpt-5.5", **payload: Any) -> Record:
    return {"timestamp": AT, "type": "turn_context", "payload": {"model": model} | payload}


def tokens(input: int, cached: int, output: int, **more: Any) -> Record:
    return {"input_tokens": input, "cached_input_tokens": cached, "output_tokens": output} | more


def count(total: Record | None, last: Record | None, minute: int = 0) -> Record:
    """A token count of a Codex rollout."""
    info = {"total_token_usage": total, "last_token_usage": last} if total or last else None
    payload = {"type": "token_count", "info": info, "rate_limits": {"primary": {"used_percent": 3}}}
    return {"timestamp": f"2026-10-05T10:{minute:02}:00Z", "type": "event_msg", "payload": payload}


def response(id: str, used: Record, minute: int = 0) -> Record:
    payload = {"thread_id": "A", "response_id": id, "usage": used}
    return {"timestamp": f"2026-10-05T10:{minute:02}:00Z", "type": "token_usage_record", "payload": payload}


FIRST, SECOND = tokens(100_000, 0, 1_000), tokens(120_000, 90_000, 1_000)
BOTH = tokens(220_000, 90_000, 2_000)
# gpt-5.5 at 5, 0.5 and 30: FIRST 500,000 + 30,000; SECOND 30,000 x 5 + 90,000 x 0.5 + 1,000 x 30 = 225,000
PAST = [count(FIRST, FIRST), count(BOTH, SECOND, 2)]


def test_a_compaction_that_only_a_usage_record_shows_is_billed(tmp_path: Path) -> None:
    # 0.53 + 0.225 + the compaction: 200,000 x 5 + 4,000 x 30
    records = [response("r1", FIRST), response("c", tokens(200_000, 0, 4_000), 1), response("r2", SECOND, 2)]
    shrunk = count(FIRST, tokens(0, 0, 0, total_tokens=12_000), 1)
    rollout = [meta("A"), turn(), *records, PAST[0], shrunk, PAST[1]]
    assert usd(tmp_path, *rollout) == Decimal("1.875")


def test_usage_records_without_any_count_are_calls(tmp_path: Path) -> None:
    assert usd(tmp_path, meta("A"), turn(), response("a", FIRST), response("b", SECOND)) == Decimal("0.755")


@pytest.mark.slow
def test_a_record_that_a_fork_repeats_counts_once(tmp_path: Path) -> None:
    compacted = response("c", tokens(200_000, 0, 4_000), 3)
    parent = [meta("P"), turn(), *PAST, compacted]
    fork = [meta("F", forked_from_id="P"), turn(), *PAST, compacted]
    assert spent(tmp_path, parent=parent, fork=fork).total.calls == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    "named",
    [
        {"forked_from_id": "P"},
        {"parent_thread_id": "P"},
        {"source": {"subagent": {"thread_spawn": {"parent_thread_id": "P", "depth": 1}}}},
        {"source": "cli", "parent_thread_id": "P"},
    ],
)
@pytest.mark.parametrize("child_first", [True, False])
def test_a_child_that_replays_its_parent_counts_its_own_calls(tmp_path: Path, named: Record, child_first: bool) -> None:
    # 0.755 of the parent's, and 20,000 x 5 + 10,000 x 0.5 + 500 x 30 = 120,000
    parent = [meta("P"), turn(), *PAST]
    own = count(tokens(250_000, 100_000, 2_500), tokens(30_000, 10_000, 500), 5)
    child = [meta("C", **named), turn(), *PAST, turn(), own]
    files = {"child": child, "parent": parent} if child_first else {"parent": parent, "child": child}
    assert spent(tmp_path, **files).total.computed_usd == Decimal("0.875")


@pytest.mark.slow
def test_siblings_that_count_from_nothing_keep_their_calls(tmp_path: Path) -> None:
    def child(id: str, used: Record) -> list[Record]:
        return [meta(id, parent_thread_id="P"), turn(), count(used, used, 3)]

    one, two = tokens(30_000, 10_000, 500), tokens(40_000, 10_000, 500)
    # 0.755 + (100,000 + 5,000 + 15,000) + (150,000 + 5,000 + 15,000)
    files = {"parent": [meta("P"), turn(), *PAST], "one": child("C1", one), "two": child("C2", two)}
    assert spent(tmp_path, **files).total.computed_usd == Decimal("1.045")


def test_counters_that_take_turns_each_say_their_last_call(tmp_path: Path) -> None:
    # 20,000 x 5 + 100 x 30 = 103,000, and three of 1,000 x 5 + 20,000 x 0.5 + 100 x 30 = 18,000
    step = tokens(21_000, 20_000, 100)
    rollout = [
        count(tokens(20_000, 0, 100), tokens(20_000, 0, 100)),
        count(tokens(5_000_000, 4_900_000, 9_000), step, 1),
        count(tokens(41_000, 20_000, 200), step, 2),
        count(tokens(5_021_000, 4_920_000, 9_100), step, 3),
        count(tokens(5_021_000, 4_920_000, 9_100), step, 4),  # repeated
    ]
    assert usd(tmp_path, meta("A"), turn(), *rollout) == Decimal("0.157")


def test_a_counter_that_begins_anew_counts_from_nothing(tmp_path: Path) -> None:
    anew = tokens(10_000, 0, 100)
    assert usd(tmp_path, meta("A"), turn(), *PAST, count(anew, anew, 3)) == Decimal("0.808")  # 0.755 + 0.053


@pytest.mark.slow
def test_a_counter_that_begins_anew_with_the_same_totals_makes_new_calls(tmp_path: Path) -> None:
    # gpt-5.5: each call 100,000 x 5 + 1,000 x 30 = 530,000 millionths
    used, twice = tokens(100_000, 0, 1_000), tokens(200_000, 0, 2_000)
    anew = [count(used, used, 1), count(twice, used, 2), count(used, used, 3), count(twice, used, 4)]
    assert usd(tmp_path, meta("A"), turn(), *anew) == Decimal("2.12")  # four of them
    # a fork that replays all of it, with new times, and adds one
    later = [record | {"timestamp": "2026-10-05T12:00:00Z"} for record in anew]
    fork = [meta("B", forked_from_id="A"), meta("A"), turn(), *later, count(tokens(300_000, 0, 3_000), used, 59)]
    (tmp_path / "fork").mkdir()
    found = spent(tmp_path / "fork", parent=[meta("A"), turn(), *anew], fork=fork)
    assert found.total.computed_usd == Decimal("2.65")


def test_a_session_that_replays_itself_after_its_name_makes_no_new_calls(tmp_path: Path) -> None:
    used, twice = tokens(100_000, 0, 1_000), tokens(200_000, 0, 2_000)
    past = [count(used, used, 1), count(twice, used, 2)]
    replayed = [record | {"timestamp": "2026-10-05T12:00:00Z"} for record in past]
    assert usd(tmp_path, meta("A"), turn(), *past, meta("A"), *replayed) == Decimal("1.06")  # two of 0.53


def test_a_call_between_two_counts_is_in_the_total(tmp_path: Path) -> None:
    """The total rose by more than the last call: what was not shown was billed."""
    rollout = [count(FIRST, FIRST), count(tokens(300_000, 0, 3_000), FIRST, 2)]
    assert usd(tmp_path, meta("A"), turn(), *rollout) == Decimal("1.59")  # three of 0.53


def test_rate_limits_without_counts_are_no_calls(tmp_path: Path) -> None:
    found = spent(tmp_path, s=[meta("A"), turn(), count(None, None), *PAST, count(None, None, 3)])
    assert (found.total.calls, found.total.computed_usd) == (2, Decimal("0.755"))


def test_a_count_that_says_its_last_call_only_is_that_call(tmp_path: Path) -> None:
    assert usd(tmp_path, meta("A"), turn(), count(None, FIRST), count(None, SECOND, 1)) == Decimal("0.755")


@pytest.mark.parametrize(
    ("provider", "model"),
    [("lmstudio", "openai/gpt-oss-20b"), ("ollama", "gpt-oss:20b"), ("vllm", "gpt-5.5"), ("my-proxy", "gpt-5.5")],
)
def test_a_server_of_ones_own_has_no_price_of_openai(tmp_path: Path, provider: str, model: str) -> None:
    found = spent(tmp_path, s=[meta("A", model_provider=provider), turn(model), *PAST])
    assert found.unpriced_models == (f"{provider}/{model}",)


@pytest.mark.parametrize(
    ("provider", "model", "priced"),
    [
        (None, "gpt-5.5", "openai/gpt-5.5"),
        ("openai", "gpt-5.5", "openai/gpt-5.5"),
        ("openrouter", "openai/gpt-5.5", "openrouter/openai/gpt-5.5"),
    ],
)
def test_the_providers_name_is_the_sessions(tmp_path: Path, provider: str | None, model: str, priced: str) -> None:
    [row] = spent(tmp_path, s=[meta("A", model_provider=provider), turn(model), *PAST]).rows
    assert row.keys == (priced,)


def test_a_service_tier_holds_for_its_turn(tmp_path: Path) -> None:
    # flex is half: 0.265 and the second at the standard price, 0.225
    rollout = [meta("A"), turn(service_tier="flex"), PAST[0], turn(), PAST[1]]
    later = [record | {"timestamp": "2026-10-20T10:00:00Z"} for record in rollout]
    assert usd(tmp_path, *later) == Decimal("0.49")


def test_a_tier_before_it_had_a_price_is_named(tmp_path: Path) -> None:
    found = spent(tmp_path, s=[meta("A"), turn(service_tier="flex"), *PAST])
    assert found.total.computed_usd == Decimal("0.3775")  # flex is half of 0.755, before its listing too


@pytest.mark.slow
def test_input_without_cached_tokens_is_known_by_the_total(tmp_path: Path) -> None:
    # 1,000 x 5 + 9,000 x 0.5 + 100 x 30 = 12,500, whether the total says so or there is more cached than input
    for number, total in enumerate((10_100, None)):
        used = tokens(1_000, 9_000, 100, total_tokens=total)
        (tmp_path / str(number)).mkdir()
        assert usd(tmp_path / str(number), meta("A"), turn(), count(used, used)) == Decimal("0.0125")


def test_a_fast_apply_of_kilo_is_a_call_of_a_model_that_is_not_named(tmp_path: Path) -> None:
    applied = {"tool": "editedExistingFile", "fastApplyResult": {"tokensIn": 900, "tokensOut": 300, "cost": 0.002}}
    request = {
        "tokensIn": 100,
        "tokensOut": 10,
        "cacheReads": 0,
        "cacheWrites": 0,
        "cost": 0.01,
        "inferenceProvider": "x",
    }
    messages = [
        {"ts": 1_791_194_400_000, "type": "say", "say": "api_req_started", "text": json.dumps(request)},
        {"ts": 1_791_194_401_000, "type": "ask", "ask": "tool", "text": json.dumps(applied)},
        {"ts": 1_791_194_402_000, "type": "ask", "ask": "tool", "text": json.dumps({"tool": "readFile"})},
    ]
    (tmp_path / "ui_messages.json").write_text(json.dumps(messages))
    with open_store(tmp_path / "s.duckdb") as store:
        report = load(store, [tmp_path / "ui_messages.json"], strict=True)
        rows = store.execute("SELECT input, output, recorded_usd FROM usage_event ORDER BY ts").fetchall()
    assert report.unread == []
    assert rows == [(100, 10, Decimal("0.01")), (900, 300, Decimal("0.002"))]
