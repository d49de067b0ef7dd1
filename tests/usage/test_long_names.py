"""Keys of megabytes: judged and kept by their beginning and end, in time that grows with their length, and named all the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from costsim.usage.files import reader_named
from costsim.usage.known_shapes import KnownShapes
from costsim.usage.likeness import LONGEST_NAME, NAMES, Likeness, bounded
from costsim.usage.load import load
from costsim.usage.readers.mapped import parse_mapping
from costsim.usage.unread import Unread, Watch, kinds
from emptied import open_store
from hypothesis import example, given, settings
from hypothesis import strategies as st

LONG = 300_000
MIDDLE = "x" * LONG + "Tokens" + "y" * LONG
SPAN = {"name": "chat", "startTimeUnixNano": "1760000000000000000"}
MODEL = {"key": "gen_ai.request.model", "value": {"stringValue": "gpt-4o"}}


def claude(usage: dict[str, Any], **beside: Any) -> dict[str, Any]:
    message = {
        "id": "m",
        "role": "assistant",
        "model": "claude-haiku-4-5",
        "usage": {"input_tokens": 3, "output_tokens": 3, **usage},
    }
    return {
        "type": "assistant",
        "uuid": "u",
        "sessionId": "s",
        "timestamp": "2026-10-01T00:00:00Z",
        "message": message,
        **beside,
    }


def spans(name: str) -> dict[str, Any]:
    given = [
        MODEL,
        {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "12"}},
        {"key": name, "value": {"intValue": "7"}},
    ]
    return {"resourceSpans": [{"scopeSpans": [{"spans": [SPAN | {"attributes": given}]}]}]}


RECORDS: dict[str, Any] = {
    "beside counted fields": claude({"t" * LONG: 7}),
    "by its end": claude({}, **{"x" * LONG + "tokens": 7}),
    "by its middle": claude({}, **{MIDDLE: 7}),
    "an object": claude({}, **{MIDDLE: {"a": 7}}),
    "an attribute": spans("gen_ai.usage." + "x" * LONG + ".tokens"),
    "an attribute by its middle": spans(MIDDLE),
    "dots": claude({}, **{"a." * LONG + "tokens": 7}),
}


def unread(folder: Path, file: Path) -> list[Unread]:
    with open_store(folder / "costsim.duckdb") as store:
        load(store, [file], mapping=parse_mapping("ts=ts,input=i") if file.suffix == ".csv" else None)
        return kinds(store)


@pytest.mark.slow
@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_a_key_of_any_length_is_named_shortened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record: Any) -> None:
    """A pattern asked of a key of a megabyte takes seconds: none is asked of more than its beginning and end."""
    judged: list[str] = []
    judge = Likeness._judged

    def noted(self: Likeness, path: str, *how: bool) -> bool:
        judged.append(path)
        return judge(self, path, *how)

    monkeypatch.setattr(Likeness, "_judged", noted)
    file = tmp_path / ("a.json" if "resourceSpans" in record else "a.jsonl")
    file.write_text(json.dumps(record) + "\n")
    (found,) = unread(tmp_path, file)
    assert (found.occurrences, found.total) == (1, 7)
    assert "characters, " in found.field
    assert max(map(len, judged)) < 2 * LONGEST_NAME


def test_a_column_of_any_name_is_judged_shortened(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"ts,i,{MIDDLE[LONG - 9_000 : LONG + 9_000]}\n2026-10-01T00:00:00Z,5,7\n2026-10-01T00:00:01Z,5,8\n")
    (found,) = unread(tmp_path, file)
    assert (found.occurrences, found.total) == (2, 15)
    assert len(found.field) < 2 * LONGEST_NAME


@pytest.mark.slow
def test_lines_with_such_keys_are_no_shapes_to_know_others_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KnownShapes, "learn", lambda *_: pytest.fail("it was compiled"))
    file = tmp_path / "a.jsonl"
    file.write_text("".join(json.dumps(claude({"t" * LONG: n})) + "\n" for n in (1, 2)))
    assert sum(kind.total for kind in unread(tmp_path, file)) == 3  # 1 + 2


def test_a_file_with_a_long_path_for_a_key_is_not_read_line_by_line(tmp_path: Path) -> None:
    """Claude Code keeps copies of files under their paths: what is long and no usage costs no careful reading."""
    snapshot = {"type": "file-history-snapshot", "snapshot": {"trackedFileBackups": {MIDDLE: {"version": 1}}}}
    with open_store(tmp_path / "costsim.duckdb") as store:
        known = KnownShapes(Watch(reader_named("claude-code")))
        assert known.judge(json.dumps(snapshot).encode()) == frozenset()
        assert known.judge(json.dumps(claude({}, **{MIDDLE: 7})).encode()) is None  # its name cannot be kept whole
        file = tmp_path / "a.jsonl"
        file.write_text("".join(json.dumps(record) + "\n" for record in (snapshot, claude({}))))
        assert (load(store, [file]).calls, kinds(store)) == (1, [])


@settings(max_examples=30)
@example("a\n" * 10_000, 0, "token")  # shortened as one line
@given(st.text(max_size=20), st.integers(0, 600), st.sampled_from(["", "token", "COST", "credit"]))
def test_no_two_names_become_one(text: str, length: int, word: str) -> None:
    names = [text, text + "x" * length + word + "y" * length, text + "x" * (length + 1) + word + "y" * length]
    short = [bounded(name) for name in names]
    assert len({*short}) == len({*names})
    assert all(len(one) <= LONGEST_NAME + 10 for one in short)
    assert not word or all(map(NAMES.search, short[1:]))  # that word, or one that the text has
