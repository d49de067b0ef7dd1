"""Of many files read at once, a bad line in one costs no line of any."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from costsim.usage.load import load
from emptied import open_store

pytestmark = pytest.mark.slow

BAD = '{"type":"assistant","message":{"id":"x","usa'


def lines(file: int, count: int) -> list[str]:
    """Entries of one call each, long enough that several files keep two threads busy."""
    usage = {"input_tokens": 1, "output_tokens": 1, "pad": "x" * 900}
    return [
        json.dumps({
            "type": "assistant",
            "timestamp": "2026-10-05T10:00:00.000Z",
            "sessionId": "s",
            "requestId": f"r{file}-{n}",
            "message": {"id": f"m{file}-{n}", "model": "claude-haiku-4-5", "usage": usage},
        })
        for n in range(count)
    ]  # fmt: skip


@pytest.mark.parametrize("place", [4_500, 9_000])
def test_a_torn_line_in_one_of_many_files_is_found_and_no_other_is_lost(tmp_path: Path, place: int) -> None:
    for file in range(4):
        text = lines(file, 9_000)
        if file == 1:
            text.insert(place, BAD)
        (tmp_path / f"{file}.jsonl").write_text("\n".join(text))
    with open_store(tmp_path / "costsim.duckdb") as store:
        report = load(store, [tmp_path])
        rejects = store.execute("SELECT parse_filename(path), line FROM reject JOIN load USING (file_id)").fetchall()
    assert rejects == [("1.jsonl", place + 1)]
    assert report.total("added") == 4 * 9_000


@pytest.mark.parametrize("bad", [(3,), (0, 1, 6), (2, 3, 4, 5)], ids=str)
def test_files_with_a_line_that_does_not_fit_lose_no_other(tmp_path: Path, bad: tuple[int, ...]) -> None:
    """A list where an object is expected: which of the files have one is found by halving them. 8 * 3 calls are whole."""
    for file in range(8):
        text = lines(file, 3)
        if file in bad:
            text.insert(
                1, json.dumps(json.loads(text[0]) | {"uuid": "u", "message": [1, {"usage": {"input_tokens": 5}}]})
            )
        (tmp_path / f"{file}.jsonl").write_text("\n".join(text))
    with open_store(tmp_path / "costsim.duckdb") as store:
        report = load(store, [tmp_path], format="claude-code")
        unread = store.execute("SELECT sum(occurrences)::INTEGER, sum(total)::INTEGER FROM unread").fetchall()
    assert (report.total("added"), unread) == (24, [(len(bad), 5 * len(bad))])
