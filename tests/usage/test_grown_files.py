"""A file that only grew: its new lines are read, and all is as if it had been read as a whole."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from costsim.usage.fingerprint import fingerprint, new_lines
from costsim.usage.load import load
from emptied import open_store
from hypothesis import example, given, settings
from hypothesis import strategies as st
from thorough import examples

CALLS = "SELECT * EXCLUDE (file_id) FROM usage_event ORDER BY ALL"
REJECTS = "SELECT line, reason, raw FROM reject ORDER BY ALL"
FILES = "SELECT content_hash, bytes, entries, rejected FROM load"


def entry(number: int, output: int, identified: bool) -> str:
    """A Claude Code entry, with ids or without any."""
    usage = {"input_tokens": 100, "output_tokens": output}
    ids = {"requestId": f"r{number}"} if identified else {}
    message = {"model": "claude-haiku-4-5", "usage": usage} | ({"id": f"m{number}"} if identified else {})
    stated = {"type": "assistant", "timestamp": f"2026-10-05T10:00:{number:02}Z", "sessionId": "s", "message": message}
    return json.dumps(stated | ids)


LINES = st.lists(
    st.one_of(
        st.builds(entry, st.integers(0, 5), st.integers(0, 3), st.booleans()),
        st.sampled_from(['{"type": "user", "sessionId": "s"}', "{torn", "", entry(1, -1, True)]),
    ),
    max_size=12,
)
FIRST = entry(9, 9, True)


def known(folder: Path, *contents: bytes) -> tuple[list[Any], ...]:
    """What the store holds after a file had these contents, one after the other."""
    with open_store(folder / "costsim.duckdb") as store:
        for content in contents:
            (folder / "a.jsonl").write_bytes(content)
            load(store, [folder / "a.jsonl"])
        return tuple(store.execute(sql).fetchall() for sql in (CALLS, REJECTS, FILES))


@pytest.mark.slow
@settings(max_examples=examples(4, 12), deadline=None)
@given(lines=LINES, cuts=st.lists(st.integers(0, 4_000), max_size=2))
@example(lines=[entry(1, 1, False), entry(1, 1, False)], cuts=[len(FIRST) + len(entry(1, 1, False)) + 2])
@example(lines=["{torn", entry(1, 1, True)], cuts=[len(FIRST) + 7])
def test_a_file_read_as_it_grows_is_the_file_read_at_once(lines: list[str], cuts: list[int]) -> None:
    whole = ("\n".join([FIRST, *lines]) + "\n").encode()
    grown = [whole[: len(FIRST) + cut] for cut in sorted(cuts)]
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        assert known(Path(one), *grown, whole) == known(Path(other), whole)


def test_only_what_was_added_to_the_end_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b"one\ntwo\n")
    before = fingerprint(str(file))
    assert before.lines == 2
    file.write_bytes(b"one\ntwo\nthree\nfour")
    tail = new_lines(str(file), 8, before.content_hash, tmp_path)
    assert tail is not None
    assert tail.path.read_bytes() == b"three\nfour"
    assert (tail.fingerprint.lines, tail.fingerprint.content_hash) == (2, fingerprint(str(file)).content_hash)


@pytest.mark.parametrize(
    ("before", "now"),
    [(b"one\ntwo\n", b"One\ntwo\nthree\n"), (b"one\ntw", b"one\ntwo\n"), (b"one\ntwo\n", b"one\n")],
    ids=["changed before its end", "torn in a line", "shorter"],
)
def test_a_file_that_did_more_than_grow_by_lines_is_read_as_a_whole(tmp_path: Path, before: bytes, now: bytes) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(before)
    content_hash = fingerprint(str(file)).content_hash
    file.write_bytes(now)
    assert new_lines(str(file), len(before), content_hash, tmp_path) is None


@pytest.mark.slow
def test_a_grown_file_keeps_the_rejects_of_its_beginning_with_their_lines(tmp_path: Path) -> None:
    first = "\n".join([*(entry(n, 1, True) for n in range(5)), "{torn"]) + "\n"
    calls, rejects, files = known(tmp_path, first.encode(), (first + entry(6, 1, True) + "\n{torn too\n").encode())
    assert len(calls) == 6
    assert [(line, reason) for line, reason, _ in rejects] == [(6, "not JSON"), (8, "not JSON")]
    assert files[0][2:] == (6, 2)


def stored_ids(folder: Path, *contents: str) -> set[str]:
    """The calls of the store after a file had these contents, one after the other."""
    calls, _, _ = known(folder, *(content.encode() for content in contents))
    return {row[0].removeprefix("claude-code:") for row in calls}


@pytest.mark.slow
@pytest.mark.parametrize("histories", [[[1, 2], [3], [3, 4, 4, 4]], [[1, 2], [2, 3], [4]]])
def test_a_log_keeps_all_that_it_ever_had_however_often_it_begins_anew(
    tmp_path: Path, histories: list[list[int]]
) -> None:
    contents = ["".join(entry(number, 1, True) + "\n" for number in numbers) for numbers in histories]
    calls = stored_ids(tmp_path, *contents, contents[-1] + "{torn", contents[-1] * 3)
    assert {call.split(":")[0] for call in calls} == {f"m{number}" for numbers in histories for number in numbers}
