"""Lines read in bulk and line by line are the same calls: one parser, whatever stands beside them."""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path

import pytest
from costsim.usage.load import load
from costsim.usage.readers import READERS
from emptied import open_store
from thorough import examples

DATA = Path(__file__).parent.parent / "data" / "usage"
BULK = {reader.name for reader in READERS if not reader.ordered and reader.unfold is None}
LOGS = [file for file in sorted(DATA.glob("*/*.jsonl")) if file.parent.name in BULK]
TORN = '{"torn": '  # makes its file one that is read line by line
NUMBERS = [
    "-1",
    "1e400",
    "1e5000",
    "-inf",
    "null",
    '"1"',
    '" 12 "',
    '"1.5"',
    "NaN",
    "1.5",
    "1e2",
    "9" * 25,
    "true",
    "[]",
    "{}",
    '""',
]

CALLS = """
SELECT event_id, ts, model, processing, input, cache_read, cache_write_5m, cache_write_1h, output, web_search, request,
    recorded_usd
FROM usage_event ORDER BY ALL
"""
REJECTS = "SELECT line, reason FROM reject WHERE line <> $torn ORDER BY ALL"


def name_of(file: Path) -> str:
    return f"{file.parent.name}/{file.name}"


def mutated(line: str, draw: random.Random) -> str:
    """A line with a number written otherwise, a comma too many, or a key that stands twice."""
    places = [place + 1 for place in range(len(line) - 1) if line[place] == ":" and line[place + 1].isdigit()]
    kind = draw.random()
    if kind < 0.1 or not places:
        return line.replace("}", ",}", 1)
    place = draw.choice(places)
    end = next(end for end in range(place, len(line)) if line[end] not in "0123456789.eE+-")
    if kind < 0.2:
        start = line.rfind('"', 0, line.rfind('"', 0, place - 1))
        return f"{line[:end]},{line[start:place]}7{line[end:]}"
    return line[:place] + draw.choice(NUMBERS) + line[end:]


def read(folder: Path, reader: str, lines: list[str]) -> tuple[list[tuple[object, ...]], Counter[object]]:
    """The calls of a log of these lines, and the lines rejected but for the torn one."""
    folder.mkdir()
    (folder / "log.jsonl").write_text("\n".join(lines) + "\n")
    os.utime(folder / "log.jsonl", (1_791_200_000,) * 2)  # the time of calls that state none
    torn = lines.index(TORN) + 1 if TORN in lines else 0
    with open_store(Path(":memory:")) as store:
        load(store, [folder / "log.jsonl"], format=reader)
        return store.execute(CALLS).fetchall(), Counter(store.execute(REJECTS, {"torn": torn}).fetchall())


@pytest.mark.slow
@pytest.mark.parametrize("log", LOGS, ids=name_of)
def test_a_torn_line_changes_nothing_about_the_others(tmp_path: Path, log: Path) -> None:
    draw = random.Random(16)
    lines = [line for line in log.read_text().splitlines()[:40] if line.strip()]
    for attempt in range(examples(1, 3)):
        changed = [*lines, *(mutated(draw.choice(lines), draw) for _ in range(2))]
        in_bulk = read(tmp_path / f"bulk-{attempt}", log.parent.name, changed)
        by_line = read(tmp_path / f"line-{attempt}", log.parent.name, [*changed, TORN])
        assert in_bulk == by_line, changed[-2:]


ALIKE = {
    "claude-code": '{"type":"assistant","timestamp":"2026-10-05T10:00:00Z","sessionId":"s","gitBranch":"NAME",'
    '"message":{"id":"m","model":"claude-haiku-4-5","usage":{"input_tokens":5,"output_tokens":10}}}',
    "openclaw": '{"type": "message", "timestamp": "2026-10-05T10:00:00Z", "message": {"role": "assistant",'
    '"content": [], "provider": "NAME", "model": "claude-opus-4-5", "stopReason": "stop", "timestamp": 1791194400000,'
    '"usage": {"input": 1, "output": 217, "cacheRead": 66383, "cacheWrite": 603, "totalTokens": 67204}}}',
}


@pytest.mark.slow
@pytest.mark.parametrize("reader", ALIKE)
def test_which_of_equal_entries_counts_hangs_neither_on_a_torn_line_nor_on_when_they_were_loaded(
    tmp_path: Path, reader: str
) -> None:
    """They state the same tokens of one call, and another branch or provider: a price may hang on that."""
    whose = "SELECT provider, branch FROM usage_event"
    for attempt, names in enumerate((("a", "b"), ("anthropic", "zzz"), ("1", "2"))):
        lines = [ALIKE[reader].replace("NAME", name) + "\n" for name in names]
        found = set()
        for way, parts in {"bulk": [lines], "torn": [[*lines, TORN]], "grown": [lines[:1], lines]}.items():
            file = tmp_path / f"{attempt}-{way}" / "log.jsonl"
            file.parent.mkdir()
            with open_store(Path(":memory:")) as store:
                for part in parts:
                    file.write_text("".join(part))
                    load(store, [file], format=reader)
                found |= {*store.execute(whose).fetchall()}
        assert len(found) == 1, (names, found)


ENTRY = """{"type":"assistant","timestamp":"2026-10-05T10:00:00Z","sessionId":"s","uuid":"u%d","message":{"id":"m%d",\
"model":"claude-haiku-4-5","usage":{"input_tokens":%s,"output_tokens":10}}}"""


@pytest.mark.parametrize(
    ("written", "calls"), [("true", 1), ('" 12 "', 1), ('"12"', 2), ("12", 2), ("12.0", 2), ("1e1", 2), ("null", 2)]
)
def test_what_is_no_whole_number_is_rejected_beside_whole_lines_too(tmp_path: Path, written: str, calls: int) -> None:
    lines = [ENTRY % (1, 1, "5"), ENTRY % (2, 2, written)]
    found, rejected = read(tmp_path / "log", "claude-code", lines)
    assert len(found) == calls
    assert sum(rejected.values()) == 2 - calls


def test_a_key_in_another_spelling_is_the_same_key(tmp_path: Path) -> None:
    plain, escaped = ENTRY % (1, 1, "5"), ENTRY % (2, 2, "7")
    found, _ = read(tmp_path / "log", "claude-code", [plain, escaped.replace('"usage"', '"us\\u0061ge"')])
    assert len(found) == 2


SPELLINGS = ["1e5000", "-1e5000", "1e400", "NaN", "-nan", "inf", "-Infinity", "-9223372036854775809", "9" * 5000, "1.50",
             "1E2", "-0", "1e-400", "18446744073709551616", '{"a":1e400,"a":[NaN,-1e2]}', '[{"a":1, "b":inf, "a":2}]', '"inf"']  # fmt: skip
CALL = """{"type":"assistant","timestamp":"2026-10-05T10:00:00Z","sessionId":%s,"uuid":%s,"requestId":%s,"message":{"id":%s,\
"model":%s,"usage":{"input_tokens":5,"output_tokens":10}}}"""
NAMES = """
SELECT event_id, session, request_id, response_id, model FROM usage_event ORDER BY ALL
"""


@pytest.mark.parametrize("written", SPELLINGS, ids=lambda written: written[:20])
def test_a_number_in_a_text_is_spelled_the_same_beside_a_torn_line(tmp_path: Path, written: str) -> None:
    """So the call is one, whichever of two files has it; with half a character beside it, too."""
    line, odd = CALL % ((written,) * 5), CALL % (written, '"u2"', r'"\ud800"', '"m2"', '"m"')
    (tmp_path / "a.jsonl").write_text(line + "\n")
    (tmp_path / "b.jsonl").write_text("\n".join((line, odd, TORN)) + "\n")
    with open_store(Path(":memory:")) as store:
        load(store, [tmp_path / "a.jsonl"], format="claude-code")
        alone = store.execute(NAMES).fetchall()
        load(store, [tmp_path / "b.jsonl"], format="claude-code")
        beside = store.execute(NAMES).fetchall()
    assert len(alone) == 1
    assert len(beside) == 2
    assert alone[0] in beside
    assert len({session for _, session, *_ in beside}) == 1


REPLY = """{"request_id":"%d","logging_time":"2026-10-05T10:00:00Z","model":"publishers/google/models/gemini-2.5-flash",\
"full_response":{"usage_metadata":{"prompt_token_count":1200,"cached_content_token_count":%s,\
"candidates_token_count":30}}}"""


@pytest.mark.parametrize("again", ["7", '"7"', "null", "[]", "{}", '"x"'])
def test_a_key_that_stands_twice_counts_the_same_beside_a_torn_line(tmp_path: Path, again: str) -> None:
    line = REPLY % (1, f'1000,"cached_content_token_count":{again}')
    in_bulk, by_line = (
        read(tmp_path / name, "vertex", [line, *torn]) for name, torn in (("bulk", []), ("line", [TORN]))
    )
    assert in_bulk == by_line
    [call] = in_bulk[0]
    assert call[4:6] == (200, 1000)  # 1200 - 1000 of the first key


@pytest.mark.parametrize("log", ["otel/console.jsonl", "qwen-code/chat.jsonl"])
def test_half_a_character_in_a_key_keeps_no_line_from_being_counted(tmp_path: Path, log: str) -> None:
    lines = [line for line in (DATA / log).read_text().splitlines() if line.strip()]
    name = log.partition("/")[0]
    counted, _ = read(tmp_path / "whole", name, [*lines, TORN])
    odd = r'{"extra\ud800":{"input_tokens\ud800":5}}'
    found, rejected = read(tmp_path / "odd", name, [*lines, odd, TORN])
    assert len(found) == len(counted)
    assert sum(rejected.values()) <= 1


def test_a_field_with_half_a_character_in_its_name_is_named_as_not_counted(tmp_path: Path) -> None:
    line = r"""{"type":"assistant","timestamp":"2026-10-05T10:00:00Z","sessionId":"s","uuid":"u1","message":{"id":"m1",\
"model":"claude-haiku-4-5","usage":{"input_tokens":5,"output_tokens":10,"extra\ud800_tokens":7,"extra\udfff_tokens":8}}}"""
    (tmp_path / "log.jsonl").write_text(line.replace("\\\n", "") + "\n" + TORN + "\n")
    with open_store(Path(":memory:")) as store:
        load(store, [tmp_path / "log.jsonl"], format="claude-code")
        unread = store.execute("SELECT field, total FROM unread WHERE field LIKE '%extra%'").fetchall()
    assert unread == [("message.usage.extra?_tokens", 15)]  # 7 + 8: both names are the same text


LANGFUSE = """{"id":"%s","type":"GENERATION","traceId":"t","startTime":"2026-10-05T10:00:00Z","model":"gpt-4o",\
"usageDetails":{"input":1,"output":2},"%s":%s}"""


@pytest.mark.slow
@pytest.mark.parametrize("key", ["x", "metadata"])
@pytest.mark.parametrize(("opened", "value", "closed"), [("[", "", "]"), ('{"a":', "1", "}")], ids=["list", "object"])
def test_a_line_is_as_deep_in_bulk_as_by_itself(tmp_path: Path, key: str, opened: str, value: str, closed: str) -> None:
    """A line may have 1,024 levels, its own object included; Python's bound of 1,000 calls is nobody's."""
    for depths, calls in (((980, 1000, 1023), 4), ((1024,), 1), ((5000,), 1)):
        deep = [LANGFUSE % (f"b{depth}", key, opened * depth + value + closed * depth) for depth in depths]
        lines = [LANGFUSE % ("a", key, "1"), *deep]
        in_bulk = read(tmp_path / f"bulk-{depths[0]}", "langfuse", lines)
        assert in_bulk == read(tmp_path / f"line-{depths[0]}", "langfuse", [*lines, TORN])
        assert len(in_bulk[0]) == calls
