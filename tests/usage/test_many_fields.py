"""Logs with thousands of fields that look like usage: so many are kept apart, and of the others the exact sums."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from costsim.reports.loaded import lines as lines_of
from costsim.usage import known_shapes, places, table_watch, unread
from costsim.usage.files import reader_named
from costsim.usage.line_watch import LineWatch
from costsim.usage.load import load
from costsim.usage.reader import Reader
from costsim.usage.readers import READERS
from costsim.usage.readers.mapped import parse_mapping
from costsim.usage.report import LoadReport
from costsim.usage.store import open_store as open_own
from costsim.usage.unread import Watch
from emptied import open_store
from thorough import examples

WORDS = [f"{first}{second}" for first in "bcdfg" for second in "bcdfghjk"]  # 40 that differ in letters


def call(number: int, **beside: object) -> str:
    """A call of Claude Code with other keys beside its message."""
    usage = {"input_tokens": 100, "output_tokens": 10, "cache_creation": {"ephemeral_5m_input_tokens": 0}}
    return json.dumps({
        "type": "assistant", "timestamp": "2026-10-05T10:00:00Z", "sessionId": "s", "requestId": f"r{number}",
        "uuid": f"u{number}", "message": {"id": f"m{number}", "model": "claude-haiku-4-5", "usage": usage}, **beside,
    })  # fmt: skip


def loaded(folder: Path, *lines: str, name: str = "a.jsonl", **options: Any) -> LoadReport:
    (folder / name).write_text("".join(f"{line}\n" for line in lines))
    with open_store(folder / "costsim.duckdb") as store:
        return load(store, [folder / name], **options)


def sums(report: LoadReport) -> dict[str, tuple[int, Decimal]]:
    """What was reported of each field: how often, and the sum."""
    return {found.field: (found.occurrences, found.total) for found in report.unread}


def total(found: Iterable[tuple[int, Decimal]]) -> tuple[int, Decimal]:
    counts, amounts = zip(*found, strict=True)
    return sum(counts), sum(amounts, Decimal(0))


@pytest.mark.parametrize("beside", [(), ("{torn",)], ids=["sifted", "line by line"])
def test_fields_beyond_the_limit_are_summed_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beside: tuple[str, ...]
) -> None:
    """40 fields of 1 to 40, of which 3 are kept: 1 + 2 + 3, and 37 others of 820 - 6 = 814."""
    monkeypatch.setenv("COSTSIM_MAX_FIELDS", "3")
    fields = [call(n, **{f"{word}_tokens": n}) for n, word in enumerate(WORDS, 1)]
    found = sums(loaded(tmp_path, *fields, *beside))
    assert found == {"bb_tokens": (1, 1), "bc_tokens": (1, 2), "bd_tokens": (1, 3), "other-token-fields": (37, 814)}


def test_the_collective_field_is_named_as_others_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSTSIM_MAX_FIELDS", "1")
    report = loaded(tmp_path, call(1, a_tokens=7), call(2, b_tokens=2, c_tokens=3))
    assert any("`other-token-fields` is not counted: 5 in 2 places (a.jsonl:2)" in line for line in lines_of(report))


def test_what_is_no_sum_of_one_kind_is_not_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens, amounts of money and what is priced as text have sums of their own."""
    monkeypatch.setenv("COSTSIM_MAX_FIELDS", "1")
    found = sums(loaded(tmp_path, call(1, first_tokens=1, b_tokens=2, c_tokens=3, cost=5, my_cost=7, usage={"x": 9})))
    assert found == {
        "first_tokens": (1, 1),
        "other-token-fields": (2, 5),
        "other-cost-fields": (2, 12),
        "other-usage-fields": (1, 9),
    }


def test_parts_that_are_priced_as_text_are_summed_as_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSTSIM_MAX_FIELDS", "1")
    monkeypatch.setattr("costsim.usage.likeness.Likeness.is_media", lambda _, path: "audio" in path)
    report = loaded(tmp_path, call(1, a_tokens=1, audio_tokens=2, b_tokens=3))
    assert [(one.field, one.as_text) for one in sorted(report.unread, key=lambda one: one.total)] == [
        ("a_tokens", False),
        ("other-media-token-fields", True),
        ("other-token-fields", False),
    ]


def test_the_limit_is_one_of_a_source_and_not_of_a_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of four fields in two files, two are kept apart: those of the first load, in the second one too."""
    monkeypatch.setenv("COSTSIM_MAX_FIELDS", "2")
    loaded(tmp_path, call(1, a_tokens=1, b_tokens=2))
    found = sums(loaded(tmp_path, call(2, c_tokens=4, b_tokens=8, d_tokens=16), name="b.jsonl"))
    assert found == {"b_tokens": (1, 8), "other-token-fields": (2, 20)}


def test_a_field_that_is_acknowledged_is_none_of_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSTSIM_MAX_FIELDS", "1")
    found = sums(loaded(tmp_path, call(1, a_tokens=1, b_tokens=2, c_tokens=3), acknowledged=["a_tokens", "c_tokens"]))
    assert found == {"b_tokens": (1, 2)}
    acknowledged = loaded(tmp_path, call(1, b_tokens=2, d_tokens=3), acknowledged=["other-token-fields"])
    assert sums(acknowledged) == {"b_tokens": (1, 2)}


def test_what_is_noted_of_a_batch_is_bounded_in_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for three fields of a file: 20,000 files of a thousand fields each would take gigabytes."""
    monkeypatch.setattr(unread, "ROOM", 3 * unread.TALLY_BYTES)
    found = sums(loaded(tmp_path, call(1, **{f"{word}_tokens": 1 for word in WORDS})))
    assert len(found) == 4
    assert total(found.values()) == (40, 40)


def test_names_that_are_too_many_to_look_for_are_all_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of many, lines of one each, and lines of a kind that was met before the names were too many."""
    monkeypatch.setattr(known_shapes, "MOST_NAMES", 5)
    monkeypatch.setattr("costsim.usage.sieve.MOST_NAMES", 5)
    one_each = [call(n, **{f"{word}_tokens": n}) for n, word in enumerate(WORDS)]
    found = sums(loaded(tmp_path, *one_each, call(50, **{f"{word}_cost": 1 for word in WORDS}), *one_each[:3]))
    # 1 to 39 (a 0 is not noted), and once more 1 and 2 of the first three lines
    assert total(count for name, count in found.items() if name.endswith("tokens")) == (39 + 2, 780 + 3)
    assert total(count for name, count in found.items() if name.endswith("cost")) == (40, 40)


@pytest.fixture
def few_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three keys of an object are fields, more are things."""
    monkeypatch.setattr(places, "MOST_KEYS", 3)


def seen(reader: str, *records: object) -> dict[str, tuple[int, int | None]]:
    """How often each field was seen in lines of a format that DuckDB reads, and in which line first."""
    watch = Watch(reader_named(reader))
    lines = LineWatch(watch, 1)
    for record in records:
        lines.feed(json.dumps(record).encode() + b"\n", 1)
    lines.finish()
    return {field: (tally.occurrences, tally.line) for field, tally in watch.found.get(1, {}).items()}


IDS = ["17", "0c2f9a3e-93d0-4dc4-a2e1-13f8e1d0a5b7", "fc2f9a3e-93d0-4dc4-a2e1-13f8e1d0a5b7", "9f86d081884c7d65"]


@pytest.mark.usefixtures("few_keys")
def test_keys_that_differ_only_in_an_id_are_one_field_where_they_name_things() -> None:
    tasks = {"a": {"tokens": 1}, "b": {"tokens": 1}, "c": {"tokens": 1}, **{f"t-{id}": {"tokens": 1} for id in IDS}}
    assert seen("helicone", {"by_task": tasks}, {"by_task": tasks}) == {
        "by_task.a.tokens": (2, 1),
        "by_task.b.tokens": (2, 1),
        "by_task.c.tokens": (2, 1),
        "by_task.t-*.tokens": (2 * len(IDS), 1),
    }


@pytest.mark.usefixtures("few_keys")
def test_names_of_attributes_that_differ_only_in_an_id_are_one_field() -> None:
    names = ["a.cost", "b.cost", "c.cost", "1.cost", "2.cost"]
    spans = [{"attributes": [{"key": name, "value": {"doubleValue": 0.5}} for name in names]}]
    found = seen("otel", {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]})
    assert found["resourceSpans.scopeSpans.spans.attributes.*.cost"] == (2, 1)
    assert sum(times for times, _ in found.values()) == 5


@pytest.mark.usefixtures("few_keys")
def test_a_declared_field_with_a_digit_is_no_thing(tmp_path: Path) -> None:
    """`ephemeral_5m_input_tokens` is counted after keys of other names too; `ephemeral_7m_input_tokens` is not."""
    creation = dict.fromkeys(("w_tokens", "x_tokens", "y_tokens", "ephemeral_5m_input_tokens"), 5)
    usage = {"input_tokens": 1, "output_tokens": 1, "cache_creation": {**creation, "ephemeral_7m_input_tokens": 5}}
    entry = json.loads(call(1))
    entry["message"]["usage"] = usage
    found = sums(loaded(tmp_path, json.dumps(entry), "{torn"))
    assert {field.rpartition(".")[2] for field in found} == {
        "w_tokens",
        "x_tokens",
        "y_tokens",
        "ephemeral_*m_input_tokens",
    }


@pytest.mark.usefixtures("few_keys")
def test_things_are_no_news_for_which_a_type_is_made_again() -> None:
    """Else a log with another key in each line would be compiled hundreds of times."""
    watch = Watch(reader_named("helicone"))
    watch.see(1, 1, {"by_task": dict.fromkeys("abcd", 1)})
    met, count = watch.places.met, watch.places.count
    for word in WORDS:
        watch.see(1, 1, {"by_task": {word: {"tokens": 1, word: {"cost": 2}}, f"{word}9": {"tokens": 1}}})
    assert (watch.places.met, watch.places.count) == (met, count)
    assert watch.places.passing.count < 10


def test_columns_beyond_the_limit_are_summed_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows of 40 columns with 1 in each: 3 of them are kept, 2 x 37 are others."""
    monkeypatch.setenv("COSTSIM_MAX_FIELDS", "3")
    header = ",".join(["ts,input,output", *(f"{word}_tokens" for word in WORDS)])
    row = ",".join(["2026-10-05T10:00:00Z,1,2", *("1" for _ in WORDS)])
    mapping = parse_mapping("ts=ts,input=input,output=output,model=:gpt-4o")
    found = sums(loaded(tmp_path, header, row, row, name="a.csv", mapping=mapping))
    assert found["other-token-fields"] == (74, 74)
    assert total(found.values()) == (80, 80)


def test_a_field_of_any_length_is_kept_by_its_beginning_and_end(tmp_path: Path) -> None:
    """Keys of 400 characters within one another: a path of thousands for each of a thousand fields."""
    deep: object = {"tokens": 1, "cost": 2}
    for _ in range(10):
        deep = {"k" * 400: deep}
    found = sums(loaded(tmp_path, call(1, deep=deep)))
    assert sorted(found.values()) == [(1, 1), (1, 2)]
    assert all(len(field) <= unread.LONGEST_FIELD for field in found)


@pytest.mark.slow
def test_a_line_of_very_many_keys_is_read_in_seconds(tmp_path: Path) -> None:
    """A pattern of so many names was compiled, which did not end; of a million keys it took 2 GB."""
    line = call(1)[:-1] + ', "x": {' + ", ".join(f'"k{n}_tokens": 1' for n in range(300_000)) + "}}\n"
    (tmp_path / "a.jsonl").write_text(line)
    with open_own(tmp_path / "costsim.duckdb") as store:
        report = load(store, [tmp_path / "a.jsonl"])
    assert report.calls == 1
    assert total(sums(report).values()) == (300_000, 300_000)
    assert len(report.unread) < 1_000


@pytest.mark.parametrize("wide", [True, False])
def test_many_columns_are_asked_at_once_and_say_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wide: bool
) -> None:
    """A statement for each of 100,000 columns took hours: each looks at all that a table has."""
    if wide:
        monkeypatch.setattr(table_watch, "WIDE", 0)
        monkeypatch.setattr(table_watch, "SLICE", 2)
    header = "ts,input,output,a_tokens,b_cost,c_usage,d_tokens,e_tokens"
    rows = ['"$1,000.50",0,"{""x"": 3}",,word', '7,0.5,"[{""y"": 4}, 5]",0,-2']
    lines = [header, *(f"2026-10-05T10:00:00Z,1,2,{row}" for row in rows)]
    mapping = parse_mapping("ts=ts,input=input,output=output,model=:gpt-4o")
    report = loaded(tmp_path, *lines, name="a.csv", mapping=mapping)
    assert {(one.field, one.occurrences, one.total, one.line) for one in report.unread} == {
        ("a_tokens", 2, Decimal("1007.5"), 2),
        ("b_cost", 1, Decimal("0.5"), 3),
        ("c_usage.x", 1, Decimal(3), 2),
        ("c_usage.y", 1, Decimal(4), 3),
        ("e_tokens", 1, Decimal(-2), 3),
    }


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_keys_that_say_nothing_hide_none_beside_them_that_may_be_usage(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In each object that a reader knows and in others: each key of it, in another spelling too, has another number."""
    declared = [path.replace("[]", "").split(".") for path in (*reader.counted, *reader.left_out, *reader.texts)]
    below: dict[tuple[str, ...], set[str]] = {("extra",): set(), ("attributes",): set(), ("usage",): set()}
    for parts in declared:
        for depth, key in enumerate(parts):
            below.setdefault(tuple(parts[:depth]), set()).add(key.replace("*", "any"))
    objects = random.Random(reader.name).sample(sorted(below), min(len(below), examples(3, 1000)))
    for path in objects:
        known = below[path]
        spelt = sorted(known | {key.upper() for key in known} | {"a_cost", "tokensUsed", "input", "x.cost", "n_credit"})
        keys: dict[str, object] = {key: number for number, key in enumerate(spelt, 1000)}
        keys |= {"text": '{"usage": {"input_tokens": 999}}', "deep": {"cost": 998}}
        alone = Watch(reader).places.numbers(within(path, keys))
        with monkeypatch.context() as patch:
            patch.setattr(places, "MOST_KEYS", 3)
            many = Watch(reader).places.numbers(within(path, {**dict.fromkeys(WORDS[:9], 1), **keys}))
        assert sorted(number.written for number in many if number.written != "1") == sorted(n.written for n in alone)


def within(path: Iterable[str], value: dict[str, Any]) -> dict[str, Any]:
    for key in reversed([*path]):
        value = {key.replace("*", "any"): value}
    return value


@pytest.mark.slow
def test_keys_that_say_nothing_take_a_fraction_of_the_time_of_those_that_may() -> None:
    """A line of 64 MiB has seven million: 25 microseconds for each of them were three minutes."""
    keys = {f"k{number:x}".translate(str.maketrans("0123456789", "ghijklmnop")): 1 for number in range(40_000)}
    took = []
    for name in ("extra", "usage"):
        watch, start = Watch(reader_named("claude-code")), time.process_time()
        found = watch.places.numbers({name: keys})
        took.append(time.process_time() - start)
        assert bool(found) == (name == "usage")
    assert took[0] < took[1] / 5
