"""A trace costs the same whether its spans stand in one file or in several, loaded at once or one after the other."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import permutations, product
from pathlib import Path
from typing import Any

import pytest
from costsim.analysis.spend.query import Query
from costsim.analysis.spend.spend import Spend, spend
from costsim.pricing.book import open_book
from costsim.usage.load import load
from emptied import open_store

BOOK = open_book()
TRACE = "5b8efff798038103d269b633813fc60c"
AGENT, STEP, FIRST, SECOND = "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb", "cccccccccccccccc", "dddddddddddddddd"
PARENTS = {AGENT: "", STEP: AGENT, FIRST: STEP, SECOND: STEP}
TOKENS = {AGENT: (3_000_000, 300_000), FIRST: (1_000_000, 100_000), SECOND: (2_000_000, 200_000)}  # gpt-4o: $10.50
Maker = Callable[[str], dict[str, Any]]


def otel(span: str) -> dict[str, Any]:
    """An agent's span that sums its calls, a step without usage, and two calls."""
    used = dict(zip(("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"), TOKENS.get(span, ()), strict=False))
    operation = {AGENT: "invoke_agent", STEP: "execute_tool"}.get(span, "chat")
    attributes = {"gen_ai.operation.name": operation, "gen_ai.provider.name": "openai", **used}
    return {
        "name": operation, "context": {"trace_id": f"0x{TRACE}", "span_id": f"0x{span}"},
        "parent_id": f"0x{PARENTS[span]}" if PARENTS[span] else None, "start_time": "2026-10-05T10:00:00Z",
        "attributes": attributes | ({"gen_ai.request.model": "gpt-4o"} if used else {}),
    }  # fmt: skip


def langfuse(span: str) -> dict[str, Any]:
    kind = {AGENT: "AGENT", STEP: "SPAN"}.get(span, "GENERATION")
    used = dict(zip(("input", "output"), TOKENS.get(span, ()), strict=False))
    return {
        "id": span, "traceId": TRACE, "type": kind, "name": "x", "startTime": "2026-10-05T10:00:00.000Z",
        "parentObservationId": PARENTS[span] or None, "model": "gpt-4o" if used else None, "usageDetails": used,
    }  # fmt: skip


def datadog(span: str) -> dict[str, Any]:
    used = dict(zip(("input_tokens", "output_tokens"), TOKENS.get(span, ()), strict=False))
    meta = {"kind": "llm", "model_name": "gpt-4o", "model_provider": "openai"} if used else {"kind": "task"}
    return {
        "trace_id": TRACE, "span_id": span, "parent_id": PARENTS[span] or "undefined", "name": "x",
        "start_ns": 1_791_194_400_000_000_000, "duration": 1, "meta": meta, "metrics": used,
    }  # fmt: skip


def langsmith(span: str) -> dict[str, Any]:
    used = dict(zip(("input_tokens", "output_tokens"), TOKENS.get(span, ()), strict=False))
    return {
        "id": span, "trace_id": TRACE, "parent_run_id": PARENTS[span] or None, "name": "x",
        "run_type": "llm" if used else "chain", "start_time": "2026-10-05T10:00:00", "end_time": "2026-10-05T10:01:00",
        "extra": {"metadata": {"ls_model_name": "gpt-4o", "ls_provider": "openai"} if used else {}},
        "outputs": {"usage_metadata": used}, "inputs": {},
    }  # fmt: skip


def weave(span: str) -> dict[str, Any]:
    """Every call of Weave's has the sum of those beneath it."""
    inputs, outputs = TOKENS.get(span, TOKENS[AGENT])
    return {
        "id": span, "trace_id": TRACE, "parent_id": PARENTS[span] or None, "op_name": "weave:///e/p/op/x:1",
        "project_id": "e/p", "started_at": "2026-10-05T10:00:00Z", "attributes": {}, "output": {},
        "summary": {"usage": {"gpt-4o": {"prompt_tokens": inputs, "completion_tokens": outputs, "requests": 1}}},
    }  # fmt: skip


def braintrust(span: str) -> dict[str, Any]:
    used = dict(zip(("prompt_tokens", "completion_tokens"), TOKENS.get(span, ()), strict=False))
    return {
        "id": span, "span_id": span, "root_span_id": AGENT, "span_parents": [PARENTS[span]] if PARENTS[span] else None,
        "span_attributes": {"type": "llm" if used else "task", "name": "x"}, "created": "2026-10-05T10:00:00Z",
        "metrics": used, "metadata": {"model": "gpt-4o"} if used else {},
    }  # fmt: skip


MAKERS: dict[str, Maker] = {made.__name__: made for made in (otel, langfuse, datadog, langsmith, weave, braintrust)}
LINKED = ("otel", "weave")
"""Of these a step without a call of its own leads on, in whatever file it stands."""


def spent(folder: Path, maker: str, parts: list[list[str]], *, at_once: bool) -> Spend:
    """What the parts cost, each a file; an empty one is none."""
    folder.mkdir()
    files = [folder / f"{number}.jsonl" for number, part in enumerate(parts) if part]
    for file, part in zip(files, filter(None, parts), strict=True):
        file.write_text("".join(json.dumps(MAKERS[maker](span)) + "\n" for span in part))
    with open_store(Path(":memory:")) as store:
        for group in [files] if at_once else [[file] for file in files]:
            load(store, group, format=maker)
        return spend(store, BOOK, Query(("model",)))


def counted(found: Spend) -> tuple[int, ...]:
    return tuple(found.total.tokens[name] for name in ("input", "output"))


def splits(maker: str) -> list[list[list[str]]]:
    """All ways to write the four spans into two files; where a step leads on by its file alone, those that keep it with
    what it links."""
    spans = [AGENT, STEP, FIRST, SECOND]
    ways = [[[s for s, at in zip(spans, places, strict=True) if at == n] for n in (0, 1)]
            for places in product((0, 1), repeat=4)]  # fmt: skip
    if maker in LINKED:
        return ways
    return [way for way in ways if all(STEP in part or not {FIRST, SECOND} & {*part} for part in way)]


@pytest.mark.slow
@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("maker", MAKERS)
def test_a_trace_in_two_files_costs_what_it_costs_in_one(tmp_path: Path, maker: str, at_once: bool) -> None:
    assert counted(spent(tmp_path / "one", maker, [list(PARENTS)], at_once=True)) == TOKENS[AGENT]
    for number, parts in enumerate(splits(maker)[:: 3 if at_once else 1]):
        found = spent(tmp_path / str(number), maker, parts, at_once=at_once)
        assert counted(found) == TOKENS[AGENT], (parts, at_once)


@pytest.mark.slow
@pytest.mark.parametrize("order", [*permutations([[AGENT, STEP], [FIRST], [SECOND]])])
def test_calls_that_are_exported_before_or_after_their_agent_count_once(
    tmp_path: Path, order: tuple[list[str], ...]
) -> None:
    """Of three loads in any order: $2.50 and $10 per million, 3 million and 300,000: $10.50."""
    found = spent(tmp_path / "x", "otel", [*order], at_once=False)
    assert (found.total.computed_usd, found.total.calls) == (10.5, 2)
    (note,) = found.sources.not_counted
    assert (
        note.message
        == "otel ($10.50, 5 Oct 2026) sums up calls of its own that are in other files: not counted beside them"
    )


@pytest.mark.slow
def test_a_file_that_is_read_again_by_itself_keeps_its_sum_out(tmp_path: Path) -> None:
    """Both in one load; then the agent's file grows by a span of another trace, and is read again alone."""
    calls, agent = tmp_path / "calls.jsonl", tmp_path / "agent.jsonl"
    calls.write_text("".join(json.dumps(otel(span)) + "\n" for span in (FIRST, SECOND)))
    agent.write_text("".join(json.dumps(otel(span)) + "\n" for span in (STEP, AGENT)))
    with open_store(Path(":memory:")) as store:
        load(store, [calls, agent])
        other = json.dumps(otel(FIRST)).replace(TRACE, TRACE[::-1])
        agent.write_text(f"{agent.read_text()}{other}\n")
        load(store, [agent])
        assert counted(spend(store, BOOK, Query(("model",)))) == (4_000_000, 400_000)


@pytest.mark.slow
def test_an_agent_without_its_calls_is_their_sum(tmp_path: Path) -> None:
    for number, parts in enumerate([[[AGENT]], [[AGENT], [STEP]], [[STEP], [AGENT]]]):
        assert counted(spent(tmp_path / str(number), "otel", parts, at_once=False)) == TOKENS[AGENT]
